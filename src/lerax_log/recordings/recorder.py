"""The recordings of one run: which are made, and what becomes of them."""

import logging
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lerax_render.errors import RenderError, UnsupportedEnvError, described, warn
from lerax_render.runs import place_of

from ..backends import AbstractLoggingBackend
from ..traced import Report
from .options import ClipSettings, VideoOptions
from .selection import Selection
from .worker import VideoWorker

if TYPE_CHECKING:
    from .recording import Attempt, Snapshot

_log = logging.getLogger(__name__)

MAX_FAILURES = 3
"""Recordings in a row that fail for the same reason before recording pauses."""


class Recorder:
    """Has a worker record a run, and warns of what goes wrong.

    Args:
        name: The run's name.
        backend: Where clips are logged, open.
        folder: The run's, where clips are kept; `None` where there is none.
        videos: When and how.
        worker: Makes the recordings.
    """

    def __init__(
        self,
        name: str,
        backend: AbstractLoggingBackend,
        folder: Path | None,
        videos: VideoOptions,
        worker: VideoWorker,
    ) -> None:
        self._name = name
        self._backend = backend
        self._folder = folder if videos.keep else None
        self._videos = videos
        self._worker = worker
        self._selection = Selection(videos.record_when)
        self._dropped = 0
        self._paused = False
        self._failure: tuple[object, int] = (None, 0)
        # The failure that was warned of last, which is not worth a second warning.
        self._told = ""
        # Where the run's camera stands: further off when there is more to show.
        self._view: Any = None

    def resume(self) -> None:
        """Record again after recording has paused."""
        self._paused = False
        self._failure = (None, 0)

    def check(self, env: Any) -> None:
        """Have the worker find out whether `env` can be recorded, and warn if not."""
        self._worker.submit(
            None, partial(self._check, env, self._videos.clip), give_up=self._check_given_up
        )

    def record(self, step: int, report: Report, snapshot: "Callable[[int], Snapshot]") -> None:
        """Have the worker record the snapshot of a step, if this iteration is to be recorded."""
        # Imported where it is needed: a run without videos loads nothing that paints.
        from .recording import Attempt

        if self._paused or not self._videos.is_due(report):
            return
        try:
            if not self._selection.claim(step, report.scalars):
                return
        except (Exception, SystemExit) as error:
            tags = ", ".join(report.scalars)
            self._failed(
                step,
                error,
                f"nothing is recorded at step {step}, since record_when, given the scalars {tags}, "
                "raised ",
            )
            return
        attempt = Attempt()
        self._worker.submit(
            self,
            partial(self._record, snapshot(step), attempt),
            give_up=partial(self._given_up, step, attempt),
            drop=partial(self._drop, step),
        )

    def log_drops(self) -> None:
        """Log how many recordings were dropped, if more than the one that was warned of."""
        if self._dropped > 1:
            _log.warning("run %s: %d recordings were dropped in all", self._name, self._dropped)

    def _record(self, snapshot: "Snapshot", attempt: "Attempt") -> None:
        from .recording import record_clips

        step = snapshot.step
        if self._paused:
            self._selection.settle(step, made=False)
            return
        try:
            recorded = record_clips(
                snapshot,
                self._videos.clip,
                frozenset(self._backend.video_formats),
                None if self._folder is None else place_of(self._folder, "video", step),
                attempt,
                self._view,
            )
            if not self._worker.settle():
                return
            self._view = recorded.view
            self._backend.log_scalars(recorded.scalars, step)
            for format in self._backend.video_formats:
                self._backend.log_video("eval/video", recorded.videos[format], step)
        # A user's `render` may call what calls `sys.exit`.
        except (Exception, SystemExit) as error:
            # What was given up fails because of that, and has been reported.
            if self._worker.settle():
                self._failed(step, error)
        else:
            self._selection.settle(step, made=True)
            self._failure = (None, 0)
            self._told = ""

    def _given_up(self, step: int, attempt: "Attempt", place: str | None) -> None:
        attempt.give_up()
        if place is None:
            self._selection.settle(step, made=False)
        else:
            self._failed(step, self._too_long(place))

    def _check(self, env: Any, clip: ClipSettings) -> None:
        from .recording import check_recordable

        try:
            check_recordable(env, clip)
        except Exception as error:
            if self._worker.settle():
                self._check_failed(error)

    def _check_given_up(self, place: str | None) -> None:
        if place is not None:
            self._check_failed(self._too_long(place))

    def _check_failed(self, error: Exception) -> None:
        outlook = "they will be tried again when the first recording is due"
        if isinstance(error, UnsupportedEnvError):
            self._paused = True
            outlook = "none will be tried in this training"
        self._told = _described(error)
        _log.info("nothing can be recorded", exc_info=error)
        warn(
            f"run {self._name}: videos were asked for but cannot be made: {self._told}. "
            f"The training goes on; {outlook}"
        )

    def _too_long(self, place: str) -> TimeoutError:
        return TimeoutError(
            f"it was given up after {self._videos.time_limit:g} s, at {place}. If it is slow "
            "rather than stuck, raise video_time_limit"
        )

    def _failed(self, step: int, error: BaseException, what: str | None = None) -> None:
        """Say that a recording failed, or `what` else has ended with this error."""
        self._selection.settle(step, made=False)
        cause, told = _cause(error), self._told
        self._told = _described(error)
        before, count = self._failure
        self._failure = (cause, count + 1 if cause == before else 1)
        outlook = "the next recording will be tried"
        if self._failure[1] >= MAX_FAILURES:
            self._paused = True
            outlook = (
                f"recording pauses until the next learn(), since {MAX_FAILURES} recordings in a "
                "row have failed for the same reason"
            )
        _log.info("the recording at step %d failed", step, exc_info=error)
        message = (
            f"run {self._name}: {what or f'the recording at step {step} failed: '}{self._told}. "
            f"The training goes on; {outlook}"
        )
        if self._told == told and not self._paused:
            _log.info(message)
        else:
            warn(message)

    def _drop(self, step: int) -> None:
        self._selection.settle(step, made=False)
        self._dropped += 1
        if self._dropped == 1:
            warn(
                f"run {self._name}: the recording at step {step} was dropped, since recordings "
                "take longer than the training needs from one to the next. Raise video_interval, "
                "lower video_num_steps, or have the training wait with "
                'video_mode="block". This is said once; the number of dropped recordings is '
                "logged when the run is closed"
            )


def warn_unless_drawable(env: Any) -> None:
    """Warn if nothing here knows how to draw `env`."""
    from lerax_render.sources import find_source

    try:
        find_source(env)
    except Exception as error:
        warn(f"there will be no videos: {type(error).__name__}: {error}")


def _cause(error: BaseException) -> object:
    while isinstance(error, RenderError) and error.__cause__ is not None:
        error = error.__cause__
    # The place that raised rather than the message, which may name a step or a temporary file.
    frames = traceback.extract_tb(error.__traceback__)
    where = (frames[-1].filename, frames[-1].lineno) if frames else None
    return type(error), where


def _described(error: BaseException) -> str:
    if isinstance(error, RenderError | OSError):
        return f"{type(error).__name__}: {error}".rstrip(".")
    # What a user's own `render` raises, for instance, says little without its place.
    return f"{described(error)} (the traceback is in the log of {__name__!r}, at level INFO)"
