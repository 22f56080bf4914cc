"""The frames of a replay, read one by one like those of a clip."""

import contextlib
import itertools
from collections.abc import Iterator
from typing import Any, Self

import numpy as np

from ..replay import Replay
from ..settings import Picture


class ReplayReader:
    """Paints a replay's frames as they are asked for, as `VideoReader` decodes those of a clip.

    Args:
        replay: The replay.
        picture: What its frames look like.
        view: From where it is seen, as `Scene.aimed` has it, or `None` where that is given.
        max_frames: How many frames to read at most.
    """

    def __init__(
        self, replay: Replay, picture: Picture, view: Any = None, max_frames: int | None = None
    ) -> None:
        self._replay = replay
        self._picture = picture
        self._view = view
        self._max_frames = max_frames
        self._frames: Iterator[np.ndarray] = iter(())
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        painter = self._stack.enter_context(self._replay.scene.painter(self._picture))
        if self._view is not None:
            painter.aim(self._view)
        frames = painter.paint(self._replay.captured)
        self._frames = itertools.islice(frames, self._max_frames)
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()

    def __iter__(self) -> Iterator[np.ndarray]:
        return self._frames

    def read(self) -> np.ndarray | None:
        """Return the next frame, `uint8 (H, W, 3)` RGB, or `None` after the last one."""
        return next(self._frames, None)
