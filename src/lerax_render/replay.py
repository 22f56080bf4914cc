"""What was captured of an episode: a scene, and what a picture needs of each step."""

import dataclasses
import itertools
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from .scene import Captured, Scene
from .settings import Settings
from .trees import count_bytes, count_steps, map_arrays

PART = 64
"""Steps that are captured, painted and handed on together."""

LARGEST_OBSERVATION = 1000
"""Bytes. Pictures as observations would make a replay of a thousand steps take hundreds of MB."""


@dataclass(frozen=True)
class Episode:
    """Where an episode lies in a replay, and what it earned there.

    Attributes:
        start: Its first step in the replay.
        stop: The step after its last one.
        episode_return: The sum of its rewards in the replay.
        length: How many actions were taken in it; its first state takes none.
        is_whole: Whether the replay holds it from its first state to its last one.
    """

    start: int
    stop: int
    episode_return: float
    length: int
    is_whole: bool


@dataclass(frozen=True, eq=False, repr=False)
class Episodes:
    """What each of many whole episodes earned, and which of them were picked to be shown.

    Attributes:
        returns: `float64 (N,)`, the sum of an episode's rewards.
        lengths: `int64 (N,)`, how many actions were taken in it.
        truncated: `bool (N,)`, whether it was cut short, by the environment or by `max_steps`.
        picked: The numbers of those that are shown, in order; numbers count from 0.
    """

    returns: np.ndarray
    lengths: np.ndarray
    truncated: np.ndarray
    picked: tuple[int, ...] = ()

    @property
    def ranks(self) -> np.ndarray:
        """`int64 (N,)`, 1 for the highest return; of equal ones the earlier comes first."""
        ranks = np.empty(len(self), np.int64)
        ranks[np.argsort(-self.returns, kind="stable")] = np.arange(1, len(self) + 1)
        return ranks

    def __len__(self) -> int:
        return len(self.returns)

    def __repr__(self) -> str:
        low, mean, high = self.returns.min(), self.returns.mean(), self.returns.max()
        return f"Episodes({len(self)}, returns {low:.4g} to {high:.4g}, mean {mean:.4g})"


@dataclass(frozen=True)
class Origin:
    """Where a replay comes from; whatever is not known is `None`.

    Attributes:
        env: Name of the environment.
        policy: Name of the policy's class; `None` also where actions were sampled.
        seed: The random key, as the whole numbers it is made of.
        training_step: Environment steps that the policy had been trained for.
        versions: Of the packages that made it, by name.
    """

    env: str | None = None
    policy: str | None = None
    seed: tuple[int, ...] | None = None
    training_step: int | None = None
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False, repr=False)
class Replay:
    """Consecutive steps of one rollout, captured, so that they can be looked at again.

    All arrays are NumPy's, with the steps `T` as their leading axis. It pickles, is saved and
    loaded, and needs neither the environment nor the policy any more. `replay[a:b]` is the part
    from step `a` up to `b`; its frames are those that the whole has there. A notebook shows it as a
    page to look around in.

    Time runs as in `dm_env`: each step is one state. The first state of an episode takes no action,
    and the step after the terminal state is the first of the next episode.

    Attributes:
        scene: What stays the same.
        captured: What a picture needs of each step; its form depends on the scene.
        seconds_per_step: Simulated seconds between two steps, or `None` where time has no unit.
        rewards: `float32 (T,)`, the reward for arriving in each state; 0 at episode starts. It is
            `None`, as are the three below, for states of the user's own.
        terminated: `bool (T,)`, whether the state ended its episode.
        truncated: `bool (T,)`, whether the episode was cut short in that state.
        episode_starts: `bool (T,)`, whether the state is the first of its episode.
        actions: The action that led to each state, an array or a tree of arrays `(T, ...)`; zeros
            at episode starts. `None` where there are none.
        observations: `env.observation` of each state, likewise; `None` where that takes more than
            1 kB a step. Where it is random, the policy has seen another sample.
        origin: Where it comes from.
        whole: The replay that this is a part of, from which it takes its camera; `None` for a whole
            one.
    """

    scene: Scene
    captured: Captured
    seconds_per_step: float | None = None
    rewards: np.ndarray | None = None
    terminated: np.ndarray | None = None
    truncated: np.ndarray | None = None
    episode_starts: np.ndarray | None = None
    actions: Any = None
    observations: Any = None
    origin: Origin = field(default_factory=Origin)
    whole: "Replay | None" = None

    @property
    def steps(self) -> int:
        """Number of steps."""
        return count_steps(self.captured)

    def __len__(self) -> int:
        return self.steps

    def __repr__(self) -> str:
        parts = [f"{self.steps} step{'s' * (self.steps != 1)}"]
        if self.origin.env is not None:
            parts.insert(0, self.origin.env)
        if self.seconds_per_step is not None:
            parts.append(f"{self.steps * self.seconds_per_step:.3g} s")
        if self.rewards is not None:
            count = len(self.episodes)
            parts.append(f"{count} episode{'s' * (count != 1)}")
        return f"Replay({', '.join(parts)})"

    def __getitem__(self, part: slice) -> "Replay":
        if not isinstance(part, slice):
            raise TypeError(f"a replay is cut with a slice, such as replay[10:20], got {part!r}")
        if part.step not in (None, 1):
            raise ValueError(f"a part of a replay has all its steps, got a stride of {part.step}")
        start, stop, _ = part.indices(self.steps)
        if start >= stop:
            raise ValueError(f"replay[{part.start}:{part.stop}] of {self.steps} steps is empty")
        cut = self.mapped(lambda array: array[start:stop])
        captured = self.scene.cut(self.captured, start, stop)
        return dataclasses.replace(cut, captured=captured, whole=self.whole or self)

    @property
    def episodes(self) -> tuple[Episode, ...]:
        """The episodes in the replay, in order; the first and the last may be cut.

        Raises:
            ValueError: The replay was made of states, which tell nothing of episodes.
        """
        if self.rewards is None or self.episode_starts is None:
            raise ValueError(
                "this replay was captured from given states, which tell nothing of rewards and "
                "episodes"
            )
        ends = np.asarray(self.terminated) | np.asarray(self.truncated)
        return episodes_in(self.rewards, ends, self.episode_starts)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write it into a file, which `Replay.load` reads; an older one there is replaced when
        whole.

        Args:
            path: A `*.replay` in a folder that exists.

        Returns:
            The file.

        Raises:
            ValueError: The path has another suffix, or cannot be written.
            RenderError: Its scene goes into no file, it is too large, or the disk refused it.
        """
        if not isinstance(path, str | os.PathLike):
            raise TypeError(f"path must be a path, got {type(path).__name__}")
        # What writes and reads files lies above: a replay is data.
        making = import_module(".making", __package__)
        made: Path = making.record_clip(self, None, path, Settings(format="replay")).path
        return made

    @staticmethod
    def load(path: "str | os.PathLike[str] | BinaryIO") -> Any:
        """Read what `save`, or `record(..., "clip.replay")`, has written.

        The file may come from anybody: it is data, and runs nothing. A MuJoCo scene opens in the
        MuJoCo that wrote it.

        Args:
            path: The file, or an open binary file.

        Returns:
            The `Replay`; where the file has several side by side, a list of them, which share one
            scene. `record` takes either.

        Raises:
            RenderError: It is no replay's file, is damaged or hostile, or needs another MuJoCo or
                another lerax-render; the message says which.
            OSError: It cannot be read.
        """
        replays = import_module(".export", __package__).load_replays(path)
        return replays if len(replays) > 1 else replays[0]

    def _repr_html_(self) -> str:
        making = import_module(".making", __package__)
        made: str = making.record_clip(self, None, None, Settings(format="html"))._repr_html_()
        return made

    def mapped(self, function: Callable[[np.ndarray], np.ndarray]) -> "Replay":
        """Return a replay with `function` applied to each array, whose first axis is the steps."""
        changed = {name: map_arrays(function, getattr(self, name)) for name in _STEPPED}
        return dataclasses.replace(self, **changed)


_STEPPED = (
    "captured",
    "rewards",
    "terminated",
    "truncated",
    "episode_starts",
    "actions",
    "observations",
)


def bytes_of(replay: Replay) -> int:
    """Return the size of the arrays in a replay that can be large."""
    return count_bytes([replay.captured, replay.actions, replay.observations])


def joined(parts: Sequence[Replay]) -> Replay:
    """Return consecutive parts of one replay as one."""
    if len(parts) == 1:
        return parts[0]
    whole = {
        name: map_arrays(
            lambda *arrays: np.concatenate(arrays), *(getattr(part, name) for part in parts)
        )
        for name in _STEPPED
    }
    return dataclasses.replace(parts[0], **whole)


def lengthened(replay: Replay, steps: int) -> Replay:
    """Return a replay of that many steps at least, whose last step stays once it is over."""
    missing = steps - replay.steps
    if missing <= 0:
        return replay
    longer = replay.mapped(lambda array: array[np.minimum(np.arange(steps), replay.steps - 1)])
    longer = dataclasses.replace(longer, captured=replay.scene.held(replay.captured, missing))
    for array in (longer.rewards, longer.terminated, longer.truncated, longer.episode_starts):
        if array is not None:
            array[-missing:] = 0
    return longer


def episodes_in(rewards: np.ndarray, ends: np.ndarray, starts: np.ndarray) -> tuple[Episode, ...]:
    """Find the episodes in consecutive steps.

    Args:
        rewards: `float (T,)`.
        ends: `bool (T,)`, whether the state ends its episode.
        starts: `bool (T,)`, whether the state is the first of its episode.
    """
    edges = np.union1d(np.flatnonzero(starts), (0, len(rewards))).tolist()
    return tuple(
        Episode(
            start,
            stop,
            float(rewards[start:stop].sum(dtype=np.float64)),
            stop - start - bool(starts[start]),
            bool(starts[start] and ends[stop - 1]),
        )
        for start, stop in itertools.pairwise(edges)
    )
