"""Only what has to be is painted, or painted carefully; the picture is the whole one's."""

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import mujoco
import numpy as np
import pytest

from lerax_render import Camera, HeadlessMujocoRenderer
from lerax_render.mujoco import gl
from lerax_render.video.still import png_of
from support.paths import ROOT

gymnasium = pytest.importorskip("gymnasium")
GYMNASIUMS = Path(gymnasium.__file__).parent / "envs/mujoco/assets"
MODELS = [*sorted(GYMNASIUMS.glob("*.xml")), *sorted((ROOT / "assets/scenes").glob("*.xml"))]
W, H = 320, 240

# A ball high above a mirror, under a light from the side, before a wall: its shadow and its image
# are far from it, and from each other.
BALL = """
<mujoco>
  <visual><headlight ambient=".3 .3 .3" diffuse=".2 .2 .2"/></visual>
  <asset><material name="mirror" reflectance=".5" rgba=".6 .7 .8 1"/></asset>
  <worldbody>
    <light pos="3 0 4" dir="-.7 0 -1" diffuse=".6 .6 .6" {light}/>
    <geom type="plane" size="4 4 .1" material="mirror"/>
    <geom type="box" pos="-2 1.5 .5" size=".2 .2 .5" rgba="0 .6 .2 1"/>
    <body pos="1 0 1.5">
      <joint name="x" type="slide" axis="0 1 0"/>
      <geom name="ball" size=".2" rgba="1 .3 .1 1"/>
    </body>
    <body name="goal" mocap="true" pos="-1 -1 .3"><geom size=".1" rgba="0 0 1 1"/></body>
  </worldbody>
</mujoco>
"""
LIGHTS = ('type="directional"', 'type="spot" cutoff="60"')


@pytest.fixture(autouse=True)
def _software() -> None:
    if gl.probe("egl").hardware:
        pytest.skip("a GPU paints whole pictures")


def cameras(model: mujoco.MjModel) -> tuple[Camera, mujoco.MjvCamera]:
    """The same place: a camera that is known to stand, and one that is not."""
    theirs = mujoco.MjvCamera()
    mujoco.mjv_defaultFreeCamera(model, theirs)
    return Camera(
        lookat=tuple(theirs.lookat.tolist()),
        distance=theirs.distance,
        azimuth=theirs.azimuth,
        elevation=theirs.elevation,
    ), theirs


@contextmanager
def both(
    model: mujoco.MjModel,
    quality: str = "standard",
    camera: Camera | mujoco.MjvCamera | None = None,
) -> Iterator[tuple[HeadlessMujocoRenderer, HeadlessMujocoRenderer]]:
    """A renderer that paints parts, and one that paints whole pictures."""
    stands, moves = cameras(model)
    with (
        HeadlessMujocoRenderer(model, W, H, camera=camera or stands, quality=quality) as parts,
        HeadlessMujocoRenderer(model, W, H, camera=camera or moves, quality=quality) as wholes,
    ):
        wholes._plate = None
        yield parts, wholes


@pytest.fixture
def areas(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The shares of the picture that MuJoCo was made to paint."""
    painted: list[float] = []
    render: Callable[..., None] = mujoco.mjr_render

    def counted(part: mujoco.MjrRect, *rest: object) -> None:
        painted.append(part.width * part.height / W / H)
        render(part, *rest)

    monkeypatch.setattr(mujoco, "mjr_render", counted)
    return painted


def assert_alike(part: np.ndarray, whole: np.ndarray) -> None:
    """But for rounding: a pixel right on an outline may be on either side of it."""
    difference = np.abs(part.astype(int) - whole).max(axis=-1)
    assert (difference > 2).sum() <= 4, "something is missing, or left over"
    assert whole.std() > 5


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_pictures_of_every_model_are_those_of_the_whole(path: Path) -> None:
    model = mujoco.MjModel.from_xml_path(str(path))
    data = mujoco.MjData(model)
    with both(model) as (parts, wholes):
        for step in range(6):
            data.ctrl[:] = np.sin(step + np.arange(model.nu))
            mujoco.mj_step(model, data, 8)
            assert_alike(parts.render(data), wholes.render(data))


@pytest.mark.parametrize("quality", ["draft", "standard", "high"])
@pytest.mark.parametrize("light", LIGHTS)
def test_shadows_and_mirror_images_belong_to_what_moves(
    quality: str, light: str, areas: list[float]
) -> None:
    model = mujoco.MjModel.from_xml_string(BALL.format(light=light))
    data = mujoco.MjData(model)
    with both(model, quality) as (parts, wholes):
        for place in np.linspace(-1.5, 1.5, 5):
            data.qpos[0] = place
            data.mocap_pos[0, 2] = 0.3 + place / 4
            areas.clear()
            part = parts.render(data)
            assert areas[-1] < 1
            assert_alike(part, wholes.render(data))


def test_a_picture_does_not_depend_on_those_before() -> None:
    model = mujoco.MjModel.from_xml_string(BALL.format(light=LIGHTS[0]))
    data = mujoco.MjData(model)
    camera, _ = cameras(model)
    with HeadlessMujocoRenderer(model, W, H, camera=camera) as one:
        for place in (0.0, 1.0, -1.0):
            data.qpos[0] = place
            with HeadlessMujocoRenderer(model, W, H, camera=camera) as fresh:
                assert np.array_equal(one.render(data), fresh.render(data))


def test_a_model_that_wants_no_shadow_map_has_none(areas: list[float]) -> None:
    without = '<visual><quality shadowsize="0"/>'
    xml = BALL.format(light=LIGHTS[0]).replace("<visual>", without)
    model = mujoco.MjModel.from_xml_string(xml)
    data = mujoco.MjData(model)
    with both(model) as (parts, wholes):
        for data.qpos[0] in (0.0, 1.0):
            areas.clear()
            part = parts.render(data)
            assert areas[-1] < 1
            assert_alike(part, wholes.render(data))


def test_what_is_the_same_is_painted_once(areas: list[float]) -> None:
    model = mujoco.MjModel.from_xml_string(BALL.format(light=LIGHTS[0]))
    data = mujoco.MjData(model)
    for camera in cameras(model):
        with HeadlessMujocoRenderer(model, W, H, camera=camera) as renderer:
            first = renderer.render(data)
            count = len(areas)
            data.time, data.qvel[0] = data.time + 1, 2
            assert np.array_equal(renderer.render(data), first)
            assert len(areas) == count
            renderer.depth()
            assert np.array_equal(renderer.render(data), first)


def test_what_the_owner_changes_is_seen(areas: list[float]) -> None:
    model = mujoco.MjModel.from_xml_string(BALL.format(light=LIGHTS[0]))
    data = mujoco.MjData(model)

    def arrow(scene: mujoco.MjvScene) -> None:
        geom = scene.geoms[scene.ngeom]
        size, place = np.array([0.1, 0.1, 1]), np.array([0.0, 1.0, 0.5])
        kind = mujoco.mjtGeom.mjGEOM_ARROW.value
        mujoco.mjv_initGeom(geom, kind, size, place, np.eye(3).ravel(), np.ones(4, np.float32))
        scene.ngeom += 1

    with both(model) as (parts, wholes):
        before = parts.render(data)
        for change in (
            lambda: model.geom_rgba.__setitem__((1, slice(3)), (1, 1, 0)),
            lambda: model.geom_size.__setitem__((1, 2), 0.9),
            lambda: model.light_diffuse.__setitem__(0, (0.2, 0.2, 0.2)),
            lambda: model.light_dir.__setitem__(0, (-0.2, 0.5, -1)),
        ):
            change()
            after = parts.render(data)
            assert not np.array_equal(after, before)
            assert_alike(after, wholes.render(data))
            before = after
        assert np.array_equal(parts.render(data, arrow), wholes.render(data, arrow))
        assert areas[-1] == 1, "how far an arrow reaches is not known"
        assert_alike(parts.render(data), wholes.render(data))


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_pictures_from_a_moving_camera_are_those_of_the_whole(path: Path) -> None:
    model = mujoco.MjModel.from_xml_path(str(path))
    data = mujoco.MjData(model)
    _, camera = cameras(model)
    with both(model, camera=camera) as (parts, wholes):
        for step in range(4):
            data.ctrl[:] = np.sin(step + np.arange(model.nu))
            mujoco.mj_step(model, data, 8)
            camera.azimuth += 25
            camera.distance *= 1.2
            assert_alike(parts.render(data), wholes.render(data))


@pytest.mark.parametrize("quality", ["draft", "standard", "high"])
def test_around_what_a_camera_follows_ground_and_sky_are_painted_once(
    quality: str, areas: list[float]
) -> None:
    model = mujoco.MjModel.from_xml_path(str(GYMNASIUMS / "ant.xml"))
    data = mujoco.MjData(model)
    data.qvel[0] = 3
    with both(model, quality, Camera(track="torso", distance=9)) as (parts, wholes):
        for _ in range(3):
            mujoco.mj_step(model, data, 5)
            areas.clear()
            part = parts.render(data)
            if quality == "draft":
                assert areas == [1], "it has no shadows, so that one pass is all there is"
            else:
                assert areas[0] == 1
                assert 0 < areas[1] < 0.2
            assert_alike(part, wholes.render(data))
            with HeadlessMujocoRenderer(
                model, W, H, camera=Camera(track="torso", distance=9), quality=quality
            ) as fresh:
                assert np.array_equal(part, fresh.render(data)), "it depends on those before"


# What one pass over ground and sky would get wrong.
DAZZLING = '<light pos="0 0 9" dir=".5 0 -1" type="directional" diffuse="1.5 1.5 1.5"/>'
SUN = '<light pos="0 0 9" dir=".5 0 -1" type="directional" diffuse=".6 .6 .6"/>'
FLOOR = '<geom type="plane" size="9 9 .5" {}/>'
WALL = '<geom type="plane" size="2 2 .5" euler="0 -90 0" pos="{} 0 0"/>'
STAGES = {
    "bright": DAZZLING + FLOOR.format('material="tiles"'),
    "two lights": SUN + SUN + FLOOR.format('material="tiles"'),
    "no ground": SUN,
    "lower": SUN + FLOOR.format('pos="0 0 -1"'),
    "glass": SUN + FLOOR.format('rgba=".5 .5 1 .5"'),
    "from below": SUN + FLOOR.format('pos="0 0 20" rgba=".8 .8 .8 1"'),
    "wall": SUN + FLOOR.format("") + WALL.format(3),
    "mirrored wall": SUN + FLOOR.format('material="mirror"') + WALL.format(3),
    "slope": SUN + '<geom type="plane" size="0 0 1" euler="0 20 0"/>',
    "glow": SUN + FLOOR.format('material="glow"'),
    "spot": '<light pos="0 0 4" dir="0 0 -1" cutoff="50" diffuse=".6 .6 .6"/>' + FLOOR.format(""),
    "film": SUN + FLOOR.format('material="film"'),
}
ONE_PASS = {"two lights", "no ground", "lower", "spot"}
BLACK = 'builtin="flat" width="4" height="4"'
STAGE = """
<mujoco>
  <asset>
    <texture name="tiles" type="2d" builtin="checker" rgb1=".2 .4 .6" rgb2=".3 .3 .3"
      width="64" height="64"/>
    <texture name="film" type="2d" file="film.png" nchannel="4"/>
    <material name="tiles" texture="tiles" texrepeat="9 9"/>
    <material name="film" texture="film"/>
    <material name="mirror" reflectance=".5"/>
    <material name="glow" emission="1"/>
  </asset>
  <worldbody>
    {}
    <body pos="0 0 .5">
      <joint type="slide" axis="0 1 0"/>
      <geom size=".3" rgba="1 .3 .1 1"/>
      <geom type="box" pos="0 0 .5" size=".1 .4 .1" rgba="1 .8 .1 1"/>
    </body>
  </worldbody>
</mujoco>
"""


@pytest.mark.parametrize("stage", STAGES)
def test_one_pass_where_it_is_enough(stage: str, areas: list[float]) -> None:
    film = png_of(np.full((4, 4, 4), (50, 100, 150, 90), np.uint8))
    xml = STAGE if stage == "film" else STAGE.replace('file="film.png" nchannel="4"', BLACK)
    model = mujoco.MjModel.from_xml_string(xml.format(STAGES[stage]), {"film.png": film})
    data = mujoco.MjData(model)
    camera = mujoco.MjvCamera()
    camera.lookat[:] = 0, 0, 0.5
    camera.distance, camera.azimuth, camera.elevation = 8, 160, -25
    with both(model, camera=camera) as (parts, wholes):
        for data.qpos[0] in (0.0, 0.7):
            areas.clear()
            part = parts.render(data)
            assert (len(areas) == 2) == (stage in ONE_PASS), areas
            assert_alike(part, wholes.render(data))


def test_a_light_that_is_added_has_a_fine_shadow() -> None:
    model = mujoco.MjModel.from_xml_string(BALL.format(light=LIGHTS[0]))
    data = mujoco.MjData(model)

    def lamp(scene: mujoco.MjvScene) -> None:
        light = scene.lights[scene.nlight]
        scene.nlight += 1
        if hasattr(light, "directional"):
            light.directional = False
        else:
            light.type = mujoco.mjtLightType.mjLIGHT_SPOT.value
        light.pos[:], light.dir[:], light.attenuation[:] = (0, 0, 4), (0, 0, -1), (1, 0, 0)
        light.ambient[:] = light.specular[:] = light.exponent = 0
        light.diffuse[:], light.cutoff = 0.5, 60
        light.headlight, light.castshadow = False, True

    stands, moves = cameras(model)
    stands = dataclasses.replace(stands, distance=20)
    moves.distance = 20
    for camera in (stands, moves):
        with both(model, camera=camera) as (parts, wholes):
            parts.render(data)
            assert parts._drawing.shadowSize < 1024
            assert_alike(parts.render(data, lamp), wholes.render(data, lamp))
            assert parts._drawing.shadowSize == 1024


def test_the_edges_of_wireframes_are_all_drawn(areas: list[float]) -> None:
    model = mujoco.MjModel.from_xml_path(str(GYMNASIUMS / "ant.xml"))
    data = mujoco.MjData(model)
    for camera in (None, Camera(track="torso", distance=9)):
        with both(model, camera=camera) as renderers:
            for renderer in renderers:
                renderer._scene.flags[mujoco.mjtRndFlag.mjRND_WIREFRAME] = True
            for data.qpos[0] in (0.0, 0.3):
                areas.clear()
                part, whole = (renderer.render(data) for renderer in renderers)
                assert areas == [1, 1]
                assert_alike(part, whole)


CAMERAS = """
<mujoco><worldbody>
  <light pos="0 0 4" dir=".2 .1 -1" type="directional"/>
  <geom type="plane" size="4 4 .1" rgba=".6 .6 .6 1"/>
  <body pos=".3 0 1"><joint type="slide" axis="1 0 0"/><geom size=".2" rgba="1 0 0 1"/></body>
  <camera name="plain" pos="0 -4 2" xyaxes="1 0 0 0 .45 .9"/>
  <camera name="off_centre" pos="0 -4 2" xyaxes="1 0 0 0 .45 .9" focalpixel="300 200"
    sensorsize=".02 .01" resolution="320 240" principalpixel="40 20"/>
  <camera name="orthographic" pos="0 -4 2" xyaxes="1 0 0 0 .45 .9" projection="orthographic"
    fovy="4"/>
</worldbody></mujoco>
"""


@pytest.mark.parametrize("camera", ["plain", "off_centre", "orthographic"])
def test_a_part_of_each_kind_of_cameras_picture(camera: str, areas: list[float]) -> None:
    model = mujoco.MjModel.from_xml_string(CAMERAS)
    data = mujoco.MjData(model)
    size = (W + 1, H - 3)
    with (
        HeadlessMujocoRenderer(model, *size, camera=camera) as parts,
        HeadlessMujocoRenderer(model, *size, camera=camera) as wholes,
    ):
        wholes._plate = None
        for data.qpos[0] in (0.0, 0.5):
            areas.clear()
            part = parts.render(data)
            assert areas[-1] < 0.2
            assert_alike(part, wholes.render(data))
