"""Which moments of a replay a figure shows, and what they are called."""

from collections.abc import Sequence

import numpy as np

from ..making import step_of
from ..replay import Replay
from ..settings import FigureSettings
from .panels import Span

_USUAL = 6
_MOST_DECIMALS = 3
# A label is right where it is off by no more than this share of the time between two moments.
_OFF = 0.01


def asked_for(settings: FigureSettings, seconds: float | None) -> list[int] | None:
    """Return the steps that were asked for in so many words, in order; `None` for a number of them.

    Raises:
        ValueError: A time was asked for, and there is no knowing how long a step is.
    """
    if not isinstance(settings.at, Sequence):
        return None
    return sorted({step_of("at", moment, seconds) for moment in settings.at})


def number_of(settings: FigureSettings) -> int:
    """Return how many moments there are at most."""
    if isinstance(settings.at, Sequence):
        return len(set(settings.at))
    return settings.at or (1 if settings.kind == "trajectory" else _USUAL)


def check_within(steps: Sequence[int] | None, length: int) -> None:
    """Raise `ValueError` where a moment comes after the last step."""
    late = [step for step in steps or () if step >= length]
    if late:
        raise ValueError(f"at has step {late[0]}, and there are steps 0 to {length - 1}")


def span_of(replay: Replay, steps: Sequence[int] | None) -> Span:
    """Return what a figure is of: between the steps asked for, else the first episode."""
    if steps is not None and len(steps) > 1:
        return Span(steps[0], steps[-1] + 1)
    stop = replay.steps
    if replay.episode_starts is not None and replay.episode_starts[1:].any():
        stop = 1 + int(replay.episode_starts[1:].argmax())
    if steps is not None:
        stop = max(stop, steps[-1] + 1)
    return Span(0, stop)


def spread(span: Span, count: int) -> list[int]:
    """Return so many steps, evenly from the first to the last; of one, the last."""
    if count == 1:
        return [span.stop - 1]
    return sorted(set(np.linspace(span.start, span.stop - 1, count).round().astype(int).tolist()))


def labels(settings: FigureSettings, steps: Sequence[int], seconds: float | None) -> list[str]:
    """Return what says when each of these steps was; empty texts where nothing does."""
    unit = settings.times or ("steps" if seconds is None else "seconds")
    if unit == "none":
        return [""] * len(steps)
    if unit == "steps":
        return [f"step {step}" for step in steps]
    if seconds is None:
        raise ValueError(
            "times='seconds' was given, and this environment does not say how long a step is: "
            "take times='steps'"
        )
    times = np.array(steps) * seconds
    apart = float(np.diff(times).min()) if len(times) > 1 else seconds
    decimals = 0
    while decimals < _MOST_DECIMALS and np.abs(times.round(decimals) - times).max() > _OFF * apart:
        decimals += 1
    return [f"{time:.{decimals}f} s" for time in times]
