"""A policy acting in an environment, as one compiled scan that keeps only what is asked for.

Rollouts are computed in chunks of `CHUNK` steps (see `scan`). While the caller works on one
chunk, the device computes the next, and never more than two are held: memory does not grow with
`steps`.
"""

import itertools
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import equinox as eqx
import jax
import numpy as np
from jax import numpy as jnp
from jax import random as jr

from ..settings import check_env, check_policy, check_steps
from ..system import check_not_forked
from .callbacks import callbacks_named, on_host
from .scan import blank, blank_carry, blank_tiles, scan, scan_chunk, scan_tiles, stacked_policies
from .step import (
    CHUNK,
    Capture,
    Carry,
    Key,
    PyTree,
    Rollout,
    cut,
    is_shape,
    restart,
    shapes,
    single_step,
)

__all__ = [
    "CHUNK",
    "Capture",
    "PreparedRollout",
    "PyTree",
    "Rollout",
    "rollout",
    "rollout_chunks",
    "stepwise",
    "typed_key",
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
    key: Key = None,
    capture: Capture = whole_state,
    deterministic: bool = False,
) -> Rollout:
    """Let a policy act in an environment, restarting it whenever an episode ends.

    Args:
        env: A Lerax environment, wrapped or not.
        policy: A Lerax policy; its internal state is kept from step to step and reset with each
            episode. `None` samples from the environment's action space.
        steps: Number of states to return, the first one included.
        key: JAX PRNG key, or a seed for one (default 0).
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
    check_env("rollout", env)
    check_not_forked()
    check_policy(env, policy)
    check_steps(steps)
    chunks = list(
        rollout_chunks(
            env, policy, steps=steps, key=key, capture=capture, deterministic=deterministic
        )
    )
    whole: Rollout = jax.tree.map(_concatenated, *chunks)
    return whole


def _concatenated(*parts: Any) -> Any:
    # PRNG keys in a state stay JAX arrays: NumPy has no dtype for them.
    if not eqx.is_array(parts[0]):
        return parts[0]
    return (np if isinstance(parts[0], np.ndarray) else jnp).concatenate(parts)


def rollout_chunks(
    env: Any,
    policy: Any | None,
    *,
    steps: int,
    key: Key,
    capture: Capture,
    deterministic: bool = False,
    lanes: int | None = None,
) -> Iterator[Rollout]:
    """Like `rollout`, but yields parts of at most `CHUNK` steps while the device computes the next.

    With `lanes`, that many rollouts advance together in one vmapped scan, each with a key of its
    own and each restarting on its own; leaves then have the axes `(T, lanes)`. `policy` may be a
    sequence of as many policies that differ only in the values of their arrays.
    """
    key = typed_key(key)
    if jax.config.jax_disable_jit:
        return _uncompiled_chunks(env, policy, steps, key, capture, deterministic, lanes)
    if lanes is None:
        carry = blank_carry(env, policy, key)
        return _chunks(
            lambda carry: scan_chunk(env, policy, carry, capture, deterministic), carry, steps
        )
    policy, stacked = stacked_policies(policy)
    carry = blank_tiles(env, policy, jr.split(key, lanes), stacked)
    return _chunks(
        lambda carry: scan_tiles(env, policy, carry, capture, deterministic, stacked),
        carry,
        steps,
    )


def lanes_of(chunk: Rollout, lanes: int | None) -> list[Rollout]:
    """Return the rollouts in one with the axes `(T, lanes)`, each with the axis `T`."""
    if lanes is None:
        return [chunk]

    def lane(number: int) -> Rollout:
        found: Rollout = jax.tree.map(lambda x: x[:, number] if eqx.is_array(x) else x, chunk)
        return found

    return [lane(number) for number in range(lanes)]


def typed_key(key: Key) -> jax.Array:
    """Return a typed key for a seed and for `jax.random.PRNGKey`'s plain numbers, too."""
    if key is None or isinstance(key, int | np.integer):
        return jr.key(int(key or 0))
    return key if jnp.issubdtype(key.dtype, jax.dtypes.prng_key) else jr.wrap_key_data(key)


def _chunks(
    next_chunk: Callable[[Carry], tuple[Carry, Rollout]], carry: Carry, steps: int
) -> Iterator[Rollout]:
    ahead: Rollout | None = None
    for start in range(0, steps, CHUNK):
        with callbacks_named():
            carry, chunk = next_chunk(carry)
        if ahead is not None:
            yield on_host(ahead)
        ahead = cut(chunk, slice(steps - start)) if steps - start < CHUNK else chunk
    yield on_host(ahead)


def _uncompiled_chunks(
    env: Any,
    policy: Any | None,
    steps: int,
    key: jax.Array,
    capture: Capture,
    deterministic: bool,
    lanes: int | None,
) -> Iterator[Rollout]:
    """Take the same steps one by one, which under `jax_disable_jit` a scan would do, too.

    It would take a whole chunk, with `lax.cond` and all, and that takes a second for each step.
    """

    def taken(policy: Any | None, key: jax.Array) -> Iterator[Rollout]:
        for state, step in stepwise(env, policy, steps=steps, key=key, deterministic=deterministic):
            yield replace(step, states=jax.device_get(capture(env, state)))

    if lanes is None:
        every = taken(policy, key)
    else:
        policies = policy if isinstance(policy, list | tuple) else [policy] * lanes
        each = map(taken, policies, jr.split(key, lanes))
        every = (_stacked(*steps) for steps in zip(*each, strict=True))
    for part in itertools.batched(every, CHUNK, strict=False):
        yield _stacked(*part)


def _stacked(*steps: Rollout) -> Rollout:
    whole: Rollout = jax.tree.map(
        lambda *parts: (
            (np if isinstance(parts[0], np.ndarray | np.generic) else jnp).stack(parts)
            if eqx.is_array_like(parts[0])
            else parts[0]
        ),
        *steps,
    )
    return whole


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
        lanes: As for `rollout_chunks`.
    """

    def __init__(
        self,
        env: Any,
        policy: Any | None,
        *,
        capture: Capture,
        deterministic: bool = False,
        lanes: int | None = None,
    ) -> None:
        arrays, static = eqx.partition((env, policy), eqx.is_array)
        self._lanes = lanes
        self._start = eqx.filter_eval_shape(restart, env, policy, jr.key(0))
        carry = eqx.filter_eval_shape(lambda: self._blank(jr.key(0)))
        carry_shapes, carry_static = eqx.partition(carry, is_shape)

        chunk_static: Any = None

        def run(arrays: PyTree, carry_arrays: PyTree) -> tuple[PyTree, Rollout]:
            env, policy = eqx.combine(arrays, static)
            carry = eqx.combine(carry_arrays, carry_static)
            if lanes is None:
                carry, chunk = scan(env, policy, carry, capture, deterministic)
            else:
                carry, chunk = scan_tiles(env, policy, carry, capture, deterministic, False)
            nonlocal chunk_static
            chunk, chunk_static = eqx.partition(chunk, eqx.is_array)
            return eqx.filter(carry, eqx.is_array), chunk

        self._lowered: Any = jax.jit(run).lower(shapes(arrays), carry_shapes)
        self._compiled: Any = None
        self._carry_static, self._chunk_static = carry_static, chunk_static
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
            return (
                eqx.combine(carry, self._carry_static),
                eqx.combine(chunk, self._chunk_static),
            )

        return _chunks(scan_compiled, self._blank(key), steps)

    def _blank(self, key: jax.Array) -> Carry:
        if self._lanes is None:
            return blank(self._start, key)
        carry: Carry = eqx.filter_vmap(
            lambda key: blank(self._start, key), out_axes=eqx.if_array(0)
        )(jr.split(key, self._lanes))
        return carry


def stepwise(
    env: Any,
    policy: Any | None,
    *,
    steps: int,
    key: Key,
    deterministic: bool = False,
) -> Iterator[tuple[PyTree, Rollout]]:
    """The same steps one at a time, for environments that live on the host beside their state.

    Yields:
        The state, and a `Rollout` of that one step whose `states` is `None` (scalars, no `T` axis).
    """
    carry = blank_carry(env, policy, typed_key(key))
    for _ in range(steps):
        with callbacks_named():
            carry, step = single_step(env, policy, carry, deterministic, bool(carry.done))
        yield carry.env_state, on_host(step)
