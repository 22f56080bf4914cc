"""Frames as pictures."""

import os
import shutil
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from .destination import open_destination
from .ffmpeg import Ffmpeg
from .formats import FORMATS
from .reader import decoder_of, place_clip
from .video import Video
from .work_folder import WorkFolder

# From RGB: a WebP has no other colours than BT.601's, and ffmpeg would take BT.709's for those.
_PICTURE = "-frames:v 1 -vf format=bgra -c:v libwebp -quality 85 -f webp still.webp"


def make_still(video: Video) -> bytes:
    """Return the first frame of a clip as a WebP picture.

    Raises:
        EncodeError: ffmpeg could not read the clip.
        BackendUnavailableError: there is no ffmpeg.
    """
    row = FORMATS[video.format]
    with WorkFolder() as folder:
        source = video.files[:1] if video.content is None else video.content
        clip = place_clip(folder, row, source)
        decoder = decoder_of(row, alpha=video.has_alpha)
        ffmpeg = Ffmpeg([*decoder, "-i", clip.name, *_PICTURE.split()], folder)
        try:
            ffmpeg.finish()
        finally:
            ffmpeg.kill()
        return (folder / "still.webp").read_bytes()


_POSTER = "poster"
_JPEG = "scale=out_range=pc,format=yuvj444p -c:v mjpeg -q:v 2 -fflags +bitexact"
_POSTERS = {".png": "format={rgb} -c:v png", ".jpg": _JPEG, ".jpeg": _JPEG}
_ON_WHITE = "split[a][b];[a]drawbox=color=white:t=fill:replace=1[w];[w][b]overlay=format=rgb"


class Poster:
    """The first frame as a picture of its own, made in the run of ffmpeg that makes the clip.

    It has an alpha channel where the clip and its own format have one; a JPEG is on white.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Check a path; nothing is created yet.

        Raises:
            TypeError: it is no path.
            ValueError: it ends in neither .png nor .jpg nor .jpeg, or cannot be written.
        """
        if not isinstance(path, str | os.PathLike):
            raise TypeError(f"poster must be a path, got {type(path).__name__}")
        self._options = _POSTERS.get(Path(path).suffix.lower(), "")
        if not self._options:
            raise ValueError(
                f"poster must be a file that ends in {', '.join(_POSTERS)}, got {str(path)!r}"
            )
        # Any format of one file.
        self._destination = open_destination(path, FORMATS["webp"])

    def output(self, *, alpha: bool) -> list[str]:
        """ffmpeg's options for it, as one more output of frames with or without alpha."""
        options = self._options.replace("{rgb}", "rgba" if alpha else "rgb24")
        if alpha and self._options == _JPEG:
            options = f"format=rgba,{_ON_WHITE},{options}"
        return f"-vf {options} -frames:v 1 -update 1 -f image2 {_POSTER}".split()

    def deliver(self, work: Path) -> None:
        """Bring the finished picture in ffmpeg's folder to its place.

        Raises:
            EncodeError: the disk refused it.
        """
        # The clip may go to another disk.
        with self._destination.work_folder() as beside:
            shutil.copyfile(work / _POSTER, beside / _POSTER)
            self._destination.deliver(beside / _POSTER, 1)


def still_of(frame: np.ndarray) -> bytes:
    """Return a frame, `uint8 (H, W, 3)` RGB or `(H, W, 4)` RGBA, as a WebP picture.

    Raises:
        EncodeError: ffmpeg could not encode it.
        BackendUnavailableError: there is no ffmpeg.
    """
    height, width, channels = frame.shape
    pixels = {3: "rgb24", 4: "rgba"}[channels]
    source = f"-f rawvideo -pix_fmt {pixels} -s {width}x{height} -i pipe:0"
    with WorkFolder() as folder:
        picture = _PICTURE.replace("-quality 85", "-quality 85 -compression_level 2")
        ffmpeg = Ffmpeg([*source.split(), *picture.split()], folder)
        try:
            ffmpeg.send(memoryview(np.ascontiguousarray(frame)).cast("B"))
            ffmpeg.finish()
        finally:
            ffmpeg.kill()
        return (folder / "still.webp").read_bytes()


def png_of(pixels: np.ndarray, texts: Mapping[str, str] | None = None) -> bytes:
    """Return an image as a PNG.

    Args:
        pixels: `uint8 (H, W, 3 or 4)`, RGB or RGBA, or `uint16 (H, W)`, grey.
        texts: What is said about it, by keys.
    """
    height, width = pixels.shape[:2]
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    size = pixels.dtype.itemsize
    # In PNG the larger byte comes first.
    octets = pixels.astype(pixels.dtype.newbyteorder(">")).reshape(height, -1).view(np.uint8)
    # Each row as its difference from the one above, PNG's filter 2.
    rows = np.empty((height, 1 + octets.shape[1]), np.uint8)
    rows[:, 0] = 2
    rows[:, 1:] = np.diff(octets, axis=0, prepend=np.zeros_like(octets[:1]))
    kind = {1: 0, 3: 2, 4: 6}[channels]
    chunks = [_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8 * size, kind, 0, 0, 0))]
    for key, text in (texts or {}).items():
        chunks.append(_chunk(b"iTXt", key.encode() + b"\0" * 5 + text.encode()))
    chunks += [_chunk(b"IDAT", zlib.compress(rows.tobytes(), 6)), _chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _chunk(name: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)


def small_png_of(frame: np.ndarray, width: int) -> bytes:
    """Return a frame, `uint8 (H, W, 3)` RGB, as a PNG that is `width` pixels wide at most.

    It has 16 levels of each colour, which makes it less than half as large.
    """
    factor = min(-(-frame.shape[1] // width), *frame.shape[:2])
    height, width = (side // factor for side in frame.shape[:2])
    cells = frame[: height * factor, : width * factor]
    means = cells.reshape(height, factor, width, factor, 3).mean((1, 3))
    return png_of((np.rint(means * (15 / 255)) * 17).astype(np.uint8))
