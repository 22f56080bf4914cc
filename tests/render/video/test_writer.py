import logging
import os
import signal
import threading
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from lerax_render import EncodeError, VideoWriter
from lerax_render.video import ffmpeg
from support.format_contract import textured
from support.processes import ffmpegs


def record(frames, destination=None, fps=50, **options):
    """`frames` may be a generator that does something between two frames."""
    with VideoWriter(destination, fps, **options) as writer:
        for frame in frames:
            writer.write(frame)
    return writer.video


@pytest.fixture
def destination(tmp_path):
    """A file that must survive; nothing else may be left beside it, and no process."""
    destination = tmp_path / "clip.mp4"
    destination.write_bytes(b"an older clip")
    yield destination
    assert destination.read_bytes() == b"an older clip"
    assert list(tmp_path.iterdir()) == [destination]
    assert not ffmpegs()


@pytest.mark.parametrize("fps", [0, -1, float("nan"), float("inf"), 0.009, 1001, Fraction(0)])
def test_rates_that_cannot_be(destination, fps):
    with pytest.raises(ValueError, match=r"fps must be from 0\.01 to 1000 .* got"):
        VideoWriter(destination, fps)


@pytest.mark.parametrize("fps", ["50", None, True, [50], 1j])
def test_rates_that_are_no_number(destination, fps):
    with pytest.raises(TypeError, match="fps must be a number"):
        VideoWriter(destination, fps)


@pytest.mark.parametrize("side", ["width", "height"])
def test_sizes_that_cannot_be(destination, side):
    for size in (0, -1, 16_385):
        with pytest.raises(ValueError, match=f"{side} must be from 1 to 16384 pixels for mp4"):
            VideoWriter(destination, 50, **{side: size})
    with pytest.raises(ValueError, match=f"{side} must be from 1 to 16383 pixels for webp"):
        VideoWriter(None, 50, format="webp", **{side: 16_384})
    with pytest.raises(TypeError, match=f"{side} must be a whole number of pixels, got 64.0"):
        VideoWriter(destination, 50, **{side: 64.0})


def test_other_choices_that_cannot_be(destination):
    with pytest.raises(ValueError, match="unknown pixel_format 'argb'; accepted are rgb24, bgr0"):
        VideoWriter(destination, 50, pixel_format="argb")
    with pytest.raises(ValueError, match="unknown format 'avi'"):
        VideoWriter(destination, 50, format="avi")


@pytest.mark.parametrize(
    ("frame", "error", "message"),
    [
        ([[[1, 2, 3]]], TypeError, "uint8, 0 to 255, or float, 0 to 1, got int64"),
        (np.full((48, 64), 255.0), ValueError, "float64 must be 0 to 1, got 255 to 255; scale"),
        (np.full((48, 64), np.nan), ValueError, "float64 must be 0 to 1, got nan to nan"),
        (np.zeros((48, 64, 2), np.uint8), ValueError, r"\(height, width\) for grey, got .*64, 2"),
        (None, TypeError, "got object"),
        (np.zeros((1, 48, 64, 3), np.uint8), ValueError, r"got \(1, 48, 64, 3\)"),
        (np.zeros((48, 0, 3), np.uint8), ValueError, "width must be from 1 to 16384 .* got 0"),
        (np.zeros((16_385, 1, 3), np.uint8), ValueError, "height must be from 1 to 16384"),
        (np.zeros((48, 63, 3), np.uint8), ValueError, "announced .* 64x48, got 63x48"),
        (np.zeros((64, 64, 3), np.uint8), ValueError, "announced .* 64x48, got 64x64"),
    ],
)
def test_frames_that_cannot_be(destination, frame, error, message):
    with pytest.raises(error, match=message):
        record([frame], destination, width=64, height=48)


@pytest.mark.parametrize("shape", [(48, 64, 3), (48, 64), (48, 64, 1)])
def test_what_pygame_does_not_give_is_no_bgr0(destination, shape):
    with pytest.raises(ValueError, match=r"\(height, width, 4\) for 'bgr0' and 'bgra', got"):
        record([np.zeros(shape, np.uint8)], destination, pixel_format="bgr0")
    with pytest.raises(TypeError, match="dtype uint8, 0 to 255, got float64"):
        record([np.zeros((48, 64, 4))], destination, pixel_format="bgr0")


def test_frames_of_mixed_shapes(destination):
    frames = [textured(), textured(), textured(48, 64)]
    with pytest.raises(ValueError, match=r"began with \(48, 64, 3\), frame 2 has \(64, 48, 3\)"):
        record(frames, destination)


def test_no_frame_at_all(destination):
    with pytest.raises(ValueError, match="no frame was written"):
        record([], destination)


def test_nothing_starts_before_the_block(destination):
    writer = VideoWriter(destination, 50, width=64, height=48)
    assert not ffmpegs()
    with pytest.raises(RuntimeError, match="inside the `with` block"):
        writer.write(textured())
    with pytest.raises(RuntimeError, match="no clip before"):
        _ = writer.video
    writer.close()


@pytest.mark.parametrize("error", [KeyError, KeyboardInterrupt, SystemExit])
def test_an_exception_in_the_block_leaves_nothing(destination, error):
    def frames():
        yield textured()
        assert len(ffmpegs()) == 1
        raise error

    with pytest.raises(error):
        record(frames(), destination)


def test_a_failed_writer_has_no_video(destination):
    writer = VideoWriter(destination, 50)
    with pytest.raises(ZeroDivisionError), writer:
        raise ZeroDivisionError
    writer.close()
    with pytest.raises(RuntimeError, match="no clip before"):
        _ = writer.video


@pytest.mark.parametrize("before", [1, 40, 200])
def test_ffmpeg_killed_while_frames_come(destination, before):
    def frames():
        for number in range(1000):
            yield textured(320, 240)
            if number == before:
                os.kill(*ffmpegs(), signal.SIGKILL)

    with pytest.raises(EncodeError, match=r"ended before .*\(signal 9, Killed\)"):
        record(frames(), destination)


def test_ffmpeg_killed_after_the_last_frame(destination):
    def frames():
        yield textured()
        os.kill(*ffmpegs(), signal.SIGKILL)

    with pytest.raises(EncodeError, match=r"failed \(signal 9, Killed\)"):
        record(frames(), destination)


def test_ffmpeg_killed_in_its_second_run(tmp_path):
    def kill_the_second_run():
        while not list(tmp_path.glob(".*/clip.gif")):
            time.sleep(0.001)
        os.kill(*ffmpegs(), signal.SIGKILL)

    def frames():
        for _ in range(40):
            yield textured(320, 240)
        killer.start()

    killer = threading.Thread(target=kill_the_second_run, daemon=True)
    with pytest.raises(EncodeError, match="Killed"):
        record(frames(), tmp_path / "clip.gif")
    assert list(tmp_path.iterdir()) == []
    assert not ffmpegs()


@pytest.mark.parametrize("more", [0, 1000])
def test_ffmpeg_stopped_for_ever(destination, monkeypatch, more):
    monkeypatch.setattr(ffmpeg, "STALL_SECONDS", 0.5)

    def frames():
        yield textured()
        os.kill(*ffmpegs(), signal.SIGSTOP)
        for _ in range(more):
            yield textured()

    with pytest.raises(EncodeError, match=r"did nothing for 0\.5 s"):
        record(frames(), destination)


def test_ctrl_c_while_the_clip_is_finished(destination):
    def frames():
        yield textured()
        os.kill(*ffmpegs(), signal.SIGSTOP)
        interrupt.start()

    main = threading.main_thread().ident
    interrupt = threading.Timer(0.3, lambda: signal.pthread_kill(main, signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        record(frames(), destination)


def test_fifty_clips_leave_no_thread_file_or_process():
    def held():
        return len(os.listdir("/proc/self/fd")), threading.active_count()

    record([textured()])
    before = held()
    for _ in range(25):
        record([textured()])
        with pytest.raises(ValueError, match="all frames"):
            record([textured(), textured(10, 10)])
    assert held() == before
    assert not ffmpegs()


def test_frames_in_any_memory_layout():
    frame = textured()
    padded = np.zeros((48, 80, 3), np.uint8)
    padded[:, :64] = frame
    read_only = frame.copy()
    read_only.flags.writeable = False
    layouts = [frame[::-1][::-1], padded[:, :64], np.asfortranarray(frame), read_only]
    assert not layouts[1].flags.c_contiguous
    assert record(layouts, format="apng").data == record([frame] * 4, format="apng").data
    flipped = record([frame[::-1]], format="apng").frames()[0]
    np.testing.assert_array_equal(flipped, frame[::-1])


def test_a_frame_may_be_reused_at_once():
    buffer = np.empty((48, 64, 3), np.uint8)
    with VideoWriter(None, 50, format="apng") as writer:
        for value in range(100):
            buffer[:] = value
            writer.write(buffer)
        buffer[:] = 255
    assert (writer.video.frames()[:, 0, 0, 0] == range(100)).all()


def test_two_writers_side_by_side(tmp_path):
    with VideoWriter(tmp_path / "a.gif", 50) as first, VideoWriter(tmp_path / "b.mp4", 50) as other:
        for _ in range(30):
            frame = textured(320, 240)
            first.write(frame)
            other.write(frame)
    assert first.video.num_frames == other.video.num_frames == 30
    assert first.video.frames().shape == other.video.frames().shape


def test_a_changed_rate_is_noted(caplog):
    with caplog.at_level(logging.INFO, "lerax_render"):
        assert record([textured()], fps=50, format="gif").fps == 50
        assert record([textured()], fps=29.97, format="mp4").fps == 29.97
        assert record([textured()], fps=Fraction(30000, 1001), format="mp4").fps == 30000 / 1001
        assert record([textured()], fps=np.float32(50), format="mp4").fps == 50
        assert not caplog.records
        assert record([textured()], fps=30, format="gif").fps == 30
        assert not caplog.records
        assert record([textured()], fps=60, format="gif").fps == 50
    assert caplog.messages == ["gif cannot play 60 frames per second; it shows 50 of them"]


def test_a_writer_writes_one_clip():
    with VideoWriter(None, 50) as writer:
        writer.write(textured())
    writer.close()
    video = writer.video
    with pytest.raises(RuntimeError, match="one clip; make a new one"), writer:
        pass
    assert writer.video is video


def hanging_writer(destination, frames):
    """A writer that another thread gives up between two of its frames."""
    with VideoWriter(destination, 50) as writer:
        for frame in frames:
            writer.write(frame)
            thread = threading.Thread(target=writer.abandon)
            thread.start()
            thread.join()
            assert not ffmpegs()
            assert not list(Path(destination).parent.glob(".lerax*"))


def test_a_writer_that_was_given_up_goes_on_with_an_error(destination):
    held = len(os.listdir("/proc/self/fd"))
    with pytest.raises(EncodeError, match="ended before it had all frames"):
        hanging_writer(destination, [textured(320, 240)] * 3)
    with pytest.raises(EncodeError, match="ffmpeg failed"):
        hanging_writer(destination, [textured()])
    assert len(os.listdir("/proc/self/fd")) == held


def test_a_writer_that_was_given_up_before_it_began_starts_nothing(destination):
    writer = VideoWriter(destination, 50)
    writer.abandon()
    with pytest.raises(EncodeError, match="given up"), writer:
        pass
    with VideoWriter(destination, 50) as writer:
        writer.abandon()
        with pytest.raises(EncodeError, match="given up"):
            writer.write(textured())
