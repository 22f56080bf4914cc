"""Checks of arguments that several rooms share, made before any work is done."""

import operator
from typing import Any

LARGEST_SEED = 2**32 - 1


def check_steps(steps: Any) -> int:
    """Return a number of steps as an `int`, or raise `ValueError` or `TypeError`."""
    if check_whole("steps", steps) < 1:
        raise ValueError(f"steps must be at least 1, got {steps}")
    return check_whole("steps", steps)


def check_whole(name: str, number: Any) -> int:
    """Return a whole number, of NumPy's or Python's, as an `int`, or raise `TypeError`."""
    try:
        if not isinstance(number, bool):
            return operator.index(number)
    except TypeError:
        pass
    raise TypeError(f"{name} must be a whole number, got {number!r}")


def check_seed(key: Any) -> Any:
    """Return a random key as it is, or a seed as an `int`.

    Raises:
        TypeError: It is neither a JAX PRNG key, a whole number nor `None`.
        ValueError: It is a seed below 0 or above 2^32 - 1, or an array of several keys.
    """
    if key is None:
        return None
    if hasattr(key, "dtype") and getattr(key, "shape", ()) != ():
        if key.shape == (2,) and str(key.dtype) == "uint32":
            return key  # `jax.random.PRNGKey` makes such plain numbers
        raise ValueError(f"key must be one JAX PRNG key or a seed, got an array {key.shape}")
    if str(getattr(key, "dtype", "")).startswith("key<"):
        return key
    seed = check_whole("key", key)
    if not 0 <= seed <= LARGEST_SEED:
        raise ValueError(f"a seed must be 0 to {LARGEST_SEED}, got {seed}")
    return seed


def check_policy(env: Any, policy: Any | None) -> None:
    """Raise unless `policy` can act in `env`, as far as that shows without running either.

    Raises:
        TypeError: It is not callable or has no `reset`, as Lerax policies do.
        ValueError: It was made for observations or actions of another shape.
    """
    if policy is None:
        return
    if not callable(policy) or not callable(getattr(policy, "reset", None)):
        raise TypeError(
            f"policy must be a Lerax policy (callable, with a reset method) or None, got {policy!r}"
        )
    for space in ("observation_space", "action_space"):
        theirs = getattr(getattr(policy, space, None), "shape", None)
        ours = getattr(getattr(env, space, None), "shape", None)
        if theirs != ours and theirs is not None and ours is not None:
            raise ValueError(
                f"the policy's {space} has shape {theirs}, the environment's has {ours}: "
                f"it was made for another environment"
            )
