"""Presets as a user has them: real files, their size, their speed, and what is said about them."""

import io

import av
import numpy as np
import pytest
from PIL import Image

from lerax_render import record
from lerax_render.cli import commands as cli
from lerax_render.video.presets import PRESETS, find_preset
from support.environments import Counting


@pytest.mark.parametrize("preset", ["docs", "readme"])
@pytest.mark.parametrize(
    ("options", "format"),
    [
        ({}, "webp"),
        ({"path": "clip.webp"}, "webp"),
        ({"path": "clip"}, "webp"),
        ({"path": "clip.gif"}, "gif"),
        ({"format": "gif"}, "gif"),
        ({"path": "clip", "format": "gif"}, "gif"),
    ],
)
def test_pages_get_a_webp_or_a_gif_in_real_time(tmp_path, monkeypatch, preset, options, format):
    monkeypatch.chdir(tmp_path)
    video = record(Counting(), steps=25, preset=preset, **options)

    assert (video.format, video.width, video.height, video.fps) == (format, 480, 360, 20)
    # Counting has 50 steps a second: half a second.
    assert video.num_frames == 10
    assert video.num_bytes <= PRESETS[preset].max_size
    with Image.open(io.BytesIO(video.data)) as image:
        assert (image.format, image.size, image.info["loop"]) == (format.upper(), (480, 360), 0)


def test_slow_environments_keep_their_rate_and_sizes_of_ones_own_are_kept():
    video = record(Counting(), steps=5, fps=10, width=96, height=64, preset="readme")
    assert (video.format, video.fps, video.num_frames) == ("webp", 10, 5)
    assert (video.width, video.height) == (96, 64)


@pytest.mark.parametrize("preset", ["social", "x"])
def test_social_is_an_mp4_of_the_size_that_networks_want(preset):
    video = record(Counting(), steps=3, preset=preset)
    assert (video.format, video.width, video.height, video.fps) == ("mp4", 1280, 720, 50)


@pytest.mark.parametrize("name", [None, "a.mp4", "a.mov", "a.m4v"])
def test_slides_are_what_powerpoint_and_keynote_play(tmp_path, name):
    path = None if name is None else tmp_path / name
    video = record(Counting(), path=path, steps=3, preset="slides")
    with av.open(io.BytesIO(video.data)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert (stream.width, stream.height) == (1920, 1080)
        assert stream.profile == "High"
    if name in (None, "a.mp4"):
        assert video.data.index(b"moov") < video.data.index(b"mdat")


@pytest.mark.parametrize(
    ("name", "format"),
    [
        (None, "apng"),
        ("frames", "png"),
        ("frame_%03d.png", "png"),
        ("a.apng", "apng"),
        ("a.webp", "webp"),
        ("a.mp4", "mp4"),
        ("a.mov", "mov"),
        ("a.webm", "webm"),
    ],
)
def test_papers_get_the_frames_to_the_bit(tmp_path, name, format):
    path = None if name is None else tmp_path / name
    video = record(Counting(), path=path, steps=3, preset="paper")
    assert (video.format, video.width, video.height, video.num_frames) == (format, 1280, 960, 3)
    exact = record(Counting(), steps=3, width=1280, height=960, format="apng").frames()
    np.testing.assert_array_equal(video.frames(), exact)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"preset": "poster"}, "preset must be one of docs, readme, social, x, slides, paper, got"),
        (
            {"preset": "docs", "format": "mp4"},
            "preset docs makes a WebP or a GIF, and the format is mp4: leave one",
        ),
        (
            {"preset": "docs", "path": "clip.mp4"},
            "preset docs makes a WebP or a GIF: name the file clip.webp",
        ),
        (
            {"preset": "docs", "path": "clip.gif", "format": "webp"},
            "'clip.gif' ends with .gif, but format is 'webp'",
        ),
        ({"preset": "social", "path": "a.gif"}, "preset social makes an MP4: name the file a.mp4"),
        ({"preset": "slides", "format": "webm"}, "makes an MP4 or MOV or M4V, and the format is"),
        ({"preset": "paper", "path": "a.gif"}, "preset paper makes PNG files or APNG or a WebP or"),
        ({"preset": "paper", "path": "a.mp4", "crf": 20}, "lossless leaves no room for a crf"),
        ({"preset": "docs", "max_size": 0}, "max_size must be a whole number of bytes, at least 1"),
        ({"preset": "docs", "codec": "av1"}, "webp cannot hold codec av1; formats that can are"),
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
    assert "CartPole.webp: " in (out := capsys.readouterr().out)
    assert "4 frames, 480x360, 20 fps" in out

    cli.main(["clip", "CartPole", "--no-cache", "-n", "5", "--preset", "docs", "--format", "gif"])
    assert "CartPole.gif: " in capsys.readouterr().out

    with pytest.raises(SystemExit):
        cli.main(["clip", "CartPole", "--preset", "docs", "--max-size", "huge", "--no-cache"])
    assert "expected a size such as 10MB or 500kB, got 'huge'" in capsys.readouterr().err


def test_a_preset_is_found_by_its_name():
    assert find_preset(None) is None
    assert all(find_preset(name) is preset for name, preset in PRESETS.items())
    assert all(name == preset.name for name, preset in PRESETS.items())
