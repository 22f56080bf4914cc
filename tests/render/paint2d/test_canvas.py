import gc

import numpy as np
import pytest

from lerax_render.paint2d.canvas import Canvas
from lerax_render.paint2d.layout import Layout
from lerax_render.paint2d.pygame_import import pygame

VIEW = Layout(7, 5, 1.0, (0.0, 0.0), background=(1.0, 0.5, 0.0))


def test_it_begins_in_the_background_colour():
    canvas = Canvas(VIEW)
    assert canvas.rgb().shape == (5, 7, 3)
    assert canvas.rgb().dtype == np.uint8
    assert (canvas.rgb() == (255, 127, 0)).all()


def test_rgb_is_a_copy_and_bgr0_is_not():
    canvas = Canvas(VIEW)
    before = canvas.rgb()
    canvas.surface.set_at((6, 4), (1, 2, 3))

    assert (before == (255, 127, 0)).all()
    assert canvas.rgb()[4, 6].tolist() == [1, 2, 3]
    assert canvas.bgr0.shape == (5, 7, 4)
    assert canvas.bgr0[4, 6, :3].tolist() == [3, 2, 1]
    assert canvas.bgr0.flags.c_contiguous
    with pytest.raises(ValueError, match="read-only"):
        canvas.bgr0[0, 0, 0] = 1


def test_known_parts_are_taken_over():
    canvas = Canvas(VIEW)
    known = canvas.rgb()
    canvas.surface.fill((0, 0, 9), (2, 1, 3, 2))
    area = pygame.Rect(2, 1, 3, 2)
    assert (canvas.rgb(known, area) == canvas.rgb()).all()
    assert (canvas.rgb(known, pygame.Rect(0, 0, 0, 0)) == known).all()
    assert (known == (255, 127, 0)).all()


def test_pixels_outlive_the_canvas():
    canvas = Canvas(Layout(500, 500, 1.0, (0.0, 0.0), background=(0.0, 0.0, 1.0)))
    pixels = canvas.bgr0
    del canvas
    gc.collect()
    [Canvas(Layout(500, 500, 1.0, (0.0, 0.0))) for _ in range(5)]
    assert (pixels[..., 0] == 255).all()
    assert (pixels[..., 1:3] == 0).all()


def test_bars_keep_the_background_colour():
    canvas = Canvas(VIEW.fitted(27, 10))
    canvas.surface.fill((0, 0, 0))
    picture = canvas.rgb()
    assert (picture[:, :6] == (255, 127, 0)).all()
    assert (picture[:, 20:] == (255, 127, 0)).all()
    assert (picture[:, 6:20] == 0).all()
    canvas.clear()
    assert (canvas.rgb() == (255, 127, 0)).all()
