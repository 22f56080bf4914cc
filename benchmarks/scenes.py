"""The environments and pictures that several benchmarks share."""

from collections.abc import Callable
from pathlib import Path

import mujoco
import numpy as np


def gymnasium_mjcf(name: str) -> str:
    """Return the path of one of Gymnasium's MuJoCo models."""
    import gymnasium

    return str(Path(gymnasium.__file__).parent / "envs/mujoco/assets" / f"{name}.xml")


class Poses:
    """The first poses of a model that falls, to be shown again and again.

    Args:
        name: Of one of Gymnasium's models.
        count: How many.
    """

    def __init__(self, name: str, count: int) -> None:
        self.model = mujoco.MjModel.from_xml_path(gymnasium_mjcf(name))
        self.data = mujoco.MjData(self.model)
        self._poses = []
        for _ in range(count):
            mujoco.mj_step(self.model, self.data, 5)
            self._poses.append(self.data.qpos.copy())

    def loop(self, show: Callable[[], object]) -> Callable[[], None]:
        """Return a function that calls `show` with each pose in `data`."""

        def run() -> None:
            for qpos in self._poses:
                self.data.qpos[:] = qpos
                mujoco.mj_forward(self.model, self.data)
                show()

        return run


def bare(renderer: mujoco.Renderer, data: mujoco.MjData, camera: mujoco.MjvCamera) -> np.ndarray:
    """Return the picture of the loop that MuJoCo's own documentation shows."""
    renderer.update_scene(data, camera)
    return renderer.render()
