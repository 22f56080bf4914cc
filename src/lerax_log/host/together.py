"""The run `NAME_all` of a training with several lanes: mean and standard deviation over them."""

import threading
from collections.abc import Mapping
from typing import override

import numpy as np

from ..backends import AbstractLoggingBackend, Progress
from .run import Learn, Run

ALONE = ("time/", "memory/")
"""Groups of values that have no standard deviation."""

MOST_WAITING = 10_000
"""Values that may wait for the other lanes; the oldest are forgotten."""


class Together:
    """Takes in what the lanes log, and logs what all of them have logged at a step.

    Args:
        run: The run of all lanes.
        lanes: Their number.
    """

    def __init__(self, run: Run, lanes: int) -> None:
        self.run = run
        self.learn: Learn | None = None
        self._lanes = lanes
        self._waiting: dict[tuple[int, str], dict[int, float]] = {}
        self._ended: set[int] = set()
        self._lock = threading.Lock()

    def add(self, lane: int, scalars: Mapping[str, float], step: int) -> None:
        """Take in what a lane has logged."""
        whole: dict[str, float] = {}
        with self._lock:
            for tag, value in scalars.items():
                values = self._waiting.setdefault((step, tag), {})
                values[lane] = value
                if len(values) == self._lanes:
                    del self._waiting[step, tag]
                    numbers = list(values.values())
                    whole[tag] = float(np.mean(numbers))
                    if not tag.startswith(ALONE):
                        whole[f"{tag}_std"] = float(np.std(numbers))
            while len(self._waiting) > MOST_WAITING:
                self._waiting.pop(next(iter(self._waiting)))
        if whole:
            self.run.log(whole, step)

    def show(self, lane: int, progress: Progress) -> None:
        """Show how far the lanes are, which is as far as the first one is."""
        if lane == 0 and progress.stage != "done":
            self.run.step = max(self.run.step, progress.step)
            self.run.show(progress)

    def end(self, lane: int) -> None:
        """Take in that a lane's `learn` has ended."""
        with self._lock:
            self._ended.add(lane)
            if len(self._ended) < self._lanes:
                return
            self._ended.clear()
            learn, self.learn = self.learn, None
        if learn is not None:
            learn.end()


class LaneBackend(AbstractLoggingBackend):
    """What a lane logs, for all of them together.

    Args:
        together: Takes it in.
        lane: The lane's number.
    """

    def __init__(self, together: Together, lane: int) -> None:
        self._together = together
        self._lane = lane

    @override
    def open(self, name: str) -> None:
        """Do nothing: the lanes' run is open already."""

    @override
    def log_scalars(self, scalars: Mapping[str, float], step: int) -> None:
        """Take in what the lane logs."""
        self._together.add(self._lane, scalars, step)

    @override
    def show_progress(self, progress: Progress) -> None:
        """Show how far the lane is."""
        self._together.show(self._lane, progress)

    @override
    def flush(self) -> None:
        """Take in that the lane's `learn` has ended."""
        self._together.end(self._lane)

    @override
    def close(self) -> None:
        """Do nothing: the lanes' run is closed after them."""
