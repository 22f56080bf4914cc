"""Every environment of Lerax's main branch, by its name: a clip in which something moves."""

import numpy as np
import pytest

from lerax_render import capture, record
from lerax_render.naming.loading import lerax_env_classes, load_env

STEPS = 20

IN_2D = ("Acrobot", "CartPole", "ContinuousMountainCar", "MountainCar", "Pendulum")
IN_MUJOCO = (
    "Ant",
    "G1Locomotion",
    "G1Standing",
    "G1Standup",
    "HalfCheetah",
    "Hopper",
    "Humanoid",
    "HumanoidStandup",
    "InvertedDoublePendulum",
    "InvertedPendulum",
    "Pusher",
    "Reacher",
    "Swimmer",
    "Walker2d",
)


def test_none_is_left_out():
    assert sorted(lerax_env_classes()) == sorted(IN_2D + IN_MUJOCO)


@pytest.mark.parametrize("name", IN_2D + IN_MUJOCO)
def test_every_environment_has_a_clip(name):
    env = load_env(name)
    replay = capture(env, steps=STEPS, key=0)
    clip = record(replay, width=160, height=120).frames()
    assert clip.shape == (STEPS, 120, 160, 3)
    assert all(frame.std() > 8 for frame in clip)
    assert replay.rewards is not None
    assert np.isfinite(replay.rewards).all()
    moved = np.abs(clip[-1].astype(int) - clip[0]).max(axis=-1) > 24
    assert moved.sum() > 8, "nothing moves"
