"""Sessions: which runs a callback has, and how long the host remembers it.

Two things keep a session alive: the handle in its callback, and open runs. Traced code and
compilation caches do not, since they have only its number. JAX may return from `learn` before the
training has begun, so that of `learn(callback=LoggingCallback(...))` may call back when its
callback is gone: the latest few sessions are therefore kept, too, until they are closed.
"""

import atexit
import contextlib
import copy
import itertools
import logging
import os
import sys
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from math import isfinite
from pathlib import Path
from typing import Any
from weakref import WeakSet, WeakValueDictionary

import jax

from lerax_render.errors import warn
from lerax_render.runs import Facts
from lerax_render.settings import Settings, as_written

from ..backends import (
    TOTAL_TIMESTEPS,
    AbstractLoggingBackend,
    FanOut,
    HParam,
    Progress,
    Stage,
)
from ..recordings import VideoOptions, VideoWorker
from ..traced import SEED, ordered
from . import program
from .compilation import Compilation
from .run import Learn, Run
from .run_files import INTERRUPTED, RunFiles, claim, lane_name
from .run_names import TIME, USUAL, filled
from .start import Start
from .together import LaneBackend, Together

_log = logging.getLogger(__name__)

KEPT = 64
"""How many of the latest sessions are kept without a handle; JAX does not queue that many trainings
at once."""

_numbers = itertools.count()
_sessions: WeakValueDictionary[int, "Session"] = WeakValueDictionary()
_learns: WeakValueDictionary[int, Learn] = WeakValueDictionary()
_latest: deque["Session"] = deque(maxlen=KEPT)
_with_runs: set["Session"] = set()


class Session:
    """The runs of one callback, one for each lane of its latest `learn`.

    Args:
        backend: Not open yet, and must not raise. Several lanes get copies of it.
        name: The run's name, or a template of it.
        log_dir: Where runs' folders are made.
        resume: Whether to go on in a run of that name.
        videos: `None` records nothing.
        hparams: The user's own hyperparameters, which take precedence.
    """

    def __init__(
        self,
        backend: AbstractLoggingBackend,
        *,
        name: str | None,
        videos: VideoOptions | None,
        hparams: Mapping[str, HParam],
        log_dir: Path = Path("logs"),
        resume: bool = False,
    ) -> None:
        _close_abandoned()
        self.number = next(_numbers)
        # The handles of its callback, see `handles`.
        self.handles: WeakSet[Any] = WeakSet()
        self._backend = backend
        self._backend_is_free = True
        self._unopened = copy.copy(backend)
        self._name = USUAL if name is None else name
        self._log_dir = log_dir
        self._resume = resume
        self._base_name = ""
        # By lane, those whose runs are still to be opened.
        self._folders: dict[int, RunFiles] = {}
        self._videos = videos
        self._hparams = dict(hparams)
        time_limit = videos.time_limit if videos else float("inf")
        self._worker = VideoWorker(block=videos is not None and videos.block, time_limit=time_limit)
        self._process = os.getpid()
        self._lanes = 0
        self._compilation: Compilation | None = None
        self._runs: dict[int, Run] = {}
        self._together: Together | None = None
        self._lock = threading.Lock()
        _sessions[self.number] = self
        _latest.append(self)

    @property
    def clip(self) -> Settings | None:
        """What its clips look like; `None` where there are none."""
        return self._videos.clip if self._videos else None

    @property
    def run_names(self) -> tuple[str, ...]:
        """Names of the open runs, in the order of their lanes."""
        return tuple(self._runs[lane].name for lane in sorted(self._runs))

    @property
    def is_abandoned(self) -> bool:
        """Whether the callback is gone and every `learn` has ended, in this process."""
        is_idle = all(run.is_idle for run in self._runs.values())
        return is_idle and not self.handles and self._process == os.getpid()

    def open(
        self,
        start: Start,
        hparams: Sequence[Mapping[str, HParam]],
        env: Any | None,
        device: int = 0,
        devices: int = 1,
    ) -> list[int]:
        """Begin a `learn` in the run of each lane.

        A run that is open goes on, unless the number of lanes has changed: then all runs are
        closed, and others are opened.

        Args:
            start: What is known of the training.
            hparams: Each lane's own hyperparameters.
            env: An environment to look at, whether it can be recorded.
            device: Which of the devices has these lanes, from 0.
            devices: Number of devices, each of which has as many lanes.

        Returns:
            The numbers of the learns.
        """
        with self._lock:
            if len(hparams) * devices != self._lanes:
                self._open_anew(start, len(hparams) * devices, hparams[0].get(SEED))
            first_lane = device * len(hparams)
            compilation, self._compilation = self._compilation, None
            compile_seconds = None if compilation is None else compilation.seconds
            if self._lanes > 1:
                # First of all, so that it is what a terminal shows.
                self._begin_together(start, hparams, compile_seconds, is_first=device == 0)
            numbers = []
            for lane, own in enumerate(hparams, first_lane):
                if lane not in self._runs:
                    self._runs[lane] = self._new_run(lane)
                number = next(_numbers)
                every = ordered(self._hparams, {**start.hparams, **own})
                facts = self._facts(start, self._runs[lane], lane, every)
                _learns[number] = self._runs[lane].start(number, every, facts, compile_seconds)
                numbers.append(number)
            if start.hparams.get(TOTAL_TIMESTEPS) == 0 and device == 0:
                warn(
                    f"run {self._base_name}: nothing is trained, since total_timesteps is less "
                    "than one iteration takes: num_envs × num_steps environment steps "
                    f"({start.steps_an_iteration:,} here). Ask `learn` for at least as many"
                )
            if env is not None and device == 0:
                self._runs[first_lane].check_recordable(env)
            # To the end of the list, which is where exiting begins: what a backend's library has
            # registered when it was opened must come after its run is closed.
            atexit.unregister(_close_all)
            atexit.register(_close_all)
            return numbers

    def log(self, scalars: Mapping[str, float], step: int | None) -> None:
        """Log a user's own values to every run.

        Raises:
            RuntimeError: No run is open.
        """
        with self._lock:
            if not self._runs:
                raise RuntimeError(
                    "no run is open: call log() after a `learn` with this callback has begun, and "
                    "before the callback is closed"
                )
            for run in self._runs.values():
                run.log(scalars, step)

    def announce(self, stage: Stage) -> None:
        """Show what JAX is doing with a `learn` of this callback, before it calls back."""
        with self._lock:
            if stage == "tracing":
                self._compilation = Compilation()
            runs = list(self._runs.values())
        for backend in [run.backend for run in runs] or [self._backend]:
            backend.show_progress(Progress(stage))

    def close(self, reason: BaseException | None = None, is_of_program: bool = False) -> None:
        """Wait for callbacks and recordings, and close every run. May be called twice.

        Args:
            reason: What has ended the block that trained.
            is_of_program: Whether it has ended the program instead, which may have trained before.
        """
        if os.getpid() != self._process:
            # A forked child that exits: the runs are its parent's, and its threads are not here.
            return
        if self._compilation is not None and not self._runs:
            # What was traced has not begun, and may never do.
            self._backend.show_progress(Progress("done"))
        try:
            jax.effects_barrier()
        except Exception as error:
            # A training that failed has said so where it was called.
            _log.debug("a callback ended with %r", error)
        try:
            self._worker.close(self._videos.finish_seconds if self._videos else float("inf"))
        except BaseException:
            self._worker.cancel()
            raise
        finally:
            with self._lock:
                for run in self._forget_runs():
                    run.close(_outcome(reason), reason is not None and not is_of_program)
                self._backend_is_free = True
            self._without_runs()
            with contextlib.suppress(ValueError):
                _latest.remove(self)

    def close_later(self) -> None:
        """Close every run when its recordings are done, without waiting for them."""
        with self._lock:
            for run in self._forget_runs():
                self._close_behind(run)
            self._worker.submit(None, self._without_runs, late=True)

    def _open_anew(self, start: Start, lanes: int, seed: HParam | None) -> None:
        for run in self._forget_runs():
            self._close_behind(run)
        self._lanes = lanes
        values = {
            "algorithm": start.algorithm,
            "policy": start.policy,
            "env": start.env,
            "seed": "unknown" if seed is None else seed,
        }
        wanted = filled(self._name, values, datetime.now())
        try:
            self._base_name, folders = claim(self._log_dir, wanted, lanes, self._resume)
            self._folders = dict(enumerate(folders))
        except OSError as error:
            self._base_name = wanted
            warn(
                f"run {wanted}: it has no folder in {self._log_dir}: {error}. The training goes "
                "on; nothing of it is kept there"
            )
        if self._base_name != wanted and TIME not in self._name:
            told = (
                "another program logs to it"
                if self._resume
                else "to go on in that one, pass resume=True"
            )
            warn(
                f"run {self._base_name}: there is a run {wanted!r} in {self._log_dir} already, so "
                f"this one has another name; {told}. {{time}} in a name makes it new each time"
            )
        _with_runs.add(self)

    def _close_behind(self, run: Run) -> None:
        """Have a run closed behind its last recordings; waiting here could wait for ever."""
        close = partial(run.close, INTERRUPTED)
        # What acts before that has its painting behind all that is late by then.
        self._worker.submit(None, lambda: self._worker.submit(None, close, late=True))

    def _begin_together(
        self,
        start: Start,
        hparams: Sequence[Mapping[str, HParam]],
        compile_seconds: float | None,
        *,
        is_first: bool,
    ) -> None:
        """Begin a `learn` in the run of all lanes together, with what they have in common."""
        if self._together is None:
            self._together = Together(self._new_run(self._lanes), self._lanes)
        if is_first:
            shared = {n: v for n, v in hparams[0].items() if all(v == each[n] for each in hparams)}
            every = ordered(self._hparams, {"lanes": self._lanes, **start.hparams, **shared})
            facts = self._facts(start, self._together.run, None, every)
            self._together.learn = self._together.run.start(
                next(_numbers), every, facts, compile_seconds
            )

    def _new_run(self, lane: int) -> Run:
        backend = copy.copy(self._unopened)
        if self._lanes == 1 and self._backend_is_free:
            # The user's own objects, whose `run_dir` can be looked at.
            backend, self._backend_is_free = self._backend, False
        videos = self._videos
        if lane == self._lanes:
            videos = None
        elif self._together is not None:
            backend = FanOut([backend, LaneBackend(self._together, lane)])
            backend.group = self._base_name
        name = lane_name(self._base_name, lane, self._lanes)
        return Run(name, backend, self._folders.pop(lane, None), videos, self._worker)

    def _facts(
        self, start: Start, run: Run, lane: int | None, hparams: Mapping[str, HParam]
    ) -> Facts:
        total, seed = hparams.get(TOTAL_TIMESTEPS), hparams.get(SEED)
        return Facts(
            name=run.name,
            env=start.env,
            algorithm=start.algorithm,
            policy=start.policy,
            seed=seed if isinstance(seed, int | str) else None,
            lane=lane if self._lanes > 1 else None,
            hparams={
                name: str(value) if isinstance(value, float) and not isfinite(value) else value
                for name, value in hparams.items()
            },
            total_timesteps=run.step + int(total) if isinstance(total, int | float) else None,
            clip=as_written(self._videos.clip) if self._videos else {},
            **program.about(),
        )

    def _forget_runs(self) -> list[Run]:
        runs, self._runs = list(self._runs.values()), {}
        if self._together is not None:
            runs.append(self._together.run)
        self._together, self._lanes = None, 0
        while self._folders:
            self._folders.popitem()[1].give_back()
        return runs

    def _without_runs(self) -> None:
        with self._lock:
            if not self._runs:
                _with_runs.discard(self)


def find(number: int) -> Session:
    """Return the session of that number.

    Raises:
        LookupError: Its callback is gone.
    """
    session = _sessions.get(number)
    if session is None:
        raise LookupError(
            "the LoggingCallback of this training is gone: keep it until the training has ended"
        )
    return session


def numbered(number: int) -> Session | None:
    """Return the session of that number, `None` where its callback is gone."""
    return _sessions.get(number)


def find_learn(number: int) -> Learn | None:
    """Return the `learn` of that number, unless its run is closed."""
    return _learns.get(number)


def _close_abandoned() -> None:
    for session in list(_with_runs):
        if session.is_abandoned:
            session.close_later()


def _close_all() -> None:
    for session in list(_with_runs):
        try:
            session.close(getattr(sys, "last_exc", None), is_of_program=True)
        except Exception as error:
            warn(f"logging ended with {type(error).__name__}: {error}")


def _outcome(error: BaseException | None) -> str:
    """Say how a training has ended that did not come to its end."""
    said = "" if error is None else f"{type(error).__name__}: {error}".strip().partition("\n")[0]
    # In a callback, JAX makes an error of its own of a Ctrl-C.
    is_ended = error is None or isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit)
    if is_ended or KeyboardInterrupt.__name__ in str(error):
        return INTERRUPTED
    return f"failed: {said[:500]}"
