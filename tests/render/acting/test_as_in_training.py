"""What a step does, as Lerax's algorithms have it; `test_algorithms` holds it against them."""

from typing import ClassVar

import equinox as eqx
import jax
import numpy as np
import pytest
from jax import numpy as jnp
from jax import random as jr
from lerax.env import AbstractEnvState
from lerax.space import Box

from lerax_render import RenderError, capture, record, rollout
from support.environments import Counting, Metronome, PlainEnv


class PointState(AbstractEnvState):
    position: jax.Array
    count: jax.Array


class Point(PlainEnv):
    """A point that moves by a twentieth of the action, and pays for the action's square."""

    name: ClassVar[str] = "Point"
    action_space: Box
    observation_space: Box

    def __init__(self):
        self.action_space = Box(-jnp.ones(1), jnp.ones(1))
        self.observation_space = Box(-jnp.full(1, jnp.inf), jnp.full(1, jnp.inf))

    def initial(self, *, key):
        return PointState(jr.uniform(key, (1,)), jnp.zeros((), jnp.int32))

    def transition(self, state, action, *, key):
        return PointState(state.position + 0.05 * action, state.count + 1)

    def observation(self, state, *, key):
        return state.position

    def reward(self, state, action, next_state, *, key):
        return -jnp.sum(action**2)

    def terminal(self, state, *, key):
        return jnp.where(state.count >= 20, 1, 0)


class Shouts(Metronome):
    """Always asks for three times what is allowed."""

    def __call__(self, state, observation, *, key=None, action_mask=None):
        return state + 1, jnp.full(1, 3.0)


class OnPolicyShouts(Shouts):
    def action_and_value(self, state, observation, *, key, action_mask=None):
        raise NotImplementedError


def test_an_action_is_clipped_to_its_box():
    found = rollout(Point(), OnPolicyShouts(Point()), steps=10)
    moved = np.diff(found.states.position[:, 0])
    np.testing.assert_allclose(moved, 0.05, rtol=1e-4)
    np.testing.assert_allclose(found.actions[1:], 1.0)
    np.testing.assert_allclose(found.rewards[1:], -1.0)


def test_off_policy_algorithms_reward_the_action_as_it_was_chosen():
    found = rollout(Point(), Shouts(Point()), steps=10)
    np.testing.assert_allclose(np.diff(found.states.position[:, 0]), 0.05, rtol=1e-4)
    np.testing.assert_allclose(found.rewards[1:], -9.0)


class Broken(Counting):
    def transition(self, state, action, *, key):
        raise KeyError("wind")


def test_what_a_users_method_raises_names_it_and_the_line():
    with pytest.raises(RenderError, match=r"^Broken.transition raised KeyError: 'wind', in .*line"):
        rollout(Broken(), steps=3)


def test_an_integer_is_an_end_as_in_lerax():
    ends = rollout(Point(), steps=45).terminated
    assert ends.dtype == bool
    assert np.flatnonzero(ends).tolist() == [20, 41]


class TwoRewards(Counting):
    def reward(self, state, action, next_state, *, key):
        return jnp.ones(2)


class TwoEnds(Counting):
    def terminal(self, state, *, key):
        return jnp.array([False, True])


class Narrows(Counting):
    def transition(self, state, action, *, key):
        after = super().transition(state, action, key=key)
        return eqx.tree_at(lambda s: s.count, after, after.count.astype(jnp.float32))


class ARewardEach(Counting):
    def reward(self, state, action, next_state, *, key):
        return {"one": jnp.ones(()), "other": jnp.ones(())}


class NoReward(Counting):
    def reward(self, state, action, next_state, *, key):
        return None


class TwoCuts(Counting):
    def truncate(self, state):
        return jnp.array([False, True])


class Grows(Counting):
    def transition(self, state, action, *, key):
        after = super().transition(state, action, key=key)
        return eqx.tree_at(lambda s: s.count, after, jnp.broadcast_to(after.count, (2,)))


class Loses(Counting):
    def transition(self, state, action, *, key):
        return (state.count, state.start)


@pytest.mark.parametrize(
    ("kind", "error", "message"),
    [
        (TwoRewards, ValueError, r"TwoRewards.reward returned an array of shape \(2,\)"),
        (ARewardEach, ValueError, r"ARewardEach.reward returned a dict, .*reduce it"),
        (NoReward, ValueError, r"NoReward.reward returned None"),
        (TwoCuts, ValueError, r"TwoCuts.truncate returned an array of shape \(2,\)"),
        (
            Grows,
            TypeError,
            r"Grows.transition turned the state's count from int32\[\] into int32\[2\]",
        ),
        (Loses, TypeError, r"Loses.transition returned a state of another structure"),
        (TwoEnds, ValueError, r"TwoEnds.terminal returned an array of shape \(2,\)"),
        (Narrows, TypeError, r"Narrows.transition turned the state's count from int32\[\] into"),
    ],
)
def test_what_does_not_fit_is_said_with_the_name_of_the_method(kind, error, message):
    for act in (capture, record):
        with pytest.raises(error, match=message):
            act(kind(), steps=3)


class Drifts(Metronome):
    """Its own state becomes a float."""

    def __call__(self, state, observation, *, key=None, action_mask=None):
        return state + 0.5, jnp.zeros((), jnp.int32)


class Forgets(Metronome):
    def __call__(self, state, observation, *, key=None, action_mask=None):
        return None, jnp.zeros((), jnp.int32)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (
            Drifts,
            r"Drifts.__call__ turned the state from int32\[\] into float32\[\]: .*Drifts.reset",
        ),
        (Forgets, r"Forgets.__call__ returned a state of another structure than Forgets.reset"),
    ],
)
def test_a_policys_state_is_told_of_likewise(kind, message):
    with pytest.raises(TypeError, match=message):
        capture(Counting(), kind(Counting()), steps=3)


class Steered(Counting):
    def __init__(self):
        super().__init__()
        self.action_space = Box(-jnp.ones(2), jnp.ones(2))


class SteersTooMuch(Metronome):
    def __call__(self, state, observation, *, key=None, action_mask=None):
        return state, jnp.zeros(3)


def test_an_action_of_another_shape_is_told_of():
    with pytest.raises(
        ValueError, match=r"SteersTooMuch.__call__ returned an action of shape \(3,\), .* \(2,\)"
    ):
        capture(Steered(), SteersTooMuch(Steered()), steps=3)


class Masked(Counting):
    """Allows only the last action."""

    def action_mask(self, state, *, key):
        return jnp.array([False, False, True])


class Obeys(Metronome):
    """Takes the first action that is allowed; without a mask, the first."""

    def __call__(self, state, observation, *, key=None, action_mask=None):
        allowed = jnp.ones(3, bool) if action_mask is None else action_mask
        return state, jnp.argmax(allowed)


def test_a_policy_of_ones_own_is_given_the_mask():
    assert rollout(Masked(), Obeys(Masked()), steps=4).actions.tolist() == [0, 2, 2, 2]
