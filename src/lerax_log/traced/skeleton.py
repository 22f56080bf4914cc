"""A pytree without its arrays, which travel to the host by themselves."""

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
from jax import numpy as jnp
from jax import random as jr


class Skeleton:
    """Everything in a pytree but its arrays.

    Args:
        tree: Any pytree; its arrays may be traced.
    """

    def __init__(self, tree: Any) -> None:
        arrays, self._rest = eqx.partition(tree, eqx.is_array)
        leaves, self._structure = jax.tree.flatten(arrays)
        self._key_impls = [jr.key_impl(leaf) if _is_key(leaf) else None for leaf in leaves]

    def arrays(self, tree: Any) -> list[jax.Array]:
        """Return the arrays of a tree of the same structure; of PRNG keys, their data."""
        leaves = jax.tree.leaves(eqx.filter(tree, eqx.is_array))
        return [jr.key_data(leaf) if _is_key(leaf) else leaf for leaf in leaves]

    def is_of(self, tree: Any) -> bool:
        """Whether a tree has its arrays at the same places."""
        structure: Any = jax.tree.structure(eqx.filter(tree, eqx.is_array))
        return bool(structure == self._structure)

    def restore(self, arrays: Sequence[jax.Array]) -> Any:
        """Return the tree with these arrays in it."""
        leaves = [
            array if impl is None else jr.wrap_key_data(array, impl=impl)
            for array, impl in zip(arrays, self._key_impls, strict=True)
        ]
        return eqx.combine(jax.tree.unflatten(self._structure, leaves), self._rest)


def _is_key(x: Any) -> bool:
    return jnp.issubdtype(x.dtype, jax.dtypes.prng_key)
