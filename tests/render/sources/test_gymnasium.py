"""Gymnasium environments as they are: any spaces, seeds, episodes, poses, grids and messages."""

import copy
import os
import subprocess
import sys

import gymnasium
import mujoco
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.envs.classic_control import CartPoleEnv
from gymnasium.envs.mujoco import MujocoEnv
from gymnasium.utils.env_checker import data_equivalence
from gymnasium.wrappers import TimeLimit
from jax import random as jr
from lerax.policy import MLPActorCriticPolicy

from lerax_render import (
    HeadlessMujocoRenderer,
    RenderError,
    UnsupportedEnvError,
    capture,
    record,
    render,
)
from lerax_render.naming.loading import load_env, load_policy
from lerax_render.sources import find_source, in_lerax
from lerax_render.sources.gymnasium import Gymnasium
from lerax_render.sources.gymnasium_mujoco import GymnasiumMujoco
from support.paths import SCENES

SIZE = dict(width=96, height=72)


class Meter(gymnasium.Env):
    """Shows how many steps have been taken, and keeps what it was called with."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}
    render_mode = "rgb_array"

    def __init__(self, action_space=None, observation_space=None, failing=""):
        self.action_space = action_space or spaces.Discrete(2)
        self.observation_space = observation_space or spaces.Box(0, 255, (4, 4, 3), np.uint8)
        self.failing, self.count, self.seeds, self.actions = failing, 0, [], []

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.count = 0
        self.seeds.append(seed)
        return self.observation_space.sample(), {}

    def step(self, action):
        if self.failing == "step":
            raise KeyError("no motor")
        self.actions.append(action)
        self.count += 1
        reward = np.array([2.0]) if self.failing == "array" else 2
        return self.observation_space.sample(), reward, self.count == 4, False, {}

    def render(self):
        if self.failing == "render":
            return [np.zeros((4, 4, 3), np.uint8)]
        frame = np.full((24, 32, 3), 40, np.uint8)
        frame[:, : 4 + 4 * self.count] = 220
        return frame


SPACES = {
    "dict": spaces.Dict(a=spaces.Discrete(3), b=spaces.Box(-1, 1, (2,))),
    "tuple": spaces.Tuple([spaces.Discrete(3, start=-1), spaces.MultiDiscrete([2, 5])]),
    "binary": spaces.MultiBinary(4),
    "text": spaces.Text(6),
    "sequence": spaces.Sequence(spaces.Box(0, 1, (2,))),
    "text in a dict": spaces.Dict(word=spaces.Text(3), number=spaces.Discrete(2)),
    "graph": spaces.Graph(spaces.Box(0, 1, (2,)), spaces.Discrete(2)),
}


@pytest.mark.parametrize("name", SPACES)
def test_any_spaces(name):
    env = Meter(copy.deepcopy(SPACES[name]), copy.deepcopy(SPACES[name]))
    frames = record(env, steps=7, key=3, **SIZE, format="apng").frames()

    SPACES[name].seed(3)
    for action in env.actions:
        assert data_equivalence(action, SPACES[name].sample())
    assert len(env.actions) == 5
    lit = [int((frame > 128).all(axis=2).mean(axis=0).round().sum()) for frame in frames]
    assert lit == pytest.approx([12, 24, 36, 48, 60, 12, 24], abs=1)


def test_a_seed_is_gymnasiums_and_an_episode_begins_with_a_reset_that_is_a_step():
    env = Meter()
    (part,) = [lanes[0] for lanes in find_source(env).replays(env, None, steps=8, key=jr.key(5))]

    assert env.seeds == [5, None]
    np.testing.assert_array_equal(part.rewards, [0, 2, 2, 2, 2, 0, 2, 2])
    np.testing.assert_array_equal(np.flatnonzero(part.terminated), [4])
    np.testing.assert_array_equal(np.flatnonzero(part.episode_starts), [0, 5])
    assert part.seconds_per_step == 0.1
    cut = TimeLimit(Meter(), 2)
    ((part,),) = find_source(cut).replays(cut, None, steps=6, key=None)
    np.testing.assert_array_equal(np.flatnonzero(part.truncated), [2, 5])
    np.testing.assert_array_equal(np.flatnonzero(part.episode_starts), [0, 3])


def test_a_key_that_no_seed_makes_is_a_seed_too():
    env = Meter()
    key = jr.split(jr.key(0))[0]
    for _ in range(2):
        record(env, steps=1, key=key, **SIZE, format="apng")
    assert env.seeds[0] == env.seeds[1]
    assert env.seeds[0] > 2


@pytest.mark.parametrize(
    ("failing", "message"),
    [
        ("step", r"^Meter.step raised KeyError: 'no motor', in Meter.step \(.*line \d+\)$"),
        ("render", r"render\(\) gave list, not a frame"),
    ],
)
def test_what_the_environment_raises_is_named(failing, message):
    with pytest.raises(RenderError, match=message):
        record(Meter(failing=failing), steps=3, **SIZE)


def test_a_reward_may_be_an_array_of_one_number():
    env = Meter(failing="array")
    ((part,),) = find_source(env).replays(env, None, steps=2, key=0)
    np.testing.assert_array_equal(part.rewards, [0, 2])


@pytest.mark.parametrize(
    ("env", "reason"),
    [
        (Meter(), "its observations are uint8, which GymToLeraxEnv declares as float32"),
        (Meter(observation_space=SPACES["dict"]), "it observes a Dict"),
        (Meter(spaces.Discrete(3, start=1)), "non-zero start are not supported"),
    ],
)
def test_what_lerax_cannot_step_is_said_in_one_line(env, reason):
    class Idle:
        def reset(self, *, key):
            return None

        def __call__(self, *arguments, **options):
            return None

    with pytest.raises(UnsupportedEnvError, match=rf"^Lerax cannot step a Meter: .*{reason}") as e:
        record(env, Idle(), steps=2, **SIZE)
    assert "\n" not in str(e.value)
    assert env.seeds == []


def test_a_policy_acts_through_lerax(tmp_path):
    env = gymnasium.make("InvertedPendulum-v5")
    policy = MLPActorCriticPolicy(in_lerax(env), feature_size=4, key=jr.key(0))
    policy.serialize(tmp_path / "policy.eqx")
    loaded = load_policy(tmp_path / "policy.eqx", "MLPActorCriticPolicy", env, {"feature_size": 4})
    given, wrapped = (capture(each, loaded, steps=6, key=1) for each in (env, in_lerax(env)))

    assert given.actions.shape == (6, 1)
    assert given.observations.shape == (6, 4)
    np.testing.assert_array_equal(given.captured.qpos, wrapped.captured.qpos)
    np.testing.assert_array_equal(given.actions, wrapped.actions)
    assert (given.actions[1:] != capture(env, steps=6, key=1).actions[1:]).any()
    assert given.origin.env == "InvertedPendulum-v5"


class Painted(MujocoEnv):
    """Changes the colour and the place of its goal at each reset, and in its third step."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 25}

    def __init__(self, **options):
        space = spaces.Box(-np.inf, np.inf, (2,), np.float64)
        super().__init__(str(SCENES / "arm.xml"), 10, space, **options)
        self.geom = self.model.geom_bodyid.nonzero()[0][0]

    def reset_model(self):
        self.count = 0
        self.model.geom_rgba[self.geom] = [*self.np_random.uniform(size=3), 1]
        return np.zeros(2)

    def step(self, action):
        self.count += 1
        if self.count == 3:
            self.model.geom_rgba[self.geom] = [0, 0, 1, 1]
        self.do_simulation(action, self.frame_skip)
        return np.zeros(2), 0.0, self.count == 4, False, {}


def test_a_mujoco_environment_is_painted_by_us_as_its_model_is_then():
    env = Painted()
    before = env.model.geom_rgba.copy()
    replay = capture(env, steps=9, key=0)
    camera = mujoco.MjvCamera()
    mujoco.mjv_defaultFreeCamera(env.model, camera)
    frames = np.stack(list(render(replay, **SIZE, camera=camera)))

    # Its model and state are now as they were in the last step.
    with HeadlessMujocoRenderer(env.model, **SIZE, camera=camera) as renderer:
        np.testing.assert_array_equal(frames[-1], renderer.render(env.data))
        # With the first episode's colour it is another picture.
        env.model.geom_rgba[:] = before
        assert (frames[-1] != renderer.render(env.data)).any()
    changes = replay.captured.changes
    assert changes[0] is changes[2]
    assert changes[3] is changes[4]
    assert not np.array_equal(changes[0]["geom_rgba"], changes[3]["geom_rgba"])
    assert not np.array_equal(changes[0]["geom_rgba"], changes[5]["geom_rgba"])
    np.testing.assert_array_equal(replay.scene.model.geom_rgba, before)


def test_a_mujoco_environment_that_is_asked_for_another_picture_paints_itself():
    class Sketch(Painted):
        def render(self):
            return np.full((9, 12, 3), 200, np.uint8)

    class Framed(gymnasium.Wrapper):
        def render(self):
            return super().render()[::-1]

    made = {"render_mode": "rgb_array"}
    assert find_source(Painted(**made)) == GymnasiumMujoco()
    assert find_source(TimeLimit(Painted(**made), 3)) == GymnasiumMujoco()
    for env in (
        Sketch(**made),
        Framed(Painted(**made)),
        Painted(**made, camera_id=-1),
        Painted(**made, visual_options={int(mujoco.mjtVisFlag.mjVIS_JOINT): True}),
    ):
        assert find_source(env) == Gymnasium()


def test_a_tile_is_the_clip_of_the_seed_that_follows():
    lanes = capture(gymnasium.make("InvertedPendulum-v5"), steps=12, key=7, lanes=2)
    for seed, lane in zip((7, 8), lanes, strict=True):
        alone = capture(gymnasium.make("InvertedPendulum-v5"), steps=12, key=seed)
        np.testing.assert_array_equal(lane.captured.qpos, alone.captured.qpos)
        np.testing.assert_array_equal(lane.episode_starts, alone.episode_starts)


def test_environments_of_a_grid_are_closed_but_for_the_users(monkeypatch):
    closed = []
    monkeypatch.setattr(CartPoleEnv, "close", lambda self: closed.append(self))
    env = load_env("gym:CartPole-v1")
    record(env, steps=3, grid=(1, 3), **SIZE, format="apng")
    assert len(closed) == 2
    assert env.unwrapped not in closed


@pytest.mark.parametrize(
    ("env", "reason"),
    [(Meter(), "gymnasium.make did not make it"), (TimeLimit(Meter(), 3), "did not make it")],
)
def test_a_grid_of_what_cannot_be_made_again_is_refused(env, reason):
    with pytest.raises(UnsupportedEnvError, match=f"no other one like this Meter: .*{reason}"):
        record(env, steps=2, grid=(1, 2), **SIZE)


def test_a_vector_of_environments_is_told_from_one():
    envs = gymnasium.make_vec("CartPole-v1", 2, render_mode="rgb_array")
    for make in (record, capture):
        with pytest.raises(UnsupportedEnvError, match=r"VectorEnv is 2 .* at once; give a single"):
            make(envs, steps=2)
    envs.close()


@pytest.mark.parametrize("env", ["gym:InvertedPendulum-v5", str(SCENES / "arm.xml")])
@pytest.mark.parametrize("chosen", ["glfw", "off", "wrong"])
def test_whatever_mujoco_gl_says_there_is_a_picture_or_one_line(tmp_path, env, chosen):
    command = [sys.executable, "-m", "lerax_render", "clip", env, "-n", "2", "--width", "64"]
    done = subprocess.run(
        [*command, "-o", str(tmp_path / "x.gif")],
        capture_output=True,
        text=True,
        env={**os.environ, "MUJOCO_GL": chosen},
    )
    if done.returncode == 0:
        assert chosen == "glfw"
        assert (tmp_path / "x.gif").exists()
        assert done.stderr.strip() == ""
    else:
        said, hint = done.stderr.splitlines()
        assert said.startswith("lerax-render: ")
        assert said.endswith("unset MUJOCO_GL, or set it to egl or osmesa")
        assert "LERAX_RENDER_TRACEBACK" in hint
