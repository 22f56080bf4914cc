"""Clips without a background, of MuJoCo's scenes and of 2D ones."""

import numpy as np
import pytest

import lerax_render as lr
from lerax_render.batch import Clip
from lerax_render.painter import cut_out

MODEL = """
<mujoco>
  <worldbody>
    <light pos="0 0 4"/>
    <camera name="front" pos="0 -3 1" xyaxes="1 0 0 0 .3 1"/>
    <geom type="plane" size="4 4 .1" rgba=".4 .5 .4 1"/>
    <body pos="0 0 1.2"><freejoint/>
      <geom size=".4" rgba=".9 .2 .2 1"/>
      <geom type="box" pos=".6 0 0" size=".2 .2 .2" rgba=".1 .2 .9 .5"/></body>
  </worldbody>
</mujoco>
"""
ARM = """<mujoco><worldbody><body pos="0 0 0.5"><joint axis="0 1 0"/>
<geom type="capsule" fromto="0 0 0 0.4 0 0" size="0.05" rgba="0.9 0.5 0.2 1"/></body>
</worldbody></mujoco>"""
SIZE = {"width": 160, "height": 120}
NOTHING = {"background": "transparent", **SIZE}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("transparent") / "ball.xml"
    path.write_text(MODEL)
    return str(path)


@pytest.fixture(scope="module")
def replay(model):
    return lr.capture(model, steps=4)


def last(replay, **picture):
    return list(lr.render(replay, **picture))[-1]


def over(frame, level):
    alpha = frame[..., 3:] / 255
    return frame[..., :3] * alpha + level * (1 - alpha)


def test_what_is_on_black_and_on_white_comes_apart_again():
    rng = np.random.default_rng(0)
    frame = rng.integers(0, 256, (40, 50, 4), np.uint8)
    frame[..., 3] = np.where(frame[..., 3] < 80, 0, frame[..., 3])
    frame[:10, :, 3] = 255
    dark, bright = (np.rint(over(frame, level)).astype(np.uint8) for level in (0, 255))
    found = cut_out(dark, bright)
    assert np.abs(found[..., 3].astype(int) - frame[..., 3]).max() <= 1
    for level in (0, 128, 255):
        rgb = over(found, level)[..., ::-1]
        assert np.abs(rgb - over(frame, level)).max() < 3
    np.testing.assert_array_equal(found[:10, :, 2::-1], frame[:10, :, :3])
    unused = np.zeros((40, 50, 1), np.uint8)
    bgr0 = [np.concatenate([each[..., ::-1], unused], 2) for each in (dark, bright)]
    np.testing.assert_array_equal(cut_out(*bgr0), found)


@pytest.mark.parametrize("quality", ["standard", "high"])
def test_a_mujoco_picture_looks_the_same_on_any_background(replay, quality):
    options = {**SIZE, "quality": quality, "camera": "front"}
    frame = last(replay, background="transparent", **options)
    assert frame.shape == (120, 160, 4)
    for name, level in (("black", 0), ("white", 255), ("gray", 128)):
        expected = last(replay, background=name, **options)
        assert expected.std() > 20
        assert np.abs(over(frame, level) - expected).max() <= 2
    assert 0.1 < (frame[..., 3] == 0).mean() < 0.6, "the sky, and no more, is left out"
    if quality == "high":
        assert ((frame[..., 3] > 0) & (frame[..., 3] < 255)).any(), "edges are smooth"


def test_without_a_floor_the_robot_is_alone_and_glass_is_glass(replay):
    frame = last(replay, hide=["floor"], **NOTHING)
    assert (frame[..., 3] == 0).mean() > 0.6
    # Its front and its back let half of the light through.
    glass = np.abs(frame[..., 3].astype(int) - 192) < 3
    assert glass.sum() > 500
    blue = frame[glass][:, :3].astype(int)
    assert (blue[:, 2] > blue[:, 0]).all()
    floor = last(replay, **NOTHING)
    assert (floor[..., 3] == 0).mean() < (frame[..., 3] == 0).mean() - 0.2


def test_a_studio_lends_its_light_and_no_ground(tmp_path):
    (tmp_path / "arm.xml").write_text(ARM)
    replay = lr.capture(str(tmp_path / "arm.xml"), steps=2)
    frame = last(replay, **NOTHING)
    seen = frame[..., 3] == 255
    assert 0.02 < seen.mean() < 0.5
    assert (frame[..., 3] == 0).mean() > 0.5
    dark = last(replay, light="as-is", **NOTHING)
    assert frame[seen].mean() > dark[seen].mean() + 10


def test_a_light_is_chosen_by_itself(replay):
    camera = {"camera": "front", "background": "white", **SIZE}
    own, studio = (last(replay, light=light, **camera) for light in ("as-is", "studio"))
    np.testing.assert_array_equal(own, last(replay, **camera))
    assert studio.mean() > own.mean() + 10
    np.testing.assert_array_equal(studio[:5, :40], own[:5, :40])


@pytest.mark.parametrize("name", ["CartPole", "Acrobot"])
def test_a_2d_picture_looks_the_same_on_its_own_background(name):
    replay = lr.capture(name, steps=6)
    frame, expected = last(replay, **NOTHING), last(replay, **SIZE)
    assert expected.std() > 5
    assert (frame[..., 3] == 0).mean() > 0.8
    assert (frame[..., 3] == 255).any()
    assert np.abs(over(frame, 255) - expected).max() <= 3


def test_cameras_tiles_and_processes_are_transparent_too(replay):
    two = last(replay, camera=["front", lr.Camera(azimuth=0)], hide=["floor"], **NOTHING)
    assert two.shape == (120, 160, 4)
    for half in (two[:, :80], two[:, 80:]):
        assert 0.5 < (half[..., 3] == 0).mean() < 1
    alone = last(replay, **NOTHING)
    np.testing.assert_array_equal(last(replay, workers=2, **NOTHING), alone)


@pytest.mark.parametrize("format", ["webp", "apng", "webm", "png"])
def test_a_clip_has_an_alpha_channel(replay, tmp_path, format):
    path = tmp_path / ("f_%02d.png" if format == "png" else f"clip.{format}")
    video = lr.record(replay, path, hide=["floor"], **NOTHING)
    frames = video.frames()
    expected = np.stack(list(lr.render(replay, hide=["floor"], **NOTHING)))
    assert video.has_alpha
    assert frames.shape == expected.shape
    assert np.abs(frames[..., 3].astype(int) - expected[..., 3]).mean() < 2
    assert np.abs(over(frames, 255) - over(expected, 255)).mean() < 3


def test_a_grid_with_text_is_opaque_where_there_is_text(replay):
    video = lr.record(
        [replay, replay], format="apng", labels=["one", "two"], overlay=["step"],
        hide=["floor"], width=400, height=160, background="transparent",
    )  # fmt: skip
    frame = video.frames()[-1]
    assert (frame[..., 3] == 0).mean() > 0.4
    label = frame[-14:, :198]
    assert label[..., 3].min() > 100
    assert (label == 255).all(-1).any(), "the text is white and opaque"
    corner = frame[8:14, 8:14]
    assert corner[..., 3].min() > 100
    gap = frame[20:100, 199:201, 3]
    assert gap.max() == 0, "the gap between tiles is transparent"


def test_plots_titles_and_captions_are_opaque():
    replays = [lr.capture("Pendulum", steps=8, key=key) for key in (0, 1)]
    video = lr.record(
        replays, format="apng", plot=["return"], title="title", captions=["below"],
        width=480, height=160, background="transparent",
    )  # fmt: skip
    first, last = video.frames()[[0, -1]]
    assert (first[..., 3] == 255).all()
    assert (last[..., 3] == 0).mean() > 0.2
    assert (last[..., 3] == 255).mean() > 0.2
    assert ((last[..., 3] > 100) & (last[..., 3] < 255)).mean() > 0.01, "the veil of the caption"


def test_what_cannot_be_transparent_says_so(replay, model, tmp_path):
    for name in ("clip.mp4", "clip.gif"):
        with pytest.raises(ValueError, match="formats that have are webm, webp, apng, png"):
            lr.record(replay, tmp_path / name, **NOTHING)
    for name in ("clip.html", "clip.glb"):
        with pytest.raises(ValueError, match="has no transparent background"):
            lr.record(replay, tmp_path / name, background="transparent")
    for wrong in ({"modality": ["depth"]}, {"quality": "cinematic"}):
        with pytest.raises(ValueError, match="no transparent background"):
            lr.render(replay, background="transparent", **wrong)
    with pytest.raises(ValueError, match="background must be studio, as-is, transparent, #rrggbb"):
        lr.render(replay, background="see-through")
    with pytest.raises(ValueError, match="2D environment has a background of its own"):
        lr.render(lr.capture("CartPole", steps=2), background="white")
    with pytest.raises(ValueError, match="2D environment has no light"):
        lr.render(lr.capture("CartPole", steps=2), light="studio")
    with pytest.raises(ValueError, match="background must be studio, as-is, #rrggbb"):
        lr.headless_renderer(lr.Simulation(replay.scene.model), background="transparent")
    assert Clip(env=model, background="transparent", light="as-is").is_transparent
    assert not list(tmp_path.iterdir())
