"""MuJoCo states painted by its Filament renderer: physically based, through Vulkan."""

import importlib.util
from typing import Any, Self

import mujoco
import numpy as np

from ..errors import BackendUnavailableError
from .aim import CameraLike, CameraRig
from .child_process import Child, ChildEnded
from .look import Decorate
from .pose import Pose, PoseLoader, State

_REMEDY = "it needs Vulkan, which a processor alone can do: apt-get install mesa-vulkan-drivers"

# Of `mujoco.MjvGLCamera`, under the names of `mujoco.mjrf.Camera`.
_CAMERA_VECTORS = ("pos", "forward", "up")
_CAMERA_NUMBERS = (
    "frustum_center",
    "frustum_width",
    "frustum_bottom",
    "frustum_top",
    "frustum_near",
    "frustum_far",
)


class FilamentRenderer:
    """Paints states of one model as `HeadlessMujocoRenderer` does, more beautifully and slowly.

    A process of its own draws (see `filament_server` for why).

    Args:
        model: The model.
        width: In pixels.
        height: In pixels.
        camera: As for `HeadlessMujocoRenderer`.

    Raises:
        ValueError, TypeError: The camera is none of the model's, or of no accepted type.
        BackendUnavailableError: There is no Vulkan here, or MuJoCo is older than 4.
    """

    def __init__(
        self, model: mujoco.MjModel, width: int, height: int, *, camera: CameraLike = None
    ) -> None:
        options = mujoco.MjvOption()
        self._model = model
        self._loader = PoseLoader(model, options)
        self._shape = (height, width, 3)
        self.aim(camera)
        if importlib.util.find_spec("mujoco.mjrf") is None:
            raise BackendUnavailableError(
                "quality='cinematic' needs MuJoCo's Filament renderer, which MuJoCo "
                f"{mujoco.__version__} does not have: pip install 'mujoco>=4'"
            )
        self._child = Child("filament_server")
        try:
            self._child.send((model, width, height))
            self._child.receive()
        except ChildEnded as error:
            raise BackendUnavailableError(
                f"MuJoCo's Filament renderer does not start ({error}); {_REMEDY}"
            ) from error
        except BaseException:
            self.close()
            raise

    def aim(self, camera: CameraLike) -> None:
        """Take another camera for the pictures from now on.

        Raises:
            ValueError, TypeError: As for the constructor.
        """
        height, width, _ = self._shape
        groups = mujoco.MjvOption().geomgroup
        self._rig = CameraRig(self._model, camera, width / height, groups)

    def render(self, state: State, decorate: Decorate | None = None) -> np.ndarray:
        """Paint one state; one that is NaN or infinite is painted as the last that was not.

        Args:
            state: As for `HeadlessMujocoRenderer.render`.
            decorate: Must be `None`: this renderer draws the model alone.

        Returns:
            RGB, `uint8 (H, W, 3)`, row 0 on top, an array of its own.

        Raises:
            RuntimeError: The renderer is closed.
            TypeError, ValueError: As for `HeadlessMujocoRenderer.render`.
            BackendUnavailableError: The process that draws has ended or stalled.
        """
        assert decorate is None
        if not self._child.is_open:
            raise RuntimeError("this renderer is closed; make a new one")
        self._loader.load(state)
        data = self._loader.data
        camera = mujoco.mjv_camera2GLCamera(self._model, data, self._rig.at(data))
        self._rig.draw_from_near([camera])
        seen: dict[str, Any] = {name: np.array(getattr(camera, name)) for name in _CAMERA_VECTORS}
        seen |= {name: float(getattr(camera, name)) for name in _CAMERA_NUMBERS}
        seen["orthographic"] = bool(camera.orthographic)
        frame = np.empty(self._shape, np.uint8)
        try:
            changes = state.changes if isinstance(state, Pose) else None
            self._child.send((Pose.of(data)._replace(changes=changes), seen))
            self._child.receive_into(memoryview(frame).cast("B"))
        except ChildEnded as error:
            raise BackendUnavailableError(
                f"MuJoCo's Filament renderer ended while it drew ({error}); {_REMEDY}"
            ) from error
        return frame

    def close(self) -> None:
        """End the process. May be called twice."""
        self._child.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
