import jax
import mujoco
import numpy as np
import pytest
from mujoco import mjx

from lerax_render.mujoco.pose import Pose, PoseLoader, poses_between
from support.paths import ROOT

CRANE = ROOT / "assets/scenes/crane.xml"


@pytest.fixture(scope="module")
def model() -> mujoco.MjModel:
    return mujoco.MjModel.from_xml_path(str(CRANE))


def elsewhere(model: mujoco.MjModel) -> mujoco.MjData:
    data = mujoco.MjData(model)
    data.qpos[:3] = 0.1, 0.2, 1.1
    data.mocap_pos[0] = 0.1, 0.2, 1.7
    data.time = 3
    mujoco.mj_forward(model, data)
    return data


def test_a_pose_is_a_copy_of_what_mujoco_goes_on_writing(model: mujoco.MjModel) -> None:
    data = elsewhere(model)
    pose = Pose.of(data)
    mujoco.mj_resetData(model, data)
    assert pose.qpos[:3].tolist() == [0.1, 0.2, 1.1]
    assert pose.mocap_pos[0].tolist() == [0.1, 0.2, 1.7]
    assert float(pose.time) == 3


def test_a_pose_can_be_traced_and_stacked(model: mujoco.MjModel) -> None:
    data = mjx.make_data(model)

    def shifted(x: jax.Array) -> Pose:
        return Pose.of(data.replace(qpos=data.qpos.at[0].set(x)))

    poses = jax.jit(jax.vmap(shifted))(jax.numpy.arange(4.0))
    assert isinstance(poses, Pose)
    assert poses.qpos.shape == (4, model.nq)
    assert poses.qpos[:, 0].tolist() == [0, 1, 2, 3]
    assert sum(np.asarray(field[0]).nbytes for field in poses[:-1]) < 600


def test_what_a_picture_needs_is_recomputed(model: mujoco.MjModel) -> None:
    data = elsewhere(model)
    loader = PoseLoader(model, mujoco.MjvOption())
    assert loader.load(Pose.of(data))
    for name in (
        "time",
        "xpos",
        "geom_xpos",
        "geom_xmat",
        "site_xpos",
        "light_xpos",
        "light_xdir",
        "cam_xpos",
        "cam_xmat",
        "subtree_com",
        "ten_length",
        "wrap_xpos",
    ):
        np.testing.assert_array_equal(getattr(loader.data, name), getattr(data, name), name)
    assert np.any(loader.data.light_xdir)


def test_flexes_are_recomputed() -> None:
    model = mujoco.MjModel.from_xml_string("""
        <mujoco><worldbody>
          <flexcomp name="cloth" type="grid" count="3 3 1" spacing="0.1 0.1 0.1" dim="2" mass="1"
            radius="0.01" pos="0 0 1"/>
        </worldbody></mujoco>""")
    data = mujoco.MjData(model)
    data.qpos[:] += 0.05
    mujoco.mj_forward(model, data)
    loader = PoseLoader(model, mujoco.MjvOption())
    before = loader.data.flexvert_xpos.copy()
    assert loader.load(data)
    np.testing.assert_array_equal(loader.data.flexvert_xpos, data.flexvert_xpos)
    assert not np.array_equal(before, data.flexvert_xpos)


def test_forces_are_there_when_they_are_shown(model: mujoco.MjModel) -> None:
    data = elsewhere(model)
    data.qpos[2] = 0.07
    data.qvel[2] = -1
    mujoco.mj_forward(model, data)
    assert data.ncon
    options = mujoco.MjvOption()
    options.flags[mujoco.mjtVisFlag.mjVIS_CONTACTFORCE] = True
    loader = PoseLoader(model, options)
    assert loader.load(data)
    assert loader.data.ncon == data.ncon
    np.testing.assert_allclose(loader.data.efc_force, data.efc_force, rtol=1e-3)


@pytest.mark.parametrize("field", ["qpos", "mocap_pos", "mocap_quat"])
@pytest.mark.parametrize("bad", [np.nan, -np.inf, 1e30])
def test_bad_poses_are_left_out(field: str, bad: float, model: mujoco.MjModel) -> None:
    pose = Pose.of(elsewhere(model))
    assert pose.is_finite()
    loader = PoseLoader(model, mujoco.MjvOption())
    assert loader.load(pose)
    kept = loader.data.qpos.copy(), loader.data.mocap_pos.copy()
    getattr(pose, field).flat[0] = bad
    assert not pose.is_finite()
    assert not loader.load(pose)
    np.testing.assert_array_equal(loader.data.qpos, kept[0])
    np.testing.assert_array_equal(loader.data.mocap_pos, kept[1])


TUMBLING = """
<mujoco>
  <worldbody>
    <body><freejoint/><geom size=".1"/>
      <body><joint type="ball"/><geom size=".1" pos=".3 0 0"/>
        <body pos=".5 0 0"><joint type="hinge" axis="0 1 0"/><geom size=".1"/></body>
      </body>
    </body>
    <body mocap="true" name="goal"><geom size=".1"/></body>
  </worldbody>
</mujoco>
"""


@pytest.fixture(scope="module")
def tumbling():
    """A model, and ten poses that turn by half a radian a step about tilted axes."""
    model = mujoco.MjModel.from_xml_string(TUMBLING)
    data = mujoco.MjData(model)
    velocity = np.array([0.1, 0.2, -0.1, 0.3, 0.4, 0.0, -0.2, 0.3, 0.35, 0.5])
    poses = []
    for step in range(10):
        pose = Pose.of(data)
        quat = np.array([np.cos(step / 4), 0, np.sin(step / 4), 0])
        poses.append(pose._replace(mocap_quat=quat[None], time=np.array(step / 10)))
        mujoco.mj_integratePos(model, data.qpos, velocity, 1)
    fields = (np.stack(field) for field in zip(*(pose[:-1] for pose in poses), strict=True))
    return model, Pose(*(np.asarray(field, np.float32) for field in fields))


def places_of(model, stacked):
    data, places = mujoco.MjData(model), []
    for qpos in stacked.qpos:
        data.qpos = qpos
        mujoco.mj_kinematics(model, data)
        places.append(data.xpos.copy())
    return np.array(places)


def test_poses_between_others_move_evenly(tumbling):
    model, stacked = tumbling
    between = poses_between(model, stacked, np.arange(0, 9.01, 0.25), None)
    for name in ("qpos", "mocap_quat", "time"):
        np.testing.assert_array_equal(getattr(between, name)[::4], getattr(stacked, name))
    np.testing.assert_allclose(between.time, np.arange(37) / 40, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(between.qpos[:, 3:7], axis=1), 1, atol=1e-6)
    turns = np.degrees(2 * np.arctan2(between.mocap_quat[:, 0, 2], between.mocap_quat[:, 0, 0]))
    np.testing.assert_allclose(np.diff(turns) % 720, np.degrees(0.125), atol=1e-3)
    full, slow = (
        np.linalg.norm(np.diff(places_of(model, each), axis=0), axis=2).max(axis=0)
        for each in (stacked, between)
    )
    assert (slow[1:4] < full[1:4] / 4 * 1.1).all(), "no body jumps"


@pytest.mark.parametrize("begins", ["told", "by its time"])
def test_nothing_lies_between_episodes(tumbling, begins):
    model, stacked = tumbling
    starts = None
    if begins == "told":
        starts = np.arange(10) % 5 == 0
    else:
        stacked = stacked._replace(time=(np.arange(10) % 5).astype(np.float32))
    between = poses_between(model, stacked, np.array([3.5, 4, 4.5, 4.9, 5]), starts)
    np.testing.assert_array_equal(between.qpos[1:4], [stacked.qpos[4]] * 3)
    np.testing.assert_array_equal(between.qpos[4], stacked.qpos[5])
    assert (between.qpos[0] != stacked.qpos[3]).any()


def test_nothing_lies_beside_what_is_no_number(tumbling):
    model, stacked = tumbling
    qpos = stacked.qpos.copy()
    qpos[4] = np.nan
    between = poses_between(model, stacked._replace(qpos=qpos), np.array([3.5, 4.5, 5.5]), None)
    np.testing.assert_array_equal(between.qpos[0], qpos[3])
    assert np.isnan(between.qpos[1]).all()
    assert np.isfinite(between.qpos[2]).all()
