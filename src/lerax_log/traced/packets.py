"""What one iteration reports, as a single array on its way from the device to the host.

Every argument of a callback costs a training as much as all its scalars in one do, so they travel
bit-cast into one `int32` vector: whole numbers keep all digits, and nothing is rounded.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import equinox as eqx
import jax
import numpy as np
from jax import lax
from jax import numpy as jnp
from jax import random as jr

EPISODE_TAGS = ("episode/return", "episode/length")
"""Averages that exist only once an environment has finished an episode."""

_HEADER = 5


@dataclass(frozen=True)
class Report:
    """One iteration of one run, on the host.

    Attributes:
        run: The number that the host gave the run.
        iteration: Iterations completed in this `learn`.
        last_iteration: Iterations that this `learn` will complete.
        step: Environment steps taken in this `learn`, over all environments.
        scalars: Values by tag.
    """

    run: int
    iteration: int
    last_iteration: int
    step: int
    scalars: Mapping[str, float]


@dataclass(frozen=True)
class Layout:
    """What the numbers in a packet mean: all that is known when `learn` is traced.

    Attributes:
        tags: Of the scalars, after `EPISODE_TAGS`.
        num_envs: Environments that step together.
    """

    tags: tuple[str, ...]
    num_envs: int

    def pack(
        self,
        *,
        run: jax.Array,
        iteration: jax.Array,
        last_iteration: jax.Array,
        env_steps: jax.Array,
        episodes: tuple[jax.Array, jax.Array, jax.Array],
        scalars: Mapping[str, Any],
    ) -> jax.Array:
        """Return `int32 (size,)`.

        Args:
            run: The run's number.
            iteration: Iterations completed.
            last_iteration: Iterations that will be completed.
            env_steps: Steps of each environment. Their sum over environments, which can exceed
                `int32`, is taken on the host.
            episodes: Average return, average length and over how many environments.
            scalars: Value by tag, converted to `float32`.
        """
        average_return, average_length, finished = episodes
        whole = (run, iteration, last_iteration, env_steps, finished)
        values = (average_return, average_length, *(scalars[tag] for tag in self.tags))
        return jnp.stack(
            [jnp.asarray(number).astype(jnp.int32).reshape(()) for number in whole]
            + [
                lax.bitcast_convert_type(
                    jnp.asarray(value).astype(jnp.float32).reshape(()), jnp.int32
                )
                for value in values
            ]
        )

    @property
    def size(self) -> int:
        """Numbers in a packet."""
        return _HEADER + len(EPISODE_TAGS) + len(self.tags)

    def unpack(self, packet: np.ndarray) -> Report:
        """Return what `pack` was given, with the episodes' averages left out if there are none."""
        run, iteration, last_iteration, env_steps, finished = (int(n) for n in packet[:_HEADER])
        values = packet[_HEADER : self.size].view(np.float32).tolist()
        tags = EPISODE_TAGS + self.tags
        scalars = dict(zip(tags, values, strict=True))
        if not finished:
            for tag in EPISODE_TAGS:
                del scalars[tag]
        return Report(run, iteration, last_iteration, env_steps * self.num_envs, scalars)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Outbox:
    """Packets that wait on the device to be sent together.

    Attributes:
        packets: `int32 (interval, capacity)`; without rows where every packet is sent by itself.
    """

    packets: jax.Array

    CAPACITY = 256
    """Numbers a packet may have in an outbox, which is made before the scalars are known."""

    @classmethod
    def empty(cls, interval: int) -> Self:
        """Return an outbox for `interval` packets."""
        return cls(jnp.zeros((interval if interval > 1 else 0, cls.CAPACITY), jnp.int32))

    def with_packet(self, packet: jax.Array, iteration: jax.Array) -> Self:
        """Return an outbox with the packet of `iteration`, counted from 1, in its row."""
        row = jnp.zeros((self.CAPACITY,), jnp.int32).at[: packet.size].set(packet)
        return type(self)(self.packets.at[(iteration - 1) % len(self.packets)].set(row))


class Skeleton:
    """Everything in a pytree but its arrays, which travel to the host without it.

    Args:
        tree: Any pytree; its arrays may be traced.
    """

    def __init__(self, tree: Any) -> None:
        arrays, self._rest = eqx.partition(tree, eqx.is_array)
        leaves, self._structure = jax.tree.flatten(arrays)
        self._key_impls = [jr.key_impl(leaf) if _is_key(leaf) else None for leaf in leaves]

    def arrays(self, tree: Any) -> list[jax.Array]:
        """Return the arrays of a tree of the same kind, PRNG keys as the data that they are."""
        leaves = jax.tree.leaves(eqx.filter(tree, eqx.is_array))
        return [jr.key_data(leaf) if _is_key(leaf) else leaf for leaf in leaves]

    def restore(self, arrays: Sequence[jax.Array]) -> Any:
        """Return the tree that has these arrays."""
        leaves = [
            array if impl is None else jr.wrap_key_data(array, impl=impl)
            for array, impl in zip(arrays, self._key_impls, strict=True)
        ]
        return eqx.combine(jax.tree.unflatten(self._structure, leaves), self._rest)


def _is_key(x: Any) -> bool:
    return jnp.issubdtype(x.dtype, jax.dtypes.prng_key)
