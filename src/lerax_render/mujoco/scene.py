"""What stays the same in a MuJoCo episode: the model."""

import contextlib
import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, override

from ..painter import Painter
from ..scene import Scene
from ..settings import Camera, Picture, PixelFormat

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
        from .painter import PosePainter
        from .tiles import TiledPainter, looks_of

        looks = looks_of(self.model, picture)
        if len(looks) == 1:
            return PosePainter(self.model, looks[0].picture, workers)
        with contextlib.ExitStack() as stack:
            painters = [
                stack.enter_context(PosePainter(self.model, look.picture, workers))
                for look in looks
            ]
            stack.pop_all()
        return TiledPainter(painters, looks, picture.size)

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
        )

    @override
    def kept(self) -> "MujocoScene":
        return MujocoScene(copy.copy(self.model))

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
