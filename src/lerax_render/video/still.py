"""Frames as pictures."""

import os
import shutil
from pathlib import Path

import numpy as np

from .destination import open_destination
from .ffmpeg import Ffmpeg
from .formats import FORMATS
from .reader import place_clip
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
    with WorkFolder() as folder:
        source = video.files[:1] if video.content is None else video.content
        clip = place_clip(folder, FORMATS[video.format], source)
        ffmpeg = Ffmpeg(["-i", clip.name, *_PICTURE.split()], folder)
        try:
            ffmpeg.finish()
        finally:
            ffmpeg.kill()
        return (folder / "still.webp").read_bytes()


_POSTER = "poster"
_JPEG = "scale=out_range=pc,format=yuvj444p -c:v mjpeg -q:v 2 -fflags +bitexact"
_POSTERS = {".png": "format=rgb24 -c:v png", ".jpg": _JPEG, ".jpeg": _JPEG}


class Poster:
    """The first frame as a picture of its own, made in the run of ffmpeg that makes the clip.

    Attributes:
        output: ffmpeg's options for it, as one more output.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Check a path; nothing is created yet.

        Raises:
            TypeError: it is no path.
            ValueError: it ends in neither .png nor .jpg nor .jpeg, or cannot be written.
        """
        if not isinstance(path, str | os.PathLike):
            raise TypeError(f"poster must be a path, got {type(path).__name__}")
        options = _POSTERS.get(Path(path).suffix.lower())
        if options is None:
            raise ValueError(
                f"poster must be a file that ends in {', '.join(_POSTERS)}, got {str(path)!r}"
            )
        # Any format of one file.
        self._destination = open_destination(path, FORMATS["webp"])
        self.output = [*f"-vf {options} -frames:v 1 -update 1 -f image2 {_POSTER}".split()]

    def deliver(self, work: Path) -> None:
        """Bring the finished picture in ffmpeg's folder to its place.

        Raises:
            EncodeError: the disk refused it.
        """
        # The clip may go to another disk.
        with self._destination.work_folder() as beside:
            shutil.copyfile(work / _POSTER, beside / _POSTER)
            self._destination.deliver(beside / _POSTER, 1)


def still_of(frame: np.ndarray, quality: int = 85) -> bytes:
    """Return a frame, `uint8 (H, W, 3)` RGB, as a WebP picture of a quality up to 100.

    Raises:
        EncodeError: ffmpeg could not encode it.
        BackendUnavailableError: there is no ffmpeg.
    """
    height, width, _ = frame.shape
    source = f"-f rawvideo -pix_fmt rgb24 -s {width}x{height} -i pipe:0"
    with WorkFolder() as folder:
        picture = _PICTURE.replace("-quality 85", f"-quality {quality} -compression_level 2")
        ffmpeg = Ffmpeg([*source.split(), *picture.split()], folder)
        try:
            ffmpeg.send(memoryview(np.ascontiguousarray(frame)).cast("B"))
            ffmpeg.finish()
        finally:
            ffmpeg.kill()
        return (folder / "still.webp").read_bytes()
