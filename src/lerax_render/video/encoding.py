"""What is asked of a clip's file beyond its format: codec, quality, how it repeats and how it ends.

The options have the names and the meaning that they have in ffmpeg, but for `lossless`, which here
is lossless for the frames as they were painted, in RGB.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from ..settings import TRANSPARENT

# Untagged, a browser takes the colours of small videos for BT.601 and of large ones for BT.709, off
# by up to 38 of 255. The frames' own transfer function is sRGB's.
_TAGS = "setparams=range=tv:colorspace=bt709:color_primaries=bt709:color_trc=iec61966-2-1"
_BT709 = f"scale=out_color_matrix=bt709:out_range=tv,{{pad}}format={{pixels}},{_TAGS}"

_DEFAULT_PIXELS, _ALPHA_PIXELS = "yuv420p", "yuva420p"


@dataclass(frozen=True)
class Encoding:
    """What is asked of a clip's file, where it is not the format's default.

    Attributes:
        codec: a key of `CODECS`; None: the format's first one.
        crf: constant rate factor, 0 (best) to 51 for H.264 and H.265, to 63 for VP9 and AV1; None:
            the codec's default here.
        lossless: whether the file has the frames to the bit; in another `pixel_format` than RGB,
            as they are in that.
        pixel_format: "yuv420p" or "yuv444p" of the file; None: yuv420p, or RGB where lossless.
        loop: how often an animated picture plays; 0: for ever.
        freeze_end: seconds that the last frame stays in addition.
        alpha: whether the file has an alpha channel.
        webp_quality: of a WebP, 0 to 100 (best).
        gif_colors: of a GIF, at most, 2 to 256.
        drawn: whether the frames are drawings, flat colours with edges; None: as the first looks.
    """

    codec: str | None = None
    crf: int | None = None
    lossless: bool = False
    pixel_format: str | None = None
    loop: int | None = None
    freeze_end: float = 0.0
    alpha: bool = False
    webp_quality: int = 75
    gif_colors: int = 256
    drawn: bool | None = None

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Self:
        """What settings ask for, by their names; others than these may be among them."""
        names = [field.name for field in fields(cls)]
        given = {name: settings[name] for name in names if name in settings}
        return cls(**given, alpha=settings.get("background") == TRANSPARENT)


USUAL = Encoding()
"""Nothing is asked for."""


@dataclass(frozen=True)
class Codec:
    """How ffmpeg is told to use a codec.

    Attributes:
        name: as ffmpeg and users call it; also a key of `CODECS`.
        output: the encoder and how hard it works.
        crf: the default constant rate factor.
        most_crf: the largest one.
        drawn: options besides for drawings.
        drawn_crf: the default constant rate factor of drawings, where that is another.
        output_444: the same as `output` for yuv444p, where that is another encoder.
        lossless: the encoder and its options for frames to the bit, in a YUV pixel format.
        lossless_rgb: the same in RGB.
        rgb: the RGB pixel format that its encoder takes.
        needs_even: whether pictures need an even width and height in yuv420p.
        alpha_output: options besides for an alpha channel in yuva420p; None: it has none.
    """

    name: str
    output: str
    crf: int
    most_crf: int
    lossless: str
    lossless_rgb: str
    rgb: str = "gbrp"
    drawn: str = ""
    drawn_crf: int | None = None
    output_444: str = ""
    needs_even: bool = False
    alpha_output: str | None = None

    def crf_of(self, encoding: Encoding) -> int:
        """Return the constant rate factor that was asked for, or the default."""
        if encoding.crf is not None:
            return encoding.crf
        return self.crf if not encoding.drawn or self.drawn_crf is None else self.drawn_crf

    def arguments(self, encoding: Encoding) -> str:
        """Return ffmpeg's output options: encoder, its speed, its quality."""
        if encoding.lossless:
            return self.lossless if encoding.pixel_format else self.lossless_rgb
        output = self.output if encoding.pixel_format != "yuv444p" else self.output_444
        output = (output or self.output) + self.drawn * bool(encoding.drawn)
        output = f"{output} -crf {self.crf_of(encoding)}"
        return f"{output} {self.alpha_output}" if encoding.alpha else output

    def pixels(self, encoding: Encoding) -> str:
        """Return the file's pixel format."""
        if encoding.alpha:
            return _ALPHA_PIXELS
        if encoding.lossless and encoding.pixel_format is None:
            return self.rgb
        return encoding.pixel_format or _DEFAULT_PIXELS

    def filters(self, encoding: Encoding, *, as_planes: bool = False) -> str:
        """Return ffmpeg's filters; "{pad}" is where odd sizes are made even.

        Args:
            encoding: What is asked of the file.
            as_planes: Whether the frames come as the planes that the file has.
        """
        if as_planes:
            return _TAGS
        pixels = self.pixels(encoding)
        if pixels == self.rgb:
            return f"format={pixels}"
        filters = _BT709.replace("{pixels}", pixels)
        is_even = not self.needs_even or pixels != _DEFAULT_PIXELS
        return filters.replace("{pad}", "") if is_even else filters


_X264 = "-preset veryfast"
_X265 = "-c:v libx265 -preset veryfast -tag:v hvc1 -x265-params log-level=error"
_VP9 = "-c:v libvpx-vp9 -deadline realtime -cpu-used 6 -row-mt 1 -b:v 0"
# SVT's, which is better at the same speed, has 4:2:0 alone.
_AOM = "-c:v libaom-av1 -usage realtime -cpu-used 8 -row-mt 1 -b:v 0"

# Their names are also in `settings.clip.CodecName`.
CODECS: dict[str, Codec] = {
    row.name: row
    for row in (
        Codec(
            name="h264",
            # At crf 23 dark areas show blocks; the offset spends 2 % more bytes on clean colours.
            output=f"-c:v libx264 {_X264} -x264-params chroma-qp-offset=-4",
            crf=20,
            most_crf=51,
            # Adaptive quantization takes bits from edges, which is all that a drawing has: at the
            # same size it was half a dB worse.
            drawn=":aq-mode=0:trellis=1",
            drawn_crf=18,
            lossless=f"-c:v libx264 {_X264} -qp 0",
            lossless_rgb=f"-c:v libx264rgb {_X264} -qp 0",
            rgb="rgb24",
            needs_even=True,
        ),
        Codec(
            name="h265",
            output=_X265,
            crf=24,
            most_crf=51,
            lossless=f"{_X265}:lossless=1",
            lossless_rgb=f"{_X265}:lossless=1",
            needs_even=True,
        ),
        Codec(
            name="vp9",
            output=_VP9,
            crf=30,
            most_crf=63,
            lossless=f"{_VP9} -lossless 1",
            lossless_rgb=f"{_VP9} -lossless 1",
            # ffmpeg refuses both together.
            alpha_output="-auto-alt-ref 0",
        ),
        Codec(
            name="av1",
            output="-c:v libsvtav1 -preset 8",
            crf=30,
            most_crf=63,
            lossless=f"{_AOM} -aom-params lossless=1",
            lossless_rgb=f"{_AOM} -aom-params lossless=1",
            output_444=_AOM,
        ),
    )
}
