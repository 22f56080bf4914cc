"""Replays that are pixels only, for the page: the video of them, which `video.js` goes through."""

from typing import Any

import numpy as np

from ..scene import Captured, Scene
from ..settings import Picture
from ..trees import count_steps
from ..video import Video
from .blob import Blob


def identity(scene: Scene) -> int:
    """Say which scenes are one: none but itself."""
    return id(scene)


def pack_scene(blob: Blob, scene: Scene, picture: Picture) -> dict[str, Any]:
    """Describe what stays the same: nothing."""
    return {"kind": "video"}


def pack_lane(
    blob: Blob,
    scene: Scene,
    packed_scene: dict[str, Any],
    captured: Captured,
    picture: Picture,
    video: Video | None = None,
) -> dict[str, Any]:
    """Describe a video, of which a frame is a step.

    Raises:
        ValueError: There is none, or not a frame for each step.
    """
    steps = count_steps(captured)
    if video is None or video.format != "mp4" or video.num_frames != steps:
        raise ValueError(f"what is pixels only needs an MP4 of its {steps} steps, got {video}")
    content = blob.add(np.frombuffer(video.data, np.uint8))
    return {"fps": float(video.fps), "content": content}
