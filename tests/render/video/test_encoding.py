"""Codecs, quality, loops, ends and posters, as PyAV and Pillow read them."""

import io
import itertools

import av
import numpy as np
import pytest
from PIL import Image, ImageSequence

import lerax_render as lr
from lerax_render import BackendUnavailableError, VideoWriter
from lerax_render.video import CODECS, FORMATS, Encoding, ffmpeg
from support.environments import Counting
from support.format_contract import moving_picture, psnr

CLIP = moving_picture(213, 121)
CODED = [(name, codec) for name, row in FORMATS.items() for codec in row.codecs]
NAMES = {"h264": "h264", "h265": "hevc", "vp9": "vp9", "av1": "av1"}


def written(format, frames=CLIP, destination=None, poster=None, **encoding):
    writer = VideoWriter(
        destination, 20, format=format, encoding=Encoding(**encoding), poster=poster
    )
    with writer:
        for frame in frames:
            writer.write(frame)
    return writer.video


def seen(video):
    """Codec, pixel format and frames by PyAV."""
    with av.open(io.BytesIO(video.data)) as container:
        stream = container.streams.video[0]
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
        name = stream.codec_context.codec.canonical_name
        return name, stream.codec_context.pix_fmt, np.stack(frames)


@pytest.mark.parametrize(("format", "codec"), CODED)
@pytest.mark.parametrize("pixel_format", [None, "yuv444p"])
def test_a_video_has_the_codec_and_the_pixels_that_were_asked_for(format, codec, pixel_format):
    video = written(format, codec=codec, pixel_format=pixel_format)
    name, pixels, frames = seen(video)
    assert name == NAMES[codec]
    assert pixels == (pixel_format or "yuv420p")
    for decoded in (frames, video.frames()):
        assert psnr(decoded[:, :121, :213], CLIP).min() > 30


@pytest.mark.parametrize(("format", "codec"), [*CODED, ("webp", None), ("apng", None)])
def test_lossless_is_to_the_bit(format, codec):
    np.testing.assert_array_equal(written(format, codec=codec, lossless=True).frames(), CLIP)


def test_more_crf_is_less():
    for format, codec in (("mp4", "h264"), ("mp4", "h265"), ("webm", "vp9"), ("webm", "av1")):
        usual = CODECS[codec].crf
        sizes = [written(format, codec=codec, crf=crf).num_bytes for crf in (10, usual, 45)]
        assert sizes == sorted(sizes, reverse=True)
        assert sizes[1] == written(format, codec=codec).num_bytes


def test_sharper_colours_are_sharper():
    stripes = np.zeros((3, 64, 64, 3), np.uint8)
    stripes[:, :, ::2, 0], stripes[:, :, 1::2, 2] = 255, 255
    near = [
        psnr(written("mp4", stripes, crf=5, pixel_format=pixels).frames(), stripes).min()
        for pixels in ("yuv420p", "yuv444p")
    ]
    assert near[1] > near[0] + 10


@pytest.mark.parametrize("format", [name for name in FORMATS if name != "png"])
def test_the_same_frames_give_the_same_bytes_whatever_is_asked_for(format):
    row = FORMATS[format]
    asked = [{"freeze_end": 0.2}]
    asked += [{"codec": codec} for codec in row.codecs]
    asked += [{"lossless": True}] if row.is_lossless else []
    asked += [{"loop": 2}] if row.loops else []
    for encoding in asked:
        assert written(format, **encoding).data == written(format, **encoding).data


def test_an_mp4_does_not_name_its_writer():
    for format in ("mp4", "mov", "m4v"):
        assert b"Lavf" not in written(format).data


@pytest.mark.parametrize("format", ["gif", "webp", "apng"])
@pytest.mark.parametrize("loop", [None, 0, 1, 2, 5])
def test_an_animated_picture_plays_as_often_as_it_should(format, loop):
    data = written(format, loop=loop).data
    plays = loop or 0
    with Image.open(io.BytesIO(data)) as image:
        # A GIF counts how often it is played again, and has no count where it is played once.
        said = image.info.get("loop")
        assert said == ({0: 0, 1: None}.get(plays, plays - 1) if format == "gif" else plays)


@pytest.mark.parametrize("format", [name for name in FORMATS if name != "png"])
def test_the_last_frame_stays(format):
    video = written(format, freeze_end=1.5)
    assert video.num_frames == len(CLIP) + 30
    frames = video.frames()
    assert psnr(frames[-31:, :121, :213], np.repeat(CLIP[-1:], 31, 0)).min() > 28
    if FORMATS[format].codecs:
        _, _, decoded = seen(video)
        assert len(decoded) == len(CLIP) + 30
        return
    with Image.open(io.BytesIO(video.data)) as image:
        seconds = [
            each.load() and each.info["duration"] / 1000 for each in ImageSequence.Iterator(image)
        ]
    assert sum(seconds) == pytest.approx((len(CLIP) + 30) / 20, abs=0.06)


def test_the_last_frame_of_a_sequence_stays(tmp_path):
    video = written("png", destination=tmp_path / "%d.png", freeze_end=0.1)
    assert len(list(tmp_path.iterdir())) == len(CLIP) + 2
    np.testing.assert_array_equal(video.frames()[-3:], np.repeat(CLIP[-1:], 3, 0))


@pytest.mark.parametrize("format", ["mp4", "gif", "webp", "png"])
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".JPEG"])
def test_a_poster_is_the_first_frame(tmp_path, format, suffix):
    poster = tmp_path / f"poster{suffix}"
    place = tmp_path / "clip" if format == "png" else None
    written(format, destination=place, poster=poster)
    with Image.open(poster) as image:
        assert image.format == ("PNG" if suffix == ".png" else "JPEG")
        shown = np.asarray(image.convert("RGB"))[None]
    assert psnr(shown, CLIP[:1]) > (90 if suffix == ".png" else 35)
    assert len(list(tmp_path.iterdir())) == (2 if place else 1)


def test_a_failed_clip_leaves_no_poster(tmp_path):
    poster = tmp_path / "poster.png"
    poster.write_bytes(b"an older one")
    writer = VideoWriter(tmp_path / "a.mp4", 20, poster=poster)
    with pytest.raises(ValueError, match="all frames of a clip have one shape"), writer:
        list(map(writer.write, [CLIP[0], CLIP[0, :9]]))
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"an older one"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"path": "a.gif", "codec": "av1"}, "gif cannot hold codec av1; formats that can are mp4,"),
        ({"path": "a.webm", "codec": "h264"}, "webm cannot hold codec h264, only vp9, av1; form"),
        ({"path": "a.mov", "codec": "vp9"}, "mov cannot hold codec vp9, only h264, h265"),
        ({"path": "a.gif", "crf": 20}, "gif has no crf: leave it out, or choose one of mp4, mov"),
        ({"path": "a.webp", "pixel_format": "yuv444p"}, "webp has no pixel_format: leave it"),
        ({"path": "a.gif", "lossless": True}, "gif cannot be lossless; formats that can are mp4"),
        ({"path": "a.mp4", "crf": 52}, "crf must be 0 to 51 for h264, got 52"),
        ({"path": "a.mp4", "crf": 5, "lossless": True}, "no room for a crf: leave one of the two"),
        ({"path": "a.mp4", "loop": 3}, "mp4 does not say how often it plays, .*gif, webp, apng"),
        ({"path": "a.mp4", "codec": "theora"}, "codec must be one of h264, h265, vp9, av1"),
        ({"path": "a.gif", "freeze_end": -1}, "freeze_end must be a number of seconds, 0 to 3600"),
        ({"path": "a.mp4", "poster": "a.bmp"}, r"ends in \.png, \.jpg, \.jpeg, got 'a.bmp'"),
        ({"path": "a.mp4", "poster": "no/a.png"}, "the folder .* does not exist"),
    ],
)
def test_what_a_format_cannot_hold_is_said_before_any_work(tmp_path, monkeypatch, options, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=message) as error:
        lr.record(Counting(), steps=3, **options)
    assert "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())


def test_an_encoder_that_ffmpeg_lacks_is_said_before_any_work(monkeypatch):
    has = ffmpeg.encoders()
    monkeypatch.setattr(ffmpeg, "encoders", lambda: has - {"libsvtav1", "libx264rgb"})
    with pytest.raises(BackendUnavailableError, match="no encoder libsvtav1, which webm needs for"):
        VideoWriter(None, 20, format="webm", encoding=Encoding(codec="av1"))
    with pytest.raises(BackendUnavailableError, match="no encoder libx264rgb"):
        VideoWriter(None, 20, encoding=Encoding(lossless=True))
    VideoWriter(None, 20, format="webm")


def test_every_encoder_is_in_this_ffmpeg():
    has = ffmpeg.encoders()
    for row, pixels, lossless in itertools.product(
        FORMATS.values(), (None, "yuv444p"), (False, True)
    ):
        for codec in row.codecs:
            asked = Encoding(codec=codec, pixel_format=pixels, lossless=lossless)
            assert row.encoders_for(asked) <= has


def test_record_hands_all_of_it_on(tmp_path):
    video = lr.record(
        Counting(),
        path=tmp_path / "a.webm",
        steps=5,
        fps=10,
        width=64,
        height=48,
        codec="av1",
        pixel_format="yuv444p",
        freeze_end=1,
        poster=tmp_path / "a.png",
    )
    name, pixels, frames = seen(video)
    assert (name, pixels, len(frames)) == ("av1", "yuv444p", 15)
    with Image.open(tmp_path / "a.png") as image:
        assert image.size == (64, 48)
        assert np.abs(np.asarray(image.convert("RGB")).astype(int) - frames[0]).mean() < 5
