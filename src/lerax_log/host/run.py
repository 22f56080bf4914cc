"""One run: where it is logged, how far it has come, and how fast."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from lerax_render.runs import Facts

from ..backends import COMPILE_TAG, AbstractLoggingBackend, HParam, Progress
from ..recordings import Recorder, VideoOptions, VideoWorker
from ..traced import Layout, Report, later
from .run_files import FINISHED, RunFiles, as_shown
from .usage import peaks

if TYPE_CHECKING:
    from ..recordings import Snapshot


class Run:
    """What the host knows of one run, from its first `learn` until it is closed.

    Attributes:
        name: The run's name.
        backend: Where it is logged.
        step: Environment steps of the furthest iteration that was logged.
        time: When that was, in seconds of a monotonic clock.
        opened: When the run was opened, likewise.
        lock: Held while an iteration is logged.

    Args:
        name: The run's name.
        backend: Not open yet; it must not raise.
        files: The run's folder; `None` where none could be made.
        videos: `None` records nothing.
        worker: Makes the recordings.
    """

    def __init__(
        self,
        name: str,
        backend: AbstractLoggingBackend,
        files: RunFiles | None,
        videos: VideoOptions | None,
        worker: VideoWorker,
    ) -> None:
        self.name = name
        self.backend = backend
        self.opened = time.monotonic()
        self.step = 0 if files is None else files.first_step
        self._files = files
        self._latest: Learn | None = None
        self._progress = Progress("training")
        self.time = 0.0
        self.lock = threading.Lock()
        self._learns: dict[int, Learn] = {}
        backend.run_folder = None if files is None else files.folder
        backend.ids = {} if files is None else files.ids
        backend.open(name)
        self.recorder = (
            Recorder(
                name,
                backend,
                None if files is None else files.folder,
                videos,
                worker,
                on_change=self.show,
            )
            if videos
            and (backend.video_formats or (videos.keep and files is not None) or videos.evaluation)
            else None
        )

    @property
    def is_idle(self) -> bool:
        """Whether every `learn` that has begun has ended."""
        return all(learn.has_ended for learn in self._learns.values())

    def start(
        self,
        number: int,
        hparams: Mapping[str, HParam],
        facts: Facts,
        compile_seconds: float | None = None,
    ) -> "Learn":
        """Begin a `learn`, which is kept alive until it has ended or the run is closed.

        Args:
            number: Its number.
            hparams: Hyperparameters to log.
            facts: What is known of it.
            compile_seconds: How long it took to trace and compile it, if it was.
        """
        # Not by what was logged: callbacks of several devices arrive in any order.
        begins = self._latest is None and self.step == 0
        learn = self._latest = Learn(self, begins, compile_seconds)
        going_on = {n: learn for n, learn in self._learns.items() if not learn.has_ended}
        self._learns = {**going_on, number: learn}
        if self.recorder:
            self.recorder.resume()
        if self._files is not None:
            ids = {**self._files.ids, **self.backend.ids}
            facts = self._files.describe(msgspec.structs.replace(facts, ids=ids))
        self.backend.log_run(as_shown(facts))
        # Where it begins comes before how long it will take.
        self.show(Progress("training", step=self.step))
        self.backend.log_hparams(hparams)
        return learn

    def show(self, progress: Progress | None = None) -> None:
        """Show how far the training is, by default as far as before, and what waits."""
        if progress is not None:
            self._progress = progress
        progress = self._progress
        if self.recorder:
            progress = replace(progress, waiting=self.recorder.waiting, note=self.recorder.note)
        self.backend.show_progress(progress)

    def log(self, scalars: Mapping[str, float], step: int | None) -> None:
        """Log a user's own values, by default at the step of the furthest iteration."""
        with self.lock:
            self.backend.log_scalars(scalars, self.step if step is None else step)

    def check_recordable(self, env: Any) -> None:
        """Have the worker find out whether the environment can be recorded, and warn if not."""
        if self.recorder:
            self.recorder.check(env)

    def close(self, otherwise: str, in_any_case: bool = False) -> None:
        """Close the run, whose recordings must be done. What arrives later is ignored.

        Args:
            otherwise: How it has ended where its latest `learn` has not.
            in_any_case: Whether it has ended so even where that has.
        """
        has_ended = self._latest is None or self._latest.has_ended
        self._learns, self._latest = {}, None
        if self.recorder:
            self.recorder.log_drops()
        if self._files is not None:
            self._files.end(FINISHED if has_ended and not in_any_case else otherwise)
        self.backend.close()
        if self._files is not None:
            self._files.release()


NOBODY = -1
"""The number of no `learn`."""

FRESH_S = 0.05
"""For how many seconds what an iteration reports may wait on the device."""


class Learn:
    """One `learn` of a run.

    Its steps are counted on from what the run has logged when its first iteration arrives, rather
    than when it is opened: a program that learns twice may open both before either has begun.

    Attributes:
        has_ended: Whether it has.
        may_wait: How many iterations may wait for each other: those of `FRESH_S`, and of a short
            training never more than have been received.
    """

    def __init__(self, run: Run, begins: bool, compile_seconds: float | None) -> None:
        self.has_ended = False
        self.may_wait = 1
        self._run = run
        self._begins = begins
        self._first_values = {} if compile_seconds is None else {COMPILE_TAG: compile_seconds}
        self._iterations = 0
        self._layout: Layout | None = None
        self._first_step: int | None = None
        self._last = Mark(0, 0, time.monotonic())

    def receive(self, layout: Layout, packets: np.ndarray) -> None:
        """Log what iterations report, once, however often it arrives.

        Args:
            layout: Layout of the packets.
            packets: Of an outbox, `int32 (rows, size)`.
        """
        with self._run.lock:
            self._layout = layout
            reports = layout.unpack(later(packets, self._last.iteration))
            if not reports:
                return
            first_step = self._begun()
            now = Mark(reports[-1].iteration, reports[-1].step, time.monotonic())
            last, self._last = self._last, now
            elapsed = {"time/elapsed": now.time - self._run.opened}
            own = {**last.speeds_until(now), **elapsed, **peaks()}
            self._iterations = reports[-1].last_iteration
            step = first_step + now.step
            self._run.show(Progress("training", now.iteration, self._iterations, step))
            for report in reports:
                first, self._first_values = self._first_values, {}
                values = {**report.scalars, **own, **first}
                self._run.backend.log_scalars(values, first_step + report.step)
            self._run.step, self._run.time = max(self._run.step, step), now.time
            seconds = (now.time - last.time) / (now.iteration - last.iteration)
            self.may_wait = max(1, int(min(now.iteration, FRESH_S / max(seconds, 1e-9))))

    def record(self, report: Report, snapshot: "Callable[[int], Snapshot]") -> None:
        """Have the worker record the snapshot of a step, if this iteration is to be recorded."""
        if self._run.recorder:
            with self._run.lock:
                step = self._begun() + report.step
            self._run.recorder.record(step, report, snapshot)

    def record_first(self, snapshot: "Callable[[int], Snapshot]") -> None:
        """Have the worker record the policy before its training, unless the run goes on."""
        if self._run.recorder and self._begins:
            report = Report(NOBODY, 0, 0, 0, {})
            self._run.recorder.record(0, report, snapshot, always=True)

    def end(self, packets: np.ndarray | None = None) -> None:
        """Bring everything that was logged to where others can read it.

        Args:
            packets: An outbox with what may not have been sent, `int32 (rows, CAPACITY)`.
        """
        if self._layout is not None and packets is not None:
            self.receive(self._layout, packets[:, : self._layout.size])
        self.has_ended = True
        self._run.show(Progress("done", self._iterations, self._iterations, self._run.step))
        self._run.backend.flush()

    def _begun(self) -> int:
        if self._first_step is None:
            self._first_step = self._run.step
            self._last = Mark(0, 0, max(self._last.time, self._run.time))
        return self._first_step


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
