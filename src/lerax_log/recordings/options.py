"""What a user may choose about the videos of a run."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from lerax_render.settings import Picture

from ..traced import Report

type RecordWhen = Literal["always", "best"] | Callable[[dict[str, float]], bool]


@dataclass(frozen=True)
class ClipSettings:
    """What the clips of a run look like.

    Attributes:
        steps: Environment steps, one frame each.
        width: In pixels.
        height: In pixels.
        fps: Frames a second.
        camera: MuJoCo only, as for `lerax_render.record`.
        background: Likewise.
        overlay: Whether the training's step and the episode's return are written on the frames.
    """

    steps: int
    width: int
    height: int
    fps: float
    camera: Any | None
    background: str | None
    overlay: bool

    @property
    def picture(self) -> Picture:
        """What the frames look like."""
        return Picture(
            width=self.width,
            height=self.height,
            camera=self.camera,
            background=self.background,
        )


@dataclass(frozen=True)
class VideoOptions:
    """When and how a run is recorded.

    Attributes:
        interval: Iterations from one recording to the next.
        clip: What clips look like.
        keep: Whether clips are also kept as MP4 files in the run's folder.
        record_when: Which of the recordings that are due are made.
        time_limit: Seconds that a recording may take.
    """

    interval: int
    clip: ClipSettings
    keep: bool
    record_when: RecordWhen
    time_limit: float = float("inf")

    def is_due(self, report: Report) -> bool:
        """Whether a recording of this iteration is due."""
        return report.iteration % self.interval == 0 or report.iteration == report.last_iteration
