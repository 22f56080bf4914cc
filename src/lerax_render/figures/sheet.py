"""A page of a size in print, which Matplotlib draws: pixels, vectors and texts, placed in dots."""

import os
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BackendUnavailableError
from .panels import Drawing, Panel, Rgb, Shape

type Box = tuple[float, float, float, float]
"""Left, top, width and height in dots."""

POINTS_PER_INCH = 72

# The size is exact, texts stay texts, fonts are embedded, and the same page has the same bytes.
_SETTINGS: dict[Any, Any] = {
    "axes.unicode_minus": False,
    "path.simplify": False,
    "pdf.compression": 6,
    "pdf.fonttype": 42,
    "savefig.bbox": None,
    "svg.fonttype": "none",
    "svg.hashsalt": "lerax-render",
    "svg.image_inline": True,
    "text.usetex": False,
}
_METADATA = {"pdf": {"CreationDate": None}, "svg": {"Date": None}, "png": {}}

_TEXT_COLOUR: Rgb = (0.15, 0.15, 0.15)
# Of the height that a text of pygame's own font is asked for: its letters, and a line's distance.
_EM, _ASCENT, _LINE = 0.6875, 0.55, 0.75
# Points. A thinner line is lost in print.
_THINNEST = 0.25


class Sheet:
    """A page.

    Args:
        width: In dots.
        height: In dots.
        dpi: Dots an inch.
        is_transparent: Whether the page and the backgrounds of drawings are not white but nothing.

    Attributes:
        width: As given.
        height: As given.

    Raises:
        BackendUnavailableError: Matplotlib is not installed.
    """

    def __init__(
        self, width: int, height: int, dpi: float, *, is_transparent: bool = False
    ) -> None:
        check_matplotlib()
        from matplotlib.figure import Figure

        self.width, self.height, self._dpi = width, height, dpi
        self._is_transparent = is_transparent
        # Matplotlib cuts off what is left over of a dot.
        inches = ((width + 1e-3) / dpi, (height + 1e-3) / dpi)
        self._figure = Figure(
            figsize=inches, dpi=dpi, facecolor="none" if is_transparent else "white"
        )
        self._page = self._axes((0, 0, width, height), width, height)
        self._page.set_zorder(1)

    def place(self, box: Box, panel: Panel) -> None:
        """Put a panel into a box, in proportion and centred; the rest is its background."""
        if isinstance(panel, Drawing):
            self._draw(box, panel)
        else:
            axes = self._axes(box, panel.shape[1], panel.shape[0])
            extent = (0, panel.shape[1], panel.shape[0], 0)
            axes.imshow(panel, extent=extent, interpolation="none", aspect="auto")

    def text(self, x: float, y: float, text: str, points: float, align: str = "center") -> None:
        """Write a line whose middle is `y`, in points that are none of Matplotlib's mathematics."""
        self._page.text(
            x,
            y,
            text,
            fontsize=points,
            color=_TEXT_COLOUR,
            ha=align,
            va="center_baseline",
            parse_math=False,
        )

    def way(self, box: Box, pieces: np.ndarray, colours: np.ndarray, points: float) -> None:
        """Draw a line over a panel, in pieces of their own colours on a pale rim.

        Args:
            box: The panel's.
            pieces: `float (n, 2, 2)`, their ends as shares of the panel's width and height.
            colours: `float (n, 3)`, 0 to 1.
            points: Its width.
        """
        from matplotlib.collections import LineCollection

        axes = self._axes(box, 1, 1)
        for width, colour in ((points * 1.8, "white"), (points, colours)):
            lines = LineCollection(list(pieces), colors=colour, linewidths=width, capstyle="round")
            axes.add_collection(lines, autolim=False)

    def bar(self, box: Box, colours: np.ndarray) -> None:
        """Fill a box with colours `float (n, 3)` from left to right."""
        axes = self._axes(box, 1, 1)
        pixels = np.round(colours[None] * 255).astype(np.uint8)
        axes.imshow(pixels, extent=(0, 1, 1, 0), interpolation="none", aspect="auto")

    def save(self, file: Path, format: str) -> None:
        """Write the page; the same page has the same bytes."""
        import matplotlib

        with matplotlib.rc_context(_SETTINGS):
            self._figure.savefig(
                file, format=format, dpi=self._dpi, metadata=_METADATA[format], pad_inches=0
            )

    def _axes(self, box: Box, width: float, height: float) -> Any:
        """Return axes over a box, which is so wide and high in their own unit."""
        left, top, across, down = box
        place = (
            left / self.width,
            1 - (top + down) / self.height,
            across / self.width,
            down / self.height,
        )
        axes = self._figure.add_axes(place)
        axes.set_axis_off()
        axes.set_xlim(0, width)
        axes.set_ylim(height, 0)
        return axes

    def _draw(self, box: Box, drawing: Drawing) -> None:
        from matplotlib.patches import Rectangle

        left, top, width, height = box
        scale = min(width / drawing.width, height / drawing.height)
        inner = (drawing.width * scale, drawing.height * scale)
        if not self._is_transparent:
            behind = self._axes(box, 1, 1)
            behind.add_patch(Rectangle((0, 0), 1, 1, facecolor=drawing.background, linewidth=0))
        place = (left + (width - inner[0]) / 2, top + (height - inner[1]) / 2, *inner)
        axes = self._axes(place, drawing.width, drawing.height)
        points = scale * POINTS_PER_INCH / self._dpi
        for depth, shape in enumerate(drawing.shapes):
            _add(axes, shape, points, depth)


def check_matplotlib() -> None:
    """Raise `BackendUnavailableError` where Matplotlib is not installed."""
    try:
        import matplotlib as _  # noqa: F401
    except ImportError as error:
        raise BackendUnavailableError(
            'figures are drawn by Matplotlib, which is not installed: pip install "lerax-render'
            '[figures]"'
        ) from error


def _add(axes: Any, shape: Shape, points: float, depth: int) -> None:
    """Draw a shape.

    Args:
        axes: In the drawing's pixels.
        shape: The shape.
        points: How many points one of those pixels is in print.
        depth: How many shapes lie behind it. Matplotlib would put lines in front of patches.
    """
    from matplotlib.lines import Line2D
    from matplotlib.patches import Ellipse, Polygon, Rectangle

    (x, y), colour = shape.points[0], shape.colour
    filled: dict[str, Any] = {"facecolor": colour, "linewidth": 0, "zorder": depth}
    if shape.kind == "fill":
        axes.add_patch(Polygon(shape.points, closed=True, **filled))
    elif shape.kind == "oval":
        width, height = shape.sizes
        axes.add_patch(Ellipse((x, y), 2 * width, 2 * height, **filled))
    elif shape.kind == "box":
        width, height = shape.sizes
        # Neighbours in a world of tiles leave no seam.
        corner = (x - width / 2, y - height / 2)
        axes.add_patch(Rectangle(corner, width, height, antialiased=False, **filled))
    elif shape.kind == "line":
        line = Line2D(
            *zip(*shape.points, strict=True),
            color=colour,
            linewidth=max(_THINNEST, shape.sizes[0] * points),
            solid_capstyle="butt",
            solid_joinstyle="miter",
            zorder=depth,
        )
        axes.add_line(line)
    else:
        _write(axes, shape, points, depth)


def _write(axes: Any, shape: Shape, points: float, depth: int) -> None:
    from matplotlib.font_manager import FontProperties

    from ..paint2d import pygame

    # The font that our painter writes with.
    folder = os.path.dirname(pygame.__file__)
    font = FontProperties(fname=os.path.join(folder, pygame.font.get_default_font()))
    (x, y), (size,) = shape.points[0], shape.sizes
    font.set_size(size * _EM * points)
    for number, line in enumerate(shape.text.split("\n")):
        shown = "".join(c if c.isprintable() else " " for c in line)
        axes.text(
            x,
            y + size * (_ASCENT + number * _LINE),
            shown,
            fontproperties=font,
            color=shape.colour,
            va="baseline",
            parse_math=False,
            clip_on=True,
            zorder=depth,
        )
