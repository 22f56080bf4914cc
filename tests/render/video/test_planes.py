"""Drawn frames, which reach ffmpeg as planes."""

import subprocess

import numpy as np
import pytest
from PIL import Image

from lerax_render import VideoWriter
from lerax_render.video import FORMATS, Encoding
from lerax_render.video.ffmpeg import find_ffmpeg
from lerax_render.video.pixels import Planes, looks_drawn
from support.format_contract import assert_shows, moving_picture, psnr

WIDTH, HEIGHT = 160, 90
CODED = [(name, codec) for name, row in FORMATS.items() for codec in row.codecs]
COLOURS = [(204, 153, 102), (0, 0, 0), (20, 180, 60), (130, 130, 200)]


def drawing(num_frames=24):
    """uint8 (T, H, W, 3): boxes of several colours that cross a white picture."""
    clip = np.full((num_frames, HEIGHT, WIDTH, 3), 255, np.uint8)
    for t, frame in enumerate(clip):
        for number, colour in enumerate(COLOURS):
            x = (40 * number + (2 + number) * t) % (WIDTH - 20)
            frame[22 * number : 22 * number + 14, x : x + 20] = colour
    return clip


def as_bgr0(clip):
    return np.concatenate([clip[..., ::-1], np.full_like(clip[..., :1], 7)], axis=-1)


def by_ffmpeg(frame):
    """Luma and chroma of an RGB frame, as ffmpeg converts it."""
    height, width, _ = frame.shape
    options = (
        f"-v error -f rawvideo -pix_fmt rgb24 -s {width}x{height} -i pipe:0 -vf "
        "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p -f rawvideo pipe:1"
    )
    command = [find_ffmpeg(), *options.split()]
    out = subprocess.run(command, input=frame.tobytes(), stdout=subprocess.PIPE, check=True).stdout
    return np.split(np.frombuffer(out, np.uint8).astype(int), [height * width])


def written(frames, format="mp4", pixel_format="rgb24", poster=None, **encoding):
    writer = VideoWriter(
        None,
        20,
        format=format,
        pixel_format=pixel_format,
        poster=poster,
        encoding=Encoding(**encoding),
    )
    with writer:
        for frame in frames:
            writer.write(frame)
    return writer.video


@pytest.mark.parametrize("pixel_format", ["rgb24", "bgr0"])
def test_the_planes_are_those_that_ffmpeg_makes(pixel_format):
    clip = np.concatenate([drawing(4), moving_picture(WIDTH, HEIGHT)[:4]])
    planes = Planes(HEIGHT, WIDTH)
    frames = as_bgr0(clip) if pixel_format == "bgr0" else clip
    for frame, rgb in zip(frames, clip, strict=True):
        ours = np.split(np.frombuffer(planes.of(frame), np.uint8).astype(int), [HEIGHT * WIDTH])
        theirs = by_ffmpeg(rgb)
        assert abs(ours[0] - theirs[0]).max() <= 1
        # ffmpeg's chroma is of four rows, ours of two.
        assert abs(ours[1] - theirs[1]).mean() < 1


def test_grey_has_no_colour_and_the_range_of_video():
    frame = np.repeat(np.arange(256, dtype=np.uint8).repeat(2)[None, :, None], 2, 0).repeat(3, 2)
    planes = np.frombuffer(Planes(2, 512).of(frame), np.uint8)
    assert planes[0] == 16
    assert planes[511] == 235
    assert (planes[1024:] == 128).all()


@pytest.mark.parametrize("width", [6, 10, 64, 100])
@pytest.mark.parametrize("pixel_format", ["rgb24", "bgr0"])
def test_planes_do_not_depend_on_the_frames_before(width, pixel_format):
    rng = np.random.default_rng(width)
    height, channels = 70, 3 if pixel_format == "rgb24" else 4
    planes = Planes(height, width)
    first = rng.integers(0, 256, (height, width, channels), np.uint8)
    frame = first.copy()
    for changes in (1, 1, 1, 0, 1, None, 2, 5, 1, 0, None, 1, 3):
        if changes is None:
            frame[:] = first
            changes = 0
        for _ in range(changes):
            y, x = rng.integers(height), rng.integers(width)
            part = frame[y : y + rng.integers(1, 30), x : x + rng.integers(1, 12)]
            part[..., :3] = rng.integers(0, 256, (*part.shape[:2], 3))
        assert bytes(planes.of(frame)) == bytes(Planes(height, width).of(frame))


@pytest.mark.parametrize("pixel_format", ["rgb24", "bgr0"])
def test_only_around_what_changed_is_converted(pixel_format):
    frame = np.full((480, 640, 3 if pixel_format == "rgb24" else 4), 255, np.uint8)
    planes = Planes(480, 640)
    planes.of(frame)
    planes._content[:] = 99
    frame[100, 200] = 0
    planes.of(frame)
    rows, columns = np.nonzero(planes._y != 99)
    assert 100 in rows
    assert 200 in columns
    assert np.ptp(rows) < 16
    assert np.ptp(columns) < 16


def test_which_pictures_look_drawn():
    assert looks_drawn(drawing(1)[0])
    assert looks_drawn(as_bgr0(drawing(1))[0])
    assert not looks_drawn(moving_picture(WIDTH, HEIGHT)[0])
    assert not looks_drawn(np.zeros((48, 64, 3), np.uint8)), "what fades in may be anything"
    assert not looks_drawn(np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8))


@pytest.mark.parametrize(("format", "codec"), CODED)
@pytest.mark.parametrize("pixel_format", ["rgb24", "bgr0"])
def test_a_drawn_clip_shows_its_frames(format, codec, pixel_format):
    clip = drawing()
    frames = as_bgr0(clip) if pixel_format == "bgr0" else clip
    video = written(frames, format, pixel_format, codec=codec)
    assert_shows(video.frames(), clip, 30)


@pytest.mark.parametrize("pixel_format", ["rgba", "bgra"])
def test_a_drawn_clip_keeps_its_alpha_channel(pixel_format):
    clip = drawing(4)
    frames = np.concatenate([clip, np.full_like(clip[..., :1], 255)], axis=-1)
    frames[:, -20:, :, 3] = 0
    if pixel_format == "bgra":
        frames[..., :3] = frames[..., 2::-1].copy()
    writer = VideoWriter(
        None,
        20,
        format="webm",
        pixel_format=pixel_format,
        encoding=Encoding(pixel_format="yuv420p"),
    )
    with writer:
        for frame in frames:
            writer.write(frame)
    assert writer.video.has_alpha
    shown = writer.video.frames()
    assert shown[:, :-24, :, 3].min() > 250
    assert shown[:, -16:, :, 3].max() < 5
    assert psnr(shown[:, :-24, :, :3], clip[:, :-24]).min() > 30


def test_a_drawing_is_sharper_than_what_is_rendered():
    clip = drawing()
    drawn, rendered = written(clip), written(clip, drawn=False)
    assert drawn.data == written(clip, drawn=True).data
    better = psnr(drawn.frames(), clip).mean() - psnr(rendered.frames(), clip).mean()
    # 3.3 of it are the planes, the rest is how they are encoded.
    assert better > 4


def test_what_is_rendered_is_no_drawing_in_whatever_order_its_colours_are():
    for clip, is_drawn in ((moving_picture(WIDTH, HEIGHT)[:8], False), (drawing(8), True)):
        frames = as_bgr0(clip)
        video = written(frames, pixel_format="bgr0")
        assert video.data == written(frames, pixel_format="bgr0", drawn=is_drawn).data
        assert video.data != written(frames, pixel_format="bgr0", drawn=not is_drawn).data


def test_a_frame_that_repeats_is_a_frame():
    clip = drawing(2)
    video = written([clip[0]] * 10 + [clip[1]] * 10, freeze_end=0.5)
    assert video.num_frames == 30
    assert_shows(video.frames(), clip[[0] * 10 + [1] * 20], 30)


def test_a_frame_may_be_reused_at_once():
    clip = drawing()

    def frames():
        frame = np.empty_like(clip[0])
        for each in clip:
            frame[:] = each
            yield frame

    assert written(frames()).data == written(clip).data


@pytest.mark.parametrize("size", [(45, 80), (90, 159), (89, 160)])
def test_odd_sizes_are_converted_by_ffmpeg(size):
    clip = drawing()[:, : size[0], : size[1]]
    assert psnr(written(clip).frames()[:, : size[0], : size[1]], clip).min() > 28


def test_the_poster_of_a_drawing_is_to_the_bit(tmp_path):
    clip = drawing()
    written(clip, poster=tmp_path / "poster.png")
    with Image.open(tmp_path / "poster.png") as poster:
        np.testing.assert_array_equal(np.asarray(poster.convert("RGB")), clip[0])
