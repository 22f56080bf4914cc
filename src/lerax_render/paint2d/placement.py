"""From draw commands in world units to marks in pixels, for all frames of a chunk at once."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .commands import Command, Kind
from .geometry import (
    SUBPIXELS,
    Rectangle,
    clip_polygon,
    clip_segment,
    ellipse_outline,
    inset,
    line_corners,
    sideways,
    snap,
)
from .layout import Layout, View
from .primitives import Area, Box, Disc, Group, Label, Mark, Rgb, Silhouette, Stroke, Wash

__all__ = ["Placed", "place", "to_rgb"]

type Floats = NDArray[np.float64]
type Marks = Sequence[Mark | None]

# Farther from the picture than this many pixels, outlines are cut off: pygame's C code visits every
# row of a polygon, in sight or not, and multiplies positions in 32 bits.
_REACH = 1024
# Pictures of ellipses are kept up to this radius in pixels; larger ones are drawn as polygons.
_LARGEST_DISC = 64
# Lines of less than this width in pixels are drawn as one antialiased line.
_THINNEST_AREA = 1.25
# How deep inside a polygon the outlines and the core of marks.Area run, and how much room in pixels
# each needs. Found by comparison with pictures of 36 samples a pixel: on the edges of lines 1.25 to
# 10 pixels wide, the root mean square error is 29 of 255. It is 150 for gfxdraw's polygons.
_OUTLINES = ((0.5, 0.0), (1.0, 0.85), (1.5, 1.2))
_CORE_DEPTH, _CORE_ROOM = 1.4, 1.6


class Placed(NamedTuple):
    """One command in `T` frames.

    Attributes:
        marks: What to draw in each frame, None where nothing is.
        colors: Its colour in each frame.
        finite: bool (T,): whether its numbers are; if not, nothing is drawn.
    """

    marks: Marks
    colors: Sequence[Rgb]
    finite: NDArray[np.bool_]


def place(layout: Layout, view: View, command: Command, numbers: NDArray[np.float32]) -> Placed:
    """Place a command on a picture.

    Args:
        layout: The picture.
        view: Where the command's world lies on it, in each of the `T` frames or in all of them.
        command: The command, no view itself.
        numbers: float32 (T, command.num_numbers), as `CommandRenderer` describes them.

    Returns:
        What to draw in each of the `T` frames.
    """
    finite = np.isfinite(numbers).all(axis=1) & view.finite
    if not finite.all():
        numbers = np.where(finite[:, None], numbers, np.float32(0))
        view = view.where_finite()
    num_frames, num_coordinates = len(numbers), 2 * command.num_points
    points = numbers[:, :num_coordinates].reshape(num_frames, command.num_points, 2)
    sizes = numbers[:, num_coordinates:-3].astype(np.float64)
    if command.kind == "text":
        # Lerax cuts off the fraction.
        sizes = np.floor(sizes + 1 / 256) * layout.zoom
    else:
        sizes = sizes * view.scale[:, None]
    marks = _PLACERS[command.kind](layout, view.to_pixels(points), sizes, command)
    if not finite.all():
        marks = [mark if ok else None for mark, ok in zip(marks, finite.tolist(), strict=True)]
    colors = list(map(tuple, to_rgb(numbers[:, -3:]).tolist()))
    return Placed(marks, colors, finite)


def to_rgb(colors: NDArray[np.floating]) -> NDArray[np.int64]:
    """Colours of 0 to 255 from colours of 0 to 1, of any shape.

    Rounded down as Lerax does, except where only single precision is to blame: 77 / 255 is to be
    77 again.
    """
    return np.floor(np.clip(colors.astype(np.float64), 0, 1) * 255 + 1 / 256).astype(np.int64)


# From here on, points and sizes are in pixels.


def _washes(_: Layout, points: Floats, __: Floats, ___: Command) -> Marks:
    return [Wash()] * len(points)


def _circles(layout: Layout, points: Floats, sizes: Floats, _: Command) -> Marks:
    return _ellipses(layout, points[:, 0], np.repeat(sizes, 2, axis=1))


def _ovals(layout: Layout, points: Floats, sizes: Floats, _: Command) -> Marks:
    return _ellipses(layout, points[:, 0], sizes / 2)


def _ellipses(layout: Layout, centers: Floats, radii: Floats) -> Marks:
    """Ellipses around (T, 2) with half axes (T, 2), in pixels."""
    drawn = _touching(layout, centers, radii) & (radii > 0).all(axis=1)
    small = drawn & (radii <= _LARGEST_DISC).all(axis=1)
    # Below half a pixel of radius, an ellipse would fade away.
    quarters = np.concatenate([snap(centers), np.maximum(snap(radii), 0.5)], axis=1) * SUBPIXELS
    quarters = np.where(small[:, None], quarters, 0).astype(np.int64)
    marks: list[Mark | None] = [
        Disc(*numbers) if ok else None
        for numbers, ok in zip(quarters.tolist(), small.tolist(), strict=True)
    ]
    for t in np.flatnonzero(drawn & ~small):
        outline = ellipse_outline(centers[t], radii[t], _reach(layout))
        marks[t] = _fills(layout, outline[None])[0]
    return marks


def _rectangles(layout: Layout, points: Floats, sizes: Floats, _: Command) -> Marks:
    halves = sizes / 2
    # The sides are rounded, not the size: rectangles that touch in the world touch in the picture.
    low, high = snap(points[:, 0] - halves, 1), snap(points[:, 0] + halves, 1)
    high = np.maximum(high, low + 1)
    limits = (layout.width + 1, layout.height + 1)
    low, high = np.clip(low, -1, limits), np.clip(high, -1, limits)
    extent = high - low
    drawn = (sizes > 0).all(axis=1) & (extent > 0).all(axis=1)
    boxes = np.concatenate([low, extent], axis=1).astype(np.int64).tolist()
    return [Box(*box) if ok else None for box, ok in zip(boxes, drawn.tolist(), strict=True)]


def _texts(layout: Layout, points: Floats, sizes: Floats, command: Command) -> Marks:
    # Text of more than twice the picture's height shows nothing that can be read.
    heights = np.minimum(snap(sizes[:, 0], 1), 2 * layout.height)
    lines = command.text.count("\n") + 1
    reach = np.stack([heights * (len(command.text) + 1), heights * 2 * lines], axis=1)
    drawn = _touching(layout, points[:, 0], reach) & (heights >= 1)
    numbers = np.concatenate([np.floor(snap(points[:, 0])), heights[:, None]], axis=1)
    numbers = np.where(drawn[:, None], numbers, 0).astype(np.int64)
    return [
        Label(x, y, height, command.text) if ok else None
        for (x, y, height), ok in zip(numbers.tolist(), drawn.tolist(), strict=True)
    ]


def _lines(layout: Layout, points: Floats, sizes: Floats, _: Command) -> Marks:
    return _segments(layout, points[:, 0], points[:, 1], sizes[:, 0])


def _segments(layout: Layout, start: Floats, end: Floats, width: Floats) -> Marks:
    """Lines from (T, 2) to (T, 2) of the width (T,)."""
    marks: list[Mark | None] = [None] * len(start)
    length = np.hypot(*(end - start).T)
    drawn = (length > 0) & (width > 0)
    near = _within_reach(layout, np.stack([start, end], axis=1)) & (width < _REACH)
    thin = width < _THINNEST_AREA
    (few,) = np.nonzero(drawn & near & thin)
    for t, stroke in zip(few, _strokes(np.stack([start[few], end[few]], axis=1)), strict=True):
        marks[t] = stroke
    (few,) = np.nonzero(drawn & near & ~thin)
    corners = snap(line_corners(start[few], end[few], width[few]))
    room = np.minimum(width[few], length[few]) / 2
    for t, area in zip(few, _areas(corners, inset(corners)[0], room), strict=True):
        marks[t] = area
    for t in np.flatnonzero(drawn & ~near):
        left, top, right, bottom = _reach(layout)
        # Half the width more, so that the ends that this makes are out of sight.
        beyond = width[t] / 2
        box = (left - beyond, top - beyond, right + beyond, bottom + beyond)
        ends = clip_segment(start[t], end[t], box)
        if ends is not None and (ends[0] != ends[1]).any():
            thickness = np.maximum(width[t : t + 1], _THINNEST_AREA)
            marks[t] = _fills(layout, line_corners(ends[0][None], ends[1][None], thickness))[0]
    return marks


def _polygons(layout: Layout, points: Floats, _: Floats, __: Command) -> Marks:
    return _fills(layout, points)


def _fills(layout: Layout, polygons: Floats) -> Marks:
    """Filled polygons (T, n, 2), in pixels."""
    marks: list[Mark | None] = [None] * len(polygons)
    near = _within_reach(layout, polygons)
    (few,) = np.nonzero(near)
    corners = snap(polygons[few])
    shift, room = inset(corners)
    for t, area in zip(few, _areas(corners, shift, room), strict=True):
        marks[t] = area
    for i in np.flatnonzero(room < _CORE_ROOM):
        visible = clip_polygon(corners[i], (-1, -1, layout.width + 1, layout.height + 1))
        marks[few[i]] = Silhouette(visible.tolist()) if len(visible) else None
    for t in np.flatnonzero(~near):
        clipped = clip_polygon(polygons[t], _reach(layout))
        marks[t] = _fills(layout, clipped[None])[0] if len(clipped) else None
    return marks


def _areas(corners: Floats, shift: Floats, room: Floats) -> list[Area]:
    """Filled polygons (T, n, 2) in pixels, with what `inset` says, or better, of them."""
    outlines = [
        _to_line(corners + np.minimum(depth, room)[:, None, None] * shift).tolist()
        for depth, _ in _OUTLINES
    ]
    cores = np.floor(corners + _CORE_DEPTH * shift).astype(np.int64).tolist()
    solid = (room >= _CORE_ROOM).tolist()
    counts = np.sum([room >= needed for _, needed in _OUTLINES], axis=0).tolist()
    return [
        Area(core if filled else None, edges[:count])
        for core, filled, count, *edges in zip(cores, solid, counts, *outlines, strict=True)
    ]


def _polylines(layout: Layout, points: Floats, _: Floats, __: Command) -> Marks:
    width = max(1.0, layout.zoom)
    near = _within_reach(layout, points)
    marks: list[Mark | None] = [None] * len(points)
    (few,) = np.nonzero(near)
    # Wider lines are several of one pixel's width side by side, which overlap.
    shift = sideways(points[few])
    edge = (width - 1) / 2
    offsets = np.linspace(-edge, edge, 1 + round((width - 1) / 0.6)) if edge else [0.0]
    bundles = [_strokes(points[few] + offset * shift) for offset in offsets]
    for t, *strokes in zip(few, *bundles, strict=True):
        marks[t] = Group(tuple(strokes))
    for t in np.flatnonzero(~near):
        start, end = points[t, :-1], points[t, 1:]
        lines = _segments(layout, start, end, np.full(len(start), width))
        marks[t] = Group(tuple(line for line in lines if line is not None))
    return marks


def _strokes(polylines: Floats) -> list[Stroke]:
    """Lines of one pixel's width through (T, n, 2), in pixels."""
    snapped = snap(polylines)
    # Level and upright lines go through the middle of pixels: between two rows, black would become
    # two rows of grey.
    straight = np.abs(np.diff(polylines, axis=1)) < 1e-3
    centered = np.zeros(polylines.shape, np.bool_)
    centered[:, :-1] |= straight
    centered[:, 1:] |= straight
    # A closed one ends where it begins.
    closed = (snapped[:, 0] == snapped[:, -1]).all(axis=1, keepdims=True)
    around = closed & (centered[:, 0] | centered[:, -1])
    centered[:, 0] |= around
    centered[:, -1] |= around
    return list(
        map(Stroke, _to_line(np.where(centered, np.floor(snapped) + 0.5, snapped)).tolist())
    )


def _to_line(points: Floats) -> Floats:
    """Positions as pygame's antialiased lines take them: 0 is the middle of the first pixel."""
    lines = points - 1 / 2
    # Between -1 and 0 pygame rounds towards 0, not down, and then makes pixels more than opaque,
    # which wraps around to any colour.
    return np.where((lines > -1) & (lines < 0), np.round(lines), lines)


def _reach(layout: Layout) -> Rectangle:
    return (-_REACH, -_REACH, layout.width + _REACH, layout.height + _REACH)


def _within_reach(layout: Layout, points: Floats) -> NDArray[np.bool_]:
    """Whether all points (T, n, 2) are so near that pygame can draw them, as bool (T,)."""
    left, top, right, bottom = _reach(layout)
    return ((points >= (left, top)) & (points <= (right, bottom))).all(axis=(1, 2))


def _touching(layout: Layout, centers: Floats, extent: Floats) -> NDArray[np.bool_]:
    """Whether what reaches (T, 2) pixels around (T, 2) touches the picture, as bool (T,)."""
    size = (layout.width + 1, layout.height + 1)
    return ((centers + extent >= -1) & (centers - extent <= size)).all(axis=1)


_PLACERS: dict[Kind, Callable[[Layout, Floats, Floats, Command], Marks]] = {
    "circle": _circles,
    "clear": _washes,
    "ellipse": _ovals,
    "line": _lines,
    "polygon": _polygons,
    "polyline": _polylines,
    "rect": _rectangles,
    "text": _texts,
}
