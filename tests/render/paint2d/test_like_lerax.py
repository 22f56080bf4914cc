"""Whole pixels, compared with those of Lerax's own renderer: text, transforms, backgrounds."""

import equinox as eqx
import jax
import numpy as np
import pytest
from jax import numpy as jnp
from lerax.render import BLACK, BLUE, RED, Color, PygameRenderer, Transform

from lerax_render.paint2d.drawlist import DrawListPainter, Layout, TracingRenderer
from lerax_render.paint2d.offscreen import offscreen_display
from lerax_render.paint2d.renderer import HeadlessPygameRenderer

SIZE = (160, 120)
NIGHT = Color(0.1, 0.1, 0.3)


def text(renderer, x):
    renderer.clear()
    renderer.draw_text(jnp.array([2.0, 3.0]), "AHA, upper left", BLACK, 20.9)
    renderer.draw_text((x / 2, 5.25), "gq", RED, 31)


def follow(renderer, x):
    """A camera that goes along, and a label that stays."""
    seen = eqx.tree_at(lambda r: r.transform.offset, renderer, jnp.array([80.0 - 10 * x, 30.0]))
    seen.clear()
    seen.draw_rect((x, 1.0), 2.0, 2.0, BLACK)
    seen.draw_rect((7.0, 4.0), 2.0, 4.0, RED)
    renderer.draw_rect((2.0, 9.0), 4.0, 2.0, BLUE)


def zoom(renderer, x):
    transform = Transform(*SIZE, jnp.where(x > 4, 20.0, 10.0), jnp.array([20.0, 10.0]), True)
    seen = eqx.tree_at(lambda r: r.transform, renderer, transform)
    seen.clear()
    seen.draw_rect((2.0, 2.0), 2.0, 2.0, BLACK)
    seen.draw_text((1.0, 4.0), "not magnified", BLACK, 14)
    eqx.tree_at(lambda r: r.transform.scale, seen, 5).draw_rect((20.0, 2.0), 8.0, 4.0, RED)


def minimap(renderer, x):
    """By a transform of another height, which mirrors y, and in the end as before."""
    renderer.clear()
    renderer.draw_rect((x, 5.0), 2.0, 4.0, RED)
    small = eqx.tree_at(
        lambda r: r.transform, renderer, Transform(40, 30, 2.0, jnp.array([4.0, 2.0]), True)
    )
    small.draw_rect((8.0, 6.0), 16.0, 12.0, BLACK)
    small.draw_rect((x, 5.0), 2.0, 4.0, RED)
    renderer.draw_rect((x, 9.0), 2.0, 2.0, BLUE)


def day_and_night(renderer, x):
    sky = Color(*(jnp.where(x > 4, part, 0.5) for part in (0.1, 0.2, 0.3)))
    eqx.tree_at(lambda r: r.background_color, renderer, sky).clear()
    renderer.draw_rect((x, 5.0), 2.0, 4.0, RED)


def night_then_day(renderer, x):
    night = eqx.tree_at(lambda r: r.background_color, renderer, NIGHT)
    night.clear()
    night.draw_rect((x, 5.0), 2.0, 4.0, RED)
    renderer.clear()
    renderer.draw_rect((x, 2.0), 2.0, 4.0, RED)


def chosen_by_lax(renderer, x):
    offset = jax.lax.cond(x > 4, lambda: jnp.array([30.0, 70.0]), lambda: jnp.array([0.0, 80.0]))
    seen = eqx.tree_at(lambda r: r.transform.offset, renderer, offset)
    seen.clear()
    seen.draw_rect((5.0, 2.0), 2.0, 4.0, RED)


def down(renderer, x):
    seen = eqx.tree_at(lambda r: r.transform.y_up, renderer, False)
    seen.clear()
    # Lerax draws a square above its centre there, so the transform is seen by text.
    seen.draw_text((1.0, x), "down", BLACK, 24)
    renderer.draw_text((1.0, x), "up", BLACK, 24)


DRAWINGS = [
    text,
    follow,
    zoom,
    minimap,
    day_and_night,
    night_then_day,
    chosen_by_lax,
    down,
]
XS = (3.0, 5.0, 6.0)


@pytest.fixture(params=[SIZE[1], 200], ids=["", "a transform of another height"])
def theirs(request):
    """Lerax's renderer, whose transform may mirror at another height than the picture's."""
    offset = jnp.array([0.0, request.param - SIZE[1]])
    transform = Transform(SIZE[0], request.param, 10.0, offset, True)
    with offscreen_display():
        renderer = PygameRenderer(*SIZE, Color(1.0, 1.0, 1.0), transform)
        yield renderer
        renderer.close()


@pytest.mark.parametrize("draw", DRAWINGS)
def test_pixels_are_those_of_lerax(draw, theirs):
    layout = Layout.of(theirs)
    ours = HeadlessPygameRenderer(*SIZE, theirs.background_color, theirs.transform)

    def recorded(x):
        recorder = TracingRenderer(layout)
        draw(recorder, x)
        return recorder.drawlist()

    traced = jax.device_get(jax.jit(jax.vmap(recorded))(jnp.array(XS)))
    painted = DrawListPainter(layout, *SIZE, "rgb24").paint(traced)
    pictures = []
    for x, frame in zip(XS, painted, strict=True):
        for renderer in (theirs, ours):
            draw(renderer, jnp.asarray(x))
        expected = np.asarray(theirs.as_array())
        assert (expected != expected[0, -1]).any()
        np.testing.assert_array_equal(ours.as_array(), expected)
        np.testing.assert_array_equal(frame, expected)
        pictures.append(expected)
    assert (pictures[0] != pictures[1]).any()


def test_a_new_line_begins_at_the_left(theirs):
    """Lerax leaves that to pygame, which draws a box, and to pygame-ce, which begins another."""
    two = HeadlessPygameRenderer(*SIZE, theirs.background_color, theirs.transform)
    two.draw_text((2.0, 9.0), "one\nfour", BLACK, 24)
    one = HeadlessPygameRenderer(*SIZE, theirs.background_color, theirs.transform)
    one.draw_text((2.0, 9.0), "one", BLACK, 24)
    # The distance of lines in this font at this size.
    one.draw_text((2.0, 9.0 - 1.8), "four", BLACK, 24)

    np.testing.assert_array_equal(two.as_array(), one.as_array())
    assert (one.as_array() < 128).sum() > 100


def test_bars_have_the_colour_of_the_night():
    layout = Layout(40, 30, 10.0, (0.0, 0.0))

    def recorded(x):
        recorder = TracingRenderer(layout)
        day_and_night(recorder, x)
        return recorder.drawlist()

    drawn = jax.device_get(jax.jit(jax.vmap(recorded))(jnp.array([2.0, 5.0, 2.0])))
    painter = DrawListPainter(layout, 80, 30, "rgb24")
    edges = [frame[5, [0, 79]].tolist() for frame in painter.paint(drawn)]
    assert edges == [[[127] * 3] * 2, [[25, 51, 76]] * 2, [[127] * 3] * 2]

    recorder = TracingRenderer(layout)
    recorder.clear()
    plain = recorder.drawlist()
    (frame,) = painter.paint(jax.tree.map(lambda leaf: leaf[None], plain))
    assert (frame == 255).all()


def test_a_transform_that_is_not_finite_hides_what_it_draws():
    layout = Layout(40, 30, 10.0, (0.0, 0.0))
    recorder = TracingRenderer(layout)
    recorder.clear()
    recorder.draw_rect((1, 1), 1, 1, BLACK)
    lost = eqx.tree_at(lambda r: r.transform.scale, recorder, jnp.nan)
    lost.draw_rect((2, 2), 1, 1, RED)
    drawn = jax.tree.map(lambda leaf: leaf[None], recorder.drawlist())
    painter = DrawListPainter(layout, 40, 30, "rgb24")
    (frame,) = painter.paint(drawn)

    assert painter.incomplete == 1
    assert (frame == 0).all(axis=2).sum() == 100
    assert set(np.unique(frame)) == {0, 255}
