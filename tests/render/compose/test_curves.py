"""Curves in pixels, against a much finer picture, and the numbers along axes."""

import numpy as np
import pytest

from lerax_render.compose.curves import coverage, limits, ticks

FINER = 16


def finely(x: np.ndarray, y: np.ndarray, width: int, height: int, radius: float) -> np.ndarray:
    """The same by the distance of each of 256 places in a pixel from each line."""
    px, py = ((np.arange(size * FINER) + 0.5) / FINER for size in (width, height))
    place = np.stack(np.meshgrid(px, py), axis=-1)
    inside = np.zeros(place.shape[:2], bool)
    points = np.stack([x, y], axis=1)
    for start, end in zip(points, [*points[1:], points[-1]], strict=True):
        if not np.isfinite([start, end]).all():
            end = start
        if not np.isfinite(start).all():
            continue
        along = end - start
        share = np.clip((place - start) @ along / max(along @ along, 1e-9), 0, 1)
        inside |= np.hypot(*np.moveaxis(place - start - share[..., None] * along, -1, 0)) < radius
    return inside.reshape(height, FINER, width, FINER).mean(axis=(1, 3))


@pytest.mark.parametrize("radius", [0.75, 1.0, 1.5])
@pytest.mark.parametrize("points", [9, 40, 300])
def test_a_curve_is_that_of_a_finer_picture(radius, points):
    x = np.linspace(3, 57, points)
    y = 15 + 10 * np.sin(x / 6) + np.where(np.arange(points) % 7 == 3, 4, 0)
    shown = coverage(x, y, 60, 30, radius)
    expected = finely(x, y, 60, 30, radius)
    assert shown.shape == (30, 60)
    assert expected.max() > 0.9
    assert np.sqrt(np.mean((shown - expected)[expected > 0] ** 2)) < 0.12
    assert shown.sum() == pytest.approx(expected.sum(), rel=0.12)


def test_nan_is_a_gap_and_a_point_alone_is_a_dot():
    x, y = np.arange(40.0), np.full(40, 10.0)
    y[10:30] = np.nan
    y[20] = 5.0
    shown = coverage(x, y, 40, 20, 1.0)
    columns = np.flatnonzero(shown.max(axis=0) > 0.3)
    assert set(range(0, 10)) | set(range(30, 39)) | {20} <= set(columns.tolist())
    assert not shown[:, 12:18].any()
    assert not shown[:, 23:28].any()
    assert shown[5, 20] > 0.5


@pytest.mark.parametrize("y", [[np.nan], [4.0], [np.nan, np.nan], [4.0, 4.0]])
def test_few_points_are_as_good_as_many(y):
    shown = coverage(np.arange(float(len(y))) + 5, np.array(y), 12, 9, 1.0)
    assert shown.any() == np.isfinite(y).any()


@pytest.mark.parametrize(
    ("low", "high", "least", "texts"),
    [
        (0, 21, 7, ["0", "10", "20"]),
        (0, 1, 0.3, ["0.0", "0.5", "1.0"]),
        (-1e-5, 1e-5, 5e-6, ["-1e-5", "-5e-6", "0", "5e-6", "1e-5"]),
        (0, 1e7, 3e6, ["0", "5e6", "1e7"]),
        (1.24e6, 1.26e6, 7e3, ["1.24e6", "1.25e6", "1.26e6"]),
        (-33, 187, 60, ["0", "100"]),
        (1000.01, 1000.05, 0.02, ["1000.02", "1000.04"]),
    ],
)
def test_numbers_of_an_axis_are_round_and_all_their_digits_count(low, high, least, texts):
    found = ticks(low, high, least)
    assert [text for _, text in found] == texts
    for value, text in found:
        assert float(text) == pytest.approx(value, abs=least * 1e-6)
        assert low - 1e-6 * least <= value <= high + 1e-6 * least


@pytest.mark.parametrize(
    ("low", "high"), [(0, 1), (3, 3), (0, 0), (-5e-9, -5e-9), (1e9, 1e9 + 1), (np.inf, -np.inf)]
)
def test_an_axis_has_room_for_its_numbers(low, high):
    bottom, top = limits(low, high)
    assert bottom < top
    if low <= high:
        assert bottom < low <= high < top
