"""What the last whole run measured, so that the next one shows what got slower since."""

import json
from collections.abc import Sequence
from pathlib import Path

from report import Section, number
from rich.console import Console
from rich.table import Table
from timing import Row

FILE = Path(__file__).with_name("last.json")
NOISE = 1.1
"""Two runs of the same code differ by less than this, on a machine that does nothing else."""


def read(file: Path = FILE) -> dict[str, float]:
    """Return what the last whole run measured: a ratio, or a number with a limit, by its name."""
    return dict(json.loads(file.read_text())) if file.is_file() else {}


def write(sections: Sequence[Section], file: Path = FILE) -> None:
    """Keep what this run measured, for the next one; what it did not, stays as it was."""
    measured = read(file) | {name: _value(row) for name, row in _rows(sections).items()}
    file.write_text(json.dumps(measured, indent=1, ensure_ascii=False) + "\n")


def show_changes(sections: Sequence[Section], last: dict[str, float], console: Console) -> None:
    """Print what was measured last time and now, with what got worse first."""
    rows = {name: row for name, row in _rows(sections).items() if last.get(name)}
    if not rows:
        return
    table = Table(title="Last time and now", title_justify="left", box=None, pad_edge=False)
    for heading in ("", "last time", "now", "times as good", ""):
        table.add_column(heading, justify="left" if heading == "" else "right")
    better = {name: _better(row, last[name]) for name, row in rows.items()}
    for name in sorted(rows, key=better.__getitem__):
        verdict = "worse" if better[name] < 1 / NOISE else ""
        numbers = (last[name], _value(rows[name]), better[name])
        table.add_row(name, *map(number, numbers), verdict)
    console.print(table, "")


def _rows(sections: Sequence[Section]) -> dict[str, Row]:
    return {f"{section.title}: {row.what}": row for section in sections for row in section.rows}


def _value(row: Row) -> float:
    return row.ours if row.ratio is None else row.ratio


def _better(row: Row, last: float) -> float:
    """Return how many times as good as last time it is; of what has no aim, by its unit."""
    more_is_better = row.target.startswith("≥") if row.target else row.unit.endswith(("/s", "dB"))
    change = _value(row) / last
    return change if more_is_better else 1 / change if change else 1.0
