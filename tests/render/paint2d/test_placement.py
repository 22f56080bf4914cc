"""Every kind of draw command, looked at in pixels."""

import math

import numpy as np
import pytest

from lerax_render.paint2d.canvas import Canvas
from lerax_render.paint2d.commands import Command
from lerax_render.paint2d.layout import Layout
from lerax_render.paint2d.placement import place, to_rgb

SIZE = 80
# World units are pixels, (0, 0) is the upper left corner.
PIXELS = Layout(SIZE, SIZE, 1.0, (0.0, 0.0), y_up=False)


def paint(*commands, layout=PIXELS):
    """Black things on white, as the darkness of each pixel, 0 to 1."""
    canvas = Canvas(layout)
    for kind, points, sizes, *text in commands:
        points = np.asarray(points, np.float32).reshape(-1, 2)
        numbers = np.concatenate([points.ravel(), sizes, [0, 0, 0]]).astype(np.float32)
        placed = place(layout, layout.view, Command(kind, len(points), *text), numbers[None])
        if placed.marks[0] is not None:
            changed = placed.marks[0].draw(canvas.surface, placed.colors[0])
            dark = np.argwhere(canvas.rgb()[..., 0] < 255)
            if len(commands) == 1 and len(dark):
                (top, left), (bottom, right) = dark.min(axis=0), dark.max(axis=0)
                assert changed.contains((left, top, right - left + 1, bottom - top + 1))
    return 1 - canvas.rgb()[..., 0] / 255


def sampled(inside, samples=8):
    at = (np.arange(SIZE * samples) + 0.5) / samples
    x, y = np.meshgrid(at, at)
    return inside(x, y).reshape(SIZE, samples, SIZE, samples).mean(axis=(1, 3))


def edge_error(picture, expected):
    """Root mean square error over the pixels of the edge, and the mean error, 0 to 1."""
    edge = max(1, ((expected > 0) & (expected < 1)).sum())
    error = picture - expected
    return math.sqrt((error**2).sum() / edge), error.sum() / edge


def assert_alike(rms, bias):
    # pygame.gfxdraw's polygons, as Lerax draws them, are at 0.6.
    assert rms < 0.2
    assert abs(bias) < 0.15


@pytest.mark.parametrize("width", [1, 1.4, 2, 2.6, 3, 3.4, 4, 5, 8, 20])
def test_lines_look_as_if_many_samples_were_taken(width):
    rng = np.random.default_rng(0)
    errors = []
    for angle in rng.uniform(0, 2 * math.pi, 20):
        along = np.array([math.cos(angle), math.sin(angle)])
        start = 40 + rng.uniform(-1, 1, 2) - 15 * along

        def inside(x, y, start=start, along=along):
            u = (x - start[0]) * along[0] + (y - start[1]) * along[1]
            v = (x - start[0]) * along[1] - (y - start[1]) * along[0]
            return (u > 0) & (u < 30) & (abs(v) < width / 2)

        picture = paint(("line", [start, start + 30 * along], [width]))
        errors.append(edge_error(picture, sampled(inside)))
    assert_alike(*np.mean(errors, axis=0))


@pytest.mark.parametrize("radii", [(3, 3), (20, 20), (30.3, 5), (2, 33), (0.8, 20), (70, 70)])
def test_ellipses_look_as_if_many_samples_were_taken(radii):
    for x, y in [(40, 40), (40.5, 40), (39.8, 41.3)]:
        center = (x + (50 if radii[0] > 50 else 0), y)
        picture = paint(("ellipse", [center], [2 * radii[0], 2 * radii[1]]))

        def inside(x, y, center=center):
            return np.hypot((x - center[0]) / radii[0], (y - center[1]) / radii[1]) < 1

        assert_alike(*edge_error(picture, sampled(inside)))


def test_a_circle_is_an_ellipse():
    assert (paint(("circle", [(40, 40)], [17.0])) == paint(("ellipse", [(40, 40)], [34, 34]))).all()


def regular(corners, radius, inner=None):
    angles = np.arange(corners) * 2 * math.pi / corners + 0.3
    radii = np.where(np.arange(corners) % 2, inner or radius, radius)
    return np.stack([40.2 + radii * np.cos(angles), 39.7 + radii * np.sin(angles)], axis=1)


@pytest.mark.parametrize(
    "polygon",
    [
        regular(3, 30),
        regular(4, 30),
        regular(4, 3),
        regular(6, 1.5),
        regular(60, 30),
        regular(10, 35, 14),
        np.array([[10, 10], [70, 30], [20, 14]]),
        np.array([[5, 40], [75, 41], [75, 42]]),
        np.array([[-200, 40], [40, -300], [60, 500]]),
    ],
)
def test_polygons_look_as_if_many_samples_were_taken(polygon):
    def inside(x, y):
        odd = np.zeros(x.shape, bool)
        for (ax, ay), (bx, by) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
            with np.errstate(divide="ignore", invalid="ignore"):
                odd ^= ((ay > y) != (by > y)) & (x < ax + (y - ay) / (by - ay) * (bx - ax))
        return odd

    expected = sampled(inside)
    assert expected.sum() > 5
    for same in (polygon, polygon[::-1]):
        assert_alike(*edge_error(paint(("polygon", same, [])), expected))


def test_rectangles_are_whole_pixels():
    picture = paint(("rect", [(40, 30)], [20, 10]))
    assert picture[25:35, 30:50].all()
    assert picture.sum() == 200


def test_rectangles_that_touch_leave_no_seam_and_do_not_overlap():
    tiles = [("rect", [(5 + 3.3 * i, 40)], [3.3, 6]) for i in range(20)]
    counts = sum((paint(tile) > 0).astype(int) for tile in tiles)
    row = counts[40]
    assert row[4:69].tolist() == [1] * 65
    assert counts.max() == 1


def test_tiny_rectangles_are_one_pixel():
    assert paint(("rect", [(40.5, 40.5)], [0.01, 0.01])).sum() == 1


def test_level_and_upright_hairlines_are_crisp():
    for line in ([(10, 20), (60, 20)], [(20, 10), (20, 60)]):
        for kind, sizes in (("line", [0.5]), ("polyline", [])):
            picture = paint((kind, line, sizes))
            # Black, but for pygame's half pixel beyond each end.
            assert (picture == 1).sum() == 50
            assert ((picture > 0) & (picture < 1)).sum() <= 2


def test_polylines_are_one_pixel_wide_and_connected():
    x = np.linspace(5, 75, 40)
    picture = paint(("polyline", np.stack([x, 40 + 20 * np.sin(x / 8)], axis=1), []))
    columns = picture[:, 8:72].sum(axis=0)
    assert (columns > 0.7).all()
    assert (columns < 4).all()


@pytest.mark.parametrize("turn", range(4))
def test_closed_polylines_meet_where_they_begin(turn):
    corners = [(10, 20), (60, 20), (60, 70), (10, 70)]
    corners = corners[turn:] + corners[:turn]
    picture = paint(("polyline", [*corners, corners[0]], []))
    assert (picture == 1).sum() == 200
    assert not ((picture > 0) & (picture < 1)).any()


@pytest.mark.parametrize("zoom", [0.5, 1, 1.5, 2, 3.5, 8])
def test_polylines_are_magnified_with_the_picture(zoom):
    layout = Layout(10, 10, 1.0, (0.0, 0.0)).fitted(round(10 * zoom), round(10 * zoom))
    points = np.array([[-5, 4.3], [3, 5.1], [15, 5.3]])
    across = paint(("polyline", points, []), layout=layout)[:, layout.width // 2].sum()
    assert across == pytest.approx(max(1, zoom), rel=0.25)


@pytest.mark.parametrize("y_up", [True, False])
@pytest.mark.parametrize("kind", ["rect", "ellipse", "circle", "polygon"])
def test_things_are_centred_where_they_should_be(kind, y_up):
    layout = Layout(200, 160, 20.0, (50.0, 40.0), y_up)
    points = [(2, 3), (3, 3), (3, 4), (2, 4)] if kind == "polygon" else [(2.5, 3.5)]
    sizes = {"rect": [2, 1], "ellipse": [2, 1], "circle": [0.5], "polygon": []}
    picture = paint((kind, points, sizes[kind]), layout=layout)

    rows, columns = np.nonzero(picture)

    assert (columns.min() + columns.max() + 1) / 2 == pytest.approx(100, abs=1)
    middle = 160 - 110 if y_up else 110
    assert (rows.min() + rows.max() + 1) / 2 == pytest.approx(middle, abs=1)
    expected = {"rect": (40, 20), "ellipse": (40, 20), "circle": (20, 20), "polygon": (20, 20)}
    assert np.ptp(columns) + 1 == pytest.approx(expected[kind][0], abs=2)
    assert np.ptp(rows) + 1 == pytest.approx(expected[kind][1], abs=2)


def test_text_is_upright_readable_and_magnified_with_the_picture():
    small = Layout(100, 60, 10.0, (50.0, 30.0), y_up=True)
    letter = paint(("text", [(0, 0)], [30], "L"), layout=small)
    rows, columns = np.nonzero(letter > 0.5)
    # The bar of an L is at its bottom, its stem on the left.
    assert letter[rows.max() - 1].sum() > 2 * letter[rows.min() + 3].sum()
    assert letter[:, columns.min() + 1].sum() > 2 * letter[:, columns.max() - 1].sum()

    large = paint(("text", [(0, 0)], [30], "L"), layout=small.fitted(300, 180))
    assert np.ptp(np.nonzero(large > 0.5)[0]) == pytest.approx(3 * np.ptp(rows), abs=4)


@pytest.mark.parametrize(
    ("kind", "points", "sizes"),
    [
        ("line", [(40, 40), (40, 40)], [5]),
        ("line", [(10, 40), (60, 40)], [0]),
        ("line", [(10, 40), (60, 40)], [-2]),
        ("circle", [(40, 40)], [0]),
        ("circle", [(40, 40)], [-5]),
        ("rect", [(40, 40)], [0, 10]),
        ("rect", [(40, 40)], [10, -10]),
        ("ellipse", [(40, 40)], [10, 0]),
        ("ellipse", [(40, 40)], [-10, 10]),
        ("text", [(40, 40)], [0]),
        ("text", [(40, 40)], [-12]),
        ("circle", [(-500, 40)], [20]),
        ("rect", [(1e9, 40)], [20, 20]),
        ("text", [(1e9, 1e9)], [20]),
        ("line", [(-1e9, -50), (1e9, -50)], [20]),
        ("polygon", [(1e9, 0), (2e9, 0), (1e9, 1e9)], []),
        ("polyline", [(1e9, 0), (2e9, 0), (1e9, 1e9)], []),
    ],
)
def test_what_has_no_size_or_is_out_of_sight_draws_nothing(kind, points, sizes):
    assert not paint((kind, points, sizes, "text" if kind == "text" else "")).any()


@pytest.mark.parametrize("far", [2e3, 4e4, 1e6, 1e9, 1e30])
def test_what_reaches_far_beyond_the_picture_is_right_inside(far):
    whole = np.zeros((SIZE, SIZE))
    whole[:, 30:] = 1
    right_of_30 = [
        ("polygon", [(30, -far), (far, -far), (far, far), (30, far)], []),
        ("line", [(30, 40), (far, 40)], [far]),
    ]
    if far < 1e6:  # A larger number in single precision no longer has quarters of pixels.
        right_of_30.append(("rect", [(15 + far / 2, 40)], [far - 30, far]))
        right_of_30.append(("circle", [(30 + far, 40)], [far]))
    for command in right_of_30:
        picture = paint(command)
        if command[0] == "circle":
            assert np.abs(picture - whole)[38:42].max() < 0.3
            assert np.abs(picture - whole)[:, [*range(28), *range(33, SIZE)]].max() < 0.1
        else:
            assert np.abs(picture - whole).max() < 0.02

    across = paint(("line", [(-far, 20 - far), (far, 20 + far)], [3]))
    x, y = np.meshgrid(np.arange(SIZE), np.arange(SIZE))
    if far < 1e6:
        assert (across[abs(y - x - 20) < 1] > 0.9).all()
    assert across[abs(y - x - 20) > 4 + far * 1e-7].sum() == 0


def test_a_circle_around_everything_covers_everything():
    for radius in (200, 5e3, 1e7, 1e20):
        assert (paint(("circle", [(40, 40)], [radius])) == 1).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_skipped_and_reported(value):
    numbers = np.array([[40, 40, 10, 1, 0, 0]] * 3, np.float32)
    for column in range(6):
        broken = numbers.copy()
        broken[1, column] = value
        placed = place(PIXELS, PIXELS.view, Command("circle", 1), broken)
        assert placed.finite.tolist() == [True, False, True]
        assert [mark is None for mark in placed.marks] == [False, True, False]


def test_many_frames_are_the_frames_one_by_one():
    rng = np.random.default_rng(1)
    for command in (Command("line", 2), Command("polyline", 5), Command("polygon", 4)):
        numbers = rng.normal(40, 400, (20, command.num_numbers)).astype(np.float32)
        together = place(PIXELS, PIXELS.view, command, numbers)
        apart = [place(PIXELS, PIXELS.view, command, row[None]) for row in numbers]
        assert list(together.marks) == [one.marks[0] for one in apart]
        assert list(together.colors) == [one.colors[0] for one in apart]


def test_colours_are_lerax_colours_without_its_rounding_errors():
    all_of_them = np.arange(256, dtype=np.float32) / np.float32(255)
    assert to_rgb(all_of_them).tolist() == list(range(256))
    assert to_rgb(np.float32([0.3, 0.7, -1, 2])).tolist() == [76, 178, 0, 255]
