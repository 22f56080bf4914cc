"""A policy acting in an environment, as one compiled scan that keeps only what is asked for.

Rollouts are computed in chunks of `CHUNK` steps (see `stepping`). While the caller works on one
chunk, the device computes the next, and never more than two are held: memory does not grow with
`steps`.
"""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import equinox as eqx
import jax
import numpy as np
from jax import numpy as jnp
from jax import random as jr

from .step import (
    CHUNK,
    Capture,
    Carry,
    PyTree,
    Rollout,
    blank,
    blank_carry,
    blank_tiles,
    is_shape,
    restart,
    scan,
    scan_chunk,
    scan_tiles,
    shapes,
    single_step,
    stacked_policies,
)

__all__ = [
    "CHUNK",
    "Capture",
    "PreparedRollout",
    "PyTree",
    "Rollout",
    "check_policy",
    "check_steps",
    "check_whole",
    "rollout",
    "rollout_chunks",
    "stepwise",
    "whole_state",
]


def whole_state(env: Any, state: PyTree) -> PyTree:
    """The default capture: everything."""
    return state


def rollout(
    env: Any,
    policy: Any | None = None,
    *,
    steps: int = 256,
    key: jax.Array | None = None,
    capture: Capture = whole_state,
    deterministic: bool = False,
) -> Rollout:
    """Let a policy act in an environment, restarting it whenever an episode ends.

    Args:
        env: A Lerax environment, wrapped or not.
        policy: A Lerax policy; its internal state is kept from step to step and reset with each
            episode. `None` samples from the environment's action space.
        steps: Number of states to return, the first one included.
        key: JAX PRNG key; `jax.random.key(0)` where `None`.
        capture: `(env, state) -> pytree`, run on every state inside the compiled rollout; only its
            result is kept. Must be hashable: a module-level function is, and is compiled once.
        deterministic: Whether the policy is called without a key, which by Lerax's convention
            makes it take its most likely action.

    Returns:
        The rollout, on the host as NumPy arrays.

    Raises:
        ValueError: `steps` is not positive, or the policy was made for other spaces.
        TypeError: `policy` is not a Lerax policy.
    """
    check_policy(env, policy)
    check_steps(steps)
    chunks = list(
        rollout_chunks(
            env, policy, steps=steps, key=key, capture=capture, deterministic=deterministic
        )
    )
    # PRNG keys in a state stay JAX arrays: NumPy has no dtype for them.
    whole: Rollout = jax.tree.map(
        lambda *parts: (np if isinstance(parts[0], np.ndarray) else jnp).concatenate(parts), *chunks
    )
    return whole


def rollout_chunks(
    env: Any,
    policy: Any | None,
    *,
    steps: int,
    key: jax.Array | None,
    capture: Capture,
    deterministic: bool = False,
    tiles: int | None = None,
) -> Iterator[Rollout]:
    """Like `rollout`, but yields parts of at most `CHUNK` steps while the device computes the next.

    With `tiles`, that many rollouts advance together in one vmapped scan, each with a key of its
    own and each restarting on its own; leaves then have the axes `(T, tiles)`. `policy` may be a
    sequence of as many policies that differ only in the values of their arrays.
    """
    key = _typed(key)
    if tiles is None:
        carry = blank_carry(env, policy, key)
        return _chunks(
            lambda carry: scan_chunk(env, policy, carry, capture, deterministic), carry, steps
        )
    policy, stacked = stacked_policies(policy)
    carry = blank_tiles(env, policy, jr.split(key, tiles), stacked)
    return _chunks(
        lambda carry: scan_tiles(env, policy, carry, capture, deterministic, stacked),
        carry,
        steps,
    )


def _typed(key: jax.Array | None) -> jax.Array:
    """Return a typed key also for `jax.random.PRNGKey`'s plain numbers, and key 0 for `None`."""
    if key is None:
        return jr.key(0)
    return key if jnp.issubdtype(key.dtype, jax.dtypes.prng_key) else jr.wrap_key_data(key)


def _chunks(
    next_chunk: Callable[[Carry], tuple[Carry, Rollout]], carry: Carry, steps: int
) -> Iterator[Rollout]:
    ahead: Rollout | None = None
    for start in range(0, steps, CHUNK):
        carry, chunk = next_chunk(carry)
        if ahead is not None:
            yield jax.device_get(ahead)
        ahead = (
            jax.tree.map(lambda x, n=steps - start: x[:n], chunk)
            if steps - start < CHUNK
            else chunk
        )
    yield jax.device_get(ahead)


class PreparedRollout:
    """A rollout whose stages are taken one by one, for programs that do something else meanwhile.

    Making one traces and lowers the rollout, which is Python's work and holds up every other thread
    for as long (12 seconds for a humanoid). Compiling it, which takes longer still, does not, and
    is put off until the first chunk is asked for.

    Args:
        env: A Lerax environment; its arrays may be traced, only their shapes are looked at.
        policy: A Lerax policy; likewise.
        capture: As for `rollout`.
        deterministic: As for `rollout`.
    """

    def __init__(
        self, env: Any, policy: Any | None, *, capture: Capture, deterministic: bool = False
    ) -> None:
        arrays, static = eqx.partition((env, policy), eqx.is_array)
        self._start = eqx.filter_eval_shape(restart, env, policy, jr.key(0))
        carry = eqx.filter_eval_shape(lambda: blank(self._start, jr.key(0)))
        carry_shapes, carry_static = eqx.partition(carry, is_shape)

        def run(arrays: PyTree, carry_arrays: PyTree) -> tuple[PyTree, Rollout]:
            env, policy = eqx.combine(arrays, static)
            carry = eqx.combine(carry_arrays, carry_static)
            carry, chunk = scan(env, policy, carry, capture, deterministic)
            return eqx.filter(carry, eqx.is_array), chunk

        self._carry_static = carry_static
        self._lowered: Any = jax.jit(run).lower(shapes(arrays), carry_shapes)
        self._compiled: Any = None
        self._lock = threading.Lock()

    def chunks(
        self, env: Any, policy: Any | None, *, steps: int, key: jax.Array
    ) -> Iterator[Rollout]:
        """Like `rollout_chunks`, for an environment and a policy that differ only in values."""
        with self._lock:
            if self._compiled is None:
                self._compiled, self._lowered = self._lowered.compile(), None
        arrays = eqx.filter((env, policy), eqx.is_array)

        def scan_compiled(carry: Carry) -> tuple[Carry, Rollout]:
            carry, chunk = self._compiled(arrays, eqx.filter(carry, eqx.is_array))
            return eqx.combine(carry, self._carry_static), chunk

        return _chunks(scan_compiled, blank(self._start, key), steps)


def stepwise(
    env: Any,
    policy: Any | None,
    *,
    steps: int,
    key: jax.Array | None,
    deterministic: bool = False,
) -> Iterator[tuple[PyTree, Rollout]]:
    """The same steps one at a time, for environments that live on the host beside their state.

    Yields:
        The state, and a `Rollout` of that one step whose `states` is `None` (scalars, no `T` axis).
    """
    carry = blank_carry(env, policy, _typed(key))
    for _ in range(steps):
        carry, step = single_step(env, policy, carry, deterministic, bool(carry.done))
        yield carry.env_state, jax.device_get(step)


def check_steps(steps: int) -> None:
    """Raise `ValueError` or `TypeError` unless `steps` is a positive whole number."""
    if check_whole("steps", steps) < 1:
        raise ValueError(f"steps must be at least 1, got {steps}")


def check_whole(name: str, number: Any) -> int:
    """Return a whole number, of NumPy's or Python's, as an `int`, or raise `TypeError`."""
    if isinstance(number, bool) or not isinstance(number, int | np.integer):
        raise TypeError(f"{name} must be a whole number, got {number!r}")
    return int(number)


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
