"""Environments that are stepped on the host, in Python."""

import itertools
from abc import abstractmethod
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, override

import numpy as np

from ..replay import PART, Replay
from ..scene import Captured, Scene
from ..trees import map_arrays
from .base import Batch, EpisodeRun, Piece, Source

if TYPE_CHECKING:
    from ..acting import Key


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
                yield [self._replay(scene, seconds, lane) for lane in zip(*part, strict=True)]

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
        """Let a policy act as `Source` says, one episode after the other, each with a seed."""
        policies = policy if isinstance(policy, list | tuple) else [policy]
        scene, seconds = self.scene(env), self.seconds_per_step(env)

        def batches() -> Iterator[Batch]:
            for number, seed in enumerate(lane_seeds(key, count)):
                taken = self.step_through(
                    env,
                    policies[number % len(policies)],
                    steps=limit + 1,
                    key=seed,
                    deterministic=deterministic,
                )
                with closing(_one_episode(taken, limit)) as episode:
                    for part in itertools.batched(episode, self.part, strict=False):
                        yield Batch(
                            np.array([[step.reward] for step in part], np.float32),
                            np.array([[step.terminated] for step in part], bool),
                            np.array([[step.truncated] for step in part], bool),
                            part,
                        )

        def replay_of(pieces: Sequence[Piece]) -> Replay:
            steps = [step for piece in pieces for step in piece.content[piece.part]]
            return self._replay(scene, seconds, steps)

        return EpisodeRun(1, batches(), replay_of)

    def _replay(self, scene: Scene, seconds: float | None, steps: Sequence[HostStep]) -> Replay:
        return Replay(
            scene,
            self.stacked([step.captured for step in steps]),
            seconds,
            np.array([step.reward for step in steps], np.float32),
            np.array([step.terminated for step in steps], bool),
            np.array([step.truncated for step in steps], bool),
            np.array([step.starts for step in steps], bool),
            _stacked([step.action for step in steps]),
            _stacked([step.observation for step in steps]),
        )


def _one_episode(taken: Iterator[HostStep], limit: int) -> Generator[HostStep]:
    """Yield the steps of the first episode, which is cut short after so many actions."""
    for age, step in enumerate(taken):
        is_over = step.terminated or step.truncated
        yield step if is_over or age < limit else step._replace(truncated=True)
        if is_over or age == limit:
            return


def key_numbers(key: "Key") -> list[int]:
    """Return the whole numbers that a JAX PRNG key or a seed is made of, the same for both."""
    if key is None or isinstance(key, int | np.integer):
        return [0, int(key or 0)]  # as `jax.random.key` has it
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


def _stacked(parts: Sequence[Any]) -> Any:
    return map_arrays(lambda *arrays: np.stack(arrays), *parts)
