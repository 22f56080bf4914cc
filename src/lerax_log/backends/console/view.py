"""What the console shows of a run on a terminal, drawn with rich."""

from collections.abc import Sequence

import numpy as np
from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from .texts import format_seconds, format_value, progress_line
from .training_state import RETURN_TAG, Snapshot

CURVE_ROWS = 5
"""Height of the return's curve in lines."""

COLUMN_WIDTH = 29
"""Least width of a column of metrics, in characters."""

COLUMN_GAP = 2
"""Width of the gap between columns of metrics, in characters."""

FIRST_GROUPS = ("episode", "eval", "train", "time")
"""Groups of metrics that are shown first, in this order."""

BLOCKS = " ▁▂▃▄▅▆▇█"

type Row = tuple[Text, Text]
"""A metric's name and value, a group's name and nothing, or an empty line."""


class TrainingView:
    """A panel with progress, the return's curve and a table of metrics.

    On a terminal that is too low for all of it, the table's last lines make way, then the curve.
    `whole` draws everything all the same.
    """

    def __init__(self, run: Snapshot, *, whole: bool = False) -> None:
        self._run = run
        self._whole = whole

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw the panel, as wide as the console."""
        width = options.max_width - 4
        columns = _columns(self._run, max(1, (width + COLUMN_GAP) // COLUMN_WIDTH))
        curve = _curve(self._run.returns, width)
        # Not counted: the panel's two lines, two of progress, and one the cursor may stand on.
        rows = 10_000 if self._whole else console.height - 5
        if len(curve) + 6 > rows:
            curve = []
        parts: list[RenderableType] = [*_progress(self._run, width), *curve]
        if columns:
            parts += ["", _table(columns, max(rows - len(curve) - 1, 1))]
        yield Panel(
            Group(*parts),
            title=Text(self._run.name, style="bold not dim", overflow="ellipsis", no_wrap=True),
            subtitle=Text(_times(self._run)),
            title_align="left",
            subtitle_align="right",
            border_style="dim",
            box=box.ROUNDED,
        )


def _progress(run: Snapshot, width: int) -> list[RenderableType]:
    """Return a bar and its share in per cent, if the total is known, and a line of figures."""
    figures = Text(progress_line(run, width), overflow="ellipsis", no_wrap=True)
    if run.share is None:
        return [figures]
    line = Table.grid(expand=True)
    line.add_column(ratio=1)
    bar = ProgressBar(total=1, completed=run.share, complete_style="cyan")
    line.add_row(bar, f"{run.share:5.0%}")
    return [line, figures]


def _times(run: Snapshot) -> str:
    elapsed = f"{format_seconds(run.elapsed)} elapsed"
    if run.compile_seconds is None:
        return elapsed
    return f"compiled in {format_seconds(run.compile_seconds)} · {elapsed}"


def _curve(values: Sequence[float], width: int) -> list[RenderableType]:
    """Return the values as filled columns over the whole width, with their range on the left."""
    if len(values) < 2:
        return []
    low, high = min(values), max(values)
    labels = [format_value(high), *[""] * (CURVE_ROWS - 2), format_value(low)]
    margin = max(map(len, labels))
    at = np.linspace(0, len(values) - 1, max(width - margin - 2, 1))
    heights = np.interp(at, np.arange(len(values)), values)
    # The lowest value is one eighth of a line high, so that there is no gap in the curve.
    scale = (CURVE_ROWS * 8 - 1) / (high - low) if high > low else 0.0
    eighths = 1 + np.rint((heights - low) * scale).astype(int)
    lines: list[RenderableType] = ["", Text(RETURN_TAG, style="dim")]
    for row, label in enumerate(labels):
        filled = np.clip(eighths - (CURVE_ROWS - 1 - row) * 8, 0, 8)
        blocks = "".join(BLOCKS[count] for count in filled)
        lines.append(Text.assemble((f"{label:>{margin}} ┤", "dim"), (blocks, "cyan")))
    return lines


def _columns(run: Snapshot, count: int) -> list[list[Row]]:
    """Deal the groups of metrics out to at most `count` columns of about equal height.

    Values of an earlier step are a group of their own, which says the step.
    """
    groups: dict[tuple[str, int], list[Row]] = {}
    for tag, value in run.metrics.items():
        group, _, name = tag.rpartition("/")
        row = Text(f"  {name}" if group else name), Text(format_value(value))
        groups.setdefault((group, run.older.get(tag, run.step)), []).append(row)
    names = list(dict.fromkeys([*FIRST_GROUPS, *(name for name, _ in groups)]))
    shown = sorted(groups, key=lambda group: (names.index(group[0]), -group[1]))
    columns: list[list[tuple[str, int]]] = [[] for _ in range(count)]
    for each in sorted(shown, key=lambda group: -len(groups[group])):
        # A group takes two lines more than its metrics: an empty one and its name.
        shortest = min(columns, key=lambda column: sum(len(groups[g]) + 2 for g in column))
        shortest.append(each)
    ordered = [sorted(column, key=shown.index) for column in columns if column]
    ordered.sort(key=lambda column: shown.index(column[0]))

    def headed(name: str, step: int) -> list[Row]:
        """Return the rows of a group below an empty line and a heading, if it has one."""
        parts = [name] if name else []
        if step < run.step:
            parts.append(f"step {step:,}")
        heading = [(Text(" · ".join(parts), style="bold"), Text())] if parts else []
        return [(Text(), Text()), *heading, *groups[name, step]]

    return [[row for group in column for row in headed(*group)][1:] for column in ordered]


def _table(columns: list[list[Row]], height: int) -> Table:
    """Return the columns side by side, at most `height` lines high."""
    table = Table.grid(expand=True, padding=(0, COLUMN_GAP, 0, 0))
    cells = []
    for rows in columns:
        if len(rows) > height:
            more = sum(bool(value) for _, value in rows[height - 1 :])
            rows = [*rows[: height - 1], (Text(f"… {more} more", style="dim"), Text())]
        cell = Table.grid(expand=True, padding=(0, 1, 0, 0))
        cell.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
        cell.add_column(justify="right", no_wrap=True)
        for row in rows:
            cell.add_row(*row)
        table.add_column(ratio=1)
        cells.append(cell)
    table.add_row(*cells)
    return table
