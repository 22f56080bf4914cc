import numpy as np
import pytest

from lerax_render.paint2d.geometry import (
    clip_polygon,
    clip_segment,
    coverage,
    ellipse_outline,
    inset,
    line_corners,
    sideways,
    snap,
)

BOX = (0.0, 0.0, 100.0, 50.0)


def area(polygon):
    x, y = polygon.T
    return 0.5 * abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)))


def sampled(polygon, width, height, samples=32):
    """How many of 32 x 32 points in each pixel are inside, by the even-odd rule."""
    x = (np.arange(width * samples) + 0.5) / samples
    y = (np.arange(height * samples) + 0.5) / samples
    inside = np.zeros((len(y), len(x)), bool)
    for (ax, ay), (bx, by) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        with np.errstate(divide="ignore", invalid="ignore"):
            crossing = ax + (y - ay) / (by - ay) * (bx - ax)
        inside ^= ((ay > y) != (by > y))[:, None] & (x < crossing[:, None])
    return inside.reshape(height, samples, width, samples).mean(axis=(1, 3))


def test_snapping_hides_noise_where_the_world_has_round_numbers():
    for step in (1.0, 0.5, 0.25, 0.125, 0.2, 0.1):
        positions = np.arange(-200, 200) * step
        for noise in (-1e-4, 1e-4):
            assert (snap(positions + noise) == snap(positions)).all()
            assert (snap(positions + noise, 1) == snap(positions, 1)).all()


def test_snapping_moves_by_no_more_than_half_a_step():
    positions = np.random.default_rng(0).uniform(-1000, 1000, 10_000)
    assert np.abs(snap(positions) - positions).max() <= (0.5 + 1 / 64) / 4


def test_line_corners():
    corners = line_corners(np.array([[1.0, 2.0]]), np.array([[5.0, 2.0]]), np.array([2.0]))
    assert sorted(corners[0].tolist()) == [[1, 1], [1, 3], [5, 1], [5, 3]]
    assert area(corners[0]) == 8


@pytest.mark.parametrize("reverse", [False, True])
def test_a_square_shrinks_evenly(reverse):
    square = np.array([[[10.0, 10.0], [30.0, 10.0], [30.0, 30.0], [10.0, 30.0]]])
    if reverse:
        square = square[:, ::-1]
    shift, room = inset(square)
    smaller = square + 2 * shift
    assert (smaller.min(), smaller.max()) == (12, 28)
    assert room.tolist() == [5]


def test_repeated_corners_and_polygons_without_area_are_harmless():
    polygons = np.array([[[0, 0], [9, 0], [9, 0], [9, 9]], [[4, 4]] * 4], float)
    shift, room = inset(polygons)
    assert np.isfinite(shift).all()
    assert room[1] == 0


def test_lines_move_sideways():
    corner = np.array([[[0.0, 0.0], [10.0, 0.0], [10.0, 10.0]]])
    np.testing.assert_allclose(sideways(corner), [[[0, 1], [-1, 1], [-1, 0]]])


def test_polygons_are_clipped():
    rng = np.random.default_rng(0)
    for _ in range(50):
        triangle = rng.uniform(-100, 200, (3, 2))
        clipped = clip_polygon(triangle, BOX)
        inside = sampled(triangle, 100, 50, samples=4).sum()
        assert (clipped >= -1e-9).all()
        assert (clipped <= [100 + 1e-9, 50 + 1e-9]).all()
        assert (area(clipped) if len(clipped) else 0) == pytest.approx(inside, abs=8)


def test_clipping_far_away():
    far = np.array([[-1e30, -1e30], [1e30, -1e30], [0.0, 1e30]])
    assert area(clip_polygon(far, BOX)) == pytest.approx(5000)
    assert len(clip_polygon(far + np.array([0, 3e30]), BOX)) == 0


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ((10, 10), (20, 20), ((10, 10), (20, 20))),
        ((-10, 25), (110, 25), ((0, 25), (100, 25))),
        ((50, 1e12), (50, -1e12), ((50, 50), (50, 0))),
        ((-10, -10), (60, 60), ((0, 0), (50, 50))),
        ((-10, 25), (-5, 25), None),
        ((-10, 60), (110, 60), None),
        ((-10, 45), (10, 65), None),
    ],
)
def test_segments_are_clipped(start, end, expected):
    clipped = clip_segment(np.array(start, float), np.array(end, float), BOX)
    assert (clipped is None) == (expected is None)
    if expected is not None:
        np.testing.assert_allclose(clipped, expected, atol=1e-3)


@pytest.mark.parametrize(
    ("center", "radii"),
    [
        ((50, 25), (80, 60)),
        ((50, 25), (5000, 70)),
        ((-300, 25), (320, 320)),
        ((50, -1e7), (1e7 + 30, 1e7 + 30)),
        ((-4e8, -3e8), (5e8, 5e8)),
        ((200, 100), (130, 90)),
    ],
)
def test_outlines_of_ellipses_are_right_where_they_are_seen(center, radii):
    outline = ellipse_outline(np.array(center, float), np.array(radii, float), BOX)
    x, y = np.meshgrid(np.arange(100) + 0.5, np.arange(50) + 0.5)
    value = np.hypot((x - center[0]) / radii[0], (y - center[1]) / radii[1])
    expected = value < 1
    assert len(outline) < 9_000
    covered = coverage(clip_polygon(outline, BOX), 100, 50)
    # Only pixels that the outline crosses may be in doubt.
    doubtful = np.abs(value - 1) < 1 / min(radii)
    assert ((covered > 0.5) == expected)[~doubtful].all()
    assert doubtful.sum() < 1000


def test_coverage_is_that_of_many_samples():
    rng = np.random.default_rng(0)
    for corners in (3, 3, 4, 7):
        polygon = rng.uniform(1, 23, (corners, 2))
        error = coverage(polygon, 24, 24) - sampled(polygon, 24, 24)
        assert np.abs(error).max() < 0.13
        assert np.sqrt(np.mean(error**2)) < 0.02


def test_coverage_of_whole_pixels_is_exact():
    covered = coverage(np.array([[1.0, 1.0], [3.5, 1.0], [3.5, 2.0], [1.0, 2.0]]), 5, 3)
    np.testing.assert_allclose(covered, [[0] * 5, [0, 1, 1, 0.5, 0], [0] * 5], atol=1e-12)
