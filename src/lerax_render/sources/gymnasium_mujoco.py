"""Gymnasium's environments that are MuJoCo inside, painted by us: poses of their model.

Such is one that leaves its picture to Gymnasium. One that draws anything by itself, or whose
picture was asked for in another way (`camera_name`, `visual_options`), paints itself.
"""

import copy
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, override

import numpy as np

from ..scene import Captured, Scene
from ..trees import row
from .gymnasium import GymnasiumSource, gymnasium_in
from .simulation import single

if TYPE_CHECKING:
    from ..mujoco import Pose

# Where each class is that paints a `model` and its `data` with a `mujoco_renderer`.
_BASES = {
    "MujocoEnv": "gymnasium.envs.mujoco.mujoco_env",
    "MujocoRobotEnv": "gymnasium_robotics.envs.robot_env",
}


@dataclass(frozen=True)
class GymnasiumMujoco(GymnasiumSource):
    """An environment whose `render` is that of Gymnasium's `MujocoEnv`."""

    @override
    def scene(self, env: Any) -> Scene:
        from ..mujoco import MujocoScene

        return MujocoScene(_base(env).model)

    @override
    def watch(self, inner: Any) -> Callable[[], "Pose"]:
        from ..mujoco import Pose, changes_of, look_of

        base = inner.unwrapped
        drawn = copy.copy(base.model)
        # Gymnasium-Robotics lays its marks there.
        prepare = getattr(base, "_render_callback", lambda: None)
        look: dict[str, np.ndarray] = {}
        changes: Any = None

        def pose() -> Pose:
            nonlocal look, changes
            prepare()
            now = look_of(base.model)
            # The same object as long as nothing changes, which is all that a painter compares.
            if not look or any((now[name] != look[name]).any() for name in look):
                look = {name: np.array(value) for name, value in now.items()}
                (changes,) = changes_of(drawn, {name: look[name][None] for name in look})
            return single(Pose.of(base.data))._replace(changes=changes)

        return pose

    @override
    def surroundings(self) -> AbstractContextManager[Any]:
        return nullcontext()

    @override
    def stacked(self, captured: Sequence["Pose"]) -> Captured:
        poses = super().stacked([pose._replace(changes=None) for pose in captured])
        return poses._replace(changes=row(pose.changes for pose in captured))


def match(env: Any) -> GymnasiumMujoco | str:
    """Match `MujocoEnv`, wrapped or not, and in `GymToLeraxEnv`."""
    wanted = "a MujocoEnv of Gymnasium's"
    inner = gymnasium_in(env)
    if inner is None:
        return wanted
    base = inner.unwrapped
    # Instances can exist only where their modules have been imported already.
    modules = ((sys.modules.get(module), name) for name, module in _BASES.items())
    bases = [getattr(module, name) for module, name in modules if module is not None]
    kind = next((each for each in bases if isinstance(base, each)), None)
    if kind is None or not _is_left_alone(inner, kind):
        return f"{wanted} that leaves its picture to Gymnasium"
    return GymnasiumMujoco()


def _base(env: Any) -> Any:
    inner = gymnasium_in(env)
    assert inner is not None
    return inner.unwrapped


def _is_left_alone(inner: Any, kind: type) -> bool:
    """Whether a picture is what Gymnasium makes of the model, and nobody asked for another."""
    from gymnasium.envs.mujoco.mujoco_rendering import MujocoRenderer

    base, renderer = inner.unwrapped, inner.unwrapped.mujoco_renderer
    methods = [(base, kind.render), (renderer, MujocoRenderer.render)]  # type: ignore[attr-defined]
    if any(type(each).render is not own or "render" in vars(each) for each, own in methods):
        return False
    while inner is not base:
        if not type(inner).render.__module__.startswith("gymnasium."):
            return False
        inner = inner.env
    asked = (getattr(base, name, None) for name in ("camera_id", "camera_name"))
    return all(each is None for each in asked) and not renderer._vopt
