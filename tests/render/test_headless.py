"""Lerax's own way: `env.render` and `env.render_stacked`, with our renderers, and no display."""

import os
import subprocess
import sys
from typing import Any

import jax
import numpy as np
import pytest
from lerax.env.classic_control import Acrobot, CartPole, Pendulum
from lerax.env.mujoco import AbstractMujocoEnv
from lerax.render import Abstract2DRenderer

import lerax_render as lr
from support.environments import Counting, Limited, OwnLook, PythonIf
from support.mjx_environments import Swing


class LeraxSwing(Swing):
    """Is drawn by Lerax's own `render`, which asks for Lerax's own kind of renderer."""

    def render(self, state: Any, renderer: Any) -> None:
        AbstractMujocoEnv.render(self, state, renderer)


STEPS = 6
IN_2D = [CartPole(), Acrobot(), Pendulum(), Counting(), PythonIf(), Limited(CartPole(), 50)]


def states_of(env: Any) -> Any:
    return lr.rollout(env, steps=STEPS, key=1).states


def state_at(states: Any, index: int) -> Any:
    return jax.tree.map(lambda leaf: leaf[index], states)


def own_frames(env: Any, states: Any, **options: Any) -> np.ndarray:
    """What `render` makes of the same states."""
    return np.stack([*lr.render(env, states, **options)]).astype(int)


@pytest.mark.parametrize("env", IN_2D, ids=lambda env: type(env).__name__)
def test_a_2d_environment_draws_itself_on_it(env):
    states = states_of(env)
    renderer = lr.headless_renderer(env)
    assert isinstance(renderer, Abstract2DRenderer)
    expected = own_frames(env, states, width=renderer.width, height=renderer.height)
    for index in range(STEPS):
        env.render(state_at(states, index), renderer)
        frame = renderer.as_array()
        # What is computed here and in a compiled rollout differs in its last bit.
        assert (np.abs(frame - expected[index]).max(axis=-1) > 8).mean() < 0.002
    assert frame.std() > 5
    renderer.close()


@pytest.mark.parametrize("env", [CartPole(), LeraxSwing()], ids=lambda env: type(env).__name__)
def test_what_is_drawn_becomes_a_clip(env, tmp_path):
    states = states_of(env)
    path = tmp_path / "clip.apng"
    renderer = lr.headless_renderer(env, path)
    env.render_stacked(states, renderer)
    with lr.VideoReader(path) as reader:
        frames = np.stack([*reader]).astype(int)
        assert reader.fps == pytest.approx(1 / float(env.dt))
    expected = own_frames(env, states, width=renderer.width, height=renderer.height)
    if isinstance(env, LeraxSwing):
        # The camera of a clip knows all of it, that of a renderer what it has seen.
        assert frames.shape == expected.shape
    else:
        assert (np.abs(frames - expected).max(axis=-1) > 8).mean() < 0.002
    assert all(frame.std() > 10 for frame in frames)
    assert (frames[0] != frames[-1]).any()
    assert [file.name for file in tmp_path.iterdir()] == ["clip.apng"]


def test_a_mujoco_environment_draws_itself_on_it():
    env = LeraxSwing()
    states = states_of(env)
    camera = lr.Camera(azimuth=90, elevation=0, distance=3, lookat=(0, 0, 0))
    expected = own_frames(env, states, width=120, height=90, camera=camera)
    with lr.headless_renderer(env, width=120, height=90, camera=camera) as renderer:
        assert isinstance(renderer, lr.HeadlessMujocoRenderer)
        for index in (0, 3):
            env.render(state_at(states, index), renderer)
            np.testing.assert_array_equal(renderer.as_array(), expected[index])
            np.testing.assert_array_equal(renderer.read_pixels()[0], expected[index])
    assert expected.std() > 10
    with pytest.raises(RuntimeError, match="closed"):
        renderer.as_array()
    # As Lerax's `render_stacked` does with each renderer it is given.
    env.render_states([state_at(states, 0)], renderer)
    env.render_states([state_at(states, 3)], renderer)


def test_a_renderer_made_by_hand_is_one_of_lerax(tmp_path):
    env = LeraxSwing()
    video = lr.VideoWriter(tmp_path / "clip.gif", fps=20)
    renderer = lr.HeadlessMujocoRenderer(env.mujoco_model, 80, 60, video=video)
    env.render_stacked(states_of(env), renderer)
    assert video.video.num_frames == STEPS
    assert (video.video.width, video.video.height) == (80, 60)


def test_a_renderer_has_one_clip(tmp_path):
    for env in (Counting(), LeraxSwing()):
        states = states_of(env)
        renderer = lr.headless_renderer(env, tmp_path / "clip.gif")
        env.render_stacked(states, renderer)
        with pytest.raises(RuntimeError, match="this renderer has written its clip; make a new"):
            env.render_stacked(states, renderer)


def test_a_clip_that_ends_with_an_error_leaves_nothing(tmp_path):
    env = LeraxSwing()
    state = state_at(states_of(env), 0)

    def draw_and_fail() -> None:
        with lr.headless_renderer(env, tmp_path / "a.mp4") as renderer:
            env.render(state, renderer)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        draw_and_fail()
    assert not [*tmp_path.iterdir()]


def test_without_a_picture_there_is_none():
    with (
        lr.HeadlessMujocoRenderer(LeraxSwing().mujoco_model) as renderer,
        pytest.raises(RuntimeError, match=r"nothing has been painted yet: call render\(state\)"),
    ):
        renderer.as_array()


@pytest.mark.parametrize(
    ("env", "options", "error", "message"),
    [
        (CartPole(), {"camera": "side"}, ValueError, "a 2D environment has no camera"),
        (CartPole(), {"width": 100}, ValueError, r"at 800x450 pixels: leave width and height out"),
        (CartPole(), {"path": "clip.avi"}, ValueError, r"\.avi"),
        (CartPole(), {"path": "clip.mp4", "fps": -1}, ValueError, "fps"),
        (LeraxSwing(), {"camera": "side"}, ValueError, "side"),
        (LeraxSwing(), {"quality": "cinematic"}, ValueError, "cinematic"),
        (OwnLook(), {}, lr.UnsupportedEnvError, r"paints by itself.*capture\(env, states=states\)"),
    ],
)
def test_what_it_cannot_do_is_said(env, options, error, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=message):
        lr.headless_renderer(env, **options)
    assert not [*tmp_path.iterdir()]


def run(program: str) -> str:
    environment = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "SDL_VIDEODRIVER")}
    return subprocess.check_output([sys.executable, "-c", program], text=True, env=environment)


def test_it_starts_no_display():
    program = """if 1:
        import jax, pygame, lerax_render as lr
        from lerax.env.classic_control import CartPole
        env = CartPole()
        renderer = lr.headless_renderer(env)
        env.render(env.initial(key=jax.random.key(0)), renderer)
        print(renderer.as_array().std() > 5, pygame.display.get_init())
    """
    assert run(program).split()[-2:] == ["True", "False"]


def test_a_renderer_of_mujocos_own_states_needs_no_lerax():
    program = """if 1:
        import sys, mujoco, lerax_render as lr
        model = mujoco.MjModel.from_xml_string("<mujoco><worldbody/></mujoco>")
        with lr.HeadlessMujocoRenderer(model, 32, 32) as renderer:
            renderer.render(mujoco.MjData(model))
            print(renderer.__class__.__name__, {"jax", "lerax", "pygame"} & set(sys.modules))
    """
    assert run(program).split() == ["HeadlessMujocoRenderer", "set()"]
