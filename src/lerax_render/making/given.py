"""What was given to be recorded or captured: an environment, replays, policies, a key."""

import dataclasses
import math
import os
import sys
from collections.abc import Sequence
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING, Any, NamedTuple

from ..compose import check_answers
from ..errors import UnsupportedEnvError
from ..replay import Origin, Replay, lengthened
from ..scene import Scene
from ..settings import Settings, check_room, check_steps, nearly_square
from ..sources import Simulation, find_source, is_gymnasium, key_numbers
from ..system import start_jax

if TYPE_CHECKING:
    from ..acting import Key


class Given(NamedTuple):
    """What is to be recorded.

    Attributes:
        env: The environment itself, or the replays that were given in its place.
        replays: Those replays, or `None`.
        policy: As for `record`.
        key: As for `record`.
    """

    env: Any
    replays: list[Replay] | None = None
    policy: Any | None = None
    key: "Key" = None


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
        raise ValueError("a replay has been acted out already: leave key and deterministic out")
    longest = max(replay.steps for replay in replays)
    steps = longest if steps is None else check_steps(steps)
    if steps > longest:
        raise ValueError(f"steps is {steps}, and the replay has {longest} steps")
    return [replay if replay.steps <= steps else replay[:steps] for replay in replays]


def side_by_side(settings: Settings, replays: Sequence[Replay]) -> tuple[Settings, list[Replay]]:
    """Return the settings of a clip of replays, and these all as long as it is."""
    for replay in replays:
        check_answers(settings.overlay, replay)
    seconds = {replay.seconds_per_step for replay in replays}
    if len(seconds) > 1 and settings.fps is None:
        raise ValueError(
            "the replays have steps of different lengths, "
            f"{sorted(s or 0 for s in seconds)} seconds: give fps, frames a second"
        )
    if (len(replays) > 1 or settings.labels) and settings.grid is None:
        settings = dataclasses.replace(settings, grid=nearly_square(len(replays)))
    else:
        check_room(settings.grid, len(replays), "replays")
    if settings.labels and len(settings.labels) == len(replays):
        empty = math.prod(settings.grid or (1, 1)) - len(replays)
        settings = dataclasses.replace(settings, labels=[*settings.labels, *[""] * empty])
    longest = max(replay.steps for replay in replays)
    return settings, [lengthened(replay, longest) for replay in replays]


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
    # Of all that JAX computes, this a rollout needs in any case.
    if isinstance(jax.random.key(0), jax.core.Tracer):
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
        tuple(key_numbers(key)) if is_seeded else None,
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
