"""Arrays in trees: the form in which steps are captured."""

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np


def map_arrays(function: Callable[..., Any], *trees: Any) -> Any:
    """Apply a function to each array of a tree, or to the arrays in the same place of several.

    Trees are what sources capture: arrays in tuples, named tuples, lists, dicts and dataclasses
    whose static fields say so, as JAX has it. Not `jax.tree.map`, since MuJoCo's clips need no JAX.
    """
    first = trees[0]
    if first is None or isinstance(first, str):
        return first
    if isinstance(first, np.ndarray):
        return function(*trees)
    if isinstance(first, dict):
        return {key: map_arrays(function, *(tree[key] for tree in trees)) for key in first}
    if isinstance(first, tuple | list):
        mapped = [map_arrays(function, *parts) for parts in zip(*trees, strict=True)]
        return type(first)(*mapped) if hasattr(first, "_fields") else type(first)(mapped)
    if dataclasses.is_dataclass(first) and not isinstance(first, type):
        fields = [f.name for f in dataclasses.fields(first) if not f.metadata.get("static")]
        parts = {f: map_arrays(function, *(getattr(tree, f) for tree in trees)) for f in fields}
        return dataclasses.replace(first, **parts)
    raise TypeError(f"expected arrays in tuples, dicts or dataclasses, got {type(first).__name__}")


def arrays_in(tree: Any) -> list[np.ndarray]:
    """Return the arrays of a tree, as `map_arrays` finds them."""
    found: list[np.ndarray] = []

    def note(array: np.ndarray) -> np.ndarray:
        found.append(array)
        return array

    map_arrays(note, tree)
    return found


def count_steps(captured: Any) -> int:
    """Return how many steps were captured."""
    return len(arrays_in(captured)[0])


def count_bytes(tree: Any) -> int:
    """Return about how much memory captured steps take, in bytes.

    Of an environment that paints itself these are its states, with whatever it keeps in them.
    """
    if isinstance(tree, np.ndarray) and tree.dtype == object:
        return tree.nbytes + sum(map(count_bytes, tree.flat))
    if isinstance(tree, dict):
        return sum(map(count_bytes, tree.values()))
    if isinstance(tree, tuple | list):
        return sum(map(count_bytes, tree))
    if dataclasses.is_dataclass(tree):
        return sum(count_bytes(getattr(tree, field.name)) for field in dataclasses.fields(tree))
    return int(getattr(tree, "nbytes", 0))


def row(objects: Iterable[Any]) -> np.ndarray:
    """Return `object (T,)`: what was captured of steps that have no common form."""
    listed = list(objects)
    array = np.empty(len(listed), object)
    for place, each in enumerate(listed):
        # One by one: of tuples NumPy would make rows.
        array[place] = each
    return array
