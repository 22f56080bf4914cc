"""What `env.render` draws: traced and compiled, traced and evaluated on the host, or drawn."""

import enum

import equinox as eqx
import jax
import numpy as np
import pytest
from jax import numpy as jnp
from jax import random as jr
from lerax.env import AbstractEnvState, classic_control
from lerax.render import Color

from lerax_render import HeadlessPygameRenderer, RenderWarning, record, render, rollout
from lerax_render.sources import find_source, lerax2d
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


@pytest.mark.parametrize("name", classic_control.__all__)
def test_what_lerax_draws_is_what_its_trace_says(name):
    """So that nothing has to be drawn to find that out."""
    env = getattr(classic_control, name)()
    source = find_source(env)
    state = env.initial(key=jr.key(3))
    drawn = lerax2d.draw_commands(env, state, source.layout)
    traced = source.traced.drawn(env, tuple(leaf[None] for leaf in source.traced.needed(state)))
    assert type(source) is Drawn
    assert (traced.commands, traced.cleared) == (drawn.commands, drawn.cleared)
    np.testing.assert_allclose(traced.numbers[0], drawn.numbers, rtol=1e-5, atol=1e-6)


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


# Texts in states.


class Mode(enum.Enum):
    CALM = "calm"
    WILD = "wild"


class Labelled(AbstractEnvState):
    count: jax.Array
    start: jax.Array
    label: str
    mode: Mode = eqx.field(static=True)


class ShowsTexts(Counting):
    """Writes the texts of its state, beside a square that walks."""

    def initial(self, *, key):
        state = super().initial(key=key)
        return Labelled(state.count, state.start, "first", Mode.CALM)

    def transition(self, state, action, *, key):
        return Labelled(state.count + 1, state.start, state.label, state.mode)

    def render(self, state, renderer):
        renderer.clear()
        self.draw_square(state.count, renderer)
        self.write(state, renderer)

    def write(self, state, renderer):
        text = f"{state.label} {state.mode.value}"
        renderer.draw_text((2.0, 2.0), text, Color(0.0, 0.0, 0.0), 24)


class ShowsTextsAmongTiles(Tiles, ShowsTexts):
    def render(self, state, renderer):
        super().render(state, renderer)
        self.write(state, renderer)


class Renames(ShowsTexts):
    def transition(self, state, action, *, key):
        return Labelled(state.count + 1, state.start, "then", state.mode)


@pytest.mark.parametrize("kind", [ShowsTexts, ShowsTextsAmongTiles])
def test_a_text_in_states_is_their_own(kind):
    """And not that of the environment's first state, which says what is drawn."""
    env = kind()
    assert type(find_source(env)) is (Drawn if kind is ShowsTexts else DrawnOnHost)
    layout = find_source(env).layout
    pictures = set()
    for label, mode in (("first", Mode.CALM), ("second", Mode.CALM), ("first", Mode.WILD)):
        states = [Labelled(jnp.array(n), jnp.array(0.5), label, mode) for n in range(3)]
        renderer = HeadlessPygameRenderer(200, 100, transform=layout.transform)
        for state, frame in zip(states, render(env, states, **SIZE), strict=True):
            env.render(state, renderer)
            np.testing.assert_array_equal(frame, renderer.as_array())
            pictures.add(frame.tobytes())
    assert len(pictures) == 9


def test_a_text_that_a_step_changes_is_refused():
    with pytest.raises(TypeError, match="had 'first' in it has 'then' after a step"):
        record(Renames(), steps=3, **SIZE)


def test_environments_with_arrays_of_other_shapes_are_found_out_anew():
    class Map(Tiles):
        walls: jax.Array

        def __init__(self, side):
            super().__init__(6)
            self.walls = jnp.ones((side, side))

        def render(self, state, renderer):
            super().render(state, renderer)
            for row in self.walls:
                for wall in row:
                    renderer.draw_rect((1.0, 1.0), wall, wall, Color(0.0, 0.0, 0.0))

    programs = [find_source(Map(side)).program for side in (2, 3, 2)]
    assert [len(program.form.commands) for program in programs] == [41, 46, 41]
    assert programs[0] is programs[2]


class HidesByNaN(Counting):
    """Draws a circle nowhere until the third step, though all numbers of its state are finite."""

    def render(self, state, renderer):
        renderer.clear()
        self.draw_square(state.count, renderer)
        x = jnp.where(state.count < 2, jnp.nan, 8.0)
        renderer.draw_circle(jnp.stack([x, jnp.zeros(())]), 1.0, Color(0.0, 0.0, 1.0))


def test_what_is_hidden_by_nan_is_not_said_to_be_in_the_state():
    with pytest.warns(RenderWarning, match="2 of 4 frames are incomplete: env.render") as caught:
        frames = record(HidesByNaN(), steps=4, **SIZE, format="apng").frames()
    assert "the state has NaN" not in str(caught[0].message)
    blue = (frames == (0, 0, 255)).all(-1).sum(axis=(1, 2))
    assert blue[:2].tolist() == [0, 0]
    assert (blue[2:] > 500).all()
