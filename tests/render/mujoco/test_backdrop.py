"""What models without a light and a sky are shown against, and what may be asked for instead."""

import mujoco
import numpy as np
import pytest

from lerax_render import Camera, HeadlessMujocoRenderer, Simulation, record, render
from lerax_render.naming.loading import load_env

ARM = """<mujoco><worldbody>{}<body pos="0 0 0.5"><joint axis="0 1 0"/>
<geom type="capsule" fromto="0 0 0 0.4 0 0" size="0.05" rgba="0.9 0.5 0.2 1"/></body>
</worldbody></mujoco>"""
LIGHT = '<light pos="0 0 3" dir="0 0 -1"/>'
FLOOR = '<geom type="plane" size="1 1 0.1" rgba="0.4 0.6 0.4 1"/>'
SIZE = {"width": 160, "height": 120}
SIDE = Camera(azimuth=90, elevation=-10, distance=2, lookat=(0.2, 0, 0.3))


def arm(extra: str = "") -> mujoco.MjModel:
    return mujoco.MjModel.from_xml_string(ARM.format(extra))


def painted(model: mujoco.MjModel, background: str | None, angle: float = 0.0) -> np.ndarray:
    data = mujoco.MjData(model)
    data.qpos[0] = angle
    with HeadlessMujocoRenderer(model, **SIZE, camera=SIDE, background=background) as renderer:
        return renderer.render(data).astype(int)


def content(model: mujoco.MjModel) -> bytes:
    buffer = np.zeros(mujoco.mj_sizeModel(model), np.uint8)
    mujoco.mj_saveModel(model, None, buffer)
    return buffer.tobytes()


def test_a_model_without_light_and_sky_stands_in_a_studio():
    model = arm()
    before = content(model)
    frame = painted(model, None)

    assert painted(model, "as-is")[:10].max() == 0
    np.testing.assert_array_equal(frame, painted(model, "studio"))
    top, bottom = frame[2, 2], frame[-2, 2]
    assert top.min() > 120
    assert bottom.min() > 170
    assert top[2] - top[0] > bottom[2] - bottom[0] + 10, "the sky is not bluer than the ground"
    # A column from sky to ground beside the arm and its shadow has no edge.
    assert np.abs(np.diff(frame[:, 2], axis=0)).max() < 12
    grey = np.ptp(painted(model, None, -1.0), axis=-1) < 30
    assert ((painted(model, None, -1.0) < 170).all(axis=-1) & grey).any(), "there is no shadow"
    assert content(model) == before


def test_a_headlight_that_the_author_has_set_is_a_light():
    text = ARM.format("").replace(
        "<mujoco>", '<mujoco><visual><headlight diffuse="1 1 1"/></visual>'
    )
    model = mujoco.MjModel.from_xml_string(text)
    frame = painted(model, None)

    assert frame.std() > 8
    np.testing.assert_array_equal(frame, painted(model, "as-is"))


@pytest.mark.parametrize("own", [LIGHT, LIGHT + FLOOR])
def test_a_model_with_a_light_is_left_as_it_is_unless_asked(own):
    model = arm(own)
    frame = painted(model, None)

    assert frame.std() > 8
    np.testing.assert_array_equal(frame, painted(model, "as-is"))
    assert painted(model, "studio")[2, 2].min() > 120


def test_a_floor_of_the_models_own_is_the_only_one():
    frame = painted(arm(FLOOR), None)
    near = frame[-5, 80]

    assert near[1] > near[0] + 20, "the model's own floor is hidden"


@pytest.mark.parametrize("angle", [0.0, 0.7, 1.57, -1.0])
def test_the_ground_hides_nothing(angle):
    """Neither where a state reaches lower than the first one."""
    orange = [
        (frame[..., 0] > 1.4 * frame[..., 2]).sum()
        for frame in (painted(arm(), wish, angle) for wish in ("studio", "#0000ff"))
    ]
    assert orange[1] > 200
    assert orange[0] >= 0.97 * orange[1]


def test_the_ground_stays_where_it_is_in_a_clip_and_in_all_processes():
    falling = arm()
    options = {**SIZE, "steps": 30, "format": "apng"}
    frames = np.asarray(record(Simulation(falling, "passive"), **options).frames()).astype(int)

    # The arm begins level and swings through: its ground lies at the lowest point from the start.
    assert frames.std() > 8
    corner = frames[:, -2, 2]
    assert np.ptp(corner, axis=0).max() <= 1
    shared = record(Simulation(falling, "passive"), workers=2, **options).frames()
    np.testing.assert_array_equal(shared, frames)


@pytest.mark.parametrize(
    ("text", "colour"), [("white", (255, 255, 255)), ("#10A0f0", (16, 160, 240))]
)
@pytest.mark.parametrize("quality", ["standard", "high"])
def test_a_colour(text, colour, quality):
    data = mujoco.MjData(arm())
    frames = render(
        Simulation(arm()), [data], **SIZE, camera=SIDE, quality=quality, background=text
    )
    frame = next(frames)

    assert tuple(frame[2, 2]) == tuple(frame[-2, -2]) == colour
    assert len(np.unique(frame.reshape(-1, 3), axis=0)) > 10, "there is no arm"


def test_depth_and_segmentation_in_a_studio():
    model = arm()
    with HeadlessMujocoRenderer(model, **SIZE, camera=SIDE) as renderer:
        renderer.render(mujoco.MjData(model))
        _, depth = renderer.read_pixels()
        objects = renderer.segmentation()
    geom = int(mujoco.mjtObj.mjOBJ_GEOM)

    assert {tuple(pair) for pair in objects.reshape(-1, 2).tolist()} == {(-1, -1), (0, geom)}
    assert 1.5 < depth[objects[..., 0] == 0].mean() < 2.5


@pytest.mark.parametrize("wrong", ["whit", "#fff", "studio2", ""])
def test_what_is_no_background_is_said(wrong):
    with pytest.raises(
        ValueError, match=r"background must be studio, as-is, (transparent, )?#rrggbb"
    ):
        record(Simulation(arm()), steps=1, background=wrong)
    with pytest.raises(ValueError, match="background must be"):
        HeadlessMujocoRenderer(arm(), background=wrong)


@pytest.mark.parametrize("name", ["CartPole", "gym:CartPole-v1"])
def test_only_mujoco_has_one(name):
    with pytest.raises(ValueError, match=r"background='white' was given, but a .* own"):
        record(load_env(name), steps=1, background="white", **SIZE)
