"""MuJoCo states painted without a display: any `mujoco.MjModel`, with Lerax or without.

    with HeadlessMujocoRenderer(model, 640, 480) as renderer:
        frame = renderer.render(data)  # uint8 (480, 640, 3)

It is a renderer of Lerax's, too: `env.render(state, renderer)`, then `renderer.as_array()`.

The pieces: `gl` finds a GL context, `quality` says how carefully MuJoCo draws in it, `pose` brings
a state into MuJoCo, and `camera` aims.
"""

import logging
import os
import sys
import threading
import weakref
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Self

from ..errors import BackendUnavailableError
from ..settings import MAX_SIZE, Background, LightName, between, checked
from ..video import DrawnVideo, VideoWriter

try:
    import mujoco
except (AttributeError, RuntimeError) as error:
    # mujoco loads the library that MUJOCO_GL names through PyOpenGL, which says no more than
    # "'NoneType' object has no attribute 'glGetError'" where it is missing.
    raise BackendUnavailableError(
        f"importing mujoco failed with MUJOCO_GL={os.environ.get('MUJOCO_GL')} ({error}), so that "
        "library is not there; unset MUJOCO_GL, or run `lerax-render doctor` to see what to install"
    ) from error
import numpy as np

from . import gl as _gl
from . import look as _look
from .aim import CameraLike, CameraRig, View
from .backdrop import Backdrop
from .drawing import free_drawing, make_drawing
from .pose import Pose, PoseLoader, State

__all__ = ["HeadlessMujocoRenderer", "Pose", "free_drawing"]

_logger = logging.getLogger("lerax_render.mujoco.renderer")

# MuJoCo takes memory for all of them at once.
_MOST_GEOMS = 10**6


class HeadlessMujocoRenderer:
    """Paints states of one MuJoCo model.

    It is used on the thread, and in the process, that made it; `close` may come from any thread.
    Any number may be alive at once. The model is only read, at any size and quality, and changes
    that its owner makes to colours or positions in it show in the next picture.

    Args:
        model: The model.
        width: In pixels, 1 to 16384, or less where the GL here cannot do as much.
        height: Likewise.
        camera: A name or number of one of the model's cameras, a `Camera`, or a `mujoco.MjvCamera`.
            None: a free camera that keeps the robot in the picture (see `Camera`).
        quality: `"draft"` (no shadows, no reflections), `"standard"` (no antialiasing, coarser
            shadows), `"high"` (MuJoCo's defaults, or the model's own settings where they are
            better), or `"auto"`: standard where GL draws on the CPU, high on a GPU.
        gl: The GL platform, a name in `gl.PLATFORMS`. None: MUJOCO_GL's, or the first that works.
        max_geom: The most shapes that a picture may show, 1 to 1,000,000.
        visual_options: What MuJoCo shows, e.g. contact points: a `mujoco.MjvOption`, read at each
            picture (but which quantities have to be computed is settled here), or, as for Lerax's
            renderer, flags to switch, numbers of `mujoco.mjtVisFlag`.
        drawing_passes: What is drawn in passes of its own, such as shadows, switched by numbers of
            `mujoco.mjtRndFlag`; what the quality leaves out stays out.
        video: Gets the picture at each `draw`, as `env.render` calls it; `open` or the first `draw`
            begins the clip, and `close` ends it.
        background: `"studio"` (a sky, and a ground and a light where the model has none), a colour
            (`"white"`, `"#e0e8f0"`), or `"as-is"`. None: studio for a model with neither a light of
            its own nor a skybox, else as-is.
        light: `"studio"` or `"as-is"`; None: as the background has it.

    Attributes:
        model: As given.
        width: As given.
        height: As given.
        quality: The quality used: a name, never `"auto"`.
        gl_platform: The name of the GL platform used.
        gl_renderer: What draws, as GL names it.

    Raises:
        ValueError: A size, name or number is not accepted; the message says what is.
        TypeError: `model` is no `mujoco.MjModel`, or `camera` of none of the types above.
        BackendUnavailableError: No GL platform works, or this one cannot draw this model.
    """

    def __init__(
        self,
        model: mujoco.MjModel,
        width: int = 640,
        height: int = 480,
        *,
        camera: CameraLike = None,
        quality: str = "auto",
        gl: str | None = None,
        max_geom: int = 10_000,
        visual_options: mujoco.MjvOption | Mapping[int, bool] | None = None,
        drawing_passes: Mapping[int, bool] | None = None,
        video: VideoWriter | None = None,
        background: str | None = None,
        light: str | None = None,
    ) -> None:
        if not isinstance(model, mujoco.MjModel):
            raise TypeError(f"model must be a mujoco.MjModel, got {type(model).__name__}")
        self.width = _checked_side("width", width, MAX_SIZE)
        self.height = _checked_side("height", height, MAX_SIZE)
        if not 1 <= max_geom <= _MOST_GEOMS:
            raise ValueError(f"max_geom must be 1 to {_MOST_GEOMS}, got {max_geom}")
        background = checked("background", Background | None, background)
        light = checked("light", LightName | None, light)
        _look.check_name(quality)
        _gl.check_name(gl)
        self.model = model
        self._options = _options(visual_options)
        self._backdrop = Backdrop(model, background, self._options.geomgroup, light)
        self._loader = PoseLoader(model, self._options)
        self._backdrop.lowest = self._backdrop.lowest_of(self._loader.data)
        self.aim(camera)
        self._shadows = _look.Shadows(model, self._loader.data, self._options.geomgroup)
        self._scene = mujoco.MjvScene(model, maxgeom=max_geom)
        self._viewport = mujoco.MjrRect(0, 0, self.width, self.height)
        self._pixels = np.zeros((self.height, self.width, 3), np.uint8)
        self._crowded = False
        # Of how many of the scene's shapes it is not known what is in them.
        self._written = self._scene.maxgeom
        self._clip = DrawnVideo(video)
        self._wanted = (quality, gl)
        for flag, shown in (drawing_passes or {}).items():
            self._scene.flags[int(flag)] = shown
        self._start()

    def _start(self) -> None:
        """Open a GL context, on the thread that is going to use it."""
        quality, gl = self._wanted
        self._painted = False
        self._owner = (os.getpid(), threading.get_ident())
        self._context = context = _gl.open_context(gl)
        self.gl_platform = context.platform
        self.gl_renderer = context.renderer
        software = _gl.is_software(context.renderer)
        self.quality = _look.choose(quality, software=software)
        settings = _look.QUALITIES[self.quality]
        for flag in settings.without:
            self._scene.flags[int(getattr(mujoco.mjtRndFlag, flag))] = False
        try:
            for name, side in (("width", self.width), ("height", self.height)):
                _checked_side(name, side, context.max_size)
            with context.current():
                adapted = _look.adapt(self.model, settings, self.width, self.height)
                self._backdrop.prepare(adapted)
                self._drawing = make_drawing(adapted, context)
                self._backdrop.hang(self._drawing, context)
            self._canvas = _look.Canvas(context, self._drawing)
        except BaseException:
            context.close()
            raise
        # A GPU paints a whole picture as fast as a part.
        self._plate = _look.Plate(self.model, self._scene, self._viewport) if software else None
        if software and not settings.at_least:
            self._shadows.save(self._drawing, self.height)
        # MjrContext frees GL's numbers in whatever context is current when Python drops it, which
        # would wipe another renderer's textures: so its own context is made current for that.
        self._release = weakref.finalize(self, free_drawing, context, self._drawing, os.getpid())

    def aim(self, camera: CameraLike) -> None:
        """Take another camera for the pictures from now on.

        Raises:
            ValueError, TypeError: As for the constructor.
        """
        if isinstance(camera, View):
            self._backdrop.lowest = camera.lowest
        aspect = self.width / self.height
        self._rig = CameraRig(self.model, camera, aspect, self._options.geomgroup)
        self._stands = self._rig.stands(self.model) and _look.lights_stand(self.model)

    if not TYPE_CHECKING:

        @property
        def __class__(self) -> type:
            """Lerax's `env.render` asks for a renderer of its own class.

            That class brings JAX, which a renderer of MuJoCo's own states does without; and it
            cannot be told of others, since Equinox forbids `register`.
            """
            lerax = sys.modules.get("lerax.render.mujoco_renderer")
            if lerax is None:
                return HeadlessMujocoRenderer
            # Lerax 0.0.5 has no abstract one.
            return getattr(lerax, "AbstractMujocoRenderer", None) or lerax.MujocoRenderer

    def open(self) -> None:
        """Begin the clip, where there is one; a renderer that was closed can then be used again."""
        self._clip.open()
        if not self._release.alive:
            self._start()

    def draw(self) -> None:
        """Hand the picture painted last to `video`, if there is one."""
        self._clip.write(self.as_array)

    def as_array(self) -> np.ndarray:
        """The picture painted last.

        Returns:
            RGB, `uint8 (H, W, 3)`, row 0 on top, an array of its own.

        Raises:
            RuntimeError: Nothing has been painted, or the renderer is closed.
        """
        self._check_usable()
        self._check_painted()
        return self._pixels[::-1].copy()

    def render(self, state: State, decorate: _look.Decorate | None = None) -> np.ndarray:
        """Paint one state.

        A state whose positions are NaN or infinite cannot be painted: the last one that could is
        painted again. `Pose.is_finite` tells beforehand.

        Args:
            state: A `mujoco.MjData`, a single `mjx.Data`, or a `Pose`. It is only read, and
                positions derived from `qpos` need not be up to date in it.
            decorate: Called with the `mujoco.MjvScene` before it is drawn, to add to it.

        Returns:
            RGB, `uint8 (H, W, 3)`, row 0 on top, an array of its own.

        Raises:
            RuntimeError: The renderer is closed, or this is not the thread or process that made it.
            TypeError: `state` is none of these.
            ValueError: `state` is not a single state of this renderer's model.
        """
        return self.paint(state, decorate).copy()

    def paint(self, state: State, decorate: _look.Decorate | None = None) -> np.ndarray:
        """Paint one state as `render` does, without the copy, for frames that are consumed at once.

        Returns:
            RGB, `uint8 (H, W, 3)`, row 0 on top: a view, whose rows lie in memory from the bottom
            up, and which the next picture overwrites.
        """
        self._check_usable()
        self._loader.load(state)
        self._update_scene(self._scene, decorate=decorate)
        if self._plate is not None:
            self._plate.paint(self._pixels, self._canvas, self._update_scene, stands=self._stands)
        else:
            self._draw(self._pixels, None)
        self._painted = True
        return self._pixels[::-1]

    def _draw(self, colours: np.ndarray | None, depth: np.ndarray | None) -> None:
        with self._canvas.current():
            self._canvas.draw(self._scene, self._viewport)
            self._canvas.read(self._viewport, colours, depth)

    def read_pixels(self) -> tuple[np.ndarray, np.ndarray]:
        """The picture painted last, with its depth.

        Returns:
            RGB, `uint8 (H, W, 3)`, and depth, `float32 (H, W)`: metres from the camera's plane to
            what each pixel shows, and the far plane's distance where it shows nothing. Row 0 is on
            top in both.

        Raises:
            RuntimeError: Nothing has been painted, or as for `render`.
        """
        return self.as_array(), self.depth()

    def eye(self) -> np.ndarray:
        """Where the camera stands for the state loaded last, x, y, z in metres, `(3,)`."""
        data = self._loader.data
        camera = mujoco.mjv_camera2GLCamera(self.model, data, self._rig.at(data))
        return np.array(camera.pos)

    @property
    def far(self) -> float:
        """The far plane's distance of the picture painted last, in metres."""
        return float(np.float32(self._scene.camera[0].frustum_far))

    def depth(self) -> np.ndarray:
        """Metres from the camera's plane to what each pixel of the last picture shows.

        Returns:
            `float32 (H, W)`, row 0 on top; the far plane's distance where there is nothing.

        Raises:
            RuntimeError: Nothing has been painted, or as for `render`.
        """
        depth = np.empty((self.height, self.width), np.float32)
        self._draw_flat(None, depth)
        return _look.metres(depth[::-1], self._scene.camera[0])

    def segmentation(self) -> np.ndarray:
        """What each pixel of the picture painted last shows.

        Returns:
            `int32 (H, W, 2)`: the object's number, and its type as in `mujoco.mjtObj`; -1 and -1
            for the background. Row 0 is on top.

        Raises:
            RuntimeError: Nothing has been painted, or as for `render`.
        """
        colours = np.empty((self.height, self.width, 3), np.uint8)
        self._draw_flat(colours, None)
        return _look.objects(colours[::-1], self._scene)

    def close(self) -> None:
        """Free the GL context, and end the clip. It may be called twice, and from any thread."""
        self._release()
        self._clip.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._clip.end(kind, error, traceback)
        self.close()

    def _update_scene(
        self,
        scene: mujoco.MjvScene,
        categories: int = mujoco.mjtCatBit.mjCAT_ALL.value,
        decorate: _look.Decorate | None = None,
    ) -> None:
        data = self._loader.data
        camera = self._rig.at(data)
        # An endless floor is laid out around the camera that the scene knows: without this, the
        # previous picture's, and pixels would depend on what was painted before.
        mujoco.mjv_updateCamera(self.model, data, camera, scene)
        mujoco.mjv_updateScene(self.model, data, self._options, None, camera, categories, scene)
        self._rig.draw_from_near(scene.camera)
        if scene.ngeom >= scene.maxgeom and not self._crowded:
            self._crowded = True
            text = "the picture shows only the first %d shapes; raise max_geom"
            _logger.warning(text, scene.maxgeom)
        if decorate is not None:
            _look.blank(scene, self._written)
            self._written = 0
            decorate(scene)
        self._backdrop.dress(scene, data)
        self._written = max(self._written, scene.ngeom)
        self._shadows.adjust(scene, self._drawing, data)

    def _draw_flat(self, colours: np.ndarray | None, depth: np.ndarray | None) -> None:
        """Draw the scene in colours that number its shapes, and read those or the depth.

        Depth comes from here too: in the shaded picture, the sky is a wall with a depth of its own,
        and antialiasing mixes the depths at edges.
        """
        self._check_usable()
        self._check_painted()
        with _look.flat(self._scene):
            self._draw(colours, depth)

    def _check_painted(self) -> None:
        if not self._painted:
            raise RuntimeError("nothing has been painted yet: call render(state) first")

    def _check_usable(self) -> None:
        if not self._release.alive:
            raise RuntimeError("this renderer is closed; make a new one")
        if self._owner != (os.getpid(), threading.get_ident()):
            raise RuntimeError(
                "a renderer is used on the thread, and in the process, that made it; "
                "make one for each"
            )


def _options(wish: mujoco.MjvOption | Mapping[int, bool] | None) -> mujoco.MjvOption:
    if isinstance(wish, mujoco.MjvOption):
        return wish
    options = mujoco.MjvOption()
    for flag, shown in (wish or {}).items():
        options.flags[int(flag)] = shown
    return options


def _checked_side(name: str, side: object, most: int) -> int:
    number: int = checked(name, Annotated[int, between(1, most, "pixels")], side)
    return number
