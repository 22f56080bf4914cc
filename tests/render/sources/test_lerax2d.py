"""What `env.render` draws: traced and compiled, traced and evaluated on the host, or drawn."""

import jax
import numpy as np
import pytest
from jax import numpy as jnp
from jax import random as jr
from lerax.env import AbstractEnvState
from lerax.render import Color

from lerax_render import HeadlessPygameRenderer, record, render, rollout
from lerax_render.sources import find_source
from lerax_render.sources.lerax2d import MOST_COMMANDS, Drawn, DrawnOnHost, EagerlyDrawn
from support.environments import Captioned, Counting, NumpyCalls, PythonIf, Tiles, TilesByPython

SIZE = {"width": 200, "height": 100}


def singles(states):
    return [
        jax.tree.map(lambda x, t=t: jnp.asarray(x[t]), states) for t in range(len(states.count))
    ]


@pytest.mark.parametrize(
    ("kind", "source"),
    [(Counting, Drawn), (Tiles, DrawnOnHost), (TilesByPython, EagerlyDrawn)],
)
def test_frames_are_those_of_render_called_with_each_state(kind, source):
    env = kind()
    assert type(find_source(env)) is source
    states = rollout(env, steps=5, key=1).states
    frames = np.stack(list(render(env, states, **SIZE)))
    renderer = HeadlessPygameRenderer(
        200, 100, Color(1.0, 1.0, 1.0), find_source(env).layout.transform
    )
    for state, frame in zip(singles(states), frames, strict=True):
        env.render(state, renderer)
        np.testing.assert_array_equal(frame, renderer.as_array())
    assert len({frame.tobytes() for frame in frames}) == 5


def test_what_is_evaluated_on_the_host_depends_on_the_environment_too():
    """Like environments share what was traced, and differ in numbers."""

    class Tinted(Tiles):
        tint: jax.Array

        def __init__(self, tint):
            super().__init__(6)
            self.tint = jnp.asarray(tint)

        def render(self, state, renderer):
            super().render(state, renderer)
            renderer.draw_rect((9.5, 0.0), 1.0, 1.0, Color(self.tint, self.tint, 0.0))

    bright, dark = Tinted(1.0), Tinted(0.2)
    assert find_source(bright) == find_source(dark)
    colours = [
        record(env, steps=2, **SIZE, format="apng").frames()[1, 50, 195] for env in (bright, dark)
    ]
    assert [colour.tolist() for colour in colours] == [[255, 255, 0], [51, 51, 0]]


def test_only_what_a_picture_needs_is_brought_to_the_host():
    class Heavy(Tiles):
        def initial(self, *, key):
            state = super().initial(key=key)
            return HeavyState(state.count, state.start, jnp.zeros((100, 100)))

        def transition(self, state, action, *, key):
            return HeavyState(state.count + 1, state.start, state.ballast + 1)

    env = Heavy()
    source = find_source(env)
    needed = source.capture(env, env.initial(key=jr.key(0)))
    assert [leaf.shape for leaf in needed] == [(), ()]


class HeavyState(AbstractEnvState):
    count: jax.Array
    start: jax.Array
    ballast: jax.Array


def test_a_picture_that_never_changes():
    class Still(Tiles):
        def render(self, state, renderer):
            renderer.clear()
            for number in range(MOST_COMMANDS + 1):
                renderer.draw_rect((number / 4, 0.0), jnp.float32(0.2), 1.0, Color(1.0, 0.0, 0.0))

    assert type(find_source(Still())) is DrawnOnHost
    frames = record(Still(), steps=3, **SIZE, format="apng").frames()
    assert (frames[0] == frames).all()
    assert (frames[0] == (255, 0, 0)).all(-1).sum() > 1000


def test_states_of_numpy_arrays_are_taken_where_they_give_the_same():
    class WantsJax(PythonIf):
        def render(self, state, renderer):
            if state.count.at[()].get() >= 0:
                super().render(state, renderer)

    class LaterWantsJax(PythonIf):
        def render(self, state, renderer):
            if state.count > 2:
                state.count.at[()].get()
            super().render(state, renderer)

    class Writes(PythonIf):
        """Which JAX's arrays do by making new ones."""

        def render(self, state, renderer):
            count = state.count
            count += 1
            assert state.count == count - 1
            super().render(state, renderer)

    class Told(Counting):
        """In JAX, a count is not a NumPy scalar."""

        def render(self, state, renderer):
            renderer.clear()
            renderer.draw_text(
                (0, 0), f"{isinstance(state.count, np.generic)}", Color(0.0, 0.0, 0.0)
            )
            self.draw_square(float(state.count), renderer)

    taken = {kind: find_source(kind()).takes_numpy for kind in (PythonIf, WantsJax, Writes, Told)}
    assert taken == {PythonIf: True, WantsJax: False, Writes: True, Told: False}
    expected = record(PythonIf(5), steps=6, **SIZE, format="apng").frames()
    for kind in (WantsJax, LaterWantsJax, Writes):
        assert (record(kind(5), steps=6, **SIZE, format="apng").frames() == expected).all()
    assert find_source(NumpyCalls()).takes_numpy
    assert find_source(Captioned()).takes_numpy
