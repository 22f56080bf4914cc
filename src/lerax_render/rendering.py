"""Many independent clips, in this process or on any `concurrent.futures.Executor`."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from dataclasses import dataclass
from pathlib import Path

from .clips import Clip
from .errors import RenderError
from .ffmpeg import Ffmpeg
from .video import Video

type Progress = Callable[[Sequence[int], int], None]
"""Called with the numbers of the jobs that run now, and how many steps are done since last time."""

_log = logging.getLogger("lerax_render.rendering")

_LOOK_SECONDS = 0.2


@dataclass(frozen=True)
class Job:
    """A clip to make.

    Attributes:
        clip: The clip.
        path: Where it goes.
        still: Where its first frame goes, as a WebP in the same folder; `None` for none.
    """

    clip: Clip
    path: Path
    still: Path | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of a job.

    Attributes:
        video: The clip where it was made first, or `None` where there is none.
        error: Why there is none.
        died: Whether the process that rendered it ended, which need not be this clip's fault.
        seconds: That it took.
        num_bytes: Of the clip.
    """

    video: Video | None = None
    error: str | None = None
    died: bool = False
    seconds: float = 0.0
    num_bytes: int = 0


def render_clips(
    jobs: Sequence[Job], executor: Executor | None = None, progress: Progress | None = None
) -> Iterator[tuple[int, Outcome]]:
    """Render clips that have nothing to do with each other; one that fails does not stop the rest.

    Args:
        jobs: The clips and where they go: on a file system that the workers share.
        executor: What renders them; `None` renders in this process, one after the other.
        progress: Called now and then.

    Yields:
        A job's number and what became of it, in the order in which they get ready.
    """
    if executor is None:
        for number, job in enumerate(jobs):
            if progress is not None:
                progress([number], 0)
            yield number, render_job(job, _steps_of(number, progress))
        return
    futures = {executor.submit(render_job, job): number for number, job in enumerate(jobs)}
    pending = set(futures)
    try:
        while pending:
            done, pending = wait(pending, _LOOK_SECONDS, FIRST_COMPLETED)
            if progress is not None:
                running = sorted(futures[future] for future in pending if future.running())
                progress(running, sum(jobs[futures[future]].clip.steps for future in done))
            for future in sorted(done, key=futures.__getitem__):
                yield futures[future], _outcome(future)
    finally:
        for future in pending:
            future.cancel()


def render_job(job: Job, progress: Callable[[int], None] | None = None) -> Outcome:
    """Render one clip, and say how that went instead of raising.

    Args:
        job: The clip.
        progress: As for `record`.
    """
    started = time.perf_counter()
    try:
        video = job.clip.record(job.path, progress)
        if job.still is not None:
            write_still(job.path, job.still)
        num_bytes = video.num_bytes
    # An environment's module may be a script that ends with `sys.exit`.
    except (Exception, SystemExit) as error:
        _log.debug("%s failed", job.path, exc_info=True)
        return Outcome(error=describe(error), seconds=time.perf_counter() - started)
    return Outcome(video, seconds=time.perf_counter() - started, num_bytes=num_bytes)


def write_still(video: Path, still: Path) -> None:
    """Write the first frame of a clip as a WebP file in the same folder.

    Raises:
        EncodeError: ffmpeg could not read the clip or write the picture.
    """
    # From RGB: a WebP has no other colours than BT.601's, and ffmpeg would take BT.709's for those.
    picture = "-frames:v 1 -vf format=bgra -c:v libwebp -quality 85 -f webp"
    ffmpeg = Ffmpeg(["-i", video.name, *picture.split(), still.name], video.parent)
    try:
        ffmpeg.finish()
    finally:
        ffmpeg.kill()


def describe(error: BaseException) -> str:
    """Return an error as one text, with its type where its message alone would not say enough."""
    if isinstance(error, RenderError | ValueError | TypeError | OSError) and str(error):
        return str(error)
    return f"{type(error).__name__}: {error}"


def _steps_of(number: int, progress: Progress | None) -> Callable[[int], None] | None:
    return None if progress is None else lambda count: progress([number], count)


def _outcome(future: Future[Outcome]) -> Outcome:
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, BrokenExecutor):
        return Outcome(
            error="the process that rendered it was ended, by itself or by the system, "
            "which happens when memory runs out",
            died=True,
        )
    return Outcome(error=describe(error))
