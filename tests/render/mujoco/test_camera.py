import mujoco
import numpy as np
import pytest

from lerax_render import Camera
from lerax_render.mujoco.aim.camera import CameraLike, CameraRig
from support.paths import ROOT

ASSETS = ROOT / "assets/scenes"
GROUPS = mujoco.MjvOption().geomgroup


@pytest.fixture(scope="module")
def hopper() -> mujoco.MjModel:
    return mujoco.MjModel.from_xml_path(str(ASSETS / "hopper.xml"))


def settled(model: mujoco.MjModel, **fields: object) -> mujoco.MjData:
    data = mujoco.MjData(model)
    for name, value in fields.items():
        getattr(data, name)[:] = value
    mujoco.mj_forward(model, data)
    return data


def aim(model: mujoco.MjModel, wish: CameraLike, data: mujoco.MjData) -> mujoco.MjvCamera:
    return CameraRig(model, wish, 4 / 3, GROUPS).at(data)


def test_a_camera_of_the_models(hopper: mujoco.MjModel) -> None:
    data = settled(hopper)
    for wish in ("front", 1, np.int64(1)):
        camera = aim(hopper, wish, data)
        assert camera.type == mujoco.mjtCamera.mjCAMERA_FIXED
        assert camera.fixedcamid == 1


def test_mujocos_camera_is_used_as_it_is(hopper: mujoco.MjModel) -> None:
    mine = mujoco.MjvCamera()
    mine.distance = 12
    assert aim(hopper, mine, settled(hopper)) is mine
    assert mine.distance == 12


def test_a_free_camera_where_it_was_put(hopper: mujoco.MjModel) -> None:
    wish = Camera(azimuth=12, elevation=-34, distance=5.5, lookat=(1, 2, 3))
    far = settled(hopper)
    far.qpos[0] = 100
    for data in (settled(hopper), far):
        camera = aim(hopper, wish, data)
        assert camera.type == mujoco.mjtCamera.mjCAMERA_FREE
        assert (camera.azimuth, camera.elevation, camera.distance) == (12, -34, 5.5)
        assert camera.lookat.tolist() == [1, 2, 3]


def test_a_camera_that_follows_a_body(hopper: mujoco.MjModel) -> None:
    data = settled(hopper)
    data.qpos[0] = 7
    mujoco.mj_forward(hopper, data)
    for wish in ("foot", hopper.body("foot").id):
        camera = aim(hopper, Camera(track=wish), data)
        np.testing.assert_array_equal(camera.lookat, data.body("foot").subtree_com)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"lookat": (0, 0, 0), "track": "torso"}, "not both"),
        ({"lookat": (0, 0)}, "a list of 3, each a finite number"),
        ({"distance": 0.0}, "of metres above 0, got 0.0"),
        ({"azimuth": float("nan")}, "azimuth must be a finite number, got nan"),
        ({"lookat": (0, 0, float("inf"))}, "each a finite number"),
    ],
)
def test_cameras_that_cannot_be(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Camera(**arguments)  # type: ignore[arg-type]


def test_wishes_that_cannot_be_met(hopper: mujoco.MjModel) -> None:
    data = settled(hopper)
    with pytest.raises(ValueError, match="no camera 'top'; it has side, front, chase"):
        aim(hopper, "top", data)
    with pytest.raises(ValueError, match="no camera -1"):
        aim(hopper, -1, data)
    with pytest.raises(ValueError, match="no body 'tail'; it has world, torso, thigh"):
        aim(hopper, Camera(track="tail"), data)
    with pytest.raises(TypeError, match="got True"):
        aim(hopper, True, data)
    without = mujoco.MjModel.from_xml_string("<mujoco/>")
    with pytest.raises(ValueError, match=r"it has none; Camera\(azimuth=90\) sets one.*None lets"):
        aim(without, 0, mujoco.MjData(without))
