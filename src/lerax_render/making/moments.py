"""When a clip begins and ends, how fast it plays, and when its captions are there."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from ..compose import Timed
from ..settings import Settings, check_steps, parsed_caption, shown
from ..video import check_fps
from .given import name_of

SMOOTH_FPS = Fraction(25)
"""Frames a second that slow motion has at least, where nobody says otherwise."""

DEFAULT_FPS = 50.0
"""Frames a second of an environment that does not say how much time a step takes."""


def wanted_steps(settings: Settings, usual: int, seconds: float | None) -> int:
    """Return how long a rollout is: as long as it was asked to be, or up to what is shown last."""
    if settings.steps is not None:
        return check_steps(settings.steps)
    return usual if settings.stop is None else max(1, step_of("stop", settings.stop, seconds))


def shown_steps(settings: Settings, steps: int, seconds: float | None) -> tuple[int, int]:
    """Return the first step that is shown, and the one after the last.

    Raises:
        ValueError: They are not in that order within so many steps.
    """
    start = 0 if settings.start is None else step_of("start", settings.start, seconds)
    stop = steps if settings.stop is None else step_of("stop", settings.stop, seconds)
    if not start < stop <= steps:
        raise ValueError(
            f"a clip from step {start} to {stop} of {steps} steps has nothing in it: start must be "
            f"below stop, and stop at most {steps}"
        )
    return start, stop


def step_of(name: str, moment: int | float, seconds: float | None) -> int:
    """Return the step of a moment, which is a step or a time in seconds.

    Raises:
        ValueError: It is a time, and there is no knowing how long a step is.
    """
    if isinstance(moment, int):
        return moment
    if seconds is None:
        raise ValueError(
            f"{name} is {moment:g} seconds, and this environment does not say how long a step is: "
            f"give a step, a whole number"
        )
    return round(moment / seconds)


def smooth_fps(settings: Settings, fps: Fraction) -> Fraction | None:
    """Return the frame rate that slow motion reaches with frames between steps."""
    if settings.speed >= 1:
        return None
    return max(fps, SMOOTH_FPS) if settings.fps is None else fps


def timed(captions: Sequence[str], begin: int, last: int, seconds: float | None) -> list[Timed]:
    """Return captions by steps.

    Args:
        captions: As they were given.
        begin: The first step of the clip.
        last: The one after the last.
        seconds: Of a step.

    Raises:
        ValueError: One would never be seen.
    """
    found = []
    for text, start, stop in map(parsed_caption, captions):
        first = 0 if start is None else step_of("caption", start, seconds)
        end = None if stop is None else step_of("caption", stop, seconds)
        if first >= last or (end is not None and end <= max(first, begin)):
            raise ValueError(
                f"the caption {shown(text)} is for steps from {first} to "
                f"{'the end' if end is None else end}, and the clip shows {begin} to {last}"
            )
        found.append((text, first, end))
    return found


def within(captions: Sequence[Timed], begin: int) -> list[Timed]:
    """Return captions by the steps of a part of a clip, which begins with step `begin`."""
    return [
        (text, max(first - begin, 0), None if end is None else end - begin)
        for text, first, end in captions
    ]


def real_time(env: Any, seconds_per_step: float | None) -> Fraction:
    """Return the frame rate of a clip in real time.

    Raises:
        ValueError: No clip has such a rate.
    """
    try:
        return check_fps(frames_per_second(seconds_per_step))
    except ValueError as error:
        raise ValueError(
            f"a step of {name_of(env)} takes {seconds_per_step:g} s by its dt, and a clip in real "
            f"time would have {1 / (seconds_per_step or 1):g} frames a second, where 0.01 to 1000 "
            "are possible: give fps=, or mend env.dt, which is in seconds"
        ) from error


def frames_per_second(seconds_per_step: float | None) -> Fraction:
    """Return the frame rate that shows steps of this length in real time, or `DEFAULT_FPS`."""
    return Fraction(1 / seconds_per_step if seconds_per_step else DEFAULT_FPS).limit_denominator(
        1000
    )
