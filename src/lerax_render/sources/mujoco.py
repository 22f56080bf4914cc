"""Lerax environments whose state lives in an `mjx.Data`: poses of one model.

A state may hold an `mjx.Model`, too, which the environment changes at a reset: sizes, colours,
goals. What a picture needs of it is kept where it differs from the model that is drawn.
"""

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, override

from ..errors import UnsupportedEnvError
from ..scene import Captured, Scene
from .base import CompiledSource

if TYPE_CHECKING:
    from collections.abc import Iterator

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
        from mujoco import mjx

        from ..mujoco import Pose, look_of

        data = _chosen(env, state, mjx.Data, "sim_state", "sim_state_name")
        if data is None:
            raise UnsupportedEnvError(
                f"no mjx.Data in a {type(state).__name__}, though its environment has a "
                "mujoco_model: keep the simulation's data in the state, as Lerax's environments do "
                "in sim_state"
            )
        model = _chosen(env, state, mjx.Model, "sim_model", "sim_model_name")
        return Pose.of(data), None if model is None else look_of(model)

    @override
    def on_host(self, env: Any, captured: "PyTree") -> Captured:
        from ..mujoco import changes_of

        pose, look = captured
        if look is None:
            return pose
        return pose._replace(changes=changes_of(env.unwrapped.mujoco_model, look))


def match(env: Any) -> Mujoco | str:
    """Match environments with a `mujoco_model`, as all of Lerax's MuJoCo environments have."""
    model = getattr(getattr(env, "unwrapped", env), "mujoco_model", None)
    if model is None:
        return f"a MuJoCo model: env.unwrapped has no mujoco_model{_misnamed(env)}"
    import mujoco

    if not isinstance(model, mujoco.MjModel):
        return f"a MuJoCo model: env.unwrapped.mujoco_model is a {type(model).__name__}"
    if _draws_otherwise(env):
        return "a MuJoCo picture: the environment has a render and a default_renderer of its own"
    return Mujoco()


def _misnamed(env: Any) -> str:
    """Say where a model is that has another name."""
    mujoco = sys.modules.get("mujoco")
    attributes = getattr(getattr(env, "unwrapped", env), "__dict__", {})
    for name, value in attributes.items():
        if mujoco is not None and isinstance(value, mujoco.MjModel):
            return f", but a MjModel in {name}: name it mujoco_model"
    return ""


def _draws_otherwise(env: Any) -> bool:
    """Whether an environment's author wrote a picture that is not MuJoCo's."""
    if not (_is_written(env, "render") and _is_written(env, "default_renderer")):
        return False
    from lerax.render import Abstract2DRenderer

    from .custom import own_renderer

    try:
        with own_renderer(env) as renderer:
            pass
    except Exception:
        return False  # MuJoCo's own, most likely, which has no display here
    if isinstance(renderer, Abstract2DRenderer):
        return True
    is_mujocos = type(renderer).__module__.partition(".")[0] in ("lerax", "lerax_render", "mujoco")
    return callable(getattr(renderer, "as_array", None)) and not is_mujocos


def _is_written(env: Any, method: str) -> bool:
    """Whether a method is the user's: of the environment or of a wrapper around it."""
    for each in _layers(env):
        owner = next((c for c in type(each).__mro__ if method in vars(c)), object)
        if owner.__module__.partition(".")[0] != "lerax":
            return True
    return False


def _layers(env: Any) -> "Iterator[Any]":
    while env is not None:
        yield env
        env = getattr(env, "env", None)


def _chosen(env: Any, state: "PyTree", kind: type, usual: str, attribute: str) -> Any:
    """Return the one thing of a kind in a state, `None` where there is none.

    Of several it is the one that the environment names, or else the one with the usual name.

    Raises:
        UnsupportedEnvError: It is not clear which.
    """
    import jax

    leaves = jax.tree.leaves_with_path(state, is_leaf=lambda node: isinstance(node, kind))
    found = {
        jax.tree_util.keystr(path).lstrip("."): node
        for path, node in leaves
        if isinstance(node, kind)
    }
    said = getattr(getattr(env, "unwrapped", env), attribute, None)
    for name in (said, usual):
        named = [path for path in found if name and f".{path}".endswith(f".{name}")]
        # In a wrapper's state there may be another one further down.
        named = [path for path in named if path.count(".") == min(p.count(".") for p in named)]
        if len(named) == 1:
            return found[named[0]]
        if name is said is not None:
            break
    if said is None and len(found) <= 1:
        return next(iter(found.values()), None)
    problem = (
        "which one is drawn is not clear"
        if said is None
        else f"{attribute} = {said!r} is the name of {'none' if not named else 'several'}"
    )
    what = f"mjx.{kind.__name__}"
    raise UnsupportedEnvError(
        f"a {type(state).__name__} has {len(found)} {what}: {', '.join(found) or '-'}; {problem}. "
        f"Name it {usual}, or say its name in a class attribute of the environment, for example "
        f'{attribute} = "{next(iter(found), usual)}"'
    )
