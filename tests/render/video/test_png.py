"""PNGs that are written without ffmpeg, read by Pillow."""

import io

import numpy as np
import pytest
from PIL import Image

from lerax_render.video import png_of, small_png_of


@pytest.mark.parametrize("channels", [3, 4])
def test_another_reader_finds_the_same_pixels(channels):
    pixels = np.random.default_rng(0).integers(0, 256, (7, 5, channels), np.uint8)
    with Image.open(io.BytesIO(png_of(pixels))) as picture:
        assert np.array_equal(np.asarray(picture), pixels)


@pytest.mark.parametrize(("width", "size"), [(240, (213, 160)), (640, (640, 480)), (20, (20, 15))])
def test_a_small_one_looks_like_the_frame(width, size):
    frame = np.zeros((480, 640, 3), np.uint8)
    frame[:, :320] = 250, 100, 30
    with Image.open(io.BytesIO(small_png_of(frame, width))) as picture:
        assert picture.size == size
        small = np.asarray(picture).astype(int)
    assert np.abs(small.mean((0, 1)) - frame.mean((0, 1))).max() < 10


def test_a_flat_frame_stays_one():
    assert small_png_of(np.zeros((1, 4000, 3), np.uint8), 240).startswith(b"\x89PNG")
