"""Every kind of environment that is claimed to work, on the real thing, looked at in pixels."""

import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import jax
import mujoco
import numpy as np
import pytest
from jax import numpy as jnp
from jax import random as jr
from lerax.env.classic_control import (
    Acrobot,
    CartPole,
    ContinuousMountainCar,
    MountainCar,
    Pendulum,
)
from lerax.wrapper import FlattenObservation, Identity, RescaleAction, TransformObservation
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from lerax_render import (
    HeadlessMujocoRenderer,
    RenderError,
    UnsupportedEnvError,
    capture,
    record,
    render,
    rollout,
)
from lerax_render.naming.loading import load_env
from lerax_render.sources import find_source
from lerax_render.sources.custom import Custom
from lerax_render.sources.gymnasium import Gymnasium, in_lerax
from lerax_render.sources.gymnax import Gymnax
from lerax_render.sources.lerax2d import Drawn, EagerlyDrawn
from lerax_render.sources.mujoco import Mujoco
from lerax_render.sources.simulation import Simulation, SimulationSource
from support.environments import (
    Captioned,
    Counting,
    CountsCalls,
    Invisible,
    Limited,
    NumpyCalls,
    OwnLook,
    PythonIf,
)
from support.paths import ROOT

REFERENCE = ROOT / "assets" / "reference"
SIZE = dict(width=320, height=240)

# Of a MuJoCo environment, since it asks for another picture than ours.
PAINTS_ITSELF = {"camera_id": -1}


def last_frame(env: Any, steps: int, **options: Any) -> np.ndarray:
    """Return the last of `steps` frames, recorded without loss."""
    options = {**SIZE, "format": "apng", **options}
    return record(env, steps=steps, key=jr.key(0), **options).frames()[-1]


def check_against_reference(name: str, frame: np.ndarray, psnr: float, ssim: float) -> None:
    """Compare with a picture that was looked at and found right.

    A missing reference is written and fails: look at it, and commit it or mend the code.
    """
    path = REFERENCE / f"{name}.png"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(frame).save(path)
        pytest.fail(f"{path.name} was missing and has been made: look at it")
    reference = np.asarray(Image.open(path).convert("RGB"))
    assert frame.shape == reference.shape
    assert frame.std() > 5, "the picture is empty"
    assert structural_similarity(reference, frame, channel_axis=2) >= ssim
    assert peak_signal_noise_ratio(reference, frame) >= psnr


def gymnasium_mjcf(name: str) -> Path:
    return Path(gymnasium.__file__).parent / "envs" / "mujoco" / "assets" / f"{name}.xml"


LERAX_2D: dict[str, Callable[[], Any]] = {
    "cartpole": CartPole,
    "acrobot": Acrobot,
    "pendulum": Pendulum,
    "mountain_car": MountainCar,
    "continuous_mountain_car": ContinuousMountainCar,
}


@pytest.mark.parametrize("name", LERAX_2D)
def test_lerax_2d_environments(name):
    env = LERAX_2D[name]()

    assert isinstance(find_source(env), Drawn)
    # Anti-aliased edges of moving parts may differ by a rounding of the simulation.
    check_against_reference(name, last_frame(env, 12), psnr=30, ssim=0.98)


@pytest.mark.parametrize("kind", [PythonIf, Captioned, NumpyCalls])
def test_untraceable_pictures_are_painted_from_each_state_with_one_note(kind, caplog):
    with caplog.at_level(logging.INFO, logger="lerax_render"):
        env = kind(3)
        assert type(find_source(env)) is EagerlyDrawn
        frames = record(env, steps=6, width=200, height=100, format="apng").frames()

    notes = [r for r in caplog.records if "called for each frame" in r.message]
    assert len(notes) == 1
    assert kind.__name__ in notes[0].message
    assert len({frame.tobytes() for frame in frames[:4]}) == 4
    np.testing.assert_array_equal(frames[4], frames[0])


def test_eager_and_traced_painting_give_the_same_pixels():
    traced = record(Counting(9), steps=9, **SIZE, format="apng").frames()
    eager = record(NumpyCalls(9), steps=9, **SIZE, format="apng").frames()

    assert (traced[3] != 255).any()
    np.testing.assert_array_equal(traced, eager)


def test_a_python_if_takes_the_right_branch_in_each_frame():
    frames = record(PythonIf(5), steps=6, width=200, height=100, format="apng").frames()
    blue = [bool((frame == (0, 0, 255)).all(-1).any()) for frame in frames]

    assert blue == [False, False, False, True, True, True]


def test_text_that_counts_calls_is_not_frozen():
    frames = record(CountsCalls(), steps=3, width=200, height=100, format="apng").frames()

    assert len({frame.tobytes() for frame in frames}) == 3


def test_a_renderer_of_ones_own():
    env = OwnLook(20)
    assert isinstance(find_source(env), Custom)
    frames = record(env, steps=4, width=60, height=30, format="apng").frames()

    assert [int(frame[5, 5, 0]) for frame in frames] == [50, 60, 70, 80]


@pytest.mark.parametrize(
    "wrap",
    [
        Identity,
        lambda env: Limited(Identity(env), 50),
        lambda env: FlattenObservation(
            TransformObservation(env, lambda x: 2 * x, env.observation_space)
        ),
    ],
)
def test_wrappers_look_like_what_they_wrap(wrap):
    np.testing.assert_array_equal(last_frame(wrap(CartPole()), 8), last_frame(CartPole(), 8))


def test_an_action_wrapper():
    env = RescaleAction(Pendulum())

    assert isinstance(find_source(env), Drawn)
    assert last_frame(env, 4).std() > 5


@pytest.fixture(scope="module")
def humanoid(tmp_path_factory) -> Any:
    """Lerax's Humanoid on Gymnasium's MJCF, with a solver that MJX has.

    And with another integrator: RK4 steps four times in one, and compiles twice as long.
    """
    path = tmp_path_factory.mktemp("mjcf") / "humanoid.xml"
    text = gymnasium_mjcf("humanoid").read_text()
    path.write_text(text.replace('"PGS"', '"Newton"').replace('"RK4"', '"Euler"'))
    return load_env("Humanoid", {"xml_file": str(path)})


@pytest.mark.slow
def test_lerax_humanoid(humanoid):
    assert isinstance(find_source(humanoid), Mujoco)
    frames = record(humanoid, steps=8, key=jr.key(0), **SIZE, format="apng").frames()

    assert (frames[0] != frames[7]).any()
    check_against_reference("humanoid", frames[-1], psnr=28, ssim=0.9)


@pytest.mark.slow
def test_humanoid_frames_show_the_state_that_mujoco_computes(humanoid):
    """The same picture as from an `MjData` that went through `mj_forward` itself."""
    # The same program as in `record`, so nothing is compiled again.
    replay = capture(humanoid, steps=8, key=jr.key(0))
    data = mujoco.MjData(humanoid.mujoco_model)
    data.qpos[:] = replay.captured.qpos[5]
    mujoco.mj_forward(humanoid.mujoco_model, data)
    with HeadlessMujocoRenderer(humanoid.mujoco_model, **SIZE) as renderer:
        expected = renderer.render(data)
    frames = record(humanoid, steps=8, key=jr.key(0), **SIZE, format="apng").frames()

    assert expected.std() > 8
    # The controls, which colour nothing here, are all that differs.
    assert np.abs(expected.astype(int) - frames[5]).mean() < 0.5


@pytest.mark.parametrize("name", sorted(p.stem for p in gymnasium_mjcf("ant").parent.glob("*.xml")))
def test_every_mjcf_that_gymnasium_ships(name):
    scene = Simulation(gymnasium_mjcf(name))
    assert isinstance(find_source(scene), SimulationSource)
    frames = record(scene, steps=4, width=160, height=120, format="apng").frames()

    assert all(frame.std() > 8 for frame in frames), "the picture is empty or nearly so"
    assert (frames[0] != frames[3]).any()


def test_a_passive_scene_does_nothing_by_itself():
    model = mujoco.MjModel.from_xml_path(str(gymnasium_mjcf("reacher")))
    passive, sampled = (
        record(Simulation(model, c), steps=3, width=96, height=96, format="apng").frames()
        for c in ("passive", "sampled")
    )

    assert (passive[0] == passive[2]).all()
    assert (sampled[0] != sampled[2]).any()


def test_scenes_start_in_their_first_keyframe(tmp_path):
    path = tmp_path / "scene.xml"
    path.write_text(
        "<mujoco><worldbody><body><freejoint/><geom size='.1'/></body></worldbody>"
        "<keyframe><key qpos='1 2 3 1 0 0 0'/></keyframe></mujoco>"
    )
    scene = Simulation(path)
    replay = capture(scene, steps=2)

    np.testing.assert_allclose(replay.captured.qpos[0, :3], [1, 2, 3])


def test_a_policy_for_a_scene_is_an_error(tmp_path):
    with pytest.raises(TypeError, match="no observations"):
        record(Simulation(gymnasium_mjcf("reacher")), _Policy(), steps=2, width=32, height=32)


class _Policy:
    def reset(self, *, key):
        return None

    def __call__(self, *arguments, **options):
        return None


def test_gymnasium_classic_control():
    env = load_env("gym:CartPole-v1")
    assert isinstance(find_source(env), Gymnasium)
    frames = record(env, steps=20, width=600, height=400, format="apng", key=jr.key(1)).frames()

    # Gymnasium's own pictures and actions of the same seed.
    expected = gymnasium.make("CartPole-v1", render_mode="rgb_array")
    expected.action_space.seed(1)
    expected.reset(seed=1)
    np.testing.assert_array_equal(frames[0], expected.render())
    for frame in frames[1:10]:
        expected.step(expected.action_space.sample())
        np.testing.assert_array_equal(frame, expected.render())
    assert len({frame.tobytes() for frame in frames}) > 10


@pytest.mark.parametrize("chosen", [None, "egl", "glfw"])
def test_gymnasium_mujoco_on_two_threads_leaves_the_environments_variables(monkeypatch, chosen):
    """And needs no window, whatever MUJOCO_GL asks for."""
    monkeypatch.delenv("MUJOCO_GL", raising=False)
    if chosen is not None:
        monkeypatch.setenv("MUJOCO_GL", chosen)
    before = dict(os.environ)
    names = ("InvertedPendulum-v5", "Reacher-v5")
    size = dict(width=96, height=72)
    options = {"steps": 3, "key": 0, "format": "apng", **size}
    made = {**size, **PAINTS_ITSELF}
    expected = {n: record(load_env(f"gym:{n}", made), **options).frames() for n in names}
    both = threading.Barrier(2, timeout=120)
    found: dict[str, np.ndarray] = {}
    variables: list[dict[str, str]] = []

    def film(name: str) -> None:
        env = load_env(f"gym:{name}", made)
        render = env.unwrapped.render

        def watched() -> np.ndarray:
            both.wait()
            variables.append(dict(os.environ))
            frame = render()
            both.wait()
            return frame

        env.unwrapped.render = watched
        found[name] = record(env, **options).frames()

    threads = [threading.Thread(target=film, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert variables == [before] * 6
    for name in names:
        assert expected[name].std() > 8
        np.testing.assert_array_equal(found[name], expected[name])


def test_gymnasium_environments_take_turns_on_one_thread():
    """Each paints in its own GL context, which is current only while it does."""
    names = ("InvertedPendulum-v5", "Reacher-v5")
    size = dict(width=96, height=72)
    options = {"steps": 2, "key": 0, "format": "apng", **size}
    made = {**size, **PAINTS_ITSELF}
    alone = [record(load_env(f"gym:{name}", made), **options).frames() for name in names]
    envs = [load_env(f"gym:{name}", made) for name in names]
    for _ in range(2):
        for env, expected in zip(envs, alone, strict=True):
            np.testing.assert_array_equal(record(env, **options).frames(), expected)
    for env in envs:
        # As its owner may do, before and after.
        assert env.render().std() > 8
        env.close()
        env.close()
        with pytest.raises(RuntimeError, match="closed"):
            env.render()


def test_gymnasium_inside_a_lerax_wrapper_truncates_and_restarts():
    env = Limited(in_lerax(load_env("gym:CartPole-v1")), 3)
    parts = find_source(env).replays(env, None, steps=9, key=None, deterministic=True)
    starts = np.concatenate([lane.episode_starts for (lane,) in parts])

    np.testing.assert_array_equal(np.flatnonzero(starts), [0, 4, 8])


def test_gymnasium_without_pictures_says_how_to_make_it():
    env = gymnasium.make("CartPole-v1")
    for each in (env, in_lerax(env)):
        with pytest.raises(UnsupportedEnvError, match="render_mode='rgb_array'"):
            record(each, steps=2)


def test_gymnasium_states_cannot_be_rendered_afterwards():
    env = in_lerax(load_env("gym:CartPole-v1"))
    states = rollout(env, steps=2).states
    with pytest.raises(UnsupportedEnvError, match="while it steps"):
        list(render(env, states))


@pytest.mark.parametrize(
    "name",
    ["CartPole-v1", "Acrobot-v1", "Pendulum-v1", "MountainCar-v0", "MountainCarContinuous-v0"],
)
def test_gymnax_classic_control(name):
    env = load_env(f"gymnax:{name}")
    assert isinstance(find_source(env), Gymnax)
    frames = record(env, steps=6, **SIZE, format="apng").frames()

    assert all(frame.std() > 5 for frame in frames)
    assert (frames[0] != frames[5]).any()


def test_gymnax_cartpole_is_drawn_where_its_state_is():
    env = load_env("gymnax:CartPole-v1")
    states = rollout(env, steps=1).states
    moved = jax.tree.map(jnp.asarray, states)
    inner = moved.env_state.replace(x=jnp.array([1.2]), theta=jnp.array([0.0]))
    moved = type(moved)(inner, moved.observation, moved.reward, moved.terminal, {})
    (frame,) = render(env, moved, width=600, height=400)
    cart = np.argwhere((frame[288:296] == 0).all(-1))

    # Gymnasium shows 4.8 units in 600 pixels.
    assert cart[:, 1].mean() == pytest.approx(300 + 1.2 / 4.8 * 600, abs=3)


def test_gymnax_minatar():
    frames = record(load_env("gymnax:Breakout-MinAtar"), steps=6, **SIZE, format="apng").frames()

    check_against_reference("breakout", frames[0], psnr=25, ssim=0.9)
    assert (frames[1] != frames[5]).any()


@pytest.mark.parametrize("name", ["Catch-bsuite", "PointRobot-misc", "FourRooms-misc", "Pong-misc"])
def test_gymnax_others_that_it_has_drawings_for(name):
    frames = record(load_env(f"gymnax:{name}"), steps=3, **SIZE, format="apng").frames()

    assert frames[0].std() > 5


def test_gymnax_without_a_drawing_is_unsupported():
    with pytest.raises(UnsupportedEnvError, match="no drawing for BernoulliBandit"):
        record(load_env("gymnax:BernoulliBandit-misc"), steps=2)


def test_what_is_none_of_these():
    for env in (Invisible(), object()):
        with pytest.raises(UnsupportedEnvError, match="Looked for"):
            find_source(env)
    assert issubclass(UnsupportedEnvError, RenderError)
