"""Frames as pictures."""

import numpy as np

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


def still_of(frame: np.ndarray) -> bytes:
    """Return a frame, `uint8 (H, W, 3)` RGB, as a WebP picture.

    Raises:
        EncodeError: ffmpeg could not encode it.
        BackendUnavailableError: there is no ffmpeg.
    """
    height, width, _ = frame.shape
    source = f"-f rawvideo -pix_fmt rgb24 -s {width}x{height} -i pipe:0"
    with WorkFolder() as folder:
        picture = _PICTURE.replace("-quality 85", "-quality 85 -compression_level 2")
        ffmpeg = Ffmpeg([*source.split(), *picture.split()], folder)
        try:
            ffmpeg.send(memoryview(np.ascontiguousarray(frame)).cast("B"))
            ffmpeg.finish()
        finally:
            ffmpeg.kill()
        return (folder / "still.webp").read_bytes()
