"""What is read from the contexts that Lerax passes to a callback."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import equinox as eqx
import jax
import numpy as np
import optax
from jax import numpy as jnp
from lerax.callback import IterationContext, StepContext, TrainingContext

from ..backends import TOTAL_TIMESTEPS, HParam
from .hparams import SEED, is_telling, plain, settings


def algorithm_of(
    ctx: TrainingContext[Any, Any] | IterationContext[Any, Any] | StepContext[Any],
) -> Any:
    """Return the algorithm that trains."""
    # A field of the first two in Lerax 0.0.6, a local variable of its methods else.
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


def hparams_of(
    ctx: TrainingContext[Any, Any],
) -> tuple[dict[str, HParam | None], dict[str, jax.Array]]:
    """Return hyperparameters, and the arrays of those whose values come with the training.

    The first are in the order in which people want them: what the algorithm's constructor takes,
    what else the algorithm has, then policy and environment. Values that come later are `None`.
    """
    algorithm = algorithm_of(ctx)
    found: dict[str, Any] = dict.fromkeys(_constructor_names(algorithm))
    names = [name for name in found if name.endswith(("learning_rate", "lr"))]
    # Not the schedule that it may come from, but what it is at the start.
    rates = zip(names or ["algorithm.learning_rate"], _learning_rates(ctx.opt_state), strict=False)
    found |= dict(rates)
    found |= settings(algorithm, "algorithm")
    # `learn`'s own key; that of the context is made from it.
    key: Any = ctx.locals.get("key")
    if eqx.is_array(key):
        is_typed = jnp.issubdtype(key.dtype, jax.dtypes.prng_key)
        found[SEED] = jax.random.key_data(key) if is_typed else key
    found[TOTAL_TIMESTEPS] = total_steps_of(ctx)
    # The arrays of a policy are what is learned.
    found |= ((n, value) for n, value in settings(ctx.policy, "policy") if not eqx.is_array(value))
    found |= settings(ctx.env, "env")
    traced = {name: value for name, value in found.items() if eqx.is_array(value)}
    known = {
        name: plain(value)
        for name, value in found.items()
        if value is not None and name not in traced and is_telling(value)
    }
    return {name: known.get(name) for name in found}, traced


def _constructor_names(algorithm: Any) -> list[str]:
    parameters = inspect.signature(type(algorithm)).parameters.values()
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return [f"algorithm.{each.name}" for each in parameters if each.kind in named]


def scalars_of(
    ctx: IterationContext[Any, Any],
    own: Callable[[IterationContext[Any, Any]], Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """Return what the algorithm reports of an iteration, the learning rate and a user's own values.

    Args:
        ctx: What Lerax passes at the end of an iteration.
        own: Returns the user's own, which take precedence.

    Raises:
        TypeError: `own` returns something else than scalars by tag.
    """
    scalars: dict[str, Any] = {
        f"train/{tag}": value for tag, value in ctx.training_log.items() if _is_scalar(value)
    }
    # NaN where there is none. Several optimizers have several; the first is that of the actor.
    scalars["train/learning_rate"] = next(iter(_learning_rates(ctx.opt_state)), jnp.nan)
    if own is not None:
        scalars |= single_numbers("scalars", own(ctx))
    return scalars


def single_numbers(option: str, found: Any) -> dict[str, Any]:
    """Return what a user's function has returned.

    Args:
        option: What the function was passed as, for errors.
        found: What it has returned.

    Raises:
        TypeError: That is something else than scalars by tag.
    """
    if not isinstance(found, Mapping):
        raise TypeError(
            f"{option} must return a mapping of tags to scalars, not {type(found).__name__}"
        )
    for tag, value in found.items():
        if not isinstance(tag, str) or not _is_scalar(value):
            raise TypeError(
                f"{option} must return single numbers by tag, but {tag!r} is "
                f"{_described(value)}: return its mean, for instance"
            )
    return dict(found)


def number(tag: str, value: Any) -> float:
    """Return a user's own value as a number.

    Raises:
        TypeError: It is none, or one that JAX is tracing.
    """
    if isinstance(value, jax.core.Tracer):
        raise TypeError(
            f"{tag!r} has no value while JAX is tracing: pass a function as `scalars` to the "
            "LoggingCallback, which is traced into `learn`"
        )
    if not _is_scalar(value) or isinstance(value, complex):
        raise TypeError(f"{tag!r} must be a single number, not {_described(value)}")
    return float(np.asarray(value).reshape(()))


def _learning_rates(opt_state: Any) -> list[Any]:
    found = optax.tree_utils.tree_get_all_with_path(opt_state, "learning_rate")
    return [value for _, value in found if _is_scalar(value)]


def _described(value: Any) -> str:
    shape = getattr(value, "shape", None)
    return repr(value) if shape is None else f"an array of the shape {tuple(shape)}"


def _is_scalar(value: Any) -> bool:
    return eqx.is_array_like(value) and np.size(value) == 1
