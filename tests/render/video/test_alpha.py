"""Clips with an alpha channel: which formats have one, and what their edges look like."""

import io
from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image, ImageSequence

from lerax_render import Video, VideoReader, VideoWriter
from lerax_render.video import FORMATS, Encoding, make_still, open_writer
from lerax_render.video.presets import find_preset

HEIGHT, WIDTH, COUNT = 96, 128, 5
COLOUR = (240, 200, 30)
WITH_ALPHA = ("webm", "webp", "apng", "png")
GROUNDS = ((0, 0, 0), (255, 255, 255), (255, 0, 0))


def discs(height: int = HEIGHT, width: int = WIDTH, count: int = COUNT) -> np.ndarray:
    """uint8 (T, H, W, 4): a disc with smooth edges, which moves over nothing."""
    y, x = np.mgrid[:height, :width] + 0.5
    frames = np.zeros((count, height, width, 4), np.uint8)
    for t, frame in enumerate(frames):
        cover = np.clip(30.5 - np.hypot(x - 40 - 8 * t, y - 48), 0, 1)
        frame[..., 3] = np.rint(cover * 255)
        frame[cover > 0, :3] = COLOUR
    return frames


def over(frames: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    alpha = frames[..., 3:] / 255
    return frames[..., :3] * alpha + np.array(colour) * (1 - alpha)


def written(frames: np.ndarray, folder: Path, format: str, **options) -> Video:
    path = folder / ("f_%03d.png" if format == "png" else f"clip.{format}")
    with VideoWriter(path, 20, **options) as writer:
        for frame in frames:
            writer.write(frame)
    return writer.video


@pytest.mark.parametrize("format", WITH_ALPHA)
def test_edges_are_right_on_any_ground(format, tmp_path):
    frames = discs()
    video = written(frames, tmp_path, format)
    shown = video.frames()
    assert video.has_alpha
    assert shown.shape == frames.shape
    edges = (frames[..., 3] > 0) & (frames[..., 3] < 255)
    for ground in GROUNDS:
        error = np.abs(over(shown, ground) - over(frames, ground))
        assert error[edges].mean() < 4, "the edges have a fringe"
        assert error.mean() < 1
    if format in ("png", "apng"):
        np.testing.assert_array_equal(shown, frames)


def test_pillow_sees_the_alpha_channel(tmp_path):
    frames = discs()
    for format in ("webp", "apng", "png"):
        with Image.open(written(frames, tmp_path, format).files[0]) as image:
            first = np.asarray(next(iter(ImageSequence.Iterator(image))).convert("RGBA"))
        np.testing.assert_array_equal(first[..., 3], frames[0, ..., 3])


def test_a_browser_is_told_of_the_alpha_channel_of_a_webm(tmp_path):
    # Matroska's AlphaMode element, 0x53C0, is 1.
    assert b"\x53\xc0\x81\x01" in written(discs(), tmp_path, "webm").data


def test_order_of_bytes_and_single_opaque_frames(tmp_path):
    frames = discs()
    video = written(frames[..., [2, 1, 0, 3]], tmp_path, "apng", pixel_format="bgra")
    np.testing.assert_array_equal(video.frames(), frames)
    opaque = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    with VideoWriter(None, 20, format="apng") as writer:
        writer.write(frames[0])
        writer.write(opaque)
    shown = writer.video.frames()
    np.testing.assert_array_equal(shown[0], frames[0])
    assert (shown[1, ..., 3] == 255).all()
    assert (shown[1, ..., :3] == 90).all()


def test_formats_without_alpha_blend_on_white_and_refuse_to_be_asked_for_it(tmp_path):
    frames = discs()
    video = written(frames, tmp_path, "mp4", encoding=Encoding(lossless=True))
    assert not video.has_alpha
    assert np.abs(video.frames() - over(frames, (255, 255, 255))).max() <= 1
    for format in set(FORMATS) - set(WITH_ALPHA):
        with pytest.raises(ValueError, match="formats that have are webm, webp, apng, png"):
            VideoWriter(None, 20, format=format, pixel_format="rgba")
    for encoding in (
        Encoding(codec="av1"),
        Encoding(lossless=True),
        Encoding(pixel_format="yuv444p"),
    ):
        with pytest.raises(ValueError, match=r"webm with .* has no alpha channel"):
            VideoWriter(None, 20, format="webm", pixel_format="rgba", encoding=encoding)
        assert not written(frames[:1], tmp_path, "webm", encoding=encoding).has_alpha


def test_a_clip_is_converted_with_its_alpha_channel(tmp_path):
    frames = discs()
    video = written(frames, tmp_path, "apng")
    video.save(tmp_path / "other.webp")
    with VideoReader(tmp_path / "other.webp", alpha=True) as reader:
        shown = np.stack(list(reader))
    np.testing.assert_array_equal(shown[..., 3], frames[..., 3])
    video.save(tmp_path / "other.mp4")
    with VideoReader(tmp_path / "other.mp4") as reader:
        first = reader.read()
    assert np.abs(first[:4, :4].astype(int) - 255).max() < 6
    assert (first[48, 40] > (200, 160, 0)).all()
    assert (VideoReader(tmp_path / "other.mp4", alpha=True).__enter__().read()[..., 3] == 255).all()


@pytest.mark.parametrize("format", ["webm", "webp", "apng"])
def test_smaller_clips_have_no_fringe(format, tmp_path):
    video = written(discs(192, 256), tmp_path, format, max_width=100)
    shown = video.frames()
    seen = shown[..., 3] > 60
    assert np.abs(shown[seen][:, :3].astype(int) - COLOUR).mean(0).max() < 12
    assert shown[seen][:, 0].min() > 190


def test_a_size_limit_keeps_the_alpha_channel(tmp_path):
    rng = np.random.default_rng(0)
    frames = np.repeat(rng.integers(0, 256, (1, 200, 600, 4), np.uint8), 12, 0)
    frames[:, ::2] += np.arange(12, dtype=np.uint8)[:, None, None, None]
    frames[..., 300:, :] = 0
    whole = written(frames, tmp_path, "webp").num_bytes
    writer = open_writer(
        find_preset(None), tmp_path / "l.webp", 20, format=None, width=600, height=200,
        pixel_format="rgba", max_size=whole // 6,
    )  # fmt: skip
    with writer:
        for frame in frames:
            writer.write(frame)
    assert writer.video.num_bytes <= whole // 6
    shown = writer.video.frames()
    assert shown.shape[2] < 600
    assert shown[..., -10:, 3].max() == 0
    assert 100 < shown[..., :100, 3].mean() < 156


def test_a_canvas_has_alpha_where_it_is_transparent():
    for face, expected in (("white", False), ("none", True)):
        canvas = FigureCanvasAgg(Figure(figsize=(1, 1), dpi=64, facecolor=face))
        canvas.figure.text(0.2, 0.4, "text")
        canvas.draw()
        with VideoWriter(None, 20, format="webp") as writer:
            writer.write(canvas)
        assert writer.video.has_alpha is expected


def test_posters_and_stills(tmp_path):
    frames = discs()
    for name in ("poster.png", "poster.jpg"):
        video = written(frames, tmp_path, "webm", poster=tmp_path / name)
        with Image.open(tmp_path / name) as image:
            shown = np.asarray(image)
        if name.endswith("png"):
            np.testing.assert_array_equal(shown[..., 3], frames[0, ..., 3])
        else:
            assert np.abs(shown - over(frames[0], (255, 255, 255))).mean() < 2
    with Image.open(io.BytesIO(make_still(video))) as image:
        assert np.abs(np.asarray(image)[..., 3].astype(int) - frames[0, ..., 3]).max() < 20
