"""What the benchmarks share: side-by-side timing, memory of a child process, tables of ratios."""

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Row:
    """One comparison: ours and theirs in the same unit, and the ratio that was aimed at."""

    what: str
    ours: float
    theirs: float
    unit: str
    ratio: float
    target: str
    met: bool


def best_of(*functions: Callable[[], object], rounds: int = 3) -> list[float]:
    """Run the functions in turn, `rounds` times each, and return the fewest seconds of each.

    In turn, so that whatever else the machine does falls on all of them.
    """
    best = [float("inf")] * len(functions)
    for _ in range(rounds):
        for i, function in enumerate(functions):
            start = time.perf_counter()
            function()
            best[i] = min(best[i], time.perf_counter() - start)
    return best


def peak_memory(code: str) -> float:
    """Return the peak resident memory in MB of a Python process that runs `code`."""
    # Not ru_maxrss: through fork and exec a child inherits its parent's peak.
    script = (
        f"{code}\n"
        "peak = next(line for line in open('/proc/self/status') if line.startswith('VmHWM'))\n"
        "print(int(peak.split()[1]) / 1024)"
    )
    output = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    ).stdout
    return float(output.split()[-1])


def faster(what: str, ours: float, theirs: float, at_least: float, unit: str = "frames/s") -> Row:
    """Compare rates, where more is better."""
    ratio = ours / theirs
    return Row(what, ours, theirs, unit, ratio, f">= {at_least:g}", ratio >= at_least)


def costs(what: str, ours: float, theirs: float, at_most: float, unit: str = "s") -> Row:
    """Compare costs, where less is better."""
    ratio = ours / theirs
    return Row(what, ours, theirs, unit, ratio, f"<= {at_most:g}", ratio <= at_most)


def show(title: str, rows: list[Row]) -> None:
    """Print rows as a table."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for heading in ("", "ours", "theirs", "unit", "ratio", "target", ""):
        table.add_column(heading, justify="left" if heading in ("", "unit") else "right")
    for row in rows:
        table.add_row(
            row.what,
            f"{row.ours:.4g}",
            f"{row.theirs:.4g}",
            row.unit,
            f"{row.ratio:.2f}",
            row.target,
            "met" if row.met else "MISSED",
        )
    Console(width=110).print(table, "")
