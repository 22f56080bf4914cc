"""The table of formats: what each needs from ffmpeg, and what it can hold."""

import math
import re
from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, SupportsFloat, override

from ..output import EXPORTS, Export, FileFormat
from .encoding import CODECS, USUAL, Codec, Encoding

_LONGEST_SIDE = 16_384
_SLOWEST, _FASTEST = Fraction(1, 100), Fraction(1000)
# Chromium and Firefox show any image frame of 10 ms or less for 100 ms.
_MOST_IMAGES = Fraction(90)


@dataclass(frozen=True)
class Format(FileFormat):
    """How one kind of clip is made.

    Attributes:
        output: ffmpeg's output options and files, for the run that the frames are streamed into.
            "{codec}", "{quality}", "{colors}", "{plays}" and "{repeats}", which is one less, are
            what an `Encoding` says.
        finishing: options of a second run over the files of the first, where one is needed.
        codecs: keys of `CODECS`, of which the first is usual; none: it has a codec of its own.
        filters: ffmpeg's filters for the frames, where it has no `codecs`; several outputs have
            names, which `output` maps.
        lossless_filters: the same for frames to the bit; None: it cannot hold them.
        alpha_filters: the same for frames with alpha; with `codecs`, not None where it holds the
            alpha of those that have it.
        max_fps: the fastest that everybody plays it, frames a second.
        longest_side: the largest width and height in pixels.
        merges_repeats: a frame equal to the one before makes that one longer, so that ffmpeg's
            count of frames says nothing.
    """

    output: str
    finishing: str = ""
    codecs: tuple[str, ...] = ()
    filters: str = "null"
    lossless_filters: str | None = None
    alpha_filters: str | None = None
    max_fps: Fraction = _FASTEST
    longest_side: int = _LONGEST_SIDE
    merges_repeats: bool = False

    @property
    @override
    def file_name(self) -> str:
        """The finished file in ffmpeg's folder; of a PNG sequence the pattern of all files."""
        return (self.finishing or self.output).split()[-1]

    @property
    @override
    def is_sequence(self) -> bool:
        """Whether a clip is a file for each frame."""
        return "%d" in self.file_name

    @property
    def encoders(self) -> set[str]:
        """The ffmpeg encoders it needs, where nothing else is asked for."""
        return self.encoders_for(USUAL)

    def encoders_for(self, encoding: Encoding) -> set[str]:
        """The ffmpeg encoders that an encoding needs."""
        options = " ".join(self.output_options(encoding) + self.finishing_options(encoding))
        return set(re.findall(r"-c:v (\S+)", options))

    def coded_size(
        self, width: int, height: int, max_width: int | None = None, encoding: Encoding = USUAL
    ) -> tuple[int, int]:
        """Size in pixels, (width, height), of the file for frames of this size."""
        width, height = _scaled(width, height, max_width)
        if "{pad}" not in self._filters(encoding):
            return width, height
        return width + width % 2, height + height % 2

    def takes_planes(
        self, width: int, height: int, max_width: int | None = None, encoding: Encoding = USUAL
    ) -> bool:
        """Whether frames of this size in pixels may come as the planes that the file has."""
        codec = self._codec(encoding)
        return (
            codec is not None
            and codec.pixels(encoding) == "yuv420p"
            and _scaled(width, height, max_width) == (width, height)
            and not (width % 2 or height % 2)
        )

    def arguments(
        self,
        width: int,
        height: int,
        max_width: int | None = None,
        encoding: Encoding = USUAL,
        *,
        first: str = "",
        as_planes: bool = False,
    ) -> tuple[str, ...]:
        """ffmpeg's output arguments for frames of this size in pixels: filters first, and more.

        `first` is a filter before all others; `as_planes` is for frames that `takes_planes` allows.
        """
        scale, pad = "", ""
        if (width, height) != (scaled := _scaled(width, height, max_width)):
            width, height = scaled
            scale = f"scale={width}:{height}:flags=area,"
            if encoding.alpha and not self.codecs:
                # Else what is transparent would lend its black to what is not; for codecs, `spread`
                # has given it a colour.
                scale = f"format=gbrap,premultiply=inplace=1,{scale}unpremultiply=inplace=1,"
        if self.coded_size(width, height, encoding=encoding) != (width, height):
            # In 4:4:4, because fillborders knows no packed RGB, and in 4:2:0 the chroma at the edge
            # would already be mixed with the colour of the padding.
            pad = (
                "format=yuv444p,pad=ceil(iw/2)*2:ceil(ih/2)*2,"
                f"fillborders=right={width % 2}:bottom={height % 2}:mode=smear,"
            )
        if first:
            scale = f"{first},{scale}"
        filters = scale + self._filters(encoding, as_planes=as_planes).replace("{pad}", pad)
        filters = self._filled(filters, encoding)
        # Named, since other outputs may use the frames, too.
        named = ("-filter_complex", f"[0:v]{filters}") if ";" in filters else ("-vf", filters)
        return *named, *self.output_options(encoding)

    def output_options(self, encoding: Encoding) -> list[str]:
        """ffmpeg's output options and files for the run that the frames are streamed into."""
        return self._filled(self.output, encoding).split()

    def finishing_options(self, encoding: Encoding) -> list[str]:
        """The options of a second run over the files of the first; none, where it needs none."""
        return self._filled(self.finishing, encoding).split()

    def check(self, encoding: Encoding) -> None:
        """Raise unless a file of this format can be as it is asked for.

        Raises:
            ValueError: It cannot; the message says what can.
        """
        if encoding.codec is not None and encoding.codec not in self.codecs:
            can = [row.name for row in FORMATS.values() if encoding.codec in row.codecs]
            raise ValueError(
                f"{self.name} cannot hold codec {encoding.codec}"
                + (f", only {', '.join(self.codecs)}" if self.codecs else "")
                + f"; formats that can are {', '.join(can)}"
            )
        codec = self._codec(encoding)
        for name in ("crf", "pixel_format"):
            if getattr(encoding, name) is not None and codec is None:
                can = [row.name for row in FORMATS.values() if row.codecs]
                raise ValueError(
                    f"{self.name} has no {name}: leave it out, or choose one of {', '.join(can)}"
                )
        if codec is not None and (encoding.crf or 0) > codec.most_crf:
            raise ValueError(
                f"crf must be 0 to {codec.most_crf} for {codec.name}, got {encoding.crf}"
            )
        if encoding.lossless and encoding.crf is not None:
            raise ValueError("lossless leaves no room for a crf: leave one of the two out")
        if encoding.lossless and codec is None and self.lossless_filters is None:
            can = [row.name for row in FORMATS.values() if row.is_lossless]
            raise ValueError(
                f"{self.name} cannot be lossless; formats that can are {', '.join(can)}"
            )
        if encoding.alpha and not self.holds_alpha(encoding):
            can = [row.name for row in FORMATS.values() if row.holds_alpha(USUAL)]
            raise ValueError(
                f"{self._said(encoding)} has no alpha channel for what is transparent; formats "
                f"that have are {', '.join(can)}"
            )
        if encoding.loop is not None and not self.loops:
            can = [row.name for row in FORMATS.values() if row.loops]
            raise ValueError(
                f"{self.name} does not say how often it plays, its player does: leave loop out, "
                f"or choose one of {', '.join(can)}"
            )

    def holds_alpha(self, encoding: Encoding) -> bool:
        """Whether a file that is otherwise as asked for can have an alpha channel."""
        if self.alpha_filters is None or not self.codecs:
            return self.alpha_filters is not None
        codec = self._codec(encoding)
        is_plain = not encoding.lossless and encoding.pixel_format in (None, "yuv420p")
        return codec is not None and codec.alpha_output is not None and is_plain

    def _said(self, encoding: Encoding) -> str:
        asked = {
            "codec": encoding.codec,
            "pixel_format": encoding.pixel_format,
            "lossless": encoding.lossless or None,
        }
        given = [f"{name}={value}" for name, value in asked.items() if value is not None]
        return " with ".join([self.name, *[" and ".join(given)] * bool(given)])

    @property
    def loops(self) -> bool:
        """Whether its files say how often they play."""
        return "{plays}" in self.output or "{repeats}" in self.finishing

    @property
    def is_lossless(self) -> bool:
        """Whether its files can have the frames to the bit."""
        return bool(self.codecs) or self.lossless_filters is not None

    def _codec(self, encoding: Encoding) -> Codec | None:
        return CODECS[encoding.codec or self.codecs[0]] if self.codecs else None

    def _filters(self, encoding: Encoding, *, as_planes: bool = False) -> str:
        codec = self._codec(encoding)
        if codec is not None:
            return codec.filters(encoding, as_planes=as_planes)
        if encoding.alpha and self.alpha_filters is not None:
            return self.alpha_filters
        return (self.lossless_filters if encoding.lossless else None) or self.filters

    def _filled(self, options: str, encoding: Encoding) -> str:
        codec, plays = self._codec(encoding), encoding.loop or 0
        # In lossless WebP, quality is how hard the encoder works.
        lossless = "-lossless 1 -quality 50"
        values = {
            "codec": codec.arguments(encoding) if codec else "",
            "quality": lossless if encoding.lossless else f"-quality {encoding.webp_quality}",
            "colors": f"max_colors={encoding.gif_colors}",
            "plays": str(plays),
            # 0 is for ever, and -1 none.
            "repeats": str({0: 0, 1: -1}.get(plays, plays - 1)),
        }
        for name, value in values.items():
            options = options.replace(f"{{{name}}}", value)
        return options


def _scaled(width: int, height: int, max_width: int | None) -> tuple[int, int]:
    if max_width is None or width <= max_width:
        return width, height
    return max_width, max(1, round(height * max_width / width))


# Two files of the same frames are equal, whichever version of ffmpeg's libraries wrote the tags.
_MP4 = "{codec} -movflags +faststart -fflags +bitexact"

# Their names are also in `settings.clip.FormatName`.
FORMATS: dict[str, Format] = {
    row.name: row
    for row in (
        Format(
            name="mp4",
            suffix=".mp4",
            mime="video/mp4",
            element="video",
            codecs=("h264", "h265", "vp9", "av1"),
            output=f"{_MP4} -f mp4 clip.mp4",
        ),
        # Keynote's and QuickTime's own.
        Format(
            name="mov",
            suffix=".mov",
            mime="video/quicktime",
            element=None,
            codecs=("h264", "h265"),
            output=f"{_MP4} -f mov clip.mov",
        ),
        Format(
            name="m4v",
            suffix=".m4v",
            mime="video/x-m4v",
            element=None,
            codecs=("h264",),
            output=f"{_MP4} -f ipod clip.m4v",
        ),
        Format(
            name="webm",
            suffix=".webm",
            mime="video/webm",
            element="video",
            codecs=("vp9", "av1"),
            alpha_filters="",
            output="{codec} -fflags +bitexact -f webm clip.webm",
        ),
        Format(
            name="gif",
            suffix=".gif",
            mime="image/gif",
            element="img",
            # It counts delays in hundredths of a second; those of one frame differ, so that their
            # sum is right.
            max_fps=Fraction(50),
            # To use the palette in this run would hold every frame in memory until it is known.
            filters="split[frames][seen];[seen]palettegen={colors}:stats_mode=full[palette]",
            output=(
                "-map [frames] -c:v libx264rgb -preset ultrafast -crf 0 -f nut clip.nut "
                "-map [palette] -frames:v 1 -update 1 -c:v png -f image2 palette.png"
            ),
            finishing=(
                "-i clip.nut -i palette.png "
                "-filter_complex paletteuse=dither=none:diff_mode=rectangle "
                "-c:v gif -loop {repeats} -f gif clip.gif"
            ),
        ),
        Format(
            name="webp",
            suffix=".webp",
            mime="image/webp",
            element="img",
            filters="format=yuv420p",
            lossless_filters="format=bgra",
            # libwebp's own way to YUV leaves out the colour of what is transparent.
            alpha_filters="format=bgra",
            output=(
                "-c:v libwebp_anim {quality} -compression_level 2 -loop {plays} -f webp clip.webp"
            ),
            max_fps=_MOST_IMAGES,
            longest_side=16_383,
            merges_repeats=True,
        ),
        Format(
            name="apng",
            suffix=".apng",
            mime="image/apng",
            element="img",
            filters="format=rgb24",
            lossless_filters="format=rgb24",
            alpha_filters="format=rgba",
            output="-c:v apng -compression_level 3 -pred sub -plays {plays} -f apng clip.apng",
            max_fps=_MOST_IMAGES,
        ),
        Format(
            name="png",
            suffix=".png",
            mime="image/png",
            element=None,
            filters="format=rgb24",
            lossless_filters="format=rgb24",
            alpha_filters="format=rgba",
            output="-c:v png -compression_level 3 -pred mixed -start_number 0 -f image2 %d.png",
        ),
    )
}


ALL_FORMATS: Mapping[str, Format | Export] = ChainMap[str, Any](EXPORTS, FORMATS)
"""All that `record` makes, by name."""


def check_fps(fps: SupportsFloat) -> Fraction:
    """Return a frame rate as a fraction that ffmpeg takes.

    Raises:
        TypeError: It is not a number.
        ValueError: It is not from 0.01 to 1000 frames a second.
    """
    if isinstance(fps, (str, bool)) or not hasattr(fps, "__float__"):
        raise TypeError(f"fps must be a number, got {fps!r}")
    if not math.isfinite(float(fps)) or not _SLOWEST <= float(fps) <= _FASTEST:
        raise ValueError(
            f"fps must be from {float(_SLOWEST)} to {_FASTEST} frames per second, got {fps!r}"
        )
    exact = Fraction(fps if isinstance(fps, (int, Fraction)) else float(fps))
    return exact.limit_denominator(100_000)


def is_shown(step: int, share: Fraction) -> bool:
    """Return whether a step, counted from 0, has a frame where only a share of all has; 0 does."""
    return math.ceil((step + 1) * share) > math.ceil(step * share)
