"""Rollouts next to Lerax's own `learn`: the same actions, rewards and ends."""

from typing import Any, ClassVar

import equinox as eqx
import jax
import numpy as np
import pytest
from jax import numpy as jnp
from jax import random as jr
from lerax.algorithm import PPO
from lerax.callback import AbstractCallback
from lerax.env import AbstractEnv, AbstractEnvState
from lerax.policy import MLPActorCriticPolicy
from lerax.space import Box

from lerax_render import capture, record, rollout
from support.environments import Counting, Metronome


class PointState(AbstractEnvState):
    position: jax.Array
    count: jax.Array


class Point(AbstractEnv):
    """A point that moves by a twentieth of the action, and pays for the action's square."""

    name: ClassVar[str] = "Point"
    action_space: Box
    observation_space: Box

    def __init__(self):
        self.action_space = Box(-jnp.ones(1), jnp.ones(1))
        self.observation_space = Box(-jnp.full(1, jnp.inf), jnp.full(1, jnp.inf))

    def initial(self, *, key):
        return PointState(jr.uniform(key, (1,)), jnp.zeros((), jnp.int32))

    def action_mask(self, state, *, key):
        return None

    def transition(self, state, action, *, key):
        return PointState(state.position + 0.05 * action, state.count + 1)

    def observation(self, state, *, key):
        return state.position

    def reward(self, state, action, next_state, *, key):
        return -jnp.sum(action**2)

    def terminal(self, state, *, key):
        return jnp.where(state.count >= 20, 1, 0)

    def truncate(self, state):
        return jnp.array(False)

    def state_info(self, state):
        return {}

    def transition_info(self, state, action, next_state):
        return {}

    def default_renderer(self):
        raise NotImplementedError

    def render(self, state, renderer):
        raise NotImplementedError


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


def test_an_integer_is_an_end_as_in_lerax():
    ends = rollout(Point(), steps=45).terminated
    assert ends.dtype == bool
    assert np.flatnonzero(ends).tolist() == [20, 41]


class Watches(AbstractCallback):
    """Hands what each step of a training was to the host."""

    seen: list = eqx.field(static=True)

    def reset(self, ctx: Any, *, key: Any) -> Any:
        return jnp.zeros(())

    def step_reset(self, ctx: Any, *, key: Any) -> Any:
        return jnp.zeros(())

    def on_step(self, ctx: Any, *, key: Any) -> Any:
        inner = ctx.locals
        jax.debug.callback(
            lambda *values: self.seen.append([np.asarray(value) for value in values]),
            inner["state"].env_state.position,
            inner["action"],
            inner["clipped_action"],
            inner["reward"],
            ctx.done,
            ordered=True,
        )
        return ctx.state

    def on_iteration(self, ctx: Any, *, key: Any) -> Any:
        return ctx.state

    def on_training_start(self, ctx: Any, *, key: Any) -> Any:
        return ctx.state

    def on_training_end(self, ctx: Any, *, key: Any) -> Any:
        return ctx.state

    def apply_curriculum(self, state: Any, callback_state: Any) -> Any:
        return state

    def continue_training(self, ctx: Any, *, key: Any) -> Any:
        return jnp.array(True)


def test_a_step_is_what_it_was_in_lerax_own_learn():
    env = Point()
    policy = MLPActorCriticPolicy(env, key=jr.key(0))
    seen: list = []
    PPO(num_envs=1, num_steps=64, num_epochs=1, num_batches=1).learn(
        env, policy, 64, key=jr.key(1), callback=Watches(seen)
    )
    jax.effects_barrier()
    positions, chosen, clipped, rewards, _ = (
        np.stack(column) for column in zip(*seen, strict=True)
    )
    outside = np.abs(chosen[:, 0]) > 1
    assert 5 < outside.sum() < 60, "the policy never asked for more than is allowed"

    class Repeats(OnPolicyShouts):
        """Asks for what the policy asked for in the training."""

        def __call__(self, state, observation, *, key=None, action_mask=None):
            return state + 1, jnp.asarray(chosen)[state]

    # The training's first episode: from the same first state, with the same actions asked for.
    class Begins(Point):
        def initial(self, *, key):
            return PointState(jnp.asarray(positions[0]), jnp.zeros((), jnp.int32))

    found = rollout(Begins(), Repeats(env), steps=20)
    np.testing.assert_allclose(found.states.position, positions[:20], rtol=1e-5)
    np.testing.assert_allclose(found.actions[1:], clipped[:19], rtol=1e-6)
    np.testing.assert_allclose(found.rewards[1:], rewards[:19], rtol=1e-5)


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


@pytest.mark.parametrize(
    ("kind", "error", "message"),
    [
        (TwoRewards, ValueError, r"TwoRewards.reward returned an array of shape \(2,\)"),
        (TwoEnds, ValueError, r"TwoEnds.terminal returned an array of shape \(2,\)"),
        (Narrows, TypeError, r"Narrows.transition turned the state's count from int32\[\] into"),
    ],
)
def test_what_does_not_fit_is_said_with_the_name_of_the_method(kind, error, message):
    for act in (capture, record):
        with pytest.raises(error, match=message):
            act(kind(), steps=3)
