"""What the console shows of a run: newest values, the course of the return, speed, time left."""

import math
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

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
    step: int = 0
    """Environment steps taken."""
    total_steps: int | None = None
    """Environment steps at the end; None if unknown."""
    steps_per_second: float | None = None
    """Speed over the last `SPEED_SPAN` seconds; None at first."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    """The newest value of each tag."""
    returns: tuple[float, ...] = ()
    """The course of `RETURN_TAG`, evenly spaced in the number of its values."""

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
        self._total_steps: int | None = None
        self._step = 0
        self._metrics: dict[str, float] = {}
        self._returns = History()
        self._marks: deque[tuple[float, int]] = deque()
        self._lock = threading.Lock()

    def expect(self, steps: int) -> None:
        """Note that the training will take another `steps` environment steps from here."""
        with self._lock:
            self._total_steps = self._step + steps

    def update(self, scalars: Mapping[str, float], step: int, now: float) -> None:
        """Take in what was logged at environment step `step`, which may lie behind others."""
        value = scalars.get(RETURN_TAG)
        with self._lock:
            self._metrics.update(scalars)
            if value is not None and math.isfinite(value):
                self._returns.append(float(value))
            self._step = max(self._step, step)
            if not self._marks or now - self._marks[-1][0] >= MARK_INTERVAL:
                self._marks.append((now, self._step))
            # One mark that is older than the span stays, so that slow runs have two as well.
            while len(self._marks) > 2 and now - self._marks[1][0] > SPEED_SPAN:
                self._marks.popleft()

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
                step=self._step,
                total_steps=self._total_steps,
                steps_per_second=speed,
                metrics=dict(self._metrics),
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


def format_value(value: float) -> str:
    """Return a metric with four digits: `0.0003`, `187.3`, `12,345`, `1.20e-07`, `nan`."""
    value = float(value)
    size = abs(value)
    if not math.isfinite(value) or value == 0:
        return f"{value:g}"
    if size >= 1e7 or size < 1e-4:
        return f"{value:.2e}"
    if size >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def format_seconds(seconds: float) -> str:
    """Return a duration as `m:ss` or `h:mm:ss`."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def progress_parts(run: Snapshot) -> list[str]:
    """Return steps, speed and time left, as far as they are known."""
    parts = [f"{run.step:,} steps"]
    if run.total_steps is not None:
        parts = [f"{run.step:,} / {run.total_steps:,} steps"]
    if run.steps_per_second is not None:
        parts.append(f"{run.steps_per_second:,.0f} steps/s")
    if run.seconds_left is not None:
        parts.append(f"{format_seconds(run.seconds_left)} left")
    return parts


def plain_line(run: Snapshot) -> str:
    """Return the run in one line of text, for files and pipes."""
    metrics = [f"{tag}={format_value(value)}" for tag, value in run.metrics.items()]
    return f"{', '.join(progress_parts(run))} | {' '.join(metrics)}"
