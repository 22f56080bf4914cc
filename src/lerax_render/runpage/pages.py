"""Pages of runs: where they lie, and what is in them."""

import base64
import contextlib
import fcntl
import html
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from ..runs import FOLDERS, METRICS, RUN, RunFolder, check_within
from ..video import WorkFolder, write_whole
from ..webpage import filled, joined_files, policy_hash, policy_hashes
from .data import DATA, FOLDER, SCRIPT, as_script, from_script

PAGE = "index.html"
"""The name of a page's file."""

RUNS = "runs.js"
"""The name of the file beside a page that grows, with the folders of its runs."""

_MARK = '<meta name="generator" content="lerax-render">'
_SCRIPTS = ("load.js", "runs.js", "axes.js", "chart.js", "pointing.js", "panes.js", "viewer.js")
_LAST = ("moments.js", "tables.js", "start.js")

SHARED_BYTES = 16_000_000
"""So large is a page of one file at most."""


def find_runs(folders: Sequence[str | os.PathLike[str]]) -> list[Path]:
    """Return runs' folders: those that are given, and those in folders that are none themselves.

    Raises:
        ValueError: There is none in one of them, or no such folder.
    """
    found: dict[Path, None] = {}
    for given in folders:
        RunFolder(given).check_there()
        folder = Path(os.path.abspath(given))
        runs = [folder] if _is_run(folder) else sorted(filter(_is_run, folder.glob("**/")))
        if not runs:
            raise ValueError(
                f"no run in {str(given)!r}: expected is a folder that lerax_log's LoggingCallback "
                f"has logged to, with {RUN} and {METRICS}, or one with such folders in it"
            )
        found |= dict.fromkeys(runs)
    return list(found)


def place_page(folders: Sequence[str | os.PathLike[str]]) -> Path:
    """Return where a page lies: in the folder that was given, or in the one that holds them all.

    Raises:
        ValueError: It would replace a file that is no page of runs, or the folders have none in
            common but that of all files.
    """
    folder = Path(os.path.commonpath([os.path.abspath(each) for each in folders]))
    if folder == Path(folder.root):
        raise ValueError(
            f"{folders[0]} and {folders[-1]} lie in no folder together: move them into one"
        )
    for file in (folder / PAGE, folder / RUNS):
        if file.exists() and not _is_ours(file):
            raise ValueError(f"{file} is there, and is no page of runs: move it away")
    return folder / PAGE


def _is_ours(file: Path) -> bool:
    with file.open("rb") as opened:
        begins = opened.read(2000)
    return _MARK.encode() in begins if file.name == PAGE else begins.startswith(SCRIPT.encode())


def check_writable(folders: Iterable[Path]) -> None:
    """Raise `PermissionError` where the page of a run cannot be written into its folder."""
    for folder in folders:
        for place in (folder / FOLDER, folder):
            if place.exists() and not os.access(place, os.W_OK, effective_ids=True):
                raise PermissionError(
                    f"{place} cannot be written to, which a page needs: make a single file "
                    "elsewhere with --share FILE.html"
                )


def make_run_page(
    runs: Sequence[Path], page: Path, *, grows: bool = False, name: str | None = None
) -> None:
    """Write the page of runs, whose data lie in their folders.

    Args:
        runs: Their folders, in or below the page's.
        page: Its file.
        grows: Whether runs that are added later belong to it, see `add_run`.
        name: The run's name, if its folder does not say it yet.

    Raises:
        OSError: The disk is full or failed.
    """
    folder = page.parent
    bases = [_below(run, folder) for run in runs]
    index = folder / RUNS
    if grows:
        with _held(folder):
            added = [base for base in _listed(index) if _is_run(folder / base)]
            write_whole(index, as_script(list(dict.fromkeys((*bases, *added)))))
        text = _page(f"Runs in {folder.name}", [], grows=True)
    else:
        index.unlink(missing_ok=True)
        text = _page(name or _title(runs), bases)
    write_whole(page, text)


def add_run(run: Path) -> None:
    """Add a run to the pages of the folders that it lies in, as far as they grow.

    Raises:
        OSError: The disk is full or failed.
    """
    for folder in run.parents[:-1]:
        index = folder / RUNS
        if not (index.is_file() and (folder / PAGE).is_file() and _is_ours(folder / PAGE)):
            continue
        with _held(folder):
            bases, base = _listed(index), _below(run, folder)
            if base not in bases:
                write_whole(index, as_script([*bases, base]))


@contextlib.contextmanager
def aside(runs: Sequence[Path]) -> Iterator[list[Path]]:
    """Yield folders that stand for runs', so that nothing is written into those.

    They hold links to what was logged, and copies of the stills and players that a page has.

    Raises:
        RenderError: The page of a run, or a file of it, is a link out of its folder.
    """
    around = Path(os.path.commonpath(runs))
    with WorkFolder() as work:
        yield [_linked(run, work / around.name / run.relative_to(around)) for run in runs]


def _linked(run: Path, folder: Path) -> Path:
    (folder / FOLDER).mkdir(parents=True)
    for each in run.iterdir():
        if each.name == FOLDER:
            check_within(each, run)
            for file in each.glob("step_*"):
                check_within(file, run)
                shutil.copyfile(file, folder / FOLDER / file.name)
        elif each.is_file() or each.name in FOLDERS:
            (folder / each.name).symlink_to(each)
    return folder


def share_run_page(runs: Sequence[Path], most_bytes: int = SHARED_BYTES) -> tuple[str, int]:
    """Return the page of runs as one file.

    The curves as a whole are in it, then what there is room for: the stills and players of the
    newest recordings of each run, and curves from nearby.

    Args:
        runs: Their folders, with the data of pages in them.
        most_bytes: Its size, unless the curves alone are more.

    Returns:
        Its text, and how many recordings can be played in it.

    Raises:
        RenderError: A file is a link out of its run's folder, to what nobody means to share.
    """
    bases = [f"{number}/" for number in range(len(runs))]
    given: dict[str, str] = {}
    recorded: list[tuple[bool, int, str, Path]] = []
    closer: list[tuple[str, Path]] = []
    for base, run in zip(bases, runs, strict=True):
        given[f"{base}{DATA}"] = _content(run / DATA)
        for file in (run / FOLDER).iterdir():
            check_within(file, run)
        for file in sorted((run / FOLDER).glob("curve_*.js")):
            if file.stem.endswith("_all"):
                closer.append((base, file))
            else:
                given[f"{base}{FOLDER}/{file.name}"] = _content(file)
        for age, each in enumerate(reversed(RunFolder(run).recordings())):
            if still := each.files.get("still"):
                recorded.append((False, age, base, still))
            if player := each.files.get("player"):
                recorded.append((True, age, base, player))
    recorded.sort(key=lambda each: each[:2])
    room = most_bytes - len(_page(_title(runs), bases, given).encode())
    players = 0
    for base, file in (*(each[2:] for each in recorded), *closer):
        content = _content(file)
        size = len(msgspec.json.encode(content))
        if size <= room:
            room -= size
            given[f"{base}{FOLDER}/{file.name}"] = content
            players += file.suffix == ".html"
    return _page(_title(runs), bases, given), players


def _page(
    title: str,
    bases: Sequence[str],
    given: Mapping[str, str] | None = None,
    *,
    grows: bool = False,
) -> str:
    style = joined_files(__package__, "page.css")
    script = joined_files(__package__, *_SCRIPTS, *_LAST)
    players = [text for name, text in (given or {}).items() if name.endswith(".html")]
    styles, scripts = policy_hashes(players)
    index = RUNS if grows else None
    data = msgspec.json.encode({"runs": bases, "index": index, "files": given}).decode()
    return filled(
        joined_files(__package__, "page.html"),
        {
            "mark": _MARK,
            "title": html.escape(title),
            "style": style,
            # Players in a frame of this page have to do with what it is allowed itself.
            "style_hash": " ".join(f"'{each}'" for each in (policy_hash(style), *styles)),
            "script": script,
            "script_hash": " ".join(f"'{each}'" for each in (policy_hash(script), *scripts)),
            # No tag ends where data have one in them.
            "data": data.replace("<", "\\u003c"),
        },
    )


def _title(runs: Sequence[Path]) -> str:
    if len(runs) == 1:
        return RunFolder(runs[0]).facts.name or runs[0].name
    return f"{len(runs)} runs in {Path(os.path.commonpath(runs)).name}"


def _is_run(folder: Path) -> bool:
    return any((folder / name).is_file() for name in (RUN, METRICS))


def _below(run: Path, folder: Path) -> str:
    relative = run.relative_to(folder).as_posix()
    return "" if relative == "." else f"{relative}/"


def _content(file: Path) -> str:
    """Return a file as a page of one file has it."""
    if file.suffix == ".webp":
        return f"data:image/webp;base64,{base64.b64encode(file.read_bytes()).decode()}"
    text = file.read_text("utf-8")
    return from_script(text) if file.suffix == ".js" else text


def _listed(index: Path) -> list[str]:
    """Return the runs of a page that grows that lie beside it; none if it cannot be read."""
    try:
        found = msgspec.json.decode(from_script(index.read_text("utf-8")), type=list[str])
    except (OSError, UnicodeError, msgspec.MsgspecError):
        return []
    return [base for base in found if not base.startswith("/") and ".." not in base.split("/")]


@contextlib.contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Wait until no other training adds its run to a folder's page."""
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        # Some disks know no locks.
        with contextlib.suppress(OSError):
            fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)
