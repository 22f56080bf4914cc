"""What a figure is of: an environment that is going to be acted in, or a replay."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ..making import capture_lanes, cut_replays, kept_scene
from ..replay import Replay
from ..scene import Scene
from ..settings import FigureSettings, check_policy, check_seed, check_steps
from ..sources import find_source
from .moments import asked_for
from .panels import Stage

if TYPE_CHECKING:
    from ..acting import Key


class Subject(NamedTuple):
    """What a figure is of.

    Attributes:
        scene: What stays the same.
        seconds: Between two steps, or `None`.
        length: Number of steps.
        replay: Returns what happened, of a stage that has been opened for panels of a size. Acting
            begins here.
    """

    scene: Scene
    seconds: float | None
    length: int
    replay: Callable[[Stage, tuple[int, int]], Replay]


def acting(
    env: Any,
    policy: Any | None,
    settings: FigureSettings,
    steps: int | None,
    key: "Key",
    deterministic: bool,
    progress: Callable[[int], None] | None,
) -> Subject:
    """Return an environment that is going to be acted in."""
    source = find_source(env)
    scene, seconds = source.scene(env), source.seconds_per_step(env)
    wanted = asked_for(settings, seconds)
    usual = source.default_steps(env) if wanted is None else wanted[-1] + 1
    length = usual if steps is None else check_steps(steps)
    check_policy(env, policy)
    key = check_seed(key)

    def act(stage: Stage, size: tuple[int, int]) -> Replay:
        if scene.has_steps:
            (replay,) = capture_lanes(
                env,
                policy,
                steps=length,
                key=key,
                deterministic=deterministic,
                lanes=None,
                progress=progress,
            )
            return replay
        parts = source.replays(env, policy, steps=length, key=key, deterministic=deterministic)
        return stage.watch((part for (part,) in parts), wanted or (), size)

    return Subject(kept_scene(env) if scene.has_steps else scene, seconds, length, act)


def acted(
    replays: Sequence[Replay],
    settings: FigureSettings,
    steps: int | None,
    key: "Key",
    deterministic: bool,
) -> Subject:
    """Return a replay."""
    if len(replays) > 1:
        raise ValueError(f"a figure is of one replay, got {len(replays)}: give one of them")
    (replay,) = cut_replays(replays, steps, key, deterministic)
    if settings.color_by == "return" and replay.rewards is None:
        raise ValueError(
            "color_by='return' was given, and this replay was captured from given states, which "
            "tell nothing of rewards: leave color_by out"
        )
    return Subject(replay.scene, replay.seconds_per_step, replay.steps, lambda stage, size: replay)
