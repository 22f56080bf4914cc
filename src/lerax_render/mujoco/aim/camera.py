"""Where a MuJoCo picture is taken from: a camera of the model's, of the user's, or a chosen one.

The options of a `Camera` are the fields that `settings.picture` declares.
"""

from collections.abc import Callable, Iterable
from typing import SupportsIndex

import mujoco
import numpy as np

from ...settings import Camera
from .elements import find_element
from .framing import View
from .guess import Subject

# MuJoCo's own default, which says that the model's author had no wish.
_DEFAULT_ELEVATION = -45.0

type CameraLike = Camera | View | mujoco.MjvCamera | str | int | None


class CameraRig:
    """Aims a `mujoco.MjvCamera` at each state.

    Args:
        model: The model.
        wish: A name or number of one of the model's cameras, a `Camera`, a `View`, a
            `mujoco.MjvCamera` (used as it is, and as it changes), or None.
        aspect: Width of the picture over its height.
        groups: Which geom groups are drawn, as in `mujoco.MjvOption.geomgroup`.

    Raises:
        ValueError: The model has no such camera or body; the message lists what it has.
        TypeError: `wish` is of another type.
    """

    def __init__(
        self, model: mujoco.MjModel, wish: CameraLike, aspect: float, groups: np.ndarray
    ) -> None:
        self._follow: Callable[[mujoco.MjData], np.ndarray] | None = None
        self._near: float | None = None
        if isinstance(wish, View) and wish.near < model.vis.map.znear * model.stat.extent:
            self._near = wish.near
        self._is_users = isinstance(wish, mujoco.MjvCamera)
        if isinstance(wish, mujoco.MjvCamera):
            self._camera = wish
            return
        self._camera = mujoco.MjvCamera()
        mujoco.mjv_defaultFreeCamera(model, self._camera)
        if isinstance(wish, str | SupportsIndex) and not isinstance(wish, bool):
            self._camera.type = mujoco.mjtCamera.mjCAMERA_FIXED.value
            self._camera.fixedcamid = find_element(model, mujoco.mjtObj.mjOBJ_CAMERA, wish)
        elif isinstance(wish, View):
            self._take(wish)
        elif wish is None or isinstance(wish, Camera):
            self._aim(model, wish or Camera(), aspect, groups)
        else:
            raise TypeError(
                "camera must be a name or number of one of the model's cameras, a Camera, a "
                f"mujoco.MjvCamera or None, got {wish!r}"
            )

    def at(self, data: mujoco.MjData) -> mujoco.MjvCamera:
        """The camera for this state, whose positions must have been computed."""
        if self._follow is not None:
            self._camera.lookat[:] = self._follow(data)
        return self._camera

    def draw_from_near(self, cameras: Iterable[mujoco.MjvGLCamera]) -> None:
        """Make MuJoCo's cameras, which it has just set, draw from as near as a `View` says."""
        if self._near is None:
            return
        for camera in cameras:
            share, camera.frustum_near = self._near / camera.frustum_near, self._near
            # Where rays are parallel, the rims are not those of the near plane.
            for rim in () if camera.orthographic else ("center", "width", "bottom", "top"):
                name = f"frustum_{rim}"
                setattr(camera, name, share * getattr(camera, name))

    def stands(self, model: mujoco.MjModel) -> bool:
        """Whether it is in the same place for all states of the model."""
        camera = self._camera
        if camera.type != mujoco.mjtCamera.mjCAMERA_FIXED:
            return not self._is_users and self._follow is None
        is_fixed = model.cam_mode[camera.fixedcamid] == mujoco.mjtCamLight.mjCAMLIGHT_FIXED
        body = model.cam_bodyid[camera.fixedcamid]
        return bool(is_fixed and model.body_weldid[body] == 0)

    def _take(self, view: View) -> None:
        camera, follow = self._camera, view.follow
        camera.azimuth, camera.elevation = view.azimuth, view.elevation
        camera.distance = view.distance
        camera.lookat[:] = view.lookat
        if follow is not None:
            lookat, axes = np.array(view.lookat), np.array(view.axes)
            self._follow = lambda data: lookat + np.where(axes, data.subtree_com[follow], 0)

    def _aim(self, model: mujoco.MjModel, wish: Camera, aspect: float, groups: np.ndarray) -> None:
        subject = Subject(model, groups)
        camera = self._camera
        if wish.azimuth is not None:
            camera.azimuth = wish.azimuth
        if wish.elevation is not None:
            camera.elevation = wish.elevation
        elif camera.elevation == _DEFAULT_ELEVATION:
            camera.elevation = subject.elevation()
        camera.distance = wish.distance or subject.distance(
            camera.azimuth, camera.elevation, model.vis.global_.fovy, aspect
        )
        if wish.track is not None:
            body = find_element(model, mujoco.mjtObj.mjOBJ_BODY, wish.track)
            self._follow = lambda data: data.subtree_com[body]
        elif wish.lookat is not None:
            camera.lookat[:] = wish.lookat
        else:
            camera.lookat[:] = subject.centre
            if subject.moves.any():
                self._follow = subject.follow
