"""Plane geometry for drawing: snapping, insetting and clipping, in pixels."""

import math

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "SUBPIXELS",
    "Rectangle",
    "clip_polygon",
    "clip_segment",
    "coverage",
    "ellipse_outline",
    "inset",
    "line_corners",
    "sideways",
    "snap",
]

type Floats = NDArray[np.float64]
type Rectangle = tuple[float, float, float, float]
"""Left, top, right, bottom."""

SUBPIXELS = 4
"""Positions are rounded to this fraction of a pixel."""


def snap(positions: Floats, fraction: int = SUBPIXELS) -> Floats:
    """Round to multiples of `1 / fraction` of a pixel.

    Tracing and calling the same function give numbers that differ in the last bit, which rounding
    hides, except at its boundaries. Round numbers of the world fall on half steps all the time, and
    hence on the boundaries of the usual rounding, so ours lie 1/64 of a step off them.
    """
    return np.floor(positions * fraction + (0.5 + 1 / 64)) / fraction


def line_corners(start: Floats, end: Floats, width: Floats) -> Floats:
    """The rectangles that thick lines are.

    Args:
        start: (T, 2).
        end: (T, 2), not the same as `start`.
        width: (T,).

    Returns:
        (T, 4, 2), in the order of the outline.
    """
    along = end - start
    along /= np.hypot(along[:, 0], along[:, 1])[:, None]
    across = np.stack([-along[:, 1], along[:, 0]], axis=1) * (width[:, None] / 2)
    return np.stack([start + across, start - across, end - across, end + across], axis=1)


def inset(polygons: Floats) -> tuple[Floats, Floats]:
    """How to shrink polygons.

    Args:
        polygons: (T, n, 2).

    Returns:
        The shift (T, n, 2) of each corner that moves all sides inwards by one pixel, and area over
        circumference (T,): convex polygons can be shrunk by that many pixels, and by no more than
        twice as many, before they vanish.
    """
    following = np.roll(polygons, -1, axis=1)
    side = following - polygons
    length = np.hypot(side[..., 0], side[..., 1])
    area = 0.5 * np.sum(
        polygons[..., 0] * following[..., 1] - polygons[..., 1] * following[..., 0], axis=1
    )
    inwards = np.stack([-side[..., 1], side[..., 0]], axis=-1)
    inwards *= (np.where(area < 0, -1.0, 1.0)[:, None] / np.maximum(length, 1e-9))[..., None]
    shift = _corner_shift(np.roll(inwards, 1, axis=1), inwards)
    return shift, np.abs(area) / np.maximum(length.sum(axis=1), 1e-9)


def sideways(polylines: Floats) -> Floats:
    """The shift (T, n, 2) of each point of polylines (T, n, 2) that moves all lines by one pixel.

    To their right where y points down, to their left where it points up.
    """
    line = np.diff(polylines, axis=1)
    length = np.maximum(np.hypot(line[..., 0], line[..., 1]), 1e-9)
    normal = np.stack([-line[..., 1], line[..., 0]], axis=-1) / length[..., None]
    before = np.concatenate([normal[:, :1], normal], axis=1)
    after = np.concatenate([normal, normal[:, -1:]], axis=1)
    return _corner_shift(before, after)


def _corner_shift(before: Floats, after: Floats) -> Floats:
    """How a corner moves when its two sides move along their normals (..., 2)."""
    # At a needle's point the exact shift is endless; 0.1 ends it at about five pixels.
    return (before + after) / np.maximum(1 + np.sum(before * after, axis=-1), 0.1)[..., None]


def coverage(polygon: Floats, width: int, height: int) -> Floats:
    """How much of each pixel a polygon covers, exactly along rows and in quarters of a row.

    Where the polygon crosses itself, the even-odd rule decides.

    Args:
        polygon: (n, 2), pixels from the upper left corner.
        width: How many columns to return.
        height: How many rows to return.

    Returns:
        (height, width), 0 to 1.
    """
    lines = (np.arange(height * SUBPIXELS) + 0.5) / SUBPIXELS
    start, end = polygon[:, :, None], np.roll(polygon, -1, axis=0)[:, :, None]
    crosses = (start[:, 1] <= lines) != (end[:, 1] <= lines)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (lines - start[:, 1]) / (end[:, 1] - start[:, 1])
        crossings = start[:, 0] + share * (end[:, 0] - start[:, 0])
    crossings = np.sort(np.where(crosses, crossings, np.inf), axis=0)
    order, line = np.nonzero(np.isfinite(crossings))
    # From left to right, each crossing enters or leaves the polygon: from there on, the line counts
    # or no longer counts, and in the crossing's own pixel in part.
    x = np.clip(crossings[order, line], 0, width)
    column, row = x.astype(np.int64), line // SUBPIXELS
    step = np.where(order % 2 == 0, 1, -1) / SUBPIXELS
    steps = np.zeros((height, width + 2))
    np.add.at(steps, (row, column), step * (1 - (x - column)))
    np.add.at(steps, (row, column + 1), step * (x - column))
    return np.cumsum(steps, axis=1)[:, :width]


def clip_polygon(polygon: Floats, rectangle: Rectangle) -> Floats:
    """The part (m, 2) of a polygon (n, 2) inside a rectangle; m is 0 where there is none.

    Sutherland and Hodgman's algorithm, one side of the rectangle after the other.
    """
    left, top, right, bottom = rectangle
    for axis, limit, sign in ((0, left, 1), (0, right, -1), (1, top, 1), (1, bottom, -1)):
        if not len(polygon):
            break
        following = np.roll(polygon, -1, axis=0)
        depth = sign * (polygon[:, axis] - limit)
        next_depth = np.roll(depth, -1)
        inside = depth >= 0
        crossing = inside != (next_depth >= 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = depth / (depth - next_depth)
            crossings = polygon + share[:, None] * (following - polygon)
        crossings[:, axis] = limit
        both = np.stack([polygon, crossings], axis=1)
        polygon = both[np.stack([inside, crossing], axis=1)]
    return polygon


def clip_segment(start: Floats, end: Floats, rectangle: Rectangle) -> tuple[Floats, Floats] | None:
    """The part of a segment inside a rectangle, None where there is none.

    Liang and Barsky's algorithm.
    """
    first, last = 0.0, 1.0
    along = end - start
    for axis, (low, high) in enumerate((rectangle[0::2], rectangle[1::2])):
        if along[axis] == 0:
            if not low <= start[axis] <= high:
                return None
            continue
        enter, leave = sorted((limit - start[axis]) / along[axis] for limit in (low, high))
        first, last = max(first, enter), min(last, leave)
    if first > last:
        return None
    return start + first * along, start + last * along


def ellipse_outline(center: Floats, radii: Floats, rectangle: Rectangle) -> Floats:
    """A polygon that equals an axis-aligned ellipse inside a rectangle, to a twentieth of a pixel.

    Args:
        center: (2,).
        radii: (2,), both above 0.
        rectangle: Where the polygon has to be right.

    Returns:
        (n, 2).
    """
    left, top, right, bottom = rectangle
    # On the unit circle's scale.
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    corners = (corners - center) / radii
    around = left <= center[0] <= right and top <= center[1] <= bottom
    if around:
        low, span = 0.0, 2 * math.pi
    else:
        # Only the sector in which the rectangle is seen from the centre: of an enormous circle,
        # that is where all the corners are needed.
        middle = corners.mean(axis=0)
        facing = math.atan2(middle[1], middle[0])
        angles = np.arctan2(corners[:, 1], corners[:, 0]) - facing
        angles = (angles + math.pi) % (2 * math.pi) - math.pi
        low, span = facing + float(angles.min()), float(np.ptp(angles))
    # A chord of angle a lies r (1 - cos(a / 2)) inside the arc.
    step = 2 * math.acos(max(0.0, 1 - 0.05 / max(0.1, float(radii.max()))))
    count = min(8192, max(16, math.ceil(span / max(step, 1e-9))))
    angles = low + np.linspace(0, span, count, endpoint=not around)
    outline = center + radii * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return outline if around else np.concatenate([outline, center[None]])
