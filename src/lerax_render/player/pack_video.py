"""Replays that are pixels only, for the page: the video of them, which `video.js` goes through."""

from typing import Any

import numpy as np

from ..scene import Captured, Scene
from ..settings import Picture
from ..video import Video
from .blob import Blob


def pack_scene(blob: Blob, scene: Scene, picture: Picture, video: Video | None) -> dict[str, Any]:
    """Describe a video, which is the scene and its only lane.

    Raises:
        ValueError: There is none.
    """
    if video is None or video.format != "mp4":
        raise ValueError(f"what is pixels only needs an MP4 of its steps in videos, got {video}")
    content = blob.add(np.frombuffer(video.data, np.uint8))
    return {"kind": "video", "fps": float(video.fps), "content": content}


def pack_lane(blob: Blob, scene: Scene, captured: Captured, picture: Picture) -> dict[str, Any]:
    """Add nothing: a step is a frame of the video."""
    return {}
