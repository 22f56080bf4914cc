"""Where on a page of a size in print each panel lies, and what is written beside it."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..settings import MAX_SIZE, MILLIMETRES_PER_INCH, FigureSettings
from .panels import weights
from .sheet import POINTS_PER_INCH, Box, Sheet

# Points: the height of a font, of its line, and what lies between panels and swatches.
FONT = 7.0
_LINE, _GAP, _SWATCH = 10.5, 3.0, 6.0
# Of a font's height, a letter's width; those of numbers are all the same.
_LETTER = 0.58
_USUAL_COLUMNS = 6
# Dots: a smaller panel shows nothing.
_LEAST = 16


class Page(NamedTuple):
    """A page's plan, in dots.

    Attributes:
        width: Of the page.
        height: Of the page.
        size: Width and height of each panel.
        corners: Left and top of each panel.
        point: How many dots a point is.
    """

    width: int
    height: int
    size: tuple[int, int]
    corners: Sequence[tuple[int, int]]
    point: float

    def box(self, number: int) -> Box:
        """Return where a panel lies."""
        return (*self.corners[number], *self.size)

    @property
    def foot(self) -> float:
        """The middle of the line under the last panel."""
        return self.height - _LINE * self.point / 2


def planned(settings: FigureSettings, aspect: float, count: int, *, has_foot: bool) -> Page:
    """Plan a page.

    Args:
        settings: Size, resolution and kind.
        aspect: Width over height of a panel, where width and height are not both given.
        count: Of moments.
        has_foot: Whether there is a line under each row of panels.

    Raises:
        ValueError: There is no room, or the page has more dots than a picture may have.
    """
    point = settings.dpi / POINTS_PER_INCH
    columns = rows = 1
    if settings.kind == "strip":
        rows = -(-count // (settings.columns or _USUAL_COLUMNS))
        columns = min(count, settings.columns or -(-count // rows))
    gap, foot = round(_GAP * point), math.ceil(_LINE * point) if has_foot else 0
    width, height = settings.page_width, settings.page_height
    if width is not None:
        across = (width - (columns - 1) * gap) // columns
        down = round(across / aspect)
    if height is not None:
        down = (height - (rows - 1) * gap) // rows - foot
    if width is None:
        across = round(down * aspect)
        width = columns * across + (columns - 1) * gap
    if height is None:
        height = rows * (down + foot) + (rows - 1) * gap
    said = f"{_millimetres(width, settings)} x {_millimetres(height, settings)} mm"
    if min(across, down) < _LEAST:
        raise ValueError(
            f"a figure of {said} at {settings.dpi:g} dpi has no room for {count} pictures: make it "
            "larger, or show fewer"
        )
    if max(width, height) > MAX_SIZE:
        raise ValueError(
            f"a figure of {said} at {settings.dpi:g} dpi is more than {MAX_SIZE} dots wide or "
            "high: make it smaller, or take fewer dpi"
        )
    corners = [
        (number % columns * (across + gap), number // columns * (down + foot + gap))
        for number in range(count if settings.kind == "strip" else 1)
    ]
    return Page(width, height, (across, down), corners, point)


def _millimetres(dots: int, settings: FigureSettings) -> str:
    return f"{dots / settings.dpi * MILLIMETRES_PER_INCH:.0f}"


def write_under(sheet: Sheet, page: Page, labels: Sequence[str]) -> None:
    """Write a label under each panel, or under every second one and so on, as there is room."""
    width, height = page.size
    room = width + _GAP * page.point
    every = math.ceil(max(map(_width, labels)) * page.point / room)
    for (left, top), label in list(zip(page.corners, labels, strict=False))[::every]:
        sheet.text(left + width / 2, top + height + _LINE * page.point / 2, label, FONT)


def write_legend(sheet: Sheet, page: Page, labels: Sequence[str]) -> None:
    """Write under a strobe which moment is how light: each, or the first and the last."""
    point = page.point
    greys = np.array([[1 - 0.75 * weight] * 3 for weight in weights(len(labels))])
    swatch, gap = _SWATCH * point, _GAP * point
    texts = [_width(label) * point for label in labels]
    whole = sum(texts) + len(texts) * (swatch + gap) + (len(texts) - 1) * 3 * gap
    if whole > page.width:
        _write_bar(sheet, page, greys, (labels[0], labels[-1]), len(labels) * swatch, swatch)
        return
    at = (page.width - whole) / 2
    for grey, label, text in zip(greys, labels, texts, strict=True):
        sheet.bar((at, page.foot - swatch / 2, swatch, swatch), grey[None])
        at += swatch + gap
        sheet.text(at, page.foot, label, FONT, "left")
        at += text + 3 * gap


def write_scale(sheet: Sheet, page: Page, colours: np.ndarray, ends: tuple[str, str]) -> None:
    """Write under a trajectory what its colours `float (n, 3)` say, from the least to the most."""
    _write_bar(sheet, page, colours, ends, page.width * 0.5, 4 * page.point)


def _write_bar(
    sheet: Sheet,
    page: Page,
    colours: np.ndarray,
    ends: tuple[str, str],
    width: float,
    height: float,
) -> None:
    """Write a bar of colours between what they begin and end with, or without, for want of room."""
    gap = _GAP * page.point
    before, after = (_width(end) * page.point + gap for end in ends)
    width = min(width, page.width - before - after)
    has_ends = width > 2 * gap
    if not has_ends:
        before, after, width = 0, 0, page.width
    left = (page.width - before - width - after) / 2 + before
    sheet.bar((left, page.foot - height / 2, width, height), colours)
    if has_ends:
        sheet.text(left - gap, page.foot, ends[0], FONT, "right")
        sheet.text(left + width + gap, page.foot, ends[1], FONT, "left")


def _width(text: str) -> float:
    """Return about how wide a label is, in points."""
    return len(text) * _LETTER * FONT
