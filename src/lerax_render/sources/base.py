"""What a kind of environment has to provide to be captured: its scene, and what it keeps of a step.

There are two kinds of kinds. A `CompiledSource` captures within the compiled rollout of an
environment that JAX can trace; a `HostSource` steps an environment in Python.
"""

import itertools
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, override

import numpy as np

from ..painter import Painter
from ..replay import LARGEST_OBSERVATION, PART, Replay
from ..scene import Captured, Scene
from ..settings import Picture, PixelFormat
from ..trees import map_arrays

if TYPE_CHECKING:
    from ..acting import Key, PyTree, Rollout

__all__ = [
    "Captured",
    "CompiledSource",
    "HostSource",
    "HostStep",
    "PixelScene",
    "Source",
]

DEFAULT_STEPS = 256


class Source(ABC):
    """A kind of environment. Equal sources capture alike, so that compiled rollouts are reused."""

    @abstractmethod
    def scene(self, env: Any) -> Scene:
        """Return what stays the same in this environment and a painter needs."""

    @abstractmethod
    def replays(
        self,
        env: Any,
        policy: Any | None,
        *,
        steps: int,
        key: "Key",
        deterministic: bool = False,
        lanes: int | None = None,
    ) -> Iterator[list[Replay]]:
        """Let a policy act, and yield what was captured in parts of at most `PART` steps.

        Args:
            env: The environment.
            policy: A Lerax policy, or `None` for sampled actions; with `lanes`, it may be a
                sequence of as many policies that differ only in their parameters.
            steps: Number of steps.
            key: A JAX PRNG key or a seed.
            deterministic: Whether the policy takes its most likely action.
            lanes: How many rollouts advance together; `None` is one by itself.

        Yields:
            The next part of each lane; all share one scene.

        Raises:
            UnsupportedEnvError: This kind of environment has no lanes.
            TypeError: It has no observations for a policy.
        """

    @abstractmethod
    def replays_of(self, env: Any, states: "PyTree") -> Iterator[Replay]:
        """Capture states that the user has, and yield them in parts of at most `PART` steps.

        Raises:
            ValueError: There are no states, or their leading axes differ.
            UnsupportedEnvError: Nothing can draw this environment from its states.
        """

    def num_values(self, env: Any) -> dict[str, int | None]:
        """Return how many numbers there are of rewards, actions and observations that are kept.

        `None` stands for what shows only when the environment is stepped.
        """
        return {
            "reward": 1,
            "return": 1,
            "obs": _kept(getattr(env, "observation_space", None), LARGEST_OBSERVATION),
            "action": _kept(getattr(env, "action_space", None)),
        }

    def seconds_per_step(self, env: Any) -> float | None:
        """Return the simulated seconds between two states, or `None` where time has no unit."""
        for candidate in (env, getattr(env, "unwrapped", env)):
            try:
                # Through its shortest decimal: 0.02 in single precision is 0.0199999996, and
                # 50.0000011 frames a second are nobody's intention.
                dt = float(str(np.asarray(candidate.dt)))
            except (AttributeError, TypeError, ValueError):
                continue
            if np.isfinite(dt) and dt > 0:
                return dt
        return None

    def default_steps(self, env: Any) -> int:
        """Return the number of steps of a clip where nobody says otherwise."""
        return DEFAULT_STEPS


class CompiledSource(Source):
    """Captures within the compiled rollout, and brings what was captured to the host in parts."""

    @abstractmethod
    def capture(self, env: Any, state: "PyTree") -> "PyTree":
        """Select from a state what its picture needs. This is traced."""

    def on_host(self, env: Any, captured: "PyTree") -> Captured:
        """Turn what was captured of `T` steps into what the scene's painters take."""
        return captured

    @property
    def traced_capture(self) -> Callable[[Any, "PyTree"], "PyTree"]:
        """`capture` as a function that compares equal when sources do, unlike a bound method."""
        import jax

        return jax.tree_util.Partial(type(self).capture, self)

    @override
    def replays(
        self,
        env: Any,
        policy: Any | None,
        *,
        steps: int,
        key: "Key",
        deterministic: bool = False,
        lanes: int | None = None,
    ) -> Iterator[list[Replay]]:
        from ..acting import rollout_chunks

        chunks = rollout_chunks(
            env,
            policy,
            steps=steps,
            key=key,
            capture=self.traced_capture,
            deterministic=deterministic,
            lanes=lanes,
        )
        return self.replays_from(env, chunks, lanes)

    def replays_from(
        self, env: Any, chunks: Iterator["Rollout"], lanes: int | None = None
    ) -> Iterator[list[Replay]]:
        """Yield the replays of a rollout whose states are what `capture` returned.

        Args:
            env: The environment.
            chunks: Parts of the rollout, on the host; with `lanes`, their axes are `(T, lanes)`.
            lanes: As for `replays`.
        """
        from ..acting import lanes_of

        scene, seconds = self.scene(env), self.seconds_per_step(env)
        for chunk in chunks:
            yield [
                Replay(
                    scene,
                    self.on_host(env, lane.states),
                    seconds,
                    np.asarray(lane.rewards),
                    np.asarray(lane.terminated),
                    np.asarray(lane.truncated),
                    np.asarray(lane.episode_starts),
                    plain(lane.actions),
                    plain(lane.observations),
                )
                for lane in lanes_of(chunk, lanes)
            ]

    @override
    def replays_of(self, env: Any, states: "PyTree") -> Iterator[Replay]:
        from ..acting import captured_batches

        scene, seconds = self.scene(env), self.seconds_per_step(env)
        batches = captured_batches(self.traced_capture, env, states)
        return (Replay(scene, self.on_host(env, captured), seconds) for captured in batches)


class HostStep(NamedTuple):
    """One step on the host.

    Attributes:
        captured: What a picture needs of the state.
        reward: For arriving in it.
        terminated: Whether it ended its episode.
        truncated: Whether the episode was cut short in it.
        starts: Whether it is the first of its episode.
        action: That led to it; zeros at episode starts, `None` where there are none.
        observation: What it looks like to a policy, or `None`.
    """

    captured: Any
    reward: float = 0.0
    terminated: bool = False
    truncated: bool = False
    starts: bool = False
    action: Any = None
    observation: Any = None


class HostSource(Source):
    """Steps an environment in Python, one rollout at a time.

    Attributes:
        kind: What such an environment is called in messages.
        part: Steps that are handed on together.
    """

    kind: ClassVar[str]
    part: ClassVar[int] = PART

    @abstractmethod
    def step_through(
        self, env: Any, policy: Any | None, *, steps: int, key: "Key", deterministic: bool
    ) -> Iterator[HostStep]:
        """Yield `steps` steps, the first state of the first episode included."""

    @abstractmethod
    def copies(self, env: Any, count: int, open_ones: ExitStack) -> Sequence[Any]:
        """Return environments for rollouts side by side: `env`, and others like it.

        Args:
            env: The environment.
            count: How many are wanted.
            open_ones: Closes those that are made here.

        Raises:
            UnsupportedEnvError: Others like it cannot be made.
        """

    def stacked(self, captured: Sequence[Any]) -> Captured:
        """Return what was captured of consecutive steps with a leading axis."""
        return _stacked(captured)

    @override
    def replays(
        self,
        env: Any,
        policy: Any | None,
        *,
        steps: int,
        key: "Key",
        deterministic: bool = False,
        lanes: int | None = None,
    ) -> Iterator[list[Replay]]:
        count = lanes or 1
        policies = policy if isinstance(policy, list | tuple) else [policy] * count
        open_ones = ExitStack()
        envs = [env] if lanes is None else self.copies(env, lanes, open_ones)
        keys = [key] if lanes is None else lane_seeds(key, lanes)
        taken = [
            self.step_through(*each, steps=steps, key=key, deterministic=deterministic)
            for *each, key in zip(envs, policies, keys, strict=True)
        ]
        return self._parts(env, taken, open_ones)

    def _parts(
        self, env: Any, taken: Sequence[Iterator[HostStep]], open_ones: ExitStack
    ) -> Iterator[list[Replay]]:
        scene, seconds = self.scene(env), self.seconds_per_step(env)
        with open_ones:
            for part in itertools.batched(zip(*taken, strict=True), self.part, strict=False):
                yield [
                    Replay(
                        scene,
                        self.stacked([step.captured for step in lane]),
                        seconds,
                        np.array([step.reward for step in lane], np.float32),
                        np.array([step.terminated for step in lane], bool),
                        np.array([step.truncated for step in lane], bool),
                        np.array([step.starts for step in lane], bool),
                        _stacked([step.action for step in lane]),
                        _stacked([step.observation for step in lane]),
                    )
                    for lane in zip(*part, strict=True)
                ]


def _kept(space: Any, most_bytes: float = math.inf) -> int | None:
    shape = getattr(space, "shape", None)
    if shape is None:
        return None
    # JAX's numbers, where the space does not say.
    item = np.dtype(getattr(space, "dtype", None) or np.float32).itemsize
    count = math.prod(shape)
    return count if count * item <= most_bytes else 0


def key_numbers(key: "Key") -> list[int]:
    """Return the whole numbers that a JAX PRNG key or a seed is made of, the same for both."""
    if key is None or isinstance(key, int):
        return [0, key or 0]
    import jax

    is_typed = jax.numpy.issubdtype(key.dtype, jax.dtypes.prng_key)
    numbers: list[int] = np.asarray(jax.random.key_data(key) if is_typed else key).ravel().tolist()
    return numbers


def seed_of(key: "Key") -> int:
    """Return the seed that a JAX PRNG key was made of, or one made of the key."""
    *others, seed = key_numbers(key)
    if any(others):
        seed = int(np.random.SeedSequence([*others, seed]).generate_state(1)[0])
    return seed


def lane_seeds(key: "Key", lanes: int) -> list[int]:
    """Return seeds of rollouts side by side: the given one, and those that follow it."""
    return [(seed_of(key) + lane) % 2**32 for lane in range(lanes)]


def plain(tree: Any) -> Any:
    """Return a tree in a form that a replay can cut: of other containers, only their arrays."""
    import jax

    try:
        return map_arrays(np.asarray, tree)
    except TypeError:
        return tuple(np.asarray(leaf) for leaf in jax.tree.leaves(tree))


def _stacked(parts: Sequence[Any]) -> Any:
    return map_arrays(lambda *arrays: np.stack(arrays), *parts)


@dataclass(frozen=True, eq=False)
class PixelScene(Scene):
    """Pictures that an environment, or something beside it, paints itself.

    There is nothing that could be painted again later or elsewhere: clips of it, but no replays.

    Attributes:
        open_painter: Opens the painter, whose pictures are `uint8 (H, W, 3)`, for a width and a
            height in pixels.
        kind: What such an environment is called in messages.
    """

    has_steps: ClassVar[bool] = False

    open_painter: Callable[[int, int], Painter]
    kind: str

    @override
    def painter(
        self, picture: Picture, *, pixel_format: PixelFormat = "rgb24", workers: int = 1
    ) -> Painter:
        picture.check_not_mujoco(self.kind)
        return self.open_painter(*picture.size)
