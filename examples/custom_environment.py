"""Your own environment, drawn with Lerax's 2D interface: wrapped, tiled, with text on it.

    python examples/custom_environment.py -o orbit.mp4

`record` needs only two methods of an environment, `render` and `default_renderer`. They are fastest
when written with `jax.numpy` and without a Python `if` on values.
"""

import argparse
from typing import ClassVar

from jax import Array
from jax import numpy as jnp
from jax import random as jr
from lerax.env import AbstractEnv, AbstractEnvState
from lerax.render import Color, PygameRenderer, Transform
from lerax.space import Box
from lerax.wrapper import RescaleAction

import lerax_render as lr

TARGET = 1.0


class OrbitState(AbstractEnvState):
    position: Array
    velocity: Array
    thrust: Array


class Orbit(AbstractEnv):
    """A probe that should stay on a circle around a planet, and neither crash nor get lost."""

    name: ClassVar[str] = "Orbit"
    # Seconds per step, so that clips play in real time.
    dt: ClassVar[float] = 0.04

    action_space: Box
    observation_space: Box

    def __init__(self):
        self.action_space = Box(jnp.full(2, -0.6), jnp.full(2, 0.6))
        self.observation_space = Box(jnp.full(4, -jnp.inf), jnp.full(4, jnp.inf))

    def initial(self, *, key):
        angle = jr.uniform(key, maxval=2 * jnp.pi)
        outwards = jnp.array([jnp.cos(angle), jnp.sin(angle)])
        sidewards = jnp.array([-jnp.sin(angle), jnp.cos(angle)])
        return OrbitState(TARGET * outwards, sidewards, jnp.zeros(2))

    def transition(self, state, action, *, key):
        pull = -state.position / jnp.linalg.norm(state.position) ** 3
        velocity = state.velocity + self.dt * (pull + action)
        return OrbitState(state.position + self.dt * velocity, velocity, action)

    def observation(self, state, *, key):
        return jnp.concatenate([state.position, state.velocity])

    def reward(self, state, action, next_state, *, key):
        return -10 * jnp.abs(jnp.linalg.norm(next_state.position) - TARGET)

    def terminal(self, state, *, key):
        distance = jnp.linalg.norm(state.position)
        return (distance < 0.3) | (distance > 1.8)

    def truncate(self, state):
        return jnp.array(False)

    def action_mask(self, state, *, key):
        return None

    def state_info(self, state):
        return {}

    def transition_info(self, state, action, next_state):
        return {}

    def default_renderer(self):
        night = Color(0.06, 0.08, 0.14)
        return PygameRenderer(400, 400, night, Transform(400, 400, 110.0, jnp.full(2, 200.0)))

    def render(self, state, renderer):
        renderer.clear()
        angles = jnp.linspace(0.0, 2 * jnp.pi, 65)
        circle = TARGET * jnp.stack([jnp.cos(angles), jnp.sin(angles)], axis=1)
        renderer.draw_polyline(circle, Color(0.3, 0.36, 0.5))
        renderer.draw_circle(jnp.zeros(2), 0.3, Color(0.27, 0.53, 0.75))
        flame = state.position - 0.5 * state.thrust
        renderer.draw_line(state.position, flame, Color(1.0, 0.6, 0.2), 0.03)
        renderer.draw_circle(state.position, 0.05, Color(0.93, 0.94, 0.96))
        renderer.draw()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("-o", "--output", default="orbit.mp4")
    parser.add_argument("--steps", type=int, default=300)
    options = parser.parse_args()

    video = lr.record(
        RescaleAction(Orbit()),  # policies choose actions from -1 to 1
        path=options.output,
        steps=options.steps,
        width=720,
        height=480,
        grid=(2, 3),
        overlay=["step", "return"],
    )
    print(f"{options.output}: {video.num_frames} frames of {video.width}x{video.height}")
