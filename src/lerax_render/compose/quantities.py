"""The numbers of a rollout that can be plotted, by name."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..replay import Replay
from ..settings import unknown
from ..trees import arrays_in
from .overlay import step_infos

MOST_CURVES = 8
"""So many colours can be told apart in one plot."""

# Beyond this, the difference of two numbers might be none.
_LARGEST = 1e30
_FORM = re.compile(r"(\w+)(?:\[(\d+)(?::(\d+))?\])?")
_OF_STATES = ": states that were given tell nothing of rewards"
# Why there may be none of a name.
_REASONS = {
    "reward": _OF_STATES,
    "return": _OF_STATES,
    "action": ": nothing acts here",
    "obs": ": none are made here, or they take more than 1 kB a step and are not kept",
}


@dataclass(frozen=True)
class Quantity:
    """What one plot shows.

    Attributes:
        text: As it was asked for, such as `obs[3]`.
        name: Of the numbers, such as `obs`.
        start: The first of them.
        stop: The one after the last.
    """

    text: str
    name: str
    start: int
    stop: int

    @property
    def numbers(self) -> list[str]:
        """Which ones they are; nothing where it is one."""
        several = range(self.start, self.stop)
        return [str(number) for number in several] if len(several) > 1 else []


def find_quantity(text: str, sizes: Mapping[str, int], lanes: int = 1) -> Quantity:
    """Return what a text such as `return`, `obs`, `obs[3]` or `qpos[0:3]` asks for.

    Args:
        text: Of that form.
        sizes: How many numbers there are of each name.
        lanes: Rollouts that each have curves of their own.

    Raises:
        ValueError: There are no such numbers, or too many for one plot.
    """
    found = _FORM.fullmatch(text)
    assert found is not None
    name = found[1]
    if name not in sizes:
        raise ValueError(f"plot: {unknown('value', name, sizes)}")
    size = sizes[name]
    if not size:
        raise ValueError(f"plot: there is no {name} to plot{_REASONS.get(name, '')}")
    start = int(found[2] or 0)
    stop = int(found[3]) if found[3] else start + 1 if found[2] else size
    if not start < stop <= size:
        numbers = f"{name} has {size} numbers, 0 to {size - 1}" if size > 1 else f"{name} is one"
        raise ValueError(f"plot: there is no {text}: {numbers}")
    count = stop - start
    if lanes > 1 < count:
        raise ValueError(
            f"plot: {text} is {count} numbers, and in a grid each tile has one curve: take one, "
            f"such as {name}[{start}]"
        )
    if count > MOST_CURVES:
        raise ValueError(
            f"plot: {text} is {count} numbers, and a plot has {MOST_CURVES} curves at most: take "
            f"some, such as {name}[{start}] or {name}[{start}:{start + MOST_CURVES}]"
        )
    if lanes > MOST_CURVES:
        raise ValueError(
            f"plot: a plot has {MOST_CURVES} curves at most, and the grid has {lanes} tiles"
        )
    return Quantity(text, name, start, stop)


def check_plots(texts: Sequence[str], sizes: Mapping[str, int | None], lanes: int = 1) -> None:
    """Raise `ValueError` where plots are asked for that there cannot be.

    Args:
        texts: What each plot shows.
        sizes: As for `find_quantity`; `None` where it shows only when the environment is stepped.
        lanes: Likewise.
    """
    for text in texts:
        name = text.partition("[")[0]
        if sizes.get(name, 0) is not None:
            known = {name: size or 0 for name, size in sizes.items()}
            find_quantity(text, known, lanes)


def sizes_in(replay: Replay) -> dict[str, int]:
    """Return how many numbers there are of each name at each step of a replay."""
    of_episodes = int(replay.rewards is not None)
    return {
        "reward": of_episodes,
        "return": of_episodes,
        "obs": _size(replay.observations),
        "action": _size(replay.actions),
        **replay.scene.state_sizes,
    }


def _size(tree: object) -> int:
    return sum(math.prod(array.shape[1:]) for array in arrays_in(tree))


def values_of(quantities: Sequence[Quantity]) -> Callable[[Replay], list[np.ndarray]]:
    """Return a function that goes through a clip's parts in order and tells the numbers in them.

    Of each quantity it returns `float32 (T, n)`, with NaN for what cannot be drawn. An episode's
    first state has no action and no reward yet.
    """
    tell = step_infos(1.0)

    def values(part: Replay) -> list[np.ndarray]:
        infos = list(tell(part))
        told = {
            "reward": lambda: np.array([[info.reward] for info in infos]),
            "return": lambda: np.array([[info.episode_return] for info in infos]),
            "obs": lambda: _flat(part.observations, part.steps),
            "action": lambda: _flat(part.actions, part.steps),
        }
        found = []
        for quantity in quantities:
            name = quantity.name
            numbers = told[name]() if name in told else part.scene.state(part.captured, name)
            numbers = numbers[:, quantity.start : quantity.stop]
            with np.errstate(over="ignore"):
                numbers = numbers.astype(np.float32)
            if name in ("reward", "action") and part.episode_starts is not None:
                numbers[part.episode_starts] = np.nan
            numbers[~(np.abs(numbers) < _LARGEST)] = np.nan
            found.append(numbers)
        return found

    return values


def _flat(tree: object, steps: int) -> np.ndarray:
    return np.concatenate([array.reshape(steps, -1) for array in arrays_in(tree)], axis=1)
