"""What a user may choose about the recordings of a run."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from lerax_render.settings import Settings

from ..traced import Report

type RecordWhen = Literal["always", "best"] | Callable[[dict[str, float]], bool]


@dataclass(frozen=True)
class VideoOptions:
    """When and how a run is recorded.

    Attributes:
        interval: Iterations from one recording to the next.
        clip: What clips look like: `steps`, `fps`, `overlay`, `grid` and the picture.
        keep: Whether replays, and clips as MP4 files, are kept in the run's folder.
        record_when: Which of the recordings that are due are made.
        time_limit: Seconds that a recording may take.
        policies: Whether the policy's parameters are kept, too.
        most_bytes: Of all that is kept.
        block: Whether each is painted before the next.
        finish_seconds: How long painting may go on when the run is closed.
    """

    interval: int
    clip: Settings
    keep: bool = True
    record_when: RecordWhen = "always"
    time_limit: float = float("inf")
    policies: bool = False
    most_bytes: float = float("inf")
    block: bool = False
    finish_seconds: float = float("inf")

    def is_due(self, report: Report) -> bool:
        """Whether a recording of this iteration is due."""
        return report.iteration % self.interval == 0 or report.iteration == report.last_iteration
