"""A clip in, frames out: the streaming reader."""

import contextlib
import itertools
import os
import re
from collections.abc import Generator, Iterator, Sequence
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self, SupportsFloat

import numpy as np

from ..errors import BackendUnavailableError, EncodeError
from .destination import numbered, sequence_pattern
from .ffmpeg import Ffmpeg, demuxers
from .formats import Format, check_fps
from .places import resolve_format
from .work_folder import WorkFolder

type Size = tuple[int, int]
"""Width and height in pixels."""

_HEADER = re.compile(rb"YUV4MPEG2 W(\d+) H(\d+) F(\d+):(\d+)")


class VideoReader:
    """Decodes frames as they are asked for; the clip is never in memory as a whole.

        with VideoReader("clip.mp4") as reader:
            for frame in reader:
                print(frame.shape)

    Several readers may run side by side; one thread at a time may use each. ffmpeg ends with the
    `with` block, however many frames have been read.
    """

    def __init__(
        self,
        source: str | os.PathLike[str] | bytes,
        *,
        format: str | None = None,
        size: Size | None = None,
        fit: Size | None = None,
        fps: SupportsFloat | None = None,
        max_frames: int | None = None,
        alpha: bool = False,
    ) -> None:
        """Check everything; nothing is opened yet.

        Args:
            source: path of a clip, of a PNG sequence its folder or pattern such as
                "frames/%05d.png"; or the bytes of a clip.
            format: a key of `FORMATS`; None: by the path's suffix, "mp4" for bytes.
            size: the clip's width and height in pixels, where they are known; None: looked up.
            fit: width and height in pixels that frames are scaled to, in proportion and with black
                bars; None: as they are.
            fps: frames per second to read: a frame that stays for longer comes several times; None:
                each frame of the file once. WebP stores equal frames that follow each other as one.
            max_frames: how many frames to read at most.
            alpha: whether frames are RGBA with straight alpha, opaque where the file has no alpha
                channel, instead of RGB.

        Raises:
            TypeError: `source` or `fps` is of no accepted type.
            ValueError: the format or its suffix is unknown, or a number is out of range.
        """
        if not isinstance(source, str | os.PathLike | bytes):
            raise TypeError(f"source must be a path or bytes, got {type(source).__name__}")
        self._format = resolve_format(None if isinstance(source, bytes) else source, format)
        self._source = source if isinstance(source, bytes) else Path(os.path.abspath(source))
        self._name = "the clip in memory" if isinstance(source, bytes) else repr(str(self._source))
        for name, pixels in (("size", size), ("fit", fit)):
            if pixels is not None and min(pixels) < 1:
                raise ValueError(f"{name} must be at least 1x1 pixels, got {pixels}")
        if max_frames is not None and max_frames < 1:
            raise ValueError(f"max_frames must be at least 1, got {max_frames}")
        self._size = size
        self._fit = fit
        self._fps = None if fps is None else check_fps(fps)
        self._max_frames = max_frames
        self._alpha = alpha
        self._work: WorkFolder | None = None
        self._clip = Path()
        self._frames: _FfmpegFrames | _PillowFrames | None = None
        self._over = False

    def __enter__(self) -> Self:
        self._work = WorkFolder()
        try:
            self._clip = place_clip(self._work.path, self._format, self._source)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[np.ndarray]:
        """Yield the frames that are left; see `read`."""
        while (frame := self.read()) is not None:
            yield frame

    @property
    def width(self) -> int:
        """Width of the frames in pixels; looked up where neither `size` nor `fit` was given."""
        return (self._fit or self._size or self._facts[:2])[0]

    @property
    def height(self) -> int:
        """Height of the frames in pixels, likewise."""
        return (self._fit or self._size or self._facts[:2])[1]

    @property
    def fps(self) -> Fraction:
        """Frames per second.

        Of GIF, WebP and APNG, which have a time for each frame instead, it is ffmpeg's estimate; of
        a PNG sequence, which has neither, 25.
        """
        return self._fps or self._facts[2]

    def read(self, out: np.ndarray | None = None) -> np.ndarray | None:
        """Read the next frame.

        Args:
            out: uint8 (height, width, 3), contiguous, to put the frame into; None: a new array.
                With `alpha`, it has 4 channels.

        Returns:
            The frame, RGB or RGBA, row 0 on top, or None after the last one.

        Raises:
            RuntimeError: the reader is not inside its `with` block.
            ValueError: `out` is not such an array.
            BackendUnavailableError: there is no ffmpeg; for WebP: it is too old, and no Pillow.
            EncodeError: the file is missing or damaged, or its frames have another size than told.
        """
        if self._work is None:
            raise RuntimeError("read() works inside the `with` block of a VideoReader only")
        if self._over:
            return None
        shape = (self.height, self.width, 4 if self._alpha else 3)
        if out is None:
            out = np.empty(shape, np.uint8)
        elif out.shape != shape or out.dtype != np.uint8 or not out.flags.c_contiguous:
            raise ValueError(
                f"out must be a contiguous array of dtype uint8 and shape {shape}, got "
                f"{out.dtype} {out.shape}"
            )
        try:
            if self._frames is None:
                self._frames = self._start()
            self._over = not self._frames.read(out)
        except EncodeError as error:
            self.close()
            raise self._unreadable(error) from error
        return None if self._over else out

    def close(self) -> None:
        """End ffmpeg; the `with` block does this. May be called twice."""
        if self._frames is not None:
            self._frames.close()
        if self._work is not None:
            self._work.remove()
        self._frames = self._work = None

    @cached_property
    def _needs_pillow(self) -> bool:
        return self._format.name == "webp" and "webp_anim" not in demuxers()

    @cached_property
    def _facts(self) -> tuple[int, int, Fraction]:
        """The clip's own width and height in pixels, and frames per second."""
        if self._work is None:
            raise RuntimeError("a clip is looked at inside the `with` block of a VideoReader only")
        try:
            return _look_with_pillow(self._clip) if self._needs_pillow else _look(self._clip)
        except EncodeError as error:
            raise self._unreadable(error) from error

    def _start(self) -> "_FfmpegFrames | _PillowFrames":
        if self._needs_pillow:
            pixels = "RGBA" if self._alpha else "RGB"
            return _PillowFrames(self._clip, self._fps, self._fit, self._max_frames, pixels)
        filters = []
        if self._fps is not None:
            filters.append(f"fps={self._fps}:eof_action=pass")
        if self._fit is not None:
            size = "{}:{}".format(*self._fit)
            # Without the last two flags, white comes out as 253.
            filters += [
                f"scale={size}:force_original_aspect_ratio=decrease:"
                "flags=area+accurate_rnd+full_chroma_int",
                f"pad={size}:(ow-iw)/2:(oh-ih)/2",
            ]
        options = ["-fps_mode", "passthrough", "-vf", ",".join(filters or ["null"])]
        if self._max_frames is not None:
            options += ["-frames:v", str(self._max_frames)]
        decoder = decoder_of(self._format, alpha=self._alpha)
        return _FfmpegFrames(self._clip, options, decoder, "rgba" if self._alpha else "rgb24")

    def _unreadable(self, error: EncodeError) -> EncodeError:
        return EncodeError(f"{self._name} cannot be read, make it again or remove it: {error}")


def decoder_of(format: Format, *, alpha: bool) -> list[str]:
    """ffmpeg's option for the decoder of a clip, where the usual one loses the alpha channel."""
    return ["-c:v", "libvpx-vp9"] if alpha and format.name == "webm" else []


def place_clip(folder: Path, format: Format, source: Path | bytes | Sequence[Path]) -> Path:
    """Put a clip into a work folder, under a name that means nothing to ffmpeg.

    ffmpeg would take parts of a file's own name for protocols, options or fields.

    Args:
        folder: the work folder.
        format: the clip's format.
        source: its path, its bytes or its files in order.

    Returns:
        What ffmpeg is to read: a file, or the pattern of a PNG sequence.
    """
    clip = folder / format.file_name
    if isinstance(source, bytes):
        clip.write_bytes(source)
        return clip
    if isinstance(source, Path):
        source = _files(source, format)
    for number, file in enumerate(source):
        numbered(clip, number).symlink_to(file)
    return clip


def _files(path: Path, format: Format) -> Sequence[Path]:
    if not format.is_sequence:
        return [path]
    pattern = sequence_pattern(path)
    return list(
        itertools.takewhile(Path.is_file, (numbered(pattern, n) for n in itertools.count()))
    )


class _FfmpegFrames:
    """One run of ffmpeg over a clip."""

    def __init__(
        self, clip: Path, options: Sequence[str], decoder: Sequence[str], pixels: str
    ) -> None:
        raw = ["-f", "rawvideo", "-pix_fmt", pixels, "pipe:1"]
        self._ffmpeg = Ffmpeg([*decoder, "-i", clip.name, *options, *raw], clip.parent)
        self._count = 0

    def read(self, out: np.ndarray) -> bool:
        """Fill `out` with the next frame; False when there is none."""
        received = self._ffmpeg.receive(memoryview(out).cast("B"))
        if received == out.nbytes:
            self._count += 1
            return True
        # Frames of another size make a stream of bytes, too, maybe even of as many.
        if self._ffmpeg.finish() != self._count or received:
            raise _other_size(out)
        return False

    def close(self) -> None:
        self._ffmpeg.kill()


class _PillowFrames:
    """The same for animated WebP, which older versions of ffmpeg do not read."""

    def __init__(
        self,
        clip: Path,
        fps: Fraction | None,
        fit: Size | None,
        max_frames: int | None,
        pixels: str,
    ) -> None:
        self._all = _pillow_frames(clip, fps, fit, pixels)
        self._frames = itertools.islice(self._all, max_frames)

    def read(self, out: np.ndarray) -> bool:
        """See `_FfmpegFrames.read`."""
        frame = next(self._frames, None)
        if frame is None:
            return False
        if frame.shape != out.shape:
            raise _other_size(out)
        out[:] = frame
        return True

    def close(self) -> None:
        """Close the file."""
        self._all.close()


def _pillow_frames(
    clip: Path, fps: Fraction | None, fit: Size | None, pixels: str
) -> Generator[np.ndarray]:
    seconds, shown = Fraction(0), 0
    with _pillow(clip) as image:
        from PIL import Image, ImageOps, ImageSequence

        for picture in ImageSequence.Iterator(image):
            frame = picture.convert(pixels)
            if fit is not None:
                frame = ImageOps.pad(frame, fit, Image.Resampling.BOX)
            seconds += Fraction(picture.info["duration"], 1000)
            end = max(shown + 1, shown if fps is None else round(seconds * fps))
            yield from itertools.repeat(np.asarray(frame), end - shown)
            shown = end


@contextlib.contextmanager
def _pillow(clip: Path) -> Iterator[Any]:
    try:
        from PIL import Image
    except ImportError as error:
        raise BackendUnavailableError(
            "this ffmpeg does not read animated WebP; install Pillow, which does, with "
            "`pip install pillow`"
        ) from error
    try:
        with Image.open(clip) as image:
            yield image
    except OSError as error:
        raise EncodeError(f"Pillow failed: {error}") from error


def _look(clip: Path) -> tuple[int, int, Fraction]:
    # The first line of this format says it all, and ffmpeg's log, which also does, is for people.
    first = ["-frames:v", "1", "-pix_fmt", "yuv444p", "-f", "yuv4mpegpipe", "pipe:1"]
    ffmpeg = Ffmpeg(["-i", clip.name, *first], clip.parent)
    try:
        start = bytearray(128)
        ffmpeg.receive(memoryview(start))
        found = _HEADER.match(start)
        if found is None:
            ffmpeg.finish()
            raise EncodeError("it has no pictures in it")
    finally:
        ffmpeg.kill()
    width, height, *rate = (int(number) for number in found.groups())
    return width, height, Fraction(*rate)


def _look_with_pillow(clip: Path) -> tuple[int, int, Fraction]:
    with _pillow(clip) as image:
        image.load()
        return *image.size, Fraction(1000, image.info["duration"])


def _other_size(frame: np.ndarray) -> EncodeError:
    return EncodeError(f"its frames do not have {frame.shape[1]}x{frame.shape[0]} pixels")
