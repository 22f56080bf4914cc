"""What one iteration reports, as a single array on its way from the device to the host.

Each argument of a callback costs a training as much as all its scalars together, so they travel
bit-cast in one `int32` vector: whole numbers keep all their digits, and nothing is rounded.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import jax
import numpy as np
from jax import lax
from jax import numpy as jnp

EPISODE_TAGS = ("episode/return", "episode/length")
"""Averages that exist only once an environment has finished an episode."""

_HEADER = 5
_LEARN, _ITERATION = 0, 1


@dataclass(frozen=True)
class Report:
    """What one iteration of one `learn` reports, on the host.

    Attributes:
        learn: The number that the host gave the `learn`.
        iteration: Iterations completed in this `learn`.
        last_iteration: Iterations that this `learn` will complete.
        step: Environment steps taken in this `learn`, over all environments.
        scalars: Values by tag.
    """

    learn: int
    iteration: int
    last_iteration: int
    step: int
    scalars: Mapping[str, float]


@dataclass(frozen=True)
class Layout:
    """What the numbers in a packet mean, as far as it is known when `learn` is traced.

    Attributes:
        tags: Tags of the scalars that follow those of `EPISODE_TAGS`.
        num_envs: Number of environments that step together.
    """

    tags: tuple[str, ...]
    num_envs: int

    def pack(
        self,
        *,
        learn: jax.Array,
        iteration: jax.Array,
        last_iteration: jax.Array,
        env_steps: jax.Array,
        episodes: tuple[jax.Array, jax.Array, jax.Array],
        scalars: Mapping[str, Any],
    ) -> jax.Array:
        """Return `int32 (size,)`.

        Args:
            learn: The number of the `learn`.
            iteration: Iterations completed.
            last_iteration: Iterations that this `learn` will complete.
            env_steps: Steps of each environment. The host takes their sum over environments,
                which can exceed `int32`.
            episodes: Average return, average length, and the number of environments averaged over.
            scalars: Values by tag; converted to `float32`.
        """
        average_return, average_length, finished = episodes
        whole = (learn, iteration, last_iteration, env_steps, finished)
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

    def unpack(self, packets: np.ndarray) -> list[Report]:
        """Return what `pack` was given, without the episodes' averages where there are none.

        Args:
            packets: `int32 (n, size)`.
        """
        tags = EPISODE_TAGS + self.tags
        reports = []
        for whole, values in zip(
            packets[:, :_HEADER].tolist(),
            packets[:, _HEADER:].view(np.float32).tolist(),
            strict=True,
        ):
            learn, iteration, last_iteration, env_steps, finished = whole
            scalars = dict(zip(tags, values, strict=True))
            if not finished:
                for tag in EPISODE_TAGS:
                    del scalars[tag]
            steps = env_steps * self.num_envs
            reports.append(Report(learn, iteration, last_iteration, steps, scalars))
        return reports


def newest(packets: np.ndarray) -> tuple[int, int]:
    """Return of which `learn` and of which iteration the newest of an outbox's packets is."""
    row = packets[packets[:, _ITERATION].argmax()]
    return int(row[_LEARN]), int(row[_ITERATION])


def later(packets: np.ndarray, iteration: int) -> np.ndarray:
    """Return those of an outbox's packets that are of later iterations, in their order."""
    rows, (_, last) = len(packets), newest(packets)
    return packets[[i % rows for i in range(max(iteration, last - rows), last)]]


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Outbox:
    """Packets that wait on the device to be sent together.

    Attributes:
        packets: `int32 (rows, CAPACITY)`.
        due: `int32`, the iteration at which they are sent next, as the host has said.
    """

    packets: jax.Array
    due: jax.Array

    ROWS = 32
    """Packets that may wait, where `interval` does not ask for more."""

    CAPACITY = 256
    """Numbers that a packet in an outbox may have; an outbox is made before scalars are known."""

    @classmethod
    def empty(cls, interval: int) -> Self:
        """Return an outbox whose first packets are sent at iteration `interval`."""
        packets = jnp.zeros((max(interval, cls.ROWS), cls.CAPACITY), jnp.int32)
        return cls(packets, jnp.asarray(interval, jnp.int32))

    def sent(
        self,
        send: Callable[[jax.Array], jax.Array],
        packet: jax.Array,
        iteration: jax.Array,
        is_last: Any,
    ) -> Self:
        """Take in the packet of `iteration` (counted from 1), and send what is due.

        Args:
            send: Sends packets, `int32 (rows, size)`, and returns at which iteration the next are
                due, `int32`.
            packet: `int32 (size,)`.
            iteration: Iterations completed.
            is_last: Whether this iteration is the last one.

        Returns:
            The outbox afterwards.
        """
        # Always so, which the compiler cannot know: each call needs the answer to the one before.
        # Else it would leave out those that nobody needs, where it unrolls the loop.
        packet = jnp.where(self.due > 0, packet, 0)
        if packet.size > self.CAPACITY:
            return replace(self, due=send(packet[None]))
        outbox = self.with_packet(packet, iteration)
        due = lax.cond(
            (iteration >= self.due) | is_last,
            lambda: send(outbox.packets[:, : packet.size]),
            lambda: self.due,
        )
        return replace(outbox, due=due)

    def with_packet(self, packet: jax.Array, iteration: jax.Array) -> Self:
        """Return an outbox with the packet of `iteration` (counted from 1) in its row."""
        row = jnp.zeros((self.CAPACITY,), jnp.int32).at[: packet.size].set(packet)
        packets = self.packets.at[(iteration - 1) % len(self.packets)].set(row)
        return replace(self, packets=packets)
