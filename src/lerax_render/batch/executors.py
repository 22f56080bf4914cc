"""What renders clips beside this process: processes of this machine, or a Dask cluster."""

import logging
import os
import pickle
import random
import select
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from itertools import pairwise
from pathlib import Path
from queue import LifoQueue
from types import TracebackType

import loky

from ..errors import BackendUnavailableError, RenderError
from ..settings import Count, checked
from ..system import keep_compilations
from ..video import WorkFolder

CONNECT_SECONDS = 5.0
"""Seconds in which a Dask scheduler has to answer."""

_log = logging.getLogger("lerax_render.batch.executors")

_start_error: str | None = None
"""In a worker: what its initializer raised."""


class WorkerProcesses(Executor):
    """Processes of this machine that do one thing at a time each, with their share of its cores.

        with WorkerProcesses(4) as executor:
            for number, outcome in render_clips(clips, executor):
                ...

    They are started anew (by loky) and never forked, since JAX does not survive a fork. A process
    that dies takes what it did with it, which raises `BrokenExecutor`, and nothing else: another
    one takes its place. When the block ends with an exception, Ctrl-C for example, the processes
    are killed; when this process is, they end by themselves.

    Args:
        workers: How many processes.
        initializer: Called in each process when it starts; it has to be importable there.

    Raises:
        ValueError: `workers` is not positive.
        TypeError: It is not a whole number.
    """

    def __init__(self, workers: int, initializer: Callable[[], None] | None = None) -> None:
        workers = checked("workers", Count, workers)
        self._folder = WorkFolder()
        self._workers = [
            _Worker(cores, initializer, self._folder.path) for cores in shares_of_cores(workers)
        ]
        # Last in, first out: as few processes are started as there is work for.
        self._free: LifoQueue[_Worker] = LifoQueue()
        for worker in reversed(self._workers):
            self._free.put(worker)
        self._threads = ThreadPoolExecutor(workers, "lerax-render-worker")

    def submit[**P, T](
        self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
    ) -> Future[T]:
        """Call a function in one of the processes; both have to be importable there."""
        return self._threads.submit(self._call, partial(function, *args, **kwargs))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes when they are done.

        Args:
            wait: Whether to wait for that; where not, they end when their work is done and nobody
                holds this executor any more.
            cancel_futures: Give up what has not begun.
        """
        self._threads.shutdown(wait, cancel_futures=cancel_futures)
        if wait:
            for worker in self._workers:
                worker.end()
            self._folder.remove()

    def kill(self) -> None:
        """End the processes at once, and what they started."""
        self._threads.shutdown(False, cancel_futures=True)
        for worker in self._workers:
            worker.end(kill=True)
        self._threads.shutdown()
        self._folder.remove()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            self.shutdown()
        else:
            self.kill()

    def _call[T](self, call: Callable[[], T]) -> T:
        worker = self._free.get()
        try:
            return worker.run(call)
        finally:
            self._free.put(worker)


class _Worker:
    """One process at a time, the next when one has died.

    Not one pool of them all: a pool gives up everything when one of its processes dies, and does
    not say whose fault it was.

    Args:
        cores: That it may use.
        initializer: Called in each process.
        folder: For what is too large to be returned at once, and for compiled programs.
    """

    def __init__(
        self, cores: set[int], initializer: Callable[[], None] | None, folder: Path
    ) -> None:
        self._arguments = cores, initializer, folder
        self._folder = folder
        self._lock = threading.Lock()
        self._pool: Executor | None = None
        self._ended = False

    def run[T](self, call: Callable[[], T]) -> T:
        try:
            answer = self._submit(partial(_answer, call, self._folder)).result()
        except BrokenExecutor:
            with self._lock:
                broken, self._pool = self._pool, None
            if broken is not None:
                broken.shutdown()
            raise
        if isinstance(answer, Path):
            path, answer = answer, answer.read_bytes()
            path.unlink()
        result: T = pickle.loads(answer)
        return result

    def end(self, kill: bool = False) -> None:
        with self._lock:
            pool, self._pool = self._pool, None
            self._ended = True
        if pool is not None:
            pool.shutdown(kill_workers=kill)  # type: ignore[call-arg]

    def _submit[T](self, call: Callable[[], T]) -> Future[T]:
        with self._lock:
            if self._ended:
                raise RuntimeError("the worker was ended")
            if self._pool is None:
                self._pool = loky.ProcessPoolExecutor(
                    1, initializer=_begin, initargs=self._arguments, env=_environment()
                )
            return self._pool.submit(call)


@contextmanager
def dask_cluster(address: str, timeout: float = CONNECT_SECONDS) -> Iterator[Executor]:
    """Connect to a Dask cluster; at the end of the block, or after an error, the connection ends.

    Its workers need this package, and a GL library for MuJoCo. They are best started with one
    thread each. Work that is sent there is pickled: connect to what you trust only.

    Args:
        address: Of the scheduler, such as `tcp://127.0.0.1:8786`.
        timeout: Seconds in which it has to answer.

    Yields:
        An executor. Of work whose workers died more often than the scheduler's
        `distributed.scheduler.allowed-failures` (3), it raises `distributed.KilledWorker`.

    Raises:
        BackendUnavailableError: Dask is not installed, or no scheduler answers.
    """
    try:
        from distributed import Client
        from distributed.comm.addressing import resolve_address
    except ImportError as error:
        raise BackendUnavailableError(
            f"{error}. Install it with: pip install 'lerax-render[cluster]'"
        ) from error
    try:
        # A client of what is no address would wait and complain once more when it is deleted.
        resolve_address(address)
        client = Client(address, timeout=timeout, set_as_default=False)
    except (OSError, ValueError) as error:
        raise BackendUnavailableError(
            f"no Dask scheduler answers at {address!r} ({error}); `dask scheduler` starts one and "
            "prints its address, such as tcp://127.0.0.1:8786"
        ) from error
    with client:
        if not client.nthreads():
            _log.warning("the scheduler at %s has no workers yet; clips wait for them", address)
        # Not pure: the same clip twice is two clips, and one that failed is not remembered.
        yield client.get_executor(pure=False)


def deaths_in(error: BaseException | None) -> int:
    """Return how many workers died of what an executor raised this for."""
    if isinstance(error, BrokenExecutor):
        return 1
    # Whoever raised the error of a package that need not be installed has imported it.
    distributed = sys.modules.get("distributed")
    if distributed is not None and isinstance(error, distributed.KilledWorker):
        return int(error.allowed_failures) + 1
    return 0


def has_lost_scheduler(executor: Executor) -> bool:
    """Return whether an executor belongs to a Dask client that has closed.

    It still takes work, but neither does it nor gives it up.
    """
    distributed = sys.modules.get("distributed")
    client = getattr(executor, "_client", None)
    return (
        distributed is not None
        and isinstance(client, distributed.Client)
        and client.status == "closed"
    )


def shares_of_cores(workers: int) -> list[set[int]]:
    """Divide the cores that this process may use between workers, as evenly as can be.

    Returns:
        Numbers of cores for each worker: none in common, unless there are more workers than cores.
    """
    cores = sorted(os.sched_getaffinity(0))
    # A container's quota may be smaller than what it sees.
    count = min(len(cores), loky.cpu_count())
    if count < len(cores):
        # Containers beside each other see the same cores, and shall not all take the first.
        start = random.randrange(len(cores))
        cores = (cores[start:] + cores[:start])[:count]
    starts = [worker * count // workers for worker in range(workers + 1)]
    return [set(cores[start : max(end, start + 1)]) for start, end in pairwise(starts)]


def _environment() -> dict[str, str]:
    """Return the variables that are set in a worker, where they are not set already."""
    variables = {
        # On a GPU, the first JAX process would take three quarters of its memory.
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
        # Bytes that a process may grow by after its first clip; loky starts another one then. By
        # default 0.3 GB, which is what an environment of another kind takes to load and compile.
        "LOKY_MAX_MEMORY_LEAK_SIZE": "2e9",
    }
    return {name: os.environ.get(name, value) for name, value in variables.items()}


def _begin(cores: set[int], initializer: Callable[[], None] | None, folder: Path) -> None:
    """Make this process a worker."""
    # Ctrl-C at the terminal reaches all processes. The one that the workers belong to ends them.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # XLA, llvmpipe, BLAS, ffmpeg and x264 start as many threads as they may use cores. There is a
    # variable for some of them, and none for ffmpeg.
    os.sched_setaffinity(0, cores)
    # Where seccomp forbids this, a worker outlives a killed parent.
    with suppress(OSError):
        parent = os.pidfd_open(os.getppid())
        threading.Thread(target=_end_after, args=(parent,), daemon=True).start()
    if initializer is not None:
        try:
            initializer()
        # Raised here, it would end the process, as if memory had run out.
        except (Exception, SystemExit) as error:
            global _start_error
            _start_error = f"the worker's initializer failed: {type(error).__name__}: {error}"
    keep_compilations(folder / "jax")


def _answer(call: Callable[[], object], folder: Path) -> bytes | Path:
    """Call a function and return what it returned, pickled, or the file that this is in.

    A process that is killed in the middle of a message leaves its reader waiting for the rest for
    ever (loky 3.7, and Python's own pools): so no message is larger than what a pipe takes whole.
    """
    if _start_error is not None:
        raise RenderError(_start_error)
    answer = pickle.dumps(call())
    if len(answer) <= select.PIPE_BUF // 2:
        return answer
    handle, path = tempfile.mkstemp(dir=folder)
    with open(handle, "wb") as file:
        file.write(answer)
    return Path(path)


def _end_after(process: int) -> None:
    select.select([process], [], [])
    os._exit(1)
