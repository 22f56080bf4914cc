"""From a manifest to a folder with its clips and a page; only what changed is made again."""

import fcntl
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.filesize import decimal

from ..batch import Clip, Job, Outcome, Progress, WorkerProcesses, render_clips
from ..video import PRESETS, WorkFolder, write_whole
from .ledger import Made, Record, names
from .manifest import Entry, Manifest, read_manifest
from .page import Tile, make_markdown, make_page

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
    initializer: Callable[[], None] | None = None,
    executor: Executor | None = None,
    shared: bool = False,
    force: bool = False,
    on_start: Callable[[Sequence[Entry]], Progress | None] | None = None,
    on_outcome: Callable[[Entry, Outcome], None] | None = None,
) -> Report:
    """Make the clips of a manifest that changed, a still of each, `index.html` and `gallery.md`.

    Nothing is written outside of `folder`. Each file takes its place when it is whole.

    Args:
        manifest: A TOML file; see docs/gallery.md.
        folder: Is created, if the folder that it is in exists.
        workers: How many processes of this machine render; 1 renders in this one.
        initializer: Called in each of these processes when it starts.
        executor: Renders instead of them, wherever it does; see `executors.dask_cluster`.
        shared: Whether `folder` and the policies are under the same names where the executor
            renders. If not, policies are sent there, and clips sent back; other files that the
            manifest names have to be there in any case.
        force: Make all clips again, and replace files that no gallery has made, or that another
            manifest's has.
        on_start: Called with the clips that have to be made, returns what to call about progress.
        on_outcome: Called when a clip is ready or has failed.

    Returns:
        What became of each clip.

    Raises:
        ValueError: The manifest is not valid; `folder` cannot be written to, or has files of the
            same names that no gallery has made, or another manifest's clips, or another gallery is
            being made in it; `workers` is not positive, or given with an executor. Nothing was
            made.
        OSError: The manifest cannot be read, or the page not be written.
    """
    if workers < 1:
        raise ValueError(f"workers must be at least 1, got {workers}")
    if executor is not None and workers != 1:
        raise ValueError(f"an executor has workers of its own, got workers={workers} as well")
    content = read_manifest(manifest)
    _make_folder(folder)
    with ExitStack() as stack:
        stack.enter_context(_alone_in(folder))
        record = Record(folder, manifest)
        fingerprints = {entry.name: entry.clip.fingerprint() for entry in content.entries}
        if not force:
            _check_manifest(record, fingerprints, folder)
            _check_foreign(record, content, folder)
        todo = [
            (entry, fingerprints[entry.name])
            for entry in content.entries
            if force or not record.has(entry.name, fingerprints[entry.name])
        ]
        if executor is not None or workers > 1:
            todo = _mixed(todo)
        entries = [entry for entry, _ in todo]
        progress = on_start(entries) if on_start else None
        made: dict[str, float] = {}
        failures: dict[str, str] = {}
        # Also where Ctrl-C ends this: what is ready is shown.
        stack.callback(_write_pages, content, record, folder)
        work = stack.enter_context(WorkFolder(folder))
        renderer = stack.enter_context(_renderer(executor, workers, len(todo), initializer))
        place = None if executor is not None and not shared else work
        jobs = (_job(entry, place) for entry in entries)
        for number, outcome in render_clips(jobs, renderer, progress=progress):
            entry, fingerprint = todo[number]
            if outcome.video is not None:
                outcome = record.take(entry.name, fingerprint, entry.clip, outcome, work)
            if outcome.error is None:
                made[entry.name] = outcome.seconds
            else:
                failures[entry.name] = outcome.error
            if on_outcome is not None:
                on_outcome(entry, outcome)
        removed = record.clean({entry.name for entry in content.entries})
    kept = [e.name for e in content.entries if e.name not in made and e.name not in failures]
    # In the manifest's order, whichever was the first to fail.
    failed = {e.name: failures[e.name] for e in content.entries if e.name in failures}
    return Report(made, kept, failed, removed)


def _mixed(todo: Sequence[tuple[Entry, str]]) -> list[tuple[Entry, str]]:
    """Put clips of different environments beside each other.

    Each is then compiled by another worker, where of one environment all would wait for the first.
    """
    count: Counter[str] = Counter()
    turns = []
    for entry, _ in todo:
        turns.append(count[entry.clip.env])
        count[entry.clip.env] += 1
    return [todo[place] for place in sorted(range(len(todo)), key=turns.__getitem__)]


@contextmanager
def _renderer(
    executor: Executor | None, workers: int, clips: int, initializer: Callable[[], None] | None
) -> Iterator[Executor | None]:
    if executor is not None or workers == 1:
        yield executor
        return
    # Of fewer processes, each has more cores.
    with WorkerProcesses(max(1, min(workers, clips)), initializer) as processes:
        yield processes


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


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Keep other galleries out of the folder: each would write its own record of what is in it.

    Raises:
        ValueError: Another one is being made there.
    """
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ValueError(
                f"another gallery is being made in {str(folder)!r} right now; wait until it is "
                "ready, or choose another folder: one belongs to one manifest"
            ) from None
        # A network disk need not have locks.
        except OSError:
            pass
        yield
    finally:
        os.close(lock)


def _check_manifest(record: Record, fingerprints: Mapping[str, str], folder: Path) -> None:
    if lost := record.loses(fingerprints):
        raise ValueError(
            f"{str(folder)!r} has the clips of another manifest, {record.made_from}, of which "
            f"{', '.join(lost)} would be removed or replaced. Choose another folder, or have "
            "them replaced with --force (force=True)"
        )


def _check_foreign(record: Record, manifest: Manifest, folder: Path) -> None:
    media = [file for e in manifest.entries for file in names(e.name, _format(e.clip))]
    if foreign := record.foreign(media, (PAGE, MARKDOWN)):
        raise ValueError(
            f"in {str(folder)!r} there are files that no gallery has made, and whose places it "
            f"would take: {', '.join(foreign)}. Move them, choose another folder, or have them "
            "replaced with --force (force=True)"
        )


def _job(entry: Entry, work: Path | None) -> Job:
    """Return what makes a clip in a folder; or without one, anywhere, and sends it back."""
    if work is None:
        return Job(entry.clip.with_policies(), still=True)
    file, _ = names(entry.name, _format(entry.clip))
    return Job(entry.clip, work / file, still=True)


def _format(clip: Clip) -> str:
    if clip.format is not None:
        return clip.format
    return PRESETS[clip.preset].format if clip.preset else "mp4"


def _write_pages(manifest: Manifest, record: Record, folder: Path) -> None:
    tiles = []
    for entry in manifest.entries:
        made = record.get(entry.name)
        if made is not None:
            tiles.append(_tile(entry, made))
    about = (manifest.title, manifest.description, tiles)
    write_whole(folder / PAGE, make_page(*about))
    write_whole(folder / MARKDOWN, make_markdown(*about))


def _tile(entry: Entry, made: Made) -> Tile:
    env = entry.clip.env.rpartition("/")[2]
    return Tile(
        made.file,
        made.still,
        made.format,
        made.width,
        made.height,
        entry.caption or entry.name,
        f"{env} · {made.seconds:.3g} s · {decimal(made.num_bytes)}",
        entry.tags,
    )
