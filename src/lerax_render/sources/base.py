"""What a kind of environment has to provide to be captured: its scene, and what it keeps of a step.

There are two kinds of kinds. A `CompiledSource` captures within the compiled rollout of an
environment that JAX can trace; a `HostSource` (see `host`) steps an environment in Python.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, override

import numpy as np

from ..painter import Painter
from ..replay import LARGEST_OBSERVATION, Replay
from ..scene import Captured, Scene
from ..settings import Picture, PixelFormat
from ..trees import map_arrays

if TYPE_CHECKING:
    from ..acting import Key, PyTree, Rollout

__all__ = [
    "Captured",
    "CompiledSource",
    "PixelScene",
    "Source",
]

DEFAULT_STEPS = 256


class Batch(NamedTuple):
    """The next steps of all lanes.

    Attributes:
        rewards: `float32 (T, lanes)`, as in `Replay`.
        terminated: `bool (T, lanes)`, likewise.
        truncated: `bool (T, lanes)`, likewise.
        content: All that was captured, in a form that pickles.
    """

    rewards: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray
    content: Any


class Piece(NamedTuple):
    """Consecutive steps of one lane.

    Attributes:
        content: Of their batch.
        lane: Which one.
        part: Which steps of the batch.
    """

    content: Any
    lane: int
    part: slice


@dataclass(frozen=True)
class EpisodeRun:
    """A run of a number of whole episodes.

    Attributes:
        lanes: How many lanes take turns with the episodes: number `n` is the `n // lanes`-th of
            lane `n % lanes`.
        batches: Runs it.
        replay_of: Makes a replay of consecutive pieces.
    """

    lanes: int
    batches: Iterator[Batch]
    replay_of: Callable[[Sequence[Piece]], Replay]


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
    def episodes(
        self,
        env: Any,
        policy: Any | None,
        *,
        count: int,
        lanes: int,
        limit: int,
        key: "Key",
        deterministic: bool = False,
    ) -> EpisodeRun:
        """Let a policy act for whole episodes; which ones is settled before they begin.

        Args:
            env: The environment.
            policy: As for `replays`.
            count: Number of episodes.
            lanes: How many may advance together.
            limit: After how many actions an episode is cut short.
            key: A JAX PRNG key or a seed.
            deterministic: As for `replays`.

        Raises:
            UnsupportedEnvError: This kind of environment has no episodes.
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

    def leanest(self, env: Any) -> "CompiledSource":
        """Return the source that captures the fewest bytes of this environment's states."""
        return self

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
    def episodes(
        self,
        env: Any,
        policy: Any | None,
        *,
        count: int,
        lanes: int,
        limit: int,
        key: "Key",
        deterministic: bool = False,
    ) -> EpisodeRun:
        from ..acting import episode_chunks

        lean = self.leanest(env)
        chunks = episode_chunks(
            env,
            policy,
            episodes=count,
            lanes=lanes,
            limit=limit,
            key=key,
            capture=lean.traced_capture,
            deterministic=deterministic,
        )
        return lean.episodes_from(env, chunks, lanes)

    def episodes_from(self, env: Any, chunks: Iterator["Rollout"], lanes: int) -> EpisodeRun:
        """Return a run of whole episodes.

        Args:
            env: The environment.
            chunks: Its parts, on the host, with the axes `(T, lanes)`; their states are what
                `capture` returned.
            lanes: How many there are.
        """
        from ..acting import assembled, taken_apart

        # Of a chunk, all but its arrays: the same for each.
        form: Any = None

        def batches() -> Iterator[Batch]:
            nonlocal form
            for chunk in chunks:
                arrays, form = taken_apart(chunk)
                yield Batch(
                    np.asarray(chunk.rewards),
                    np.asarray(chunk.terminated),
                    np.asarray(chunk.truncated),
                    arrays,
                )

        def replay_of(pieces: Sequence[Piece]) -> Replay:
            parts = [[array[each.part, each.lane] for array in each.content] for each in pieces]
            ((replay,),) = self.replays_from(env, iter([assembled(parts, form)]))
            return replay

        return EpisodeRun(lanes, batches(), replay_of)

    @override
    def replays_of(self, env: Any, states: "PyTree") -> Iterator[Replay]:
        from ..acting import captured_batches

        scene, seconds = self.scene(env), self.seconds_per_step(env)
        batches = captured_batches(self.traced_capture, env, states)
        return (Replay(scene, self.on_host(env, captured), seconds) for captured in batches)


def _kept(space: Any, most_bytes: float = math.inf) -> int | None:
    shape = getattr(space, "shape", None)
    if shape is None:
        return None
    # JAX's numbers, where the space does not say.
    item = np.dtype(getattr(space, "dtype", None) or np.float32).itemsize
    count = math.prod(shape)
    return count if count * item <= most_bytes else 0


def plain(tree: Any) -> Any:
    """Return a tree in a form that a replay can cut: of other containers, only their arrays."""
    import jax

    try:
        return map_arrays(np.asarray, tree)
    except TypeError:
        return tuple(np.asarray(leaf) for leaf in jax.tree.leaves(tree))


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
