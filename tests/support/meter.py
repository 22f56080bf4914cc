"""What a process holds, round after round: files, threads, children, temporary files, memory."""

import gc
import os
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np

_SAMPLES = 40


def held() -> dict[str, int]:
    """What must not grow at all."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return {
        "files": len(os.listdir("/proc/self/fd")),
        "threads": len(os.listdir("/proc/self/task")),
        "Python's threads": threading.active_count(),
        "children": len(children),
        "temporary files": len(os.listdir(tempfile.gettempdir())),
        "mappings of memory files": Path("/proc/self/maps").read_text().count("memfd:"),
    }


def memory() -> int:
    """Resident memory in bytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def assert_no_growth(
    name: str, once: Callable[[int], object], rounds: int, *, warm_up: int, slope: int
) -> None:
    """Do something many times, and see that nothing of it stays.

    Args:
        name: For the report.
        once: Called with the number of the round.
        rounds: How many are measured.
        warm_up: Rounds before: what is loaded, cached or pooled once belongs to none.
        slope: Bytes of memory a round that it may grow by, by least squares.
    """
    for number in range(warm_up):
        once(number)
    gc.collect()
    before = held()
    each = max(1, rounds // _SAMPLES)
    at, sizes = [], []
    for number in range(rounds):
        if number % each == 0:
            gc.collect()
            at.append(number)
            sizes.append(memory())
        once(warm_up + number)
    gc.collect()
    grown = float(np.polyfit(at, sizes, 1)[0])
    # Flushed: the process that this runs in may be killed next.
    print(
        f"\n{name}: {rounds} rounds, {grown:+.0f} bytes a round (at most {slope}), "
        f"{(sizes[-1] - sizes[0]) / 1e6:+.1f} MB in all, {sizes[-1] / 1e6:.0f} MB held",
        flush=True,
    )
    after = held()
    assert after == before, f"{name}: {before} has become {after}"
    assert grown <= slope, f"{name}: memory grows by {grown:.0f} bytes a round"
