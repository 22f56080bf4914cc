"""Presets: settings for places that clips are shown in."""

import dataclasses
import os
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path

from ..settings import PixelFormat
from .encoding import USUAL, Encoding
from .formats import ALL_FORMATS, FORMATS
from .limits import LimitedWriter
from .places import DestinationLike, resolve_format
from .writer import VideoWriter


@dataclass(frozen=True)
class Preset:
    """Settings of a clip, where its maker does not say otherwise.

    Attributes:
        name: What a user calls it; also a key of `PRESETS`.
        formats: Keys of `FORMATS` that it makes; the first where no other is asked for.
        width: Picture width in pixels.
        height: Picture height in pixels.
        max_fps: The most frames per second. Where steps come faster some are left out, so that the
            clip still plays in real time.
        max_size: The most bytes; `None`: any number.
        lossless: Whether the file has the frames to the bit.
    """

    name: str
    formats: tuple[str, ...]
    width: int
    height: int
    max_fps: int
    max_size: int | None = None
    lossless: bool = False

    @property
    def format(self) -> str:
        """The format that it makes where no other is asked for."""
        return self.formats[0]


_SOCIAL = Preset("social", ("mp4",), 1280, 720, 60)

PRESETS = {
    row.name: row
    for row in (
        # GitHub takes no larger pictures than 10 MB in issues and comments, and its pages show them
        # no wider than 830 pixels; GIF plays 20 frames a second exactly.
        Preset("docs", ("webp", "gif"), 480, 360, 20, max_size=10_000_000),
        # A README's pictures are fetched by everybody who only passes by.
        Preset("readme", ("webp", "gif"), 480, 360, 20, max_size=1_000_000),
        _SOCIAL,
        dataclasses.replace(_SOCIAL, name="x"),
        # What PowerPoint and Keynote play on any machine: H.264 in 4:2:0, no more than 1080p.
        Preset("slides", ("mp4", "mov", "m4v"), 1920, 1080, 60),
        # A frame a step and a file a frame, as LaTeX's animate takes them; a video where one is
        # asked for.
        Preset(
            "paper",
            ("png", "apng", "webp", "mp4", "mov", "m4v", "webm"),
            1280,
            960,
            1000,
            lossless=True,
        ),
    )
}
"""The presets by name."""


def find_preset(name: str | None) -> Preset | None:
    """Return the preset of a name, or `None` for `None`.

    Raises:
        ValueError: There is no such preset.
    """
    if name is not None and name not in PRESETS:
        raise ValueError(f"no preset named {name!r}: there are {', '.join(PRESETS)}")
    return None if name is None else PRESETS[name]


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
    pixel_format: PixelFormat = "rgb24",
    max_size: int | None = None,
    encoding: Encoding = USUAL,
    poster: str | os.PathLike[str] | None = None,
) -> VideoWriter:
    """Return the writer for a clip with or without a preset.

    Args:
        preset: The preset, or `None`.
        destination: As for `VideoWriter`.
        fps: Frames per second.
        format: As for `VideoWriter`.
        width: Frame width in pixels.
        height: Frame height in pixels.
        pixel_format: As for `VideoWriter`.
        max_size: The most bytes; `None`: the preset's own limit, or any number.
        encoding: As for `VideoWriter`.
        poster: As for `VideoWriter`.

    Raises:
        ValueError: The destination or the format does not fit the preset, or as for `VideoWriter`.
    """
    if preset is not None:
        format = _preset_format(preset, destination, format)
        max_size = preset.max_size if max_size is None else max_size
        if preset.lossless:
            encoding = dataclasses.replace(encoding, lossless=True)
    writer = VideoWriter if max_size is None else partial(LimitedWriter, max_size=max_size)
    return writer(
        destination,
        fps,
        format=format,
        width=width,
        height=height,
        pixel_format=pixel_format,
        encoding=encoding,
        poster=poster,
    )


def _preset_format(preset: Preset, destination: DestinationLike, format: str | None) -> str:
    """Return the format of a clip, or raise `ValueError` where the preset does not make it."""
    makes = f"preset {preset.name} makes {' or '.join(map(_called, preset.formats))}"
    if format is not None:
        if format not in preset.formats:
            raise ValueError(f"{makes}, and the format is {format}: leave one of the two out")
        return format
    if not isinstance(destination, str | os.PathLike):
        # Many files have no place there.
        return next(name for name in preset.formats if not FORMATS[name].is_sequence)
    path = Path(destination)
    named = next((row for row in ALL_FORMATS.values() if row.suffix == path.suffix.lower()), None)
    if named is None:
        return preset.format
    if named.name not in preset.formats:
        usual = path.with_suffix(FORMATS[preset.format].suffix)
        raise ValueError(f"{makes}: name the file {usual}, or leave the preset out")
    return named.name


def _called(format: str) -> str:
    return {"gif": "a GIF", "webp": "a WebP", "mp4": "an MP4", "png": "PNG files"}.get(
        format, format.upper()
    )
