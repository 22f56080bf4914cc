"""Whole clips: what a user asks for, decoded again."""

import collections
import io
import warnings

import jax
import numpy as np
import pytest
from jax import numpy as jnp
from jax import random as jr
from lerax.env.classic_control import CartPole, Pendulum

from lerax_render import (
    EncodeError,
    RenderError,
    RenderWarning,
    UnsupportedEnvError,
    record,
    render,
    rollout,
    try_record,
)
from support.environments import Counting, Invisible, Limited, Metronome, OwnLook, TurnsNaN


class Fails(Counting):
    """Its picture raises at the third count, and only when it is really painted."""

    def render(self, state, renderer):
        if not isinstance(state.count, jax.core.Tracer) and int(state.count) == 3:
            raise RuntimeError("the paint is off")
        renderer.clear()
        self.draw_square(float(state.count), renderer)
        renderer.draw()


def square_positions(frames: np.ndarray) -> list[float | None]:
    """Where the red square of `Counting` is in each frame, in world units."""
    positions: list[float | None] = []
    for frame in frames.astype(int):
        red = (frame[..., 0] > 200) & (frame[..., 1] < 60) & (frame[..., 2] < 60)
        columns = np.nonzero(red)[1]
        scale = 20.0 * frame.shape[1] / 200.0
        middle = columns.mean() + 0.5 if columns.size else np.nan
        positions.append((middle - scale / 2) / scale if columns.size else None)
    return positions


def test_every_state_is_a_frame_the_terminal_one_included():
    video = record(Counting(3), steps=9, width=200, height=100, format="apng")

    assert video.num_frames == 9
    assert square_positions(video.frames()) == pytest.approx([0, 1, 2, 3, 0, 1, 2, 3, 0], abs=0.1)


@pytest.mark.parametrize("format", ["mp4", "webm", "gif", "webp", "apng"])
def test_each_format_holds_what_was_recorded(tmp_path, format):
    path = tmp_path / f"clip.{format}"
    video = record(Counting(7), path=path, steps=8, width=320, height=160, fps=20)

    assert (video.format, video.num_frames, video.width, video.height) == (format, 8, 320, 160)
    assert video.path == path
    assert video.fps == pytest.approx(20)
    assert square_positions(video.frames()) == pytest.approx(range(8), abs=0.15)


def test_a_png_sequence(tmp_path):
    video = record(Counting(7), path=tmp_path / "frame_%03d.png", steps=3, width=200, height=100)

    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "frame_000.png",
        "frame_001.png",
        "frame_002.png",
    ]
    assert square_positions(video.frames()) == pytest.approx([0, 1, 2], abs=0.1)


def test_without_a_path_the_clip_is_in_memory():
    video = record(Counting(), steps=4, width=200, height=100)

    assert video.path is None
    assert video.format == "mp4"
    assert b"ftyp" in video.data[:12]


def test_a_buffer_gets_the_same_bytes():
    buffer = io.BytesIO()
    options = dict(steps=4, width=200, height=100, format="gif")
    video = record(Counting(), None, buffer, **options)

    assert buffer.getvalue() == video.data == record(Counting(), **options).data


def test_the_picture_is_letterboxed_and_not_distorted():
    frames = record(Counting(), steps=1, width=200, height=300, format="apng").frames()
    red = np.argwhere((frames[0] == (255, 0, 0)).all(-1))
    height, width = np.ptp(red, axis=0) + 1

    assert abs(height - width) <= 1
    assert 125 <= red[:, 0].mean() <= 175
    assert (frames[0][:95] == 255).all()


@pytest.mark.parametrize(
    ("env", "fps"), [(CartPole(), 50.0), (CartPole(dt=0.05), 20.0), (Counting(), 50.0)]
)
def test_real_time_is_the_default(env, fps):
    assert record(env, steps=2, width=64, height=48).fps == pytest.approx(fps)


def test_policies_act_and_keys_choose():
    env = Pendulum()
    one, same, other = (
        record(env, steps=12, width=64, height=64, key=jr.key(k), format="apng").data
        for k in (0, 0, 1)
    )

    assert one == same != other


def test_a_stateful_policy_through_wrappers():
    env = Limited(Counting(100), 3)
    video = record(env, Metronome(env), steps=6, width=200, height=100, format="apng")

    assert square_positions(video.frames()) == pytest.approx([0, 1, 2, 3, 0, 1], abs=0.1)


def test_progress_is_told_in_frames():
    told: list[int] = []
    record(Counting(), steps=150, width=32, height=16, progress=told.append)

    assert sum(told) == 150
    assert len(told) > 1


def test_a_failure_in_the_middle_leaves_what_was_there(tmp_path):
    path = tmp_path / "clip.gif"
    path.write_bytes(b"precious")
    with pytest.raises(RenderError, match="RuntimeError: the paint is off"):
        record(Fails(9), path=path, steps=9, width=64, height=32)

    assert path.read_bytes() == b"precious"
    assert list(tmp_path.iterdir()) == [path]


def test_try_record_turns_a_failure_into_one_warning():
    with pytest.warns(RenderWarning) as caught:
        assert try_record(Fails(9), steps=9, width=64, height=32) is None

    (warning,) = caught
    message = str(warning.message)
    assert "Fails.render raised RuntimeError: the paint is off, in Fails.render" in message
    assert "record(...)" not in message


def test_try_record_says_how_to_see_where_other_errors_come_from():
    def stumble(*_):
        raise LookupError("no way")

    with pytest.warns(RenderWarning, match=r"LookupError: no way. record\(...\) with the same"):
        assert try_record(Counting(), steps=9, width=64, height=32, progress=stumble) is None


def test_try_record_never_raises_even_where_warnings_are_errors(caplog):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert try_record(Invisible(), steps=2) is None

    assert "no picture of this" in caplog.text


def test_try_record_returns_the_clip_where_nothing_fails():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert try_record(Counting(), steps=2, width=32, height=16).num_frames == 2


def test_nan_states_render_what_they_can_and_warn_once():
    with pytest.warns(RenderWarning, match="5 of 8 frames are incomplete") as caught:
        video = record(TurnsNaN(7), steps=8, width=200, height=100, format="apng")

    assert len(caught) == 1
    positions = square_positions(video.frames())
    assert positions[:3] == pytest.approx([0, 1, 2], abs=0.1)
    assert positions[3:] == [None] * 5
    assert (video.frames()[7] == (0, 0, 255)).all(-1).sum() > 100


def test_an_environment_without_a_picture_lists_what_was_looked_for(tmp_path):
    with pytest.raises(UnsupportedEnvError, match="cannot draw a Invisible") as caught:
        record(Invisible(), path=tmp_path / "clip.mp4")

    for word in ("GymToLeraxEnv", "GymnaxToLeraxEnv", "mujoco_model", "no picture of this"):
        assert word in str(caught.value)
    assert isinstance(caught.value, RenderError)
    assert not list(tmp_path.iterdir())


class Untouchable(Counting):
    """Any work on it is an error."""

    def initial(self, *, key):
        raise AssertionError("work was done")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(steps=0), "steps must be a whole number, 1 to"),
        (dict(fps=0), "fps"),
        (dict(fps=float("nan")), "fps"),
        (dict(fps=-5), "fps"),
        (dict(width=0), "width"),
        (dict(height=-1), "height"),
        (dict(width=20_000), "16384"),
        (dict(format="avi"), "avi"),
        (dict(path="clip.xyz"), "xyz"),
        (dict(path="/no/such/folder/clip.mp4"), "/no/such/folder"),
        (dict(camera="front"), "no camera to choose"),
        (dict(quality="best"), "quality"),
    ],
)
def test_wrong_arguments_are_refused_before_any_work(monkeypatch, tmp_path, options, message):
    monkeypatch.chdir(tmp_path)
    # The one look at the environment that is allowed finds out how to draw it; it is remembered.
    record(Counting(), steps=1, width=16, height=8)
    with pytest.raises((ValueError, OSError), match=message):
        record(Counting(), **options)

    assert not list(tmp_path.iterdir())


def test_render_gives_an_array_of_its_own_for_each_stacked_state():
    states = rollout(Counting(200), steps=150).states
    frames = list(render(Counting(200), states, width=200, height=100))

    assert len(frames) == 150
    assert all(f.shape == (100, 200, 3) and f.dtype == np.uint8 for f in frames)
    assert square_positions(np.stack(frames))[:9] == pytest.approx(range(9), abs=0.1)


def test_render_takes_sequences_and_iterators_of_states():
    states = rollout(Counting(200), steps=70).states
    single = [jax.tree.map(lambda x, t=t: x[t], states) for t in range(70)]
    stacked = np.stack(list(render(Counting(200), states, width=64, height=32)))

    for form in (single, tuple(single), iter(single)):
        frames = np.stack(list(render(Counting(200), form, width=64, height=32)))
        np.testing.assert_array_equal(frames, stacked)


def test_render_and_record_paint_alike():
    frames = record(CartPole(), steps=5, width=160, height=120, format="apng").frames()
    states = rollout(CartPole(), steps=5).states

    np.testing.assert_array_equal(frames, list(render(CartPole(), states, width=160, height=120)))


@pytest.mark.parametrize("states", [[], iter([])])
def test_render_of_nothing_is_an_error(states):
    with pytest.raises(ValueError, match="states is empty"):
        render(Counting(), states)


def test_render_of_a_single_state_is_an_error():
    with pytest.raises(ValueError, match="A single state goes in a list"):
        render(Counting(), Counting().initial(key=jr.key(0)))


def test_render_reports_wrong_arguments_at_once():
    states = rollout(OwnLook(), steps=2).states
    with pytest.raises(ValueError, match="no camera to choose"):
        render(OwnLook(), states, camera=1)
    with pytest.raises(ValueError, match="width"):
        render(Counting(), rollout(Counting(), steps=2).states, width=0)


def test_an_unwritable_folder_is_said_before_rendering(tmp_path):
    target = tmp_path / "file"
    target.write_text("")
    with pytest.raises((OSError, ValueError, EncodeError), match="file"):
        record(Counting(), path=target / "clip.mp4")


def test_any_iterable_of_states_and_a_rollout_can_be_rendered():
    steps = rollout(Counting(), steps=3)
    single = [jax.tree.map(lambda x, t=t: x[t], steps.states) for t in range(3)]
    expected = np.stack(list(render(Counting(), steps.states, width=40, height=20)))

    for form in (collections.deque(single), dict(enumerate(single)).values(), steps):
        frames = np.stack(list(render(Counting(), form, width=40, height=20)))
        np.testing.assert_array_equal(frames, expected)


def test_inside_a_trace_the_error_says_so():
    def traced(x):
        record(Counting(), steps=2)
        return x

    with pytest.raises(RuntimeError, match="record was called in a function that JAX is tracing"):
        jax.jit(traced)(1.0)


def test_a_grid_shows_a_rollout_in_each_tile():
    env = Counting(50)
    video = record(env, steps=4, width=401, height=201, grid=(2, 2), format="apng")
    last = video.frames()[3]

    assert last.shape == (201, 401, 3)
    for rows in (slice(0, 100), slice(101, 201)):
        for columns in (slice(0, 200), slice(201, 401)):
            assert square_positions(last[None, rows, columns]) == pytest.approx([3], abs=0.1)


def test_a_grid_of_policies_needs_one_a_tile():
    policies = [Metronome(Counting()) for _ in range(4)]
    with pytest.raises(ValueError, match=r"4 policies were given, .* got no tiles of a grid"):
        record(Counting(), policies, steps=2)
    with pytest.raises(ValueError, match="4 policies were given"):
        record(Counting(), policies, steps=2, grid=(2, 3))
    with pytest.raises(ValueError, match="needs 4 labels, got 1"):
        record(Counting(), steps=2, grid=(2, 2), labels="abcd")


def test_numpy_numbers_are_numbers():
    size = np.int64(32)
    options = dict(steps=np.int32(2), width=size, height=size, fps=np.float32(20))
    video = record(Counting(), grid=(np.int64(1), 2), **options)

    assert (video.width, video.fps) == (32, 20)


def test_a_replaced_file_keeps_its_permissions(tmp_path):
    path = tmp_path / "clip.gif"
    path.write_bytes(b"")
    path.chmod(0o600)
    record(Counting(), path=path, steps=2, width=32, height=16)

    assert path.stat().st_mode & 0o777 == 0o600


def test_try_record_survives_an_environment_that_cannot_say_its_name():
    class Nameless(Fails):
        @property
        def name(self):
            raise RuntimeError("no name")

    with pytest.warns(RenderWarning, match="no video of Nameless"):
        assert try_record(Nameless(9), steps=9, width=64, height=32) is None


def test_states_of_a_vmapped_environment_can_be_rendered():
    states = jax.vmap(lambda k: Counting().initial(key=k))(jr.split(jr.key(0), 3))
    moved = jax.tree.map(jnp.asarray, states)

    assert len(list(render(Counting(), moved, width=40, height=20))) == 3
