"""Which moments of a rollout have a frame: its steps, some of them, or moments between them."""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from ..video import is_shown


class Moments(NamedTuple):
    """What is painted next.

    Attributes:
        places: In steps of the rollout, from 0; a fraction lies between two of them.
        shown: `bool (n,)`, which of them have a frame.
    """

    places: Sequence[int | Fraction]
    shown: np.ndarray

    @property
    def shown_steps(self) -> list[int]:
        """For each frame, the step that was taken last."""
        pairs = zip(self.places, self.shown, strict=True)
        return [math.floor(place) for place, is_shown in pairs if is_shown]


class Pace:
    """How the steps of a rollout become the frames of a clip.

    Args:
        fps: Steps a second.
        speed: How much faster than that they are played.
        start: The first step that is shown.
        max_fps: Frames a second at most: where there are more steps, some are not shown.
        between: Frames a second to be reached with frames between the steps; `None`: none are
            between them.

    Attributes:
        fps: Frames a second.
        steps: How many steps there were so far.
        is_between: Whether there are frames between steps.
    """

    def __init__(
        self,
        fps: float | Fraction,
        speed: float,
        start: int,
        max_fps: float | Fraction | None,
        between: float | Fraction | None,
    ) -> None:
        # A decimal fraction is meant, not the binary one beside it.
        played = fps if speed == 1 else Fraction(fps) * Fraction(speed).limit_denominator(10**6)
        wanted = played if between is None else max(played, between)
        self.fps = wanted if max_fps is None else min(wanted, max_fps)
        self.is_between = self.fps > played
        self._share = Fraction(self.fps) / Fraction(played)
        self._start = start
        self.steps = 0
        self._frames = 0

    def next(self, count: int) -> Moments:
        """Return the moments up to and with so many steps more."""
        begun, self.steps = self.steps, self.steps + count
        if not self.is_between:
            steps = range(begun, self.steps)
            flags = [
                step >= self._start and is_shown(step - self._start, self._share) for step in steps
            ]
            return Moments(steps, np.array(flags, bool))
        before: list[int | Fraction] = list(range(begun, min(self._start, self.steps)))
        places = list(before)
        while (place := self._start + self._frames / self._share) <= self.steps - 1:
            places.append(place)
            self._frames += 1
        return Moments(places, np.arange(len(places)) >= len(before))
