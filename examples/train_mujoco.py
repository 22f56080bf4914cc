"""Trains a policy on your own MuJoCo environment, with metrics and videos in TensorBoard.

    python examples/train_mujoco.py
    tensorboard --logdir logs

This takes about a minute and a half on two cores. The videos need two things of an environment: its
state contains the `mjx.Data`, and its attribute `mujoco_model` is the model.
"""

from typing import Any, ClassVar

import mujoco
from jax import Array, lax
from jax import numpy as jnp
from jax import random as jr
from lerax.algorithm import PPO
from lerax.env import AbstractEnv, AbstractEnvState
from lerax.policy import MLPActorCriticPolicy
from lerax.space import Box
from mujoco import mjx

from lerax_log import ConsoleBackend, LoggingCallback, TensorBoardBackend

MJCF = """
<mujoco model="pole on a cart">
  <option timestep="0.01" integrator="implicitfast"><flag contact="disable"/></option>
  <visual>
    <headlight ambient="0.35 0.35 0.35" diffuse="0.4 0.4 0.4" specular="0 0 0"/>
    <rgba haze="0.86 0.90 0.94 1"/>
  </visual>
  <asset>
    <texture name="sky" type="skybox" builtin="gradient" rgb1="0.86 0.90 0.94"
             rgb2="0.55 0.65 0.78" width="128" height="768"/>
    <texture name="tiles" type="2d" builtin="checker" rgb1="0.78 0.80 0.82"
             rgb2="0.72 0.74 0.77" width="256" height="256"/>
    <material name="floor" texture="tiles" texrepeat="2 2" texuniform="true"/>
  </asset>
  <worldbody>
    <light directional="true" pos="0 0 4" dir="0.3 0.4 -1" diffuse="0.5 0.5 0.5"/>
    <camera name="side" pos="0 -3.4 1.1" xyaxes="1 0 0 0 0.2 1"/>
    <geom type="plane" size="0 0 0.1" material="floor"/>
    <geom type="capsule" fromto="-1.6 0 0.3 1.6 0 0.3" size="0.025" rgba="0.35 0.38 0.42 1"/>
    <body pos="0 0 0.3">
      <joint name="slide" type="slide" axis="1 0 0" damping="0.5"/>
      <geom type="box" size="0.16 0.09 0.06" mass="1" rgba="0.20 0.42 0.65 1"/>
      <body pos="0 0 0.06">
        <joint name="hinge" type="hinge" axis="0 1 0" damping="0.01"/>
        <geom type="capsule" fromto="0 0 0 0 0 0.9" size="0.03" mass="0.1"
              rgba="0.90 0.62 0.24 1"/>
        <geom type="sphere" pos="0 0 0.9" size="0.07" mass="0.15" rgba="0.80 0.25 0.20 1"/>
      </body>
    </body>
  </worldbody>
  <actuator><motor joint="slide" gear="12" ctrlrange="-1 1"/></actuator>
</mujoco>
"""
STEPS = 250


class State(AbstractEnvState):
    """The simulation and how many steps it has taken."""

    data: mjx.Data
    steps: Array


class Balance(AbstractEnv):
    """A cart on a rail that should keep a pole upright for ten seconds."""

    name: ClassVar[str] = "Balance"

    model: mjx.Model
    mujoco_model: mujoco.MjModel
    dt: Array
    action_space: Box
    observation_space: Box

    def __init__(self) -> None:
        self.mujoco_model = mujoco.MjModel.from_xml_string(MJCF)
        self.model = mjx.put_model(self.mujoco_model)
        self.dt = jnp.array(0.04)
        self.action_space = Box(-jnp.ones(1), jnp.ones(1))
        self.observation_space = Box(jnp.full(5, -jnp.inf), jnp.full(5, jnp.inf))

    def initial(self, *, key: Array) -> State:
        qpos, qvel = 0.15 * jr.normal(key, (2, 2))
        return State(
            mjx.make_data(self.model).replace(qpos=qpos, qvel=qvel), jnp.zeros((), jnp.int32)
        )

    def action_mask(self, state: State, *, key: Array) -> None:
        return None

    def transition(self, state: State, action: Array, *, key: Array) -> State:
        data = state.data.replace(ctrl=jnp.clip(action, -1, 1))
        data, _ = lax.scan(lambda d, _: (mjx.step(self.model, d), None), data, None, length=4)
        return State(data, state.steps + 1)

    def observation(self, state: State, *, key: Array) -> Array:
        (x, angle), velocities = state.data.qpos, state.data.qvel
        return jnp.array([x, jnp.cos(angle), jnp.sin(angle), *velocities])

    def reward(self, state: State, action: Array, next_state: State, *, key: Array) -> Array:
        x, angle = next_state.data.qpos
        return jnp.cos(angle) - 0.1 * x**2

    def terminal(self, state: State, *, key: Array) -> Array:
        x, angle = state.data.qpos
        return (jnp.abs(x) > 1.4) | (jnp.abs(angle) > 0.8)

    def truncate(self, state: State) -> Array:
        return state.steps >= STEPS

    def state_info(self, state: State) -> dict[str, Any]:
        return {}

    def transition_info(self, state: State, action: Array, next_state: State) -> dict[str, Any]:
        return {}

    def default_renderer(self) -> Any:
        raise NotImplementedError("lerax_render draws the environment by its mujoco_model")

    def render(self, state: State, renderer: Any) -> None:
        raise NotImplementedError("lerax_render draws the environment by its mujoco_model")


def main() -> None:
    env = Balance()
    policy = MLPActorCriticPolicy(env, key=jr.key(0), log_std_init=-0.5)
    algorithm = PPO(num_envs=32, num_steps=128, num_epochs=8, num_batches=16)
    with LoggingCallback(
        [TensorBoardBackend("logs"), ConsoleBackend()],
        video_interval=10,
        video_num_steps=STEPS,
        video_fps=25.0,
        video_camera="side",
        # On two cores, this short training is faster than its recordings, so it waits for them.
        video_mode="block",
    ) as callback:
        algorithm.learn(env, policy, 200_000, key=jr.key(1), callback=callback)


if __name__ == "__main__":
    main()
