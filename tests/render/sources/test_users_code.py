"""What is said of errors in an environment's own code: the first one, with its line."""

import equinox as eqx
import jax
import numpy as np
import pytest
from jax import lax
from jax import numpy as jnp
from lerax.render import Color, PygameRenderer, Transform

import lerax_render as lr
from lerax_render.errors import UnsupportedEnvError
from support.environments import Counting, Mosaic

RED, BLUE = Color(1.0, 0.0, 0.0), Color(0.0, 0.0, 1.0)


def drawing(function):
    """An environment that draws as a function says."""

    class Drawing(Counting):
        def render(self, state, renderer):
            renderer.clear()
            function(state, renderer)
            renderer.draw()

    return Drawing()


def dot(renderer, x=1.0, color=RED):
    renderer.draw_circle(jnp.array([x, 0.0]), 1.0, color)


def three_numbers(state, renderer):
    renderer.draw_circle(jnp.zeros(3), 1.0, RED)


def no_attribute(state, renderer):
    renderer.draw_circle(state.place, 1.0, RED)


def divided(state, renderer):
    dot(renderer, 1 / 0)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (three_numbers, r"ValueError: center must be two numbers \(x, y\), got .*\(3,\)"),
        (no_attribute, r"AttributeError: 'CountState' object has no attribute 'place'"),
        (divided, r"ZeroDivisionError: .*division"),
    ],
)
def test_the_first_error_of_render_is_said_with_its_line(function, message):
    line = function.__code__.co_firstlineno + 1
    where = rf"{function.__name__} \({function.__code__.co_filename}, line {line}\)$"
    for act in (lr.record, lr.capture):
        with pytest.raises(lr.RenderError, match=f"^Drawing.render raised {message}") as info:
            act(drawing(function), steps=3)
        assert info.match(where)
        assert info.value.__cause__ is not None
        assert "\n" not in str(info.value)


def in_cond(state, renderer):
    lax.cond(state.count > 2, lambda: dot(renderer, state.start), lambda: dot(renderer, 2.0))


def in_cond_with_constants(state, renderer):
    lax.cond(state.count > 2, lambda: dot(renderer), lambda: dot(renderer, color=BLUE))


def in_switch(state, renderer):
    lax.switch(state.count, [lambda: dot(renderer), lambda: dot(renderer, 3.0)])


def in_fori_loop(state, renderer):
    lax.fori_loop(0, 3, lambda i, _: dot(renderer, i * 1.0), None)


def in_scan(state, renderer):
    lax.scan(lambda carry, x: (carry, dot(renderer, x)), None, jnp.arange(3.0))


def in_map(state, renderer):
    lax.map(lambda x: dot(renderer, x), jnp.arange(3.0))


def in_while_loop(state, renderer):
    def turn(i):
        dot(renderer, 1.0)
        return i + 1

    lax.while_loop(lambda i: i < 3, turn, 0)


def in_vmap(state, renderer):
    jax.vmap(lambda x: dot(renderer, x))(jnp.arange(3.0))


def in_filter_vmap_with_constants(state, renderer):
    eqx.filter_vmap(lambda x: dot(renderer))(jnp.arange(3.0))


def in_jit(state, renderer):
    jax.jit(lambda x: dot(renderer, x))(state.start)


def in_filter_jit(state, renderer):
    eqx.filter_jit(lambda x: dot(renderer, x))(state.start)


@pytest.mark.parametrize(
    ("function", "within", "instead"),
    [
        (in_cond, "lax.cond", "compute there, and draw outside; what has a radius or a size of 0"),
        (in_cond_with_constants, "lax.cond", "all branches, whichever is taken"),
        (in_switch, "lax.switch", "all branches, whichever is taken"),
        (in_fori_loop, "lax.fori_loop", "in a Python loop"),
        (in_scan, "lax.scan", "in a Python loop"),
        (in_map, "lax.map", "in a Python loop"),
        (in_while_loop, "lax.while_loop", "in a Python loop"),
        (in_vmap, "jax.vmap", "in a Python loop"),
        (in_filter_vmap_with_constants, "jax.vmap", "in a Python loop"),
        (in_jit, "jax.jit", "leave jit out there"),
        (in_filter_jit, "jax.jit", "leave jit out there"),
    ],
)
def test_drawing_within_what_jax_transforms_is_refused_in_one_line(function, within, instead):
    with pytest.raises(UnsupportedEnvError) as info:
        lr.record(drawing(function), steps=3)
    message = str(info.value)
    assert message.startswith("dot (")
    assert f", line {dot.__code__.co_firstlineno + 1}) draws inside {within}, which " in message
    assert instead in message
    assert "\n" not in message


def test_computing_within_what_jax_transforms_and_drawing_outside_is_fine():
    def render(state, renderer):
        x = lax.cond(state.count > 2, lambda: 3.0, lambda: 1.0)
        for each in jax.vmap(lambda y: y * 2)(jnp.arange(3.0)):
            dot(renderer, x + each)

    replay = lr.capture(drawing(render), steps=5)
    assert replay.captured.numbers.shape[0] == 5


def test_a_render_that_needs_its_own_renderer_gets_it():
    class Blits(Counting):
        def render(self, state, renderer):
            renderer.screen.fill((255, 0, 0))

    (frame,) = lr.render(Blits(), [Blits().initial(key=jax.random.key(0))], width=64, height=48)
    assert abs(frame[24, 32] - np.array([255, 0, 0])).max() < 5


class Later(Counting):
    """Can be drawn at first."""

    def render(self, state, renderer):
        renderer.clear()
        if state.count > 2:
            raise ValueError("no sprite for this")
        renderer.draw()


class LaterInItsOwn(Later):
    def default_renderer(self):
        return Mosaic()

    def render(self, state, renderer):
        if state.count > 2:
            raise ValueError("no sprite for this")


@pytest.mark.parametrize("env", [Later(), LaterInItsOwn()])
def test_an_error_in_a_later_frame_is_named_too(env):
    name = type(env).__name__
    message = f"{name}.render raised ValueError: no sprite for this, in {name}.render"
    with pytest.raises(lr.RenderError, match=message):
        lr.record(env, steps=6)


class NoStart(Counting):
    def initial(self, *, key):
        raise KeyError("level 7")


class NoLook(Counting):
    def default_renderer(self):
        raise OSError("no font")


class Mirrored(Counting):
    def default_renderer(self):
        return PygameRenderer(
            200, 100, Color(1.0, 1.0, 1.0), Transform(200, 100, -20.0, jnp.array([10.0, 50.0]))
        )


@pytest.mark.parametrize(
    ("env", "message"),
    [
        (NoStart(), r"NoStart.initial raised KeyError: 'level 7', in NoStart.initial"),
        (NoLook(), r"NoLook.default_renderer raised OSError: no font, in NoLook.default_renderer"),
        (
            Mirrored(),
            r"Mirrored.default_renderer gave a PygameRenderer .*: scale must be .* 0, got -20",
        ),
    ],
)
def test_each_method_is_named(env, message):
    with pytest.raises(lr.RenderError, match=message):
        lr.record(env, steps=3)


@pytest.mark.parametrize(("dt", "rate"), [(3600.0, "0.000277778"), (1e-6, "1e\\+06")])
def test_a_step_that_no_frame_rate_fits_names_dt_and_fps(dt, rate):
    class Paced(Counting):
        @property
        def dt(self):
            return dt

    message = rf"a step of Counting takes {dt:g} s by its dt.* {rate} frames .*fps=.*env.dt"
    with pytest.raises(ValueError, match=message):
        lr.record(Paced(), steps=3)
    assert lr.record(Paced(), steps=3, fps=10).fps == 10


def test_a_model_of_another_name_is_seen():
    mujoco = pytest.importorskip("mujoco")

    class Misnamed(Counting):
        mj_model: object = eqx.field(static=True)

        def __init__(self):
            super().__init__()
            self.mj_model = mujoco.MjModel.from_xml_string("<mujoco/>")

        def default_renderer(self):
            raise NotImplementedError

    with pytest.raises(UnsupportedEnvError, match="a MjModel in mj_model: name it mujoco_model"):
        lr.record(Misnamed(), steps=3)
