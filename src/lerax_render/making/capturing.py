"""Environment and policy in, replay out: nothing is painted."""

import dataclasses
import os
import sys
from collections.abc import Callable, Sequence
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import UnsupportedEnvError
from ..naming import given_env
from ..replay import Origin, Replay, joined
from ..scene import Scene
from ..settings import check_policy, check_seed, check_steps, check_whole
from ..sources import Simulation, find_source, is_gymnasium
from ..system import start_jax

if TYPE_CHECKING:
    from ..acting import Key, PyTree


def capture(
    env: Any,
    policy: Any | None = None,
    *,
    steps: int | None = None,
    key: "Key" = None,
    deterministic: bool = False,
    states: "PyTree" = None,
    lanes: int | None = None,
) -> Any:
    """Run a policy in an environment and keep what a picture needs of each step; paint nothing.

    Args:
        env: As for `record`.
        policy: As for `record`.
        steps: Number of steps, the first state included (default 256).
        key: A JAX PRNG key, or a seed for one (default 0).
        deterministic: Whether the policy takes its most likely action instead of a sampled one.
        states: States that you already have, instead of a rollout: a pytree of states stacked along
            a leading axis, an iterable of single states, or a `Rollout` of whole states. Nothing is
            known of their rewards and episodes.
        lanes: Number of rollouts that advance together in one vmapped scan, each with a key of its
            own; `policy` may be a sequence of as many policies.

    Returns:
        A `Replay`; with `lanes` a list of so many, which share one scene.

    Raises:
        ValueError, TypeError: An argument is wrong; nothing was computed.
        UnsupportedEnvError: Nothing here can draw this environment, or it paints its pictures
            itself: then there is nothing to capture, and `record` makes clips of it.
    """
    env = given_env("capture", env)
    check_not_traced("capture", env)
    if given_replays(env) is not None:
        raise TypeError("this is a Replay already: record(replay, path) makes a clip of it")
    if lanes is not None and check_whole("lanes", lanes) < 1:
        raise ValueError(f"lanes must be at least 1, got {lanes}")
    if states is not None:
        scene = kept_scene(env)
        if deterministic or any(given is not None for given in (policy, lanes, steps, key)):
            raise ValueError(
                "states are what there is to capture; leave policy, steps, key, deterministic and "
                "lanes away with them"
            )
        whole = joined(list(find_source(env).replays_of(env, states)))
        return dataclasses.replace(
            whole, scene=scene, origin=origin_of(env, None, None, is_seeded=False)
        )
    replays = capture_lanes(
        env, policy, steps=steps, key=key, deterministic=deterministic, lanes=lanes
    )
    return replays[0] if lanes is None else replays


def capture_lanes(
    env: Any,
    policy: Any | None,
    *,
    steps: int | None,
    key: "Key",
    deterministic: bool,
    lanes: int | None,
    progress: Callable[[int], None] | None = None,
) -> list[Replay]:
    """Capture rollouts as `capture` does; one without `lanes`.

    Args:
        env: The environment itself.
        progress: Called with the number of steps that are done since the last call.
    """
    scene, source = kept_scene(env), find_source(env)
    steps = source.default_steps(env) if steps is None else check_steps(steps)
    key = check_seed(key)
    for each in each_policy(policy, lanes, "lanes"):
        check_policy(env, each)
    parts = []
    for part in source.replays(
        env, policy, steps=steps, key=key, deterministic=deterministic, lanes=lanes
    ):
        parts.append(part)
        if progress is not None:
            progress(part[0].steps)
    origin = origin_of(env, policy, key)
    return [
        dataclasses.replace(joined(lane), scene=scene, origin=origin)
        for lane in zip(*parts, strict=True)
    ]


def kept_scene(env: Any) -> Scene:
    """Return the scene of an environment as it is now, for its replays.

    Raises:
        UnsupportedEnvError: It paints its pictures itself.
    """
    scene = find_source(env).scene(env)
    if not scene.has_steps:
        raise UnsupportedEnvError(
            f"{name_of(env)} paints its pictures itself, so there is nothing to capture that could "
            "be painted later; record(env, policy, path) makes a clip of it"
        )
    return scene.kept()


def given_replays(env: Any) -> list[Replay] | None:
    """Return the replays that were given in the place of an environment, or `None`."""
    if isinstance(env, Replay):
        return [env]
    if not isinstance(env, list | tuple):
        return None
    if not env or not all(isinstance(each, Replay) for each in env):
        raise TypeError(
            "several things to record at once must be Replays, as capture(env, policy) gives them, "
            f"got {[type(each).__name__ for each in env]}"
        )
    return list(env)


def only_path(policy: Any, path: Any) -> tuple[None, Any]:
    """Return the path of a clip of a replay, which may stand where a policy would."""
    if policy is None:
        return None, path
    is_path = isinstance(policy, str | os.PathLike) or callable(getattr(policy, "write", None))
    if path is not None or not is_path:
        raise TypeError(
            "a replay has been acted out already, so there is no place for a policy: "
            f"record(replay, path), got {type(policy).__name__}"
        )
    return None, policy


def cut_replays(
    replays: Sequence[Replay], steps: int | None, key: Any, deterministic: bool
) -> list[Replay]:
    """Return replays that were given, of that many steps at most.

    Raises:
        ValueError: None has so many, or something was given that a rollout alone needs.
    """
    if key is not None or deterministic:
        raise ValueError(
            "a replay has been acted out already: leave key and deterministic away with it"
        )
    longest = max(replay.steps for replay in replays)
    steps = longest if steps is None else check_steps(steps)
    if steps > longest:
        raise ValueError(f"steps is {steps}, and the replay has {longest} steps")
    return [replay if replay.steps <= steps else replay[:steps] for replay in replays]


def each_policy(policy: Any, lanes: int | None, of: str) -> Sequence[Any]:
    """Return the policies that were given, or raise `ValueError` unless there is one a lane."""
    if not isinstance(policy, list | tuple):
        return [policy]
    if len(policy) != lanes:
        raise ValueError(
            f"{len(policy)} policies were given, which needs as many {of}, got "
            f"{lanes or f'no {of}'}"
        )
    return policy


def check_not_traced(what: str, env: Any) -> None:
    """Raise `RuntimeError` in a function that JAX is tracing.

    Raises:
        BackendUnavailableError: JAX cannot compute here.
    """
    jax = sys.modules.get("jax")
    # The question starts JAX, which is none of a simulation's business.
    if jax is None or isinstance(env, Simulation | Replay | list | tuple) or is_gymnasium(env):
        return
    start_jax()
    if isinstance(jax.numpy.zeros(()) + 1, jax.core.Tracer):
        raise RuntimeError(
            f"{what} was called in a function that JAX is tracing, where there are no numbers to "
            "make pictures of: call it outside of jax.jit, or from a jax.debug.callback"
        )


def origin_of(env: Any, policy: Any, key: Any, *, is_seeded: bool = True) -> Origin:
    """Return where a replay of a rollout comes from."""
    if isinstance(policy, list | tuple):
        policy = policy[0]
    return Origin(
        name_of(env),
        None if policy is None else type(policy).__name__,
        _numbers(key) if is_seeded else None,
        versions=package_versions(),
    )


_PACKAGES = ("lerax-render", "lerax", "jax", "mujoco")


def package_versions() -> dict[str, str]:
    """Return the versions of the packages that a replay depends on, by name."""
    return {name: found for name in _PACKAGES if (found := _version(name)) is not None}


@cache
def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _numbers(key: Any) -> tuple[int, ...]:
    if key is None or isinstance(key, int):
        return (0, key or 0)  # as `jax.random.key` has it
    import jax

    from ..acting import typed_key

    return tuple(np.asarray(jax.random.key_data(typed_key(key))).ravel().tolist())


def name_of(env: Any) -> str:
    """Return an environment's name, or its class's."""
    if isinstance(env, str):
        return env
    if is_gymnasium(env):
        return str(env.spec.id) if env.spec is not None else type(env.unwrapped).__name__
    try:
        name = env.name
    except Exception:
        name = None
    return name if isinstance(name, str) else type(env).__name__
