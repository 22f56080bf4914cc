"""Frames in, a clip out: the streaming writer."""

import contextlib
import dataclasses
import logging
import operator
import os
import threading
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self, SupportsFloat, SupportsIndex

import numpy as np

from ..errors import BackendUnavailableError, EncodeError
from ..settings import PixelFormat
from . import ffmpeg
from .destination import open_destination
from .encoding import USUAL, Encoding
from .ffmpeg import Ffmpeg
from .formats import Format, check_fps, is_shown
from .pixels import Planes, as_bgrx, as_rgb, as_rgba, has_alpha, looks_drawn, spread
from .places import DestinationLike, resolve_format
from .still import Poster
from .video import Video
from .work_folder import WorkFolder

# The form in which each is sent to ffmpeg.
_PIXEL_FORMATS = {"rgb24": as_rgb, "bgr0": as_bgrx, "rgba": as_rgba, "bgra": as_bgrx}

_log = logging.getLogger("lerax_render.video.writer")


class VideoWriter:
    """Encodes frames as they come; the clip is never in memory as a whole.

        with VideoWriter("clip.mp4", fps=50) as writer:
            for frame in frames:
                writer.write(frame)
        writer.video.num_frames

    The clip is made in a hidden folder beside its destination and moved there when the block ends.
    When it ends with an exception, ffmpeg is killed, the folder removed, and an older clip at the
    destination is untouched. Several writers may run side by side. One thread at a time may use a
    writer, but for `abandon`.
    """

    def __init__(
        self,
        destination: DestinationLike,
        fps: SupportsFloat,
        *,
        format: str | None = None,
        width: int | None = None,
        height: int | None = None,
        pixel_format: PixelFormat = "rgb24",
        max_width: int | None = None,
        encoding: Encoding = USUAL,
        poster: str | os.PathLike[str] | None = None,
    ) -> None:
        """Check everything; nothing is started or created yet.

        Args:
            destination: a path in a folder that exists; for a PNG sequence a pattern such as
                "frames/%05d.png", or with `format="png"` a folder, made if its parent exists. An
                open binary file receives the bytes at the end. None keeps them in memory.
            fps: frames per second, 0.01 to 1000. Where a format cannot play so many (GIF 50, WebP
                and APNG 90), some are left out, with a note in the log: it plays in real time.
            format: a key of `FORMATS`; None: by the path's suffix, "mp4" where there is no path.
            width: width of the frames in pixels, up to 16384; None: as the first frame has it.
            height: height of the frames in pixels, likewise.
            pixel_format: of the frames: "rgb24" for RGB, and all else that `write` takes; "bgr0"
                for uint8 (H, W, 4) in the order blue, green, red, ignored (a pygame Surface). With
                "rgba", and "bgra" in that order, the clip has an alpha channel.
            max_width: wider frames are scaled down to this width in pixels, in proportion; None:
                the clip is as wide as its frames.
            encoding: codec, quality and what else is asked of the file.
            poster: where the first frame goes as a picture: a path that ends in .png, .jpg or
                .jpeg.

        Raises:
            TypeError: `destination` or `fps` is of no accepted type.
            ValueError: a value is out of range, the format is unknown or cannot hold the encoding,
                or the destination cannot be written; the message says what is accepted.
            BackendUnavailableError: this ffmpeg lacks an encoder that the encoding needs.
        """
        self._format = resolve_format(destination, format)
        self._wanted_fps = check_fps(fps)
        self._fps = min(self._wanted_fps, self._format.max_fps)
        self._given = 0
        self._width = None if width is None else _check_side("width", width, self._format)
        self._height = None if height is None else _check_side("height", height, self._format)
        self._max_width = (
            None if max_width is None else _check_side("max_width", max_width, self._format)
        )
        if pixel_format not in _PIXEL_FORMATS:
            raise ValueError(
                f"unknown pixel_format {pixel_format!r}; accepted are {', '.join(_PIXEL_FORMATS)}"
            )
        self._pixel_format = pixel_format
        if pixel_format in ("rgba", "bgra"):
            encoding = dataclasses.replace(encoding, alpha=True)
        self._encoding = encoding
        self._format.check(encoding)
        check_encoders(self._format, encoding)
        self._frozen = round(encoding.freeze_end * self._fps)
        self._destination = open_destination(destination, self._format)
        self._poster = None if poster is None else Poster(poster)
        self._shape: tuple[int, ...] | None = None
        self._work: WorkFolder | None = None
        self._ffmpeg: Ffmpeg | None = None
        self._planes: Planes | None = None
        self._sent = 0
        self._video: Video | None = None
        self._abandoned = False
        self._starting = threading.Lock()

    def __enter__(self) -> Self:
        if self._work is not None or self._video is not None:
            raise RuntimeError("a VideoWriter writes one clip; make a new one")
        if self._fps != self._wanted_fps:
            _log.info(
                "%s cannot play %g frames per second; it shows %g of them",
                self._format.name,
                self._wanted_fps,
                self._fps,
            )
        with self._unless_abandoned():
            self._work = self._destination.work_folder()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self._discard()

    @property
    def pixel_format(self) -> PixelFormat:
        """The format of the frames that `write` takes."""
        return self._pixel_format

    @property
    def video(self) -> Video:
        """The finished clip.

        Raises:
            RuntimeError: it is not finished, or failed.
        """
        if self._video is None:
            raise RuntimeError(
                "there is no clip before the `with` block has ended without an error"
            )
        return self._video

    def write(self, frame: Any) -> None:
        """Append one frame. It may be reused at once; contiguous RGB in bytes is not copied.

        Args:
            frame: row 0 on top; the first fixes H and W where the writer was not told. For "rgb24"
                and "rgba" uint8 (H, W, 3) RGB, or what `pixels.as_rgb` takes: grey (H, W), RGBA
                (H, W, 4), float 0 to 1, the canvas of a Matplotlib figure. For "bgr0" and "bgra"
                uint8 (H, W, 4). Where the first one is RGBA and the file can hold it, the clip has
                an alpha channel; else RGBA is blended on white.

        Raises:
            TypeError: the frame is of a dtype that it cannot be.
            ValueError: its shape is not the one expected.
            RuntimeError: the writer is not inside its `with` block.
            EncodeError: ffmpeg failed; nothing of this clip is left.
        """
        if self._work is None:
            raise RuntimeError("write() works inside the `with` block of a VideoWriter only")
        if not isinstance(frame, np.ndarray) or (
            frame.shape != self._shape or frame.dtype != np.uint8
        ):
            frame = self._checked_frame(frame)
        self._given += 1
        if not is_shown(self._given - 1, self._fps / self._wanted_fps):
            return
        try:
            if self._ffmpeg is None:
                self._shape = frame.shape
                self._start(self._work.path, frame)
            assert self._ffmpeg is not None
            if self._encoding.alpha and self._format.codecs:
                frame = spread(frame)
            frame = np.ascontiguousarray(frame)
            self._ffmpeg.send(
                memoryview(frame).cast("B") if self._planes is None else self._planes.of(frame)
            )
        except BaseException:
            self._discard()
            raise
        self._sent += 1

    def close(self) -> None:
        """Finish the clip; the `with` block does this. May be called twice.

        Raises:
            ValueError: no frame was written.
            EncodeError: ffmpeg, the disk or the reader of a pipe failed. Nothing is left then.
        """
        if self._work is None:
            return
        try:
            if self._ffmpeg is None or self._shape is None:
                raise ValueError("no frame was written; a clip needs one at least")
            self._video = self._finish(self._work.path, self._ffmpeg, self._shape)
        finally:
            self._discard()

    def abandon(self) -> None:
        """Give the clip up, from another thread: one that hangs cannot do it itself.

        ffmpeg is ended and the work folder removed. What the writer's own thread does next with it
        raises `EncodeError`, and frees the rest. A clip that is whole already stays.
        """
        with self._starting:
            self._abandoned = True
            ffmpeg, work = self._ffmpeg, self._work
        if ffmpeg is not None:
            ffmpeg.abort()
        if work is not None:
            work.remove()

    @contextlib.contextmanager
    def _unless_abandoned(self) -> Iterator[None]:
        """Start something that `abandon` then finds, or do not start it."""
        with self._starting:
            if self._abandoned:
                raise EncodeError("the clip was given up by another thread")
            yield

    def _checked_frame(self, given: Any) -> np.ndarray:
        """Return a frame in the form that is sent to ffmpeg."""
        is_first = self._shape is None and self._pixel_format == "rgb24"
        if is_first and has_alpha(given) and self._format.holds_alpha(self._encoding):
            self._pixel_format = "rgba"
            self._encoding = dataclasses.replace(self._encoding, alpha=True)
        frame = _PIXEL_FORMATS[self._pixel_format](given)
        if frame.shape == self._shape:
            return frame
        if self._shape is not None:
            raise ValueError(
                f"all frames of a clip have one shape: it began with {self._shape}, frame "
                f"{self._given} has {frame.shape}"
            )
        height = _check_side("height", frame.shape[0], self._format)
        width = _check_side("width", frame.shape[1], self._format)
        wanted = (self._width or width, self._height or height)
        if (width, height) != wanted:
            raise ValueError(
                f"frames were announced with width x height {wanted[0]}x{wanted[1]}, got "
                f"{width}x{height}"
            )
        return frame

    def _start(self, work: Path, frame: np.ndarray) -> None:
        height, width, _ = frame.shape
        if self._encoding.drawn is None:
            self._encoding = dataclasses.replace(self._encoding, drawn=looks_drawn(frame))
        asked = (width, height, self._max_width, self._encoding)
        others = [*self._other_outputs()]
        if self._poster is not None:
            others += self._poster.output(alpha=self._encoding.alpha)
        # Where all of a picture changes, ffmpeg converts it faster; other outputs want it whole.
        if self._encoding.drawn and not others and self._format.takes_planes(*asked):
            self._planes = Planes(height, width)
        as_planes = self._planes is not None
        # Without `-r`, ffmpeg guesses the rate from what it reads first, and of large frames it
        # reads a few only.
        source = (
            f"-f rawvideo -pix_fmt {'yuv420p' if as_planes else self._pixel_format} "
            f"-s {width}x{height} -framerate {self._fps} -r {self._fps}"
        )
        frozen = f"tpad=stop={self._frozen}:stop_mode=clone" if self._frozen else ""
        output = self._format.arguments(*asked, first=frozen, as_planes=as_planes)
        arguments = [*source.split(), "-i", "pipe:0", *output, *others]
        with self._unless_abandoned():
            self._ffmpeg = Ffmpeg(arguments, work)

    def _other_outputs(self) -> Sequence[str]:
        """ffmpeg's options for more files of the same frames."""
        return ()

    def _finish(self, work: Path, ffmpeg: Ffmpeg, shape: tuple[int, ...]) -> Video:
        encoded, wanted = ffmpeg.finish(), self._sent + self._frozen
        if finishing := self._format.finishing_options(self._encoding):
            encoded = min(encoded, self._run(finishing, work))
        if encoded != wanted and not self._format.merges_repeats:
            raise EncodeError(f"ffmpeg encoded {encoded} of {wanted} frames and gave no reason")
        height, width, _ = shape
        width, height = self._format.coded_size(width, height, self._max_width, self._encoding)
        video = self._deliver(work, self._fps, wanted, width, height)
        if self._poster is not None:
            self._poster.deliver(work)
        return video

    def _run(self, arguments: Sequence[str], work: Path) -> int:
        """Run ffmpeg over files in `work` and return how many frames its first output has."""
        # Held by self, so that Ctrl-C ends this run, too.
        with self._unless_abandoned():
            self._ffmpeg = Ffmpeg(arguments, work)
        return self._ffmpeg.finish()

    def _deliver(
        self, work: Path, fps: Fraction, num_frames: int, width: int, height: int
    ) -> Video:
        """Bring the finished clip in `work` to its destination."""
        path, content = self._destination.deliver(work / self._format.file_name, num_frames)
        return Video(
            self._format.name,
            float(fps),
            num_frames,
            width,
            height,
            path=path,
            content=content,
            has_alpha=self._encoding.alpha,
        )

    def _discard(self) -> None:
        if self._ffmpeg is not None:
            self._ffmpeg.kill()
        if self._work is not None:
            self._work.remove()
        self._ffmpeg = self._work = None


def check_encoders(format: Format, encoding: Encoding) -> None:
    """Raise `BackendUnavailableError` where ffmpeg lacks what an encoding needs beyond the usual.

    What a format usually needs, every ffmpeg that this package installs has.
    """
    needed = format.encoders_for(encoding) - format.encoders
    if needed and (lacking := needed - ffmpeg.encoders()):
        raise BackendUnavailableError(
            f"this ffmpeg has no encoder {', '.join(sorted(lacking))}, which {format.name} needs "
            f"for codec {encoding.codec or format.codecs[0]}: choose another codec, or install an "
            "ffmpeg that has it, with `pip install --upgrade imageio-ffmpeg`"
        )


def convert(video: Video, path: str | os.PathLike[str]) -> Path:
    """Write a clip in the format that a path's suffix names.

    Raises:
        ValueError, EncodeError, BackendUnavailableError: As `VideoWriter` and `Video.frames`.
    """
    writer = VideoWriter(path, video.fps, width=video.width, height=video.height)
    # An alpha channel stays where the other format has one.
    with contextlib.closing(video.stream()) as frames, writer:
        for frame in frames:
            writer.write(frame)
    converted = writer.video.path
    assert converted is not None
    return converted


def _check_side(name: str, side: SupportsIndex, format: Format) -> int:
    try:
        pixels = operator.index(side)
    except TypeError:
        raise TypeError(f"{name} must be a whole number of pixels, got {side!r}") from None
    if not 0 < pixels <= format.longest_side:
        raise ValueError(
            f"{name} must be from 1 to {format.longest_side} pixels for {format.name}, got {pixels}"
        )
    return pixels
