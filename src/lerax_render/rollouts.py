"""A policy acting in an environment, as one compiled scan that keeps only what is asked for.

Time runs as in `dm_env`: each step of a rollout is one state. The first state of an episode is the
one that `env.initial` gives, the last one is the terminal (or truncated) one, and the step after it
is the first of the next episode. No state is skipped, so neither is a picture of one. This is also
what Gymnasium calls next-step autoreset.

Rollouts are computed in chunks of `CHUNK` steps. While the caller works on one chunk, the device
computes the next, and never more than two are held: memory does not grow with `num_steps`.
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import equinox as eqx
import jax
import numpy as np
from jax import lax
from jax import numpy as jnp
from jax import random as jr

type PyTree = Any
type Array = np.ndarray | jax.Array
type Capture = Callable[[Any, PyTree], PyTree]

CHUNK = 64
"""Steps a compiled call. The last one is cut to length rather than compiled anew for its own."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Rollout:
    """Consecutive steps of a policy in an environment; all leaves have `T` as their leading axis.

    Attributes:
        states: What was captured of each state; whole environment states unless `capture` was
            given.
        rewards: `float32 (T,)`, the reward for arriving in each state; 0 at episode starts.
        terminated: `bool (T,)`, whether the state ended its episode.
        truncated: `bool (T,)`, whether the episode was cut short in that state.
        episode_starts: `bool (T,)`, whether the state is the first of its episode.
    """

    states: PyTree
    rewards: Array
    terminated: Array
    truncated: Array
    episode_starts: Array


class Carry(NamedTuple):
    """What one step hands to the next."""

    env_state: PyTree
    policy_state: PyTree
    done: jax.Array
    key: jax.Array


def whole_state(env: Any, state: PyTree) -> PyTree:
    """The default capture: everything."""
    return state


def rollout(
    env: Any,
    policy: Any | None = None,
    *,
    num_steps: int = 256,
    key: jax.Array | None = None,
    capture: Capture = whole_state,
    deterministic: bool = False,
) -> Rollout:
    """Let a policy act in an environment, restarting it whenever an episode ends.

    Args:
        env: A Lerax environment, wrapped or not.
        policy: A Lerax policy; its internal state is kept from step to step and reset with each
            episode. `None` samples from the environment's action space.
        num_steps: Number of states to return, the first one included.
        key: JAX PRNG key; `jax.random.key(0)` where `None`.
        capture: `(env, state) -> pytree`, run on every state inside the compiled rollout; only its
            result is kept. Must be hashable: a module-level function is, and is compiled once.
        deterministic: Whether the policy is called without a key, which by Lerax's convention
            makes it take its most likely action.

    Returns:
        The rollout, on the host as NumPy arrays.

    Raises:
        ValueError: `num_steps` is not positive, or the policy was made for other spaces.
        TypeError: `policy` is not a Lerax policy.
    """
    check_policy(env, policy)
    check_num_steps(num_steps)
    chunks = list(
        rollout_chunks(
            env, policy, num_steps=num_steps, key=key, capture=capture, deterministic=deterministic
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
    num_steps: int,
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
    key = jr.key(0) if key is None else key
    if tiles is None:
        carry = _blank_carry(env, policy, key)
        return _chunks(
            lambda carry: _scan_chunk(env, policy, carry, capture, deterministic), carry, num_steps
        )
    policy, stacked = _stacked_policies(policy)
    carry = _blank_tiles(env, policy, jr.split(key, tiles), stacked)
    return _chunks(
        lambda carry: _scan_tiles(env, policy, carry, capture, deterministic, stacked),
        carry,
        num_steps,
    )


def _chunks(
    scan: Callable[[Carry], tuple[Carry, Rollout]], carry: Carry, num_steps: int
) -> Iterator[Rollout]:
    ahead: Rollout | None = None
    for start in range(0, num_steps, CHUNK):
        carry, chunk = scan(carry)
        if ahead is not None:
            yield jax.device_get(ahead)
        ahead = (
            jax.tree.map(lambda x, n=num_steps - start: x[:n], chunk)
            if (num_steps - start < CHUNK)
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
        self._start = eqx.filter_eval_shape(_restart, env, policy, jr.key(0))
        carry = eqx.filter_eval_shape(lambda: _blank(self._start, jr.key(0)))
        carry_shapes, carry_static = eqx.partition(carry, _is_shape)

        def scan(arrays: PyTree, carry_arrays: PyTree) -> tuple[PyTree, Rollout]:
            env, policy = eqx.combine(arrays, static)
            carry = eqx.combine(carry_arrays, carry_static)
            carry, chunk = _scan(env, policy, carry, capture, deterministic)
            return eqx.filter(carry, eqx.is_array), chunk

        self._carry_static = carry_static
        self._lowered: Any = jax.jit(scan).lower(_shapes(arrays), carry_shapes)
        self._compiled: Any = None
        self._lock = threading.Lock()

    def chunks(
        self, env: Any, policy: Any | None, *, num_steps: int, key: jax.Array
    ) -> Iterator[Rollout]:
        """Like `rollout_chunks`, for an environment and a policy that differ only in values."""
        with self._lock:
            if self._compiled is None:
                self._compiled, self._lowered = self._lowered.compile(), None
        arrays = eqx.filter((env, policy), eqx.is_array)

        def scan(carry: Carry) -> tuple[Carry, Rollout]:
            carry, chunk = self._compiled(arrays, eqx.filter(carry, eqx.is_array))
            return eqx.combine(carry, self._carry_static), chunk

        return _chunks(scan, _blank(self._start, key), num_steps)


def stepwise(
    env: Any,
    policy: Any | None,
    *,
    num_steps: int,
    key: jax.Array | None,
    deterministic: bool = False,
) -> Iterator[tuple[PyTree, Rollout]]:
    """The same steps one at a time, for environments that live on the host beside their state.

    Yields:
        The state, and a `Rollout` of that one step whose `states` is `None` (scalars, no `T` axis).
    """
    carry = _blank_carry(env, policy, jr.key(0) if key is None else key)
    for _ in range(num_steps):
        carry, step = _single_step(env, policy, carry, deterministic, bool(carry.done))
        yield carry.env_state, jax.device_get(step)


def check_num_steps(num_steps: int) -> None:
    """Raise `ValueError` or `TypeError` unless `num_steps` is a positive whole number."""
    if isinstance(num_steps, bool) or not isinstance(num_steps, int | np.integer):
        raise TypeError(f"num_steps must be a whole number, got {num_steps!r}")
    if num_steps < 1:
        raise ValueError(f"num_steps must be at least 1, got {num_steps}")


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


def _restart(env: Any, policy: Any | None, key: jax.Array) -> tuple[PyTree, PyTree, jax.Array]:
    env_key, policy_key = jr.split(key)
    policy_state = None if policy is None else policy.reset(key=policy_key)
    state, policy_state = jax.tree.map(_as_array, (env.initial(key=env_key), policy_state))
    return state, policy_state, jnp.zeros((), jnp.float32)


def _advance(
    env: Any, policy: Any | None, carry: Carry, key: jax.Array, deterministic: bool
) -> tuple[PyTree, PyTree, jax.Array]:
    observation_key, mask_key, action_key, transition_key, reward_key = jr.split(key, 5)
    state, policy_state = carry.env_state, carry.policy_state
    mask = env.action_mask(state, key=mask_key)
    if policy is None:
        action = env.action_space.sample(key=action_key, mask=mask)
    else:
        policy_state, action = policy(
            policy_state,
            env.observation(state, key=observation_key),
            key=None if deterministic else action_key,
            action_mask=mask,
        )
    next_state = env.transition(state, action, key=transition_key)
    reward = env.reward(state, action, next_state, key=reward_key)
    next_state, policy_state = jax.tree.map(
        _with_dtype_of, (next_state, policy_state), (state, carry.policy_state)
    )
    return next_state, policy_state, jnp.asarray(reward, jnp.float32)


def _as_array(leaf: Any) -> Any:
    """Make arrays of Python's numbers, which gymnax begins episodes with."""
    return jnp.asarray(leaf, jnp.result_type(leaf)) if np.isscalar(leaf) else leaf


def _with_dtype_of(new: Any, old: Any) -> Any:
    """Widen to the dtype that an episode began with: gymnax's rewards are 0.0, then booleans.

    Never narrow it: that is for the scan to complain about.
    """
    new = _as_array(new)
    if not eqx.is_array(new) or new.dtype == old.dtype:
        return new
    return new.astype(old.dtype) if jnp.promote_types(new.dtype, old.dtype) == old.dtype else new


def _finish(
    env: Any,
    carry: Carry,
    moved: tuple[PyTree, PyTree, jax.Array],
    key: jax.Array,
    next_key: jax.Array,
) -> tuple[Carry, Rollout]:
    """What both ways of stepping share. As in Lerax, a first state never ends its episode."""
    env_state, policy_state, reward = moved
    terminated = env.terminal(env_state, key=key) & ~carry.done
    truncated = env.truncate(env_state) & ~carry.done
    step = Rollout(None, reward, terminated, truncated, carry.done)
    return Carry(env_state, policy_state, terminated | truncated, next_key), step


@eqx.filter_jit
def _single_step(
    env: Any, policy: Any | None, carry: Carry, deterministic: bool, restart: bool
) -> tuple[Carry, Rollout]:
    next_key, move_key, terminal_key = jr.split(carry.key, 3)
    moved = (
        _restart(env, policy, move_key)
        if restart
        else _advance(env, policy, carry, move_key, deterministic)
    )
    return _finish(env, carry, moved, terminal_key, next_key)


def _scan(
    env: Any, policy: Any | None, carry: Carry, capture: Capture, deterministic: bool
) -> tuple[Carry, Rollout]:
    arrays, static = eqx.partition(carry, eqx.is_array)

    def step(arrays: PyTree, _: None) -> tuple[PyTree, Rollout]:
        carry = eqx.combine(arrays, static)
        next_key, move_key, terminal_key = jr.split(carry.key, 3)
        moved = lax.cond(
            carry.done,
            lambda: eqx.filter(_restart(env, policy, move_key), eqx.is_array),
            lambda: eqx.filter(_advance(env, policy, carry, move_key, deterministic), eqx.is_array),
        )
        moved = eqx.combine(moved, (static.env_state, static.policy_state, None))
        carry, step = _finish(env, carry, moved, terminal_key, next_key)
        captured = eqx.filter(capture(env, carry.env_state), eqx.is_array)
        return eqx.filter(carry, eqx.is_array), eqx.tree_at(
            lambda r: r.states, step, captured, is_leaf=lambda x: x is None
        )

    arrays, chunk = lax.scan(step, arrays, None, length=CHUNK)
    return eqx.combine(arrays, static), chunk


_scan_chunk = eqx.filter_jit(_scan)


@eqx.filter_jit
def _scan_tiles(
    env: Any,
    policy: Any | None,
    carry: Carry,
    capture: Capture,
    deterministic: bool,
    stacked: bool,
) -> tuple[Carry, Rollout]:
    scan = eqx.filter_vmap(
        lambda policy, carry: _scan(env, policy, carry, capture, deterministic),
        in_axes=(_tile_axis(stacked), eqx.if_array(0)),
        out_axes=(eqx.if_array(0), eqx.if_array(1)),
    )
    carry, chunk = scan(policy, carry)
    return carry, chunk


@eqx.filter_jit
def _blank_tiles(env: Any, policy: Any | None, keys: jax.Array, stacked: bool) -> Carry:
    carry: Carry = eqx.filter_vmap(
        lambda policy, key: _blank_carry(env, policy, key),
        in_axes=(_tile_axis(stacked), 0),
        out_axes=eqx.if_array(0),
    )(policy, keys)
    return carry


def _tile_axis(stacked: bool) -> Any:
    return eqx.if_array(0) if stacked else None


def _stacked_policies(policy: Any) -> tuple[Any, bool]:
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
def _blank_carry(env: Any, policy: Any | None, key: jax.Array) -> Carry:
    return _blank(eqx.filter_eval_shape(_restart, env, policy, key), key)


def _blank(start: tuple[PyTree, PyTree, Any], key: jax.Array) -> Carry:
    """A carry that says "done", so that the first step starts an episode.

    Made of zeros rather than by `env.initial`: tracing that a second time costs as much as a third
    of a MuJoCo rollout's compilation.

    Args:
        start: The shapes of what `_restart` returns.
        key: Of the first step.
    """
    state, policy_state, _ = start

    def blank(leaf: Any) -> Any:
        if not _is_shape(leaf):
            return leaf
        if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
            return jnp.broadcast_to(key, leaf.shape)
        return jnp.zeros(leaf.shape, leaf.dtype)

    state, policy_state = jax.tree.map(blank, (state, policy_state))
    return Carry(state, policy_state, jnp.ones((), bool), key)


def _is_shape(leaf: Any) -> bool:
    return isinstance(leaf, jax.ShapeDtypeStruct)


def _shapes(arrays: PyTree) -> PyTree:
    return jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype), arrays)
