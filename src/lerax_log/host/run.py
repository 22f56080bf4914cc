"""One run: its step count, its speed, and its recordings."""

import logging
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lerax_render.errors import RenderError, UnsupportedEnvError, warn

from ..backends import HParam
from ..recordings import ClipSettings, VideoOptions, VideoWorker
from ..traced import Report
from .fan_out import RunBackends

if TYPE_CHECKING:
    from ..recordings import Attempt, Snapshot

_log = logging.getLogger(__name__)

MAX_FAILURES = 3
"""Recordings that fail in a row with the same cause before recording pauses."""


class Run:
    """What the host knows of one run, from its first `learn` until it is closed.

    Args:
        backends: Of this run, not open yet.
        videos: `None` records nothing.
        worker: Makes the recordings.
    """

    def __init__(
        self, backends: RunBackends, videos: VideoOptions | None, worker: VideoWorker
    ) -> None:
        self.backends = backends
        self.name = backends.name
        self.is_fresh = False
        self._videos = videos
        self._worker = worker
        self._lock = threading.Lock()
        self._first_step = 0
        self._last = Mark(0, 0, 0.0)
        self._best = -float("inf")
        self._dropped = 0
        self._paused = False
        self._failure: tuple[object, int] = (None, 0)
        # The failure that was reported last, which is not worth a second warning.
        self._told = ""
        backends.open()

    def start(self, hparams: Mapping[str, HParam]) -> None:
        """Begin a `learn`, whose steps are counted on from what has been logged."""
        with self._lock:
            self.is_fresh = True
            self._first_step += self._last.step
            self._last = Mark(0, 0, time.monotonic())
            self._paused = False
            self._failure = (None, 0)
        self.backends.log_hparams(hparams)

    def check_recordable(self, env: Any) -> None:
        """Have the worker find out whether anything can be recorded, and warn if not."""
        if self._wants_videos():
            assert self._videos is not None
            check = partial(self._check, env, self._videos.clip)
            self._worker.submit(None, check, self._check_given_up)

    def receive(self, reports: Sequence[Report]) -> None:
        """Log what consecutive iterations of the `learn` under way have reported."""
        now = time.monotonic()
        with self._lock:
            self.is_fresh = False
            last, self._last = self._last, Mark(reports[-1].iteration, reports[-1].step, now)
            speeds = last.speeds_until(self._last)
            for report in reports:
                self.backends.log_scalars(
                    {**report.scalars, **speeds}, self._first_step + report.step
                )

    def record(self, report: Report, snapshot: "Callable[[int], Snapshot]") -> None:
        """Have the worker record the snapshot of a step, if this iteration is to be recorded."""
        # Imported where it is needed: a run without videos loads nothing that paints.
        from ..recordings import Attempt

        step = self._first_step + report.step
        if self._paused or not self._wants_videos():
            return
        try:
            if not self._is_wanted(report):
                return
        except Exception as error:
            self._failed(step, error)
            return
        attempt = Attempt()
        record = partial(self._record, snapshot(step), attempt)
        if self._worker.submit(self, record, partial(self._given_up, step, attempt)):
            self._drop(step)

    def end(self) -> None:
        """End a `learn`: everything logged so far is brought to where others can read it."""
        self.is_fresh = False
        self.backends.flush()

    def close(self) -> None:
        """Close the run; its recordings must be done."""
        if self._dropped > 1:
            _log.warning("run %s: %d recordings were dropped in all", self.name, self._dropped)
        self.backends.close()

    def _wants_videos(self) -> bool:
        return self._videos is not None and bool(self.backends.video_formats)

    def _is_wanted(self, report: Report) -> bool:
        assert self._videos is not None
        if not self._videos.is_due(report):
            return False
        when = self._videos.record_when
        if when == "always":
            return True
        if callable(when):
            return bool(when(dict(report.scalars)))
        score = report.scalars.get("episode/return", float("nan"))
        if not score > self._best:
            return False
        self._best = score
        return True

    def _record(self, snapshot: "Snapshot", attempt: "Attempt") -> None:
        from ..recordings import recording

        assert self._videos is not None
        step = snapshot.step
        if self._paused:
            return
        try:
            recorded = recording.record_clips(
                snapshot,
                self._videos.clip,
                self.backends.video_formats,
                self._clip_path(step) if self._videos.keep else None,
                attempt,
            )
            if not self._worker.settle():
                return
            self.backends.log_scalars(recorded.scalars, step)
            self.backends.log_video("eval/video", recorded.videos, step)
        # A user's `render` may call what calls `sys.exit`.
        except (Exception, SystemExit) as error:
            # What was given up has been reported, and fails because of that.
            if self._worker.settle():
                self._failed(step, error)
        else:
            self._failure = (None, 0)
            self._told = ""

    def _given_up(self, step: int, attempt: "Attempt", place: str | None) -> None:
        attempt.give_up()
        if place is not None:
            self._failed(step, self._too_long(place))

    def _clip_path(self, step: int) -> Path:
        # Backends without a folder, such as the console, show where this is.
        folder = self.backends.run_dir or Path("logs") / self.name
        return folder / "videos" / f"step_{step:09d}.mp4"

    def _check(self, env: Any, clip: ClipSettings) -> None:
        from ..recordings import recording

        try:
            recording.check_recordable(env, clip)
        except Exception as error:
            if self._worker.settle():
                self._check_failed(error)

    def _check_given_up(self, place: str | None) -> None:
        if place is not None:
            self._check_failed(self._too_long(place))

    def _check_failed(self, error: Exception) -> None:
        outlook = "it is tried again when the first recording is due"
        if isinstance(error, UnsupportedEnvError):
            self._paused = True
            outlook = "none will be tried in this training"
        self._told = _described(error)
        _log.info("nothing can be recorded", exc_info=error)
        warn(
            f"run {self.name}: videos were asked for and cannot be made: {self._told}. "
            f"The training goes on; {outlook}"
        )

    def _too_long(self, place: str) -> TimeoutError:
        assert self._videos is not None
        return TimeoutError(
            f"it was not done after {self._videos.time_limit:g} s, was at {place}, and was given "
            "up. If it is slow and does not hang, raise video_time_limit"
        )

    def _failed(self, step: int, error: BaseException) -> None:
        cause, told = _cause(error), self._told
        self._told = _described(error)
        before, count = self._failure
        self._failure = (cause, count + 1 if cause == before else 1)
        outlook = "the next recording is tried again"
        if self._failure[1] >= MAX_FAILURES:
            self._paused = True
            outlook = (
                f"recording pauses until the next learn(), since {MAX_FAILURES} recordings in a "
                "row have failed with the same cause"
            )
        _log.info("the recording at step %d failed", step, exc_info=error)
        message = (
            f"run {self.name}: the recording at step {step} failed: {self._told}. The training "
            f"goes on; {outlook}"
        )
        if self._told == told and not self._paused:
            _log.info(message)
        else:
            warn(message)

    def _drop(self, step: int) -> None:
        self._dropped += 1
        if self._dropped == 1:
            warn(
                f"run {self.name}: recordings take longer than the training needs from one to "
                f"the next; with the one at step {step} due, the oldest of those waiting was "
                "dropped. Raise video_interval, lower video_num_steps, or have the training wait "
                'with video_mode="block". Said once; the number is logged when the run is closed'
            )


@dataclass(frozen=True)
class Mark:
    """Where a `learn` was at one moment, in seconds of a monotonic clock."""

    iteration: int
    step: int
    time: float

    def speeds_until(self, later: "Mark") -> dict[str, float]:
        """Return the speeds between two moments, nothing where no time has passed."""
        seconds = later.time - self.time
        if seconds <= 0:
            return {}
        return {
            "time/iterations_per_second": (later.iteration - self.iteration) / seconds,
            "time/steps_per_second": (later.step - self.step) / seconds,
        }


def _cause(error: BaseException) -> object:
    # The place that raised rather than the message, which may name a step or a temporary file.
    frames = traceback.extract_tb(error.__traceback__)
    where = (frames[-1].filename, frames[-1].lineno) if frames else None
    return type(error), where


def _described(error: BaseException) -> str:
    text = f"{type(error).__name__}: {error}".rstrip(".")
    if isinstance(error, RenderError | OSError):
        return text
    # Such as what a user's own `render` raises: not written to be read without its place.
    return f"{text} (the traceback is in the log of {__name__!r}, at level INFO)"
