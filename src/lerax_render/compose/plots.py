"""Curves beside the picture that grow as the clip plays: rewards, observations, actions, states."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from ..replay import Replay
from .curves import limits
from .quantities import Quantity, find_quantity, sizes_in, values_of
from .sheet import DARK, LIGHT, Curves, Drawn, Look, Sheet
from .text import write

# Clips at least this wide, against their height, have their plots at the right, and others below;
# and the share that these take.
_WIDE = 1.5
_RIGHT = 0.36
_BELOW, _BELOW_EACH, _BELOW_MOST = 0.16, 0.14, 0.5
# Of an axis that turns out too short, against its new length.
_ROOM_TO_GROW = 0.25
# A dot at the end of a curve, against the curve's width.
_DOT = 2.2


class Plots:
    """Puts plots beside the frames of one clip.

    Args:
        texts: What each plot shows, such as `return` or `obs[3]`, top to bottom.
        width: Of the clip in pixels.
        height: Of the clip in pixels.
        start: The first step that is shown.
        stop: The one after the last.
        seconds_per_step: `None` where time has no unit; then the steps are counted.
        lanes: How many rollouts there are; where there are several, each has a curve.
        labels: What they are called, or nothing.

    Attributes:
        picture_width: Of what is left for the picture, in pixels.
        picture_height: Of what is left for the picture, in pixels.
        taken: How many steps are known.

    Raises:
        ValueError: There is no room for so many plots.
    """

    def __init__(
        self,
        texts: Sequence[str],
        width: int,
        height: int,
        *,
        start: int,
        stop: int,
        seconds_per_step: float | None = None,
        lanes: int = 1,
        labels: Sequence[str] = (),
    ) -> None:
        self._texts = texts
        self._size = (height, width)
        self._start = start
        # An axis has two ends.
        self._steps = max(1, stop - 1 - start)
        self._unit = "steps" if seconds_per_step is None else "s"
        self._scale = seconds_per_step or 1.0
        self._lanes = lanes
        self._labels = labels or [str(number + 1) for number in range(lanes)]
        if width >= _WIDE * height:
            sheet = height, round(width * _RIGHT)
            self.picture_width, self.picture_height = width - sheet[1], height
        else:
            share = min(_BELOW_MOST, _BELOW + _BELOW_EACH * len(texts))
            sheet = round(height * share), width
            self.picture_width, self.picture_height = width, height - sheet[0]
        self._sheet = Sheet(*sheet, len(texts), height)
        if not self._sheet.has_room:
            raise ValueError(
                f"plot: a picture of {width}x{height} pixels has no room for {len(texts)} "
                f"plot{'s' * (len(texts) > 1)}"
            )
        self.taken = 0
        self._quantities: list[Quantity] = []
        self._axes: list[_Axis] = []
        self._values: list[np.ndarray] = []
        self._starts = [np.zeros(0, int)] * lanes
        self._look: Look | None = None
        self._drawn: Drawn | None = None
        self._is_stale = False
        self._picture = self._shown = np.zeros(0, np.uint8)
        self._revealed = 0

    def take(self, lanes: Sequence[Replay]) -> None:
        """Take note of the next steps, before they are shown; equally many in each lane.

        Raises:
            ValueError: They have not the numbers that were asked for.
        """
        if not self.taken:
            sizes = sizes_in(lanes[0])
            self._quantities = [find_quantity(text, sizes, self._lanes) for text in self._texts]
            self._tell = [values_of(self._quantities) for _ in lanes]
            self._axes = [_Axis() for _ in self._texts]
        told = [tell(lane) for tell, lane in zip(self._tell, lanes, strict=True)]
        new = [np.concatenate(each, axis=1) for each in zip(*told, strict=True)]
        before = max(0, self._start - self.taken)
        new = [values[before:] for values in new]
        for axis, values in zip(self._axes, new, strict=True):
            axis.show(values)
        self._values = (
            [np.concatenate(pair) for pair in zip(self._values, new, strict=True)]
            if self._values
            else new
        )
        for number, lane in enumerate(lanes):
            if lane.episode_starts is not None:
                starts = np.flatnonzero(lane.episode_starts) + self.taken - self._start
                self._starts[number] = np.append(self._starts[number], starts[starts > 0])
        self.taken += lanes[0].steps
        self._is_stale = True

    def beside(self, frame: np.ndarray, step: int) -> np.ndarray:
        """Return a frame with the plots up to its step beside it, valid until the next one is.

        Args:
            frame: `uint8 (picture_height, picture_width, C)`, R G B or B G R X.
            step: Its number, from the first step of the clip.
        """
        shown = step - self._start
        # Of many steps in one column of pixels, the curves are drawn anew for the first.
        if self._drawn is None or (self._is_stale and self._edge(shown) > self._revealed):
            self._draw(frame)
        drawn, edge = self._drawn, self._edge(shown)
        assert drawn is not None
        assert self._look is not None
        radius = _DOT * self._sheet.radius
        # All that changes lies between the last dots and these, which hide the cut of the curves. A
        # clip that goes back hides them again.
        reach = int(radius) + 2
        low, high = sorted((self._revealed, edge))
        seen = drawn.whole if edge > self._revealed else drawn.empty
        self._shown[:, low:high] = seen[:, low:high]
        changed = slice(max(0, low - reach), high + reach if self._revealed else None)
        self._revealed = edge
        height, width = frame.shape[:2]
        self._picture[:height, :width] = frame
        sheet = self._picture[:, width:] if width < self._size[1] else self._picture[height:]
        sheet[:, changed] = self._shown[:, changed]
        x = drawn.left + 0.5 + shown * drawn.width / self._steps
        for values, axis, top in zip(self._values, self._axes, self._sheet.tops, strict=True):
            for value, colour in zip(values[shown].tolist(), self._look.curves, strict=False):
                if value == value:
                    y = top + axis.share_above(value) * self._sheet.height
                    _put_dot(sheet, x, y, radius, colour)
        return self._picture

    def _edge(self, shown: int) -> int:
        """Return the column at which the curves end in a picture."""
        if self._drawn is None:
            return 0
        return self._drawn.left + 1 + shown * self._drawn.width // self._steps

    def mark(self, tile: np.ndarray, lane: int) -> None:
        """Mark a rollout with the colour of its curve, in the upper right corner, in place."""
        side, gap = self._sheet.pixels, self._sheet.pixels // 2
        square = tile[gap : gap + side, -gap - side : -gap]
        square[..., :3] = self._look_beside(tile).curves[lane]
        square[..., 3:] = 255

    def _look_beside(self, frame: np.ndarray) -> Look:
        """Return the colours, as light or dark as the clip's first picture."""
        if self._look is None:
            look = LIGHT if frame[::8, ::8, :3].mean() > 127 else DARK
            self._look = look.in_order(frame.shape[2])
        return self._look

    def _draw(self, frame: np.ndarray) -> None:
        look, channels = self._look_beside(frame), frame.shape[2]
        plots = [
            Curves(
                quantity.text,
                self._labels if self._lanes > 1 else quantity.numbers,
                values,
                axis.fitted(),
                self._starts,
            )
            for quantity, values, axis in zip(
                self._quantities, self._values, self._axes, strict=True
            )
        ]
        times = self._start * self._scale, (self._start + self._steps) * self._scale
        self._drawn = self._sheet.draw(plots, times, self._unit, self._steps, look, channels)
        if not self._picture.size:
            self._picture = np.empty((*self._size, channels), np.uint8)
        self._shown, self._revealed, self._is_stale = self._drawn.empty.copy(), 0, False


class _Axis:
    """Shows all numbers so far: just so at first, and with room where it has to grow."""

    def __init__(self) -> None:
        self._low, self._high = np.inf, -np.inf
        self._ends: tuple[float, float] | None = None

    def show(self, values: np.ndarray) -> None:
        """Take note of more numbers; NaN is none."""
        self._low = np.fmin.reduce(values, axis=None, initial=self._low)
        self._high = np.fmax.reduce(values, axis=None, initial=self._high)

    def fitted(self) -> tuple[float, float]:
        """Return where it begins and ends now."""
        if not self._low <= self._high:
            return 0.0, 1.0
        if self._ends is None:
            self._ends = limits(self._low, self._high)
            return self._ends
        low, high = self._ends
        room = _ROOM_TO_GROW * (max(high, self._high) - min(low, self._low))
        self._ends = (
            low if low <= self._low else self._low - room,
            high if high >= self._high else self._high + room,
        )
        return self._ends

    def share_above(self, value: float) -> float:
        """Return how much of the axis lies above a value, 0..1."""
        low, high = self._ends or (0.0, 1.0)
        return min(1.0, max(0.0, (high - value) / (high - low)))


def _put_dot(area: np.ndarray, x: float, y: float, radius: float, colour: Sequence[int]) -> None:
    """Draw a dot on `uint8 (H, W, C)`, in place, at a quarter of a pixel."""
    (left, right), (top, down) = divmod(round(4 * x), 4), divmod(round(4 * y), 4)
    mask = _dot(right, down, radius)
    reach = len(mask) // 2
    write(area[top - reach :, left - reach :, :3], mask, colour)


@lru_cache(maxsize=64)
def _dot(right: int, down: int, radius: float) -> np.ndarray:
    """Return a dot's coverage; its centre is so many quarters into the middle pixel."""
    reach = int(radius) + 2
    along = np.arange(-reach, reach + 1) + 0.5
    distance = np.hypot(along - right / 4, along[:, None] - down / 4)
    mask: np.ndarray = np.clip(radius + 0.5 - distance, 0, 1).astype(np.float32)
    return mask
