import mujoco
import numpy as np
import pytest

from lerax_render import Camera, HeadlessMujocoRenderer
from lerax_render.mujoco import gl
from lerax_render.mujoco.look.shadows import Shadows

# A plate over a white floor, under a lamp that shines straight down.
PLATE = """
<mujoco>
  <statistic extent="2"/>
  <visual><headlight ambient="0.3 0.3 0.3" diffuse="0 0 0" specular="0 0 0"/></visual>
  <worldbody>
    <light pos="0 0 3" dir="0 0 -1" {light} diffuse="0.6 0.6 0.6"/>
    <geom type="plane" size="{floor}" rgba="1 1 1 1"/>
    <body name="plate" pos="0 0 1">
      <freejoint/>
      <geom type="box" size="0.5 0.5 0.02" rgba="0.2 0.2 1 1"/>
    </body>
  </worldbody>
</mujoco>
"""
W, H = 160, 120


def plate(light: str = 'directional="true"', floor: str = "0 0 1") -> mujoco.MjModel:
    return mujoco.MjModel.from_xml_string(PLATE.format(light=light, floor=floor))


def floor_in_shadow(model: mujoco.MjModel, x: float, quality: str) -> float:
    """The share of the floor below the plate that is dark, seen from the side."""
    data = mujoco.MjData(model)
    data.qpos[0] = x
    camera = Camera(azimuth=90, elevation=-35, distance=4, lookat=(x, 0, 0))
    with HeadlessMujocoRenderer(model, W, H, camera=camera, quality=quality) as renderer:
        frame = renderer.render(data)
        rgb, depth = renderer.read_pixels()
        assert np.array_equal(rgb, frame)
    lit = frame.astype(int).max()
    assert lit > 100, "the floor is black"
    row, column = H // 2, W // 2
    assert depth[row, column] == pytest.approx(4, abs=0.05), "the plate hides the floor"
    below = frame[row - 3 : row + 4, column - 3 : column + 4].astype(int)
    return float((below.max(axis=-1) < 0.7 * lit).mean())


@pytest.mark.parametrize("quality", ["standard", "high"])
@pytest.mark.parametrize("x", [0.0, 30.0])
def test_shadows_go_where_the_robot_goes(quality: str, x: float) -> None:
    """MuJoCo's own directional light throws none 30 m away from where it stands."""
    assert floor_in_shadow(plate(), x, quality) == 1


def test_spot_lights_throw_shadows_too() -> None:
    assert floor_in_shadow(plate('cutoff="60"'), 0, "standard") == 1


def test_draft_has_no_shadows() -> None:
    assert floor_in_shadow(plate(), 0, "draft") == 0


def scene_of(model: mujoco.MjModel, data: mujoco.MjData) -> mujoco.MjvScene:
    scene = mujoco.MjvScene(model, 100)
    camera = mujoco.MjvCamera()
    mujoco.mjv_defaultFreeCamera(model, camera)
    mujoco.mjv_updateScene(
        model, data, mujoco.MjvOption(), None, camera, mujoco.mjtCatBit.mjCAT_ALL, scene
    )
    return scene


class Drawing:
    """The one number of MjrContext that matters here."""

    shadowClip = 2.0


def decorations(model: mujoco.MjModel) -> set[int]:
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    scene = scene_of(model, data)
    Shadows(model, data, mujoco.MjvOption().geomgroup).adjust(scene, Drawing(), data)  # type: ignore[arg-type]
    decor = int(mujoco.mjtCatBit.mjCAT_DECOR)
    return {g.objid for g in scene.geoms[: scene.ngeom] if g.category == decor}


def test_the_ground_alone_throws_no_shadow() -> None:
    """A table top that is a plane as well does, and so does a wall."""
    model = mujoco.MjModel.from_xml_string("""
        <mujoco><worldbody>
          <geom type="sphere" size="1" group="4"/>
          <geom type="plane" size="1 1 1" pos="0 0 0.7"/>
          <geom type="plane" size="9 9 1"/>
          <geom type="plane" size="1 1 1" euler="90 0 0" pos="0 0 -2"/>
          <geom type="box" size="1 1 1"/>
        </worldbody></mujoco>""")
    assert decorations(model) == {2}


def test_the_map_covers_what_casts_and_no_more() -> None:
    model = plate()
    data = mujoco.MjData(model)
    data.qpos[:2] = 5, -4
    mujoco.mj_forward(model, data)
    scene, drawing = scene_of(model, data), Drawing()
    shadows = Shadows(model, data, mujoco.MjvOption().geomgroup)
    height, direction = scene.lights[1].pos[2], scene.lights[1].dir.copy()
    shadows.adjust(scene, drawing, data)  # type: ignore[arg-type]
    np.testing.assert_allclose(scene.lights[1].pos, [5, -4, height], atol=1e-5)
    np.testing.assert_array_equal(scene.lights[1].dir, direction)
    assert np.hypot(0.5, 0.5) < drawing.shadowClip < 2


@pytest.mark.parametrize(
    "more",
    [
        '<geom size="1" pos="40 0 0"/>',
        '<geom type="plane" size="0 0 1" euler="90 0 0"/>',
    ],
)
def test_wide_scenes_keep_mujocos_map(more: str) -> None:
    model = mujoco.MjModel.from_xml_string(
        PLATE.format(light='directional="true"', floor="0 0 1").replace(
            "</worldbody>", more + "</worldbody>"
        )
    )
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    scene, drawing = scene_of(model, data), Drawing()
    shadows = Shadows(model, data, mujoco.MjvOption().geomgroup)
    shadows.adjust(scene, drawing, data)  # type: ignore[arg-type]
    assert scene.lights[1].pos[:2].tolist() == [0, 0]
    assert drawing.shadowClip == 2


def test_a_map_is_as_large_as_the_picture_asks_for() -> None:
    model = plate()
    data = mujoco.MjData(model)
    sizes, likeness = [], []
    for distance in (2, 8, 15, 40):
        camera = Camera(azimuth=90, elevation=-35, distance=distance, lookat=(0, 0, 0.5))
        with (
            HeadlessMujocoRenderer(model, W, H, camera=camera, quality="standard") as saves,
            HeadlessMujocoRenderer(model, W, H, camera=camera, quality="standard") as spends,
        ):
            if not gl.is_software(saves.gl_renderer):
                pytest.skip("a GPU's map is always large")
            spends._shadows._largest = 0
            small, large = saves.render(data).astype(int), spends.render(data)
            sizes.append(saves._drawing.shadowSize)
            assert spends._drawing.shadowSize == 1024
            likeness.append((np.abs(small - large).max(axis=-1) > 8).sum())
    assert sizes[0] == 1024, "it may be seen from nearby"
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] == 256
    assert max(likeness) < 30, "shadows differ by more than pixels at their edges"


TERRAIN = """
<mujoco>
  <asset><hfield name="hills" nrow="64" ncol="64" size="10 10 1.5 0.2"/></asset>
  <worldbody>
    <light pos="0 0 8" {light}/>
    <geom type="hfield" hfield="hills" rgba="0.5 0.6 0.4 1"/>
    <body pos="0 0 1.9">
      <freejoint/>
      <geom type="capsule" fromto="-0.3 0 0 0.3 0 0" size="0.12" rgba="0.9 0.5 0.2 1"/>
    </body>
  </worldbody>
</mujoco>
"""


@pytest.mark.parametrize("light", ['dir="-0.4 0.3 -1" directional="true"', 'dir="0 0 -1"'])
def test_hills_have_a_sharp_shadow_of_the_robot_and_no_specks(light: str) -> None:
    model = mujoco.MjModel.from_xml_string(TERRAIN.format(light=light))
    y, x = np.mgrid[0:64, 0:64] / 63 * 2 - 1
    hills = 0.5 + 0.25 * np.sin(5 * x + 1) * np.cos(4 * y) + 0.15 * np.sin(11 * x * y + 3 * y)
    model.hfield_data[:] = hills.ravel()
    camera = Camera(azimuth=120, elevation=-20, distance=3, lookat=(0, 0, 1.5))

    def painted(quality: str) -> np.ndarray:
        with HeadlessMujocoRenderer(model, 320, 240, camera=camera, quality=quality) as renderer:
            return renderer.render(mujoco.MjData(model)).astype(int)

    standard, high = painted("standard"), painted("high")
    assert standard.std() > 20
    assert 10 * np.log10(255**2 / ((standard - high) ** 2).mean()) >= 39.5
    model.light_castshadow[:] = False
    shadow = np.abs(painted("standard") - standard).max(axis=-1) > 8
    rows, columns = np.nonzero(shadow)
    # One spot beneath the robot, and the little that lies in the robot's own shadow.
    assert 0.003 < shadow.mean() < 0.03
    assert np.ptp(columns) < 140
    assert np.ptp(rows) < 110
