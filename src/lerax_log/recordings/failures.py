"""What goes wrong with recordings: when it is said, and when no more are tried."""

import logging
import traceback

from lerax_render.errors import RenderError, described, warn

_log = logging.getLogger(__name__)

MAX_FAILURES = 3
"""Failures in a row for the same reason before what fails pauses."""


class Failures:
    """The failures of one kind of work for one run.

    Args:
        run: The run's name.
        work: What fails, such as "recording".

    Attributes:
        paused: Whether nothing of this kind is tried.
        told: The failure that was warned of last, which is not worth a second warning.
    """

    def __init__(self, run: str, work: str) -> None:
        self._run = run
        self._work = work
        self._last: tuple[object, int] = (None, 0)
        self.paused = False
        self.told = ""

    def resume(self) -> None:
        """Try again after a pause."""
        self.paused = False
        self._last = (None, 0)

    def succeeded(self) -> None:
        """Note that the work was done."""
        self._last = (None, 0)
        self.told = ""

    def add(self, what: str, error: BaseException) -> None:
        """Say that something has ended with this error.

        Args:
            what: What has, up to the error's own words.
            error: What was raised.
        """
        cause, told = cause_of(error), self.told
        self.told = say(error)
        before, count = self._last
        self._last = (cause, count + 1 if cause == before else 1)
        outlook = f"the next {self._work} will be tried"
        if self._last[1] >= MAX_FAILURES:
            self.paused = True
            outlook = (
                f"{self._work} pauses until the next learn(), since {MAX_FAILURES} "
                f"{self._work}s in a row have failed for the same reason"
            )
        _log.info(what, exc_info=error)
        message = f"run {self._run}: {what}{self.told}. The training goes on; {outlook}"
        if self.told == told and not self.paused:
            _log.info(message)
        else:
            warn(message)


def cause_of(error: BaseException) -> object:
    """Return the type of an error and where it was raised, whatever its message says."""
    while isinstance(error, RenderError) and error.__cause__ is not None:
        error = error.__cause__
    # The place that raised rather than the message, which may name a step or a temporary file.
    frames = traceback.extract_tb(error.__traceback__)
    where = (frames[-1].filename, frames[-1].lineno) if frames else None
    return type(error), where


def say(error: BaseException) -> str:
    """Return what an error says, with its place where that is in a user's code."""
    if isinstance(error, RenderError | OSError):
        return f"{type(error).__name__}: {error}".rstrip(".")
    # What a user's own `render` raises, for instance, says little without its place.
    return f"{described(error)} (the traceback is in the log of {__name__!r}, at level INFO)"
