"""Presets: settings for places that clips are shown in, and GIFs that keep to a size."""

import logging
import os
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import override

from rich.filesize import decimal

from ..errors import EncodeError
from ..settings import ByteSize, checked
from .formats import FORMATS, DestinationLike, resolve_format
from .video import Video
from .writer import PixelFormat, VideoWriter

_log = logging.getLogger("lerax_render.video.presets")

# With one digit less, a size just above the limit would often be told like the limit.
_told = partial(decimal, precision=2)


@dataclass(frozen=True)
class Preset:
    """Settings of a clip, where its maker does not say otherwise.

    Attributes:
        name: What a user calls it; also a key of `PRESETS`.
        format: A key of `FORMATS`.
        width: Picture width in pixels.
        height: Picture height in pixels.
        max_fps: The most frames per second. Where steps come faster some are left out, so that the
            clip still plays in real time.
        max_size: The most bytes, GIF only; `None`: any number.
    """

    name: str
    format: str
    width: int
    height: int
    max_fps: int
    max_size: int | None = None


PRESETS = {
    row.name: row
    for row in (
        # GitHub takes no larger pictures than 10 MB in issues and comments, and its pages show them
        # no wider than 830 pixels; GIF plays 20 frames a second exactly.
        Preset("docs", "gif", 480, 360, 20, max_size=10_000_000),
        # A README's pictures are fetched by everybody who only passes by.
        Preset("readme", "gif", 480, 360, 20, max_size=1_000_000),
        Preset("social", "mp4", 1280, 720, 60),
    )
}
"""The presets by name."""


@dataclass(frozen=True)
class _Shape:
    """What can be given up for a smaller GIF: frames per second, width in pixels, colours."""

    fps: Fraction
    width: int
    colors: int | None

    def after(self, step: "_Step") -> "_Shape":
        """This shape with one thing more given up, or the same if it is given up already."""
        return _Shape(
            min(self.fps, step.fps or self.fps),
            min(self.width, step.width or self.width),
            step.colors or self.colors,
        )


@dataclass(frozen=True)
class _Step:
    fps: Fraction | None = None
    width: int | None = None
    colors: int | None = None

    def describe(self) -> str:
        if self.fps is not None:
            return f"{float(self.fps):g} frames a second"
        return f"{self.width} pixels of width" if self.width else f"{self.colors} colours"


_GIF = FORMATS["gif"]
_FILES = {"gif": "a GIF", "mp4": "an MP4"}
# From what is missed least to what is missed most; each on top of those before. GIF plays 12.5
# frames a second exactly.
_STEPS = (_Step(fps=Fraction(25, 2)), _Step(width=320), _Step(colors=64))


def find_preset(name: str | None, max_size: int | None = None) -> Preset | None:
    """Return the preset of a name, or `None` for `None`.

    Args:
        name: A key of `PRESETS`, or `None`.
        max_size: The user's own limit in bytes, which replaces the preset's.

    Raises:
        ValueError: There is no such preset, or it knows no limit.
    """
    if name is None:
        if max_size is not None:
            raise ValueError(
                "max_size is a limit for a preset's GIF, and there is no preset: choose docs or "
                "readme, too, or leave max_size away"
            )
        return None
    if name not in PRESETS:
        raise ValueError(f"no preset named {name!r}: there are {', '.join(PRESETS)}")
    preset = PRESETS[name]
    if max_size is not None and preset.max_size is None:
        raise ValueError(
            f"max_size is a limit for a preset's GIF, and preset {name} makes "
            f"{_FILES[preset.format]}: choose docs or readme, or leave max_size away"
        )
    return preset


def most_fps(preset: Preset | None, destination: DestinationLike, format: str | None) -> Fraction:
    """Return how many frames a second a clip may have at most.

    Raises:
        ValueError: The destination or the format does not fit the preset, or does not exist.
    """
    if preset is None:
        return resolve_format(destination, format).max_fps
    return min(
        Fraction(preset.max_fps), FORMATS[_preset_format(preset, destination, format)].max_fps
    )


def open_writer(
    preset: Preset | None,
    destination: DestinationLike,
    fps: float | Fraction,
    *,
    format: str | None,
    width: int,
    height: int,
    pixel_format: PixelFormat,
    max_size: int | None = None,
) -> VideoWriter:
    """Return the writer for a clip with or without a preset.

    Args:
        preset: The preset, or `None` for a plain `VideoWriter`.
        destination: As for `VideoWriter`.
        fps: Frames per second.
        format: As for `VideoWriter`.
        width: Frame width in pixels.
        height: Frame height in pixels.
        pixel_format: As for `VideoWriter`.
        max_size: The most bytes; `None`: the preset's own limit.

    Raises:
        ValueError: The destination or the format does not fit the preset, or as for `VideoWriter`.
    """
    if preset is not None:
        format = _preset_format(preset, destination, format)
    if preset is None or preset.max_size is None:
        return VideoWriter(
            destination, fps, format=format, width=width, height=height, pixel_format=pixel_format
        )
    return LimitedGifWriter(
        destination,
        fps,
        max_size=preset.max_size if max_size is None else max_size,
        width=width,
        height=height,
        pixel_format=pixel_format,
    )


def _preset_format(preset: Preset, destination: DestinationLike, format: str | None) -> str:
    """Return the preset's format, or raise `ValueError` where another one was asked for."""
    makes = f"preset {preset.name} makes {_FILES[preset.format]}"
    if format not in (None, preset.format):
        raise ValueError(f"{makes}, and the format is {format}: leave one of the two away")
    if isinstance(destination, str | os.PathLike):
        path, suffix = Path(destination), FORMATS[preset.format].suffix
        if path.suffix.lower() in {row.suffix for row in FORMATS.values()} - {suffix}:
            raise ValueError(
                f"{makes}: name the file {path.with_suffix(suffix)}, or leave the preset away"
            )
    return preset.format


class LimitedGifWriter(VideoWriter):
    """A `VideoWriter` for GIFs that makes them smaller until they are small enough.

    The frames are painted once: what is encoded again is the lossless video that every GIF here is
    made from. What was given up is said in the log.

    Args:
        destination: As for `VideoWriter`.
        fps: Frames a second.
        max_size: The most bytes. If nothing helps, closing raises `EncodeError`.
        width: As for `VideoWriter`.
        height: As for `VideoWriter`.
        pixel_format: As for `VideoWriter`.

    Raises:
        ValueError, TypeError: As for `VideoWriter`, or `max_size` is not positive.
    """

    def __init__(
        self,
        destination: DestinationLike,
        fps: float | Fraction,
        *,
        max_size: int,
        width: int | None = None,
        height: int | None = None,
        pixel_format: PixelFormat = "rgb24",
    ) -> None:
        super().__init__(
            destination, fps, format="gif", width=width, height=height, pixel_format=pixel_format
        )
        self._max_size: int = checked("max_size", ByteSize, max_size)
        self._name = (
            Path(destination).name if isinstance(destination, str | os.PathLike) else "the GIF"
        )

    @override
    def _deliver(
        self, work: Path, fps: Fraction, num_frames: int, width: int, height: int
    ) -> Video:
        clip = work / _GIF.file_name
        sizes = [clip.stat().st_size]
        given_up: list[str] = []
        shape = _Shape(fps, width, None)
        for step in _STEPS:
            if sizes[-1] <= self._max_size:
                break
            smaller = shape.after(step)
            if smaller == shape:
                continue
            shape = smaller
            given_up.append(step.describe())
            num_frames = self._encode_again(work, shape, width, height)
            sizes.append(clip.stat().st_size)
        limit = _told(self._max_size)
        if sizes[-1] > self._max_size:
            raise EncodeError(
                f"{self._name} has {_told(sizes[-1])}, though already made with "
                f"{', '.join(given_up) or 'all that can be given up'}; that is more than {limit}: "
                "record fewer steps, or raise max_size"
            )
        if given_up:
            _log.warning(
                "%s would have %s, more than %s; with %s it has %s",
                self._name,
                _told(sizes[0]),
                limit,
                ", ".join(given_up),
                _told(sizes[-1]),
            )
        size = _GIF.coded_size(width, height, shape.width)
        return super()._deliver(work, shape.fps, num_frames, *size)

    def _encode_again(self, work: Path, shape: "_Shape", width: int, height: int) -> int:
        """Make the GIF in another shape and return its number of frames."""
        lossless = work / "whole.nut"
        if not lossless.exists():
            (work / "clip.nut").rename(lossless)
        _, filters, *output = _GIF.arguments(width, height, shape.width)
        if shape.colors is not None:
            palette = f"palettegen=max_colors={shape.colors}:"
            output = [argument.replace("palettegen=", palette) for argument in output]
        filters = f"fps={shape.fps},{filters}"
        num_frames = self._run(["-i", lossless.name, "-vf", filters, *output], work)
        self._run(_GIF.finishing.split(), work)
        return num_frames
