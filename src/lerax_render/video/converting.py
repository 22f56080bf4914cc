"""A clip in another format."""

import contextlib
import os
from pathlib import Path

from .video import Video
from .writer import VideoWriter


def convert(video: Video, path: str | os.PathLike[str]) -> Path:
    """Write a clip in the format that a path's suffix names.

    Raises:
        ValueError, EncodeError, BackendUnavailableError: As `VideoWriter` and `Video.frames`.
    """
    writer = VideoWriter(path, video.fps, width=video.width, height=video.height)
    with contextlib.closing(video.stream()) as frames, writer:
        for frame in frames:
            writer.write(frame)
    converted = writer.video.path
    assert converted is not None
    return converted
