"""Curves of any length in little memory: as many points as a screen can show."""

import math
from typing import Any

import numpy as np

MOST = 8192
"""Points of a curve that are kept."""

OVERVIEW = 400
"""Points of a curve that is seen as a whole."""


class Curve:
    """Values of a tag by training step, of which neighbours are joined where there are too many.

    A point that stands for several has their mean, their lowest and their highest value. Values
    that are not finite count only where all of them are so.

    Attributes:
        count: Values that were added.
        step: The last one's.
        value: The last one.
    """

    def __init__(self) -> None:
        self.count = 0
        self.step = 0
        self.value = math.nan
        self._size = 1
        self._open = 0
        # Of each point its first step, sum and number of finite values, lowest and highest.
        self._points: list[list[float]] = []

    @property
    def is_joined(self) -> bool:
        """Whether the overview has less than all that is kept."""
        return len(self._points) > OVERVIEW

    def add(self, step: int, value: float) -> None:
        """Take in the next value."""
        self.count += 1
        self.step, self.value = step, value
        is_finite = math.isfinite(value)
        if self._open == 0:
            if len(self._points) == MOST:
                self._halve()
            self._open = self._size
            point = [step, 0.0, 0, math.inf, -math.inf]
            self._points.append(point)
        point = self._points[-1]
        self._open -= 1
        if is_finite:
            point[1] += value
            point[2] += 1
            point[3] = min(point[3], value)
            point[4] = max(point[4], value)

    def points(self) -> np.ndarray:
        """Return first step, sum, number, lowest and highest value of each point, `(N, 5)`."""
        points = np.array(self._points).reshape(-1, 5)
        # What is logged late, as recordings are, is not in order.
        return points[np.argsort(points[:, 0], kind="stable")]

    def _halve(self) -> None:
        points = self._points
        self._points = [_join(a, b) for a, b in zip(points[::2], points[1::2], strict=True)]
        self._size *= 2


def described(points: np.ndarray, most: int) -> dict[str, Any]:
    """Return a curve's points, at most so many, as a page draws them.

    Returns:
        `steps`, `values` and, where there are points that stand for several, `low` and `high`.
    """
    bundle = -(-len(points) // most) or 1
    starts = np.arange(0, len(points), bundle)
    if bundle > 1:
        joined = [
            points[starts, 0],
            *(np.add.reduceat(points[:, column], starts) for column in (1, 2)),
            np.minimum.reduceat(points[:, 3], starts),
            np.maximum.reduceat(points[:, 4], starts),
        ]
        points = np.stack(joined, 1)
    steps, sums, counts, low, high = points.T
    with np.errstate(invalid="ignore", divide="ignore"):
        means = sums / counts
    found = {"steps": steps.astype(np.int64).tolist(), "values": _short(means)}
    if counts.max(initial=0) > 1:
        found |= {"low": _short(low), "high": _short(high)}
    return found


def _join(one: list[float], other: list[float]) -> list[float]:
    low, high = min(one[3], other[3]), max(one[4], other[4])
    return [one[0], one[1] + other[1], one[2] + other[2], low, high]


def _short(values: np.ndarray) -> list[float]:
    """Return numbers with eight digits, which is what single precision has; the others as NaN."""
    with np.errstate(invalid="ignore", divide="ignore"):
        places = 7 - np.floor(np.log10(np.abs(values)))
    return [
        round(value, int(count)) if math.isfinite(count) else value if value == 0 else math.nan
        for value, count in zip(values.tolist(), places.tolist(), strict=True)
    ]
