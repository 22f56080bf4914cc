"""The recordings of one run: which are made, and what becomes of them.

A policy acts soon, and is painted when there is time: what it did is small, and is kept in the
run's folder, so that nothing is lost where painting cannot keep up.
"""

import logging
import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lerax_render.errors import UnsupportedEnvError, warn

from ..backends import AbstractLoggingBackend
from ..traced import Report
from .failures import Failures, say
from .options import VideoOptions
from .selection import Selection
from .worker import VideoWorker

if TYPE_CHECKING:
    from .keeping import Keeper
    from .recording import Acted, Attempt
    from .template import Snapshot

_log = logging.getLogger(__name__)

WAITING_BYTES = 500_000_000
"""So much of policies that have not acted, and of what was captured and not kept, may wait."""

WAITING = 2, 64
"""So many of either wait at least, and at most."""


class Recorder:
    """Has a worker record a run, and warns of what goes wrong.

    Args:
        name: The run's name.
        backend: Where clips are logged, open.
        folder: The run's; `None` where there is none.
        videos: When and how.
        worker: Makes the recordings.
        on_change: Called when a recording has been made, or has failed, on the worker's thread, and
            when `note` has changed, on any.

    Attributes:
        note: What makes a recording take long, or "".
    """

    def __init__(
        self,
        name: str,
        backend: AbstractLoggingBackend,
        folder: Path | None,
        videos: VideoOptions,
        worker: VideoWorker,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self._on_change = on_change
        self.note = ""
        self._name = name
        self._backend = backend
        self._folder = folder if videos.keep else None
        self._videos = videos
        self._worker = worker
        self._selection = Selection(videos.record_when)
        self._acting = Failures(name, "recording")
        self._painting = Failures(name, "painting")
        self._dropped = 0
        self._unpainted: list[int] = []
        self._keeper: Keeper | None = None
        # Where the run's camera stands: further off when there is more to show.
        self._view: Any = None

    @property
    def waiting(self) -> int:
        """Number of recordings that are not made or not painted yet."""
        return self._worker.count(self)

    def resume(self) -> None:
        """Record again after recording has paused."""
        self._acting.resume()
        self._painting.resume()

    def check(self, env: Any) -> None:
        """Have the worker find out whether `env` can be recorded, and warn if not."""
        self._worker.submit(None, partial(self._check, env), give_up=self._check_given_up)

    def record(
        self,
        step: int,
        report: Report,
        snapshot: "Callable[[int], Snapshot]",
        always: bool = False,
    ) -> None:
        """Have the worker record the snapshot of a step, if this iteration is to be recorded.

        Args:
            step: Environment steps of the run.
            report: What the iteration reports.
            snapshot: Returns the snapshot of a step.
            always: Whether it is recorded whatever `record_when` says.
        """
        # Imported where it is needed: a run without videos loads nothing that paints.
        from .recording import Attempt

        if self._acting.paused:
            return
        evaluation = self._videos.evaluation
        evaluates = evaluation is not None and evaluation.is_due(report)
        records = self._videos.is_due(report) and (always or self._is_chosen(step, report))
        if not evaluates and not records:
            return
        attempt, taken = Attempt(), snapshot(step)
        self._worker.submit(
            self,
            partial(self._told, partial(self._act, taken, attempt, records, evaluates)),
            give_up=partial(self._given_up, step, attempt),
            drop=partial(self._drop, step),
            limit=WAITING[0] if self._videos.block else _most_waiting(taken.num_bytes),
            place=step,
        )

    def _is_chosen(self, step: int, report: Report) -> bool:
        """Whether `record_when` wants the recording of a step."""
        try:
            return self._selection.claim(step, report.scalars)
        except (Exception, SystemExit) as error:
            self._selection.settle(step, made=False)
            tags = ", ".join(report.scalars)
            self._acting.add(
                f"nothing is recorded at step {step}, since record_when, given the scalars {tags}, "
                "raised ",
                error,
            )
            return False

    def log_drops(self) -> None:
        """Say how many recordings were dropped, if more than the one that was warned of."""
        if self._dropped > 1:
            _log.warning("run %s: %d recordings were dropped in all", self._name, self._dropped)
        keeper = self._kept_by()
        if keeper is not None and (count := sum(map(keeper.is_unpainted, self._unpainted))):
            warn(
                f"run {self._name}: recordings that are not painted, but kept as replays: "
                f"{count}. This paints them: lerax-render paint {self._folder}"
            )

    def _told(self, work: Callable[[], None]) -> None:
        from lerax_render.system import give_back_memory

        # What compiling `learn` took, before the rollout, a painter and ffmpeg take theirs.
        give_back_memory()
        try:
            work()
        finally:
            give_back_memory()
            self._on_change()

    def _say(self, note: str) -> None:
        self.note = note
        self._on_change()

    def _act(
        self, snapshot: "Snapshot", attempt: "Attempt", records: bool, evaluates: bool
    ) -> None:
        from lerax_render.acting import compilation_said

        from .evaluating import scores_of
        from .recording import act, evaluate, show

        step, clip = snapshot.step, self._videos.clip
        acted: Acted | None = None
        kept: dict[str, Any] = {}
        if self._acting.paused:
            self._selection.settle(step, made=False)
            return
        try:
            with compilation_said(snapshot.template.env_name, self._say):
                counted = evaluate(snapshot) if evaluates else None
                if records:
                    picked = counted.replays if counted else []
                    acted = show(snapshot, clip, picked) if picked else act(snapshot, clip)
                # A recording that is too long to be held, or is pixels, is painted as it happens.
                painted = self._painted(acted, attempt) if acted and not acted.replays else None
            if not self._worker.settle():
                return
            scalars = scores_of(counted.episodes) if counted else {}
            if acted is not None:
                keeper = self._kept_by()
                kept = keeper.keep(step, acted.replays, acted.policy) if keeper else {}
                if acted.scores is not None and not counted:
                    scalars = acted.scores.scalars()
            self._backend.log_scalars(scalars, step)
            if acted is not None:
                told = {tag.removeprefix("eval/"): value for tag, value in scalars.items()}
                self._backend.log_recording({**kept, "video": None, **told}, step)
            if painted is not None:
                self._log(step, painted)
        # A user's `render` may call what calls `sys.exit`.
        except (Exception, SystemExit) as error:
            # What was given up fails because of that, and has been reported.
            if self._worker.settle():
                self._failed(step, error)
        else:
            self._selection.settle(step, made=True)
            self._acting.succeeded()
            if acted is not None and acted.replays is not None:
                self._have_painted(acted, is_kept=kept.get("replay") is not None)

    def _have_painted(self, acted: "Acted", is_kept: bool) -> None:
        """Have the worker paint what a policy did: now, or when there is time."""
        from lerax_render.replay import bytes_of

        from .recording import Attempt

        if not self._backend.video_formats and self._folder is None:
            return
        attempt, block = Attempt(), self._videos.block
        held = None if is_kept and not block else acted
        size = 0 if held is None else sum(map(bytes_of, acted.replays or ()))
        self._worker.submit(
            None if block else self,
            partial(self._told, partial(self._paint, acted.step, held, attempt)),
            give_up=partial(self._painting_given_up, acted.step, attempt),
            drop=partial(self._not_painted if is_kept else self._drop, acted.step),
            limit=math.inf if held is None else _most_waiting(size),
            place=acted.step,
            late=not block,
            next=block,
        )

    def _paint(self, step: int, acted: "Acted | None", attempt: "Attempt") -> None:
        from .recording import of_replays, page_of

        if self._painting.paused:
            self._not_painted(step)
            return
        try:
            if acted is None:
                keeper = self._kept_by()
                replays = keeper.load(step) if keeper else None
                if replays is None:
                    return
                acted = of_replays(replays, step)
            painted = self._painted(acted, attempt)
            wanted = acted.replays if self._backend.takes_pages else None
            page = page_of(wanted, self._videos.clip) if wanted else ""
            if not self._worker.settle():
                return
            self._log(step, painted)
            if page:
                self._backend.log_page("eval/page", page, step)
        except (Exception, SystemExit) as error:
            if self._worker.settle():
                self._not_painted(step)
                self._painting.add(f"the recording at step {step} could not be painted: ", error)
        else:
            self._painting.succeeded()

    def _painted(self, acted: "Acted", attempt: "Attempt") -> Any:
        from .recording import paint

        targets: dict[str, Path | None] = dict.fromkeys(sorted(self._backend.video_formats))
        if keeper := self._kept_by():
            targets["mp4"] = keeper.clip_path(acted.step)
        if not targets:
            targets["mp4"] = None
        return paint(acted, self._videos.clip, targets, attempt, self._view)

    def _log(self, step: int, painted: Any) -> None:
        videos, self._view = painted
        for format in self._backend.video_formats:
            self._backend.log_video("eval/video", videos[format], step)
        if keeper := self._kept_by():
            path = keeper.clip_path(step)
            self._backend.log_recording({"video": f"{path.parent.name}/{path.name}"}, step)
            keeper.make_room()

    def _kept_by(self) -> "Keeper | None":
        from .keeping import Keeper

        if self._keeper is None and self._folder is not None:
            self._keeper = Keeper(self._folder, self._videos.policies, self._videos.most_bytes)
        return self._keeper

    def _given_up(self, step: int, attempt: "Attempt", place: str | None) -> None:
        attempt.give_up()
        if place is None:
            self._selection.settle(step, made=False)
        else:
            self._failed(step, self._too_long(place))

    def _painting_given_up(self, step: int, attempt: "Attempt", place: str | None) -> None:
        attempt.give_up()
        self._not_painted(step)
        if place is not None:
            self._painting.add(
                f"the recording at step {step} could not be painted: ", self._too_long(place)
            )

    def _check(self, env: Any) -> None:
        from .recording import check_recordable

        try:
            check_recordable(env, self._videos.clip)
        except Exception as error:
            if self._worker.settle():
                self._check_failed(error)

    def _check_given_up(self, place: str | None) -> None:
        if place is not None:
            self._check_failed(self._too_long(place))

    def _check_failed(self, error: Exception) -> None:
        outlook = "they will be tried again when the first recording is due"
        if isinstance(error, UnsupportedEnvError):
            self._acting.paused = True
            outlook = "none will be tried in this training"
        # It would fail again, for a reason that was told.
        self._acting.told = self._painting.told = say(error)
        _log.info("nothing can be recorded", exc_info=error)
        warn(
            f"run {self._name}: videos were asked for but cannot be made: {say(error)}. "
            f"The training goes on; {outlook}"
        )

    def _too_long(self, place: str) -> TimeoutError:
        return TimeoutError(
            f"it was given up after {self._videos.time_limit:g} s, at {place}. If it is slow "
            "rather than stuck, raise video_time_limit"
        )

    def _failed(self, step: int, error: BaseException) -> None:
        self._selection.settle(step, made=False)
        self._acting.add(f"the recording at step {step} failed: ", error)

    def _not_painted(self, step: int) -> None:
        self._unpainted.append(step)

    def _drop(self, step: int) -> None:
        self._selection.settle(step, made=False)
        self._dropped += 1
        if self._dropped == 1:
            warn(
                f"run {self._name}: the recording at step {step} was dropped, since recordings "
                "take longer than the training needs from one to the next. Those that stay are "
                "spread over the training. Raise video_interval, lower video_num_steps, or have "
                'the training wait with video_mode="block". This is said once; the number of '
                "dropped recordings is logged when the run is closed"
            )


def _most_waiting(num_bytes: int) -> int:
    least, most = WAITING
    return max(least, min(most, WAITING_BYTES // max(num_bytes, 1)))
