import io
import itertools
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image, ImageSequence

from lerax_render import BackendUnavailableError, EncodeError, VideoWriter
from lerax_render.video import reader as decode
from lerax_render.video.ffmpeg import find_ffmpeg
from lerax_render.video.formats import FORMATS

FPS = 25
NUM_FRAMES = 12
# Mean absolute difference from the source, of 255. The lossy ones blur the edges of colours.
MEAN_ERROR = {"mp4": 3.0, "webm": 3.0, "gif": 0.1, "webp": 3.0, "apng": 0.0, "png": 0.0}


def moving_picture(width, height):
    """uint8 (T, H, W, 3): a rainbow, dark below, and a bright square moving over it.

    It has no more colours than a GIF can hold, each far from black.
    """
    hue = np.floor(np.linspace(0, 1, width) * 90) / 90
    rainbow = 127.5 + 127.5 * np.cos(2 * np.pi * (hue[:, None] - np.array([0, 1 / 3, 2 / 3])))
    clip = np.empty((NUM_FRAMES, height, width, 3), np.uint8)
    clip[:, : height // 2] = rainbow
    clip[:, height // 2 :] = 0.6 * rainbow
    side = min(width, height) // 4
    for t, frame in enumerate(clip):
        y, x = t * (height - side) // NUM_FRAMES, t * (width - side) // NUM_FRAMES
        frame[y : y + side, x : x + side] = (255, 250, 240)
    return clip


def encode(clip, format, target=None, fps=FPS, pixel_format="rgb24"):
    with VideoWriter(target, fps, format=format, pixel_format=pixel_format) as writer:
        for frame in clip:
            writer.write(frame)
    return writer.video


def assert_shows(decoded, clip, mean_error):
    assert decoded.dtype == np.uint8
    assert decoded.shape == clip.shape

    def error(decoded, clip):
        # Frame by frame, as one wrong frame would vanish in the mean of the clip.
        return np.abs(decoded.astype(np.int16) - clip).mean(axis=(1, 2, 3))

    own = error(decoded, clip)
    assert own.max() <= mean_error
    # No frame shows the one before or after.
    assert (own[1:] <= error(decoded[1:], clip[:-1])).all()
    assert (own[:-1] <= error(decoded[:-1], clip[1:])).all()


def rate_in_the_file(video):
    """Frames per second by somebody else's reading of the file."""
    if video.format in ("gif", "webp", "apng"):
        with Image.open(io.BytesIO(video.data)) as image:
            # Pillow knows how long a WebP frame stays only once it is loaded.
            delays = [(f.load(), f.info["duration"])[1] for f in ImageSequence.Iterator(image)]
        return 1000 * len(delays) / sum(delays)
    command = [find_ffmpeg(), "-hide_banner", "-i", "-"]
    told = subprocess.run(command, input=video.data, capture_output=True).stderr.decode()
    return float(re.search(r"([\d.]+) fps", told)[1])


@pytest.mark.parametrize(("width", "height"), [(320, 180), (213, 121)])
@pytest.mark.parametrize("format", FORMATS)
def test_every_format_shows_what_was_written(tmp_path, format, width, height):
    clip = moving_picture(width, height)
    video = encode(clip, format, tmp_path if format == "png" else None)
    if format == "mp4":
        # The edge is continued, not the picture stretched.
        clip = np.pad(clip, ((0, 0), (0, height % 2), (0, width % 2), (0, 0)), "edge")
    assert (video.num_frames, video.fps) == (NUM_FRAMES, FPS)
    assert (video.height, video.width) == clip.shape[1:3]
    assert_shows(video.frames(), clip, MEAN_ERROR[format])
    if format != "png":
        assert rate_in_the_file(video) == pytest.approx(FPS, rel=1e-3)
    for wrong in (np.zeros_like(clip), np.roll(clip, 1, axis=0), clip[:, ::-1], clip[..., ::-1]):
        video = encode(wrong, format, tmp_path if format == "png" else None)
        with pytest.raises(AssertionError):
            assert_shows(video.frames(), clip, MEAN_ERROR[format])


@pytest.mark.parametrize("format", FORMATS)
def test_pygames_order_of_bytes_gives_the_same_opaque_picture(tmp_path, format):
    clip = moving_picture(320, 180)
    swapped = np.zeros((*clip.shape[:3], 4), np.uint8)
    swapped[..., :3] = clip[..., ::-1]
    video = encode(swapped, format, tmp_path if format == "png" else None, pixel_format="bgr0")
    assert_shows(video.frames(), clip, MEAN_ERROR[format])
    if format in ("gif", "webp", "apng", "png"):
        file = video.files[-1] if format == "png" else io.BytesIO(video.data)
        with Image.open(file) as image:
            for frame in ImageSequence.Iterator(image):
                assert np.asarray(frame.convert("RGBA"))[..., 3].min() == 255


@pytest.mark.parametrize("format", ["mp4", "webm"])
@pytest.mark.parametrize(("width", "height"), [(640, 480), (1280, 720)])
def test_colours_are_right_at_every_size(format, width, height):
    colours = np.array([*itertools.product((0, 255), repeat=3), (128, 128, 128)], np.uint8)
    band = np.arange(width) * len(colours) // width
    clip = np.broadcast_to(colours[band], (5, height, width, 3))
    video = encode(clip, format)
    error = np.abs(video.frames().astype(int) - clip)
    # Where two colours meet, there is one sample of colour for two pixels.
    inside = (band == np.roll(band, 16)) & (band == np.roll(band, -16))
    assert inside.sum() > width / 2
    assert error[:, :, inside].max() <= 3
    command = [find_ffmpeg(), "-hide_banner", "-i", "-"]
    told = subprocess.run(command, input=video.data, capture_output=True).stderr.decode()
    assert "yuv420p(tv, bt709/bt709/iec61966-2-1" in told


@pytest.mark.parametrize("fps", [0.01, 29.97, 61.7, 1000])
@pytest.mark.parametrize("format", FORMATS)
def test_every_rate_keeps_every_frame(tmp_path, format, fps):
    clip = moving_picture(240, 136)[:5]
    video = encode(clip, format, tmp_path if format == "png" else None, fps)
    assert_shows(video.frames(), clip, 1.5 * MEAN_ERROR[format])
    if format not in ("png", "mp4", "webm"):
        assert rate_in_the_file(video) == pytest.approx(video.fps, rel=0.02)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("repeats", [(1,), (6,), (3, 4), (1, 1, 5)])
def test_pictures_that_stay_keep_their_time(tmp_path, format, repeats):
    pictures = moving_picture(320, 180)[: len(repeats)]
    clip = np.repeat(pictures, repeats, axis=0)
    video = encode(clip, format, tmp_path if format == "png" else None, 60)
    assert video.num_frames == len(clip)
    assert_shows(video.frames(), clip, MEAN_ERROR[format])


def test_pillow_reads_webp_where_ffmpeg_does_not(monkeypatch):
    clip = np.repeat(moving_picture(320, 180), [1, 3, 1, 1, 2, 1, 1, 1, 1, 1, 1, 4], axis=0)
    video = encode(clip, "webp", fps=30)
    monkeypatch.setattr(decode, "demuxers", lambda: {"webp_pipe"})
    assert_shows(video.frames(), clip, MEAN_ERROR["webp"])
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(BackendUnavailableError, match="pip install pillow"):
        video.frames()


def test_a_damaged_file_is_an_encode_error(tmp_path):
    video = encode(moving_picture(64, 48), "mp4", tmp_path / "clip.mp4")
    whole = video.data
    video.path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(EncodeError):
        video.frames()
    encode(moving_picture(64, 48)[:3], "mp4", video.path)
    with pytest.raises(EncodeError, match="does not hold 12 frames of 64x48"):
        video.frames()
    encode(moving_picture(48, 32), "mp4", video.path)
    with pytest.raises(EncodeError, match="does not hold 12 frames of 64x48"):
        video.frames()
    video.path.unlink()
    with pytest.raises(EncodeError, match=r"clip\.mp4"):
        video.frames()
