"""Rollouts: every state is there once, episodes restart, keys and policy states are right."""

import equinox as eqx
import jax
import numpy as np
import pytest
from jax import numpy as jnp
from jax import random as jr
from lerax.env.classic_control import CartPole
from lerax.policy import MLPActorCriticPolicy

from lerax_render.acting.rollouts import (
    CHUNK,
    Rollout,
    rollout,
    rollout_chunks,
    stepwise,
    whole_state,
)
from support.environments import Counting, CountState, Limited, Metronome


class RemembersAction(Counting):
    """Keeps the last action in its state, in `start`."""

    def transition(self, state, action, *, key):
        return CountState(state.count + 1, action.astype(float))


class RemembersKeys(Counting):
    """Keeps the key of its transition."""

    def initial(self, *, key):
        return CountState(jnp.zeros((), jnp.int32), key)

    def transition(self, state, action, *, key):
        return CountState(state.count + 1, key)


def test_every_state_is_a_step_and_the_terminal_one_is_not_skipped():
    result = rollout(Counting(3), steps=10)

    np.testing.assert_array_equal(result.states.count, [0, 1, 2, 3, 0, 1, 2, 3, 0, 1])
    np.testing.assert_array_equal(result.rewards, [0, 1, 2, 3, 0, 1, 2, 3, 0, 1])
    np.testing.assert_array_equal(np.flatnonzero(result.terminated), [3, 7])
    np.testing.assert_array_equal(np.flatnonzero(result.episode_starts), [0, 4, 8])
    assert not result.truncated.any()
    assert result.rewards.dtype == np.float32


def test_truncation_restarts_too_and_is_told_apart():
    result = rollout(Limited(Counting(100), 2), steps=7)

    np.testing.assert_array_equal(result.states.unwrapped.count, [0, 1, 2, 0, 1, 2, 0])
    np.testing.assert_array_equal(np.flatnonzero(result.truncated), [2, 5])
    assert not result.terminated.any()


@pytest.mark.parametrize("steps", [1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 5])
def test_any_length_is_whole_and_the_chunks_join_seamlessly(steps):
    counts = rollout(Counting(10), steps=steps).states.count

    np.testing.assert_array_equal(counts, np.arange(steps) % 11)


def test_a_longer_rollout_begins_like_a_shorter_one():
    short, long = (rollout(Counting(4), steps=n, key=jr.key(3)) for n in (20, 200))

    np.testing.assert_array_equal(short.states.start, long.states.start[:20])


def test_chunks_are_computed_ahead_but_bounded():
    chunks = rollout_chunks(Counting(), None, steps=3 * CHUNK, key=None, capture=whole_state)

    assert [len(chunk.rewards) for chunk in chunks] == [CHUNK] * 3


def test_a_policys_state_is_kept_between_steps_and_reset_with_the_episode():
    env = RemembersAction(4)
    actions = rollout(env, Metronome(env), steps=10).states.start
    steps = np.arange(10)

    # The first state of an episode comes from no action: its `start` is a random number.
    moved = steps % 5 != 0
    np.testing.assert_array_equal(actions[moved], ((steps % 5 - 1) % 3)[moved])


def test_sampled_actions_vary_and_follow_the_key():
    env = RemembersAction(1000)
    one, same, other = (rollout(env, steps=60, key=jr.key(k)).states.start for k in (0, 0, 1))

    assert set(one[1:]) == {0, 1, 2}
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


def test_no_key_is_used_twice():
    keys = rollout(RemembersKeys(5), steps=200).states.start
    data = np.asarray(jr.key_data(keys))

    assert len(np.unique(data, axis=0)) == 200


@pytest.mark.parametrize("key", [jr.PRNGKey(3), jr.key(3, impl="rbg"), None])
def test_states_may_hold_keys_of_another_kind_than_the_rollouts(key):
    states = rollout(RemembersKeys(5), steps=7, key=key).states

    assert len(np.unique(np.asarray(jr.key_data(states.start)), axis=0)) == 7


def test_a_deterministic_policy_gives_the_same_actions_for_any_key():
    env = RemembersAction(1000)
    policy = MLPActorCriticPolicy(env, key=jr.key(0))
    fixed = [rollout(env, policy, steps=40, key=jr.key(k), deterministic=True) for k in (0, 1)]
    sampled = rollout(env, policy, steps=40, key=jr.key(0))

    np.testing.assert_array_equal(fixed[0].states.start[1:], fixed[1].states.start[1:])
    assert (sampled.states.start[1:] != fixed[0].states.start[1:]).any()


def test_only_what_is_captured_comes_back():
    result = rollout(Counting(3), steps=5, capture=_count_squared)

    np.testing.assert_array_equal(result.states, [0, 1, 4, 9, 0])


def _count_squared(env, state):
    return state.count**2


def test_a_rollout_is_compiled_once_for_all_lengths_keys_and_parameters(monkeypatch):
    traces = []

    class Traced(CartPole):
        def transition(self, state, action, *, key):
            traces.append(None)
            return super().transition(state, action, key=key)

    env = Traced()
    policies = [MLPActorCriticPolicy(env, key=jr.key(k)) for k in range(2)]
    rollout(env, policies[0], steps=3)
    first = len(traces)
    rollout(env, policies[1], steps=150, key=jr.key(5))
    rollout(Traced(gravity=3.0), policies[0], steps=7)

    assert first > 0
    assert len(traces) == first


def test_stepwise_gives_the_same_steps():
    env = Counting(3)
    together = rollout(env, steps=10, key=jr.key(2))
    states, steps = zip(*stepwise(env, None, steps=10, key=jr.key(2)), strict=True)

    apart = jax.tree.map(lambda *parts: np.stack(parts), *steps)
    np.testing.assert_array_equal(together.states.start, [float(s.start) for s in states])
    without_states = eqx.tree_at(lambda r: r.states, together, None)
    for ours, theirs in zip(jax.tree.leaves(apart), jax.tree.leaves(without_states), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("lanes", [None, 2])
def test_without_jit_the_steps_are_the_same_and_no_more_are_taken(lanes):
    taken = []

    class Counted(Counting):
        def transition(self, state, action, *, key):
            taken.append(None)
            return super().transition(state, action, key=key)

    def steps(env):
        (chunk,) = rollout_chunks(
            env, None, steps=10, key=jr.key(2), capture=whole_state, lanes=lanes
        )
        return chunk

    compiled = steps(Counted(3))
    taken.clear()
    with jax.disable_jit():
        plain = steps(Counted(3))
    # Two of ten steps begin an episode; each zero of an action is of an abstract step.
    assert len(taken) <= 8 * (lanes or 1)
    for ours, theirs in zip(jax.tree.leaves(plain), jax.tree.leaves(compiled), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)
        assert ours.dtype == theirs.dtype


def test_a_rollout_is_a_pytree():
    result = rollout(Counting(), steps=4)

    assert isinstance(jax.tree.map(np.asarray, result), Rollout)


@pytest.mark.parametrize("steps", [0, -3])
def test_no_steps_are_an_error(steps):
    with pytest.raises(ValueError, match=f"at least 1, got {steps}"):
        rollout(Counting(), steps=steps)


@pytest.mark.parametrize("steps", [2.5, "8", True, None])
def test_steps_that_are_no_number_are_an_error(steps):
    with pytest.raises(TypeError, match="steps must be a whole number"):
        rollout(Counting(), steps=steps)


def test_a_policy_that_is_none_is_an_error():
    with pytest.raises(TypeError, match="must be a Lerax policy"):
        rollout(Counting(), lambda observation: 0, steps=4)


def test_a_policy_for_another_environment_is_an_error():
    policy = MLPActorCriticPolicy(CartPole(), key=jr.key(0))

    with pytest.raises(ValueError, match=r"observation_space has shape \(4,\).*has \(1,\)"):
        rollout(Counting(), policy, steps=4)
