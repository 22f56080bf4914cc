"""Environments captured without a picture, and what clips need of the process they are made in."""

import dataclasses
import gc
import os
import subprocess
import sys
import weakref
from typing import Any

import equinox as eqx
import jax
import mujoco
import numpy as np
import pytest
from jax import numpy as jnp
from jax import random as jr
from lerax.env.classic_control import CartPole

from lerax_render import (
    RenderWarning,
    Simulation,
    UnsupportedEnvError,
    capture,
    record,
    render,
    rollout,
)
from lerax_render.making import filming
from lerax_render.mujoco.painter import PosePainter
from lerax_render.replay import PART
from lerax_render.sources import find_source, lerax2d
from support.environments import (
    Captioned,
    Counting,
    CountState,
    Invisible,
    Metronome,
    OwnLook,
)
from support.paths import SCENES

SIZE = {"width": 120, "height": 60}


def pixels(anything: Any, *arguments: Any, **options: Any) -> np.ndarray:
    return record(anything, *arguments, **SIZE, **options, format="apng").frames()


def test_actions_and_observations_are_those_of_the_policy():
    env = Counting(4)
    replay = capture(env, Metronome(env), steps=10)

    # An episode's first state takes no action; then the policy counts from 0 again.
    assert replay.actions.tolist() == [0, 0, 1, 2, 0, 0, 0, 1, 2, 0]
    assert replay.observations[:, 0].tolist() == [0, 1, 2, 3, 4, 0, 1, 2, 3, 4]
    assert replay.rewards.tolist() == [0, 1, 2, 3, 4, 0, 1, 2, 3, 4]
    assert replay.terminated.tolist() == [n == 4 for n in (0, 1, 2, 3, 4) * 2]
    assert replay.seconds_per_step is None


def test_large_observations_are_not_kept():
    class Sees(Counting):
        def observation(self, state, *, key):
            return jnp.zeros((16, 16), jnp.float32) + state.count

    assert capture(Sees(), steps=3).observations is None


def test_the_clip_of_a_replay_takes_all_settings():
    replay = capture(CartPole(), steps=30, key=4)
    whole = pixels(CartPole(), steps=30, key=4, overlay=True)
    np.testing.assert_array_equal(pixels(replay, overlay=True), whole)
    np.testing.assert_array_equal(pixels(replay, steps=7, overlay=True), whole[:7])
    webp = record(replay, preset="docs")
    assert (webp.format, webp.width, webp.height) == ("webp", 480, 360)


def test_the_path_of_a_replay_comes_second_or_by_name(tmp_path):
    replay = capture(Counting(), steps=3)
    assert record(replay, tmp_path / "a.gif").path == tmp_path / "a.gif"
    assert record(replay, path=tmp_path / "b.gif").path == tmp_path / "b.gif"


def test_replays_become_tiles_and_short_ones_keep_their_last_frame():
    env = Counting(9)
    short, long = capture(env, steps=3), capture(env, steps=5)
    frames = record([short, long], width=401, height=100, labels=["a", "b"], format="apng").frames()
    left, right = frames[:, :80, :200], frames[:, :80, 201:]

    np.testing.assert_array_equal(left[:3], right[:3])
    np.testing.assert_array_equal(left[3], left[2])
    assert (right[3] != right[2]).any()


def test_replays_of_different_scenes_lie_side_by_side():
    arm = capture(Simulation(SCENES / "arm.xml"), steps=2)
    cart = capture(CartPole(), steps=2)
    frames = record([arm, cart], width=321, height=120, format="apng", quality="draft").frames()

    assert frames[0, :, :160].std() > 10
    assert frames[0, :, 161:].std() > 10
    (alone,) = render(arm[:1], width=160, height=120, quality="draft")
    np.testing.assert_array_equal(frames[0, :, :160], alone)


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((Metronome(Counting()),), {}, TypeError, "no place for a policy"),
        (("a.mp4",), {"path": "b.mp4"}, TypeError, "no place for a policy"),
        ((), {"key": 3}, ValueError, "leave key and deterministic out"),
        ((), {"deterministic": True}, ValueError, "leave key and deterministic out"),
        ((), {"steps": 9}, ValueError, "steps is 9, and the replay has 4 steps"),
        ((), {"camera": "side"}, ValueError, "has no camera to choose"),
        ((), {"labels": ["a", "b"]}, ValueError, "needs 1 labels, got 2"),
    ],
)
def test_what_a_replay_cannot_have_is_an_error(
    tmp_path, monkeypatch, arguments, options, error, message
):
    monkeypatch.chdir(tmp_path)
    replay = capture(Counting(), steps=4)
    with pytest.raises(error, match=message):
        record(replay, *arguments, **options)
    assert not list(tmp_path.iterdir())


def test_several_things_that_are_no_replays_are_an_error():
    replay = capture(Counting(), steps=2)
    with pytest.raises(TypeError, match=r"must be Replays, .* got \['Replay', 'Counting'\]"):
        record([replay, Counting()])
    with pytest.raises(ValueError, match="no room for 3 replays"):
        record([replay] * 3, grid=(1, 2))


def test_given_states_are_captured():
    env = Counting(9)
    states = rollout(env, steps=70, key=jr.key(1)).states
    singles = [jax.tree.map(lambda x, t=t: x[t], states) for t in range(3)]
    expected = pixels(env, steps=70, key=1)

    stacked = capture(env, states=states)
    np.testing.assert_array_equal(pixels(stacked), expected)
    np.testing.assert_array_equal(pixels(capture(env, states=singles)), expected[:3])
    assert (stacked.steps, stacked.rewards, stacked.actions) == (70, None, None)
    # Time is known, rewards are not.
    assert (pixels(stacked, overlay=["step"]) != expected).any()
    for overlay in (True, ["reward"], ["step", "return"]):
        with pytest.raises(ValueError, match="knows nothing of rewards and episodes"):
            record(stacked, overlay=overlay)
    with pytest.raises(ValueError, match="leave policy, steps, key"):
        capture(env, states=states, steps=3)


@pytest.mark.parametrize("steps", [1, 65])
def test_eager_environments_have_replays_whose_texts_are_their_own(steps):
    env = Captioned(100)
    replay = capture(env, steps=steps)
    commands = {frame.commands[0].text for frame in replay.captured}
    assert commands == {f"count {n}" for n in range(steps)}
    np.testing.assert_array_equal(pixels(replay), pixels(env, steps=steps))


class Titled(CountState):
    title: Any


class TextInState(Counting):
    """Its state has a text and a function in it, which its picture uses."""

    def initial(self, *, key):
        return Titled(jnp.zeros((), jnp.int32), jr.uniform(key), ("left", abs))

    def transition(self, state, action, *, key):
        return eqx.tree_at(lambda s: s.count, state, state.count + 1)

    def render(self, state, renderer):
        text, function = state.title
        assert text == "left"
        renderer.clear()
        self.draw_square(function(-state.count), renderer)


class EagerTextInState(TextInState):
    def render(self, state, renderer):
        assert float(state.count) >= 0
        super().render(state, renderer)


@pytest.mark.parametrize("kind", [TextInState, EagerTextInState])
def test_what_is_no_array_in_a_state_reaches_render(kind):
    env = kind(9)
    expected = pixels(Counting(9), steps=70)
    np.testing.assert_array_equal(pixels(env, steps=70), expected)
    states = rollout(env, steps=5).states
    assert states.title == ("left", abs)
    np.testing.assert_array_equal(np.stack(list(render(env, states, **SIZE))), expected[:5])


def test_a_key_is_a_jax_key_or_a_seed():
    clips = [
        pixels(CartPole(), steps=3, key=key) for key in (7, np.int64(7), jr.key(7), jr.PRNGKey(7))
    ]
    for clip in clips[1:]:
        np.testing.assert_array_equal(clip, clips[0])
    np.testing.assert_array_equal(pixels(CartPole(), steps=3), pixels(CartPole(), steps=3, key=0))
    assert (
        capture(CartPole(), steps=2, key=7).origin
        == capture(CartPole(), steps=2, key=np.int64(7)).origin
    )


@pytest.mark.parametrize(
    ("key", "error"),
    [(-1, ValueError), (2**32, ValueError), (1.5, TypeError), ("0", TypeError), (True, TypeError)],
)
def test_what_is_no_key_is_an_error(key, error):
    for env in (CartPole(), Simulation(SCENES / "arm.xml")):
        with pytest.raises(error, match=r"seed|key"):
            record(env, steps=2, key=key)
    with pytest.raises(ValueError, match="one JAX PRNG key"):
        record(CartPole(), steps=2, key=jr.split(jr.key(0)))


def test_lanes_have_keys_of_their_own_and_one_scene():
    one, two = capture(CartPole(), steps=5, lanes=2)
    assert one.scene is two.scene
    assert (one.observations[0] != two.observations[0]).any()
    with pytest.raises(ValueError, match="2 policies were given, which needs as many lanes, got 3"):
        capture(CartPole(), [None, None], steps=2, lanes=3)


def test_a_replay_keeps_the_model_as_it_was():
    model = mujoco.MjModel.from_xml_path(str(SCENES / "arm.xml"))
    replay = capture(Simulation(model), steps=1)
    before = pixels(replay, quality="draft")
    model.geom_rgba[:, :3] = (0, 1, 0)
    np.testing.assert_array_equal(pixels(replay, quality="draft"), before)


def test_a_tile_of_nan_shows_its_own_rollout_and_not_its_neighbours():
    arm = capture(Simulation(SCENES / "arm.xml"), steps=4)
    lost = dataclasses.replace(
        arm, captured=arm.captured._replace(qpos=np.full_like(arm.captured.qpos, np.nan))
    )
    with pytest.warns(RenderWarning, match="4 of 8 frames"):
        clip = record([arm, lost], width=129, height=48, format="apng", quality="draft", camera=0)
    with pytest.warns(RenderWarning, match="4 of 4 frames"):
        alone = record(lost, width=64, height=48, format="apng", quality="draft", camera=0).frames()
    np.testing.assert_array_equal(clip.frames()[:, :, 65:], alone)


def test_lines_of_your_own_and_painting_processes_go_together():
    arm = capture(Simulation(SCENES / "arm.xml"), steps=2)
    video = record(arm, **SIZE, overlay=[lambda info: "x"], workers=2, quality="draft")
    assert video.num_frames == 2


def test_a_model_that_changes_on_the_way_is_painted_as_it_was():
    model = mujoco.MjModel.from_xml_path(str(SCENES / "arm.xml"))
    colours = model.geom_rgba.copy()

    def controller(model, data):
        model.geom_rgba[:] = (0, 1, 0, 1) if data.time > 0.01 else colours

    clips = []
    for make in (
        record,
        lambda *args, **options: record(capture(args[0], steps=4), **SIZE, format="apng"),
    ):
        model.geom_rgba[:] = colours
        clips.append(make(Simulation(model, controller), steps=4, **SIZE, format="apng").frames())
    np.testing.assert_array_equal(*clips)


def test_a_part_that_begins_in_an_episode_begins_with_episode_one():
    seen = []
    replay = capture(Counting(4), steps=8)[2:]
    record(replay, **SIZE, overlay=[lambda info: seen.append(info.episode) or ""])
    assert seen == [1, 1, 1, 2, 2, 2]


def test_labels_are_one_a_replay():
    replay = capture(Counting(4), steps=2)
    assert record([replay] * 3, labels=["a", "b", "c"], **SIZE).num_frames == 2
    assert record([replay], labels=["a"], **SIZE).num_frames == 2


class Seen(eqx.Module):
    value: Any

    def __init__(self, state):
        self.value = state.count.astype(float)[None]


def test_observations_of_any_form_can_be_cut():
    class Looks(Counting):
        def observation(self, state, *, key):
            return Seen(state)

    replay = capture(Looks(9), steps=70)[60:]
    assert replay.observations[0].shape == (10, 1)


@pytest.mark.parametrize("lanes", [0, -1, True, 2.5])
def test_what_is_no_number_of_lanes_is_an_error(lanes):
    with pytest.raises((ValueError, TypeError), match="lanes must be"):
        capture(Counting(), steps=2, lanes=lanes)


class TestSimulation:
    @pytest.fixture
    def model(self) -> mujoco.MjModel:
        return mujoco.MjModel.from_xml_path(str(SCENES / "arm.xml"))

    def test_it_has_the_name_of_its_file_or_of_its_model(self, model):
        assert Simulation(SCENES / "arm.xml").name == "arm"
        named = mujoco.MjModel.from_xml_string('<mujoco model="lamp"><worldbody/></mujoco>')
        assert Simulation(named).name == "lamp"
        assert capture(Simulation(SCENES / "arm.xml"), steps=1).origin.env == "arm"

    def test_controls_are_those_given(self, model):
        controls = np.linspace(-0.3, 0.3, 4 * model.nu).reshape(4, model.nu)
        replay = capture(Simulation(model, controls))
        assert replay.steps == 5
        np.testing.assert_allclose(replay.actions[1:], controls, rtol=1e-6)

        data = mujoco.MjData(model)
        if model.nkey:
            mujoco.mj_resetDataKeyframe(model, data, 0)
        for row, qpos in zip(controls, replay.captured.qpos[1:], strict=True):
            data.ctrl[:] = row
            mujoco.mj_step(model, data, Simulation(model).frame_skip)
            np.testing.assert_allclose(qpos, data.qpos, atol=1e-6)

    @pytest.mark.parametrize("returns", [True, False])
    def test_a_controller_is_called_before_each_step_of_the_physics(self, model, returns):
        times = []

        def controller(model, data):
            times.append(data.time)
            controls = np.full(model.nu, 0.1)
            if returns:
                return controls
            data.ctrl[:] = controls
            return None

        simulation = Simulation(model, controller)
        replay = capture(simulation, steps=3)
        assert len(times) == 2 * simulation.frame_skip
        assert np.diff(times) == pytest.approx(model.opt.timestep)
        np.testing.assert_allclose(replay.actions[1:], 0.1, rtol=1e-6)

    def test_a_trajectory_is_shown_as_it_is(self, model):
        qpos = np.linspace(0, 0.5, 6)[:, None] + np.zeros(model.nq)
        simulation = Simulation(model, qpos=qpos, dt=0.1)
        replay = capture(simulation)
        np.testing.assert_allclose(replay.captured.qpos, qpos, rtol=1e-6)
        assert record(simulation, **SIZE, quality="draft").fps == 10
        with pytest.raises(ValueError, match="at most 6, for which there are positions, got 7"):
            capture(simulation, steps=7)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"controls": np.zeros((3, 99))}, r"controls must have the shape \(steps, \d+\)"),
            ({"controls": "wild"}, "'sampled', 'passive', an array or a function"),
            ({"qpos": np.zeros(4)}, r"qpos must have the shape \(steps, \d+\)"),
            ({"dt": 0.1}, "without one, give frame_skip"),
            ({"qpos": np.zeros((1, 1)), "dt": 0.0}, "dt must be|qpos must have"),
        ],
    )
    def test_what_drives_nothing_is_an_error(self, model, options, message):
        with pytest.raises(ValueError, match=message):
            Simulation(model, **options)

    def test_its_own_states_can_be_captured(self, model):
        states = []
        data = mujoco.MjData(model)
        for _ in range(3):
            mujoco.mj_step(model, data, 5)
            states.append(mujoco.MjData(model))
            states[-1].qpos[:] = data.qpos
        replay = capture(Simulation(model), states=states)
        np.testing.assert_allclose(replay.captured.qpos[-1], data.qpos, rtol=1e-6)
        with pytest.raises(ValueError, match="states is empty"):
            capture(Simulation(model), states=[])


def test_pixels_are_no_replay_and_nothing_can_be_nothing():
    with pytest.raises(UnsupportedEnvError, match="paints its pictures itself"):
        capture(OwnLook(), steps=2)
    with pytest.raises(UnsupportedEnvError, match="Looked for"):
        capture(Invisible(), steps=2)


def test_a_clip_is_captured_before_it_is_painted_only_where_the_camera_looks_ahead(monkeypatch):
    events: list[str] = []
    original = filming.Composition.frames

    def frames(self, painters, lanes):
        events.append("paint")
        return original(self, painters, lanes)

    monkeypatch.setattr(filming.Composition, "frames", frames)
    simulation = Simulation(
        SCENES / "arm.xml", lambda model, data: events.append("step"), frame_skip=1
    )

    def order(**options: Any) -> list[str]:
        events.clear()
        record(simulation, steps=130, width=16, height=12, quality="draft", **options)
        return [a for a, b in zip(events, [None, *events], strict=False) if a != b]

    assert order() == ["step", "paint"]
    assert order(camera=0)[:3] == ["step", "paint", "step"]
    monkeypatch.setattr(filming, "CAPTURED_FIRST", 10)
    assert order()[:4] == ["step", "paint", "step", "paint"]


@pytest.mark.parametrize("make", [record, lambda *a, **options: list(render(*a, **options))])
def test_parts_that_were_captured_first_go_as_they_are_painted(make, monkeypatch):
    replay = capture(Simulation(SCENES / "arm.xml", frame_skip=1), steps=3 * PART + 1)
    parts, left = [], []
    next_steps, paint = filming._next_steps, PosePainter.paint

    def remembered(*arguments):
        part = next_steps(*arguments)
        parts.append(weakref.ref(part))
        return part

    def counted(self, captured):
        left.append(sum(part() is not None for part in parts))
        return paint(self, captured)

    monkeypatch.setattr(filming, "_next_steps", remembered)
    monkeypatch.setattr(PosePainter, "paint", counted)
    make(replay, width=16, height=12, quality="draft")
    assert left == [4, 3, 2, 1]


@pytest.mark.parametrize(
    ("clip", "absent"),
    [
        ("from lerax.env.classic_control import CartPole; env = CartPole()", "mujoco"),
        ("env = lr.Simulation('assets/scenes/arm.xml')", "jax pygame lerax equinox"),
        ("env = 'gym:CartPole-v1'", "jax mujoco lerax equinox"),
        ("env = 'gym:InvertedPendulum-v5'", "jax pygame lerax equinox"),
    ],
)
def test_a_clip_imports_only_what_it_needs(clip, absent):
    script = (
        f"import sys, lerax_render as lr; {clip}; lr.record(env, steps=2, width=32, height=24);"
        "print(*sys.modules)"
    )
    environment = {"MUJOCO_GL": "egl" if "mujoco" not in absent else "osmesa-missing"}
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        cwd=SCENES.parents[1],
    )
    assert done.returncode == 0, done.stderr
    assert not set(absent.split()) & set(done.stdout.split())


def test_renderers_that_are_only_looked_at_are_closed():
    made = []

    class Remembers(Counting):
        def default_renderer(self):
            renderer = super().default_renderer()
            made.append(weakref.ref(renderer.screen))
            return renderer

    record(Remembers(), steps=2, **SIZE)
    gc.collect()
    assert made
    assert not any(screen() for screen in made), "a surface of the check is still there"


def test_verdicts_on_environments_are_forgotten(monkeypatch):
    def another() -> Any:
        return type("Another", (Counting,), {})()

    layout = find_source(Counting()).layout
    # Whatever it is.
    monkeypatch.setattr(lerax2d, "_found", lambda env, layout: lerax2d.Drawn(layout))
    for _ in range(lerax2d._cached.cache_info().maxsize + 5):
        assert lerax2d._source(another(), layout) == lerax2d.Drawn(layout)
    info = lerax2d._cached.cache_info()
    assert info.currsize == info.maxsize
