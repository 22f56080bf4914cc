"""Many clips: what a second worker brings, and what a grid costs beside painting its pixels."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from lerax.env.classic_control import CartPole
from report import Section
from timing import Row, best_of, costs, exhaust, known

from lerax_render import capture, record
from lerax_render.compose.composition import Composition
from lerax_render.gallery.build import make_gallery
from lerax_render.making import parts_of
from lerax_render.painter import Painter
from lerax_render.settings.picture import Picture

CLIPS = 12
STEPS = 1024
GRID = (4, 4)
GRID_STEPS = 256
WIDTH, HEIGHT = 640, 480


def sections() -> Iterator[Section]:
    yield Section(
        "Gallery",
        f"A gallery of {CLIPS} CartPole clips of {STEPS:,} steps, made anew: starting processes "
        "and compiling are in it. Then the same gallery again, with nothing changed.",
        workers(),
    )
    yield Section(
        "Grid",
        f"{GRID[0]}×{GRID[1]} CartPoles in one picture of {WIDTH}×{HEIGHT}, {GRID_STEPS} steps: "
        "painting and tiling them, next to painting those tiles alone; and the whole clip, next to "
        "that of one CartPole.",
        grid(),
    )


def manifest(steps: int, clips: int) -> str:
    """A gallery of CartPole with a seed for each clip."""
    entries = "".join(
        f'[[clips]]\nname = "seed-{seed}"\nenv = "CartPole"\nseed = {seed}\n'
        for seed in range(clips)
    )
    return f"[defaults]\nsteps = {steps}\n{entries}"


def seconds_for_gallery(folder: Path, name: str, workers: int) -> float:
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
        known("2 workers / 1 worker", CLIPS / two, CLIPS / one, "clips/s"),
        costs("nothing changed / all made", again, one, 0.05),
    ]


def grid() -> list[Row]:
    env = CartPole()
    whole = Composition(WIDTH, HEIGHT, 50, grid=GRID)
    lanes = capture(env, steps=GRID_STEPS, lanes=whole.tiles)
    scene = lanes[0].scene
    tile = Picture(width=whole.tile_width, height=whole.tile_height)

    def painters() -> list[Painter]:
        return [scene.painter(tile, pixel_format=scene.pixel_format) for _ in lanes]

    def tiles_alone() -> None:
        for painter, lane in zip(painters(), lanes, strict=True):
            exhaust(painter.paint(lane.captured))

    def in_a_grid() -> None:
        composition, opened = Composition(WIDTH, HEIGHT, 50, grid=GRID), painters()
        for part in parts_of(lanes):
            exhaust(composition.frames(opened, part))

    def grid_clip() -> None:
        record(env, steps=GRID_STEPS, grid=GRID)

    def plain_clip() -> None:
        record(env, steps=GRID_STEPS)

    for warm_up in (tiles_alone, in_a_grid, grid_clip, plain_clip):
        warm_up()
    ours, alone, clip, plain = best_of(in_a_grid, tiles_alone, grid_clip, plain_clip)
    return [
        costs("painted as a grid / its tiles alone", ours, alone, 1.5),
        known("whole clip of the grid / of one CartPole", clip, plain, "s"),
    ]
