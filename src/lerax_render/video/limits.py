"""Clips that keep to a size: made smaller until they are small enough."""

import dataclasses
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, override

from rich.filesize import decimal

from ..errors import EncodeError
from ..settings import ByteSize, checked
from .destination import numbered
from .encoding import CODECS, Encoding
from .formats import Format
from .places import DestinationLike
from .video import Video
from .writer import VideoWriter

_log = logging.getLogger("lerax_render.video.limits")

# With one digit less, a size just above the limit would often be told like the limit.
_told = partial(decimal, precision=2)

_LOSSLESS = "-vf null -c:v libx264rgb -preset ultrafast -crf 0 -f nut whole.nut"
# H.264 has no alpha channel.
_LOSSLESS_ALPHA = "-vf format=bgra -c:v ffv1 -f nut whole.nut"


@dataclass(frozen=True)
class _Shape:
    """What can be given up for a smaller file."""

    fps: Fraction
    width: int
    encoding: Encoding

    def after(self, step: "_Step", format: Format) -> "_Shape":
        """This shape with one thing more given up, or the same if it is given up already."""
        encoding = self.encoding
        if encoding.lossless:
            pass
        elif step.crf and format.codecs:
            codec = CODECS[encoding.codec or format.codecs[0]]
            crf = max(codec.crf_of(encoding), min(codec.crf + step.crf, codec.most_crf))
            encoding = dataclasses.replace(encoding, crf=crf)
        elif step.quality and "{quality}" in format.output:
            quality = min(encoding.webp_quality, step.quality)
            encoding = dataclasses.replace(encoding, webp_quality=quality)
        elif step.colors and "{colors}" in format.filters:
            encoding = dataclasses.replace(encoding, gif_colors=step.colors)
        fps, width = step.fps or self.fps, step.width or self.width
        return _Shape(min(self.fps, fps), min(self.width, width), encoding)

    def since(self, first: "_Shape") -> str:
        """Say what was given up altogether."""
        now, then = self.encoding, first.encoding
        given_up = {
            f"crf {now.crf}": now.crf != then.crf,
            f"quality {now.webp_quality}": now.webp_quality != then.webp_quality,
            f"{float(self.fps):g} frames a second": self.fps != first.fps,
            f"{self.width} pixels of width": self.width != first.width,
            f"{now.gif_colors} colours": now.gif_colors != then.gif_colors,
        }
        return ", ".join(text for text, is_less in given_up.items() if is_less)


@dataclass(frozen=True)
class _Step:
    fps: Fraction | None = None
    width: int | None = None
    colors: int | None = None
    quality: int | None = None
    crf: int | None = None
    """On top of the codec's usual one."""


# From what is missed least to what is missed most; each on top of those before, and a format skips
# what it has not. GIF plays 12.5 frames a second exactly.
_STEPS = (
    _Step(quality=50, crf=6),
    _Step(quality=25, crf=12),
    _Step(fps=Fraction(25)),
    _Step(width=480),
    _Step(fps=Fraction(25, 2)),
    _Step(width=320),
    _Step(colors=64),
    _Step(fps=Fraction(8)),
    _Step(width=240),
    _Step(colors=32),
    _Step(quality=10, crf=20),
    _Step(colors=16),
    _Step(width=160),
    _Step(fps=Fraction(5)),
)


class LimitedWriter(VideoWriter):
    """A `VideoWriter` that makes its clip smaller until it is small enough.

    The frames are painted once: what is encoded again is a lossless video of them. What was given
    up is said in the log.

    Args:
        destination: As for `VideoWriter`.
        fps: Frames a second.
        max_size: The most bytes, of a PNG sequence all files together. If nothing helps, closing
            raises `EncodeError`.
        options: As for `VideoWriter`.

    Raises:
        ValueError, TypeError: As for `VideoWriter`, or `max_size` is not positive.
    """

    def __init__(
        self, destination: DestinationLike, fps: float | Fraction, *, max_size: int, **options: Any
    ) -> None:
        super().__init__(destination, fps, **options)
        self._max_size: int = checked("max_size", ByteSize, max_size)
        self._name = (
            Path(destination).name
            if isinstance(destination, str | os.PathLike)
            else f"the {self._format.name}"
        )
        # Of some formats, the first of two runs makes the frames lossless already.
        self._lossless = next(
            (name for name in self._format.output.split() if name.endswith(".nut")), None
        )

    @override
    def _other_outputs(self) -> Sequence[str]:
        if self._lossless:
            return ()
        return (_LOSSLESS_ALPHA if self._encoding.alpha else _LOSSLESS).split()

    @override
    def _deliver(
        self, work: Path, fps: Fraction, num_frames: int, width: int, height: int
    ) -> Video:
        assert self._shape is not None
        painted_height, painted_width, _ = self._shape
        sizes = [self._size(work, num_frames)]
        shape = first = _Shape(fps, width, self._encoding)
        for step in _STEPS:
            if sizes[-1] <= self._max_size:
                break
            smaller = shape.after(step, self._format)
            if smaller == shape:
                continue
            shape = smaller
            self._remove(work, num_frames)
            num_frames = self._encode_again(work, shape)
            sizes.append(self._size(work, num_frames))
        limit, given_up = _told(self._max_size), shape.since(first)
        if sizes[-1] > self._max_size:
            raise EncodeError(
                f"{self._name} has {_told(sizes[-1])}, though already made with "
                f"{given_up or 'all that can be given up'}; that is more than {limit}: "
                "record fewer steps, or raise max_size"
            )
        if given_up:
            _log.warning(
                "%s would have %s, more than %s; with %s it has %s",
                self._name,
                _told(sizes[0]),
                limit,
                given_up,
                _told(sizes[-1]),
            )
        size = self._format.coded_size(
            painted_width, painted_height, self._limited(shape.width), shape.encoding
        )
        return super()._deliver(work, shape.fps, num_frames, *size)

    def _limited(self, width: int) -> int:
        return width if self._max_width is None else min(width, self._max_width)

    def _files(self, work: Path, num_frames: int) -> list[Path]:
        clip = work / self._format.file_name
        if not self._format.is_sequence:
            return [clip]
        return [numbered(clip, number) for number in range(num_frames)]

    def _size(self, work: Path, num_frames: int) -> int:
        return sum(file.stat().st_size for file in self._files(work, num_frames))

    def _remove(self, work: Path, num_frames: int) -> None:
        for file in self._files(work, num_frames):
            file.unlink()

    def _encode_again(self, work: Path, shape: _Shape) -> int:
        """Make the clip in another shape and return its number of frames."""
        assert self._shape is not None
        height, width, _ = self._shape
        whole = work / "whole.nut"
        if self._lossless is not None and not whole.exists():
            (work / self._lossless).rename(whole)
        fps = f"fps={shape.fps}"
        output = self._format.arguments(
            width, height, self._limited(shape.width), shape.encoding, first=fps
        )
        if self._format.merges_repeats:
            # Of the first output ffmpeg tells how many frames it has, and these have fewer.
            output = ("-vf", fps, "-f", "null", "pipe:1", *output)
        num_frames = self._run(["-i", whole.name, *output], work)
        if finishing := self._format.finishing_options(shape.encoding):
            self._run(finishing, work)
        return num_frames
