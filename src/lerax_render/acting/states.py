"""From states that the user has to what a source captures of them, as a rollout gives it."""

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import equinox as eqx
import jax
import numpy as np
from jax import lax
from jax import numpy as jnp
from jax import random as jr

from .callbacks import on_host
from .rollouts import CHUNK, Capture, PyTree, Rollout
from .step import cut, is_shape

_FEW = 16
"""Leaves of a state that is small enough to be asked for its form."""


def captured_batches(capture: Capture, env: Any, states: PyTree) -> Iterator[PyTree]:
    """Capture states in batches of one shape, so that this is compiled once.

    Args:
        capture: As for `rollout`.
        env: The environment.
        states: As for `lerax_render.render`.

    Returns:
        An iterator of what is captured of at most `CHUNK` states, on the host.

    Raises:
        ValueError: There are no states, or they differ in their form.
    """
    return (
        cut(on_host(_captured(capture, env, batch, jnp.asarray(start))), slice(-length, None))
        for batch, start, length in _batches(env, states)
    )


def unstacked(states: PyTree) -> Iterator[PyTree]:
    """Yield the states of a stacked pytree one by one, their arrays as JAX arrays."""
    arrays, static = eqx.partition(states, eqx.is_array)
    for t in range(len(jax.tree.leaves(arrays)[0])):
        yield eqx.combine(jax.tree.map(lambda x, t=t: jnp.asarray(x[t]), arrays), static)


def _batches(env: Any, states: PyTree) -> Iterator[tuple[PyTree, int, int]]:
    """Split states into stacked batches.

    Returns:
        An iterator of a stacked pytree, the index that the batch starts at, and its length; of what
        `_captured` makes of them, the last `length` states are the batch's.

    Raises:
        ValueError: There are no states, or they differ in their form.
    """
    if isinstance(states, Rollout):
        states = states.states
    elif (isinstance(states, tuple) or not _is_sequence(states)) and _is_one(env, states):
        name = type(getattr(env, "unwrapped", env)).__name__
        raise ValueError(
            f"this is one state of {name}, and not several, stacked along a leading axis. A single "
            "state goes in a list"
        )
    if _is_sequence(states):
        states = iter(states)
        first = next(states, None)
        if first is None:
            raise ValueError("states is empty: there is nothing to render")
        return _sequence_batches(itertools.chain([first], states))
    arrays = jax.tree.leaves(eqx.filter(states, eqx.is_array_like))
    lengths = {np.shape(array)[:1] for array in arrays}
    if len(lengths) != 1 or lengths & {(), (0,)}:
        raise ValueError(
            "states must be stacked: all arrays in it need one leading axis of the same length, "
            f"at least 1; got {sorted(lengths) or 'no arrays'}. A single state goes in a list"
        )
    total = lengths.pop()[0]
    return ((states, start, min(CHUNK, total - start)) for start in range(0, total, CHUNK))


def _is_one(env: Any, states: PyTree) -> bool:
    """Whether this is a single state: it has the form of one that `env.initial` gives."""
    # To trace `initial` takes long where a state is large. But then it has arrays of many lengths,
    # and cannot be taken for states that are stacked.
    if len(jax.tree.leaves(states)) > _FEW:
        return False
    try:
        one = eqx.filter_eval_shape(lambda: env.initial(key=jr.key(0)))
    except Exception:
        # What it raises is for whoever draws it to say.
        return False
    arrays, expected = (eqx.filter(tree, _has_shape) for tree in (states, one))
    forms: list[Any] = [jax.tree.structure(each) for each in (arrays, expected)]
    return forms[0] == forms[1] and all(
        np.shape(array) == leaf.shape
        for array, leaf in zip(jax.tree.leaves(arrays), jax.tree.leaves(expected), strict=True)
    )


def _has_shape(leaf: Any) -> bool:
    return eqx.is_array(leaf) or isinstance(leaf, np.generic) or is_shape(leaf)


def _is_sequence(states: PyTree) -> bool:
    """Whether these are single states one after the other, and not arrays of many."""
    if isinstance(states, dict | np.ndarray | jax.Array) or hasattr(states, "_fields"):
        return False
    if isinstance(states, tuple):
        # A state may be a tuple: then its parts are arrays with one axis more.
        return not states or not all(eqx.is_array(leaf) and leaf.ndim for leaf in states)
    return isinstance(states, Iterable)


def _sequence_batches(states: Iterator[PyTree]) -> Iterator[tuple[PyTree, int, int]]:
    first = next(states)
    form = _Form(first)
    alike = itertools.chain([first], (form.checked(n, each) for n, each in enumerate(states, 1)))
    for batch in itertools.batched(alike, CHUNK, strict=False):
        # Padded in front: every batch has one shape, and is compiled for once.
        padded = (batch[0],) * (CHUNK - len(batch)) + batch
        yield jax.tree.map(_stack, *padded), 0, len(batch)


class _Form:
    """What all states of a clip must have in common with the first one."""

    def __init__(self, first: PyTree) -> None:
        self._structure: Any = jax.tree.structure(first)
        self._parts = [
            (jax.tree_util.keystr(path), _described(leaf))
            for path, leaf in jax.tree.leaves_with_path(first)
        ]

    def checked(self, number: int, state: PyTree) -> PyTree:
        """Return a state, or raise `ValueError` where it has another form."""
        if jax.tree.structure(state) != self._structure:
            raise ValueError(
                f"states[{number}] and states[0] have different structures: all states of a clip "
                "need the same classes, containers and static fields"
            )
        for (part, expected), leaf in zip(self._parts, jax.tree.leaves(state), strict=True):
            found = _described(leaf)
            if found != expected:
                raise ValueError(
                    f"states[{number}]{part} is {found}, and in states[0] it is {expected}: all "
                    "states of a clip need the same shapes, and the same of what is no array"
                )
        return state


def _described(leaf: Any) -> str:
    return f"an array of shape {np.shape(leaf)}" if eqx.is_array_like(leaf) else f"{leaf!r:.60}"


def _stack(*leaves: Any) -> Any:
    if not eqx.is_array_like(leaves[0]):
        return leaves[0]
    return (jnp if isinstance(leaves[0], jax.Array) else np).stack(leaves)


@eqx.filter_jit
def _captured(capture: Capture, env: Any, states: PyTree, start: jax.Array) -> PyTree:
    """Capture `CHUNK` stacked states from `start` on, or the last `CHUNK` where fewer follow."""

    def batch(x: Any) -> Any:
        return lax.dynamic_slice_in_dim(x, start, min(CHUNK, x.shape[0])) if eqx.is_array(x) else x

    over_time = eqx.if_array(0)
    return eqx.filter_vmap(capture, in_axes=(None, over_time), out_axes=over_time)(
        env, jax.tree.map(batch, states)
    )
