"""From states that the user has to what a source captures of them, as a rollout gives it."""

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import equinox as eqx
import jax
import numpy as np
from jax import lax
from jax import numpy as jnp

from .rollouts import CHUNK, Capture, PyTree, Rollout
from .step import cut


def captured_batches(capture: Capture, env: Any, states: PyTree) -> Iterator[PyTree]:
    """Capture states in batches of one shape, so that this is compiled once.

    Args:
        capture: As for `rollout`.
        env: The environment.
        states: As for `lerax_render.render`.

    Returns:
        An iterator of what is captured of at most `CHUNK` states, on the host.

    Raises:
        ValueError: There are no states, or their leading axes differ.
    """
    return (
        cut(
            jax.device_get(_captured(capture, env, batch, jnp.asarray(start))), slice(-length, None)
        )
        for batch, start, length in _batches(states)
    )


def unstacked(states: PyTree) -> Iterator[PyTree]:
    """Yield the states of a stacked pytree one by one, their arrays as JAX arrays."""
    arrays, static = eqx.partition(states, eqx.is_array)
    for t in range(len(jax.tree.leaves(arrays)[0])):
        yield eqx.combine(jax.tree.map(lambda x, t=t: jnp.asarray(x[t]), arrays), static)


def _batches(states: PyTree) -> Iterator[tuple[PyTree, int, int]]:
    """Split states into stacked batches.

    Returns:
        An iterator of a stacked pytree, the index that the batch starts at, and its length; of what
        `_captured` makes of them, the last `length` states are the batch's.

    Raises:
        ValueError: There are no states, or their leading axes differ.
    """
    if isinstance(states, Rollout):
        states = states.states
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


def _is_sequence(states: PyTree) -> bool:
    """Whether these are single states one after the other, and not arrays of many."""
    if isinstance(states, dict | np.ndarray | jax.Array) or hasattr(states, "_fields"):
        return False
    if isinstance(states, tuple):
        # A state may be a tuple: then its parts are arrays with one axis more.
        return not states or not all(eqx.is_array(leaf) and leaf.ndim for leaf in states)
    return isinstance(states, Iterable)


def _sequence_batches(states: Iterator[PyTree]) -> Iterator[tuple[PyTree, int, int]]:
    for batch in itertools.batched(states, CHUNK, strict=False):
        # Padded in front: every batch has one shape, and is compiled for once.
        padded = (batch[0],) * (CHUNK - len(batch)) + batch
        yield jax.tree.map(_stack, *padded), 0, len(batch)


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
