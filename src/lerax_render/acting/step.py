"""One step of a policy in an environment, as Lerax's algorithms take it: what JAX traces.

Time runs as in `dm_env`: each step of a rollout is one state. The first state of an episode is the
one that `env.initial` gives, the last one is the terminal (or truncated) one, and the step after it
is the first of the next episode. No state is skipped, so neither is a picture of one. This is also
what Gymnasium calls next-step autoreset.
"""

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import equinox as eqx
import jax
import numpy as np
from jax import numpy as jnp
from jax import random as jr
from lerax.space import Box

from ..errors import named
from ..replay import LARGEST_OBSERVATION, PART

type PyTree = Any
type Array = np.ndarray | jax.Array
type Key = jax.Array | int | None
type Capture = Callable[[Any, PyTree], PyTree]

CHUNK = PART
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
        actions: The action that led to each state, `(T, ...)`; zeros at episode starts.
        observations: What each state looks like to the policy, `(T, ...)`; `None` where that takes
            more than `LARGEST_OBSERVATION` bytes a step.
    """

    states: PyTree
    rewards: Array
    terminated: Array
    truncated: Array
    episode_starts: Array
    actions: PyTree = None
    observations: PyTree = None


class Carry(NamedTuple):
    """What one step hands to the next.

    Attributes:
        env_state: Of the environment.
        policy_state: Of the policy.
        done: `bool ()`, whether the episode is over.
        key: For all that is random from here on.
        limit: `int32 ()`, after how many actions an episode is cut short; `None` for never.
        age: `int32 ()`, how many actions the episode has taken; `None` where it has no limit.
    """

    env_state: PyTree
    policy_state: PyTree
    done: jax.Array
    key: jax.Array
    limit: jax.Array | None = None
    age: jax.Array | None = None


class Moved(NamedTuple):
    """Where a step has led to.

    Attributes:
        env_state: Of the environment.
        policy_state: Of the policy.
        reward: `float32 ()`.
        action: That was taken; `None` where none was.
    """

    env_state: PyTree
    policy_state: PyTree
    reward: Any
    action: PyTree


class StepKeys(NamedTuple):
    """A key for each thing in a step that may be random.

    Lerax's algorithms split theirs in another way, and give `observation` to the mask as well.
    """

    observation: jax.Array
    mask: jax.Array
    action: jax.Array
    transition: jax.Array
    reward: jax.Array

    @classmethod
    def of(cls, key: jax.Array) -> Self:
        """Split a key for one step."""
        return cls(*jr.split(key, 5))


def restart(env: Any, policy: Any | None, key: jax.Array) -> Moved:
    """Begin an episode, with a reward of 0 and no action."""
    env_key, policy_key = jr.split(key)
    policy_state = None if policy is None else _asked(policy, "reset", key=policy_key)
    state = _asked(env, "initial", key=env_key)
    state, policy_state = jax.tree.map(_as_array, (state, policy_state))
    return Moved(state, policy_state, jnp.zeros((), jnp.float32), None)


def act(
    env: Any, policy: Any | None, carry: Carry, keys: StepKeys, deterministic: bool
) -> tuple[PyTree, PyTree]:
    """Choose an action: return the policy's state, and the action as it was chosen."""
    mask = None
    if not _is_unmasked(policy):
        mask = _asked(env, "action_mask", carry.env_state, key=keys.mask)
    if policy is None:
        action = env.action_space.sample(key=keys.action, mask=mask)
        return carry.policy_state, _as_arrays(action)
    policy_state, action = _asked(
        policy,
        "__call__",
        carry.policy_state,
        _asked(env, "observation", carry.env_state, key=keys.observation),
        key=None if deterministic else keys.action,
        action_mask=mask,
    )
    return policy_state, _as_arrays(action)


def advance(
    env: Any, policy: Any | None, carry: Carry, keys: StepKeys, deterministic: bool
) -> Moved:
    """Act once, as Lerax's algorithms do while they train.

    All of them clip an action to a `Box` before the transition. Those on policy clip it before the
    reward, too; DQN, DDPG, TD3 and SAC reward the action as the policy chose it.
    """
    policy_state, chosen = act(env, policy, carry, keys, deterministic)
    taken = chosen
    if isinstance(env.action_space, Box):
        taken = _clipped(env.action_space, policy, chosen)
    led_to = _asked(env, "transition", carry.env_state, taken, key=keys.transition)
    state = _alike(env.unwrapped, "transition", "initial", led_to, carry.env_state)
    rewarded = chosen if _is_off_policy(policy) else taken
    reward = _asked(env, "reward", carry.env_state, rewarded, led_to, key=keys.reward)
    policy_state = _alike(policy, "__call__", "reset", policy_state, carry.policy_state)
    reward = _single(env, "reward", reward).astype(jnp.float32)
    # In the form of what was chosen: that is what a first step has zeros of.
    taken = jax.tree.map(lambda new, old: new.astype(old.dtype), taken, chosen)
    return Moved(state, policy_state, reward, taken)


def _asked(owner: Any, method: str, *arguments: Any, **named_arguments: Any) -> Any:
    """Call a method of the user's: what it raises names it, and the line."""
    with named(owner, method):
        return getattr(owner, method)(*arguments, **named_arguments)


def _clipped(space: Box, policy: Any, action: Any) -> Any:
    """Clip an action to its space, or raise `ValueError` where it has another form."""
    try:
        jnp.broadcast_shapes(jnp.shape(action), space.low.shape)
    except (TypeError, ValueError) as error:
        form = jax.tree.map(jnp.shape, action)
        raise ValueError(
            f"{type(policy).__name__}.__call__ returned an action of shape {form}, but "
            f"the environment's actions have shape {space.low.shape}"
        ) from error
    return jnp.clip(action, space.low, space.high)


def _is_off_policy(policy: Any) -> bool:
    """Whether an algorithm that learns off policy trains this one, as far as it shows.

    PPO, A2C and REINFORCE need a policy with this method, and no others do. What both could train
    counts as on policy.
    """
    return policy is not None and not hasattr(policy, "action_and_value")


def _is_unmasked(policy: Any) -> bool:
    """Whether a policy is never given a mask: DQN and SAC, which need these methods, give none."""
    return _is_off_policy(policy) and (
        hasattr(policy, "q_values") or hasattr(policy, "action_distribution")
    )


def _single(env: Any, method: str, said: Any) -> jax.Array:
    """Return what a method of the environment says of one state, or raise `ValueError`."""
    try:
        value: jax.Array = jnp.asarray(said)
        form = f"an array of shape {value.shape}"
    except (TypeError, ValueError):
        form = "None" if said is None else f"a {type(said).__name__}"
    else:
        if value.shape == ():
            return value
    raise ValueError(
        f"{type(env.unwrapped).__name__}.{method} returned {form}, and a rollout needs one value "
        "for a state: where several agents act, reduce it, for example with sum() or any()"
    )


def _alike(owner: Any, method: str, first: str, state: PyTree, before: PyTree) -> PyTree:
    """Return a state in the form of the one before, or raise `TypeError` where it has another.

    Args:
        owner: Whose state it is.
        method: Of the owner, which returned the state.
        first: Its method that returned the first one.
        state: To be returned.
        before: The one before.
    """
    name = type(owner).__name__
    forms: list[Any] = [jax.tree.structure(each) for each in (state, before)]
    if forms[0] != forms[1]:
        raise TypeError(
            f"{name}.{method} returned a state of another structure than {name}.{first}: "
            f"{forms[0]} instead of {forms[1]}"
        )
    state = jax.tree.map(_with_dtype_of, state, before)
    for (path, new), old in zip(
        jax.tree.leaves_with_path(state), jax.tree.leaves(before), strict=True
    ):
        if eqx.is_array(new) and (new.dtype, new.shape) != (old.dtype, old.shape):
            part = jax.tree_util.keystr(path).lstrip(".")
            raise TypeError(
                f"{name}.{method} turned the {f"state's {part}" if part else 'state'} from "
                f"{old.dtype}{list(old.shape)} into {new.dtype}{list(new.shape)}: return it in the "
                f"form that {name}.{first} gives it"
            )
    return state


def no_action(
    env: Any, policy: Any | None, carry: Carry, key: jax.Array, deterministic: bool
) -> PyTree:
    """Zeros in the form of what `act` returns, for steps that take no action."""
    _, action = eqx.filter_eval_shape(act, env, policy, carry, StepKeys.of(key), deterministic)
    return jax.tree.map(
        lambda leaf: jnp.zeros(leaf.shape, leaf.dtype) if is_shape(leaf) else leaf, action
    )


_NUMBERS = (bool, int, float, complex, np.generic)
_TEXTS = (str, bytes, enum.Enum)


def _as_array(leaf: Any) -> Any:
    """Make arrays of Python's numbers, which gymnax begins episodes with."""
    return jnp.asarray(leaf, jnp.result_type(leaf)) if isinstance(leaf, _NUMBERS) else leaf


def _as_arrays(tree: PyTree) -> PyTree:
    return jax.tree.map(_as_array, tree)


def _with_dtype_of(new: Any, old: Any) -> Any:
    """Widen to the dtype that an episode began with: gymnax's rewards are 0.0, then booleans.

    Never narrow it: `_alike` complains about that.
    """
    new = _as_array(new)
    if isinstance(new, _TEXTS) and new != old:
        raise TypeError(
            f"a state that had {old!r} in it has {new!r} after a step: in a compiled rollout only "
            "arrays change. Keep a number in its place, and the texts that it stands for in the "
            "environment"
        )
    if not eqx.is_array(new) or new.dtype == old.dtype:
        return new
    return new.astype(old.dtype) if jnp.promote_types(new.dtype, old.dtype) == old.dtype else new


def finish(
    env: Any,
    carry: Carry,
    moved: Moved,
    key: jax.Array,
    next_key: jax.Array,
) -> tuple[Carry, Rollout]:
    """What both ways of stepping share. As in Lerax, a first state never ends its episode."""
    state, policy_state, reward, action = moved
    # In Lerax's own `step`, too, an integer is as good as a bool.
    ended = _single(env, "terminal", _asked(env, "terminal", state, key=key))
    terminated = ended.astype(bool) & ~carry.done
    cut_off = _single(env, "truncate", _asked(env, "truncate", state))
    truncated = cut_off.astype(bool) & ~carry.done
    age = carry.age
    if age is not None and carry.limit is not None:
        age = jnp.where(carry.done, 0, age + 1)
        truncated |= (age >= carry.limit) & ~terminated
    observation = _small_observation(env, state, key)
    step = Rollout(None, reward, terminated, truncated, carry.done, action, observation)
    done = terminated | truncated
    return Carry(state, policy_state, done, next_key, carry.limit, age), step


def _small_observation(env: Any, state: PyTree, key: jax.Array) -> PyTree:
    """What a state looks like, where that is small enough to be kept."""
    key = jr.fold_in(key, 1)
    shapes = eqx.filter_eval_shape(lambda: env.observation(state, key=key))
    size = sum(
        leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(shapes) if is_shape(leaf)
    )
    if size > LARGEST_OBSERVATION:
        return None
    return _as_arrays(env.observation(state, key=key))


@eqx.filter_jit
def single_step(
    env: Any, policy: Any | None, carry: Carry, deterministic: bool, starts: bool
) -> tuple[Carry, Rollout]:
    """Take one step; whether it begins an episode is known when this is traced."""
    next_key, move_key, terminal_key = jr.split(carry.key, 3)
    if starts:
        moved = restart(env, policy, move_key)
        moved = moved._replace(action=no_action(env, policy, carry, move_key, deterministic))
    else:
        moved = advance(env, policy, carry, StepKeys.of(move_key), deterministic)
    return finish(env, carry, moved, terminal_key, next_key)


def is_shape(leaf: Any) -> bool:
    """Whether a leaf stands for an array."""
    return isinstance(leaf, jax.ShapeDtypeStruct)


def cut(tree: PyTree, part: slice) -> PyTree:
    """Cut the leading axis of each array of a pytree; what is no array stays as it is."""
    return jax.tree.map(lambda leaf: leaf[part] if eqx.is_array(leaf) else leaf, tree)


def shapes(arrays: PyTree) -> PyTree:
    """Return what stands for each array of a pytree."""
    return jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype), arrays)
