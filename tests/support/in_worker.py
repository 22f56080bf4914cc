"""What tests have worker processes do."""

import os
import time
from collections import Counter
from pathlib import Path

from support.paths import ROOT


def cores() -> set[int]:
    """Return the cores that this process may use."""
    return os.sched_getaffinity(0)


def threads_beside_a_clip() -> Counter[str]:
    """Make a clip, compute with JAX, and return how many threads of each name there are then."""
    import jax

    from lerax_render import Clip

    scene = ROOT / "assets/scenes/hopper.xml"
    threads: Counter[str] = Counter()

    def count(steps: int) -> None:
        names = [name.read_text().strip() for name in Path("/proc/self/task").glob("*/comm")]
        threads.update(Counter(names) - threads)

    # The clip itself needs no JAX.
    jax.numpy.ones((64, 64)).sum().block_until_ready()
    Clip(env=str(scene), steps=2, width=64, height=48).record(None, count)
    return threads


def die() -> None:
    """End this process as the system does when memory runs out."""
    os.kill(os.getpid(), 9)


def wait_for(path: Path) -> None:
    """Return when there is a file of that name."""
    while not path.exists():
        time.sleep(0.01)
