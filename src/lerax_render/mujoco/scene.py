"""What stays the same in a MuJoCo episode: the model."""

import contextlib
import copy
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, override

import numpy as np

from ..painter import CutOutPainter, Painter
from ..scene import Scene, Things
from ..settings import Camera, LightName, Picture, PixelFormat

if TYPE_CHECKING:
    import mujoco

    from ..video import VideoWriter
    from .aim import View
    from .pose import Pose
    from .renderer import HeadlessMujocoRenderer


@dataclass(frozen=True, eq=False)
class MujocoScene(Scene):
    """A MuJoCo model; what is captured of a step is a `Pose`.

    Attributes:
        model: The model.
    """

    shares_painter: ClassVar[bool] = True

    model: "mujoco.MjModel"

    @override
    def painter(
        self, picture: Picture, *, pixel_format: PixelFormat = "rgb24", workers: int = 1
    ) -> Painter:
        """Open a painter, with a GL context of its own for each camera.

        Raises:
            ValueError, TypeError: The model has no such camera, or there is no such quality.
            BackendUnavailableError: No GL platform works here.
        """
        return self.painter_with((), picture, pixel_format=pixel_format, workers=workers)

    @override
    def painter_with(
        self,
        ghosts: Sequence[Scene],
        picture: Picture,
        *,
        pixel_format: PixelFormat = "rgb24",
        workers: int = 1,
    ) -> Painter:
        from .tiles import TiledPainter, looks_of

        models = [ghost.model for ghost in ghosts if isinstance(ghost, MujocoScene)]
        if len(models) < len(ghosts):
            raise ValueError(
                "the ghost is in 2D, or paints its own pictures, and this is a MuJoCo model: a "
                "ghost is of the same kind"
            )
        if models and picture.quality == "cinematic":
            raise ValueError("quality='cinematic' has no ghosts: take another quality")
        looks = looks_of(self.model, picture)
        paints = functools.partial(self._painter_of, workers=workers, ghosts=models)
        with contextlib.ExitStack() as stack:
            painters = [stack.enter_context(paints(look.picture)) for look in looks]
            stack.pop_all()
        return painters[0] if len(looks) == 1 else TiledPainter(painters, looks, picture.size)

    def _painter_of(
        self, picture: Picture, workers: int, ghosts: "Sequence[mujoco.MjModel]"
    ) -> Painter:
        """Open a painter for one camera."""
        from .painter import PosePainter

        if not picture.is_transparent:
            return PosePainter(self.model, picture, workers, ghosts=ghosts)
        with contextlib.ExitStack() as stack:
            on_black, on_white = (
                stack.enter_context(PosePainter(self.model, each, workers, ghosts=ghosts))
                for each in self.on_black_and_white(picture)
            )
            stack.pop_all()
        return CutOutPainter(on_black, on_white)

    def on_black_and_white(self, picture: Picture) -> tuple[Picture, Picture]:
        """Return the two pictures that one with a transparent background is made of."""
        from .backdrop import has_light

        light: LightName = picture.light or ("as-is" if has_light(self.model) else "studio")
        lit = replace(picture, light=light)
        return replace(lit, background="black"), replace(lit, background="white")

    @override
    def measuring(self, picture: Picture) -> Painter:
        from .painter import PosePainter
        from .tiles import looks_of

        (look,) = looks_of(self.model, picture)
        return PosePainter(self.model, look.picture, measures=True)

    @override
    def things(self) -> Things:
        from .modality import things_of

        return things_of(self.model)

    @override
    def renderer(self, picture: Picture, video: "VideoWriter | None") -> "HeadlessMujocoRenderer":
        """Open a renderer of the model.

        Raises:
            ValueError, TypeError: As for `HeadlessMujocoRenderer`.
            BackendUnavailableError: Likewise.
        """
        from .renderer import HeadlessMujocoRenderer

        return HeadlessMujocoRenderer(
            self.model,
            *picture.size,
            camera=picture.camera,
            quality=picture.quality,
            video=video,
            background=picture.background,
            light=picture.light,
        )

    @property
    @override
    def state_sizes(self) -> Mapping[str, int]:
        model = self.model
        return {
            "qpos": model.nq,
            "qvel": model.nv,
            "act": model.na,
            "ctrl": model.nu,
            "mocap_pos": 3 * model.nmocap,
            "mocap_quat": 4 * model.nmocap,
            "xfrc_applied": 6 * model.nbody,
        }

    @override
    def state(self, captured: "Pose", name: str) -> np.ndarray:
        numbers: np.ndarray = getattr(captured, name)
        return numbers.reshape(len(numbers), -1)

    @override
    def kept(self) -> "MujocoScene":
        return MujocoScene(copy.copy(self.model))

    @override
    def between(self, captured: "Pose", places: np.ndarray, starts: np.ndarray | None) -> "Pose":
        from .pose import poses_between

        return poses_between(self.model, captured, places, starts)

    @override
    def aimed(
        self,
        picture: Picture,
        captured: "Pose",
        *,
        before: Any | None = None,
        goes_on: bool = False,
        stands: bool = False,
    ) -> "View | tuple[View | None, ...]":
        """Return the view of the camera; of several a tuple, `None` for those that were given."""
        from .tiles import looks_of

        looks = [look.picture for look in looks_of(self.model, picture)]
        if len(looks) == 1:
            return self._aimed(looks[0], captured, before, goes_on, stands)
        earlier = before or [None] * len(looks)
        return tuple(
            self._aimed(look, captured, each, goes_on, stands)
            if _is_left_open(look.camera)
            else None
            for look, each in zip(looks, earlier, strict=True)
        )

    def _aimed(
        self,
        picture: Picture,
        captured: "Pose",
        before: "View | None",
        goes_on: bool,
        stands: bool,
    ) -> "View":
        from .aim import frame
        from .backdrop import lowest_over

        width, height = picture.size
        camera = picture.camera if isinstance(picture.camera, Camera) else None
        view = frame(
            self.model,
            captured,
            camera,
            width / height,
            before=before,
            goes_on=goes_on,
            stands=stands,
        )
        lowest = lowest_over(self.model, picture.background, captured)
        return replace(view, lowest=lowest if before is None else min(lowest, before.lowest))

    @override
    def looks_ahead(self, picture: Picture) -> bool:
        return any(map(_is_left_open, picture.cameras))


def _is_left_open(camera: Any) -> bool:
    """Whether something of a camera is chosen by what happens in the clip."""
    if isinstance(camera, Camera):
        pointed = camera.lookat is not None or camera.track is not None
        return not pointed or None in (camera.azimuth, camera.elevation, camera.distance)
    return camera is None
