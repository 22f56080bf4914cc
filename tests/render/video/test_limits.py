"""Clips that keep to a size: what is given up for it, in which order, and what is said."""

import logging
import re

import numpy as np
import pytest
from lerax.env.classic_control import Pendulum
from PIL import Image

import lerax_render as lr
from lerax_render import EncodeError
from lerax_render.video import FORMATS, Encoding
from lerax_render.video.limits import LimitedWriter

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


def written(frames, path, max_size, fps=20, **options):
    with LimitedWriter(path, fps, max_size=max_size, **options) as writer:
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
    assert len(sizes) == 10
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize(
    ("step", "size", "delay", "fewer_colors", "said"),
    [
        (0, (336, 84), 50, False, None),
        (1, (336, 84), 80, False, "with 12.5 frames a second it has"),
        (2, (320, 80), 80, False, "with 12.5 frames a second, 320 pixels of width it has"),
        (3, (320, 80), 80, True, "320 pixels of width, 64 colours it has"),
        (5, (240, 60), 125, True, "with 8 frames a second, 240 pixels of width, 64 colours it has"),
        (9, (160, 40), 200, True, "with 5 frames a second, 160 pixels of width, 16 colours it has"),
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
    # GIF counts time in hundredths of a second.
    assert {10 * (delay // 10), 10 * -(-delay // 10)} >= set(durations)
    assert (colors <= 64) is fewer_colors
    # The same time, whatever the rate.
    assert video.num_frames / video.fps == pytest.approx(FRAMES / 20, abs=0.1)
    assert video.frames().std() > 20
    assert (said in caplog.text) if said else not caplog.text
    assert caplog.text.count("clip.gif would have") == bool(said)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.gif"]


def test_what_cannot_get_small_enough_leaves_the_older_clip(frames, sizes, tmp_path):
    path = tmp_path / "clip.gif"
    path.write_bytes(b"an older clip")
    with pytest.raises(
        EncodeError,
        match=r"clip\.gif has .*made with 5 frames a second, 160 pixels of width, 16 colours; that",
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
        LimitedWriter(None, 20, max_size=limit)


@pytest.mark.parametrize("format", [name for name, row in FORMATS.items() if name != "gif"])
def test_every_format_keeps_to_a_limit(frames, tmp_path, caplog, format):
    row = FORMATS[format]
    place = tmp_path / f"clip{'_%d' if row.is_sequence else ''}{row.suffix}"
    whole = written(frames, place, 10**9).num_bytes
    assert not caplog.text
    with caplog.at_level(logging.WARNING):
        video = written(frames, place, whole // 2)
    assert video.num_bytes <= whole // 2
    assert f"{place.name} would have" in caplog.text
    quality = "crf" if row.codecs else "quality" if format == "webp" else "frames a second"
    assert re.search(rf"; with [\w.]*? ?{quality}", caplog.text)
    assert sorted(tmp_path.iterdir()) == sorted(video.files)
    assert video.frames().std() > 20
    assert video.num_frames / video.fps == pytest.approx(FRAMES / 20, abs=0.1)


def test_a_limit_makes_a_crf_larger_and_leaves_lossless_lossless(frames, tmp_path, caplog):
    path = tmp_path / "a.mp4"
    whole = written(frames, path, 10**9, encoding=Encoding(crf=30)).num_bytes
    smaller = written(frames, path, whole - 1, encoding=Encoding(crf=30))
    assert "; with crf 32 it has" in caplog.text
    assert (smaller.width, smaller.fps) == (WIDTH, 20)
    lossless = written(frames, path, 10**9, encoding=Encoding(lossless=True)).num_bytes
    video = written(frames, path, lossless - 1, encoding=Encoding(lossless=True))
    assert "; with 12.5 frames a second it has" in caplog.text
    assert (video.frames()[0] == frames[0]).all()


def test_two_hundred_steps_of_pendulum_go_into_20_kilobytes():
    replay = lr.capture(Pendulum(), steps=200, key=0)
    for format in ("gif", "webp", "mp4", "webm"):
        video = lr.record(replay, format=format, max_size=20_000)
        assert video.num_bytes <= 20_000
        assert video.num_frames / video.fps == pytest.approx(10, abs=0.2)
        assert video.frames().std() > 20
