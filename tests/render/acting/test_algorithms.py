"""One function acts, as each of Lerax's algorithms does in its own `learn`.

Every step of small trainings is taken again: from the same state, with the same key and the policy
as it was then.
"""

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import equinox as eqx
import jax
import numpy as np
import pytest
from jax import numpy as jnp
from jax import random as jr
from lerax import algorithm as algorithms
from lerax import policy as policies
from lerax.callback import AbstractCallback
from lerax.env import AbstractEnvState
from lerax.space import Box, Discrete

from lerax_log.traced.contexts import total_steps_of
from lerax_render.acting.step import Carry, StepKeys, advance, finish
from support.environments import PlainEnv

LEARNING_STARTS, NUM_STEPS, ITERATIONS, NUM_ENVS = 24, 8, 3, 2


class PlaceState(AbstractEnvState):
    position: jax.Array
    count: jax.Array


class Place(PlainEnv):
    """A place on a line. All that an environment does is random here, so that keys matter."""

    name: ClassVar[str] = "Place"
    action_space: Box | Discrete
    observation_space: Box

    def __init__(self, action_space: Box | Discrete):
        self.action_space = action_space
        self.observation_space = Box(-jnp.full(1, jnp.inf), jnp.full(1, jnp.inf))

    def initial(self, *, key):
        return PlaceState(jr.uniform(key, (1,)), jnp.zeros((), jnp.int32))

    def action_mask(self, state, *, key):
        if isinstance(self.action_space, Box):
            return None
        # Never empty: 0 is always allowed.
        return jr.bernoulli(key, 0.5, (self.action_space.n,)).at[0].set(True)

    def transition(self, state, action, *, key):
        moved = 0.1 * jnp.sum(action) + 0.01 * jr.normal(key, (1,))
        return PlaceState(state.position + moved, state.count + 1)

    def observation(self, state, *, key):
        return state.position + 0.1 * jr.normal(key, (1,))

    def reward(self, state, action, next_state, *, key):
        return jr.normal(key) - jnp.sum(jnp.asarray(action) ** 2)

    def terminal(self, state, *, key):
        return jr.bernoulli(key, 0.1)

    def truncate(self, state):
        return state.count >= 15


def box(size: float) -> Place:
    return Place(Box(jnp.full(1, -size), jnp.full(1, size)))


class Seen(NamedTuple):
    """A step of a training: what it began with, and what came of it."""

    key: Any
    policy: Any
    state: Any
    action: Any
    reward: Any
    terminated: Any
    truncated: Any
    next_state: Any


class Watches(AbstractCallback):
    """Hands each step of a training to the host."""

    seen: list = eqx.field(static=True)
    totals: list = eqx.field(static=True)

    def reset(self, ctx: Any, *, key: Any) -> Any:
        return jnp.zeros(())

    def step_reset(self, ctx: Any, *, key: Any) -> Any:
        return jnp.zeros(())

    def on_step(self, ctx: Any, *, key: Any) -> Any:
        local = ctx.locals
        step = Seen(
            jr.key_data(local["key"]),
            eqx.filter(local["policy"], eqx.is_array),
            local["state"].env_state,
            local.get("clipped_action", local["action"]),
            local["reward"],
            local["termination"],
            local["truncation"],
            local["next_env_state"],
        )
        jax.debug.callback(lambda step: self.seen.append(jax.tree.map(np.array, step)), step)
        return ctx.state

    def on_iteration(self, ctx: Any, *, key: Any) -> Any:
        return ctx.state

    def on_training_start(self, ctx: Any, *, key: Any) -> Any:
        self.totals.append(total_steps_of(ctx))
        return ctx.state

    def on_training_end(self, ctx: Any, *, key: Any) -> Any:
        return ctx.state

    def apply_curriculum(self, state: Any, callback_state: Any) -> Any:
        return state, callback_state

    def continue_training(self, ctx: Any, *, key: Any) -> Any:
        return jnp.array(True)


@eqx.filter_jit
def taken_again(env: Any, policy: Any, seen: Seen) -> tuple[Any, ...]:
    static = eqx.filter(policy, eqx.is_array, inverse=True)

    def step(seen: Seen) -> tuple[Any, ...]:
        policy, key = eqx.combine(seen.policy, static), jr.wrap_key_data(seen.key)
        carry = Carry(seen.state, policy.reset(key=key), jnp.zeros((), bool), key)
        # As Lerax's algorithms split it.
        action, transition, observation, reward, terminal, *_ = jr.split(key, 9)
        keys = StepKeys(observation, observation, action, transition, reward)
        moved = advance(env, policy, carry, keys, deterministic=False)
        after, found = finish(env, carry, moved, terminal, key)
        return found.actions, found.rewards, found.terminated, found.truncated, after.env_state

    return jax.vmap(step)(seen)


ON_POLICY: dict[str, Any] = {"num_steps": NUM_STEPS, "num_envs": NUM_ENVS}
OFF_POLICY: dict[str, Any] = ON_POLICY | {
    "learning_starts": LEARNING_STARTS,
    "buffer_size": 512,
    "batch_size": 8,
}
CRITIC: dict[str, Any] = {"q_width_size": 8, "q_depth": 1}
ACTOR_CRITIC: dict[str, Any] = {
    "feature_size": 4,
    **{f"{part}_width": 8 for part in ("feature", "value", "action")},
    **{f"{part}_depth": 1 for part in ("feature", "value", "action")},
}
SMALL: dict[str, Any] = {"width_size": 8, "depth": 1}
# Of a Gaussian that is wider than the box, so that there is something to clip.
CONTINUOUS = ("MLPActorCriticPolicy", ACTOR_CRITIC, box(1.0), box(1.0))
MASKED = ("MLPActorCriticPolicy", ACTOR_CRITIC, Place(Discrete(3)), Place(Discrete(3)))
Q = ("MLPQPolicy", SMALL | {"epsilon": 0.5}, Place(Discrete(3)), Place(Discrete(3)))
# Made for a wider box than the one they act in: Lerax's own keep to theirs, and users' need not.
LOUD = ("MLPDeterministicPolicy", SMALL | {"exploration_noise": 1.0}, box(3.0), box(1.0))
LOUD_SAC = ("MLPSACPolicy", SMALL | {"feature_size": 8}, box(3.0), box(1.0))
DISCRETE_SAC = ("MLPDiscreteSACPolicy", SMALL, Place(Discrete(3)), Place(Discrete(3)))


@pytest.mark.parametrize(
    ("name", "options", "acting"),
    [
        pytest.param(
            "PPO", ON_POLICY | {"num_epochs": 1, "num_batches": 1}, CONTINUOUS, id="PPO-continuous"
        ),
        pytest.param(
            "PPO", ON_POLICY | {"num_epochs": 1, "num_batches": 1}, MASKED, id="PPO-masked"
        ),
        pytest.param("A2C", ON_POLICY, CONTINUOUS, id="A2C-continuous"),
        pytest.param("A2C", ON_POLICY, MASKED, id="A2C-masked"),
        pytest.param("REINFORCE", ON_POLICY, CONTINUOUS, id="REINFORCE-continuous"),
        pytest.param("REINFORCE", ON_POLICY, MASKED, id="REINFORCE-masked"),
        pytest.param("DQN", OFF_POLICY, Q, id="DQN-q"),
        pytest.param("DDPG", OFF_POLICY | CRITIC, LOUD, id="DDPG-loud"),
        pytest.param("TD3", OFF_POLICY | CRITIC, LOUD, id="TD3-loud"),
        pytest.param("SAC", OFF_POLICY | CRITIC, LOUD_SAC, id="SAC-loud_sac"),
        pytest.param(
            "SACDiscrete", OFF_POLICY | CRITIC, DISCRETE_SAC, id="SACDiscrete-discrete_sac"
        ),
    ],
)
def test_a_step_is_what_it_was_in_training(
    name: str, options: dict[str, Any], acting: tuple[str, dict[str, Any], Place, Place]
):
    make_algorithm: Callable[..., Any] | None = getattr(algorithms, name, None)
    policy_name, policy_options, made_for, env = acting
    if make_algorithm is None:
        pytest.skip(f"this Lerax has no {name}")
    policy = getattr(policies, policy_name)(made_for, key=jr.key(0), **policy_options)
    steps: list[Seen] = []
    totals: list[int] = []
    # Not whole iterations: what is left over is not taken.
    asked = ITERATIONS * NUM_STEPS * NUM_ENVS + 5
    make_algorithm(**options).learn(
        env, policy, asked, key=jr.key(1), callback=Watches(steps, totals)
    )
    jax.effects_barrier()
    assert totals == [len(steps)]
    seen: Seen = jax.tree.map(lambda *leaves: np.stack(leaves), *steps)
    assert seen.terminated.any()
    if isinstance(env.action_space, Box):
        assert (np.abs(seen.action) == 1).any(), "there was nothing to clip"

    actions, rewards, terminated, truncated, states = taken_again(env, policy, seen)

    np.testing.assert_allclose(actions, seen.action, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(rewards, seen.reward, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(terminated, seen.terminated)
    np.testing.assert_array_equal(truncated, seen.truncated)
    # Where an episode has ended, Lerax goes on to the next one within the step.
    goes_on = ~(seen.terminated | seen.truncated)
    for ours, lerax in zip(jax.tree.leaves(states), jax.tree.leaves(seen.next_state), strict=True):
        np.testing.assert_allclose(ours[goes_on], lerax[goes_on], rtol=1e-5, atol=1e-6)
