"""2D pictures of many draw calls: how long the first clip of a process takes, and the next."""

import tempfile
import time
from collections.abc import Iterator
from typing import Any

import equinox as eqx
from jax import numpy as jnp
from lerax.env import CartPole
from lerax.render import Color
from report import Section
from timing import Row, at_most

from lerax_render import record

STEPS = 60
WIDTH, HEIGHT = 640, 480


class GridWorld(CartPole):
    """Drawn cell by cell; the cell that the cart is in is red."""

    side: int = eqx.field(static=True)

    def __init__(self, side: int) -> None:
        super().__init__()
        self.side = side

    def render(self, state: Any, renderer: Any) -> None:
        renderer.clear()
        size = 2.0 / self.side
        here = jnp.floor(state.y[::2] / size) + self.side // 2
        cells = jnp.arange(self.side)
        is_here = (cells == here[0])[:, None] & (cells == here[1])
        for column in range(self.side):
            for row in range(self.side):
                center = jnp.array([column - self.side / 2, row + 0.5]) * size
                red = jnp.where(is_here[column, row], 0.9, 0.3)
                renderer.draw_rect(center, 0.9 * size, 0.9 * size, Color(red, 0.3, 0.3))
        renderer.draw()


class Swarm(CartPole):
    """Circles that go round, each at an angle of its own."""

    count: int = eqx.field(static=True)

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count

    def render(self, state: Any, renderer: Any) -> None:
        renderer.clear()
        for number in range(self.count):
            angle = state.y[2] * 10 + number
            center = jnp.array([jnp.cos(angle), 1.0 + jnp.sin(angle)]) * (0.2 + number / self.count)
            renderer.draw_circle(center, 0.02, Color(0.2, 0.3, 0.9))
        renderer.draw()


def sections() -> Iterator[Section]:
    yield Section(
        "Many draw calls",
        f"Clips of {STEPS} steps, {WIDTH}×{HEIGHT}, MP4: the first one of an environment, from "
        "finding out what it draws to the file, and the next.",
        [
            *clips("grid world of 16×16 cells", GridWorld(16), 10),
            *clips("grid world of 32×32 cells", GridWorld(32), 10),
            *clips("grid world of 64×64 cells", GridWorld(64), 30),
            *clips("500 circles", Swarm(500), 5),
        ],
    )


def clips(what: str, env: Any, limit: float) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        for which, most in (("first", limit), ("next", limit / 2)):
            start = time.perf_counter()
            record(env, path=f"{folder}/clip.mp4", steps=STEPS, width=WIDTH, height=HEIGHT)
            yield at_most(f"{what}: {which} clip", time.perf_counter() - start, most, "s")
