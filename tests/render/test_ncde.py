"""A policy that is a neural controlled differential equation, in double precision."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lerax_render import VideoReader

POLICY = """
from typing import Any, ClassVar

import diffrax
import equinox as eqx
from jax import numpy as jnp
from jax import random as jr
from lerax.policy import AbstractPolicy


class NCDEPolicy(AbstractPolicy):
    name: ClassVar[str] = "NCDEPolicy"
    action_space: Any
    observation_space: Any
    field: eqx.nn.MLP
    readout: eqx.nn.Linear

    def __init__(self, env, *, hidden=4, key):
        self.action_space = env.action_space
        self.observation_space = env.observation_space
        size = env.observation_space.shape[0]
        field_key, readout_key = jr.split(key)
        self.field = eqx.nn.MLP(hidden, hidden * size, 8, 1, key=field_key)
        self.readout = eqx.nn.Linear(hidden, 2, key=readout_key)

    def reset(self, *, key):
        return jnp.zeros(self.observation_space.shape), jnp.zeros(self.readout.in_features)

    def __call__(self, state, observation, *, key=None, action_mask=None):
        before, hidden = state
        path = diffrax.LinearInterpolation(jnp.arange(2.0), jnp.stack([before, observation]))
        field = lambda t, y, args: self.field(y).reshape(y.size, -1)
        solution = diffrax.diffeqsolve(
            diffrax.ControlTerm(field, path).to_ode(), diffrax.Tsit5(), 0.0, 1.0, 0.5, hidden,
            stepsize_controller=diffrax.PIDController(rtol=1e-8, atol=1e-8),
        )
        hidden = solution.ys[-1]
        assert hidden.dtype == jnp.float64
        return (observation, hidden), jnp.argmax(self.readout(hidden))
"""

PROGRAM = """
import jax

jax.config.update("jax_enable_x64", True)

import lerax_render as lr
from jax import random as jr
from lerax.env.classic_control import CartPole
from policies import NCDEPolicy

env = CartPole()
policy = NCDEPolicy(env, key=jr.key(0))
lr.record(env, policy, "recorded.apng", steps=8, width=64, height=48)
renderer = lr.headless_renderer(env, "drawn.gif")
env.render_stacked(lr.rollout(env, policy, steps=8).states, renderer)
policy.serialize("policy.eqx")
"""

CLIP = ("clip", "CartPole", "--policy", "policy.eqx", "--policy-class", "policies.py:NCDEPolicy")


def run(*arguments: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=os.environ | variables,
        text=True,
        capture_output=True,
        timeout=250,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder: Path = tmp_path_factory.mktemp("ncde")
    (folder / "policies.py").write_text(POLICY)
    (folder / "program.py").write_text(PROGRAM)
    found = run("program.py", folder=folder)
    assert found.returncode == 0, found.stderr
    return folder


def clip(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    more = ("-n", "8", "--width", "64", "--height", "48", "-o", "clip.apng")
    return run("-m", "lerax_render", *CLIP, *more, folder=folder, **variables)


def test_it_is_recorded_drawn_and_rendered_from_its_file(folder):
    found = clip(folder, JAX_ENABLE_X64="1")
    assert found.returncode == 0, found.stderr
    assert (folder / "clip.apng").read_bytes() == (folder / "recorded.apng").read_bytes()
    for name in ("recorded.apng", "drawn.gif"):
        with VideoReader(folder / name) as reader:
            frames = [*reader]
        assert len(frames) == 8
        assert all(frame.std() > 10 for frame in frames)


def test_in_single_precision_the_file_is_refused_in_one_line(folder):
    found = clip(folder)
    assert found.returncode == 1
    assert "as under JAX_ENABLE_X64=1" in found.stderr
    assert "Traceback" not in found.stderr
