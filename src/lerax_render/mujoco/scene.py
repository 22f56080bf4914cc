"""What stays the same in a MuJoCo episode: the model."""

import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, override

from ..scene import Scene
from ..settings import Camera, Picture, PixelFormat

if TYPE_CHECKING:
    import mujoco

    from ..video import VideoWriter
    from .aim import View
    from .painter import PosePainter
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
    ) -> "PosePainter":
        """Open a painter with a GL context of its own.

        Raises:
            ValueError, TypeError: The model has no such camera, or there is no such quality.
            BackendUnavailableError: No GL platform works here.
        """
        from .painter import PosePainter

        return PosePainter(self.model, picture, workers)

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
        before: "View | None" = None,
        goes_on: bool = False,
    ) -> "View":
        from .aim import frame
        from .backdrop import lowest_over

        width, height = picture.size
        camera = picture.camera if isinstance(picture.camera, Camera) else None
        view = frame(self.model, captured, camera, width / height, before=before, goes_on=goes_on)
        lowest = lowest_over(self.model, picture.background, captured)
        return replace(view, lowest=lowest if before is None else min(lowest, before.lowest))

    @override
    def looks_ahead(self, picture: Picture) -> bool:
        return _is_left_open(picture.camera)


def _is_left_open(camera: Any) -> bool:
    """Whether something of a camera is chosen by what happens in the clip."""
    if isinstance(camera, Camera):
        pointed = camera.lookat is not None or camera.track is not None
        return not pointed or None in (camera.azimuth, camera.elevation, camera.distance)
    return camera is None
