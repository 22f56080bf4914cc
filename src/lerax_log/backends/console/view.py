"""What the console shows of a run on a terminal, drawn with rich."""

from collections.abc import Mapping, Sequence

import numpy as np
from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from .training_state import RETURN_TAG, Snapshot, format_seconds, format_value, progress_parts

CURVE_ROWS = 5
"""Height of the return's curve in lines."""

COLUMN_WIDTH = 30
"""Least width of a column of metrics, in characters."""

COLUMN_GAP = 4
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
        columns = _columns(self._run.metrics, max(1, (width + COLUMN_GAP) // COLUMN_WIDTH))
        curve = _curve(self._run.returns, width)
        # Not counted: the panel's two lines, two of progress, and one the cursor may stand on.
        rows = 10_000 if self._whole else console.height - 5
        if len(curve) + 6 > rows:
            curve = []
        parts: list[RenderableType] = [*_progress(self._run), *curve]
        if columns:
            parts += ["", _table(columns, max(rows - len(curve) - 1, 1))]
        yield Panel(
            Group(*parts),
            title=Text(self._run.name, style="bold not dim", overflow="ellipsis", no_wrap=True),
            subtitle=Text(f"{format_seconds(self._run.elapsed)} elapsed"),
            title_align="left",
            subtitle_align="right",
            border_style="dim",
            box=box.ROUNDED,
        )


def _progress(run: Snapshot) -> list[RenderableType]:
    """Return a bar and its share in per cent, if the total is known, and a line of figures."""
    text = " · ".join(progress_parts(run)) if run.metrics else "waiting for the first iteration"
    figures = Text(text, overflow="ellipsis", no_wrap=True)
    if run.total_steps is None:
        return [figures]
    share = min(1.0, run.step / run.total_steps)
    line = Table.grid(expand=True)
    line.add_column(ratio=1)
    line.add_row(ProgressBar(total=1, completed=share, complete_style="cyan"), f"{share:5.0%}")
    return [line, figures]


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


def _columns(metrics: Mapping[str, float], count: int) -> list[list[Row]]:
    """Deal the groups of metrics out to at most `count` columns of about equal height."""
    groups: dict[str, list[Row]] = {group: [] for group in FIRST_GROUPS}
    for tag, value in metrics.items():
        group, _, name = tag.rpartition("/")
        row = Text(f"  {name}" if group else name), Text(format_value(value))
        groups.setdefault(group, []).append(row)
    shown = [group for group, rows in groups.items() if rows]
    columns: list[list[str]] = [[] for _ in range(count)]
    for group in sorted(shown, key=lambda group: -len(groups[group])):
        # A group takes two lines more than its metrics: an empty one and its name.
        shortest = min(columns, key=lambda column: sum(len(groups[g]) + 2 for g in column))
        shortest.append(group)
    ordered = [sorted(column, key=shown.index) for column in columns if column]
    ordered.sort(key=lambda column: shown.index(column[0]))
    return [
        [row for group in column for row in _headed(group, groups[group])][1:] for column in ordered
    ]


def _headed(group: str, rows: list[Row]) -> list[Row]:
    """Return the rows below an empty line and the group's name, if it has one."""
    names = [group] if group else []
    return [(Text(), Text()), *((Text(name, style="bold"), Text()) for name in names), *rows]


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
