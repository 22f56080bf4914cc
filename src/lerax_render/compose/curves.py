"""Curves in pixels, and the numbers along their axes."""

import math
import re

import numpy as np

# Columns of a picture that are looked at for each of its own.
_FINER = 4


def coverage(x: np.ndarray, y: np.ndarray, width: int, height: int, radius: float) -> np.ndarray:
    """Return how much of each pixel a curve covers, `float32 (height, width)` in 0..1.

    It is a line from point to point, with round ends, and gaps where a point is NaN.

    Args:
        x: `float (T,)`, pixels from the left edge, in ascending order.
        y: `float (T,)`, pixels from the upper edge.
        width: Of the picture in pixels.
        height: Of the picture in pixels.
        radius: Half the line's width in pixels.
    """
    # What the bare curve spans in each narrow column: from edge to edge, and the points inside.
    count = width * _FINER
    edges = np.arange(count + 1) / _FINER
    after = np.clip(np.searchsorted(x, edges, "right"), 1, max(1, len(x) - 1))
    before = np.minimum(after, len(x) - 1) - 1
    after = before + 1
    with np.errstate(invalid="ignore", divide="ignore"):
        share = (edges - x[before]) / (x[after] - x[before])
        at_edges = y[before] + share * (y[after] - y[before])
    at_edges[(edges < x[0]) | (edges > x[-1])] = np.nan
    top, bottom = np.fmin(at_edges[:-1], at_edges[1:]), np.fmax(at_edges[:-1], at_edges[1:])
    column = np.clip((x * _FINER).astype(np.int64), 0, count - 1)
    np.fmin.at(top, column, y)
    np.fmax.at(bottom, column, y)
    # The same with a disc around each point of it.
    wide_top, wide_bottom = np.full(count, np.inf), np.full(count, -np.inf)
    reach = math.ceil(radius * _FINER)
    for shift in range(-reach, reach + 1):
        rise = math.sqrt(max(0.0, radius**2 - (shift / _FINER) ** 2))
        to, source = (
            slice(max(0, shift), count + min(0, shift)),
            slice(max(0, -shift), count - max(0, shift)),
        )
        wide_top[to] = np.fmin(wide_top[to], top[source] - rise)
        wide_bottom[to] = np.fmax(wide_bottom[to], bottom[source] + rise)
    rows = np.arange(height)[:, None]
    covered = np.clip(np.minimum(wide_bottom, rows + 1) - np.maximum(wide_top, rows), 0, 1)
    shares: np.ndarray = covered.reshape(height, width, _FINER).mean(axis=2, dtype=np.float32)
    return shares


def limits(low: float, high: float, room: float = 0.05) -> tuple[float, float]:
    """Return where an axis begins and ends that shows these numbers, with a share of room."""
    if not low <= high:
        return 0.0, 1.0
    middle, span = (low + high) / 2, high - low
    if span <= 1e-6 * abs(middle):
        # Numbers that are all the same lie in the middle.
        span = 0.2 * abs(middle) or 2.0
        low, high = middle - span / 2, middle + span / 2
    return low - room * span, high + room * span


def ticks(low: float, high: float, least: float) -> list[tuple[float, str]]:
    """Return round numbers along an axis, at least so far apart, with their texts."""
    step = _next_round(least)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [(number * step, _text(number * step, step)) for number in range(first, last + 1)]


def _next_round(number: float) -> float:
    """Return the least of 1, 2 and 5 times a power of ten that is not below a number."""
    power = 10.0 ** math.floor(math.log10(number))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= number * 0.999999)


def _text(number: float, step: float) -> str:
    """Write a number with as many digits as tell it from the next."""
    magnitude = math.floor(math.log10(max(abs(number), step)) + 1e-9)
    digits = max(0, magnitude - math.floor(math.log10(step) + 1e-9)) + 1
    if magnitude >= 5 or magnitude < -3:
        return re.sub(r"e\+?(-?)0*", r"e\1", f"{number:.{digits}g}")
    return f"{number:.{max(0, digits - 1 - magnitude)}f}"
