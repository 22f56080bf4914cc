"""What the console shows of a run: newest values, the course of the return, speed, time left."""

import math
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..base import COMPILE_TAG, Progress, Stage

RETURN_TAG = "episode/return"
"""The metric whose course is drawn."""

HISTORY_LENGTH = 512
"""Points that a history keeps at most; before there are more, neighbours are averaged."""

SPEED_SPAN = 20.0
"""Seconds that the speed is averaged over."""

MARK_INTERVAL = 0.25
"""Seconds from one of the moments that give the speed to the next."""


@dataclass(frozen=True)
class Snapshot:
    """A run at one moment."""

    name: str
    elapsed: float = 0.0
    """Seconds since the run was opened."""
    stage: Stage = "training"
    """What its `learn` is doing."""
    stage_seconds: float = 0.0
    """Seconds that it has been doing this."""
    trained_seconds: float = 0.0
    """Seconds that the training took, once it has ended."""
    compile_seconds: float | None = None
    """Seconds that tracing and compiling took; None if there was nothing to compile."""
    iteration: int = 0
    """Iterations completed."""
    iterations: int = 0
    """Iterations at the end; 0 if unknown."""
    step: int = 0
    """Environment steps taken."""
    total_steps: int | None = None
    """Environment steps at the end; None if unknown."""
    steps_per_second: float | None = None
    """Speed over the last `SPEED_SPAN` seconds of training; None at first."""
    waiting: int = 0
    """Recordings that are not done yet."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    """The newest value of each tag."""
    older: Mapping[str, int] = field(default_factory=dict)
    """The step of each tag whose newest value is of an earlier step."""
    returns: tuple[float, ...] = ()
    """The course of `RETURN_TAG`, evenly spaced in the number of its values."""

    @property
    def share(self) -> float | None:
        """How much of the training is done, from 0 to 1; None if its length is unknown."""
        if self.stage == "done":
            return 1.0
        if self.iterations:
            return min(1.0, self.iteration / self.iterations)
        return None if self.total_steps is None else min(1.0, self.step / self.total_steps)

    @property
    def seconds_left(self) -> float | None:
        """Seconds until `total_steps` at the present speed; None if unknown or reached."""
        if self.total_steps is None or self.step >= self.total_steps or not self.steps_per_second:
            return None
        return (self.total_steps - self.step) / self.steps_per_second


class TrainingState:
    """What a run has logged so far. Times are seconds of a monotonic clock.

    Calls may come from any thread.
    """

    def __init__(self, name: str, now: float) -> None:
        self.name = name
        self._started = now
        self._progress = Progress("training")
        self._stage_started = now
        self._trained_seconds = 0.0
        self._compile_seconds: float | None = None
        self._total_steps: int | None = None
        self._step = 0
        self._metrics: dict[str, tuple[float, int]] = {}
        self._returns = History()
        self._marks: deque[tuple[float, int]] = deque()
        self._lock = threading.Lock()

    def expect(self, steps: int) -> None:
        """Note that the training will take another `steps` environment steps from here."""
        with self._lock:
            self._total_steps = self._step + steps

    def show(self, progress: Progress, now: float) -> bool:
        """Take in how far the training is; return whether it does something else than before."""
        with self._lock:
            changed = progress.stage != self._progress.stage
            if changed:
                if progress.stage == "done":
                    self._trained_seconds = now - self._stage_started
                elif self._progress.stage == "done":
                    # A second `learn`, whose speed is its own.
                    self._marks.clear()
                self._stage_started = now
            self._progress = progress
            if not progress.iteration:
                # A run that was resumed begins later than at 0.
                self._step = max(self._step, progress.step)
            return changed

    def update(self, scalars: Mapping[str, float], step: int, now: float) -> bool:
        """Take in what was logged at environment step `step`, which may lie behind others.

        Returns whether that is further than before.
        """
        value = scalars.get(RETURN_TAG)
        with self._lock:
            for tag, number in scalars.items():
                if tag == COMPILE_TAG:
                    self._compile_seconds = number
                else:
                    self._metrics[tag] = (number, step)
            if value is not None and math.isfinite(value):
                self._returns.append(float(value))
            if self._marks and step <= self._step:
                return False
            self._step = max(self._step, step)
            if not self._marks or now - self._marks[-1][0] >= MARK_INTERVAL:
                self._marks.append((now, self._step))
            # One mark that is older than the span stays, so that slow runs have two as well.
            while len(self._marks) > 2 and now - self._marks[1][0] > SPEED_SPAN:
                self._marks.popleft()
            return True

    def snapshot(self, now: float) -> Snapshot:
        """Return the run as it is at `now`."""
        with self._lock:
            speed = None
            if len(self._marks) > 1:
                (then, before), (latest, step) = self._marks[0], self._marks[-1]
                speed = (step - before) / (latest - then)
            return Snapshot(
                name=self.name,
                elapsed=now - self._started,
                stage=self._progress.stage,
                stage_seconds=now - self._stage_started,
                trained_seconds=self._trained_seconds,
                compile_seconds=self._compile_seconds,
                iteration=self._progress.iteration,
                iterations=self._progress.iterations,
                step=self._step,
                total_steps=self._total_steps,
                steps_per_second=speed,
                waiting=self._progress.waiting,
                metrics={tag: value for tag, (value, _) in self._metrics.items()},
                older={tag: at for tag, (_, at) in self._metrics.items() if at < self._step},
                returns=tuple(self._returns.points),
            )


class History:
    """The course of a metric in bounded memory: fewer than `HISTORY_LENGTH` averages."""

    def __init__(self) -> None:
        self.points: list[float] = []
        self._stride = 1
        self._pending: list[float] = []

    def append(self, value: float) -> None:
        """Add a finite value; it shows once there are as many as are averaged."""
        self._pending.append(value)
        if len(self._pending) < self._stride:
            return
        self.points.append(math.fsum(self._pending) / self._stride)
        self._pending.clear()
        if len(self.points) == HISTORY_LENGTH:
            pairs = zip(self.points[::2], self.points[1::2], strict=True)
            self.points = [(a + b) / 2 for a, b in pairs]
            self._stride *= 2
