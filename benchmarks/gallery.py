"""Many clips: what a second worker brings, and what a grid costs beside painting its pixels.

    python benchmarks/gallery.py [workers] [grid]

Both by default.
"""

import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import jax
import numpy as np
from lerax.env import CartPole
from timing import Row, best_of, costs, show

from lerax_render import record
from lerax_render.composing import Composition
from lerax_render.gallery import make_gallery
from lerax_render.rollouts import rollout_chunks
from lerax_render.sources import Painter, find_source

CLIPS = 12
STEPS = 1024
GRID = (4, 4)
GRID_STEPS = 256


def manifest(steps: int, clips: int) -> str:
    """A gallery of CartPole with a seed for each clip."""
    entries = "".join(
        f'[[clips]]\nname = "seed-{seed}"\nenv = "CartPole"\nseed = {seed}\n'
        for seed in range(clips)
    )
    return f"[defaults]\nsteps = {steps}\n{entries}"


def seconds_for_gallery(folder: Path, name: str, workers: int) -> float:
    """Make a whole gallery anew, processes and compilations included."""
    start = time.perf_counter()
    report = make_gallery(folder / "gallery.toml", folder / name, workers=workers)
    assert len(report.made) == CLIPS
    return time.perf_counter() - start


def workers() -> list[Row]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "gallery.toml").write_text(manifest(STEPS, CLIPS))
        one = seconds_for_gallery(folder, "one", 1)
        two = seconds_for_gallery(folder, "two", 2)
        start = time.perf_counter()
        make_gallery(folder / "gallery.toml", folder / "one")
        again = time.perf_counter() - start
    return [
        known(
            f"{CLIPS} clips of {STEPS} steps: clips/s with 2 workers / with 1",
            CLIPS / two,
            CLIPS / one,
            "clips/s",
        ),
        costs("nothing changed / all made", again, one, 0.05),
    ]


def grid() -> list[Row]:
    """Painting 16 CartPoles into one picture, next to the mere painting of those tiles."""
    env = CartPole()
    source = find_source(env)
    whole = Composition(640, 480, 50, grid=GRID)
    capture = jax.tree_util.Partial(type(source).capture, source)
    chunks = list(
        rollout_chunks(
            env, None, num_steps=GRID_STEPS, key=None, capture=capture, tiles=whole.tiles
        )
    )

    def painter() -> Painter:
        return source.painter(
            env,
            whole.tile_width,
            whole.tile_height,
            camera=None,
            quality="auto",
            pixel_format=source.pixel_format,
        )

    def tiles_alone() -> None:
        with painter() as paints:
            for chunk in chunks:
                flat = jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), chunk.states)
                exhaust(paints.paint(flat))

    def in_a_grid() -> None:
        with painter() as paints:
            for chunk in chunks:
                exhaust(Composition(640, 480, 50, grid=GRID).frames(paints, chunk))

    def grid_clip() -> None:
        record(env, num_steps=GRID_STEPS, grid=GRID)

    def plain_clip() -> None:
        record(env, num_steps=GRID_STEPS)

    for warm_up in (tiles_alone, in_a_grid, grid_clip, plain_clip):
        warm_up()
    ours, alone, clip, plain = best_of(in_a_grid, tiles_alone, grid_clip, plain_clip)
    name = f"{GRID[0]}x{GRID[1]} CartPole"
    return [
        costs(f"{name}: painted as a grid / its tiles alone", ours, alone, 1.5),
        known(f"{name}: whole clip / one CartPole of that size", clip, plain, "s"),
    ]


def exhaust(frames: Iterator[np.ndarray]) -> None:
    deque(frames, maxlen=0)


def known(what: str, ours: float, theirs: float, unit: str) -> Row:
    """Compare without a target."""
    return Row(what, ours, theirs, unit, ours / theirs, "", True)


def main(parts: list[str]) -> None:
    parts = parts or ["workers", "grid"]
    if "workers" in parts:
        show("A gallery of CartPole", workers())
    if "grid" in parts:
        show("A grid", grid())


if __name__ == "__main__":
    main(sys.argv[1:])
