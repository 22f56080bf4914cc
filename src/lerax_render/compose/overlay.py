"""Text on frames: what step this is, what was earned, where an episode ended."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..acting import Rollout
from ..paint2d import pygame, render_text

type Line = str | Callable[[StepInfo], str]

# The text is as high as this share of the picture, but never less than can be read.
_TEXT_HEIGHT = 1 / 22
_LEAST_PIXELS = 11
# Light text on a dark veil can be read on any picture, and the picture can still be seen behind it.
# On white, this leaves a contrast of 8.6 to 1.
_VEIL = 0.7
_END_COLOUR = (235, 64, 52)
_END_HEIGHT = 1 / 90
# A single frame would be over before it is seen.
_END_SECONDS = 0.3


@dataclass(frozen=True)
class StepInfo:
    """What an overlay knows about one frame.

    Attributes:
        step: Frames since the clip began, from 0.
        time: Seconds since the clip began, as the clip plays.
        reward: The reward for arriving in this state; 0 in an episode's first.
        episode_return: The sum of rewards of the episode so far.
        episode: Number of the episode, from 1.
        ends: Whether the episode ends in this state.
    """

    step: int
    time: float
    reward: float
    episode_return: float
    episode: int
    ends: bool


LINES: dict[str, Callable[[StepInfo], str]] = {
    "step": lambda info: f"step {info.step}",
    "time": lambda info: f"time {info.time:.2f} s",
    "reward": lambda info: f"reward {info.reward:.3g}",
    "return": lambda info: f"return {info.episode_return:.5g}",
    "episode": lambda info: f"episode {info.episode}",
}
DEFAULT_LINES = ("step", "return", "episode")


class Overlay:
    """Writes on the frames of one clip.

    Args:
        lines: What to write, a name or several, top to bottom: `"step"`, `"time"`, `"reward"`,
            `"return"`, `"episode"`, or functions from `StepInfo` to text. `True` stands for
            `DEFAULT_LINES`.
        height: Of the frames in pixels; the text is scaled with it.
        fps: Frames a second.

    Raises:
        ValueError: A line's name is unknown.
        TypeError: A line is neither a name nor a function.
    """

    def __init__(self, lines: bool | Sequence[Line], height: int, fps: float) -> None:
        if isinstance(lines, str):
            lines = (lines,)
        self._lines = [_line(line) for line in (DEFAULT_LINES if lines is True else lines or ())]
        self._pixels = max(_LEAST_PIXELS, round(height * _TEXT_HEIGHT))
        self._mark = max(2, round(height * _END_HEIGHT))
        self._marked_frames = max(1, round(_END_SECONDS * fps))
        self._since_end = self._marked_frames
        self._width = 0

    def draw(self, frame: np.ndarray, info: StepInfo) -> np.ndarray:
        """Return a copy of a frame with the overlay on it.

        Args:
            frame: `uint8 (H, W, C)`, R G B or B G R X.
            info: About this frame; frames come in order.

        Raises:
            TypeError: A function among the lines returned something else than text.
        """
        frame = frame.copy()
        self._since_end = 0 if info.ends else self._since_end + 1
        if self._since_end < self._marked_frames:
            colour = _END_COLOUR if frame.shape[2] == 3 else _END_COLOUR[::-1]
            frame[: self._mark, :, :3] = colour
        texts = [_checked(line(info)) for line in self._lines]
        if any(texts):
            self._write(frame, "\n".join(texts))
        return frame

    def leave_out(self, info: StepInfo) -> None:
        """Take note of a step without a frame: the next frame marks the episode's end for it."""
        if info.ends:
            self._since_end = -1

    def _write(self, frame: np.ndarray, text: str) -> None:
        masks = [text_mask(line, self._pixels) for line in text.split("\n")]
        margin = self._pixels // 2
        # As wide as it ever was: a box that breathes with its numbers draws the eye.
        self._width = max(self._width, *(mask.shape[1] for mask in masks))
        box = frame[
            margin : margin + sum(mask.shape[0] for mask in masks) + margin,
            margin : margin + self._width + margin,
            :3,
        ]
        darken(box)
        top = margin // 2
        for mask in masks:
            write(box[top:, margin // 2 :], mask)
            top += mask.shape[0]


def step_infos(fps: float) -> Callable[[Rollout], Iterator[StepInfo]]:
    """Return a function that goes through a clip's chunks in order and tells about each step."""
    step, episode, total = 0, 0, 0.0

    def infos(chunk: Rollout) -> Iterator[StepInfo]:
        nonlocal step, episode, total
        for reward, terminated, truncated, starts in zip(
            chunk.rewards.tolist(),
            chunk.terminated.tolist(),
            chunk.truncated.tolist(),
            chunk.episode_starts.tolist(),
            strict=True,
        ):
            episode += starts
            total = reward if starts else total + reward
            info = StepInfo(step, step / fps, reward, total, episode, terminated or truncated)
            # Before the yield: after a chunk's last one nobody comes back.
            step += 1
            yield info

    return infos


def darken(area: np.ndarray) -> None:
    """Put a dark veil on `uint8 (H, W, 3)`, in place."""
    area[:] = area * (1 - _VEIL)


def write(area: np.ndarray, mask: np.ndarray) -> None:
    """Write a line of white text into the upper left corner of `uint8 (H, W, 3)`, in place.

    What does not fit in is cut off.
    """
    area = area[: mask.shape[0], : mask.shape[1]]
    mask = mask[: area.shape[0], : area.shape[1], None]
    area[:] = area + (255 - area) * mask


@lru_cache(maxsize=512)
def text_mask(text: str, pixels: int) -> np.ndarray:
    """Return a line of text as coverage, `float32 (h, w)` in 0..1; `h` depends on `pixels` alone.

    Args:
        text: The line.
        pixels: The font's size.
    """
    # From single characters: numbers change with every frame, and to open the font, which cannot be
    # kept (see `_glyph`), takes longer than to paint a whole frame.
    return np.hstack([_glyph(character, pixels) for character in text or " "])


@lru_cache(maxsize=1024)
def _glyph(character: str, pixels: int) -> np.ndarray:
    # Only the picture is kept: using a font after the program's next `pygame.quit()` is a crash.
    if not pygame.font.get_init():
        pygame.font.init()
    font = pygame.font.Font(None, round(pixels * 1.4))
    surface = render_text(font, character, (255, 255, 255))
    mask = pygame.surfarray.array_alpha(surface).T.astype(np.float32) / 255.0
    # Each picture is as high as its letter: "g" reaches below the height that the font claims, and
    # "Ä" above, which moves all of it down.
    headroom = max(1, pixels // 7)
    metrics = font.metrics(character if character.isprintable() else " ")[0]
    rise = max(0, metrics[3] - font.get_ascent()) if metrics else 0
    mask = mask[max(0, rise - headroom) :]
    top = max(0, headroom - rise)
    glyph = np.zeros((headroom + font.get_linesize(), mask.shape[1]), np.float32)
    glyph[top : top + len(mask)] = mask[: len(glyph) - top]
    return glyph


def _checked(text: str) -> str:
    if not isinstance(text, str):
        raise TypeError(f"an overlay's function must return text, got {text!r}")
    return text


def _line(line: Line) -> Callable[[StepInfo], str]:
    if callable(line):
        return line
    if not isinstance(line, str):
        raise TypeError(f"an overlay's line is a name or a function, got {line!r}")
    if line not in LINES:
        raise ValueError(f"no overlay line named {line!r}: there are {', '.join(LINES)}")
    return LINES[line]
