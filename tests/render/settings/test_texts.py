"""Values written as text: sizes, grids, cameras, arguments."""

import pytest

from lerax_render.settings.texts import assignments, parsed_camera, parsed_grid, parsed_size


@pytest.mark.parametrize(
    ("text", "size"),
    [("10MB", 10_000_000), ("500 kB", 500_000), ("1.5mb", 1_500_000), ("17", 17), ("2 GB", 2e9)],
)
def test_sizes_are_read(text, size):
    assert parsed_size(text) == size


@pytest.mark.parametrize("text", ["", "MB", "-3MB", "10MiB", "ten", "0", "1e3", "0.1", "9" * 400])
def test_what_is_no_size(text):
    with pytest.raises(ValueError, match="expected a size such as 10MB or 500kB, got"):
        parsed_size(text)


def test_grids_are_read():
    assert parsed_grid("2x13") == (2, 13)


@pytest.mark.parametrize("text", ["", "2", "2x", "2by3", "-2x3", "2x3x4", "²x3", "9" * 30 + "x1"])
def test_what_is_no_grid(text):
    with pytest.raises(ValueError, match="expected ROWSxCOLUMNS, such as 2x3, got"):
        parsed_grid(text)


@pytest.mark.parametrize(
    ("text", "camera"),
    [
        ("2", 2),
        ("side", "side"),
        ("", ""),
        ("azimuth=30,distance=2.5", {"azimuth": 30, "distance": 2.5}),
        ("track=torso", {"track": "torso"}),
        ("lookat=(0,0,1),azimuth=3", {"lookat": (0, 0, 1), "azimuth": 3}),
    ],
)
def test_cameras_are_read(text, camera):
    assert parsed_camera(text) == camera


def test_arguments_are_literals_or_texts():
    read = assignments(["a=1", "b=(1, 2.5)", "c=True", "d=plain text", "e=", "f=a=b"])
    assert read == {"a": 1, "b": (1, 2.5), "c": True, "d": "plain text", "e": "", "f": "a=b"}


@pytest.mark.parametrize("text", ["mass", "=1", "a b=1", "2=3", ""])
def test_what_is_no_argument(text):
    with pytest.raises(ValueError, match="expected name=value, got"):
        assignments([text])
