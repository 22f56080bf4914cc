"""What happened to the things in a model: where the points that can be seen were at each step."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import mujoco
import numpy as np

from .visible import Points

# Steps that are looked at together: a few megabytes.
_CHUNK = 128


class Motion:
    """The places of a model's bodies in a rollout.

    Args:
        model: The model.
        poses: A stacked `Pose` of `T` steps. Those that are not finite are left out.

    Attributes:
        model: The model.
        steps: Number of steps that are left, at least 1: without any, the model's initial one.
        qpos: Their joint positions, `(steps, nq)`.
        com: Of each body and its children, `(steps, nbody, 3)` metres.
    """

    def __init__(self, model: mujoco.MjModel, poses: Any) -> None:
        fields = [
            np.asarray(getattr(poses, name), float) for name in ("qpos", "mocap_pos", "mocap_quat")
        ]
        flat = [field.reshape(len(field), -1) for field in fields]
        good = np.all([(np.abs(f) < mujoco.mjMAXVAL).all(axis=1) for f in flat], axis=0)
        self.model = model
        self._fields = [field[good] for field in fields]
        if not good.any():
            data = mujoco.MjData(model)
            self._fields = [data.qpos[None], data.mocap_pos[None], data.mocap_quat[None]]
        self.qpos = self._fields[0]
        self.steps = len(self.qpos)
        self._positions = np.empty((self.steps, model.nbody, 3), np.float32)
        self._turns = np.empty((self.steps, model.nbody, 9), np.float32)
        self.com = np.empty((self.steps, model.nbody, 3), np.float32)
        data = mujoco.MjData(model)
        for step in range(self.steps):
            self.place(data, step)
            self._positions[step], self._turns[step] = data.xpos, data.xmat
            self.com[step] = data.subtree_com

    def place(self, data: mujoco.MjData, step: int) -> None:
        """Put the bodies of `data` where they were at a step."""
        data.qpos[:], data.mocap_pos[:], data.mocap_quat[:] = (f[step] for f in self._fields)
        mujoco.mj_kinematics(self.model, data)
        mujoco.mj_comPos(self.model, data)

    def places(self, points: Points, steps: np.ndarray | None = None) -> Iterator[np.ndarray]:
        """Yield where points were, `float32 (t, P, 3)`, of consecutive steps or the given ones."""
        local = points.place.astype(np.float32)
        for start in range(0, self.steps if steps is None else len(steps), _CHUNK):
            chunk: Any = slice(start, start + _CHUNK)
            if steps is not None:
                chunk = steps[chunk]
            turns = self._turns[chunk][:, points.body].reshape(-1, len(points), 3, 3)
            yield self._positions[chunk][:, points.body] + np.einsum("tpij,pj->tpi", turns, local)


class Boxes:
    """The boxes around things, at each step of a motion.

    Args:
        motion: What happened.
        points: What can be seen.

    Attributes:
        things: Their numbers, as in `Points.thing`, `int (K,)`.
        low: Lower corners, `(steps, K, 3)` metres.
        high: Upper corners, likewise.
    """

    def __init__(self, motion: Motion, points: Points) -> None:
        order = np.argsort(points.thing, kind="stable")
        points = points[order]
        self.things, starts = np.unique(points.thing, return_index=True)
        radius = points.radius.astype(np.float32)[:, None]
        low, high = [], []
        least = np.full((len(points), 3), np.inf, np.float32)
        most = -least
        for places in motion.places(points):
            low.append(np.minimum.reduceat(places - radius, starts, axis=1))
            high.append(np.maximum.reduceat(places + radius, starts, axis=1))
            least = np.minimum(least, places.min(axis=0))
            most = np.maximum(most, places.max(axis=0))
        self.low, self.high = np.concatenate(low), np.concatenate(high)
        paths = np.linalg.norm(most - least, axis=1)
        self._paths = np.maximum.reduceat(paths, starts)

    @cached_property
    def sizes(self) -> np.ndarray:
        """How large each thing usually is, `(K,)` metres: its longest side."""
        sizes: np.ndarray = np.median((self.high - self.low).max(axis=2), axis=0)
        return sizes

    def moved(self, share: float) -> np.ndarray:
        """Return which things moved by more than a share of their size, `bool (K,)`."""
        moved: np.ndarray = (self.things > 0) & (self._paths > share * self.sizes)
        return moved

    def gaps(self, one: int) -> np.ndarray:
        """Return how far each thing was from one of them, at each step, `(steps, K)` metres."""
        apart = np.maximum(self.low - self.high[:, [one]], self.low[:, [one]] - self.high)
        gaps: np.ndarray = np.maximum(apart, 0).max(axis=2)
        return gaps
