"""Every clip plays in real time: its frames, their times and its duration as others read them."""

import io
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from lerax_render import Video, VideoWriter
from lerax_render.video import FORMATS
from lerax_render.video.formats import is_shown

ODD = [124, 125, 126, 128, 250, 119.88, 121, 122, 24, 30, 40, 60, 100 / 3, 29.97, 7.3, 1]
SIZES = [(640, 480), (64, 48), (321, 240)]
# How far a frame's time may be off, in seconds: what a format counts time in.
GRAIN = {"mp4": 0, "mov": 0, "m4v": 0, "webm": 0.001, "gif": 0.01, "webp": 0.001, "apng": 0}


def recorded(format: str, fps: float | Fraction, count: int, size: tuple[int, int]) -> Video:
    """A clip whose frames tell their number: the first `n` of 16 stripes are white."""
    width, height = size
    frame = np.zeros((height, width, 3), np.uint8)
    with VideoWriter(None, fps, format=format) as writer:
        for number in range(count):
            frame[...] = 40
            for bit in range(8):
                left, right = width * bit // 8, width * (bit + 1) // 8
                frame[:, left:right] = 255 if number >> bit & 1 else 0
            writer.write(frame)
    return writer.video


def number_of(frame: np.ndarray) -> int:
    width = frame.shape[1]
    bits = [frame[frame.shape[0] // 2, width * (2 * bit + 1) // 16, 1] > 128 for bit in range(8)]
    return sum(int(bit) << place for place, bit in enumerate(bits))


def by_av(video: Video) -> tuple[list[int], list[Fraction], Fraction]:
    """The numbers of the frames, their times in seconds, and the clip's rate."""
    with av.open(io.BytesIO(video.data)) as container:
        stream = container.streams.video[0]
        frames = list(container.decode(stream))
        numbers = [number_of(frame.to_ndarray(format="rgb24")) for frame in frames]
        times = [frame.pts * frame.time_base for frame in frames]
        return numbers, times, Fraction(stream.average_rate)


def by_pillow(video: Video) -> tuple[list[int], list[Fraction], Fraction]:
    numbers, times, now = [], [], Fraction(0)
    with Image.open(io.BytesIO(video.data)) as image:
        for place in range(getattr(image, "n_frames", 1)):
            image.seek(place)
            image.load()
            numbers.append(number_of(np.asarray(image.convert("RGB"))))
            times.append(now / 1000)
            now += Fraction(image.info["duration"]).limit_denominator(10_000)
    return numbers, times, len(numbers) / (now / 1000)


@pytest.mark.parametrize("fps", ODD)
@pytest.mark.parametrize("format", [name for name in FORMATS if name != "png"])
def test_frames_are_shown_when_they_happened(format: str, fps: float) -> None:
    index = ODD.index(fps) + list(FORMATS).index(format)
    size, count = SIZES[index % len(SIZES)], 40 + index % 7
    video = recorded(format, fps, count, size)
    read = by_av if FORMATS[format].codecs else by_pillow
    numbers, times, rate = read(video)

    share = min(Fraction(1), FORMATS[format].max_fps / Fraction(fps))
    assert numbers == [number for number in range(count) if is_shown(number, share)]
    assert video.num_frames == len(numbers)
    played = min(Fraction(fps), FORMATS[format].max_fps)
    wanted = np.arange(len(numbers)) / float(played)
    grain = GRAIN[format] + 0.0002
    assert np.abs(np.array([float(time - times[0]) for time in times]) - wanted).max() <= grain
    assert float(rate) == pytest.approx(float(played), rel=0.02)
    # Each step that is shown is shown within a frame of when it happened.
    happened = np.array(numbers) / float(fps)
    assert np.abs(happened - wanted).max() < 1 / float(played)


@pytest.mark.parametrize("fps", [125, 119.88])
def test_a_clip_of_the_default_size_holds_every_frame(fps: float) -> None:
    """From a few large frames ffmpeg guessed the rate, and left frames out."""
    for format in ("mp4", "webm"):
        video = recorded(format, fps, 125, (640, 480))
        numbers, times, rate = by_av(video)
        assert numbers == list(range(125))
        assert float(rate) == pytest.approx(fps, rel=1e-4)
        assert float(times[-1]) == pytest.approx(124 / fps, abs=0.001)
