"""Gymnasium's environments, as they are or inside Lerax's `GymToLeraxEnv`, painted by themselves.

Such an environment lives on the host: its state is not in a Lerax state, and a picture of it can
only be taken between two steps. So it is stepped one by one. Without a policy, Gymnasium alone
steps it, with actions of its own action space, whatever they are. A policy of Lerax acts in it
through `GymToLeraxEnv`.
"""

import sys
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, override

import numpy as np

from ..errors import RenderError, UnsupportedEnvError, named
from ..painter import Painter
from ..replay import LARGEST_OBSERVATION, Replay
from ..scene import Captured, Scene
from ..system import start_jax
from ..trees import count_bytes, map_arrays, row
from .base import PixelScene, plain
from .host import HostSource, HostStep, seed_of
from .stability import watched

# Not at run time: what MuJoCo draws needs no pygame.
if TYPE_CHECKING:
    from ..paint2d import Fitter


class GymnasiumSource(HostSource):
    """What all of Gymnasium's environments share: how they are stepped."""

    kind: ClassVar[str] = "a Gymnasium environment"

    @abstractmethod
    def watch(self, inner: Any) -> Callable[[], Any]:
        """Return what captures a Gymnasium environment as it is when that is called."""

    @abstractmethod
    def surroundings(self) -> AbstractContextManager[Any]:
        """Return what such an environment has to be stepped and drawn in."""

    @override
    def copies(self, env: Any, count: int, open_ones: ExitStack) -> Sequence[Any]:
        return [env, *_others(env, count - 1, open_ones)]

    @override
    def step_through(
        self, env: Any, policy: Any | None, *, steps: int, key: Any, deterministic: bool
    ) -> Iterator[HostStep]:
        """Yield steps of which a picture is captured.

        Raises:
            UnsupportedEnvError: Lerax cannot step this environment for a policy.
            RenderError: The environment itself failed; the message names its method and the line.
        """
        if policy is None and is_gymnasium(env):
            taken = _sampled(env, steps, key)
        else:
            taken = _acted(in_lerax(env), policy, steps, key, deterministic)
        inner: Any = gymnasium_in(env)
        captured = self.watch(inner)

        def seen() -> Iterator[HostStep]:
            for _ in range(steps):
                with self.surroundings():
                    step = next(taken)._replace(captured=captured())
                yield step

        data = getattr(inner.unwrapped, "data", None)
        yield from watched(seen(), inner.spec.id if inner.spec else self.kind, data)

    @override
    def seconds_per_step(self, env: Any) -> float | None:
        """Return what the environment says of its time step, or of its frame rate."""
        inner: Any = gymnasium_in(env)
        own = super().seconds_per_step(inner)
        fps = inner.metadata.get("render_fps")
        return own or (1 / fps if fps else None)

    @override
    def replays_of(self, env: Any, states: Any) -> Iterator[Replay]:
        """Not possible: a `GymEnvState` holds nothing that a picture could be made of.

        Raises:
            UnsupportedEnvError: Always.
        """
        raise UnsupportedEnvError(
            "states of a Gymnasium environment hold only its observations, so they cannot be "
            "rendered afterwards; record(env, policy) takes the pictures while it steps"
        )


@dataclass(frozen=True)
class Gymnasium(GymnasiumSource):
    """An environment made with `render_mode="rgb_array"`."""

    part: ClassVar[int] = 8  # frames, of a megabyte each

    @override
    def scene(self, env: Any) -> Scene:
        from ..paint2d import Fitter

        return PixelScene(
            lambda width, height: FramePainter(Fitter(width, height)),
            f"{self.kind}, which paints itself,",
        )

    @override
    def watch(self, inner: Any) -> Callable[[], np.ndarray]:
        base = inner.unwrapped
        # Those of mazes and the like are in an environment further inside.
        found = (getattr(each, "mujoco_renderer", None) for each in (base, *vars(base).values()))
        renderers = [each for each in found if each is not None]
        return lambda: _frame(inner, renderers)

    @override
    def surroundings(self) -> AbstractContextManager[Any]:
        from ..paint2d import offscreen_display

        # Many call pygame.init(), which would open audio devices, or open a window.
        return offscreen_display()

    @override
    def stacked(self, captured: Sequence[np.ndarray]) -> Captured:
        return row(captured)


class FramePainter(Painter):
    """Fits frames that were painted elsewhere."""

    def __init__(self, fitter: "Fitter") -> None:
        self._fitter = fitter

    @override
    def paint(self, captured: np.ndarray) -> Iterator[np.ndarray]:
        yield from map(self._fitter.fit, captured)


def match(env: Any) -> Gymnasium | str:
    """Match Gymnasium's environments, and `GymToLeraxEnv`, wrapped or not.

    Raises:
        UnsupportedEnvError: The Gymnasium environment was made without `render_mode="rgb_array"`,
            or it is a vector of several.
    """
    vector = sys.modules.get("gymnasium.vector")
    if vector is not None and isinstance(env, vector.VectorEnv):
        raise UnsupportedEnvError(
            f"a {type(env).__name__} is {env.num_envs} Gymnasium environments at once; give a "
            "single one, as gymnasium.make(..., render_mode='rgb_array') makes it"
        )
    inner = gymnasium_in(env)
    if inner is None:
        return "a Gymnasium environment, itself or in Lerax's GymToLeraxEnv"
    if inner.render_mode != "rgb_array":
        raise UnsupportedEnvError(
            f"the Gymnasium environment was made with render_mode={inner.render_mode!r}; "
            "make it with gymnasium.make(..., render_mode='rgb_array')"
        )
    return Gymnasium()


def is_gymnasium(env: Any) -> bool:
    """Whether this is a Gymnasium environment itself."""
    # An instance can exist only where its module has been imported already.
    module = sys.modules.get("gymnasium")
    return module is not None and isinstance(env, module.Env)


def gymnasium_in(env: Any) -> Any | None:
    """Return the Gymnasium environment that this is or has inside; `None` where there is none."""
    if is_gymnasium(env):
        return env
    unwrapped = getattr(env, "unwrapped", env)
    module = sys.modules.get("lerax.compatibility.gym")
    if module is None or not isinstance(unwrapped, module.GymToLeraxEnv):
        return None
    return unwrapped.env


def in_lerax(env: Any) -> Any:
    """Return a Gymnasium environment as Lerax's policies see it; any other as it is.

    Raises:
        UnsupportedEnvError: Lerax cannot step it.
        BackendUnavailableError: JAX does not start.
    """
    inner = gymnasium_in(env)
    if inner is None:
        return env
    start_jax()
    import jax
    from lerax.compatibility.gym import GymToLeraxEnv

    try:
        found = env if inner is not env else GymToLeraxEnv(env)
        declared = found.unwrapped.observation_space.canonical()
    except NotImplementedError as error:
        raise _beyond_lerax(inner, str(error)) from error
    given = inner.observation_space.dtype
    if not isinstance(declared, jax.Array) or given is None:
        raise _beyond_lerax(inner, f"it observes a {inner.observation_space}")
    if jax.dtypes.canonicalize_dtype(given) != declared.dtype:
        raise _beyond_lerax(
            inner, f"its observations are {given}, which GymToLeraxEnv declares as {declared.dtype}"
        )
    return found


def _beyond_lerax(inner: Any, reason: str) -> UnsupportedEnvError:
    return UnsupportedEnvError(
        f"Lerax cannot step a {type(inner.unwrapped).__name__}: {reason.rstrip('.')}. Without a "
        "policy, record(gym_env) steps it with actions of its own action_space"
    )


def _sampled(env: Any, steps: int, key: Any) -> Iterator[HostStep]:
    """Take sampled actions, as Gymnasium's own examples do, and reset where an episode ends."""
    # Before it is seeded, so that this takes nothing from the actions.
    nothing = map_arrays(np.zeros_like, _arrays(env.action_space, env.action_space.sample()))
    seed: int | None = seed_of(key)
    env.action_space.seed(seed)
    done = True
    for _ in range(steps):
        if done:
            with named(env, "reset"):
                observation, _ = env.reset(seed=seed)
            seed, done = None, False
            yield HostStep(
                None,
                starts=True,
                action=nothing,
                observation=_small(_arrays(env.observation_space, observation)),
            )
            continue
        action = env.action_space.sample()
        with named(env, "step"):
            observation, reward, terminated, truncated, _ = env.step(action)
            # Some give an array of one number.
            reward = np.asarray(reward, np.float32).item()
        done = bool(terminated or truncated)
        yield HostStep(
            None,
            reward,
            bool(terminated),
            bool(truncated),
            action=_arrays(env.action_space, action),
            observation=_small(_arrays(env.observation_space, observation)),
        )


def _acted(
    env: Any, policy: Any | None, steps: int, key: Any, deterministic: bool
) -> Iterator[HostStep]:
    from ..acting import stepwise

    taken = stepwise(env, policy, steps=steps, key=key, deterministic=deterministic)
    for _, step in taken:
        yield HostStep(
            None,
            float(step.rewards),
            bool(step.terminated),
            bool(step.truncated),
            bool(step.episode_starts),
            plain(step.actions),
            plain(step.observations),
        )


def _arrays(space: Any, value: Any) -> Any:
    """Return an element of a space as arrays, or `None` where the space has no fixed form."""
    from gymnasium import spaces

    if isinstance(space, spaces.Dict):
        parts = {key: _arrays(part, value[key]) for key, part in space.items()}
        return None if any(part is None for part in parts.values()) else parts
    if isinstance(space, spaces.Tuple):
        several = tuple(_arrays(*each) for each in zip(space, value, strict=True))
        return None if any(part is None for part in several) else several
    fixed = spaces.Box | spaces.Discrete | spaces.MultiBinary | spaces.MultiDiscrete
    return np.array(value, space.dtype) if isinstance(space, fixed) else None


def _small(arrays: Any) -> Any:
    """Return an observation unless it is too large for a replay."""
    return arrays if arrays is not None and count_bytes(arrays) <= LARGEST_OBSERVATION else None


def _others(env: Any, count: int, open_ones: ExitStack) -> list[Any]:
    """Make environments like one that `gymnasium.make` made."""
    import gymnasium

    try:
        if not is_gymnasium(env):
            raise ValueError("it is in GymToLeraxEnv; give the Gymnasium environment itself")
        if env.spec is None:
            raise ValueError("gymnasium.make did not make it, so it has no spec")
        others = []
        for _ in range(count):
            others.append(gymnasium.make(env.spec))
            open_ones.callback(others[-1].close)
    except Exception as error:
        open_ones.close()
        raise UnsupportedEnvError(
            "a grid needs an environment for each tile, and there is no other one like this "
            f"{type(env.unwrapped).__name__}: {str(error).rstrip('.')}. Or leave the grid out, "
            "and record one clip a seed"
        ) from error
    return others


def _frame(inner: Any, mujoco_renderers: Sequence[Any]) -> np.ndarray:
    for renderer in mujoco_renderers:
        # Here and not above: it loads Gymnasium's MuJoCo environments.
        from .gymnasium_viewer import paint_without_window

        paint_without_window(renderer)
    with named(inner, "render"):
        frame = inner.render()
    if not isinstance(frame, np.ndarray):
        raise RenderError(
            f"the Gymnasium environment's render() gave {type(frame).__name__}, not a frame"
        )
    return frame
