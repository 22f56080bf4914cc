"""Frames of other kinds than RGB in bytes, as the writer takes them and others read them."""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from lerax_render import VideoWriter
from lerax_render.video import Encoding

RGB = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
GREY = RGB[..., 0]
GREY_RGB = np.stack([GREY] * 3, axis=2)
ALPHA = np.random.default_rng(1).integers(0, 256, (48, 64, 1), np.uint8)


def first_frame(*pictures) -> np.ndarray:
    """The first frame of a clip that has no alpha channel."""
    with VideoWriter(None, 20, format="mp4", encoding=Encoding(lossless=True)) as writer:
        for picture in pictures:
            writer.write(picture)
    return writer.video.frames()[0]


@pytest.mark.parametrize(
    ("picture", "expected"),
    [
        (RGB, RGB),
        (RGB[:, ::-1], RGB[:, ::-1]),
        (RGB.tolist(), None),
        (GREY, GREY_RGB),
        (GREY[..., None], GREY_RGB),
        (RGB / 255, RGB),
        ((RGB / 255).astype(np.float32), RGB),
        ((RGB / 255).astype(np.float16), RGB),
        (GREY / 255 * 1.0005, GREY_RGB),
        (np.concatenate([RGB, np.full_like(ALPHA, 255)], axis=2), RGB),
        (np.concatenate([RGB, np.zeros_like(ALPHA)], axis=2), np.full_like(RGB, 255)),
    ],
)
def test_each_kind_of_picture_is_shown(picture, expected):
    if expected is None:
        with pytest.raises(TypeError, match="got int64; convert it first"):
            first_frame(picture)
        return
    np.testing.assert_array_equal(first_frame(picture), expected)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_transparent_pictures_are_on_white_as_pillow_puts_them(dtype):
    rgba = np.concatenate([RGB, ALPHA], axis=2)
    white = Image.new("RGBA", (64, 48), "white")
    white.alpha_composite(Image.fromarray(rgba))
    shown = first_frame(rgba if dtype == np.uint8 else rgba.astype(dtype) / 255)
    expected = np.asarray(white.convert("RGB"))
    assert np.abs(shown.astype(int) - expected).max() <= 1


def test_kinds_may_be_mixed_and_keep_their_size():
    assert (first_frame(GREY, RGB, RGB / 255) == GREY_RGB).all()
    with pytest.raises(ValueError, match=r"frame 1 has \(48, 63, 3\)"):
        first_frame(RGB, GREY[:, 1:])


def test_the_canvas_of_a_figure_is_a_frame():
    canvas = FigureCanvasAgg(Figure(figsize=(2, 1), dpi=64))
    canvas.figure.add_axes((0, 0, 1, 1)).imshow([[0, 1]], cmap="gray", aspect="auto")
    canvas.draw()
    shown = first_frame(canvas)
    assert shown.shape == (64, 128, 3)
    assert shown[32, 20].max() == 0
    assert shown[32, 108].min() == 255
