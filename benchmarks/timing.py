"""What the benchmarks share: side-by-side timing, memory of a child process, rows of ratios."""

import contextlib
import io
import logging
import resource
import subprocess
import sys
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Row:
    """One comparison: ours and theirs in the same unit, and what was aimed at.

    Attributes:
        what: What is compared, ours first.
        ours: The number for this project.
        theirs: The number for what it is compared with; `None` where a number stands by itself.
        unit: Of both.
        ratio: Ours to theirs, where there are both.
        target: What was aimed at, as text; empty where nothing was.
        met: Whether it was.
    """

    what: str
    ours: float
    theirs: float | None
    unit: str
    ratio: float | None = None
    target: str = ""
    met: bool = True


def best_of(
    *functions: Callable[[], object],
    rounds: int = 3,
    clock: Callable[[], float] = time.perf_counter,
) -> list[float]:
    """Run the functions in turn, `rounds` times each, and return the fewest seconds of each.

    In turn, so that whatever else the machine does falls on all of them.
    """
    best = [float("inf")] * len(functions)
    for _ in range(rounds):
        for i, function in enumerate(functions):
            start = clock()
            function()
            best[i] = min(best[i], clock() - start)
    return best


def cpu_time() -> float:
    """Return the CPU time of this process and of its children that have ended, in seconds."""
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def peak_memory(code: str) -> float:
    """Return the peak resident memory in MB of a Python process that runs `code`."""
    # Not ru_maxrss: through fork and exec a child inherits its parent's peak.
    script = (
        f"{code}\n"
        "peak = next(line for line in open('/proc/self/status') if line.startswith('VmHWM'))\n"
        "print(int(peak.split()[1]) / 1024)"
    )
    output = subprocess.run(
        [sys.executable, "-c", script], check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    return float(output.split()[-1])


def faster(what: str, ours: float, theirs: float, at_least: float, unit: str = "frames/s") -> Row:
    """Compare rates, where more is better."""
    ratio = ours / theirs
    return Row(what, ours, theirs, unit, ratio, f"≥ {at_least:g}", ratio >= at_least)


def costs(what: str, ours: float, theirs: float, at_most: float, unit: str = "s") -> Row:
    """Compare costs, where less is better."""
    ratio = ours / theirs
    return Row(what, ours, theirs, unit, ratio, f"≤ {at_most:g}", ratio <= at_most)


def known(what: str, ours: float, theirs: float, unit: str) -> Row:
    """Compare without a target."""
    return Row(what, ours, theirs, unit, ours / theirs)


def at_most(what: str, ours: float, limit: float, unit: str) -> Row:
    """Compare with a limit instead of with somebody else, where less is better."""
    return Row(what, ours, None, unit, None, f"≤ {limit:g} {unit}", ours <= limit)


def at_least(what: str, ours: float, limit: float, unit: str) -> Row:
    """Compare with a limit instead of with somebody else, where more is better."""
    return Row(what, ours, None, unit, None, f"≥ {limit:g} {unit}", ours >= limit)


def exhaust(iterable: Iterable[object]) -> None:
    """Use an iterable up."""
    deque(iterable, maxlen=0)


def quietly(function: Callable[[], object]) -> Callable[[], None]:
    """Wrap a function so that its prints and warnings are not seen."""

    def run() -> None:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            logging.getLogger("imageio_ffmpeg").setLevel(logging.ERROR)
            function()

    return run


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    """Return how alike two pictures are, in dB."""
    error = np.mean((one.astype(float) - other.astype(float)) ** 2)
    return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))
