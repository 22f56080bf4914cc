import numpy as np
import pytest
from lerax.env.classic_control import MountainCar
from lerax.render import Color, Transform, VideoRenderer

from lerax_render.paint2d.layout import Layout
from lerax_render.paint2d.offscreen import offscreen_display
from lerax_render.paint2d.renderer import HeadlessPygameRenderer
from lerax_render.settings.picture import MAX_SIZE

POINTS = np.array([[0.0, 0.0], [1.3, -0.7], [-2.25, 3.1]], np.float32)


def test_it_is_read_from_lerax_own_renderer_and_from_one_that_wraps_it():
    with offscreen_display():
        renderer = MountainCar().default_renderer()
    expected = Layout(800, 450, 350.0, (560.0, 180.0), True, (1.0, 1.0, 1.0))

    assert Layout.of(renderer) == expected
    assert Layout.of(VideoRenderer(renderer, "unused.mp4")) == expected
    assert hash(Layout.of(renderer)) == hash(expected)


def test_a_background_colour_is_read():
    renderer = HeadlessPygameRenderer(20, 10, Color(0.25, 0.5, 0.75))
    assert Layout.of(renderer).background == (0.25, 0.5, 0.75)


@pytest.mark.parametrize("y_up", [True, False])
@pytest.mark.parametrize("transform_height", [100, 140])
def test_positions_are_those_of_lerax_transform(y_up, transform_height):
    transform = Transform(120, transform_height, 20.0, np.array([60.5, 40.25]), y_up)
    layout = Layout.of(HeadlessPygameRenderer(120, 100, transform=transform))

    pixels = layout.to_pixels(POINTS)

    # Lerax cuts off the fraction.
    for point, pixel in zip(POINTS, pixels, strict=True):
        assert np.trunc(pixel).tolist() == transform.world_to_px(point).tolist()


def test_it_gives_its_own_layout_as_a_transform():
    layout = Layout(120, 100, 20.0, (60.0, 40.0), False)
    renderer = HeadlessPygameRenderer(120, 100, transform=layout.transform)
    assert Layout.of(renderer) == layout


@pytest.mark.parametrize("y_up", [True, False])
@pytest.mark.parametrize(
    ("size", "zoom", "inner"),
    [
        ((400, 200), 2.0, (0, 0, 400, 200)),
        ((400, 300), 2.0, (0, 50, 400, 200)),
        ((300, 100), 1.0, (50, 0, 200, 100)),
        ((100, 100), 0.5, (0, 25, 100, 50)),
        ((201, 100), 1.0, (0, 0, 200, 100)),
        ((203, 100), 1.0, (1, 0, 200, 100)),
    ],
)
def test_it_fits_into_other_sizes_centred_and_without_distortion(y_up, size, zoom, inner):
    layout = Layout(200, 100, 10.0, (70.0, 30.0), y_up, (0.1, 0.2, 0.3))

    fitted = layout.fitted(*size)

    assert (fitted.width, fitted.height) == size
    assert fitted.zoom == zoom
    assert fitted.inner == inner
    assert fitted.background == layout.background
    expected = layout.to_pixels(POINTS) * zoom + inner[:2]
    np.testing.assert_allclose(fitted.to_pixels(POINTS), expected, atol=1e-9)


def test_the_same_size_changes_nothing():
    layout = Layout(200, 100, 10.0, (70.0, 30.0))
    assert layout.fitted(200, 100) is layout
    assert layout.inner == (0, 0, 200, 100)


def test_the_smallest_picture_still_has_an_inside():
    assert Layout(2000, 10, 1.0, (0.0, 0.0)).fitted(100, 100).inner == (0, 50, 100, 1)


@pytest.mark.parametrize("size", [0, -1, MAX_SIZE + 1])
def test_sizes_out_of_range_are_refused(size):
    with pytest.raises(ValueError, match=f"of pixels, 1 to {MAX_SIZE}, got {size}"):
        Layout(size, 10, 1.0, (0.0, 0.0))
    with pytest.raises(ValueError, match=f"height must be .* got {size}"):
        Layout(10, 10, 1.0, (0.0, 0.0)).fitted(10, size)


@pytest.mark.parametrize("size", [2.5, True, "640", None])
def test_sizes_that_are_no_whole_numbers_are_refused(size):
    with pytest.raises(TypeError, match="width must be a whole number of pixels"):
        Layout(size, 10, 1.0, (0.0, 0.0))


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf")])
def test_scales_that_show_nothing_are_refused(scale):
    with pytest.raises(ValueError, match="scale must be a finite number above 0"):
        Layout(10, 10, scale, (0.0, 0.0))


def test_what_is_no_2d_renderer_is_refused():
    with pytest.raises(TypeError, match=r"Abstract2DRenderer, got object"):
        Layout.of(object())
