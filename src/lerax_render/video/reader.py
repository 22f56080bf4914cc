"""From an encoded clip back to frames."""

from fractions import Fraction
from pathlib import Path

import numpy as np

from ..errors import BackendUnavailableError, EncodeError
from .destination import numbered
from .ffmpeg import Ffmpeg, demuxers
from .formats import Format
from .work_folder import WorkFolder


def decode(
    source: bytes | tuple[Path, ...],
    format: Format,
    fps: float,
    num_frames: int,
    height: int,
    width: int,
) -> np.ndarray:
    """Decode a whole clip.

    Args:
        source: the clip's bytes or its files, in order.
        format: its format.
        fps: the frames per second at which it plays.
        num_frames: how many frames it shows.
        height: its height in pixels.
        width: its width in pixels.

    Returns:
        uint8 (num_frames, height, width, 3), RGB, row 0 on top.

    Raises:
        BackendUnavailableError: there is no ffmpeg, or neither it nor Pillow reads animated WebP.
        EncodeError: ffmpeg could not read the clip, or it has other frames than stated.
    """
    frames = np.empty((num_frames, height, width, 3), np.uint8)
    with WorkFolder() as folder:
        clip = folder / format.file_name
        if isinstance(source, bytes):
            clip.write_bytes(source)
        else:
            # ffmpeg would take parts of the files' own names for protocols, options or fields.
            for number, file in enumerate(source):
                numbered(clip, number).symlink_to(file)
        if not format.merges_repeats:
            decoded = _read(clip, ["-fps_mode", "passthrough"], frames)
        elif "webp_anim" in demuxers():
            rate = Fraction(fps).limit_denominator(100_000)
            options = ["-fps_mode", "cfr", "-r", str(rate), "-frames:v", str(num_frames)]
            decoded = _read(clip, options, frames)
        else:
            decoded = _read_with_pillow(clip, fps, frames)
    if format.merges_repeats and 0 < decoded < num_frames:
        # A last frame without duration, or a picture that never changed.
        frames[decoded:] = frames[decoded - 1]
        decoded = num_frames
    if decoded != num_frames:
        raise EncodeError(
            f"the {format.name} does not hold {num_frames} frames of {width}x{height} pixels"
        )
    return frames


def _read(clip: Path, options: list[str], frames: np.ndarray) -> int:
    """Fill `frames` from ffmpeg and return how many of this size there are; -1 if others."""
    ffmpeg = Ffmpeg(
        ["-i", clip.name, *options, "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"], clip.parent
    )
    try:
        received = ffmpeg.receive(memoryview(frames).cast("B"))
        decoded = ffmpeg.finish()
    finally:
        ffmpeg.kill()
    return decoded if decoded * frames[0].size == received else -1


def _read_with_pillow(clip: Path, fps: float, frames: np.ndarray) -> int:
    """The same for animated WebP, which older versions of ffmpeg do not read."""
    try:
        from PIL import Image, ImageSequence
    except ImportError as error:
        raise BackendUnavailableError(
            "this ffmpeg does not read animated WebP; install Pillow, which does, with "
            "`pip install pillow`"
        ) from error
    decoded, seconds = 0, 0.0
    with Image.open(clip) as image:
        for picture in ImageSequence.Iterator(image):
            pixels = np.asarray(picture.convert("RGB"))
            if pixels.shape != frames.shape[1:]:
                return -1
            seconds += picture.info["duration"] / 1000
            end = max(decoded + 1, round(seconds * fps))
            frames[decoded:end] = pixels
            decoded = end
    return min(decoded, len(frames))
