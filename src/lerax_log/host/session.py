"""The host side of a callback: which runs there are, and what traced code may call.

Traced code holds numbers only, a session's and later its runs'; the objects behind them are looked
up here when the compiled training calls back. A callback with the same settings as an earlier one
so runs through the same compiled `learn`, and nothing in a compilation cache keeps a run alive.

No function that traced code calls raises: an exception in a callback ends the training. A Ctrl-C is
let through.
"""

import atexit
import copy
import itertools
import logging
import math
import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from lerax_render.errors import warn

from ..backends import AbstractLoggingBackend, HParam
from ..recordings import VideoOptions, VideoWorker
from ..traced import Layout, Skeleton, plain
from .fan_out import RunBackends
from .run import Run
from .run_names import new_name

if TYPE_CHECKING:
    from ..recordings import Frame

_log = logging.getLogger(__name__)

NO_RUN = -1
"""The number of a run that does not exist."""

# The devices of one program call within milliseconds; a `learn` after one that failed does not.
_TOGETHER_SECONDS = 1.0

_numbers = itertools.count()
_sessions: dict[int, "Session"] = {}
_runs: dict[int, Run] = {}


@dataclass(frozen=True, eq=False)
class Start:
    """What is known of a training when its `learn` is traced.

    Attributes:
        algorithm: Name of the algorithm.
        policy: Name of the policy.
        env: Name of the environment.
        hparams: Hyperparameters.
        traced_hparams: Names of those whose values arrive when the training starts.
        env_skeleton: Restores the environment, where videos are asked for.
    """

    algorithm: str
    policy: str
    env: str
    hparams: Mapping[str, HParam]
    traced_hparams: tuple[str, ...]
    env_skeleton: Skeleton | None


class Session:
    """The runs of one callback, one for each lane of the latest `learn`.

    Args:
        backends: Not open yet. Several lanes get copies of them.
        name: Of the runs; `None` makes a new one for each start.
        videos: `None` records nothing.
        block: Whether the training waits for recordings.
        hparams: The user's own, which take precedence.
    """

    def __init__(
        self,
        backends: Sequence[AbstractLoggingBackend],
        *,
        name: str | None,
        videos: VideoOptions | None,
        block: bool,
        hparams: Mapping[str, HParam],
    ) -> None:
        self.number = next(_numbers)
        self._backends = tuple(backends)
        self._unopened = [copy.copy(backend) for backend in backends]
        self._name = name
        self._base_name = ""
        self._started = -math.inf
        self._videos = videos
        self._hparams = dict(hparams)
        time_limit = videos.time_limit if videos else math.inf
        self._worker = VideoWorker(block=block, time_limit=time_limit)
        self._process = os.getpid()
        self._runs: dict[int, Run] = {}
        self._lock = threading.Lock()
        _sessions[self.number] = self

    @property
    def run_names(self) -> tuple[str, ...]:
        """Names of the open runs, in the order of their lanes."""
        return tuple(run.name for run in self._runs.values())

    def open(
        self, start: Start, hparams: Sequence[Mapping[str, HParam]], env: Any | None
    ) -> list[int]:
        """Open a run for each lane of a `learn`, or go on with those of the one before.

        Args:
            start: What is known of the training.
            hparams: Each lane's own hyperparameters.
            env: An environment to look at, whether it can be recorded.

        Returns:
            The runs' numbers.
        """
        arrived = time.monotonic()
        with self._lock:
            together = arrived - self._started < _TOGETHER_SECONDS
            if together and len(hparams) == 1 and any(r.is_fresh for r in self._runs.values()):
                # Another device that runs the same program: a lane of its own. Later, a fresh run
                # is what a `learn` that failed has left behind, and goes on.
                numbers = [self._add(f"{self._base_name}_{len(self._runs)}")]
            elif len(hparams) == len(self._runs):
                numbers = list(self._runs)
            else:
                numbers = self._open_new(start, len(hparams))
            for number, own in zip(numbers, hparams, strict=True):
                self._runs[number].start({**start.hparams, **own, **self._hparams})
            if env is not None:
                self._runs[numbers[0]].check_recordable(env)
            # To the end of the list, which is where exiting begins: what a backend's library has
            # registered when it was opened must come after its run is closed.
            atexit.unregister(_close_all)
            atexit.register(_close_all)
            self._started = time.monotonic()
            return numbers

    def close(self) -> None:
        """Wait for callbacks and recordings, and close every run. May be called twice."""
        if os.getpid() != self._process:
            # A forked child that exits: the runs are its parent's, and its threads are not here.
            return
        try:
            jax.effects_barrier()
        except Exception as error:
            # A training that failed has said so where it was called.
            _log.debug("a callback ended with %r", error)
        try:
            self._worker.close()
        except BaseException:
            self._worker.cancel()
            raise
        finally:
            with self._lock:
                for run in self._forget_runs():
                    run.close()

    def _open_new(self, start: Start, lanes: int) -> list[int]:
        earlier = self._forget_runs()
        self._base_name = self._name or new_name(
            start.algorithm, start.policy, start.env, datetime.now()
        )
        if lanes == 1 and not earlier:
            return [self._add(self._base_name, self._backends)]
        for run in earlier:
            # Behind their last recordings; waiting for these here could wait for ever.
            self._worker.submit(None, run.close)
        suffixes = [""] if lanes == 1 else [f"_{lane}" for lane in range(lanes)]
        return [self._add(self._base_name + suffix) for suffix in suffixes]

    def _add(self, name: str, backends: Sequence[AbstractLoggingBackend] | None = None) -> int:
        backends = backends or [copy.copy(unopened) for unopened in self._unopened]
        run = Run(RunBackends(name, backends), self._videos, self._worker)
        number = next(_numbers)
        self._runs[number] = _runs[number] = run
        return number

    def _forget_runs(self) -> list[Run]:
        runs, self._runs = self._runs, {}
        for number in runs:
            del _runs[number]
        return list(runs.values())


def find(number: int) -> Session:
    """Return the session of that number."""
    return _sessions[number]


def open_runs(
    start: Start, shape: tuple[int, ...], session: Any, traced_hparams: Any, env_arrays: Any
) -> np.ndarray:
    """Open the runs of a `learn`.

    Args:
        start: What is known of the training.
        shape: Sizes of the axes that `learn` is mapped over.
        session: The session's number.
        traced_hparams: Arrays whose leading axes are `shape`, in the order of their names.
        env_arrays: Arrays of the first lane's environment, `None` where videos are not asked for.

    Returns:
        The runs' numbers, `int32` of that shape.
    """
    numbers = np.full(math.prod(shape), NO_RUN, np.int32)
    # All processes of a multi-process program train; one of them logs.
    if jax.process_index() == 0:
        with _reported():
            values = [np.asarray(v).reshape(-1, *v.shape[len(shape) :]) for v in traced_hparams]
            hparams = [
                dict(zip(start.traced_hparams, (plain(v[lane]) for v in values), strict=True))
                for lane in range(len(numbers))
            ]
            env = None if start.env_skeleton is None else start.env_skeleton.restore(env_arrays)
            numbers[:] = find(int(session)).open(start, hparams, env)
    return numbers.reshape(shape)


def receive(layout: Layout, packets: Any) -> None:
    """Log what consecutive iterations report.

    Args:
        layout: Of the packets.
        packets: `int32 (interval, size)`, an iteration in each row. After the newest iteration's
            row come rows of earlier iterations, which have been received before.
    """
    with _reported():
        reports = [layout.unpack(packet) for packet in np.asarray(packets)]
        newest = max(report.iteration for report in reports)
        if run := _runs.get(reports[0].run):
            run.receive(reports[: (newest - 1) % len(reports) + 1])


def record(layout: Layout, frame: "Frame", packet: Any, seed: Any, arrays: Any) -> None:
    """Have an iteration recorded, if it is to be.

    Args:
        layout: Of the packet.
        frame: Of environment and policy.
        packet: `int32 (size,)`.
        seed: Of the rollout.
        arrays: Of environment and policy. They are kept, not copied.
    """
    with _reported():
        report = layout.unpack(np.asarray(packet))
        if run := _runs.get(report.run):
            run.record(report, partial(frame.snapshot, arrays, int(seed)))


def end(run: Any, *after: Any) -> None:
    """End a `learn`.

    Args:
        run: The run's number.
        after: Anything that is computed last, so that this is called last.
    """
    with _reported():
        if open_run := _runs.get(int(run)):
            open_run.end()


@contextmanager
def _reported() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        # No more than a line of it on a terminal where nobody has set up logging.
        _log.info("logging failed", exc_info=True)
        warn(
            f"logging failed: {type(error).__name__}: {error}. The training goes on; the traceback "
            f"is in the log of {__name__!r}, at level INFO"
        )


def _close_all() -> None:
    for session in _sessions.values():
        with _reported():
            session.close()
