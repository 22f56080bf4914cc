"""What is read from the contexts that Lerax passes to a callback."""

from typing import Any

import equinox as eqx
import jax
import numpy as np
import optax
from jax import numpy as jnp
from lerax.callback import IterationContext, TrainingContext

from ..backends import HParam
from .hparams import SEED, plain, settings


def algorithm_of(ctx: TrainingContext[Any, Any]) -> Any:
    """Return the algorithm that trains."""
    # A field in Lerax 0.0.6, a local variable of `learn` in 0.0.5.
    return getattr(ctx, "algorithm", None) or ctx.locals["self"]


def total_steps_of(ctx: TrainingContext[Any, Any]) -> int:
    """Return how many environment steps a training will take, over all environments.

    Whole iterations alone count for Lerax, and what fills a buffer before the first one does not.
    """
    algorithm = algorithm_of(ctx)
    iterations = algorithm.num_iterations(ctx.total_timesteps)
    steps = iterations * algorithm.num_steps + getattr(algorithm, "learning_starts", 0)
    return int(algorithm.num_envs * steps)


def name_of(module: Any) -> str:
    """Return the name that a policy or an environment has, or that of its class."""
    name = getattr(module, "name", None)
    return name if isinstance(name, str) else type(module).__name__


def hparams_of(ctx: TrainingContext[Any, Any]) -> tuple[dict[str, HParam], dict[str, jax.Array]]:
    """Return hyperparameters with their values, and those whose values come with the training."""
    modules = {"algorithm": algorithm_of(ctx), "policy": ctx.policy, "env": ctx.env}
    found = {
        name: value
        for prefix, module in modules.items()
        for name, value in settings(module, prefix)
        # The arrays of a policy are what is learned.
        if prefix != "policy" or not eqx.is_array(value)
    }
    traced = {name: value for name, value in found.items() if eqx.is_array(value)}
    # `learn`'s own key; that of the context is made from it.
    key: Any = ctx.locals.get("key")
    if eqx.is_array(key):
        is_typed = jnp.issubdtype(key.dtype, jax.dtypes.prng_key)
        traced[SEED] = jax.random.key_data(key) if is_typed else key
    return {name: plain(value) for name, value in found.items() if name not in traced}, traced


def scalars_of(ctx: IterationContext[Any, Any]) -> dict[str, Any]:
    """Return what the algorithm reports of an iteration, and the learning rate (NaN if none)."""
    scalars: dict[str, Any] = {
        f"train/{tag}": value for tag, value in ctx.training_log.items() if _is_scalar(value)
    }
    rates = [
        value
        for _, value in optax.tree_utils.tree_get_all_with_path(ctx.opt_state, "learning_rate")
        if _is_scalar(value)
    ]
    # Several optimizers have several; the first is that of the actor, or of the only one.
    scalars["train/learning_rate"] = rates[0] if rates else jnp.nan
    return scalars


def _is_scalar(value: Any) -> bool:
    return eqx.is_array_like(value) and np.size(value) == 1
