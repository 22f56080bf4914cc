"""Frames of poses."""

import copy
import itertools
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import override

import mujoco
import numpy as np

from ..painter import Painter
from ..settings import Picture
from .pool import PoseProcesses
from .pool_worker import open_renderer
from .pose import Pose


class PosePainter(Painter):
    """Paints poses of one model; one that is NaN or infinite as its rollout's last that was not.

    Args:
        model: The model.
        picture: What the frames look like.
        workers: How many processes paint; with 1, this one does.
    """

    def __init__(self, model: mujoco.MjModel, picture: Picture, workers: int = 1) -> None:
        self._first = Pose.of(mujoco.MjData(model))
        self._last: dict[int, Pose] = {}
        self._lane = 0
        self._render: Callable[[Iterable[Pose]], Iterator[np.ndarray]]
        if workers > 1:
            processes = PoseProcesses(workers, model, picture)
            self._render, self._close = processes.render, processes.close
        else:
            # A copy, in which the poses' changes are made: others may paint this model, too.
            renderer = open_renderer(copy.copy(model), picture)
            self._render, self._close = partial(map, renderer.render), renderer.close

    @override
    def paint(self, captured: Pose) -> Iterator[np.ndarray]:
        return self._render(map(self._finite, poses(captured)))

    def _finite(self, pose: Pose) -> Pose:
        lane, self._lane = self._lane, (self._lane + 1) % self.lanes
        if pose.is_finite():
            self._last[lane] = pose
        else:
            self.incomplete += 1
        return self._last.get(lane, self._first)

    @override
    def close(self) -> None:
        self._close()


def poses(stacked: Pose) -> Iterator[Pose]:
    """Yield the poses of a stacked pose one by one."""
    *fields, changes = stacked
    each = itertools.repeat(None) if changes is None else changes
    return map(Pose, *fields, each)
