import jax
import mujoco
import numpy as np
import pytest
from mujoco import mjx

from lerax_render.mujoco.pose import Pose, PoseLoader
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
