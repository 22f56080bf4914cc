"""MuJoCo environments: the pose of each state, painted by MuJoCo in one persistent `MjData`."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, override

import jax
import numpy as np

from ..acting import PyTree
from ..errors import UnsupportedEnvError
from ..mujoco import Pose, PoseProcesses, open_renderer
from .base import Painter, PixelFormat, Source


@dataclass(frozen=True)
class Mujoco(Source):
    """An environment with an MJX state and the `mujoco.MjModel` it was made from."""

    def capture(self, env: Any, state: PyTree) -> Pose:
        """Return the pose: positions, activations, motion capture, time."""
        return Pose.of(_find_data(state))

    def painter(
        self,
        env: Any,
        width: int,
        height: int,
        *,
        camera: Any | None,
        quality: str,
        pixel_format: PixelFormat,
        workers: int = 1,
    ) -> Painter:
        """Return a painter with a GL context of its own."""
        return PosePainter(env.unwrapped.mujoco_model, width, height, camera, quality, workers)


class PosePainter(Painter):
    """Paints poses of one model; one that is NaN or infinite as the last that was not.

    Args:
        model: A `mujoco.MjModel`.
        width: In pixels.
        height: In pixels.
        camera: As for `HeadlessMujocoRenderer`.
        quality: As for `HeadlessMujocoRenderer`, or `"cinematic"`.
        workers: How many processes paint; with 1, this one does.
    """

    def __init__(
        self,
        model: Any,
        width: int,
        height: int,
        camera: Any | None,
        quality: str,
        workers: int = 1,
    ) -> None:
        import mujoco

        self._last = Pose.of(mujoco.MjData(model))
        self._render: Callable[[Iterable[Pose]], Iterator[np.ndarray]]
        if workers > 1:
            processes = PoseProcesses(workers, model, width, height, camera, quality)
            self._render, self._close = processes.render, processes.close
        else:
            renderer = open_renderer(model, width, height, camera, quality)
            self._render, self._close = partial(map, renderer.render), renderer.close

    @override
    def paint(self, captured: Pose) -> Iterator[np.ndarray]:
        return self._render(map(self._finite, poses(captured)))

    def _finite(self, pose: Pose) -> Pose:
        if pose.is_finite():
            self._last = pose
        else:
            self.incomplete += 1
        return self._last

    @override
    def close(self) -> None:
        self._close()


def poses(stacked: Pose) -> Iterator[Pose]:
    """Yield the poses of a stacked pose one by one."""
    for t in range(len(stacked.qpos)):
        yield jax.tree.map(lambda x, t=t: x[t], stacked)


def match(env: Any) -> Source | str:
    """Match environments with a `mujoco_model`, as all of Lerax's MuJoCo environments have."""
    model = getattr(getattr(env, "unwrapped", env), "mujoco_model", None)
    if model is None:
        return "a MuJoCo model: env.unwrapped has no mujoco_model"
    import mujoco

    if not isinstance(model, mujoco.MjModel):
        return f"a MuJoCo model: env.unwrapped.mujoco_model is a {type(model).__name__}"
    return Mujoco()


def _find_data(state: PyTree) -> Any:
    """Return the `mjx.Data` in a state: `sim_state` in Lerax, anywhere in users' environments."""
    from mujoco import mjx

    def is_data(node: Any) -> bool:
        return isinstance(node, mjx.Data)

    found = [node for node in jax.tree.leaves(state, is_leaf=is_data) if is_data(node)]
    if not found:
        raise UnsupportedEnvError(
            f"no mjx.Data in a {type(state).__name__}, though its environment has a mujoco_model: "
            "keep the simulation's data in the state, as Lerax's environments do in sim_state"
        )
    return found[0]
