from pathlib import Path

import mujoco
import numpy as np
import pytest

from lerax_render.mujoco.aim.guess import Subject
from lerax_render.mujoco.renderer import HeadlessMujocoRenderer
from support.paths import ROOT

ASSETS = ROOT / "assets/scenes"
GROUPS = mujoco.MjvOption().geomgroup
W, H = 120, 90


def gymnasium_scenes() -> list[Path]:
    try:
        import gymnasium.envs.mujoco as envs
    except ImportError:
        return []
    return sorted((Path(envs.__file__).parent / "assets").glob("*.xml"))


SCENES = [*sorted(ASSETS.glob("*.xml")), *gymnasium_scenes()]


def load(path: Path) -> mujoco.MjModel:
    return mujoco.MjModel.from_xml_path(str(path))


def start(model: mujoco.MjModel) -> mujoco.MjData:
    data = mujoco.MjData(model)
    if model.nkey:
        mujoco.mj_resetDataKeyframe(model, data, 0)
    mujoco.mj_forward(model, data)
    return data


@pytest.mark.parametrize("path", SCENES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_default_camera_shows_the_robot_whole(path: Path) -> None:
    model = load(path)
    root = Subject(model, GROUPS).root
    with HeadlessMujocoRenderer(model, W, H, quality="draft") as renderer:
        assert renderer.render(start(model)).std() > 3
        found = renderer.segmentation()
    things = found[..., 1] == mujoco.mjtObj.mjOBJ_GEOM
    bodies = model.geom_bodyid[np.where(things, found[..., 0], 0)]
    robot = things & (model.body_rootid[bodies] == root if root else bodies > 0)
    rows, columns = np.nonzero(robot)
    assert rows.min() > 1
    assert rows.max() < H - 2
    assert columns.min() > 1
    assert columns.max() < W - 2
    assert max(np.ptp(rows) / H, np.ptp(columns) / W) > 0.15, "too small"


@pytest.mark.parametrize("aspect", [(40, 160), (300, 60)])
def test_narrow_pictures_show_it_too(aspect: tuple[int, int]) -> None:
    model = load(ASSETS / "hopper.xml")
    with HeadlessMujocoRenderer(model, *aspect, quality="draft") as renderer:
        renderer.render(start(model))
        found = renderer.segmentation()
    rows, columns = np.nonzero(found[..., 0] > 0)
    assert 1 < rows.min() < rows.max() < aspect[1] - 2
    assert 1 < columns.min() < columns.max() < aspect[0] - 2


def test_a_robot_that_leaves_is_followed_without_a_jump() -> None:
    model = load(ASSETS / "hopper.xml")
    data, subject = start(model), Subject(model, GROUPS)
    assert subject.moves.tolist() == [True, False, True]
    before = subject.follow(data)
    points = []
    for x in np.linspace(0, 30, 301):
        data.qpos[0] = x
        mujoco.mj_forward(model, data)
        points.append(subject.follow(data))
    steps = np.diff(points, axis=0)
    np.testing.assert_allclose(steps[:, 0], 0.1, atol=1e-9)
    np.testing.assert_array_equal(steps[:, 1:], 0)
    assert points[0] == pytest.approx(before)


def test_a_hop_is_seen_and_a_flight_is_followed() -> None:
    model = load(ASSETS / "hopper.xml")
    data, subject = start(model), Subject(model, GROUPS)
    heights = []
    for z in (0, 0.1, 0.2, 5, 10, -3):
        data.qpos[1] = z
        mujoco.mj_forward(model, data)
        heights.append(subject.follow(data)[2])
    assert heights[0] == heights[1] == heights[2]
    assert heights[4] - heights[3] == pytest.approx(5)
    assert heights[5] < heights[0] - 2


def test_what_is_bound_to_its_place_is_not_followed() -> None:
    arm = Subject(load(ASSETS / "arm.xml"), GROUPS)
    assert not arm.moves.any()
    crane = Subject(load(ASSETS / "crane.xml"), GROUPS)
    assert crane.root == 0
    assert not crane.moves.any()


def test_the_arms_reach_is_in_the_picture() -> None:
    model = load(ASSETS / "arm.xml")
    data = start(model)
    with HeadlessMujocoRenderer(model, W, H, quality="draft") as renderer:
        for turn in (-1.5, 0, 1.5):
            data.qpos[:4] = turn, 1, 0.2, 0
            renderer.render(data)
            finger = model.geom("finger0").id
            rows, columns = np.nonzero(renderer.segmentation()[..., 0] == finger)
            assert rows.size
            assert 0 < rows.min() < rows.max() < H - 1
            assert 0 < columns.min() < columns.max() < W - 1


def test_flat_things_are_seen_from_above() -> None:
    body = """<mujoco><worldbody><body><freejoint/><geom type="box" size="{}"/></body>
        </worldbody></mujoco>"""
    flat, tall = (
        Subject(mujoco.MjModel.from_xml_string(body.format(size)), GROUPS).elevation()
        for size in ("1 1 0.02", "0.2 0.2 1")
    )
    assert (flat, tall) == (-50, -20)


def test_the_authors_angles_are_kept() -> None:
    model = mujoco.MjModel.from_xml_string(
        '<mujoco><visual><global azimuth="33" elevation="-7"/></visual>'
        "<worldbody><geom size='1'/></worldbody></mujoco>"
    )
    with HeadlessMujocoRenderer(model, W, H) as renderer:
        camera = renderer._rig.at(mujoco.MjData(model))
    assert (camera.azimuth, camera.elevation) == (33, -7)


@pytest.mark.parametrize(
    "actuator",
    [
        '<motor joint="hinge"/>',
        '<motor jointinparent="hinge"/>',
        '<motor tendon="cord"/>',
        '<motor tendon="sum"/>',
        '<general site="tip"/>',
        '<adhesion body="driven" ctrlrange="0 1"/>',
    ],
)
def test_the_robot_is_what_is_actuated(actuator: str) -> None:
    model = mujoco.MjModel.from_xml_string(f"""
        <mujoco>
          <worldbody>
            <site name="hook"/>
            <body name="heavy"><freejoint/><geom size="1"/></body>
            <body name="driven" pos="3 0 0">
              <joint name="hinge"/><geom size="0.1"/><site name="tip" pos="0 0 1"/>
            </body>
          </worldbody>
          <tendon>
            <spatial name="cord"><site site="hook"/><site site="tip"/></spatial>
            <fixed name="sum"><joint joint="hinge" coef="1"/></fixed>
          </tendon>
          <actuator>{actuator}</actuator>
        </mujoco>""")
    assert Subject(model, GROUPS).root == model.body("driven").id


def test_scenes_without_things() -> None:
    for xml in ("", '<geom type="plane" size="1 1 1"/>', '<geom size="1" rgba="0 0 0 0"/>'):
        model = mujoco.MjModel.from_xml_string(f"<mujoco><worldbody>{xml}</worldbody></mujoco>")
        subject = Subject(model, GROUPS)
        assert np.isfinite(subject.centre).all()
        assert subject.distance(90, -20, 45, 1) > 0
