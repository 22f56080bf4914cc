"""Environment and policy in, replay out: nothing is painted."""

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..naming import given_env
from ..replay import Replay, joined
from ..settings import Settings, check_policy, check_seed, check_steps, check_whole
from ..sources import find_source
from .choosing import pick_episodes, whole_episodes
from .counting import Choice
from .given import check_not_traced, each_policy, given_replays, kept_scene, origin_of

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
    episodes: int | None = None,
    pick: Choice = (),
    of: int | None = None,
    max_steps: int | None = None,
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
        episodes: As for `record`: the whole episodes of a replay, or of each lane.
        pick: As for `record`.
        of: As for `record`.
        max_steps: As for `record`.

    Returns:
        A `Replay`; with `lanes` a list of so many, which share one scene; with `pick` a list with a
        replay for each episode that was picked.

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
        others = (policy, lanes, steps, key, episodes, of, max_steps)
        if deterministic or pick or any(given is not None for given in others):
            raise ValueError(
                "states are what there is to capture; leave policy, steps, key, deterministic, "
                "lanes, episodes and pick out"
            )
        whole = joined(list(find_source(env).replays_of(env, states)))
        return dataclasses.replace(
            whole, scene=scene, origin=origin_of(env, None, None, is_seeded=False)
        )
    if pick or any(given is not None for given in (episodes, of, max_steps)):
        replays = _capture_episodes(
            env,
            policy,
            Settings(
                steps=steps,
                episodes=episodes,
                pick=pick,
                of=of,
                max_steps=max_steps,
                deterministic=deterministic,
            ),
            key,
            lanes,
        )
        return replays[0] if lanes is None and not pick else replays
    replays = capture_lanes(
        env, policy, steps=steps, key=key, deterministic=deterministic, lanes=lanes
    )
    return replays[0] if lanes is None else replays


def _capture_episodes(
    env: Any, policy: Any | None, settings: Settings, key: "Key", lanes: int | None
) -> list[Replay]:
    kept_scene(env)
    acting: dict[str, Any] = {
        "max_steps": settings.max_steps,
        "key": key,
        "deterministic": settings.deterministic,
    }
    if settings.episodes is not None:
        return whole_episodes(env, policy, settings.episodes, lanes=lanes, **acting)
    if lanes is not None:
        raise ValueError(
            f"lanes is {lanes}, and pick has a replay for each episode: leave lanes out"
        )
    return pick_episodes(env, policy, settings.pick, of=settings.of, **acting).replays


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
