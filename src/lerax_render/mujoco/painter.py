"""Frames of poses."""

import copy
import itertools
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, override

import mujoco
import numpy as np

from ..errors import warn
from ..painter import Painter
from ..settings import Picture
from .aim import CameraRig, View, find_element, is_in_picture
from .look import Decorate, Ghost, Together, Trails, Users, drawn_as
from .modality import MeasuringRenderer
from .pool import PoseProcesses
from .pool_worker import open_renderer
from .pose import Pose, PoseLoader, poses

type _Shot = tuple[Pose, Decorate | None]


class PosePainter(Painter):
    """Paints poses of one model; one that is NaN or infinite as its rollout's last that was not.

    Args:
        model: The model.
        picture: What the frames look like.
        workers: How many processes paint; with 1, this one does.
        measures: Whether it yields what the picture's modality measures, instead of its picture.
        ghosts: Models of other replays that are seen, too. With some, it paints tuples: poses of
            the model, and of each of these.
    """

    def __init__(
        self,
        model: mujoco.MjModel,
        picture: Picture,
        workers: int = 1,
        *,
        measures: bool = False,
        ghosts: Sequence[mujoco.MjModel] = (),
    ) -> None:
        self._first = Pose.of(mujoco.MjData(model))
        self._last: dict[int, Pose] = {}
        self._lane = 0
        self._expected: deque[int] = deque()
        self._step: Counter[int] = Counter()
        self._decorate = picture.decorate
        self._followed = [
            find_element(model, mujoco.mjtObj.mjOBJ_BODY, body) for body in picture.trail
        ]
        self._trails: dict[int, Trails] = {}
        self._loader = PoseLoader(copy.copy(model), mujoco.MjvOption()) if self._followed else None
        self._ghosts = [_ghost_of(ghost, model, picture) for ghost in ghosts]
        # What the user chose may look past what happens.
        self._doubtful = picture if picture.camera is not None else None
        self._model = model
        self._aim: Callable[[View], None]
        self._render: Callable[[Iterable[_Shot]], Iterator[np.ndarray]]
        if workers > 1:
            processes = PoseProcesses(workers, model, picture)
            self._render, self._close = processes.render, processes.close
            self._aim = processes.aim
        else:
            # A copy, in which the poses' changes are made: others may paint this model, too.
            renderer = open_renderer(copy.copy(model), picture)
            render = renderer.render
            if measures and isinstance(renderer, MeasuringRenderer):
                render = renderer.measure
            self._render, self._close = partial(itertools.starmap, render), renderer.close
            self._aim = renderer.aim

    @override
    def paint(self, captured: Any) -> Iterator[np.ndarray]:
        captured, *others = captured if self._ghosts else (captured,)
        if self._doubtful is not None:
            _warn_if_lost(self._model, captured, self._doubtful)
            self._doubtful = None
        return self._render(map(self._shot, poses(captured), *map(poses, others)))

    @override
    def expect(self, steps: Sequence[int]) -> None:
        if self._decorate is not None:
            self._expected = deque(steps)

    def _shot(self, pose: Pose, *others: Pose) -> _Shot:
        lane, self._lane = self._lane, (self._lane + 1) % self.lanes
        pose = self._finite(pose, lane)
        added: list[Decorate] = []
        if self._loader is not None:
            trails = self._trails.setdefault(lane, Trails(self._model, self._followed))
            self._loader.load(pose)
            trails.goes_on(self._loader.data)
            added.append(trails.so_far())
        for (ghost, loader), other in zip(self._ghosts, others, strict=True):
            # What cannot be painted is not seen.
            if other.is_finite():
                loader.load(other)
                added.append(ghost.at(loader.data))
        if self._decorate is not None:
            step = self._expected.popleft() if self._expected else self._step[lane]
            self._step[lane] = step + 1
            added.append(Users(self._decorate, step))
        return pose, Together(added) if added else None

    def _finite(self, pose: Pose, lane: int) -> Pose:
        if pose.is_finite():
            self._last[lane] = pose
        else:
            self.incomplete += 1
        return self._last.get(lane, self._first)

    @override
    def aim(self, view: View) -> None:
        self._doubtful = None
        self._aim(view)

    @override
    def close(self) -> None:
        self._close()


def _ghost_of(
    ghost: mujoco.MjModel, model: mujoco.MjModel, picture: Picture
) -> tuple[Ghost, PoseLoader]:
    drawn = drawn_as(ghost, replace(picture, color=None))
    own = copy.copy(drawn.model)
    return Ghost(own, model, drawn.options), PoseLoader(own, drawn.options)


def _warn_if_lost(model: mujoco.MjModel, captured: Pose, picture: Picture) -> None:
    width, height = picture.size
    rig = CameraRig(model, picture.camera, width / height, mujoco.MjvOption().geomgroup)
    if not is_in_picture(model, captured, rig, width / height):
        warn(
            f"nothing that moves is in the picture of camera {picture.camera!r}, at least in the "
            f"first {len(captured.time)} steps; leave the camera out to have one chosen"
        )
