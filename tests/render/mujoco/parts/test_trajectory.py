"""Places are those that MuJoCo computes."""

import mujoco
import numpy as np
import pytest

from lerax_render.mujoco import Pose
from lerax_render.mujoco.parts import trace
from support.paths import ROOT


def swung(model: mujoco.MjModel, steps: int) -> tuple[Pose, list[mujoco.MjData]]:
    """Let a model fall; return its stacked poses, and the states."""
    data = mujoco.MjData(model)
    states = []
    for _ in range(steps):
        mujoco.mj_step(model, data, 10)
        mujoco.mj_forward(model, data)
        states.append(mujoco.MjData(model))
        mujoco.mj_copyData(states[-1], model, data)
    fields = list(zip(*(Pose.of(state) for state in states), strict=True))[:-1]
    return Pose(*(np.stack(field) for field in fields)), states


def test_bodies_cords_and_lights_are_where_mujoco_has_them() -> None:
    model = mujoco.MjModel.from_xml_path(str(ROOT / "assets/scenes/crane.xml"))
    stacked, states = swung(model, 5)
    stacked.qpos[3] = np.nan
    found = trace(model, stacked)
    for step, state in enumerate(states):
        if step == 3:
            assert (found.positions[3] == found.positions[2]).all()
            continue
        assert found.positions[step] == pytest.approx(state.xpos, abs=1e-6)
        assert found.orientations[step] == pytest.approx(state.xquat, abs=1e-6)
        assert found.camera_positions[step] == pytest.approx(state.cam_xpos, abs=1e-6)
        assert found.light_directions[step] == pytest.approx(state.light_xdir, abs=1e-6)
        # The three cords are taut: from site to site.
        hooks = [state.site(f"h{i}").xpos for i in range(3)]
        rings = [state.site(f"l{i}").xpos for i in range(3)]
        expected = np.stack([hooks, rings], axis=1)
        assert found.rod_ends[step] == pytest.approx(expected, abs=1e-5)
    assert [rod.radius for rod in found.rods] == pytest.approx([0.007] * 3)


def test_changes_of_the_model_are_made_for_those_that_watch() -> None:
    model = mujoco.MjModel.from_xml_path(str(ROOT / "assets/scenes/arm.xml"))
    stacked, _ = swung(model, 2)
    changes = np.empty(2, object)
    changes[1] = {"geom_rgba": np.full((model.ngeom, 4), 0.25)}
    seen = []
    trace(model, stacked._replace(changes=changes), lambda m, _: seen.append(m.geom_rgba[3, 0]))
    assert seen == [model.geom_rgba[3, 0], 0.25]
