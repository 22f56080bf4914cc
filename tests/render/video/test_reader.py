"""Reading clips frame by frame, and what cannot be read."""

import dataclasses
import sys
import tracemalloc

import numpy as np
import pytest

from lerax_render import BackendUnavailableError, EncodeError, VideoReader, VideoWriter
from lerax_render.video import reader as readers
from lerax_render.video.work_folder import PREFIX
from support.format_contract import assert_shows, moving_picture
from support.processes import ffmpegs

FPS = 25
WEBP_PSNR = 33


def encode(clip, format, destination=None, fps=FPS):
    with VideoWriter(destination, fps, format=format) as writer:
        for frame in clip:
            writer.write(frame)
    return writer.video


@pytest.fixture(scope="module")
def clip():
    """12 frames of 64 by 48 pixels."""
    return moving_picture(64, 48)


@pytest.fixture
def path(tmp_path, clip):
    return encode(clip, "apng", tmp_path / "clip.apng").path


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """Where temporary files go."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


def test_frames_come_one_after_the_other_and_then_none(path, clip):
    with VideoReader(path) as reader:
        assert (reader.width, reader.height, reader.fps) == (64, 48, FPS)
        first = reader.read()
        np.testing.assert_array_equal(first, clip[0])
        assert first.flags.writeable
        rest = list(reader)
        assert reader.read() is None
        assert list(reader) == []
    np.testing.assert_array_equal(rest, clip[1:])


def test_frames_go_into_arrays_that_are_there(path, clip):
    frames = np.zeros((12, 48, 64, 3), np.uint8)
    with VideoReader(path) as reader:
        for frame in frames:
            assert reader.read(frame) is frame
        assert reader.read(np.zeros((48, 64, 3), np.uint8)) is None
    np.testing.assert_array_equal(frames, clip)


@pytest.mark.parametrize(
    "out",
    [
        np.zeros((64, 48, 3), np.uint8),
        np.zeros((48, 64, 3), np.int8),
        np.zeros((48, 64, 6), np.uint8)[..., ::2],
    ],
)
def test_arrays_that_do_not_fit_are_refused(path, clip, out):
    with VideoReader(path) as reader:
        with pytest.raises(ValueError, match=r"contiguous .* uint8 and shape \(48, 64, 3\), got"):
            reader.read(out)
        np.testing.assert_array_equal(reader.read(), clip[0])


def test_bytes_and_paths_of_all_kinds_are_read(path, tmp_path, monkeypatch, clip):
    monkeypatch.chdir(tmp_path)
    odd = tmp_path / "pipe:%d 'x'.apng"
    path.rename(odd)
    sources = [(odd, None), (odd.name, "apng"), (str(odd), ".APNG"), (odd.read_bytes(), "apng")]
    for source, format in sources:
        with VideoReader(source, format=format) as reader:
            np.testing.assert_array_equal(list(reader), clip)


def test_a_png_sequence_is_read_by_its_folder_or_its_pattern(tmp_path, clip):
    encode(clip, "png", tmp_path / "frames")
    (tmp_path / "frames" / "frame_00013.png").write_bytes(b"after a gap")
    for source in (tmp_path / "frames", tmp_path / "frames" / "frame_%05d.png"):
        with VideoReader(source, format="png") as reader:
            assert (reader.width, reader.height) == (64, 48)
            np.testing.assert_array_equal(list(reader), clip)


def test_no_more_is_read_than_is_asked_for(path, clip):
    with VideoReader(path, max_frames=5) as reader:
        np.testing.assert_array_equal(list(reader), clip[:5])


@pytest.mark.parametrize(("fps", "shown"), [(50, np.arange(24) // 2), (12.5, np.arange(6) * 2)])
def test_frames_come_at_another_rate(tmp_path, clip, fps, shown):
    video = encode(clip, "mp4")
    frames = video.frames()
    with VideoReader(video.content, fps=fps) as reader:
        assert reader.fps == fps
        np.testing.assert_array_equal(list(reader), frames[shown])


def test_frames_are_fitted_in_proportion(tmp_path):
    red = np.full((4, 40, 80, 3), (200, 40, 40), np.uint8)
    video = encode(red, "mp4")
    with VideoReader(video.content, fit=(60, 60)) as reader:
        assert (reader.width, reader.height) == (60, 60)
        frames = np.stack(list(reader)).astype(int)
    assert frames.shape == (4, 60, 60, 3)
    assert np.abs(frames[:, 17:43] - (200, 40, 40)).max() <= 3
    assert frames[:, :14].max() <= 2
    assert frames[:, 46:].max() <= 2


def test_nothing_is_left_however_little_was_read(path, temporary, clip):
    for frames in (0, 1, 12):
        with VideoReader(path) as reader:
            for _ in range(frames):
                reader.read()
            assert len(ffmpegs()) == (frames > 0)
        assert not ffmpegs()
        assert list(temporary.iterdir()) == []
    with pytest.raises(ValueError, match="out must be"), VideoReader(path) as reader:
        reader.read(np.zeros(reader.read().shape))
    assert not ffmpegs()
    assert list(temporary.iterdir()) == []


def test_several_readers_side_by_side(path, clip):
    with VideoReader(path) as first, VideoReader(path) as other:
        first.read()
        for frame, expected in zip(other, clip, strict=True):
            np.testing.assert_array_equal(frame, expected)
        np.testing.assert_array_equal(list(first), clip[1:])


def test_reading_takes_no_more_memory_than_a_frame_or_two(tmp_path):
    frame = np.zeros((240, 320, 3), np.uint8)
    path = encode((frame + np.uint8(n % 200) for n in range(400)), "mp4", tmp_path / "a.mp4").path
    tracemalloc.start()
    try:
        with VideoReader(path) as reader:
            assert sum(1 for _ in reader) == 400
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 5 * frame.nbytes


def test_it_works_inside_its_block_only(path):
    reader = VideoReader(path)
    for use in (reader.read, lambda: reader.width, lambda: reader.fps, lambda: next(iter(reader))):
        with pytest.raises(RuntimeError, match="inside the `with` block"):
            use()
    with reader:
        reader.read()
    reader.close()
    with pytest.raises(RuntimeError, match="inside the `with` block"):
        reader.read()


@pytest.mark.parametrize(
    ("source", "options", "error", "message"),
    [
        (None, {}, TypeError, "source must be a path or bytes, got NoneType"),
        ("clip.avi", {}, ValueError, r"no format has the suffix '\.avi'"),
        ("clip.mp4", {"format": "gif"}, ValueError, r"ends with \.mp4, but format is 'gif'"),
        (b"", {"format": "png"}, ValueError, "a PNG sequence is many files"),
        ("clip.mp4", {"fit": (0, 5)}, ValueError, r"fit must be at least 1x1 pixels, got \(0, 5\)"),
        ("clip.mp4", {"size": (5, -1)}, ValueError, "size must be at least 1x1 pixels"),
        ("clip.mp4", {"fps": 0}, ValueError, "fps must be from 0.01 to 1000"),
        ("clip.mp4", {"max_frames": 0}, ValueError, "max_frames must be at least 1, got 0"),
    ],
)
def test_what_cannot_be(source, options, error, message):
    with pytest.raises(error, match=message):
        VideoReader(source, **options)


def test_what_cannot_be_read_is_named(path, tmp_path):
    missing, empty = tmp_path / "missing.mp4", tmp_path / "empty.mp4"
    empty.touch()
    for broken in (missing, empty, tmp_path):
        format = "png" if broken is tmp_path else None
        for use in (lambda reader: reader.width, lambda reader: reader.read()):
            with (
                pytest.raises(EncodeError, match=f"'{broken}' cannot be read, make it again or"),
                VideoReader(broken, format=format) as reader,
            ):
                use(reader)
    with (
        pytest.raises(EncodeError, match="the clip in memory cannot be read"),
        VideoReader(bytes(1000), format="mp4") as reader,
    ):
        reader.read()
    with (
        pytest.raises(EncodeError, match=r"apng' cannot .*: its frames do not have 32x24 pixels"),
        VideoReader(path, size=(32, 24)) as reader,
    ):
        list(reader)
    assert not ffmpegs()
    assert not list(tmp_path.glob(PREFIX + "*"))


def test_pillow_reads_webp_where_ffmpeg_does_not(monkeypatch, tmp_path):
    clip = np.repeat(moving_picture(320, 180), [1, 3, 1, 1, 2, 1, 1, 1, 1, 1, 1, 4], axis=0)
    video = encode(clip, "webp", tmp_path / "clip.webp", fps=30)
    monkeypatch.setattr(readers, "demuxers", lambda: {"webp_pipe"})
    assert_shows(video.frames(), clip, WEBP_PSNR)
    with VideoReader(video.path) as reader:
        assert (reader.width, reader.height) == (320, 180)
        assert len(list(reader)) == 12
    with VideoReader(video.path, fit=(60, 60), max_frames=3) as reader:
        frames = np.stack(list(reader))
    assert frames.shape == (3, 60, 60, 3)
    assert frames[:, :13].max() == 0 < frames[:, 14:46].min(axis=(0, 1)).max()
    with (
        pytest.raises(EncodeError, match="do not have 32x24 pixels"),
        VideoReader(video.path, size=(32, 24)) as reader,
    ):
        reader.read()
    video.path.write_bytes(b"RIFF")
    with (
        pytest.raises(EncodeError, match="webp' cannot be read, make it again or remove it"),
        VideoReader(video.path) as reader,
    ):
        reader.read()
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(BackendUnavailableError, match="pip install pillow"):
        dataclasses.replace(video).frames()


def test_a_damaged_file_is_an_encode_error(tmp_path):
    video = encode(moving_picture(64, 48), "mp4", tmp_path / "clip.mp4")
    whole = video.data
    video.path.write_bytes(whole[: len(whole) // 2])
    # As one that is made of a path that was written down.
    with pytest.raises(EncodeError):
        dataclasses.replace(video).frames()
    for frames in (moving_picture(64, 48)[:3], np.repeat(moving_picture(64, 48), 2, axis=0)):
        encode(frames, "mp4", video.path)
        with pytest.raises(EncodeError, match="does not hold 12 frames of 64x48"):
            dataclasses.replace(video).frames()
    encode(moving_picture(48, 32), "mp4", video.path)
    with pytest.raises(EncodeError, match=r"clip\.mp4.*its frames do not have 64x48"):
        dataclasses.replace(video).frames()
    video.path.unlink()
    with pytest.raises(EncodeError, match=r"clip\.mp4"):
        video.frames()
