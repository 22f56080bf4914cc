"""What is drawn into a scene besides its model."""

import dataclasses

import mujoco
import numpy as np
import pytest

import lerax_render as lr

MODEL = """
<mujoco>
  <option gravity="0 0 0"/>
  <worldbody>
    <light pos="0 0 4"/>
    <body name="ball"><joint type="slide" axis="1 0 0"/>
      <geom size=".2" rgba=".5 .5 .5 1"/></body>
    <body name="stone" pos="0 0 -1"><joint type="slide" axis="0 1 0"/>
      <geom size=".2" rgba=".5 .5 .5 1"/></body>
  </worldbody>
</mujoco>
"""
LOOK = {"width": 160, "height": 120, "camera": lr.Camera(lookat=(0, 0, 0), distance=5, azimuth=90)}


@pytest.fixture(scope="module")
def replay(tmp_path_factory):
    """A ball that goes from x = -1 to 1 and, in a second episode, the same again."""
    path = tmp_path_factory.mktemp("marks") / "ball.xml"
    path.write_text(MODEL)
    replay = lr.capture(str(path), steps=40)
    way = np.tile(np.linspace(-1, 1, 20, dtype=np.float32), 2)
    pose = replay.captured
    qpos = np.stack([way, np.zeros_like(way)], axis=1)
    time = np.tile(np.arange(20, dtype=np.float32), 2)
    return dataclasses.replace(replay, captured=pose._replace(qpos=qpos, time=time))


def frames(replay, **picture):
    return list(lr.render(replay, **LOOK, **picture))


def width_of(picture, colour):
    """Return how many columns of a picture have something of a hue in them."""
    red, _, blue = np.moveaxis(picture.astype(int), -1, 0)
    seen = red - blue > 60 if colour == "orange" else blue - red > 60
    return int(seen.any(axis=0).sum())


def test_a_trail_ends_where_the_body_is_and_begins_with_its_episode(replay):
    widths = [width_of(frame, "orange") for frame in frames(replay, trail="ball")]
    assert widths[0] == widths[20] == 0
    assert widths[5] < widths[10] < widths[19]
    assert widths[19] > 30
    assert widths[20:] == widths[:20]
    assert not any(width_of(frame, "orange") for frame in frames(replay))


def test_trails_have_colours_of_their_own(replay):
    slid = replay.captured.qpos.copy()
    slid[:, 1] = slid[:, 0]
    both = dataclasses.replace(replay, captured=replay.captured._replace(qpos=slid))
    last = frames(both, trail=["ball", 2])[19]
    assert width_of(last, "orange") > 30
    assert width_of(last, "blue") > 0
    assert not any(width_of(frame, "blue") for frame in frames(both, trail="ball"))


def test_a_trail_is_the_same_from_several_processes(replay):
    np.testing.assert_array_equal(
        frames(replay, trail="ball"), frames(replay, trail="ball", workers=2)
    )


def test_a_way_of_many_steps_is_a_few_hundred_pieces(replay):
    pose = replay.captured
    long = dataclasses.replace(
        replay,
        captured=type(pose)(
            *(None if field is None else np.repeat(field[:1], 1000, axis=0) for field in pose)
        )._replace(
            qpos=np.stack([np.linspace(-1, 1, 1000), np.zeros(1000)], 1),
            time=np.arange(1000.0),
        ),
    )
    counts = []
    frames(long, trail="ball", decorate=lambda scene, step: counts.append(scene.ngeom))
    assert counts[-1] == counts[-500] < 250


def test_each_lane_has_a_trail_of_its_own(replay):
    other = dataclasses.replace(
        replay, captured=replay.captured._replace(qpos=-replay.captured.qpos)
    )
    video = lr.record([replay, other], steps=12, width=320, height=120, trail="ball", grid=(1, 2))
    left, right = np.split(video.frames()[-1], 2, axis=1)
    for half in (left, right):
        assert 10 < width_of(half, "orange") < 80


def test_a_function_adds_to_the_scene(replay):
    steps = []

    def add(scene, step):
        steps.append(step)
        box = mujoco.mjtGeom.mjGEOM_BOX
        mujoco.mjv_initGeom(
            scene.geoms[scene.ngeom],
            box,
            np.full(3, 0.3),
            np.array([1.0, 0, 0.8]),
            np.eye(3).ravel(),
            np.array([0.1, 0.2, 1, 1], np.float32),
        )
        scene.ngeom += 1

    painted = frames(replay, decorate=add)
    assert steps == list(range(40))
    assert all(width_of(frame, "blue") > 8 for frame in painted)
    video = lr.record(replay, decorate=add, **LOOK)
    assert all(width_of(frame, "blue") > 8 for frame in video.frames())


def test_what_is_added_does_not_depend_on_what_was_added_before():
    model = mujoco.MjModel.from_xml_string(MODEL)
    data = mujoco.MjData(model)
    camera = lr.Camera(lookat=(0, 0, 0), distance=5, azimuth=90)

    def add(scene):
        geom, box = scene.geoms[scene.ngeom], mujoco.mjtGeom.mjGEOM_BOX
        blue = np.array([0.1, 0.2, 1, 1], np.float32)
        size, place = np.array([0.2, 0.2, 0.02]), np.array([0, 0, 0.6])
        mujoco.mjv_initGeom(geom, box, size, place, np.eye(3).ravel(), blue)
        scene.ngeom += 1

    def add_object(scene):
        add(scene)
        geom = scene.geoms[scene.ngeom - 1]
        geom.category, geom.objid = mujoco.mjtCatBit.mjCAT_DYNAMIC.value, 1
        geom.objtype, geom.segid = mujoco.mjtObj.mjOBJ_GEOM.value, 10_000

    with lr.HeadlessMujocoRenderer(model, 160, 120, camera=camera) as renderer:
        first = renderer.render(data, add)
        assert width_of(first, "blue") > 8
        assert not np.array_equal(renderer.render(data, add_object), first), "no shadow"
        np.testing.assert_array_equal(renderer.render(data, add), first)
        assert set(np.unique(renderer.segmentation()[..., 0])) == {-1, 0, 1}


def test_a_clip_that_goes_back_takes_trails_back(replay):
    forwards = lr.record(replay, trail="ball", format="apng", **LOOK).frames()
    both = lr.record(replay, trail="ball", bounce=True, format="apng", **LOOK).frames()
    assert width_of(forwards[10], "orange") > 15
    np.testing.assert_array_equal(both, [*forwards, *forwards[-2:0:-1]])


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"bounce": True}, [*range(40), *range(38, 0, -1)]),
        ({"speed": 0.5, "stop": 4}, [0, 0, 1, 1, 2, 2, 3]),
        ({"start": 30}, range(30, 40)),
        ({"speed": 2, "preset": "readme", "max_size": 10**7}, range(0, 40, 10)),
    ],
)
def test_a_function_is_told_the_step_that_is_drawn(replay, options, expected):
    steps = []
    replay = dataclasses.replace(replay, seconds_per_step=0.01)
    options = {"speed": 1, **options}
    lr.record(replay, decorate=lambda scene, step: steps.append(step), **LOOK, **options)
    assert steps == list(expected)


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"trail": "bal"}, "the model has no body 'bal'; it has world, ball, stone"),
        ({"trail": [9]}, "the model has no body 9"),
        ({"decorate": print, "workers": 2}, "decorate is called in this process"),
        ({"trail": "ball", "quality": "cinematic"}, "quality='cinematic' draws what it draws"),
    ],
)
def test_what_cannot_be_drawn_is_said(replay, wish, message):
    with pytest.raises(ValueError, match=message):
        frames(replay, **wish)
