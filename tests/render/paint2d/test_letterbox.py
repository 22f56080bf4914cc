"""Frames fitted into a size."""

import numpy as np
import pytest

from lerax_render.paint2d.letterbox import Fitter


def picture(height: int, width: int) -> np.ndarray:
    """Grey, with a white square in the middle as high as half the picture."""
    frame = np.full((height, width, 3), 90, np.uint8)
    side = height // 2
    top, left = (height - side) // 2, (width - side) // 2
    frame[top : top + side, left : left + side] = 255
    return frame


def test_a_frame_of_the_right_size_is_copied_unchanged():
    frame = picture(48, 64)
    fitted = Fitter(64, 48).fit(frame)

    np.testing.assert_array_equal(fitted, frame)
    assert not np.shares_memory(fitted, frame)


@pytest.mark.parametrize(("width", "height"), [(128, 128), (64, 200), (300, 60), (33, 17)])
def test_proportions_stay_and_the_bars_are_of_the_borders_colour(width, height):
    fitted = Fitter(width, height).fit(picture(48, 64))
    bright = np.argwhere(fitted[..., 0] > 172)
    square = np.ptp(bright, axis=0) + 1
    scale = min(width / 64, height / 48)

    assert fitted.shape == (height, width, 3)
    assert abs(square[0] - square[1]) <= 1
    assert square[0] == pytest.approx(24 * scale, abs=1.5)
    assert bright.mean(axis=0) == pytest.approx([(height - 1) / 2, (width - 1) / 2], abs=1)
    np.testing.assert_array_equal(fitted[0, 0], 90)


def test_bars_keep_their_colour_when_the_border_changes():
    fitter = Fitter(100, 48)
    fitter.fit(picture(48, 64))
    other = picture(48, 64)
    other[0] = 0

    assert (fitter.fit(other)[:, 0] == 90).all()


def test_bars_around_a_scene_are_black():
    scene = np.random.default_rng(0).integers(50, 255, (48, 64, 3), dtype=np.uint8)

    assert not Fitter(100, 48).fit(scene)[:, 0].any()


def test_floats_and_alpha_are_understood():
    frame = picture(48, 64)
    alpha = np.concatenate([frame, np.zeros((48, 64, 1), np.uint8)], axis=2)

    np.testing.assert_array_equal(Fitter(64, 48).fit(frame / 255.0), frame)
    np.testing.assert_array_equal(Fitter(64, 48).fit(frame.astype(np.float32)), frame)
    np.testing.assert_array_equal(Fitter(64, 48).fit(alpha), frame)


@pytest.mark.parametrize("added", [(), (1,)])
def test_grey_is_understood(added):
    grey = picture(48, 64)[..., 0]

    fitted = Fitter(64, 48).fit(grey.reshape(48, 64, *added))
    np.testing.assert_array_equal(fitted, np.repeat(grey[..., None], 3, axis=2))
    assert fitted.flags.owndata


def test_black_and_white_is_understood():
    shown = picture(48, 64)[..., 0] > 100
    assert 0 < np.count_nonzero(shown) < shown.size
    np.testing.assert_array_equal(Fitter(64, 48).fit(shown)[..., 1], 255 * shown)


@pytest.mark.parametrize("shape", [(48,), (48, 64, 2), (0, 64, 3), (2, 48, 64, 3)])
def test_other_shapes_are_an_error(shape):
    with pytest.raises(ValueError, match=r"must have shape \(height, width, 3\)"):
        Fitter(64, 48).fit(np.zeros(shape, np.uint8))
