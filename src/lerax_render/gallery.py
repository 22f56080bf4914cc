"""From a manifest to a folder with its clips and a page; only what changed is made again."""

import multiprocessing
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .clips import Clip
from .gallery_page import Tile, make_markdown, make_page
from .gallery_record import Made, Record, names, write
from .manifest import Entry, Manifest, read_manifest
from .presets import PRESETS
from .rendering import Job, Outcome, Progress, render_clips
from .sizes import human_size

PAGE, MARKDOWN = "index.html", "gallery.md"


@dataclass(frozen=True)
class Report:
    """What became of a gallery's clips, by name.

    Attributes:
        made: Those made now, with the seconds that each took.
        kept: Those that were there already.
        failed: Those that could not be made, with the reason. Their last good files stay.
        removed: Files of clips that are no longer in the manifest.
    """

    made: Mapping[str, float]
    kept: Sequence[str]
    failed: Mapping[str, str]
    removed: Sequence[str]


def make_gallery(
    manifest: Path,
    folder: Path,
    *,
    workers: int = 1,
    force: bool = False,
    new_executor: Callable[[int], Executor] | None = None,
    on_start: Callable[[Sequence[Entry]], Progress | None] | None = None,
    on_outcome: Callable[[Entry, Outcome], None] | None = None,
) -> Report:
    """Make the clips of a manifest that changed, a still of each, `index.html` and `gallery.md`.

    Nothing is written outside of `folder`. Each file takes its place when it is whole.

    Args:
        manifest: A TOML file; see docs/gallery.md.
        folder: Is created, if the folder that it is in exists.
        workers: How many processes render; 1 renders in this one.
        force: Make all clips again.
        new_executor: Makes the executor for a number of workers; `spawned` by default.
        on_start: Called with the clips that have to be made, returns what to call about progress.
        on_outcome: Called when a clip is ready or has failed.

    Returns:
        What became of each clip.

    Raises:
        ValueError: The manifest is not valid; `folder` cannot be written to; `workers` is not
            positive. Nothing was made.
        OSError: The manifest cannot be read, or the page not be written.
    """
    if workers < 1:
        raise ValueError(f"workers must be at least 1, got {workers}")
    content = read_manifest(manifest)
    _make_folder(folder)
    record = Record(folder)
    todo = [
        (entry, fingerprint)
        for entry in content.entries
        for fingerprint in [entry.clip.fingerprint()]
        if force or not record.has(entry.name, fingerprint)
    ]
    entries = [entry for entry, _ in todo]
    progress = on_start(entries) if on_start else None
    made: dict[str, float] = {}
    failed: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix=".lerax-render-", dir=folder) as work:
        jobs = [_job(entry, Path(work)) for entry in entries]
        for number, outcome in _outcomes(jobs, workers, new_executor or spawned, progress):
            entry, fingerprint = todo[number]
            if outcome.video is not None:
                outcome = record.take(entry.name, fingerprint, jobs[number], outcome)
            if outcome.error is None:
                made[entry.name] = outcome.seconds
            else:
                failed[entry.name] = outcome.error
            if on_outcome is not None:
                on_outcome(entry, outcome)
    removed = record.clean({entry.name for entry in content.entries})
    _write_pages(content, record, folder)
    kept = [e.name for e in content.entries if e.name not in made and e.name not in failed]
    return Report(made, kept, failed, removed)


def spawned(workers: int, initializer: Callable[[], None] | None = None) -> Executor:
    """Return an executor whose processes are started anew, since JAX does not survive a fork.

    Args:
        workers: How many processes.
        initializer: Called in each when it starts.
    """
    return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(exist_ok=True)
    except FileNotFoundError as error:
        raise ValueError(
            f"{str(folder)!r} cannot be made: the folder {str(folder.parent)!r} does not exist; "
            "create it first"
        ) from error
    except FileExistsError as error:
        raise ValueError(f"{str(folder)!r} is a file; a gallery needs a folder") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ValueError(f"no permission to write in {str(folder)!r}; choose another folder")


def _job(entry: Entry, work: Path) -> Job:
    file, still = names(entry.name, _format(entry.clip))
    return Job(entry.clip, work / file, work / still)


def _format(clip: Clip) -> str:
    if clip.format is not None:
        return clip.format
    return PRESETS[clip.preset].format if clip.preset else "mp4"


def _outcomes(
    jobs: Sequence[Job],
    workers: int,
    new_executor: Callable[[int], Executor],
    progress: Progress | None,
) -> Iterator[tuple[int, Outcome]]:
    """Render jobs; those whose process died are tried once more, each in a process of its own.

    An executor whose worker died gives up all that is left, and does not say whose fault it was.
    """
    if workers == 1:
        yield from render_clips(jobs, None, progress)
        return
    again = []
    with _ended(new_executor(workers)) as executor:
        for number, outcome in render_clips(jobs, executor, progress):
            if outcome.died:
                again.append(number)
            else:
                yield number, outcome
    for number in again:
        with _ended(new_executor(1)) as executor:
            for _, outcome in render_clips([jobs[number]], executor):
                yield number, outcome


@contextmanager
def _ended(executor: Executor) -> Iterator[Executor]:
    """End an executor when the block ends, without waiting for what has not begun."""
    try:
        yield executor
    finally:
        executor.shutdown(cancel_futures=True)


def _write_pages(manifest: Manifest, record: Record, folder: Path) -> None:
    tiles = []
    for entry in manifest.entries:
        made = record.get(entry.name)
        if made is not None:
            tiles.append(_tile(entry, made))
    about = (manifest.title, manifest.description, tiles)
    write(folder / PAGE, make_page(*about))
    write(folder / MARKDOWN, make_markdown(*about))


def _tile(entry: Entry, made: Made) -> Tile:
    env = entry.clip.env.rpartition("/")[2]
    return Tile(
        made.file,
        made.still,
        made.format,
        made.width,
        made.height,
        entry.caption or entry.name,
        f"{env} · {made.seconds:.3g} s · {human_size(made.num_bytes)}",
        entry.tags,
    )
