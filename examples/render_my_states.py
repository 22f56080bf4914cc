"""Turns the states of your own simulation into a video, without a policy and without `record`.

    python examples/render_my_states.py -o fall.gif

Here `lax.scan` lets a pole fall that nobody pushes. `render` only needs the stacked states.
"""

import argparse

from jax import lax
from jax import numpy as jnp
from jax import random as jr
from lerax.env.classic_control import CartPole

import lerax_render as lr

parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
parser.add_argument("-o", "--output", default="fall.gif")
parser.add_argument("--steps", type=int, default=150)
options = parser.parse_args()

# Acrobot and CartPole keep their coordinates in `y`; here x, its speed, the angle, its speed.
env = CartPole(force_mag=0.0)
key = jr.key(0)
start = env.initial(key=key)


def step(state, _):
    return env.transition(state, jnp.array(0), key=key), state


_, states = lax.scan(step, start, length=options.steps)

with lr.VideoWriter(options.output, fps=50) as writer:
    for frame in lr.render(env, states, width=640, height=360):
        writer.write(frame)
print(f"{options.output}: {writer.video.num_frames} frames of {frame.shape}")
