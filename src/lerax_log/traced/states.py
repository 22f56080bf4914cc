"""What the callback carries through a training, and through the steps of each environment."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import jax
from jax import numpy as jnp
from lerax.callback import IterationContext, ResetContext, StepContext

from .contexts import algorithm_of
from .episode_stats import EpisodeStats
from .packets import Outbox
from .transitions import Transition, values_of


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class LoggingState:
    """What the callback carries through a training.

    Attributes:
        learn: `int32`, the number that the host gave this `learn`.
        last_iteration: `int32`, iterations that this `learn` will complete.
        outbox: Packets that wait to be sent.
        template: What does not change in what is recorded; `None` where nothing is.
    """

    learn: jax.Array
    last_iteration: jax.Array
    outbox: Outbox
    template: Any = field(default=None, metadata={"static": True})


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class StepState:
    """What it carries through the steps of one environment, or of many along leading axes.

    Attributes:
        episodes: Statistics of its episodes.
        sums: `float32`, the user's own values, summed over the iteration under way, by tag.
    """

    episodes: EpisodeStats
    sums: dict[str, jax.Array]

    @classmethod
    def initial(
        cls, ctx: ResetContext, own: Callable[[Transition], Mapping[str, Any]] | None
    ) -> Self:
        """Return the state before an environment's first step.

        Args:
            ctx: What Lerax passes then.
            own: Returns the user's own values of a step.

        Raises:
            TypeError: `own` returns something else than scalars by tag.
        """
        tags = [] if own is None else list(values_of(own, Transition.for_its_form(ctx)))
        return cls(EpisodeStats.initial(), {tag: jnp.zeros((), jnp.float32) for tag in tags})

    def advanced(
        self,
        ctx: StepContext[Any],
        alpha: float,
        own: Callable[[Transition], Mapping[str, Any]] | None,
    ) -> Self:
        """Return the state after one more step.

        Args:
            ctx: What Lerax passes after the step.
            alpha: As for `EpisodeStats.advanced`.
            own: As for `initial`.
        """
        # PPO adds the value of the state to `ctx.reward` where an episode is truncated.
        reward = ctx.locals.get("reward", ctx.reward)
        episodes = self.episodes.advanced(reward, jnp.asarray(ctx.done), alpha)
        if own is None:
            return type(self)(episodes, self.sums)
        algorithm = algorithm_of(ctx)
        # What fills a buffer is collected before the first iteration.
        step = self.episodes.steps - getattr(algorithm, "learning_starts", 0)
        sums = jax.tree.map(
            lambda total, value: jnp.where(step % algorithm.num_steps == 0, 0.0, total) + value,
            self.sums,
            values_of(own, Transition.of(ctx)),
        )
        return type(self)(episodes, sums)

    def means(self, ctx: IterationContext[Any, Any]) -> dict[str, jax.Array]:
        """Return the user's own values by tag, averaged over an iteration's steps, all of them."""
        return {tag: total.mean() / algorithm_of(ctx).num_steps for tag, total in self.sums.items()}
