"""Return and length of episodes: of the one under way in each environment, and moving averages."""

from dataclasses import dataclass
from typing import Self

import jax
from jax import numpy as jnp


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class EpisodeStats:
    """Statistics of one environment, or of many along leading axes.

    Attributes:
        steps: `int32`, environment steps taken.
        episode_return: `float32`, sum of the rewards of the episode under way.
        episode_length: `int32`, steps of the episode under way.
        finished: `int32`, number of episodes that have ended.
        average_return: `float32`, exponential moving average of their returns.
        average_length: `float32`, exponential moving average of their lengths.
    """

    steps: jax.Array
    episode_return: jax.Array
    episode_length: jax.Array
    finished: jax.Array
    average_return: jax.Array
    average_length: jax.Array

    @classmethod
    def initial(cls) -> Self:
        """Return the statistics of an environment before its first step."""
        none, zero = jnp.zeros((), jnp.int32), jnp.zeros((), jnp.float32)
        return cls(none, zero, none, none, zero, zero)

    def advanced(self, reward: jax.Array, done: jax.Array, alpha: float) -> Self:
        """Return the statistics after one more step of one environment.

        Args:
            reward: The step's reward, a scalar.
            done: Whether the step ended its episode.
            alpha: Weight of an episode that ends; the average so far has `1 - alpha`. The first
                episode is not averaged with 0: it is the average.
        """
        episode_return = self.episode_return + jnp.asarray(reward, jnp.float32)
        episode_length = self.episode_length + 1

        def average(old: jax.Array, episode: jax.Array) -> jax.Array:
            mixed = jnp.where(self.finished > 0, alpha * episode + (1 - alpha) * old, episode)
            return jnp.where(done, mixed, old)

        return type(self)(
            steps=self.steps + 1,
            episode_return=jnp.where(done, 0.0, episode_return),
            episode_length=jnp.where(done, 0, episode_length),
            finished=self.finished + done.astype(jnp.int32),
            average_return=average(self.average_return, episode_return),
            average_length=average(self.average_length, episode_length.astype(jnp.float32)),
        )

    def averages(self) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Return average return, average length, and the number of environments averaged over.

        Environments without a finished episode are left out. Where none has one, all three are 0.
        """
        counted = self.finished > 0
        count = counted.sum(dtype=jnp.int32)

        def mean(values: jax.Array) -> jax.Array:
            return jnp.where(counted, values, 0.0).sum() / jnp.maximum(count, 1)

        return mean(self.average_return), mean(self.average_length), count
