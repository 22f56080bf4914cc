"""Small environments and policies whose every state is known, shared by the tests."""

from typing import Any, ClassVar

import equinox as eqx
import jax
import numpy as np
from jax import numpy as jnp
from jax import random as jr
from lerax.env import AbstractEnv, AbstractEnvState
from lerax.policy import AbstractPolicy
from lerax.render import Color, PygameRenderer, Transform
from lerax.space import Box, Discrete
from lerax.wrapper import TimeLimit


class PlainEnv(AbstractEnv):
    """What most small environments have none of: masks, truncation, infos, a picture."""

    def action_mask(self, state, *, key):
        return None

    def truncate(self, state):
        return jnp.array(False)

    def state_info(self, state):
        return {}

    def transition_info(self, state, action, next_state):
        return {}

    def default_renderer(self):
        raise NotImplementedError

    def render(self, state, renderer):
        raise NotImplementedError


class CountState(AbstractEnvState):
    count: jax.Array
    start: jax.Array


class Counting(PlainEnv):
    """Counts up from a random fraction by 1, ends at `length` steps; the reward is the new count.

    A red square walks one unit to the right with each step.
    """

    name: ClassVar[str] = "Counting"
    action_space: Discrete
    observation_space: Box
    length: int = eqx.field(static=True)

    def __init__(self, length: int = 5):
        self.action_space = Discrete(3)
        self.observation_space = Box(jnp.zeros(1), jnp.full(1, 100.0))
        self.length = length

    def initial(self, *, key):
        return CountState(jnp.zeros((), jnp.int32), jr.uniform(key))

    def transition(self, state, action, *, key):
        return CountState(state.count + 1, state.start)

    def observation(self, state, *, key):
        return state.count.astype(float)[None]

    def reward(self, state, action, next_state, *, key):
        return next_state.count.astype(float)

    def terminal(self, state, *, key):
        return state.count >= self.length

    def default_renderer(self):
        return PygameRenderer(
            200, 100, Color(1.0, 1.0, 1.0), Transform(200, 100, 20.0, jnp.array([10.0, 50.0]))
        )

    def draw_square(self, count, renderer, color=(1.0, 0.0, 0.0)):
        center = jnp.stack([jnp.asarray(count, float), jnp.zeros(())])
        renderer.draw_rect(center, 1.0, 1.0, Color(*color))

    def render(self, state, renderer):
        renderer.clear()
        self.draw_square(state.count, renderer)
        renderer.draw()


class PythonIf(Counting):
    """Draws in blue from the third count on, decided by Python."""

    def render(self, state, renderer):
        renderer.clear()
        self.draw_square(
            state.count, renderer, (0.0, 0.0, 1.0) if state.count > 2 else (1.0, 0.0, 0.0)
        )
        renderer.draw()


class Captioned(Counting):
    """Writes the count as text."""

    def render(self, state, renderer):
        renderer.clear()
        renderer.draw_text(jnp.array([4.0, 0.0]), f"count {state.count}", Color(0.0, 0.0, 0.0), 20)
        renderer.draw()


class NumpyCalls(Counting):
    """Computes with NumPy."""

    def render(self, state, renderer):
        renderer.clear()
        self.draw_square(np.floor(np.asarray(state.count) * 1.0), renderer)
        renderer.draw()


class CountsCalls(Counting):
    """Writes how often it was called, which no trace can know."""

    calls: list = eqx.field(static=True)

    def __init__(self):
        super().__init__()
        self.calls = []

    def render(self, state, renderer):
        self.calls.append(None)
        renderer.clear()
        renderer.draw_text(jnp.array([4.0, 0.0]), str(len(self.calls)), Color(0.0, 0.0, 0.0), 20)
        renderer.draw()


class Tiles(Counting):
    """A grid world drawn tile by tile: too many draw calls to compile. Tile `count` is red."""

    side: int = eqx.field(static=True)

    def __init__(self, side=8, length=100):
        super().__init__(length)
        self.side = side

    def render(self, state, renderer):
        renderer.clear()
        number = jnp.arange(self.side**2).reshape(self.side, self.side)
        for row in range(self.side):
            for column in range(self.side):
                red = jnp.where(number[row, column] == state.count, 1.0, 0.2)
                center = jnp.array([column + 0.5, row - 2.0])
                renderer.draw_rect(center, 0.9, 0.9, Color(red, 0.2, state.start))
        self.draw_square(state.count % 8, renderer)
        renderer.draw()


class TilesByPython(Tiles):
    """The same, with a Python `if` for each tile."""

    def render(self, state, renderer):
        renderer.clear()
        for row in range(self.side):
            for column in range(self.side):
                red = 1.0 if row * self.side + column == state.count else 0.2
                renderer.draw_rect(
                    (column + 0.5, row - 2.0), 0.9, 0.9, Color(red, 0.2, state.start)
                )
        self.draw_square(state.count % 8, renderer)
        renderer.draw()


class TurnsNaN(Counting):
    """Its position is NaN from the third step on."""

    def render(self, state, renderer):
        renderer.clear()
        self.draw_square(jnp.where(state.count > 2, jnp.nan, state.count), renderer)
        renderer.draw_circle(jnp.array([4.0, 1.0]), 0.5, Color(0.0, 0.0, 1.0))
        renderer.draw()


class Mosaic:
    """A renderer that is none of Lerax's: a grey picture as bright as the count."""

    def __init__(self):
        self.frame = np.zeros((30, 60, 3), np.uint8)
        self.is_open = False

    def open(self):
        self.is_open = True

    def close(self):
        self.is_open = False

    def as_array(self):
        assert self.is_open
        return self.frame


class OwnLook(Counting):
    """Brings a renderer of its own."""

    def default_renderer(self):
        return Mosaic()

    def render(self, state, renderer):
        renderer.frame[:] = 50 + 10 * int(state.count)


class Invisible(Counting):
    """Cannot be drawn at all."""

    def default_renderer(self):
        raise NotImplementedError("no picture of this")


class Limited(TimeLimit):
    """Lerax 0.0.5 forgot to implement one abstract method of its own `TimeLimit`."""

    def action_mask(self, state, *, key):
        return self.env.action_mask(state.env_state, key=key)


class Metronome(AbstractPolicy):
    """A stateful policy: its action is how often it was asked since its reset, modulo 3."""

    name: ClassVar[str] = "Metronome"
    action_space: Any
    observation_space: Any

    def __init__(self, env):
        self.action_space = env.action_space
        self.observation_space = env.observation_space

    def reset(self, *, key):
        return jnp.zeros((), jnp.int32)

    def __call__(self, state, observation, *, key=None, action_mask=None):
        return state + 1, state % 3
