"""Several cameras, and what is measured, in one picture."""

import mujoco
import numpy as np
import pytest
import tyro

import lerax_render as lr
from lerax_render.batch import Clip
from lerax_render.cli.options import given, options_of
from lerax_render.mujoco import HeadlessMujocoRenderer

MODEL = """
<mujoco>
  <worldbody>
    <light pos="0 0 4"/>
    <camera name="front" pos="0 -3 1" xyaxes="1 0 0 0 .3 1"/>
    <camera name="side" pos="3 0 1" xyaxes="0 1 0 -.3 0 1"/>
    <geom name="floor" type="plane" size="4 4 .1" rgba=".4 .5 .4 1"/>
    <body name="ball" pos="0 0 1.2"><freejoint/>
      <geom name="shell" size=".4" rgba=".9 .2 .2 1"/></body>
  </worldbody>
</mujoco>
"""


@pytest.fixture(scope="module")
def replay(tmp_path_factory):
    path = tmp_path_factory.mktemp("tiles") / "ball.xml"
    path.write_text(MODEL)
    return lr.capture(str(path), steps=12)


def frames(replay, width=160, height=120, **picture):
    return np.stack(list(lr.render(replay, width=width, height=height, **picture)))


def test_cameras_share_the_picture_and_each_shows_what_it_shows_alone(replay):
    both = frames(replay, camera=["front", "side"])
    assert both.shape == (12, 120, 160, 3)
    for number, name in enumerate(("front", "side")):
        tile = both[:, :, 80 * number : 80 * (number + 1)]
        np.testing.assert_array_equal(tile, frames(replay, 80, 120, camera=name))
        assert tile.std() > 10


def test_model_stands_for_all_cameras_of_the_model(replay):
    np.testing.assert_array_equal(
        frames(replay, camera="model"), frames(replay, camera=["front", "side"])
    )


def test_one_of_all_cameras_that_sees_nothing_is_told_by_its_name(tmp_path):
    path = tmp_path / "ball.xml"
    away = '<camera name="exit" pos="0 9 1" xyaxes="1 0 0 0 0 1"/>'
    path.write_text(MODEL.replace("<geom", f"{away}<geom", 1))
    with pytest.warns(lr.RenderWarning, match="in the picture of camera 'exit'"):
        lr.record(str(path), steps=12, width=96, height=32, camera="model")


def test_what_is_not_given_is_framed_by_itself(replay):
    wide = frames(replay, camera=[lr.Camera(azimuth=0), "front", lr.Camera(azimuth=90)])
    alone = frames(replay, 160, 60, camera=lr.Camera(azimuth=90))
    np.testing.assert_array_equal(wide[:, 60:], alone)


def test_an_inset_lies_in_the_corner_of_the_first(replay):
    inset, first = (
        frames(replay, camera=camera, inset=True) for camera in (["front", "side"], "front")
    )
    corner = np.s_[:, 76:116, 103:156]
    np.testing.assert_array_equal(inset[corner], frames(replay, 53, 40, camera="side"))
    inset[corner] = first[corner]
    np.testing.assert_array_equal(inset, first)


def test_several_processes_paint_the_same(replay):
    wish = {"camera": ["front", lr.Camera()], "modality": ["color", "depth"]}
    np.testing.assert_array_equal(frames(replay, **wish), frames(replay, **wish, workers=2))


def test_depth_is_metres(replay):
    grey = frames(replay, camera="side", modality="depth", max_depth=10)[-1]
    assert (grey == grey[..., :1]).all()
    model = mujoco.MjModel.from_xml_string(MODEL)
    data = mujoco.MjData(model)
    data.qpos[:] = replay.captured.qpos[-1]
    mujoco.mj_forward(model, data)
    # As depth tiles are drawn: with antialiasing, a GPU's depth is that of one sample in a pixel.
    with HeadlessMujocoRenderer(model, 160, 120, camera="side", quality="draft") as renderer:
        renderer.render(data)
        metres = renderer.depth()
    shown = 10 * (1 - grey[..., 0] / 255)
    near = metres < 9.9
    assert 0.2 < near.mean() < 1
    # But for the ball's outline, which a draft draws with fewer corners.
    assert np.quantile(np.abs(shown - metres)[near], 0.98) < 0.03
    colours = frames(replay, camera="side")[-1].astype(int)
    ball = colours[..., 0] > colours[..., 1] + 60
    assert 2.5 < shown[ball].mean() < 3.1, "it is 3 m away, and 0.4 m thick"


def test_without_a_limit_what_is_looked_at_is_grey(replay):
    grey = frames(replay, camera="front", modality="depth")[0, 60, 80, 0]
    assert 60 < grey < 230


def test_segmentation_gives_each_thing_one_colour(replay):
    seen = frames(replay, camera="front", modality="segmentation")
    colours = {tuple(colour) for colour in seen.reshape(-1, 3)}
    assert len(colours) == 3, "floor, ball and nothing"
    assert (0, 0, 0) in colours


def test_the_command_line_takes_several_cameras():
    def cameras(*words):
        options = tyro.cli(options_of(Clip)(), args=["ball.xml", *words])
        return Clip(**given(options, Clip)).camera

    assert cameras("--camera", "front") == "front"
    assert cameras("-c", "2") == 2
    assert cameras("--camera", "front", "azimuth=90,distance=2", "1") == (
        "front",
        lr.Camera(azimuth=90, distance=2),
        1,
    )


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"camera": ["front", "back"]}, "the model has no camera 'back'; it has front, side"),
        ({"camera": []}, r"camera must be a camera's name, .* or a list of 1 or more, .* got \[\]"),
        (
            {"modality": []},
            r"modality must be a list of 1 or more, .* got \[\]",
        ),
        (
            {"modality": "normals"},
            "modality must be .* each item one of color, depth",
        ),
        ({"max_depth": 0}, "max_depth must be .* above 0, got 0"),
        ({"modality": "depth", "quality": "cinematic"}, "quality='cinematic' draws what"),
    ],
)
def test_what_cannot_be_shown_is_said(replay, wish, message):
    with pytest.raises(ValueError, match=message):
        frames(replay, **wish)


def test_a_grid_and_several_cameras_are_one_too_many(replay):
    with pytest.raises(ValueError, match="2 cameras and a grid of 2x2"):
        lr.record([replay] * 4, "x.mp4", grid=(2, 2), camera=["front", "side"])


def test_a_clip_of_several_cameras(replay, tmp_path):
    video = lr.record(replay, tmp_path / "x.mp4", camera=["front", "side"], width=320, height=120)
    decoded = video.frames()
    assert decoded.shape == (12, 120, 320, 3)
    assert decoded[:, :, :160].std() > 10
    assert decoded[:, :, 160:].std() > 10
