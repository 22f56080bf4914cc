"""Presets as a user has them: real GIFs, their size, their speed, and what is said about them."""

import logging
import re

import numpy as np
import pytest
from PIL import Image

from lerax_render import EncodeError, record
from lerax_render.cli import commands as cli
from lerax_render.video.presets import PRESETS, LimitedGifWriter, find_preset
from support.environments import Counting

WIDTH, HEIGHT, FRAMES = 336, 84, 12


@pytest.fixture(scope="module")
def frames() -> list[np.ndarray]:
    """Moving coloured blobs, which no palette of few colours and no small GIF can hold."""
    random = np.random.default_rng(0)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    blobs = [(random.uniform(0, WIDTH, 2), random.uniform(0, 255, 3)) for _ in range(12)]
    pictures = []
    for t in range(FRAMES):
        picture = np.zeros((HEIGHT, WIDTH, 3))
        for (cx, cy), colour in blobs:
            near = np.exp(-((x - cx - 4 * t) ** 2 + (y - cy) ** 2) / 4000)
            picture += near[..., None] * colour
        pictures.append(np.clip(picture, 0, 255).astype(np.uint8))
    return pictures


def written(frames, path, max_size, fps=20):
    with LimitedGifWriter(path, fps, max_size=max_size) as writer:
        for frame in frames:
            writer.write(frame)
    return writer.video


def gif(path) -> tuple[tuple[int, int], list[int], int]:
    """Size, frame durations in milliseconds, and the number of colours of the last frame."""
    with Image.open(path) as image:
        durations = []
        for i in range(image.n_frames):
            image.seek(i)
            durations.append(image.info["duration"])
        return image.size, durations, len(image.convert("RGB").getcolors(2**24))


@pytest.fixture(scope="module")
def sizes(frames, tmp_path_factory) -> list[int]:
    """The sizes in bytes that each of the steps downwards leads to."""
    folder = tmp_path_factory.mktemp("sizes")
    found = [written(frames, folder / "0.gif", 10**9).num_bytes]
    while True:
        try:
            found.append(written(frames, folder / "n.gif", found[-1] - 1).num_bytes)
        except EncodeError:
            return found


def test_each_step_makes_it_smaller(sizes):
    assert len(sizes) == 4
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize(
    ("step", "size", "delay", "fewer_colors", "said"),
    [
        (0, (336, 84), 50, False, None),
        (1, (336, 84), 80, False, "with 12.5 frames a second it has"),
        (2, (320, 80), 80, False, "with 12.5 frames a second, 320 pixels of width it has"),
        (3, (320, 80), 80, True, "320 pixels of width, 64 colours it has"),
    ],
)
def test_one_thing_after_the_other_is_given_up_and_said(
    frames, sizes, tmp_path, caplog, step, size, delay, fewer_colors, said
):
    with caplog.at_level(logging.WARNING):
        video = written(frames, tmp_path / "clip.gif", sizes[step])

    assert video.num_bytes <= sizes[step]
    assert (video.width, video.height) == size
    assert video.fps == 1000 / delay
    seen_size, durations, colors = gif(tmp_path / "clip.gif")
    assert seen_size == size
    assert set(durations) == {delay}
    assert (colors <= 64) is fewer_colors
    # The same time, whatever the rate.
    assert video.num_frames / video.fps == pytest.approx(FRAMES / 20, abs=0.05)
    assert video.frames().std() > 20
    assert (said in caplog.text) if said else not caplog.text
    assert caplog.text.count("clip.gif would have") == bool(said)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.gif"]


def test_what_cannot_get_small_enough_leaves_the_older_clip(frames, sizes, tmp_path):
    path = tmp_path / "clip.gif"
    path.write_bytes(b"an older clip")
    with pytest.raises(
        EncodeError, match=r"clip\.gif has .*12\.5 frames a second, 320 pixels of width, 64 colours"
    ):
        written(frames, path, sizes[-1] - 1)

    assert path.read_bytes() == b"an older clip"
    assert len(list(tmp_path.iterdir())) == 1


def test_what_is_small_and_slow_already_gives_up_colours_alone(frames, tmp_path, caplog):
    small = [frame[:60, :200] for frame in frames]
    size = written(small, tmp_path / "a.gif", 10**9, fps=10).num_bytes
    video = written(small, tmp_path / "b.gif", size - 1, fps=10)

    assert (video.width, video.fps, video.num_frames) == (200, 10, FRAMES)
    assert re.search(r"than [\d.]+ kB; with 64 colours it has", caplog.text)


@pytest.mark.parametrize(("limit", "error"), [(0, ValueError), (1.5, TypeError), (True, TypeError)])
def test_limits_that_are_none(limit, error):
    with pytest.raises(error, match="max_size must be"):
        LimitedGifWriter(None, 20, max_size=limit)


def test_docs_is_a_gif_in_real_time(tmp_path):
    video = record(Counting(), path=tmp_path / "clip.gif", steps=25, preset="docs")

    assert (video.format, video.width, video.height, video.fps) == ("gif", 480, 360, 20)
    # Counting has 50 steps a second: half a second.
    assert video.num_frames == 10
    assert video.num_bytes <= 10_000_000


def test_slow_environments_keep_their_rate_and_sizes_of_ones_own_are_kept():
    video = record(Counting(), steps=5, fps=10, width=96, height=64, preset="readme")
    assert (video.format, video.fps, video.num_frames) == ("gif", 10, 5)
    assert (video.width, video.height) == (96, 64)


def test_social_is_an_mp4_of_the_size_that_networks_want():
    video = record(Counting(), steps=3, preset="social")
    assert (video.format, video.width, video.height, video.fps) == ("mp4", 1280, 720, 50)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"preset": "poster"}, "preset must be one of docs, readme, social, got 'poster'"),
        ({"max_size": 10}, "there is no preset: choose docs or readme, too"),
        ({"preset": "social", "max_size": 10}, "preset social makes an MP4: choose docs or readme"),
        (
            {"preset": "docs", "format": "mp4"},
            "preset docs makes a GIF, and the format is mp4: leave one",
        ),
        ({"preset": "docs", "path": "clip.mp4"}, "preset docs makes a GIF: name the file clip.gif"),
        ({"preset": "social", "path": "a.gif"}, "preset social makes an MP4: name the file a.mp4"),
        ({"preset": "docs", "max_size": 0}, "max_size must be a whole number of bytes, at least 1"),
    ],
)
def test_options_that_contradict_each_other(options, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=message):
        record(Counting(), steps=3, **options)
    assert not list(tmp_path.iterdir())


def test_on_the_command_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    cli.main(["clip", "CartPole", "--no-cache", "--steps", "10", "--preset", "docs"])
    assert "CartPole.gif: " in (out := capsys.readouterr().out)
    assert "4 frames, 480x360, 20 fps" in out

    with pytest.raises(SystemExit):
        cli.main(["clip", "CartPole", "--preset", "docs", "--max-size", "huge", "--no-cache"])
    assert "expected a size such as 10MB or 500kB, got 'huge'" in capsys.readouterr().err


def test_a_preset_is_found_by_its_name():
    assert find_preset(None) is None
    assert all(find_preset(name) is preset for name, preset in PRESETS.items())
    assert all(name == preset.name for name, preset in PRESETS.items())
