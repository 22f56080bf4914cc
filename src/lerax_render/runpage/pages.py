"""Pages of runs: where they lie, and what is in them."""

import base64
import html
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from ..runs import METRICS, RUN, RunFolder
from ..video import write_whole
from ..webpage import filled, joined_files, policy_hash, policy_hashes
from .data import DATA, FOLDER, from_script, moment_place

PAGE = "index.html"
"""The name of a page's file."""

_MARK = '<meta name="generator" content="lerax-render">'
_SCRIPTS = ("load.js", "runs.js", "axes.js", "chart.js", "pointing.js", "panes.js", "viewer.js")
_LAST = ("moments.js", "tables.js", "start.js")

_SHARED_BYTES = 12_000_000
"""So much of players goes into a page of one file."""


def find_runs(folders: Sequence[str | os.PathLike[str]]) -> list[Path]:
    """Return runs' folders: those that are given, and those in folders that are none themselves.

    Raises:
        ValueError: There is none in one of them.
    """
    found: dict[Path, None] = {}
    for given in folders:
        folder = Path(os.path.abspath(given))
        runs = [folder] if _is_run(folder) else sorted(filter(_is_run, folder.glob("**/")))
        if not runs:
            raise ValueError(
                f"no run in {str(given)!r}: expected is a folder that lerax_log's LoggingCallback "
                f"has logged to, with {RUN} and {METRICS}, or one with such folders in it"
            )
        found |= dict.fromkeys(runs)
    return list(found)


def place_page(runs: Sequence[Path]) -> Path:
    """Return where the page of runs lies: in the run's folder, or in the one that holds them all.

    Raises:
        ValueError: It would replace a file that is no page of runs, or the runs have no folder in
            common but that of all files.
    """
    folder = runs[0] if len(runs) == 1 else Path(os.path.commonpath(runs))
    if folder == Path(folder.root):
        raise ValueError(f"{runs[0]} and {runs[-1]} lie in no folder together: move them into one")
    page = folder / PAGE
    if page.exists() and not _is_ours(page):
        raise ValueError(f"{page} is there, and is no page of runs: move it away")
    return page


def _is_ours(page: Path) -> bool:
    with page.open("rb") as file:
        return _MARK.encode() in file.read(2000)


def make_run_page(runs: Sequence[Path], page: Path) -> None:
    """Write the page of runs, whose data lie in their folders.

    Args:
        runs: Their folders, in or below the page's.
        page: Its file.

    Raises:
        OSError: The disk is full or failed.
    """
    bases = [_below(run, page.parent) for run in runs]
    write_whole(page, _page(_title(runs), bases, None))


def share_run_page(runs: Sequence[Path], page: Path) -> int:
    """Write the page of runs as one file, with the newest recordings of each.

    Args:
        runs: Their folders, with the data of pages in them.
        page: The file.

    Returns:
        How many recordings can be played in it.

    Raises:
        OSError: The disk is full or failed.
    """
    bases = [f"{number}/" for number in range(len(runs))]
    given: dict[str, str] = {}
    steps: list[tuple[int, int, Path, str]] = []
    for base, run in zip(bases, runs, strict=True):
        for file in (run / DATA, *(run / FOLDER).glob("curve_*.js")):
            given[f"{base}{FOLDER}/{file.name}"] = from_script(file.read_text("utf-8"))
        recordings = RunFolder(run).recordings()
        for age, each in enumerate(reversed(recordings)):
            still = moment_place(run, each.step, "webp")
            if still.exists():
                given[f"{base}{FOLDER}/{still.name}"] = _address("image/webp", still.read_bytes())
            steps.append((age, each.step, run, base))
    room, players = _SHARED_BYTES, 0
    for _, step, run, base in sorted(steps, key=lambda each: each[:2]):
        player = moment_place(run, step, "html")
        if player.exists() and player.stat().st_size <= room:
            room -= player.stat().st_size
            given[f"{base}{FOLDER}/{player.name}"] = player.read_text("utf-8")
            players += 1
    write_whole(page, _page(_title(runs), bases, given))
    return players


def _page(title: str, bases: Sequence[str], given: Mapping[str, str] | None) -> str:
    style = joined_files(__package__, "page.css")
    script = joined_files(__package__, *_SCRIPTS, *_LAST)
    players = [text for name, text in (given or {}).items() if name.endswith(".html")]
    styles, scripts = policy_hashes(players)
    data = msgspec.json.encode({"title": title, "runs": bases, "files": given}).decode()
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


def _address(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
