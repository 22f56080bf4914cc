"""A MuJoCo environment that compiles in seconds."""

from typing import Any, ClassVar

import equinox as eqx
import jax
import mujoco
from jax import numpy as jnp
from jax import random as jr
from lerax.env import AbstractEnvState
from lerax.space import Box
from mujoco import mjx

from .environments import PlainEnv

PENDULUM = """
<mujoco>
  <option timestep="0.02" integrator="Euler"><flag contact="disable" constraint="disable"/></option>
  <worldbody>
    <light pos="0 -2 3" dir="0 1 -1"/>
    <geom type="plane" size="3 3 .1" pos="0 0 -1" rgba=".5 .6 .7 1"/>
    <body pos="0 0 .2">
      <joint name="hinge" axis="0 1 0" damping=".05"/>
      <geom type="capsule" fromto="0 0 0 0 0 -.7" size=".06" rgba=".8 .2 .2 1"/>
    </body>
  </worldbody>
  <actuator><motor joint="hinge" ctrlrange="-2 2"/></actuator>
</mujoco>
"""


class SwingState(AbstractEnvState):
    sim_state: mjx.Data
    count: jax.Array


class Swing(PlainEnv):
    """A pendulum that is pushed; an episode has `length` steps."""

    name: ClassVar[str] = "Swing"
    action_space: Box
    observation_space: Box
    mujoco_model: Any = eqx.field(static=True)
    model: Any
    length: int = eqx.field(static=True)
    dt: float = eqx.field(static=True)

    def __init__(self, length: int = 40):
        self.mujoco_model = mujoco.MjModel.from_xml_string(PENDULUM)
        self.model = mjx.put_model(self.mujoco_model)
        self.action_space = Box(-2 * jnp.ones(1), 2 * jnp.ones(1))
        self.observation_space = Box(-jnp.full(2, jnp.inf), jnp.full(2, jnp.inf))
        self.length = length
        self.dt = 0.02

    def initial(self, *, key):
        data = mjx.make_data(self.model)
        data = data.replace(qpos=jr.uniform(key, (1,), minval=-2.0, maxval=2.0))
        return SwingState(data, jnp.zeros((), jnp.int32))

    def transition(self, state, action, *, key):
        data = mjx.step(self.model, state.sim_state.replace(ctrl=action))
        return SwingState(data, state.count + 1)

    def observation(self, state, *, key):
        return jnp.concatenate([state.sim_state.qpos, state.sim_state.qvel])

    def reward(self, state, action, next_state, *, key):
        return jnp.cos(next_state.sim_state.qpos[0])

    def terminal(self, state, *, key):
        return state.count >= self.length

    def default_renderer(self):
        raise NotImplementedError

    def render(self, state, renderer):
        raise NotImplementedError
