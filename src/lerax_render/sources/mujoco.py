"""Lerax environments whose state lives in an `mjx.Data`: poses of one model."""

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, override

from ..errors import UnsupportedEnvError
from ..scene import Scene
from .base import CompiledSource

if TYPE_CHECKING:
    from ..acting import PyTree


@dataclass(frozen=True)
class Mujoco(CompiledSource):
    """A Lerax environment with a `mujoco_model`."""

    @override
    def scene(self, env: Any) -> Scene:
        from ..mujoco import MujocoScene

        return MujocoScene(env.unwrapped.mujoco_model)

    @override
    def capture(self, env: Any, state: "PyTree") -> Any:
        from ..mujoco import Pose

        return Pose.of(_find_data(state))


def match(env: Any) -> Mujoco | str:
    """Match environments with a `mujoco_model`, as all of Lerax's MuJoCo environments have."""
    model = getattr(getattr(env, "unwrapped", env), "mujoco_model", None)
    if model is None:
        return f"a MuJoCo model: env.unwrapped has no mujoco_model{_misnamed(env)}"
    import mujoco

    if not isinstance(model, mujoco.MjModel):
        return f"a MuJoCo model: env.unwrapped.mujoco_model is a {type(model).__name__}"
    return Mujoco()


def _misnamed(env: Any) -> str:
    """Say where a model is that has another name."""
    mujoco = sys.modules.get("mujoco")
    attributes = getattr(getattr(env, "unwrapped", env), "__dict__", {})
    for name, value in attributes.items():
        if mujoco is not None and isinstance(value, mujoco.MjModel):
            return f", but a MjModel in {name}: name it mujoco_model"
    return ""


def _find_data(state: "PyTree") -> Any:
    """Return the `mjx.Data` in a state: `sim_state` in Lerax, anywhere in users' environments."""
    import jax
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
