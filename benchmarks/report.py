"""What a benchmark hands back, how it is printed, and the page that it stands on."""

import json
import os
import platform
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib import metadata
from pathlib import Path

from rich.console import Console
from rich.table import Table
from timing import Row

HEADINGS = ("", "ours", "theirs", "unit", "ratio", "aimed at", "")
PACKAGES = (
    "lerax",
    "jax",
    "equinox",
    "mujoco",
    "mujoco-mjx",
    "pygame",
    "pygame-ce",
    "numpy",
    "gymnasium",
    "moviepy",
    "mediapy",
)
INTRODUCTION = """\
`make bench` measures everything on this page but the sections at its end that begin with \
"Once", and writes the page. Each ratio is of two things \
measured in turn in one run, so that whatever else the machine does falls on both, and of several \
rounds the fastest counts. The numbers that a ratio is made of are for orientation only."""


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Attributes:
        title: Its heading.
        prose: What is measured, and how, in Markdown; it holds no number that was measured.
        rows: Comparisons.
        table: Cells row by row, headings first, of what is no comparison.
        note: What to make of it, below the tables.
    """

    title: str
    prose: str
    rows: Sequence[Row] = ()
    table: Sequence[Sequence[str]] = ()
    note: str = ""

    def to_json(self) -> str:
        """Return the section as one line, for `from_json`."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, line: str) -> "Section":
        """Return the section that `to_json` was called on."""
        fields = json.loads(line)
        return cls(**fields | {"rows": [Row(**row) for row in fields["rows"]]})


def number(value: float | None) -> str:
    """Return a number with three digits that count: 104,000, 16.1, 0.0123."""
    if value is None:
        return "–"
    if abs(value) >= 1000:
        digits = len(f"{abs(value):.0f}")
        return f"{round(value, 3 - digits):,.0f}"
    return f"{value:#.3g}".rstrip(".")


def cells(row: Row) -> tuple[str, ...]:
    """Return a comparison as texts below `HEADINGS`."""
    verdict = "" if not row.target else "met" if row.met else "**missed**"
    numbers = (number(row.ours), number(row.theirs), row.unit, number(row.ratio))
    return (row.what, *numbers, row.target, verdict)


def show(section: Section, console: Console) -> None:
    """Print a section's tables."""
    for lines in _tables(section):
        table = Table(title=section.title, title_justify="left", box=None, pad_edge=False)
        for i, heading in enumerate(lines[0]):
            table.add_column(heading, justify="right" if i and heading != "unit" else "left")
        for line in lines[1:]:
            table.add_row(*(cell.replace("*", "") for cell in line))
        console.print(table, "")
    if not _tables(section):
        console.print(f"{section.title}: {section.prose}\n", markup=False)


def markdown(section: Section) -> str:
    """Return a section as it stands on the page."""
    parts = [f"## {section.title}", section.prose]
    parts += ["\n".join(_line(line) for line in _ruled(lines)) for lines in _tables(section)]
    return "\n\n".join(part for part in (*parts, section.note) if part)


def page(sections: Sequence[Section], facts: Iterable[tuple[str, str]]) -> str:
    """Compose the page.

    Args:
        sections: In their order on the page.
        facts: Of the run and the machine, name and value.
    """
    aims = [row for section in sections for row in section.rows if row.target]
    missed = [row.what for row in aims if not row.met]
    verdict = f"{len(aims) - len(missed)} of {len(aims)} aims were met in this run."
    if missed:
        verdict += " Missed:\n\n" + "\n".join(f"- {what}" for what in missed)
    run = "\n".join(_line(line) for line in _ruled([("this run", ""), *facts]))
    return "\n\n".join(
        ["# Benchmarks", INTRODUCTION, run, verdict, *(markdown(each) for each in sections), ""]
    )[:-1]


def replace_section(text: str, section: Section) -> str:
    """Return a page with one of its sections replaced, by title, or added at its end."""
    new = markdown(section) + "\n"
    old = re.compile(rf"^## {re.escape(section.title)}\n.*?(?=^## |\Z)", re.M | re.S)
    if not old.search(text):
        return f"{text.rstrip()}\n\n{new}"
    return old.sub(lambda match: new + "\n" * (match.end() < len(text)), text, count=1)


def facts_at_start() -> list[tuple[str, str]]:
    """Return what says how much a run can be relied on: when, where, and beside what."""
    load = os.getloadavg()
    busy = " (busy: the numbers suffer)" if load[0] > 0.5 else ""
    return [
        ("date", datetime.now().strftime("%Y-%m-%d %H:%M")),
        ("load average before it", " ".join(f"{each:.2f}" for each in load) + busy),
        ("CPU", f"{_cpu_model()}, {len(os.sched_getaffinity(0))} cores, {platform.machine()}"),
    ]


def facts_of_machine(opponents: Path) -> list[tuple[str, str]]:
    """Return what draws here, and the versions of what takes part."""
    from lerax_render.mujoco import gl
    from lerax_render.video import ffmpeg

    egl = gl.probe("egl")
    kind = "a GPU" if egl.hardware else "on the CPU"
    versions = [
        f"{name} {version}" for name in PACKAGES if (version := _version(name, str(opponents)))
    ]
    return [
        ("GL", f"{egl.renderer}, {kind}" if egl.ok else f"none: {egl.reason}"),
        ("Python", f"{platform.python_version()}, {platform.platform()}"),
        ("ffmpeg", ffmpeg.version()),
        ("packages", ", ".join(versions)),
    ]


def duration(seconds: float) -> str:
    """Return a time as text."""
    return f"{seconds // 60:.0f} min {seconds % 60:.0f} s" if seconds >= 60 else f"{seconds:.0f} s"


def _tables(section: Section) -> list[list[Sequence[str]]]:
    tables: list[list[Sequence[str]]] = [list(section.table)] if section.table else []
    if section.rows:
        tables.append([HEADINGS, *(cells(row) for row in section.rows)])
    return tables


def _ruled(lines: Sequence[Sequence[str]]) -> list[Sequence[str]]:
    return [lines[0], ["---"] * len(lines[0]), *lines[1:]]


def _line(line: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |"


def _cpu_model() -> str:
    found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return found[1] if found else platform.processor() or "unknown"


def _version(name: str, opponents: str) -> str | None:
    for where in ({}, {"path": [opponents]}):
        for found in metadata.distributions(name=name, **where):
            return found.version
    return None
