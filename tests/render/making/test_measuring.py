"""Depth and segmentation as numbers, read by others and compared with MuJoCo's own."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import lerax_render as lr
from lerax_render.cli.commands import main
from lerax_render.gallery.manifest import read_manifest

MODEL = """
<mujoco>
  <worldbody>
    <light pos="0 0 4"/>
    <camera name="front" pos="0 -3 1" xyaxes="1 0 0 0 .3 1"/>
    <geom name="floor" type="plane" size="2 2 .1" rgba=".4 .5 .4 1"/>
    <body name="ball" pos="0 0 1.2"><freejoint/>
      <geom size=".4" rgba=".9 .2 .2 1"/>
      <geom name="box" type="box" pos=".5 0 -.5" size=".2 .2 .2"/>
      <site name="tip" pos="-.5 0 -.4" size=".1"/></body>
  </worldbody>
</mujoco>
"""
SIZE = {"width": 80, "height": 60}
SEEN = {"camera": "front", **SIZE}
STEPS = 5


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("measured") / "ball.xml"
    path.write_text(MODEL)
    return str(path)


@pytest.fixture(scope="module")
def replay(model):
    return lr.capture(model, steps=STEPS)


# `mujoco.Renderer` takes its GL platform from a variable when mujoco is imported.
MUJOCOS = """
import sys, mujoco, numpy as np
model = mujoco.MjModel.from_xml_path(sys.argv[1])
data, renderer = mujoco.MjData(model), mujoco.Renderer(model, 60, 80)
depth, things = [], []
for qpos in np.load(sys.argv[2]):
    data.qpos[:] = qpos
    mujoco.mj_forward(model, data)
    renderer.update_scene(data, "front")
    renderer.enable_depth_rendering()
    depth.append(renderer.render())
    renderer.disable_depth_rendering()
    renderer.enable_segmentation_rendering()
    things.append(renderer.render())
    renderer.disable_segmentation_rendering()
np.savez(sys.argv[3], depth=depth, things=things)
"""


@pytest.fixture(scope="module")
def mujocos(model, replay, tmp_path_factory):
    """What `mujoco.Renderer` measures: depth `(T, H, W)` and segmentation `(T, H, W, 2)`."""
    folder = tmp_path_factory.mktemp("mujocos")
    with lr.HeadlessMujocoRenderer(replay.scene.model, **SIZE) as renderer:
        environment = {**os.environ, "MUJOCO_GL": renderer.gl_platform}
    np.save(folder / "qpos.npy", replay.captured.qpos)
    files = [model, str(folder / "qpos.npy"), str(folder / "found.npz")]
    subprocess.run([sys.executable, "-c", MUJOCOS, *files], env=environment, check=True)
    with np.load(files[-1]) as found:
        return found["depth"], found["things"]


def check_depth(depth: np.ndarray, expected: np.ndarray, error: float) -> None:
    nothing = expected > 20
    seen = np.isfinite(depth)
    assert 0.1 < nothing.mean() < 0.9
    assert (nothing == ~seen).mean() > 0.99
    off = np.abs(depth - expected)[seen & ~nothing]
    # At edges one of the two sees what is behind.
    assert np.quantile(off, 0.95) < error


def test_arrays_have_metres_and_numbers_with_names(replay, mujocos, tmp_path):
    modality = ["color", "depth", "segmentation"]
    output = lr.record(replay, tmp_path / "all.npz", modality=modality, **SEEN)
    assert output.path == tmp_path / "all.npz"
    assert (output.format, output.steps) == ("npz", STEPS)
    with np.load(output.path, allow_pickle=False) as arrays:
        color, depth, things = (arrays[name] for name in modality)
        pairs = np.stack([arrays["object_id"], arrays["object_type"]], -1)[things]
        names = arrays["object_name"]
        np.testing.assert_allclose(arrays["time"], np.arange(STEPS) * replay.seconds_per_step)
    assert (color.dtype, color.shape) == (np.uint8, (STEPS, 60, 80, 3))
    np.testing.assert_array_equal(color, list(lr.render(replay, **SEEN)))
    assert (depth.dtype, things.dtype) == (np.float32, np.int32)
    assert depth.shape == things.shape == (STEPS, 60, 80)
    check_depth(depth, mujocos[0], 0.01)
    assert (pairs == mujocos[1]).all(-1).mean() > 0.97
    shown = set(names[np.unique(things)])
    assert shown == {"", "geom:floor", "geom:1", "geom:box", "site:tip"}
    ball = depth[0][names[things[0]] == "geom:1"]
    assert abs(ball.min() - 2.42) < 0.05


def test_pngs_have_millimetres(replay, mujocos, tmp_path):
    folder = tmp_path / "depth"
    output = lr.record(replay, folder, format="png16", modality=["depth"], **SEEN)
    assert [file.name for file in output.sequence] == [f"frame_{n:05d}.png" for n in range(STEPS)]
    assert output.num_bytes == sum(file.stat().st_size for file in folder.iterdir())
    frames = []
    for file in output.sequence:
        with Image.open(file) as image:
            assert image.mode == "I;16"
            assert image.text["unit"] == "millimetre"
            frames.append(np.asarray(image))
    depth = np.where(np.array(frames) == 0, np.inf, np.array(frames) / 1000)
    check_depth(depth, mujocos[0], 0.01)
    with pytest.raises(ValueError, match="no single file"):
        _ = output.data


def test_pngs_have_numbers_of_things(replay, tmp_path):
    pattern = tmp_path / "s_%d.png"
    lr.record(replay, pattern, format="png16", modality=["segmentation"], **SEEN)
    lr.record(replay, tmp_path / "s.npz", modality=["segmentation"], **SEEN)
    with np.load(tmp_path / "s.npz") as arrays, Image.open(tmp_path / "s_3.png") as image:
        np.testing.assert_array_equal(np.asarray(image), arrays["segmentation"][3])
        assert json.loads(image.text["objects"]) == arrays["object_name"].tolist()


def test_what_a_studio_adds_is_nothing(tmp_path):
    text = MODEL.replace('<light pos="0 0 4"/>', "")
    text = text.replace('<geom name="floor" type="plane" size="2 2 .1" rgba=".4 .5 .4 1"/>', "")
    (tmp_path / "bare.xml").write_text(text)
    lr.record(str(tmp_path / "bare.xml"), path=tmp_path / "d.npz", steps=1, modality=["depth"])
    with np.load(tmp_path / "d.npz") as arrays:
        depth = arrays["depth"]
    assert np.isinf(depth[0, 0]).all()
    assert np.isinf(depth[0, -1]).all()
    assert np.isfinite(depth).mean() > 0.03


def test_2d_frames_are_arrays_too(tmp_path):
    lr.record("CartPole", path=tmp_path / "c.npz", steps=3, **SIZE)
    with np.load(tmp_path / "c.npz") as arrays:
        expected = np.stack(list(lr.render(lr.capture("CartPole", steps=3), **SIZE)))
        np.testing.assert_array_equal(arrays["color"], expected)
    with pytest.raises(ValueError, match="2D environment has nothing to measure"):
        lr.record("CartPole", path=tmp_path / "d.npz", steps=3, modality=["depth"])


def test_the_same_file_twice(replay, tmp_path):
    files = [tmp_path / name for name in ("one.npz", "two.npz")]
    for file in files:
        lr.record(replay, file, modality=["depth"], **SEEN)
    assert files[0].read_bytes() == files[1].read_bytes()


def test_the_command_line_writes_them(model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    common = [model, "-n", "2", "--width", "80", "--camera", "front"]
    for more in (
        ["--modality", "depth", "segmentation", "-o", "both.npz"],
        ["--modality", "depth", "-f", "png16", "-o", "frames"],
    ):
        main(["clip", *common, *more])
    with np.load("both.npz") as arrays:
        assert arrays["depth"].shape == arrays["segmentation"].shape == (2, 60, 80)
    assert len(list((tmp_path / "frames").iterdir())) == 2


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (
            {"path": "x.npz", "overlay": True},
            "overlay would make no difference in a file",
        ),
        ({"path": "x.npz", "camera": ["front", "front"]}, "is seen from one camera"),
        ({"path": "x.npz", "background": "transparent"}, "no transparent background"),
        ({"path": "x", "format": "png16"}, "one modality, depth or segmentation"),
        ({"path": "x.png", "format": "png16", "modality": ["depth"]}, "names one picture"),
        ({"format": "png16", "modality": ["depth"]}, "a PNG sequence is many files"),
        ({"path": "x.npz", "grid": (1, 2)}, "arrays are of one rollout, got 2"),
    ],
)
def test_what_makes_no_sense_is_said_before_any_work(model, tmp_path, wrong, said):
    wrong = dict(wrong)
    path = wrong.pop("path", None)
    with pytest.raises(ValueError, match=said):
        lr.record(model, None, None if path is None else tmp_path / path, steps=2, **wrong)
    assert not list(tmp_path.iterdir())


def test_a_manifest_has_arrays_and_no_sequences(model, tmp_path):
    manifest = tmp_path / "gallery.toml"
    clip = '[[clips]]\nname = "a"\nenv = "{}"\nmodality = ["depth"]\nformat = "{}"\n'
    manifest.write_text(clip.format(model, "npz"))
    assert len(read_manifest(manifest).entries) == 1
    manifest.write_text(clip.format(model, "png16"))
    with pytest.raises(ValueError, match="one that a page can show"):
        read_manifest(manifest)
