"""Many independent clips, in this process or on any `concurrent.futures.Executor`."""

import dataclasses
import itertools
import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Annotated

from ..errors import is_for_users
from ..output import Output
from ..settings import between, checked
from ..video import Video, make_still
from .clip import Clip
from .executors import deaths_in, has_lost_scheduler

type Progress = Callable[[Sequence[int], int], None]
"""Called with the numbers of the clips that run now, and how many steps are done since last time.

What runs is not known of a Dask cluster.
"""

_log = logging.getLogger("lerax_render.batch.jobs")

_LOOK_SECONDS = 0.2

_GIVEN_UP = "it was given up: the executor was shut down, or the connection to it broke"


@dataclass(frozen=True)
class Job:
    """A clip to make, and where it goes.

    Attributes:
        clip: The clip.
        path: A file in a folder that whoever renders has, too, under the same name; `None` has the
            clip's bytes sent back.
        still: Whether its first frame is wanted, as a WebP picture.

    Raises:
        TypeError: `clip` is not a `Clip`, or `path` not a path.
    """

    clip: Clip
    path: str | os.PathLike[str] | None = None
    still: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.clip, Clip):
            raise TypeError(f"clip must be a Clip, got {self.clip!r}")
        if self.path is not None:
            object.__setattr__(self, "path", checked("path", Path | None, self.path))


@dataclass(frozen=True)
class Outcome:
    """What became of a clip.

    Attributes:
        video: The clip, a `Video` unless its format is no video's; `None` where there is none.
        still: The bytes of its first frame as a WebP picture, where that was wanted.
        error: Why there is none.
        deaths: How many processes ended while they rendered it.
        seconds: That it took.
        num_bytes: Of the clip.
    """

    video: Output | None = None
    still: bytes | None = None
    error: str | None = None
    deaths: int = 0
    seconds: float = 0.0
    num_bytes: int = 0


def render_clips(
    clips: Iterable[Clip | Job],
    executor: Executor | None = None,
    *,
    retries: int = 2,
    at_once: int = 1000,
    progress: Progress | None = None,
) -> Iterator[tuple[int, Outcome]]:
    """Render clips that have nothing to do with each other; one that fails does not stop the rest.

    What is sent to the executor is a clip's settings, some hundred bytes, and its policy where
    `Clip.with_policies` put that in. A clip that fails by itself is not tried again.

    Args:
        clips: The clips, or `Job`s, which say where they go. An iterator is asked for the next one
            when there is room for it, so that there may be any number.
        executor: What renders them: `executors.WorkerProcesses`, what `executors.dask_cluster`
            yields, or any other; `None` renders in this process, one after the other. It is not
            shut down. One that breaks as a whole when a process dies, such as
            `ProcessPoolExecutor`, fails all clips that are left. Of clips that go to one file, only
            the first is made.
        retries: How many more times a clip is tried whose process died. A Dask scheduler does this
            itself: see `executors.dask_cluster`.
        at_once: How many clips the executor is given at most before it has returned some.
        progress: Called now and then. If it has a method `say`, that is told what takes long, as
            for `record`, when the clips are rendered in this process.

    Returns:
        An iterator of a clip's number, from 0, and what became of it, in the order in which they
        get ready, each once. Close it to give up those that have not begun.

    Raises:
        ValueError: `retries` is negative, or `at_once` not positive.
        TypeError: One of them is not a whole number, `clips` is not iterable, one of the clips is
            neither a `Clip` nor a `Job`, or `executor` is not an executor.
    """
    retries = checked("retries", Annotated[int, between(0)], retries)
    at_once = checked("at_once", Annotated[int, between(1)], at_once)
    if isinstance(clips, str) or not isinstance(clips, Iterable):
        raise TypeError(f"clips must be a list or an iterator of Clips and Jobs, got {clips!r}")
    if isinstance(executor, type) or not (executor is None or hasattr(executor, "submit")):
        raise TypeError(
            f"executor must be an executor, such as WorkerProcesses(4), or None, got {executor!r}"
        )
    jobs = map(_as_job, clips)
    if executor is None:
        return _one_by_one(jobs, progress)
    return _on_executor(jobs, executor, retries, at_once, progress)


def render_job(job: Job, progress: Callable[[int], None] | None = None) -> Outcome:
    """Render one clip, and say how that went instead of raising.

    Args:
        job: The clip.
        progress: As for `record`.
    """
    started = time.perf_counter()
    try:
        video = job.clip.record(job.path, progress, still=job.still)
        still = make_still(video) if job.still and isinstance(video, Video) else video.still
        num_bytes = video.num_bytes
    # An environment's module may be a script that ends with `sys.exit`.
    except (Exception, SystemExit) as error:
        # What nobody foresaw is looked into with its traceback.
        foreseen = is_for_users(error) or isinstance(error, SystemExit)
        level = logging.DEBUG if foreseen else logging.WARNING
        _log.log(level, "a clip of %s failed", job.clip.env, exc_info=True)
        return Outcome(error=describe(error), seconds=time.perf_counter() - started)
    return Outcome(video, still, seconds=time.perf_counter() - started, num_bytes=num_bytes)


def describe(error: BaseException) -> str:
    """Return an error as one text, with its type where its message alone would not say enough."""
    if is_for_users(error) and str(error):
        return str(error)
    return f"{type(error).__name__}: {error}"


def _as_job(item: Clip | Job) -> Job:
    """Return what is sent: other processes may have another current folder."""
    if not isinstance(item, Clip | Job):
        raise TypeError(f"expected a Clip or a Job, got {item!r}")
    job = Job(item) if isinstance(item, Clip) else item
    return dataclasses.replace(
        job,
        clip=dataclasses.replace(job.clip, folder=job.clip.folder.absolute()),
        path=None if job.path is None else Path(os.path.abspath(job.path)),
    )


def _numbered(jobs: Iterable[Job]) -> Iterator[tuple[int, Job, Outcome | None]]:
    """Yield each clip's number, the clip, and what became of it where that is known already."""
    owners: dict[str, int] = {}
    for number, job in enumerate(jobs):
        owner = number if job.path is None else owners.setdefault(os.fspath(job.path), number)
        taken = f"it would replace clip {owner}, which goes to {job.path}, too: give it another"
        yield number, job, None if owner == number else Outcome(error=taken)


def _one_by_one(jobs: Iterable[Job], progress: Progress | None) -> Iterator[tuple[int, Outcome]]:
    for number, job, known in _numbered(jobs):
        if progress is not None:
            progress([number], 0)
        steps = None if progress is None else _Steps(number, progress)
        yield number, known or render_job(job, steps)


class _Steps:
    """The progress of one clip, passed on to that of all."""

    def __init__(self, number: int, progress: Progress) -> None:
        self._number, self._progress = number, progress
        self.say = getattr(progress, "say", None)

    def __call__(self, count: int) -> None:
        self._progress([self._number], count)


@dataclass
class _Attempt:
    """A clip that is being tried.

    Attributes:
        number: Of the clip.
        job: The clip.
        deaths: How many workers died of it so far.
    """

    number: int
    job: Job
    deaths: int = 0


def _on_executor(
    jobs: Iterable[Job], executor: Executor, retries: int, at_once: int, progress: Progress | None
) -> Iterator[tuple[int, Outcome]]:
    todo = _numbered(jobs)
    underway: dict[Future[Outcome], _Attempt] = {}
    # Asking each for news would take longer than the scheduler does, where there are a thousand.
    done: SimpleQueue[Future[Outcome]] = SimpleQueue()

    def begin(future: Future[Outcome], attempt: _Attempt) -> None:
        underway[future] = attempt
        future.add_done_callback(done.put)

    try:
        while True:
            for number, job, known in itertools.islice(todo, at_once - len(underway)):
                future = _submit(executor, job) if known is None else _done(known)
                begin(future, _Attempt(number, job))
            if not underway:
                return
            ready = []
            for future in _arrived(done):
                # One that was given up may arrive after all.
                if future not in underway:
                    continue
                attempt = underway.pop(future)
                error = _error(future)
                attempt.deaths += deaths_in(error)
                if isinstance(error, BrokenExecutor) and attempt.deaths <= retries:
                    begin(_submit(executor, attempt.job), attempt)
                else:
                    outcome = _failure(error, attempt.deaths) if error else future.result()
                    ready.append((attempt, dataclasses.replace(outcome, deaths=attempt.deaths)))
            if not ready and has_lost_scheduler(executor):
                gone = Outcome(error=_GIVEN_UP)
                ready = [(a, dataclasses.replace(gone, deaths=a.deaths)) for a in underway.values()]
                underway.clear()
            if progress is not None:
                running = sorted(a.number for future, a in underway.items() if future.running())
                progress(running, sum(attempt.job.clip.length for attempt, _ in ready))
            for attempt, outcome in sorted(ready, key=lambda each: each[0].number):
                yield attempt.number, outcome
    finally:
        for future in underway:
            future.cancel()


def _arrived[T](queue: SimpleQueue[T]) -> Iterator[T]:
    """Yield all that is there, and wait a moment for the first."""
    with suppress(Empty):
        yield queue.get(timeout=_LOOK_SECONDS)
        while True:
            yield queue.get_nowait()


def _submit(executor: Executor, job: Job) -> Future[Outcome]:
    if has_lost_scheduler(executor):
        return _done(Outcome(error=_GIVEN_UP))
    try:
        return executor.submit(render_job, job)
    except BrokenExecutor as error:
        return _done(Outcome(error=f"the executor is broken, and takes no more clips: {error}"))
    except RuntimeError as error:
        # Executors raise this once they are shut down.
        return _done(Outcome(error=f"it was given up: the executor takes no more clips: {error}"))


def _done(outcome: Outcome) -> Future[Outcome]:
    future: Future[Outcome] = Future()
    future.set_result(outcome)
    return future


def _error(future: Future[Outcome]) -> BaseException | None:
    try:
        return future.exception()
    except CancelledError as error:
        return error


def _failure(error: BaseException, deaths: int) -> Outcome:
    if isinstance(error, CancelledError):
        text = _GIVEN_UP
    elif deaths_in(error):
        times = "once" if deaths == 1 else f"{deaths} times"
        text = (
            f"the process that rendered it was ended, {times}, by itself or by the system, which "
            "happens when memory runs out"
        )
    else:
        text = describe(error)
    return Outcome(error=text)
