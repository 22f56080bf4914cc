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
    """Write a label under each panel."""
    width, height = page.size
    for (left, top), label in zip(page.corners, labels, strict=False):
        middle = top + height + _LINE * page.point / 2
        sheet.text(left + width / 2, middle, label, FONT)


def write_legend(sheet: Sheet, page: Page, labels: Sequence[str]) -> None:
    """Write under a strobe which moment is how light: each, or the first and the last."""
    point = page.point
    greys = [(1 - 0.75 * weight,) * 3 for weight in weights(len(labels))]
    swatch, gap = _SWATCH * point, _GAP * point
    texts = [_width(label) * point for label in labels]
    whole = sum(texts) + len(texts) * (swatch + gap) + (len(texts) - 1) * 3 * gap
    is_short = whole > page.width
    if is_short:
        swatch = min(swatch, (page.width - texts[0] - texts[-1] - 2 * gap) / len(labels))
        whole = texts[0] + texts[-1] + 2 * gap + len(labels) * swatch
    at, top = (page.width - whole) / 2, page.foot - _SWATCH * point / 2
    if is_short:
        sheet.text(at, page.foot, labels[0], FONT, "left")
        at += texts[0] + gap
    for grey, label, text in zip(greys, labels, texts, strict=True):
        sheet.box((at, top, swatch, _SWATCH * point), grey)
        at += swatch
        if not is_short:
            sheet.text(at + gap, page.foot, label, FONT, "left")
            at += text + 4 * gap
    if is_short:
        sheet.text(at + gap, page.foot, labels[-1], FONT, "left")


def write_scale(sheet: Sheet, page: Page, colours: np.ndarray, ends: tuple[str, str]) -> None:
    """Write under a trajectory what its colours `float (n, 3)` say, from the least to the most."""
    point = page.point
    before, after = (_width(end) * point for end in ends)
    gap, height = _GAP * point, 4 * point
    whole = page.width * 0.7
    left = (page.width - whole) / 2
    sheet.text(left, page.foot, ends[0], FONT, "left")
    bar = (left + before + gap, page.foot - height / 2, whole - before - after - 2 * gap, height)
    sheet.bar(bar, colours)
    sheet.text(left + whole - after, page.foot, ends[1], FONT, "left")


def _width(text: str) -> float:
    """Return about how wide a label is, in points."""
    return len(text) * _LETTER * FONT
