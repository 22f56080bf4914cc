import gc
import weakref

import numpy as np
import pytest
from jax import numpy as jnp
from jax import random as jr
from lerax.env.classic_control import (
    Acrobot,
    CartPole,
    ContinuousMountainCar,
    MountainCar,
    Pendulum,
)
from lerax.render import BLACK, RED, WHITE, Abstract2DRenderer, Color, Transform

from lerax_render.paint2d.offscreen import offscreen_display
from lerax_render.paint2d.pygame_import import pygame
from lerax_render.paint2d.renderer import HeadlessPygameRenderer


def test_it_can_be_used_alone():
    renderer = HeadlessPygameRenderer(320, 240)
    renderer.open()
    renderer.clear()
    renderer.draw_circle((160, 120), radius=50, color=Color(0.9, 0.2, 0.2))
    renderer.draw()
    frame = renderer.as_array()
    renderer.close()

    assert frame.shape == (240, 320, 3)
    assert frame.dtype == np.uint8
    assert frame[120, 160].tolist() == [229, 51, 51]
    assert (frame == (229, 51, 51)).all(axis=2).sum() == pytest.approx(np.pi * 50**2, rel=0.03)
    assert frame[0, 0].tolist() == [255, 255, 255]


def test_it_touches_no_display():
    renderer = HeadlessPygameRenderer(20, 20)
    renderer.draw_text((10, 10), "x", BLACK)
    renderer.close()
    assert not pygame.display.get_init()
    assert not pygame.mixer.get_init()


def test_it_is_a_lerax_renderer_with_a_plain_surface():
    renderer = HeadlessPygameRenderer(30, 20, RED)
    assert isinstance(renderer, Abstract2DRenderer)
    assert isinstance(renderer.screen, pygame.Surface)
    assert renderer.screen.get_size() == (30, 20)
    assert renderer.screen.get_bitsize() == 32
    assert renderer.screen.get_parent() is None
    renderer.screen.fill((1, 2, 3))
    assert (renderer.as_array() == (1, 2, 3)).all()
    renderer.clear()
    assert (renderer.as_array() == (219, 61, 61)).all()


@pytest.mark.parametrize("y_up", [True, False])
def test_the_transform_says_where_up_is(y_up):
    transform = Transform(40, 30, 10.0, jnp.array([20.0, 15.0]), y_up)
    renderer = HeadlessPygameRenderer(40, 30, WHITE, transform)
    renderer.draw_rect((0.5, 0.5), 1, 1, BLACK)
    black = (renderer.as_array() == 0).all(axis=2)
    assert black.sum() == 100
    assert black[5:15, 20:30].all() if y_up else black[15:25, 20:30].all()


def test_without_a_transform_the_origin_is_lower_left():
    renderer = HeadlessPygameRenderer(10, 10)
    renderer.draw_rect((1, 2), 2, 4, BLACK)
    black = (renderer.as_array() == 0).all(axis=2)
    assert black[6:10, 0:2].all()
    assert black.sum() == 8


def test_closing_frees_the_picture_and_opening_gives_a_new_one():
    renderer = HeadlessPygameRenderer(10, 10, RED)
    renderer.draw_rect((5, 5), 4, 4, BLACK)
    renderer.open()
    assert (renderer.as_array() == 0).any()
    surface = weakref.ref(renderer.screen)
    renderer.close()
    renderer.close()
    gc.collect()

    assert surface() is None
    for use in (renderer.as_array, renderer.clear, lambda: renderer.screen):
        with pytest.raises(ValueError, match="this renderer is closed"):
            use()
    renderer.open()
    assert (renderer.as_array() == (219, 61, 61)).all()


def test_closing_one_harms_no_other():
    first, second = HeadlessPygameRenderer(10, 10), HeadlessPygameRenderer(10, 10)
    first.close()
    second.draw_text((5, 5), "x", BLACK, 12)
    assert (second.as_array() < 255).any()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_is_skipped_and_counted(value):
    renderer = HeadlessPygameRenderer(10, 10)
    renderer.draw_circle((value, 5), 3, BLACK)
    renderer.draw_line((0, 0), (5, 5), BLACK, value)
    assert (renderer.as_array() == 255).all()
    assert renderer.skipped == 2
    renderer.draw_circle((5, 5), 3, BLACK)
    assert (renderer.as_array() < 255).any()
    assert renderer.skipped == 2


@pytest.mark.parametrize(("width", "height"), [(0, 5), (5, -1), (20_000, 5)])
def test_impossible_sizes_are_refused(width, height):
    with pytest.raises(ValueError, match="must be a whole number of pixels, 1 to 16384"):
        HeadlessPygameRenderer(width, height)


def test_polygons_of_two_points_are_refused():
    with pytest.raises(ValueError, match="at least 3 points"):
        HeadlessPygameRenderer(10, 10).draw_polygon([(0, 0), (1, 1)], BLACK)


@pytest.mark.parametrize(
    ("env", "colors"),
    [
        (CartPole(), [(0, 0, 0), (204, 153, 102), (127, 127, 127)]),
        (Acrobot(), [(0, 204, 204), (204, 204, 0)]),
        (Pendulum(), [(204, 76, 76), (0, 0, 0)]),
        (MountainCar(), [(219, 61, 61), (76, 76, 76)]),
        (ContinuousMountainCar(), [(219, 61, 61), (76, 76, 76)]),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, list) else "",
)
def test_environments_look_as_they_do_in_lerax(env, colors):
    state = env.initial(key=jr.key(0))
    with offscreen_display():
        theirs = env.default_renderer()
        env.render(state, theirs)
        expected = theirs.as_array()
        theirs.close()
    ours = HeadlessPygameRenderer(
        theirs.width, theirs.height, theirs.background_color, theirs.transform
    )
    env.render(state, ours)
    frame = ours.as_array()

    assert frame.shape == expected.shape
    for color in colors:
        here, there = ((picture == color).all(axis=2) for picture in (frame, expected))
        assert here.sum() > 20
        # Lerax draws everything about a pixel too large.
        assert 0.5 < here.sum() / there.sum() < 1.05
        for mine, its in zip(np.nonzero(here), np.nonzero(there), strict=True):
            assert mine.mean() == pytest.approx(its.mean(), abs=3)
    different = (np.abs(frame.astype(int) - expected) > 128).any(axis=2)
    assert different.sum() < 0.25 * (expected != 255).any(axis=2).sum()
