"""The settings of a frame, made once and handed through whole.

A new setting of pictures is a field here, and the code that uses it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

DEFAULT_WIDTH, DEFAULT_HEIGHT = 640, 480
"""Size of a picture in pixels where nobody says otherwise."""

MAX_SIZE = 16_384
"""Largest width and height of a picture, in pixels."""

type QualityName = Literal["auto", "draft", "standard", "high", "cinematic"]
type PixelFormat = Literal["rgb24", "bgr0"]


@dataclass(frozen=True, kw_only=True)
class Picture:
    """What a frame looks like, whatever it shows."""

    width: int | None = None
    """Picture width in pixels, 1 to 16384 (default 640, or the preset's)."""

    height: int | None = None
    """Picture height in pixels, 1 to 16384 (default 480, or the preset's)."""

    camera: Any | None = None
    """MuJoCo only: a camera's name or number, or settings of a free camera (default: one that
    follows the robot)."""

    quality: QualityName = "auto"
    """MuJoCo only: how much work goes into a frame. cinematic needs Vulkan and, without a GPU,
    takes a second for every few frames."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return (
            DEFAULT_WIDTH if self.width is None else self.width,
            DEFAULT_HEIGHT if self.height is None else self.height,
        )


@dataclass(frozen=True, kw_only=True)
class Settings(Picture):
    """How a clip is made, whoever acts in it; `Clip` adds who does."""

    steps: int | None = None
    """Number of steps (default 256; of a replay, all)."""

    fps: float | Fraction | None = None
    """Frames a second, 0.01 to 1000 (default: real time, or 50 where the environment has no dt)."""

    format: Literal["mp4", "webm", "gif", "webp", "apng", "png"] | None = None
    """File format (default: by the output's suffix); png is a sequence of pictures."""

    deterministic: bool = False
    """Whether the policy takes its most likely action instead of a sampled one."""

    overlay: Any = False
    """Text on the frames: some of step, time, reward, return and episode (True: step, return and
    episode)."""

    grid: tuple[int, int] | None = None
    """Rows and columns of a picture with that many rollouts in it."""

    labels: Sequence[str] = ()
    """A text for each tile of the grid, row by row."""

    preset: Literal["docs", "readme", "social"] | None = None
    """Settings for a place: docs (a GIF, 480 wide, 20 fps, up to 10 MB), readme (the same up to
    1 MB) or social (an MP4, 1280x720)."""

    max_size: int | None = None
    """Size limit in bytes for the preset's GIF; it gets fewer frames, then smaller, then fewer
    colours until it fits."""

    workers: int = 1
    """MuJoCo without a GPU: number of processes that paint; the frames are the same."""
