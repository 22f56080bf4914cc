"""Text on frames: what step this is, what was earned, where an episode ended."""

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..replay import Replay
from ..settings import LineName
from .text import LEAST_PIXELS, darken, text_mask, write

type Line = LineName | Callable[[StepInfo], str]

# The text is as high as this share of the picture, but never less than can be read.
_TEXT_HEIGHT = 1 / 22
_END_COLOUR = (235, 64, 52)
_END_HEIGHT = 1 / 90
# A single frame would be over before it is seen.
_END_SECONDS = 0.3


@dataclass(frozen=True)
class StepInfo:
    """What an overlay knows about one frame.

    Attributes:
        step: Steps since the clip began, from 0.
        time: Seconds since the clip began, as the clip plays.
        reward: The reward for arriving in this state; 0 in an episode's first, and NaN in a replay
            of given states, which tell nothing of rewards.
        episode_return: The sum of rewards of the episode in this clip so far; likewise.
        episode: Number of the episode, from 1.
        ends: Whether the episode ends in this state.
    """

    step: int
    time: float
    reward: float
    episode_return: float
    episode: int
    ends: bool


# Their names are also in `settings.picture.LineName`.
LINES: dict[str, Callable[[StepInfo], str]] = {
    "step": lambda info: f"step {info.step}",
    "time": lambda info: f"time {info.time:.2f} s",
    "reward": lambda info: f"reward {info.reward:.3g}",
    "return": lambda info: f"return {info.episode_return:.5g}",
    "episode": lambda info: f"episode {info.episode}",
}
DEFAULT_LINES = ("step", "return", "episode")
# Lines that a replay of given states has no answer for.
_OF_EPISODES = {"reward", "return", "episode"}


class Overlay:
    """Writes on the frames of one clip.

    Args:
        lines: What to write, a name or several, top to bottom: `"step"`, `"time"`, `"reward"`,
            `"return"`, `"episode"`, or functions from `StepInfo` to text. `True` stands for
            `DEFAULT_LINES`.
        height: Of the frames in pixels; the text is scaled with it.

    Raises:
        ValueError: A line's name is unknown.
        TypeError: A line is neither a name nor a function.
    """

    def __init__(self, lines: bool | Sequence[Line], height: int) -> None:
        given: Sequence[str | Callable[[StepInfo], str]]
        given = (
            (lines,) if isinstance(lines, str) else DEFAULT_LINES if lines is True else lines or ()
        )
        self._lines = [_line(line) for line in given]
        self._pixels = max(LEAST_PIXELS, round(height * _TEXT_HEIGHT))
        self._mark = max(2, round(height * _END_HEIGHT))
        self._width = 0

    def draw(self, frame: np.ndarray, info: StepInfo, is_end: bool = False) -> np.ndarray:
        """Return a copy of a frame with the overlay on it.

        Args:
            frame: `uint8 (H, W, C)`, R G B or B G R X.
            info: About this frame.
            is_end: Whether the end of an episode is marked.

        Raises:
            TypeError: A function among the lines returned something else than text.
        """
        frame = frame.copy()
        if is_end:
            colour = _END_COLOUR if frame.shape[2] == 3 else _END_COLOUR[::-1]
            frame[: self._mark, :, :3] = colour
            frame[: self._mark, :, 3:] = 255
        texts = [_checked(line(info)) for line in self._lines]
        if any(texts):
            self._write(frame, "\n".join(texts))
        return frame

    def _write(self, frame: np.ndarray, text: str) -> None:
        masks = [text_mask(line, self._pixels) for line in text.split("\n")]
        margin = self._pixels // 2
        # As wide as it ever was: a box that breathes with its numbers draws the eye.
        self._width = max(self._width, *(mask.shape[1] for mask in masks))
        box = frame[
            margin : margin + sum(mask.shape[0] for mask in masks) + margin,
            margin : margin + self._width + margin,
        ]
        darken(box)
        top = margin // 2
        for mask in masks:
            write(box[top:, margin // 2 :], mask)
            top += mask.shape[0]


def check_answers(lines: bool | Sequence[Line], replay: Replay) -> None:
    """Raise `ValueError` where lines ask for what a replay does not know."""
    if replay.rewards is not None or not lines:
        return
    named = DEFAULT_LINES if lines is True else (lines,) if isinstance(lines, str) else lines
    unknown = [line for line in named if isinstance(line, str) and line in _OF_EPISODES]
    if unknown:
        raise ValueError(
            f"the overlay has {' and '.join(unknown)}, and a replay captured from given states "
            "knows nothing of rewards and episodes; choose out of step, time and functions of yours"
        )


def step_infos(fps: float) -> Callable[[Replay], Iterator[StepInfo]]:
    """Return a function that goes through a clip's parts in order and tells about each step."""
    step, episode, total = 0, 0, 0.0

    def infos(part: Replay) -> Iterator[StepInfo]:
        nonlocal step, episode, total
        for reward, terminated, truncated, starts in _events(part):
            # The first episode of a part may have begun before it.
            episode += starts or episode == 0
            total = reward if starts else total + reward
            info = StepInfo(step, step / fps, reward, total, episode, terminated or truncated)
            # Before the yield: after a part's last one nobody comes back.
            step += 1
            yield info

    return infos


class FrameInfos:
    """Tells about the frames of one lane, part by part.

    Args:
        steps_a_second: Of the rollout.
        fps: Frames a second.
    """

    def __init__(self, steps_a_second: float, fps: float) -> None:
        self._tell = step_infos(steps_a_second)
        self._last: StepInfo | None = None
        self._marked_frames = max(1, round(_END_SECONDS * fps))
        self._since_end = self._marked_frames

    def of(self, part: Replay, steps: Iterable[int]) -> list[tuple[StepInfo, bool]]:
        """Return what is known about frames.

        Args:
            part: The next steps.
            steps: For each frame the step that was taken last, one of these or the one before.

        Returns:
            For each frame the step's, and whether the end of an episode is marked: in the state
            that ends it, or where that has no frame in the next one, and for a moment from then on.
        """
        infos, told = self._tell(part), []
        for step in steps:
            while self._last is None or self._last.step < step:
                self._take(next(infos))
            if self._last.ends:
                self._since_end = 0
            told.append((self._last, self._since_end < self._marked_frames))
            self._since_end += 1
        for info in infos:
            self._take(info)
        return told

    def _take(self, info: StepInfo) -> None:
        self._last = info
        if info.ends:
            self._since_end = 0


def _events(part: Replay) -> Iterator[tuple[float, bool, bool, bool]]:
    """Go through rewards, both kinds of ends, and starts; of given states nothing is known."""
    events = (part.rewards, part.terminated, part.truncated, part.episode_starts)
    known = [array.tolist() for array in events if array is not None]
    if len(known) == len(events):
        yield from zip(*known, strict=True)
    else:
        yield from itertools.repeat((math.nan, False, False, False), part.steps)


def _checked(text: str) -> str:
    if not isinstance(text, str):
        raise TypeError(f"an overlay's function must return text, got {text!r}")
    return text


def _line(line: str | Callable[[StepInfo], str]) -> Callable[[StepInfo], str]:
    if callable(line):
        return line
    if not isinstance(line, str):
        raise TypeError(f"an overlay's line is a name or a function, got {line!r}")
    if line not in LINES:
        raise ValueError(f"no overlay line named {line!r}: there are {', '.join(LINES)}")
    return LINES[line]
