"""Recordings in real trainings."""

import os
import re
import signal
import threading
import warnings
from pathlib import Path

import equinox as eqx
import jax
import numpy as np
import pytest
from jax import numpy as jnp
from jax.experimental.compilation_cache import compilation_cache

from lerax_log import ConsoleBackend, LoggingCallback
from lerax_log.host.run import Learn
from lerax_log.recordings import Template, recorder, recording
from lerax_log.recordings.failures import cause_of
from lerax_log.recordings.keeping import Keeper
from lerax_log.recordings.recorder import Recorder
from lerax_log.recordings.worker import VideoWorker
from lerax_render import Picture, Replay, record, render
from lerax_render.acting import compiling
from lerax_render.errors import RenderWarning
from lerax_render.naming.policy_file import read_policy
from lerax_render.runs import RunFolder, place_of
from lerax_render.settings import Settings, from_written
from support.environments import Counting, Invisible, Metronome
from support.faults import fill
from support.mjx_environments import Swing
from support.run_folders import write_run
from support.small_disk import mounted
from support.trainings import (
    ITERATIONS,
    NUM_STEPS,
    STEPS_AN_ITERATION,
    TOTAL_STEPS,
    GifMemory,
    Memory,
    Mp4Memory,
    Training,
    arrays,
    assert_same_policy,
    shrinking,
)

SMALL = {"video_num_steps": 12, "video_width": 96, "video_height": 64}
SECONDS = 60


def test_videos_are_recorded_when_they_are_due(training, plain_policy, tmp_path, monkeypatch):
    sent = []
    record = Learn.record
    monkeypatch.setattr(Learn, "record", lambda *a: (sent.append(1), record(*a)))
    gif, mp4, none = GifMemory(tmp_path), Mp4Memory(), Memory()
    options = {"video_interval": 4, "video_overlay": False, **SMALL}
    callback = LoggingCallback([none, gif, mp4], name="run", **options)
    assert_same_policy(training(callback), plain_policy)
    callback.close()
    # At the start, after the fourth iteration and after the last, the sixth; nothing is sent in the
    # others.
    steps = [0, 4 * STEPS_AN_ITERATION, 6 * STEPS_AN_ITERATION]
    assert len(sent) == 2
    assert [step for step, _ in gif.videos()] == [step for step, _ in mp4.videos()] == steps
    assert none.videos() == []
    for backend in (gif, mp4, none):
        # Counting's episodes are 5 steps long and earn 1 + 2 + 3 + 4 + 5.
        assert backend.scalars("eval/return") == [(step, 15.0) for step in steps]
        assert backend.scalars("eval/length") == [(step, 5.0) for step in steps]
    # The folder does not depend on what folders the backends have.
    kept = [tmp_path / f"logs/run/videos/step_{step:09d}.mp4" for step in steps]
    assert sorted((tmp_path / "logs/run/videos").iterdir()) == kept
    for (_, clip), path in zip(mp4.videos(), kept, strict=True):
        assert (clip.format, clip.path) == ("mp4", path)
    for _, clip in [*gif.videos(), *mp4.videos()]:
        frames = clip.frames()
        assert frames.shape == (12, 64, 96, 3)
        red = (frames[..., 0] > 180) & (frames[..., 1:].max(-1) < 90)
        columns = np.array([np.flatnonzero(one.any(0)).mean() for one in red])
        # The red square walks five steps to the right and is back in the sixth frame after.
        np.testing.assert_allclose(np.diff(columns)[[0, 1, 2, 3, 4, 6, 7]], 9.6, atol=1.1)
        np.testing.assert_allclose(columns[6:], columns[:6], atol=0.6)


def test_the_policy_of_that_moment_is_recorded(training, monkeypatch):
    snapshots = {}
    act = recording.act

    def remember(snapshot, *arguments):
        snapshots[snapshot.step] = snapshot
        return act(snapshot, *arguments)

    monkeypatch.setattr(recording, "act", remember)
    options = {"video_interval": 3, "video_keep": False, "video_mode": "block", **SMALL}
    callback = LoggingCallback(GifMemory(), **options)
    final = training(callback)
    training(callback, seed=5)
    callback.close()
    assert sorted(snapshots) == [0, 48, 96, 144, 192]
    _, untrained, _ = snapshots[0].template.skeleton.restore(snapshots[0].arrays)
    assert_same_policy(untrained, training.policy)
    env, recorded, _ = snapshots[TOTAL_STEPS].template.skeleton.restore(
        snapshots[TOTAL_STEPS].arrays
    )
    assert isinstance(env, Counting)
    assert_same_policy(recorded, final)
    # Every iteration of this training shrinks every parameter to nine tenths.
    _, halfway, _ = snapshots[TOTAL_STEPS // 2].template.skeleton.restore(
        snapshots[TOTAL_STEPS // 2].arrays
    )
    np.testing.assert_allclose(arrays(halfway)[0] * 0.9**3, arrays(final)[0], rtol=1e-5)
    assert len({snapshot.seed for snapshot in snapshots.values()}) == 5


def test_recording_does_not_touch_an_environment_that_lives_on_the_host(monkeypatch):
    gymnasium = pytest.importorskip("gymnasium")
    from lerax.compatibility.gym import GymToLeraxEnv

    # The training goes on when the recording is done, and would see what that has moved.
    submit = VideoWorker.submit
    monkeypatch.setattr(
        VideoWorker, "submit", lambda worker, *a, **k: (submit(worker, *a, **k), worker.close())
    )
    memories = []
    for interval in (0, 4):
        env = GymToLeraxEnv(gymnasium.make("CartPole-v1", render_mode="rgb_array"))
        training = Training(env, shrinking(num_envs=1))
        memory = GifMemory()
        options = {"video_interval": interval, "video_keep": False, **SMALL}
        with LoggingCallback(memory, **options) as callback:
            training(callback, total_steps=10 * NUM_STEPS)
        memories.append(memory)
    without, with_videos = memories
    # What the policy saw in the environment.
    assert with_videos.scalars("train/advantage") == without.scalars("train/advantage")
    assert len({value for _, value in without.scalars("train/advantage")}) > 5
    videos = with_videos.videos()
    assert [step for step, _ in videos] == [0, 4 * NUM_STEPS, 8 * NUM_STEPS, 10 * NUM_STEPS]
    assert len(np.unique(videos[-1][1].frames())) > 2


def test_recording_compiles_once_and_not_for_a_new_callback(training, compilations):
    options = {"video_interval": 3, "video_keep": False, **SMALL}
    callback = LoggingCallback(GifMemory(), **options)
    training(callback)
    callback.close()
    again = LoggingCallback(GifMemory(), **options)
    compilations.clear()
    memory = GifMemory()
    again = LoggingCallback(memory, **options)
    compilations.clear()
    training(again)
    again.close()
    assert len(memory.videos()) == 3
    assert compilations == []


def test_nobody_who_wants_videos_no_recording(training, monkeypatch, tmp_path):
    monkeypatch.setattr(recording, "act", lambda *a: pytest.fail("a clip was recorded"))
    memory = Memory(tmp_path)
    callback = LoggingCallback(memory, video_interval=1, video_keep=False, **SMALL)
    training(callback)
    callback.close()
    assert callback.video_interval == 0
    assert memory.scalars("eval/return") == []


def test_clips_are_not_kept_where_that_is_switched_off(training, tmp_path):
    memory = Mp4Memory(tmp_path)
    callback = LoggingCallback(memory, video_interval=6, video_keep=False, **SMALL)
    training(callback)
    callback.close()
    (_, (_, clip)) = memory.videos()
    assert clip.path is None
    assert not list(tmp_path.rglob("videos"))


def test_without_a_folder_clips_are_kept_in_logs(training, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    callback = LoggingCallback(Mp4Memory(), name="run", video_interval=6, **SMALL)
    training(callback)
    callback.close()
    kept = ["step_000000000.mp4", "step_000000096.mp4"]
    assert sorted(path.name for path in Path("logs/run/videos").iterdir()) == kept


def test_gifs_are_at_most_480_pixels_wide(training):
    memory = GifMemory()
    size = {"video_width": 640, "video_height": 480, "video_num_steps": 3}
    callback = LoggingCallback(memory, video_interval=6, video_keep=False, **size)
    training(callback)
    callback.close()
    (_, (_, clip)) = memory.videos()
    assert (clip.width, clip.height, clip.num_frames) == (480, 360, 3)


def test_the_overlay_names_the_step_of_the_training(training):
    clips = []
    for overlay in (False, True):
        memory = GifMemory()
        size = {"video_width": 320, "video_height": 240, "video_num_steps": 2}
        callback = LoggingCallback(
            memory, video_interval=6, video_keep=False, video_overlay=overlay, **size
        )
        training(callback)
        callback.close()
        clips.append(memory.videos()[1][1].frames())
    without, with_text = clips
    assert (without[0] != with_text[0])[:80, :200].any()
    # Light on dark, top left, and nothing elsewhere but where the square may be.
    assert (with_text[0][:60, :120].max(-1) > 200).any()
    assert (with_text[0][:60, :120].max(-1) < 130).sum() > 500


def warned(recorded: list[warnings.WarningMessage]) -> list[str]:
    return [str(w.message) for w in recorded if w.category is RenderWarning]


def test_failures_are_warnings_and_recording_pauses_after_three(
    training, plain_policy, monkeypatch
):
    calls = []

    def fails(snapshot, *arguments):
        calls.append(snapshot.step)
        raise OSError(f"no room for the clip of step {snapshot.step}")

    memory = GifMemory()
    callback = LoggingCallback(memory, name="doomed", video_interval=1, video_mode="block", **SMALL)
    with monkeypatch.context() as patched, warnings.catch_warnings(record=True) as recorded:
        warnings.simplefilter("always")
        patched.setattr(recording, "act", fails)
        assert_same_policy(training(callback), plain_policy)
        callback.handle.session._worker.close()
    assert calls == [0, 16, 32]
    first, second, third = warned(recorded)
    assert first == (
        "run doomed: the recording at step 0 failed: OSError: no room for the clip of step 0. "
        "The training goes on; the next recording will be tried"
    )
    assert "step 16" in second
    assert "recording pauses until the next learn(), since 3 recordings in a row" in third
    assert len(memory.scalars("train/loss")) == ITERATIONS
    # The next training tries again, and its steps are counted on.
    training(callback)
    callback.close()
    assert [step for step, _ in memory.videos()][-1] == 2 * TOTAL_STEPS


def test_a_best_that_fails_does_not_stand_in_the_way_of_the_next(training, monkeypatch):
    memory = GifMemory()
    # Counting earns the same in all its episodes.
    options = {"video_interval": 6, "video_keep": False, "record_when": "best", **SMALL}
    callback = LoggingCallback(memory, **options)

    def fails(*arguments):
        raise OSError("no room for the clip")

    def train():
        training(callback)
        callback.handle.session._worker.close()

    with monkeypatch.context() as patched:
        patched.setattr(recording, "act", fails)
        with pytest.warns(RenderWarning, match="no room"):
            train()
    train()
    train()
    callback.close()
    assert [step for step, _ in memory.videos()] == [2 * TOTAL_STEPS]


def test_a_backend_that_does_not_take_videos_is_a_warning(training):
    bad, good = GifMemory(fails=("log_video",)), GifMemory()
    callback = LoggingCallback([bad, good], name="r", video_interval=6, video_keep=False, **SMALL)
    training(callback)
    with pytest.warns(RenderWarning, match="run r: GifMemory did not take the video of step 0: O"):
        callback.close()
    assert [step for step, _ in good.videos()] == [0, 96]


def leaves(scalars):
    # Not `sys.exit`, in whose place W&B puts its own.
    raise SystemExit("enough")


@pytest.mark.parametrize(
    ("record_when", "told"),
    [
        (lambda scalars: scalars["nonsense"], "KeyError: 'nonsense'"),
        (lambda scalars: bool(np.ones(2) > 0), "ValueError: The truth value of an array"),
        (leaves, "SystemExit: enough"),
    ],
)
def test_a_function_that_fails_is_a_warning_that_names_it(training, record_when, told):
    memory = GifMemory()
    callback = LoggingCallback(memory, video_interval=6, record_when=record_when, **SMALL)
    message = (
        "nothing is recorded at step 96, since record_when, given the scalars .*episode/return.*, "
        f"raised {told}"
    )
    with pytest.warns(RenderWarning, match=message) as recorded:
        training(callback)
    callback.close()
    assert "test_recorder.py, line" in str(recorded[0].message)
    assert memory.scalars("train/loss")


@pytest.mark.parametrize("deterministic", [False, True])
def test_recordings_explore_unless_told_not_to(deterministic):
    """A policy that earns as much as it explores."""
    env = Counting()

    class Explores(Metronome):
        def __call__(self, state, observation, *, key=None, action_mask=None):
            return state, jnp.asarray(0 if key is None else 2)

    class Pays(Counting):
        def reward(self, state, action, next_state, *, key):
            return action.astype(float)

    template = Template(Pays(), Explores(env), deterministic)
    snapshot = template.snapshot(template.skeleton.arrays((Pays(), Explores(env))), 0, 1)
    acted = recording.act(snapshot, Settings(steps=8))
    assert acted.scores.scalars()["eval/return"] == (0 if deterministic else 10)


def test_a_recording_that_is_compiled_for_long_says_so(monkeypatch, capsys):
    monkeypatch.setattr(compiling, "SAID_FROM", 0.0)
    monkeypatch.setattr(compiling, "_FROM_CACHE", 0.0)
    # Nothing of what else this thread compiles, all of which takes no time.
    monkeypatch.setattr(compiling, "_LOWERED", "no such event")
    callback = LoggingCallback(ConsoleBackend(), video_interval=8, video_keep=False, **SMALL)
    jax.config.update("jax_enable_compilation_cache", False)
    compilation_cache.reset_cache()
    try:
        Training()(callback, STEPS_AN_ITERATION)
        callback.close()
    finally:
        jax.config.update("jax_enable_compilation_cache", True)
        compilation_cache.reset_cache()
    said = [line for line in capsys.readouterr().out.splitlines() if "recording:" in line]
    assert re.fullmatch(r"\[.*\] recording: compiling Counting, about .* the first time", said[0])


@pytest.mark.slow
def test_a_recording_has_the_background_that_was_asked_for():
    memory = GifMemory()
    options = {"video_interval": 1, "video_keep": False, "video_overlay": False, **SMALL}
    callback = LoggingCallback(memory, video_background="#e010c0", **options)
    Training(Swing())(callback, STEPS_AN_ITERATION)
    callback.close()
    (_, (_, clip)) = memory.videos()
    frames = clip.frames().astype(int)
    assert np.abs(frames[:, :6] - [0xE0, 0x10, 0xC0]).max() < 12
    # The pendulum and the ground hide some of it.
    assert (np.abs(frames[:, 20:] - [0xE0, 0x10, 0xC0]).max(-1) > 60).any((1, 2)).all()


def test_a_picture_that_the_environment_has_not_is_an_error_at_once():
    options = {"video_interval": 1, "backend": Memory()}
    with pytest.raises(ValueError, match="camera='side' was given, but a 2D environment has no"):
        LoggingCallback(env=Counting(), video_camera="side", **options)
    with pytest.raises(ValueError, match="no camera 'nowhere'"):
        LoggingCallback(env=Swing(), video_camera="nowhere", **options)
    with pytest.raises(ValueError, match="no body 'nobody'"):
        LoggingCallback(env=Swing(), video_picture=Picture(trail=["nobody"]), **options)
    LoggingCallback(env=Swing(), **options).close()
    # Without env, when `learn` is traced.
    for env, camera in ((Counting(), "side"), (Swing(), "nowhere")):
        with pytest.raises(ValueError, match=f"camera.*{camera}"):
            Training(env)(LoggingCallback(video_camera=camera, **options))


def test_what_is_said_twice_of_a_picture_is_refused():
    with pytest.raises(ValueError, match="video_width=96 was given, and video_picture has width="):
        LoggingCallback(Memory(), video_width=96, video_picture=Picture(width=128))


def test_what_cannot_be_drawn_is_said_at_the_start():
    memory = GifMemory()
    with pytest.warns(RenderWarning, match="there will be no videos: UnsupportedEnvError"):
        LoggingCallback(memory, video_interval=1, env=Invisible(), policy=None)
    callback = LoggingCallback(memory, name="blind", video_interval=3, **SMALL)
    with warnings.catch_warnings(record=True) as recorded:
        warnings.simplefilter("always")
        Training(Invisible())(callback)
        callback.close()
    (message,) = warned(recorded)
    assert message.startswith(
        "run blind: videos were asked for but cannot be made: UnsupportedEnvError: cannot draw a "
        "Invisible"
    )
    assert message.endswith("none will be tried in this training")
    assert memory.videos() == []
    assert len(memory.scalars("train/loss")) == ITERATIONS


def test_what_does_not_work_here_is_said_at_the_start(training, monkeypatch, caplog):
    caplog.set_level("INFO", "lerax_log")
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", "/nonexistent/ffmpeg")
    memory = GifMemory()
    callback = LoggingCallback(memory, name="lame", video_interval=6, **SMALL)
    with warnings.catch_warnings(record=True) as recorded:
        warnings.simplefilter("always")
        training(callback)
        callback.close()
    # The recording fails for the same reason, which is not worth a second warning.
    start, left = warned(recorded)
    assert "BackendUnavailableError" in start
    assert left.startswith("run lame: recordings that are not painted, but kept as replays: 2")
    assert start.endswith("they will be tried again when the first recording is due")
    assert "run lame: the recording at step 96 could not be painted: BackendUn" in caplog.text
    assert [step for step, _ in memory.scalars("eval/return")] == [0, 96]


def test_policies_that_cannot_act_soon_enough_are_thinned_evenly(
    training, plain_policy, monkeypatch, caplog
):
    begun, go = threading.Event(), threading.Event()
    act = recording.act

    def slow(*arguments):
        begun.set()
        assert go.wait(SECONDS)
        return act(*arguments)

    monkeypatch.setattr(recording, "act", slow)
    memory = GifMemory()
    monkeypatch.setattr(recorder, "WAITING", (3, 3))
    monkeypatch.setattr(Recorder, "check", lambda *a: None)
    # The training does not go on before the first of its recordings is under way.
    submit = VideoWorker.submit
    monkeypatch.setattr(
        VideoWorker, "submit", lambda *a, **k: (submit(*a, **k), begun.wait(SECONDS))
    )
    callback = LoggingCallback(memory, name="slow", video_interval=1, **SMALL)
    with warnings.catch_warnings(record=True) as recorded:
        warnings.simplefilter("always")
        assert_same_policy(training(callback), plain_policy)
        messages = warned(recorded)
        go.set()
        callback.close()
    (message,) = messages
    assert message.startswith("run slow: the recording at step 32 was dropped, since recordings")
    assert 'video_mode="block"' in message
    # The first of those that wait and the last stay, and one in the middle.
    assert [step for step, _ in memory.videos()] == [0, 16, 48, 96]
    assert "3 recordings were dropped in all" in caplog.text


def test_replays_are_kept_beside_the_clips(training, tmp_path):
    memory = Mp4Memory()
    options = {"video_interval": 3, "video_policy": True, "video_overlay": False}
    picture = Picture(width=128, height=96)
    with LoggingCallback(
        memory, name="run", video_picture=picture, video_num_steps=12, **options
    ) as callback:
        policy = training(callback)
    run = RunFolder("logs/run")
    found = run.recordings()
    assert [each.step for each in found] == [0, 48, 96]
    for each, (_, clip) in zip(found, memory.videos(), strict=True):
        assert set(each.files) == {"replay", "video", "policy"}
        assert each.said["return"] == each.said["length"] * 3 == 15
        replay = Replay.load(each.files["replay"])
        assert replay.origin.training_step == each.step
        assert (replay.origin.env, replay.origin.policy) == ("Counting", "MLPActorCriticPolicy")
        # What is painted later is what was painted then.
        again = record(replay, format="mp4", fps=50, **from_written_picture(run))
        np.testing.assert_array_equal(again.frames(), clip.frames())
    with found[-1].files["policy"].open("rb") as file:
        kept = read_policy(file, eqx.filter_eval_shape(lambda: training.policy))
    assert_same_policy(kept, policy)
    assert from_written(run.facts.clip).size == (128, 96)


def from_written_picture(run: RunFolder) -> dict[str, int]:
    settings = from_written(run.facts.clip)
    return {"width": settings.size[0], "height": settings.size[1]}


def test_a_mujoco_training_keeps_its_scene_once(tmp_path):
    options = {"video_interval": 1, "video_num_steps": 4, "video_width": 64, "video_height": 48}
    with LoggingCallback(Memory(), name="run", **options) as callback:
        Training(Swing())(callback, STEPS_AN_ITERATION)
    names = sorted(path.name for path in (tmp_path / "logs/run/replays").iterdir())
    assert names[1:] == ["step_000000000.replay", "step_000000016.replay"]
    assert re.fullmatch(r"scene-[0-9a-f]{16}\.mjb", names[0])
    found = RunFolder("logs/run").recordings()
    for each in found:
        assert each.files["replay"].stat().st_size < 20_000
        replay = Replay.load(each.files["replay"])
        frames = np.stack(list(render(replay, width=64, height=48)))
        # Not black, not empty: something is there, and it moves.
        assert frames.std() > 10
        assert (frames[0] != frames[-1]).any()


def test_what_is_not_painted_in_time_is_kept(training, tmp_path, monkeypatch):
    go = threading.Event()
    paint = recording.paint
    monkeypatch.setattr(recording, "paint", lambda *a: (go.wait(SECONDS), paint(*a))[1])
    memory = GifMemory()
    options = {"video_interval": 1, "video_finish_s": 0.5, **SMALL}
    callback = LoggingCallback(memory, name="run", **options)
    training(callback)
    with pytest.warns(
        RenderWarning, match=r"kept as replays: 7\. .* lerax-render paint .*logs/run"
    ):
        callback.close()
    go.set()
    assert memory.videos() == []
    # None is lost, whatever painting could do.
    steps = [STEPS_AN_ITERATION * i for i in range(ITERATIONS + 1)]
    assert memory.scalars("eval/return") == [(step, 15.0) for step in steps]
    found = RunFolder("logs/run").recordings()
    assert [each.step for each in found] == steps
    assert all(set(each.files) == {"replay"} for each in found)


def test_a_clip_that_is_there_counts_as_painted(training, tmp_path, monkeypatch):
    paint = recording.paint

    def paints_half(*arguments):
        paint(*arguments)
        raise OSError("no GIF")

    monkeypatch.setattr(recording, "paint", paints_half)
    callback = LoggingCallback(GifMemory(), name="run", video_interval=7, **SMALL)
    with warnings.catch_warnings(record=True) as recorded:
        warnings.simplefilter("always")
        training(callback)
        callback.close()
    (message,) = warned(recorded)
    assert message.startswith("run run: the recording at step 0 could not be painted: OSError: no")
    found = RunFolder("logs/run").recordings()
    assert all(set(each.files) == {"replay", "video"} for each in found)
    assert len(found) == 2


def test_too_much_that_is_kept_goes_evenly(training, tmp_path):
    options = {"video_interval": 1, "video_mode": "block", **SMALL}
    with LoggingCallback(Memory(), name="all", **options) as callback:
        training(callback)
    folder = tmp_path / "logs/all"
    size = sum(f.stat().st_size for f in folder.rglob("step_*"))
    with LoggingCallback(
        Memory(), name="some", video_most_bytes=size * 4 // 7, **options
    ) as callback:
        training(callback)
    found = RunFolder("logs/some").recordings()
    steps = [each.step // STEPS_AN_ITERATION for each in found]
    assert (steps[0], steps[-1]) == (0, ITERATIONS)
    assert 3 <= len(steps) <= 4
    assert max(np.diff(steps)) <= 4
    assert all(set(each.files) == {"replay", "video"} for each in found)


def test_what_a_page_has_of_a_moment_is_counted_and_goes_with_it(tmp_path):
    run = write_run(tmp_path / "run", recordings=5, replays=False)
    for step in RunFolder(run).files():
        for kind in ("player", "still"):
            file = place_of(run, kind, step)
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(bytes(500))
    Keeper(run, False, 3500).make_room()
    assert len(RunFolder(run).files()) == 3
    assert len(list((run / "page").iterdir())) == 6


def test_a_grid_of_environments(training):
    memory = Mp4Memory()
    options = {"video_num_steps": 4, "video_overlay": False, "video_interval": 6}
    picture = Picture(width=160, height=120)
    with LoggingCallback(memory, video_grid=(2, 2), video_picture=picture, **options) as callback:
        training(callback)
    replays = Replay.load(RunFolder(f"logs/{callback_name()}").recordings()[-1].files["replay"])
    assert [replay.steps for replay in replays] == [4] * 4
    frame = memory.videos()[-1][1].frames()[0]
    assert frame.shape == (120, 160, 3)
    for tile in (frame[:59, :79], frame[:59, 81:], frame[61:, :79], frame[61:, 81:]):
        assert ((tile[..., 0] > 180) & (tile[..., 1:].max(-1) < 90)).any()


def callback_name() -> str:
    (folder,) = Path("logs").iterdir()
    return folder.name


def test_ctrl_c_while_recordings_are_awaited_closes_the_run(training, monkeypatch):
    begun, go = threading.Event(), threading.Event()

    def slow(snapshot, *arguments):
        begun.set()
        assert go.wait(SECONDS)
        raise ValueError

    monkeypatch.setattr(recording, "act", slow)
    memory = GifMemory()
    callback = LoggingCallback(memory, video_interval=3, **SMALL)
    training(callback)
    assert begun.wait(SECONDS)
    threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        callback.close()
    assert memory.methods()[-1] == "close"
    go.set()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        callback.close()


def test_failures_have_the_same_cause_where_they_have_the_same_place():
    def fails(number: int) -> Exception:
        try:
            raise ValueError(f"no file clip_{number}.gif")
        except ValueError as error:
            return error

    def other() -> Exception:
        try:
            raise ValueError("no file clip_1.gif")
        except ValueError as error:
            return error

    assert cause_of(fails(1)) == cause_of(fails(2))
    assert cause_of(fails(1)) != cause_of(other())


def test_a_full_disk_is_told_once_and_nothing_is_promised_that_is_not_there(training, tmp_path):
    with mounted(tmp_path) as disk, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        callback = LoggingCallback(
            Mp4Memory(), name="run", log_dir=disk, video_interval=3, metrics_file=False, **SMALL
        )
        fill(disk)()
        training(callback)
        callback.close()
        assert not list(disk.glob("run/replays/step_*"))
        assert not list(disk.glob("run/.run.json"))
    said = warned(caught)
    assert [re.search("run.json could not|could be kept|not be painted", each)[0] for each in said]
    (painting, pauses) = [each for each in said if "could not be painted" in each]
    assert "the disk is full: make room, or choose a folder on another disk. The" in painting
    assert "painting pauses" in pauses
    assert len(said) == 4
