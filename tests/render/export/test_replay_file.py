"""Replays to files and back: the same frames, small files, and nothing needed to open them."""

import io
import json
import pickle
import subprocess
import sys
import zipfile

import mujoco
import numpy as np
import pytest

from lerax_render import (
    Camera,
    Output,
    RenderError,
    Replay,
    Simulation,
    UnsupportedEnvError,
    capture,
    record,
    render,
)
from lerax_render.export import describe, load_replays, mujoco_scene, write_replays
from lerax_render.replay import Origin
from lerax_render.trees import arrays_in, map_arrays, row
from support.bare_scene import BareScene
from support.environments import Captioned, Counting, PythonIf
from support.replay_files import MODEL, meta_of, parts_of, unpacked

SMALL = {"width": 96, "height": 72}


@pytest.fixture(scope="module")
def robot() -> Replay:
    return capture(Simulation(mujoco.MjModel.from_xml_string(MODEL)), steps=40)


@pytest.fixture(scope="module")
def counted() -> Replay:
    return capture(Counting(), steps=40)


def through_a_file(replay: Replay) -> Replay:
    return Replay.load(io.BytesIO(record(replay, format="replay").data))


def frames(replay: Replay, **options) -> np.ndarray:
    painted = np.stack([frame.copy() for frame in render(replay, **SMALL, **options)])
    assert painted.std() > 2
    assert (painted != painted[0]).any()
    return painted


def same(one, other) -> bool:
    pairs = zip(arrays_in(one), arrays_in(other), strict=True)
    return all(a.dtype == b.dtype and np.array_equal(a, b, equal_nan=True) for a, b in pairs)


@pytest.mark.parametrize("camera", [None, "side", Camera(azimuth=30)])
def test_a_robot_is_seen_as_before_to_the_bit(robot, camera):
    loaded = through_a_file(robot)
    assert np.array_equal(frames(loaded, camera=camera), frames(robot, camera=camera))


@pytest.mark.parametrize("env", [Counting, Captioned, PythonIf])
def test_drawings_are_seen_as_before_to_the_bit(env):
    replay = capture(env(), steps=20)
    loaded = through_a_file(replay)
    assert np.array_equal(frames(loaded), frames(replay))
    assert np.array_equal(frames(loaded[7:]), frames(replay[7:]))


def test_all_that_is_known_comes_back(counted):
    loaded = through_a_file(counted)
    for name in ("rewards", "terminated", "truncated", "episode_starts", "actions", "observations"):
        assert same(getattr(loaded, name), getattr(counted, name)), name
    assert loaded.episodes == counted.episodes
    assert loaded.origin == counted.origin
    assert loaded.seconds_per_step == counted.seconds_per_step
    loaded.rewards[:] = 1  # an array of its own


def test_trees_of_actions_come_back_without_their_classes(robot):
    tree = {"a": np.arange(40), "b": (np.zeros((40, 2), np.float64), [np.ones(40, bool)], None)}
    changed = through_a_file(Replay(robot.scene, robot.captured, actions=tree))
    assert changed.actions["a"].tolist() == list(range(40))
    assert changed.actions["b"][0].dtype == np.float32
    assert changed.actions["b"][1][0].all()
    assert changed.actions["b"][2] is None
    assert changed.rewards is None


def test_a_part_keeps_the_camera_of_the_whole(robot):
    part = robot[10:20]
    assert not np.array_equal(frames(part), frames(Replay(part.scene, part.captured)))
    assert np.array_equal(frames(through_a_file(part)), frames(part))


def test_many_parts_of_one_replay_have_it_once(robot, tmp_path, monkeypatch):
    parts = [robot[step : step + 2] for step in range(0, robot.steps, 2)]
    monkeypatch.setattr("lerax_render.export.contents.MAX_STEPS", 2 * robot.steps)
    write_replays(tmp_path / "parts.replay", parts)
    loaded = load_replays(tmp_path / "parts.replay")
    assert len(loaded) == len(parts)
    assert np.array_equal(frames(loaded[7]), frames(parts[7]))
    own = {id(part.whole.captured) for part in loaded}
    assert len(own) == 1


def test_what_changes_in_a_model_comes_back(robot):
    goals = [None, {"site_pos": np.array([[0, 0, 0.8]], np.float32)}, None]
    goals.append({"site_pos": np.array([[0.6, 0, 0.3]]), "geom_rgba": np.full((3, 4), 0.7)})
    changes = row([goals[step // 10] for step in range(40)])
    replay = Replay(robot.scene, robot.captured._replace(changes=changes))
    loaded = through_a_file(replay)
    for step in range(40):
        found, there = loaded.captured.changes[step], changes[step]
        assert (found is None) == (there is None)
        assert there is None or all(np.array_equal(found[name], there[name]) for name in there)
    assert loaded.captured.changes[30] is loaded.captured.changes[39]
    assert np.array_equal(frames(loaded), frames(replay))


def test_poses_of_nan_stay_what_they_are(robot):
    qpos = robot.captured.qpos.copy()
    qpos[30:] = np.nan
    replay = Replay(robot.scene, robot.captured._replace(qpos=qpos))
    loaded = through_a_file(replay)
    assert np.isnan(loaded.captured.qpos[30:]).all()
    assert meta_of(record(replay, format="replay").data)["lanes"][0]["not_finite"] == 10


def test_several_lanes_share_a_scene(tmp_path):
    lanes = capture(Counting(), steps=8, lanes=3)
    record(lanes, path=tmp_path / "three.replay")
    loaded = Replay.load(tmp_path / "three.replay")
    assert isinstance(loaded, list)
    assert len({id(replay.scene) for replay in loaded}) == 1
    assert [replay.rewards.tolist() for replay in loaded] == [
        replay.rewards.tolist() for replay in lanes
    ]
    by_grid = record(Counting(), path=tmp_path / "grid.replay", steps=8, grid=(1, 3))
    assert by_grid.steps == 8
    assert len(Replay.load(tmp_path / "grid.replay")) == 3
    assert record(tmp_path / "three.replay", format="gif", grid=(1, 3)).num_frames == 8


def test_scenes_that_are_alike_are_one_and_others_are_told_before_any_work(
    robot, counted, tmp_path
):
    model = mujoco.MjModel.from_xml_string(MODEL)
    other = capture(Simulation(model), steps=5)
    record([robot, other], path=tmp_path / "both.replay")
    assert len(Replay.load(tmp_path / "both.replay")) == 2
    with pytest.raises(ValueError, match="different scenes"):
        record([robot, counted], path=tmp_path / "mixed.replay")
    with pytest.raises(UnsupportedEnvError, match="BareScene goes into no file"):
        Replay(BareScene(), np.arange(3)).save(tmp_path / "bare.replay")
    assert not (tmp_path / "mixed.replay").exists()


def test_saving_is_atomic_and_the_same_each_time(robot, tmp_path):
    file = tmp_path / "a.replay"
    file.write_bytes(b"older")
    assert robot.save(file) == file
    assert robot.save(tmp_path / "b.replay").read_bytes() == file.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.replay", "b.replay"]
    with pytest.raises(ValueError, match=r"ends with \.mp4"):
        robot.save(tmp_path / "a.mp4")
    assert isinstance(record(robot, format="replay"), Output)


def test_it_opens_without_this_project(robot):
    content = record(robot, format="replay").data
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        meta = json.loads(file.read("meta.json"))
        lane = meta["lanes"][0]
        qpos = unpacked(np.load(file.open(lane["captured"]["qpos"]), allow_pickle=False))
        ends = np.load(file.open(lane["terminated"]), allow_pickle=False)
        model = mujoco.MjModel.from_binary_path("a", {"a": file.read(meta["scene"]["file"])})
    assert np.array_equal(qpos, robot.captured.qpos)
    assert np.array_equal(ends, robot.terminated)
    assert model.nq == qpos.shape[1]
    assert b"pickle" not in content
    assert {name.rpartition(".")[2] for name in parts_of(content)} == {"json", "npy", "mjb"}


def test_equal_arrays_are_there_once(robot):
    replay = Replay(robot.scene, robot.captured, actions=robot.captured.ctrl.copy())
    lane = meta_of(record(replay, format="replay").data)["lanes"][0]
    assert lane["actions"] == lane["captured"]["ctrl"]


def test_a_robot_of_an_ant_s_size_takes_no_more_than_250_kb():
    rng = np.random.default_rng(0)
    smooth = np.cumsum(rng.normal(0, 0.02, (1000, 29)), axis=0).astype(np.float32)
    names = "".join(
        f'<body name="b{i}" pos="{i} 0 0"><joint/><geom size=".1"/></body>' for i in range(29)
    )
    model = mujoco.MjModel.from_xml_string(f"<mujoco><worldbody>{names}</worldbody></mujoco>")
    replay = capture(Simulation(model, qpos=smooth, dt=0.05), steps=1000)
    replay = Replay(
        replay.scene,
        replay.captured,
        0.05,
        actions=rng.uniform(-1, 1, (1000, 8)).astype(np.float32),
        observations=np.concatenate([smooth, np.zeros((1000, 78), np.float32)], axis=1),
    )
    content = record(replay, format="replay").data
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        scene = file.getinfo("scene.mjb").compress_size
    assert len(content) - scene < 250_000


def test_a_model_of_another_is_tried_in_a_child_once(robot, monkeypatch):
    tried = []
    monkeypatch.setattr(mujoco_scene, "_try", lambda archive, content: tried.append(len(content)))
    monkeypatch.setattr(mujoco_scene, "_tried", set())
    file = io.BytesIO()
    content = record(robot, format="replay").data
    monkeypatch.setattr(mujoco_scene, "_tried", set())
    for _ in range(2):
        file = io.BytesIO(content)
        assert Replay.load(file).steps == 40
    assert len(tried) == 1


def test_a_stranger_s_model_is_loaded_after_its_trial(robot, monkeypatch):
    content = record(robot, format="replay").data
    monkeypatch.setattr(mujoco_scene, "_tried", set())
    assert np.array_equal(frames(Replay.load(io.BytesIO(content))), frames(robot))


def test_it_is_told_what_is_in_it_without_mujoco_or_jax(robot, counted, tmp_path):
    robot.save(tmp_path / "a.replay")
    counted.save(tmp_path / "b.replay")
    script = (
        "import sys\n"
        "from lerax_render.export import describe\n"
        "for name in sys.argv[1:]: print(describe(name).kind, describe(name).steps)\n"
        "print([m for m in ('jax', 'mujoco', 'lerax', 'pygame') if m in sys.modules])\n"
    )
    command = [sys.executable, "-c", script, tmp_path / "a.replay", tmp_path / "b.replay"]
    said = subprocess.check_output(command, text=True).splitlines()
    assert said == ["mujoco 40", "2d 40", "[]"]
    found = describe(tmp_path / "b.replay")
    assert found.episodes == (len(counted.episodes), sum(e.is_whole for e in counted.episodes))
    assert found.origin == counted.origin


def test_a_clip_of_a_robot_s_file_imports_no_jax(robot, tmp_path):
    robot.save(tmp_path / "a.replay")
    script = (
        "import sys, lerax_render as lr\n"
        f"lr.record({str(tmp_path / 'a.replay')!r}, format='gif', steps=2, width=64, height=48)\n"
        "print([m for m in ('jax', 'lerax', 'pygame', 'equinox') if m in sys.modules])\n"
    )
    assert subprocess.check_output([sys.executable, "-c", script], text=True) == "[]\n"


def test_origin_comes_back_whatever_it_says(robot):
    origin = Origin("Ant <b>", "MLP", (1, 2**32 - 1), 10**9, {"lerax": "0.0.5"})
    loaded = through_a_file(Replay(robot.scene, robot.captured, origin=origin))
    assert loaded.origin == origin
    assert pickle.loads(pickle.dumps(loaded)).origin == origin


@pytest.mark.parametrize("limit", ["archive.MAX_BYTES", "contents.MAX_STEPS"])
def test_what_is_too_large_is_no_file(counted, limit, monkeypatch, tmp_path):
    monkeypatch.setattr(f"lerax_render.export.{limit}", 5)
    with pytest.raises(RenderError, match="save parts of it"):
        counted.save(tmp_path / "large.replay")
    assert not list(tmp_path.iterdir())


def test_a_state_of_the_user_s_own_has_no_rewards(counted):
    bare = Replay(counted.scene, map_arrays(lambda array: array[:3], counted.captured))
    loaded = through_a_file(bare)
    assert loaded.rewards is None
    assert loaded.seconds_per_step is None
    assert loaded.steps == 3
