"""What the first clip of a MuJoCo environment of Lerax waits for: its rollout is compiled."""

import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import jax
from jax import random as jr
from report import Section, number
from timing import cpu_time

from lerax_render.acting.scan import blank_carry, scan_chunk
from lerax_render.errors import RenderError
from lerax_render.naming import load_env
from lerax_render.sources import find_source

# In the order of their size. Lerax's main branch has them all, 0.0.5 only Humanoid.
ENVIRONMENTS = ("HalfCheetah", "Hopper", "Ant", "Humanoid", "G1Standing")
CHUNKS = 16


class Compiled(NamedTuple):
    """What it took to compile a rollout, in seconds of CPU time where nothing else is said."""

    lines: int
    lowering: float
    compiling: float
    wall: float
    stepping: float


def sections() -> Iterator[Section]:
    table: list[tuple[str, ...]] = [
        (
            "environment",
            "lines of StableHLO",
            "tracing and lowering, CPU s",
            "compiling, CPU s",
            "compiling, s",
            "then 1,024 steps, CPU s",
        )
    ]
    for name in ENVIRONMENTS:
        try:
            env = load_env(name)
        except (ValueError, RenderError):
            continue
        measured = compiled(env)
        table.append((name, f"{measured.lines:,}", *map(number, measured[1:])))
    yield Section(
        "Compiling",
        "The rollout that is behind every clip of an environment, sampled actions and 64 steps a "
        "call, compiled without a cache. A clip that comes after it in another process reads the "
        "program from the cache, and one in the same process has it.",
        table=table,
        note="Below are [the environments of Lerax's main branch, and what was tried to shorten "
        "compiling](#once-what-was-tried-to-shorten-compiling).",
    )


def compiled(env: Any) -> Compiled:
    """Compile the rollout of an environment, and let it take some steps."""
    capture = find_source(env).traced_capture
    carry = blank_carry(env, None, jr.key(0))
    begun = cpu_time()
    lowered = scan_chunk.lower(env, None, carry, capture, False)
    lowering = cpu_time() - begun
    lines = lowered.as_text().count("\n")
    begun, started = cpu_time(), time.perf_counter()
    rollout = lowered.compile()
    compiling, wall = cpu_time() - begun, time.perf_counter() - started
    begun = cpu_time()
    for _ in range(CHUNKS):
        carry, chunk = rollout(env, None, carry, capture, False)
        jax.device_get(chunk.rewards)
    return Compiled(lines, lowering, compiling, wall, cpu_time() - begun)
