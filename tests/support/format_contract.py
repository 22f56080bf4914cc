"""What every row of `FORMATS` promises, as a class to derive tests from.

A format of your own begins as a row in the test, and goes into the table when it passes:

    class TestMatroska(FormatContract):
        row = Format(
            name="mkv",
            suffix=".mkv",
            mime="video/x-matroska",
            element=None,
            filters="format=bgr24",
            output="-c:v libx264rgb -crf 0 -fflags +bitexact -f matroska clip.mkv",
        )
        least_psnr = math.inf

What a row's fields mean is said in `Format`. What only this format does is tested by further
methods of the class, as `TestMP4` in `test_formats.py` does.
"""

import io
import itertools
import os
import signal
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image, ImageSequence

from lerax_render import EncodeError, Video, VideoReader, VideoWriter
from lerax_render.video import FORMATS, ffmpeg, make_still
from lerax_render.video.formats import Format, is_shown
from lerax_render.video.places import resolve_format
from support.processes import ffmpegs
from support.small_disk import mounted

FPS = 25
NUM_FRAMES = 12
_RNG = np.random.default_rng(0)


def moving_picture(width: int, height: int) -> np.ndarray:
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


def textured(width: int = 64, height: int = 48) -> np.ndarray:
    """A frame that no encoder can shrink to nothing, in few colours."""
    return (_RNG.integers(0, 4, (height, width, 3)) * 80).astype(np.uint8)


def psnr(decoded: np.ndarray, clip: np.ndarray) -> np.ndarray:
    """Peak signal-to-noise ratio of each frame in dB.

    Frame by frame, as one wrong frame would vanish in the mean of the clip.
    """
    error = ((decoded.astype(np.float64) - clip) ** 2).mean(axis=(1, 2, 3))
    with np.errstate(divide="ignore"):
        ratio: np.ndarray = 10 * np.log10(255**2 / error)
    return ratio


def assert_shows(decoded: np.ndarray, clip: np.ndarray, least_psnr: float) -> None:
    """Fail unless each frame is the clip's, and shows none before or after."""
    assert decoded.dtype == np.uint8
    assert decoded.shape == clip.shape
    own = psnr(decoded, clip)
    assert own.min() >= least_psnr
    assert (own[1:] >= psnr(decoded[1:], clip[:-1])).all()
    assert (own[:-1] >= psnr(decoded[:-1], clip[1:])).all()


@dataclass(frozen=True)
class Seen:
    """A clip as a program of somebody else's reads it.

    Attributes:
        frames: uint8 (T, H, W, 3), each as often as it is shown.
        fps: frames per second; None for pictures.
        stored: how many frames are in the file.
        opaque: whether no pixel lets the background through.
    """

    frames: np.ndarray
    fps: float | None
    stored: int
    opaque: bool = True


def seen_by_others(video: Video, folder: Path) -> Seen:
    """Read a clip with Pillow, or what Pillow does not read with imageio-ffmpeg."""
    row = FORMATS[video.format]
    if row.is_sequence:
        pictures = [Image.open(file) for file in video.files]
        frames = np.stack([np.asarray(picture.convert("RGB")) for picture in pictures])
        return Seen(frames, None, len(frames))
    if row.mime.startswith("image/"):
        return _seen_by_pillow(video)
    path = video.save(folder / f"seen{row.suffix}")
    with warnings.catch_warnings():
        # It forks, of which JAX warns where another test has started it.
        warnings.simplefilter("ignore", RuntimeWarning)
        reader = imageio_ffmpeg.read_frames(str(path))
        facts = next(reader)
    width, height = facts["source_size"]
    frames = np.stack([np.frombuffer(frame, np.uint8) for frame in reader])
    path.unlink()
    return Seen(frames.reshape(-1, height, width, 3), facts["fps"], len(frames))


def _seen_by_pillow(video: Video) -> Seen:
    frames, ends, opaque = [], [0.0], True
    with Image.open(io.BytesIO(video.data)) as image:
        for picture in ImageSequence.Iterator(image):
            # Pillow knows how long a WebP frame stays only once it is loaded.
            pixels = np.asarray(picture.convert("RGBA"))
            frames.append(pixels[..., :3])
            opaque = opaque and pixels[..., 3].min() == 255
            ends.append(ends[-1] + picture.info.get("duration", 0) / 1000)
    shown = np.maximum(1, np.diff(np.round(np.multiply(ends, video.fps)))).astype(int)
    fps = shown.sum() / ends[-1] if ends[-1] else None
    return Seen(np.repeat(frames, shown, axis=0), fps, len(frames), opaque)


class FormatContract:
    """What users rely on, whatever the format does with the frames."""

    row: ClassVar[Format]
    """The format: a row of `FORMATS`, or one that may become one."""

    least_psnr: ClassVar[float]
    """How near each frame of a hard clip comes at least, in dB; `math.inf`: to the bit."""

    colour_error: ClassVar[int] = 0
    """How far a patch of one colour is off at most, of 255."""

    @pytest.fixture(autouse=True)
    def in_the_table(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(FORMATS, self.row.name, self.row)

    @pytest.fixture
    def small_disk(self, tmp_path: Path) -> Iterator[Path]:
        with mounted(tmp_path) as disk:
            yield disk

    def place(self, folder: Path, name: str = "clip") -> Path:
        """A path in `folder` for a clip of this format."""
        return folder / f"{name}{'_%d' if self.row.is_sequence else ''}{self.row.suffix}"

    def write(self, frames: Any, destination: Any, fps: Any = FPS, **options: Any) -> Video:
        """Make a clip; `frames` may be a generator that does something between two frames."""
        with VideoWriter(destination, fps, format=self.row.name, **options) as writer:
            for frame in frames:
                writer.write(frame)
        return writer.video

    def padded(self, clip: np.ndarray) -> np.ndarray:
        """What the file shows of a clip: where sizes must be even, its edge is continued."""
        height, width = clip.shape[1:3]
        coded_width, coded_height = self.row.coded_size(width, height)
        widths = ((0, 0), (0, coded_height - height), (0, coded_width - width), (0, 0))
        return np.pad(clip, widths, "edge")

    def test_its_name_and_suffix_lead_to_it(self, tmp_path: Path) -> None:
        place = self.place(tmp_path)
        assert resolve_format(place) is self.row
        assert resolve_format(str(place).upper().replace("%D", "%d")) is self.row
        assert resolve_format(place.parent / "clip", f".{self.row.name.upper()}") is self.row

    def test_this_ffmpeg_has_its_encoders(self) -> None:
        assert self.row.encoders
        assert self.row.encoders <= ffmpeg.encoders()

    @pytest.mark.parametrize("size", [(320, 180), (213, 121)])
    def test_it_shows_what_was_written(self, tmp_path: Path, size: tuple[int, int]) -> None:
        clip = moving_picture(*size)
        video = self.write(clip, self.place(tmp_path))
        expected = self.padded(clip)
        assert (video.num_frames, video.fps) == (NUM_FRAMES, FPS)
        assert (video.height, video.width) == expected.shape[1:3]
        seen = seen_by_others(video, tmp_path)
        assert seen.fps is None or seen.fps == pytest.approx(FPS, rel=1e-3)
        for decoded in (video.frames(), seen.frames):
            assert_shows(decoded, expected, self.least_psnr)
            for wrong in (
                np.zeros_like(expected),
                np.roll(expected, 1, axis=0),
                expected[:, :, ::-1],
                expected[:, ::-1],
                expected[..., ::-1],
            ):
                with pytest.raises(AssertionError):
                    assert_shows(decoded, wrong, self.least_psnr)

    def test_it_is_read_as_a_stream(self, tmp_path: Path) -> None:
        clip = moving_picture(96, 64)
        video = self.write(clip, self.place(tmp_path))
        assert video.path is not None
        with VideoReader(video.path) as reader:
            assert (reader.width, reader.height) == (96, 64)
            assert reader.fps == FPS
            np.testing.assert_array_equal(np.stack(list(reader)), video.frames())

    @pytest.mark.parametrize("size", [(640, 480), (1280, 720)])
    def test_colours_are_right_at_every_size(self, tmp_path: Path, size: tuple[int, int]) -> None:
        width, height = size
        colours = np.array([*itertools.product((0, 255), repeat=3), (128, 128, 128)], np.uint8)
        band = np.arange(width) * len(colours) // width
        clip = np.broadcast_to(colours[band], (5, height, width, 3))
        video = self.write(clip, self.place(tmp_path))
        # Where two colours meet, there is one sample of colour for two pixels.
        inside = (band == np.roll(band, 16)) & (band == np.roll(band, -16))
        assert inside.sum() > width / 2
        for decoded in (video.frames(), seen_by_others(video, tmp_path).frames):
            error = np.abs(decoded.astype(int) - clip)
            assert error[:, :, inside].max() <= self.colour_error

    def test_pygames_order_of_bytes_gives_the_same_opaque_picture(self, tmp_path: Path) -> None:
        clip = moving_picture(320, 180)
        swapped = np.zeros((*clip.shape[:3], 4), np.uint8)
        swapped[..., :3] = clip[..., ::-1]
        video = self.write(swapped, self.place(tmp_path), pixel_format="bgr0")
        assert_shows(video.frames(), clip, self.least_psnr)
        assert seen_by_others(video, tmp_path).opaque

    @pytest.mark.parametrize("fps", [0.01, 29.97, 61.7, 1000])
    def test_every_rate_is_played_in_real_time(self, tmp_path: Path, fps: float) -> None:
        clip = moving_picture(240, 136)[:5]
        video = self.write(clip, self.place(tmp_path), fps)
        played = min(Fraction(fps), self.row.max_fps)
        assert video.fps == pytest.approx(float(played), rel=1e-5)
        shown = [step for step in range(len(clip)) if is_shown(step, played / Fraction(fps))]
        # It is smaller than the others, with more edges for its size.
        assert_shows(video.frames(), clip[shown], self.least_psnr - 2)
        if self.row.mime.startswith("image/"):
            seen = seen_by_others(video, tmp_path)
            # Of five frames, a hundredth of a second is not little.
            assert seen.fps is None or seen.fps == pytest.approx(video.fps, rel=0.05)

    @pytest.mark.parametrize("repeats", [(1,), (6,), (3, 4), (1, 1, 5)])
    def test_pictures_that_stay_keep_their_time(
        self, tmp_path: Path, repeats: tuple[int, ...]
    ) -> None:
        pictures = moving_picture(320, 180)[: len(repeats)]
        clip = np.repeat(pictures, repeats, axis=0)
        video = self.write(clip, self.place(tmp_path), 40)
        assert video.num_frames == len(clip)
        assert_shows(video.frames(), clip, self.least_psnr)
        stored = seen_by_others(video, tmp_path).stored
        assert (stored < len(clip)) == (self.row.merges_repeats and max(repeats) > 1)

    @pytest.mark.parametrize("size", [(1, 1), (1, 7), (2, 1), ("longest", 2), (3, "longest")])
    def test_the_smallest_and_the_longest_pictures(self, tmp_path: Path, size: Any) -> None:
        width, height = (self.row.longest_side if side == "longest" else side for side in size)
        clip = np.empty((2, height, width, 3), np.uint8)
        clip[0], clip[1] = 30, 200
        video = self.write(clip, self.place(tmp_path))
        for decoded in (video.frames(), seen_by_others(video, tmp_path).frames):
            assert decoded.shape == (2, video.height, video.width, 3)
            assert np.abs(decoded.astype(int) - self.padded(clip)).max() <= 5

    @pytest.mark.parametrize("side", ["width", "height"])
    def test_longer_pictures_are_refused(self, tmp_path: Path, side: str) -> None:
        longest = self.row.longest_side
        for pixels in (0, -1, longest + 1):
            with pytest.raises(
                ValueError,
                match=f"{side} must be from 1 to {longest} pixels for {self.row.name}, got",
            ):
                VideoWriter(self.place(tmp_path), FPS, **{side: pixels})

    def test_the_same_frames_give_the_same_bytes(self, tmp_path: Path) -> None:
        frames = [textured(160, 120) for _ in range(10)]
        first = self.write(frames, self.place(tmp_path, "first"))
        second = self.write(frames, self.place(tmp_path, "second"))
        assert _bytes(first) == _bytes(second)

    def test_memory_and_open_files_get_the_same_bytes_as_a_path(self, tmp_path: Path) -> None:
        frames = [textured() for _ in range(4)]
        on_disk = self.write(frames, self.place(tmp_path))
        if self.row.is_sequence:
            for destination in (None, io.BytesIO()):
                with pytest.raises(ValueError, match="many files: give a folder or a pattern"):
                    self.write(frames, destination)
            return
        stream = io.BytesIO()
        in_memory = self.write(frames, None)
        assert self.write(frames, stream).data == stream.getvalue()
        assert in_memory.path is None
        assert in_memory.data == on_disk.data == stream.getvalue()
        np.testing.assert_array_equal(in_memory.frames(), on_disk.frames())

    def test_saving_is_a_copy(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        clip = self.write([textured() for _ in range(3)], self.place(tmp_path))
        folder = tmp_path / "new"
        folder.mkdir()
        monkeypatch.chdir(folder)
        saved = clip.save(self.place(Path(), "other"))
        copy = Video(clip.format, clip.fps, clip.num_frames, clip.width, clip.height, path=saved)
        assert _bytes(copy) == _bytes(clip)
        assert sorted(copy.files) == sorted(folder.iterdir())
        assert clip.path is not None
        clip.save(self.place(tmp_path))
        np.testing.assert_array_equal(clip.frames(), copy.frames())

    def test_its_first_frame_makes_a_still(self, tmp_path: Path) -> None:
        clip = moving_picture(320, 180)
        video = self.write(clip, self.place(tmp_path))
        with Image.open(io.BytesIO(make_still(video))) as still:
            assert still.format == "WEBP"
            assert psnr(np.asarray(still.convert("RGB"))[None], clip[:1]) > 28

    def test_a_notebook_shows_it_or_says_where_it_is(self, tmp_path: Path) -> None:
        video = self.write([textured()], self.place(tmp_path))
        shown = video._repr_html_()
        if self.row.element is None:
            assert shown.startswith("<p>")
        else:
            assert shown.startswith(f'<{self.row.element} src="data:{self.row.mime};base64,')

    @pytest.mark.parametrize(
        "fails",
        [
            lambda frames: _raise(KeyError),
            lambda frames: _raise(KeyboardInterrupt),
            lambda frames: os.kill(*ffmpegs(), signal.SIGKILL),
            lambda frames: frames.append(textured(10, 10)),
        ],
        ids=["exception", "Ctrl-C", "ffmpeg killed", "frame of another shape"],
    )
    def test_what_fails_leaves_nothing_and_an_older_clip_as_it_was(
        self, tmp_path: Path, fails: Callable[[list[np.ndarray]], Any]
    ) -> None:
        place = self.place(tmp_path)
        self.write([textured() for _ in range(3)], place)
        before = {file: file.read_bytes() for file in tmp_path.iterdir()}

        def frames() -> Iterator[np.ndarray]:
            rest = [textured()]
            yield textured()
            fails(rest)
            yield from rest

        with pytest.raises((KeyError, KeyboardInterrupt, EncodeError, ValueError)):
            self.write(frames(), place)
        assert {file: file.read_bytes() for file in tmp_path.iterdir()} == before
        assert not ffmpegs()

    def test_a_writer_that_is_given_up_leaves_nothing(self, tmp_path: Path) -> None:
        def frames() -> Iterator[np.ndarray]:
            yield textured()
            writer.abandon()
            yield textured()

        writer = VideoWriter(self.place(tmp_path), FPS, format=self.row.name)
        with pytest.raises(EncodeError), writer:
            list(map(writer.write, frames()))
        assert list(tmp_path.iterdir()) == []
        assert not ffmpegs()

    def test_a_full_disk_is_reported_and_left_clean(self, small_disk: Path) -> None:
        # In shades of grey, as a palette for so many colours would take seconds.
        noise = _RNG.integers(0, 255, (40, 200, 300, 1), np.uint8)
        with pytest.raises(EncodeError, match="the disk is full"):
            self.write(np.broadcast_to(noise, (40, 200, 300, 3)), self.place(small_disk))
        assert list(small_disk.iterdir()) == []


def _bytes(video: Video) -> list[bytes]:
    return [file.read_bytes() for file in video.files]


def _raise(error: type[BaseException]) -> None:
    raise error
