"""Many steps as one compiled scan, in one rollout or in several side by side."""

from dataclasses import replace
from typing import Any

import equinox as eqx
import jax
from jax import lax
from jax import numpy as jnp
from jax import random as jr

from .step import (
    CHUNK,
    Capture,
    Carry,
    Moved,
    PyTree,
    Rollout,
    StepKeys,
    advance,
    finish,
    is_shape,
    no_action,
    restart,
)


def scan(
    env: Any, policy: Any | None, carry: Carry, capture: Capture, deterministic: bool
) -> tuple[Carry, Rollout]:
    """Take `CHUNK` steps. The rollout's arrays have the axis `T`.

    A state may have leaves that are no arrays, such as texts, which `env.render` wants to see: they
    stay as they are.
    """
    arrays, static = eqx.partition(carry, eqx.is_array)
    static_step: Any = None

    def step(arrays: PyTree, _: None) -> tuple[PyTree, PyTree]:
        nonlocal static_step
        carry = eqx.combine(arrays, static)
        next_key, move_key, terminal_key = jr.split(carry.key, 3)
        nothing = no_action(env, policy, carry, move_key, deterministic)

        def begin() -> PyTree:
            moved = restart(env, policy, move_key)._replace(action=nothing)
            return eqx.filter(moved, eqx.is_array)

        moved = lax.cond(
            carry.done,
            begin,
            lambda: eqx.filter(
                advance(env, policy, carry, StepKeys.of(move_key), deterministic), eqx.is_array
            ),
        )
        moved = eqx.combine(
            moved,
            Moved(
                static.env_state,
                static.policy_state,
                None,
                eqx.filter(nothing, eqx.is_array, inverse=True),
            ),
        )
        carry, step = finish(env, carry, moved, terminal_key, next_key)
        step = replace(step, states=capture(env, carry.env_state))
        step, static_step = eqx.partition(step, eqx.is_array)
        return eqx.filter(carry, eqx.is_array), step

    arrays, steps = lax.scan(step, arrays, None, length=CHUNK)
    return eqx.combine(arrays, static), eqx.combine(steps, static_step)


scan_chunk = eqx.filter_jit(scan)


@eqx.filter_jit
def scan_tiles(
    env: Any,
    policy: Any | None,
    carry: Carry,
    capture: Capture,
    deterministic: bool,
    stacked: bool,
) -> tuple[Carry, Rollout]:
    """Take `CHUNK` steps in each of several rollouts: axes `(T, tiles)`, carries `(tiles, ...)`."""
    tiled = eqx.filter_vmap(
        lambda policy, carry: scan(env, policy, carry, capture, deterministic),
        in_axes=(_tile_axis(stacked), eqx.if_array(0)),
        out_axes=(eqx.if_array(0), eqx.if_array(1)),
    )
    carry, chunk = tiled(policy, carry)
    return carry, chunk


@eqx.filter_jit
def blank_tiles(
    env: Any,
    policy: Any | None,
    keys: jax.Array,
    stacked: bool,
    limit: jax.Array | None = None,
) -> Carry:
    """Return `blank` for each of several rollouts, with a key each."""
    carry: Carry = eqx.filter_vmap(
        lambda policy, key: blank_carry(env, policy, key, limit),
        in_axes=(_tile_axis(stacked), 0),
        out_axes=eqx.if_array(0),
    )(policy, keys)
    return carry


def _tile_axis(stacked: bool) -> Any:
    return eqx.if_array(0) if stacked else None


def stacked_policies(policy: Any) -> tuple[Any, bool]:
    """Return policies as one, and whether its arrays have an axis that they lie along."""
    if not isinstance(policy, list | tuple):
        return policy, False
    arrays, static = zip(*(eqx.partition(p, eqx.is_array) for p in policy), strict=True)
    if not all(eqx.tree_equal(static[0], other) for other in static):
        raise ValueError(
            "the policies of a grid must be of one class and differ in nothing but the values of "
            "their parameters, so that they can be compiled together"
        )
    return eqx.combine(jax.tree.map(lambda *xs: jnp.stack(xs), *arrays), static[0]), True


@eqx.filter_jit
def blank_carry(
    env: Any, policy: Any | None, key: jax.Array, limit: jax.Array | None = None
) -> Carry:
    """Return `blank`, compiled once for an environment and a policy."""
    return blank(eqx.filter_eval_shape(restart, env, policy, key), key, limit)


def blank(start: Moved, key: jax.Array, limit: jax.Array | None = None) -> Carry:
    """A carry that says "done", so that the first step starts an episode.

    Made of zeros rather than by `env.initial`: tracing that a second time costs as much as a third
    of a MuJoCo rollout's compilation.

    Args:
        start: The shapes of what `restart` returns.
        key: Of the first step.
        limit: `int32 ()`, after how many actions an episode is cut short, or `None`.
    """
    state, policy_state, _, _ = start

    def blank(leaf: Any) -> Any:
        if not is_shape(leaf):
            return leaf
        if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
            # A state's keys may be of another kind than the rollout's.
            return jnp.broadcast_to(jr.key(0, impl=leaf.dtype._impl.name), leaf.shape)
        return jnp.zeros(leaf.shape, leaf.dtype)

    state, policy_state = jax.tree.map(blank, (state, policy_state))
    age = None if limit is None else jnp.zeros((), jnp.int32)
    return Carry(state, policy_state, jnp.ones((), bool), key, limit, age)
