"""What plots are drawn on: the axes with their numbers, and the whole curves."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .curves import coverage, ticks
from .text import text_mask, write

type Rgb = tuple[int, int, int]


@dataclass(frozen=True)
class Look:
    """The colours of plots.

    Attributes:
        paper: What they are drawn on.
        line: At a number of an axis.
        episode: Between episodes.
        number: Along an axis, and beside a curve.
        word: Above a plot.
        curves: In this order.
    """

    paper: Rgb
    line: Rgb
    episode: Rgb
    number: Rgb
    word: Rgb
    curves: tuple[Rgb, ...]

    def in_order(self, channels: int) -> "Look":
        """Return them as frames of so many channels have them, R G B or B G R X."""
        if channels == 3:
            return self
        return Look(
            _reversed(self.paper),
            _reversed(self.line),
            _reversed(self.episode),
            _reversed(self.number),
            _reversed(self.word),
            tuple(map(_reversed, self.curves)),
        )


def _reversed(colour: Rgb) -> Rgb:
    red, green, blue = colour
    return blue, green, red


# The curves' were searched for near Okabe and Ito's: any two look different (14 in CIEDE2000) to
# the colour-blind of each kind, too, and all stand out from the paper (3 to 1).
LIGHT = Look(
    (255, 255, 255),
    (226, 226, 226),
    (160, 160, 160),
    (96, 96, 96),
    (32, 32, 32),
    (
        (28, 84, 206),
        (183, 68, 8),
        (8, 131, 86),
        (164, 127, 167),
        (40, 40, 40),
        (113, 138, 255),
        (217, 125, 0),
        (146, 147, 140),
    ),
)
DARK = Look(
    (28, 28, 30),
    (62, 62, 66),
    (112, 112, 116),
    (170, 170, 170),
    (230, 230, 230),
    (
        (56, 195, 255),
        (201, 173, 0),
        (15, 154, 110),
        (238, 105, 178),
        (234, 255, 140),
        (182, 67, 29),
        (255, 226, 243),
        (103, 105, 114),
    ),
)

# Of the height of the whole picture.
_TEXT, _LEAST_TEXT = 1 / 34, 11
_RADIUS, _LEAST_RADIUS = 1 / 500, 0.75
# In pixels: lines between shorter episodes would hide the curves.
_LEAST_EPISODE = 12
# Along an axis.
_MOST_TIMES, _MOST_VALUES = 8, 5
# A curve higher than this, against its width, would look steeper than it is.
_STEEPEST = 0.75


@dataclass(frozen=True)
class Curves:
    """What one plot shows.

    Attributes:
        title: Above it.
        labels: A text for each curve; none where there is one.
        values: `float (T, n)`, NaN where there is nothing to show.
        axis: Its lower and its upper end.
        starts: The steps after the first that begin an episode: of each curve, or of all.
    """

    title: str
    labels: Sequence[str]
    values: np.ndarray
    axis: tuple[float, float]
    starts: Sequence[np.ndarray]


@dataclass(frozen=True)
class Drawn:
    """Plots as they are before the clip begins, and as they are when it is over.

    Attributes:
        empty: `uint8 (H, W, C)`, without curves.
        whole: `uint8 (H, W, C)`, with all of them.
        left: Where the first step lies, in pixels from the left edge.
        width: How many pixels further the last one lies.
    """

    empty: np.ndarray
    whole: np.ndarray
    left: int
    width: int


class Sheet:
    """Room for plots one above the other.

    Args:
        height: In pixels.
        width: In pixels.
        count: How many plots there are.
        picture_height: Of the whole picture, which texts and lines are measured by.

    Attributes:
        pixels: Size of the texts.
        radius: Half the width of a curve in pixels.
        tops: Where each plot's curves begin, in pixels from the upper edge.
        height: How high these are.
        has_room: Whether something can be seen in so many plots.
    """

    def __init__(self, height: int, width: int, count: int, picture_height: int) -> None:
        self._size = (height, width)
        self.pixels = max(_LEAST_TEXT, round(picture_height * _TEXT))
        self._line = text_mask(" ", self.pixels).shape[0]
        self._gap = self.pixels // 2
        self.radius = max(_LEAST_RADIUS, picture_height * _RADIUS)
        # A line of words above each plot, and one of numbers below the last.
        each = (height - self._line - 2 * self._gap) // count - self._line - self._gap // 2
        self.height = min(each, round(_STEEPEST * width))
        pitch = self.height + self._line + self._gap // 2
        top = self._line + (height - self._line - count * pitch) // 2
        self.tops = [top + number * pitch for number in range(count)]
        self.has_room = self.height >= self._line and width >= 12 * self.pixels

    def draw(
        self,
        plots: Sequence[Curves],
        times: tuple[float, float],
        unit: str,
        steps: int,
        look: Look,
        channels: int,
    ) -> Drawn:
        """Draw plots.

        Args:
            plots: From top to bottom.
            times: Of the first and of the last step of the clip.
            unit: What these are in.
            steps: How many steps lie between the two.
            look: The colours, in the order of the picture's channels.
            channels: Of the picture.
        """
        least = max(0.85 * self._line / self.height, 1 / _MOST_VALUES)
        numbers = [ticks(*plot.axis, least * (plot.axis[1] - plot.axis[0])) for plot in plots]
        texts = [text for each in numbers for _, text in each]
        widest = max((text_mask(text, self.pixels).shape[1] for text in texts), default=0)
        left = self._gap + widest + self._gap // 2
        width = self._size[1] - left - 2 * self._gap
        paper = np.full((*self._size, channels), 255, np.uint8)
        paper[..., :3] = look.paper
        self._number_times(paper, left, width, times, unit, look)
        for plot, top, each in zip(plots, self.tops, numbers, strict=True):
            self._number_values(paper, top, left, width, plot.axis, each, look)
            self._name(paper, top, left, plot, look)
        whole = paper.copy()
        for plot, top in zip(plots, self.tops, strict=True):
            area = whole[top : top + self.height, left : left + width + 1, :3]
            self._draw_curves(area, plot, steps, look)
        return Drawn(paper, whole, left, width)

    def _draw_curves(self, area: np.ndarray, plot: Curves, steps: int, look: Look) -> None:
        (low, high), (height, width) = plot.axis, area.shape[:2]
        y = (high - plot.values) / (high - low) * height
        pitch = (width - 1) / steps
        x = np.arange(len(y)) * pitch + 0.5
        if len(plot.starts) == 1 and len(plot.starts[0]) * _LEAST_EPISODE <= width:
            area[:, (x[plot.starts[0]] - pitch / 2).astype(int)] = look.episode
        for number, colour in zip(range(y.shape[1]), look.curves, strict=False):
            starts = plot.starts[number % len(plot.starts)]
            # Nothing leads from the end of an episode to the beginning of the next.
            along = np.insert(x, starts, x[starts] - pitch / 2)
            down = np.insert(y[:, number], starts, np.nan)
            write(area, coverage(along, down, width, height, self.radius), colour)

    def _number_times(
        self,
        paper: np.ndarray,
        left: int,
        width: int,
        times: tuple[float, float],
        unit: str,
        look: Look,
    ) -> None:
        """Draw what all plots share: their times, with the unit at the last one."""
        first, last = times
        least = max(4 * self.pixels / width, 1 / _MOST_TIMES)
        marks = ticks(first, last, least * (last - first))
        top, right = self.tops[-1] + self.height + self._gap // 2, self._size[1]
        for number, (time, text) in reversed(list(enumerate(marks))):
            x = left + round((time - first) / (last - first) * width)
            for above in self.tops:
                paper[above : above + self.height, x, :3] = look.line
            is_last = number == len(marks) - 1
            mask = text_mask(f"{text} {unit}" if is_last else text, self.pixels)
            begin = x - text_mask(text, self.pixels).shape[1] // 2
            begin = max(left - self._gap // 2, min(begin, right - mask.shape[1] - 1))
            if begin + mask.shape[1] < right or is_last:
                write(paper[top:, begin:, :3], mask, look.number)
                right = begin - self._gap

    def _number_values(
        self,
        paper: np.ndarray,
        top: int,
        left: int,
        width: int,
        axis: tuple[float, float],
        marks: Sequence[tuple[float, str]],
        look: Look,
    ) -> None:
        low, high = axis
        for value, text in marks:
            y = top + min(round((high - value) / (high - low) * self.height), self.height - 1)
            paper[y, left : left + width + 1, :3] = look.line
            mask = text_mask(text, self.pixels)
            begin = max(0, y - mask.shape[0] // 2)
            end = left - self._gap // 2
            write(paper[begin:, end - mask.shape[1] : end, :3], mask, look.number)

    def _name(self, paper: np.ndarray, top: int, left: int, plot: Curves, look: Look) -> None:
        """Write what a plot shows, and what each curve is called."""
        row = paper[top - self._line : top, :, :3]
        mask = text_mask(plot.title, self.pixels)
        write(row[:, left:], mask, look.word)
        begin = left + mask.shape[1] + self._gap
        middle, dash = self._line // 2, self.pixels
        thick = max(2, round(2 * self.radius))
        curves = list(zip(plot.labels, look.curves, strict=False))
        for number, (label, colour) in enumerate(curves):
            mask = text_mask(label, self.pixels)
            end = begin + dash + self._gap // 2 + mask.shape[1]
            # Unless it is the last one, there must be room left to say how many are not named.
            left_out = text_mask(f"+{len(curves) - number} more", self.pixels)
            rest = 0 if number == len(curves) - 1 else self._gap + left_out.shape[1]
            if end + rest > row.shape[1]:
                if begin + left_out.shape[1] <= row.shape[1]:
                    write(row[:, begin:], left_out, look.number)
                return
            row[middle - thick // 2 :, begin : begin + dash][:thick] = colour
            begin = end + self._gap
            write(row[:, end - mask.shape[1] :], mask, look.number)
