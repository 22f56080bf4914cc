"""A policy acting in an environment, as one compiled scan that keeps only what is asked for.

Rollouts are computed in chunks of `CHUNK` steps (see `scan`). While the caller works on one
chunk, the device computes the next, and never more than two are held: memory does not grow with
`steps`.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
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
from .programs import in_turn, with_shared_models
from .scan import blank_carry, blank_tiles, scan_chunk, scan_tiles, stacked_policies
from .step import (
    CHUNK,
    Capture,
    Carry,
    Key,
    PyTree,
    Rollout,
    cut,
    single_step,
)

__all__ = [
    "CHUNK",
    "Capture",
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
        if lanes is None:
            return _uncompiled_lane(env, policy, steps, key, capture, deterministic)
        keys = jr.split(key, lanes)
        return _uncompiled_lanes(env, policy, steps, keys, capture, deterministic)
    env = with_shared_models(env)
    if lanes is None:
        scan = in_turn(scan_chunk)
        return in_chunks(
            lambda carry: scan(env, policy, carry, capture, deterministic),
            blank_carry(env, policy, key),
            steps,
        )
    policy, stacked = stacked_policies(policy)
    tiles = in_turn(scan_tiles)
    return in_chunks(
        lambda carry: tiles(env, policy, carry, capture, deterministic, stacked),
        blank_tiles(env, policy, jr.split(key, lanes), stacked),
        steps,
    )


def episode_chunks(
    env: Any,
    policy: Any | None,
    *,
    episodes: int,
    lanes: int,
    limit: int,
    key: Key,
    capture: Capture,
    deterministic: bool = False,
) -> Iterator[Rollout]:
    """Like `rollout_chunks` with `lanes`, until so many episodes are over.

    Each lane takes its share, which is fixed beforehand: the first ones to be over would be the
    short ones. Episode `n` is the `n // lanes`-th of lane `n % lanes`.

    Args:
        env: As for `rollout`.
        policy: As for `rollout_chunks`.
        episodes: How many.
        lanes: How many advance together, at most as many.
        limit: After how many actions an episode is cut short.
        key: As for `rollout`.
        capture: As for `rollout`.
        deterministic: As for `rollout`.
    """
    key = typed_key(key)
    # A lane by itself is the rollout that has this key.
    keys = key[None] if lanes == 1 else jr.split(key, lanes)
    most = jnp.asarray(limit, jnp.int32)
    if jax.config.jax_disable_jit:
        chunks = _uncompiled_lanes(env, policy, None, keys, capture, deterministic, most)
        return until_over(lambda _: (None, next(chunks)), None, episodes, lanes)
    env = with_shared_models(env)
    policy, stacked = stacked_policies(policy)
    tiles = in_turn(scan_tiles)
    return until_over(
        lambda carry: tiles(env, policy, carry, capture, deterministic, stacked),
        blank_tiles(env, policy, keys, stacked, most),
        episodes,
        lanes,
    )


def until_over[T](
    next_chunk: Callable[[T], tuple[T, Rollout]], carry: T, episodes: int, lanes: int
) -> Iterator[Rollout]:
    """Yield chunks until lanes have had their shares; the device computes the next one meanwhile.

    Args:
        next_chunk: Takes steps from a carry on, and returns the next one with them.
        carry: To begin with.
        episodes: How many, of all lanes together.
        lanes: How many.
    """
    left = np.bincount(np.arange(episodes) % lanes, minlength=lanes)
    ahead: Rollout | None = None
    while (left > 0).any():
        with callbacks_named():
            if ahead is None:
                carry, ahead = next_chunk(carry)
            chunk = on_host(ahead)
            left = left - (chunk.terminated | chunk.truncated).sum(axis=0)
            # Only now is it known whether there is a next one.
            if (left > 0).any():
                carry, ahead = next_chunk(carry)
        yield chunk


def lanes_of(chunk: Rollout, lanes: int | None) -> list[Rollout]:
    """Return the rollouts in one with the axes `(T, lanes)`, each with the axis `T`."""
    if lanes is None:
        return [chunk]

    def lane(number: int) -> Rollout:
        found: Rollout = jax.tree.map(lambda x: x[:, number] if eqx.is_array(x) else x, chunk)
        return found

    return [lane(number) for number in range(lanes)]


def taken_apart(chunk: Rollout) -> tuple[list[Any], Any]:
    """Return the arrays of a rollout, and its form, of which `assembled` makes one like it."""
    arrays, static = eqx.partition(chunk, eqx.is_array)
    leaves, structure = jax.tree.flatten(arrays)
    return leaves, (structure, static)


def assembled(parts: Sequence[Sequence[Any]], form: Any) -> Rollout:
    """Return a rollout of consecutive parts' arrays."""
    structure, static = form
    leaves = [_concatenated(*arrays) for arrays in zip(*parts, strict=True)]
    whole: Rollout = eqx.combine(jax.tree.unflatten(structure, leaves), static)
    return whole


def typed_key(key: Key) -> jax.Array:
    """Return a typed key for a seed and for `jax.random.PRNGKey`'s plain numbers, too."""
    if key is None or isinstance(key, int | np.integer):
        return jr.key(int(key or 0))
    return key if jnp.issubdtype(key.dtype, jax.dtypes.prng_key) else jr.wrap_key_data(key)


def in_chunks(
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


def _uncompiled_lane(
    env: Any,
    policy: Any | None,
    steps: int | None,
    key: jax.Array,
    capture: Capture,
    deterministic: bool,
) -> Iterator[Rollout]:
    """Take the same steps one by one, which under `jax_disable_jit` a scan would do, too.

    It would take a whole chunk, with `lax.cond` and all, and that takes a second for each step.
    """
    every = _uncompiled_steps(env, policy, steps, key, capture, deterministic)
    return (_stacked(*part) for part in itertools.batched(every, CHUNK, strict=False))


def _uncompiled_lanes(
    env: Any,
    policy: Any | None,
    steps: int | None,
    keys: jax.Array,
    capture: Capture,
    deterministic: bool,
    limit: jax.Array | None = None,
) -> Iterator[Rollout]:
    policies = policy if isinstance(policy, list | tuple) else [policy] * len(keys)
    each = [
        _uncompiled_steps(env, policy, steps, key, capture, deterministic, limit)
        for policy, key in zip(policies, keys, strict=True)
    ]
    every = (_stacked(*steps) for steps in zip(*each, strict=True))
    return (_stacked(*part) for part in itertools.batched(every, CHUNK, strict=False))


def _uncompiled_steps(
    env: Any,
    policy: Any | None,
    steps: int | None,
    key: jax.Array,
    capture: Capture,
    deterministic: bool,
    limit: jax.Array | None = None,
) -> Iterator[Rollout]:
    for state, step in stepwise(
        env, policy, steps=steps, key=key, deterministic=deterministic, limit=limit
    ):
        yield replace(step, states=jax.device_get(capture(env, state)))


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


def stepwise(
    env: Any,
    policy: Any | None,
    *,
    steps: int | None,
    key: Key,
    deterministic: bool = False,
    limit: jax.Array | None = None,
) -> Iterator[tuple[PyTree, Rollout]]:
    """The same steps one at a time, for environments that live on the host beside their state.

    Without end where `steps` is `None`; `limit` as for `blank`.

    Yields:
        The state, and a `Rollout` of that one step whose `states` is `None` (scalars, no `T` axis).
    """
    carry = blank_carry(env, policy, typed_key(key), limit)
    for _ in itertools.count() if steps is None else range(steps):
        with callbacks_named():
            carry, step = single_step(env, policy, carry, deterministic, bool(carry.done))
        yield carry.env_state, on_host(step)
