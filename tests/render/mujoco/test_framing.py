"""The default camera looks at what happens: measured in pixels, on models of many kinds."""

import dataclasses
from pathlib import Path

import mujoco
import numpy as np
import pytest

import lerax_render as lr
from lerax_render import Camera, Replay, Simulation
from lerax_render.errors import RenderWarning
from lerax_render.mujoco.aim import View, frame
from support.framing_measure import measure
from support.paths import ROOT

FLOOR = '<light pos="0 -2 4"/><geom type="plane" size="9 9 .1" rgba=".6 .6 .6 1"/>'
PENDULUM = """<body pos="{0} 0 2"><joint name="{1}" axis="0 1 0"/>
  <geom type="capsule" fromto="0 0 0 .1 0 .8" size=".04" rgba="1 .5 0 1"/></body>"""
WALLS = "".join(
    f'<geom type="box" size="{size}" pos="{place}" rgba=".8 .8 .8 1"/>'
    for size, place in (
        ("2 .05 1", "0 -2 1"),
        ("2 .05 1", "0 2 1"),
        (".05 2 1", "-2 0 1"),
        (".05 2 1", "2 0 1"),
    )
)
CART = """<body pos="0 0 .1"><joint name="x" type="slide" axis="1 0 0"/>
  <joint name="y" type="slide" axis="0 1 0"/>
  <geom type="box" size=".2 .15 .1" rgba="1 0 0 1"/></body>"""
CART_MOTORS = '<motor joint="x" ctrlrange="-1 1" gear="5"/><motor joint="y" ctrlrange="-1 1"/>'

# Bodies, and what else there is: actuators, tendons, equalities.
KINDS = {
    "a_fall_from_standing": (PENDULUM.format(0, "hinge"), ""),
    "two_robots_apart": (
        PENDULUM.format(-1.5, "left") + PENDULUM.format(1.5, "right"),
        '<actuator><motor joint="left" ctrlrange="-1 1"/><motor joint="right" ctrlrange="-1 1"/>'
        "</actuator>",
    ),
    "an_invisible_shell": (
        PENDULUM.format(0, "hinge")
        + '<geom type="sphere" size="6" rgba="1 1 1 0" contype="0" conaffinity="0"/>',
        "",
    ),
    "only_a_site_is_visible": (
        '<body pos="0 0 .3"><joint name="x" type="slide" axis="1 0 0"/>'
        '<geom size=".2" rgba="0 0 0 0"/><site size=".2" rgba="0 .6 0 1"/></body>',
        '<actuator><motor joint="x" ctrlrange="-1 1" gear="40"/></actuator>',
    ),
    "a_drop": (
        '<replicate count="3" offset="0 0 .3"><body pos="0 0 1.2"><freejoint/>'
        '<geom type="box" size=".12 .12 .12" rgba=".2 .6 .8 1"/></body></replicate>',
        "",
    ),
    "joined_by_a_tendon": (
        '<body pos="0 0 1.6"><joint name="x" type="slide" axis="1 0 0" stiffness="20"/>'
        '<geom type="box" size=".1 .1 .03" rgba="1 .5 0 1"/><site name="a"/></body>'
        '<body pos=".3 0 .9"><joint type="slide" axis="1 0 0"/><joint type="slide" axis="0 0 1"/>'
        '<geom size=".08" rgba="0 .6 0 1"/><site name="b"/></body>',
        '<tendon><spatial limited="true" range="0 .9"><site site="a"/><site site="b"/></spatial>'
        '</tendon><actuator><motor joint="x" ctrlrange="-1 1" gear="5"/></actuator>',
    ),
    "moved_far_by_a_tendon": (
        '<body pos="0 0 .05"><joint name="x" type="slide" axis="1 0 0" range="-1 1" damping="1"/>'
        '<geom size=".05" rgba="1 0 0 1"/></body>',
        '<tendon><fixed name="t"><joint joint="x" coef="1"/></fixed></tendon>'
        '<actuator><position tendon="t" ctrlrange=".9 1" kp="50"/></actuator>',
    ),
    "between_walls": (CART + WALLS, f"<actuator>{CART_MOTORS}</actuator>"),
    "it_leaves": (
        CART.replace('type="box"', 'type="box" mass="1"'),
        '<actuator><motor joint="x" ctrlrange="8 9"/></actuator>',
    ),
    "it_moves_across_the_view": (
        '<body pos="0 0 .2"><joint name="y" type="slide" axis="0 1 0" range="-2 2"/>'
        '<geom type="box" size=".1 .2 .2" rgba="0 0 1 1"/></body>',
        '<actuator><motor joint="y" ctrlrange="5 6"/></actuator>',
    ),
    "a_swarm": (
        '<replicate count="5" offset="1 0 0"><replicate count="5" offset="0 1 0">'
        '<body pos="-2 -2 .1"><joint name="x" type="slide" axis="1 0 0" damping="1"/>'
        '<joint name="y" type="slide" axis="0 1 0" damping="1"/>'
        '<geom type="cylinder" size=".1 .1" mass=".5" rgba="0 .6 .6 1"/>'
        "</body></replicate></replicate>",
        "<actuator>"
        + "".join(
            f'<motor joint="{joint}{x}{y}" gear="6" ctrlrange="-1 1"/>'
            for x in range(5)
            for y in range(5)
            for joint in "xy"
        )
        + "</actuator>",
    ),
    "a_flight_in_leaps": (
        '<body pos="0 0 .1"><freejoint/><geom type="box" size=".1 .1 .05" mass="1"/>'
        '<site name="wing" pos=".01 0 0"/></body>',
        '<actuator><motor site="wing" gear="0 0 1 0 0 0" ctrlrange="0 52"/></actuator>',
    ),
    "a_mocap_body": ('<body pos="0 0 1" mocap="true"><geom size=".1"/></body>' + CART, ""),
    "a_cloth": (
        '<flexcomp name="cloth" type="grid" count="6 6 1" spacing=".1 .1 .1" pos="0 0 1.2" dim="2" '
        'mass=".3" radius=".01"><edge equality="true"/><pin id="0 5"/></flexcomp>',
        "",
    ),
}


def model_of(kind: str) -> mujoco.MjModel:
    bodies, others = KINDS[kind]
    return mujoco.MjModel.from_xml_string(
        f"<mujoco><worldbody>{FLOOR}{bodies}</worldbody>{others}</mujoco>"
    )


def captured(model: mujoco.MjModel | Path, steps: int = 100) -> Replay:
    return lr.capture(Simulation(model), steps=steps)


def view_of(replay: Replay, camera: Camera | None = None, **options: object) -> View:
    return frame(replay.scene.model, replay.captured, camera, 4 / 3, **options)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "a_mocap_body"])
def test_what_moves_is_in_the_picture(kind: str) -> None:
    replay = captured(model_of(kind))
    measured = measure(replay, view_of(replay), stride=6)
    assert measured.is_right, measured


def gymnasium_scenes() -> list[Path]:
    envs = pytest.importorskip("gymnasium.envs.mujoco")
    # `point` does not move by itself.
    return [
        path
        for path in sorted((Path(envs.__file__).parent / "assets").glob("*.xml"))
        if path.stem != "point"
    ]


def test_models_of_others_are_in_the_picture() -> None:
    wrong = {}
    for path in [*sorted((ROOT / "assets/scenes").glob("*.xml")), *gymnasium_scenes()]:
        replay = captured(path)
        measured = measure(replay, view_of(replay), stride=12)
        if not measured.is_right:
            wrong[path.stem] = measured
    assert not wrong


def test_a_guess_is_not_as_good() -> None:
    """What fails with another camera can fail."""
    replay = captured(model_of("a_fall_from_standing"))
    assert not measure(replay, Camera(lookat=(0, 0, 2.4), distance=1.2), stride=6).is_right
    assert not measure(replay, Camera(lookat=(0, 0, 2), distance=40), stride=6).is_right


def test_only_what_gets_far_is_followed() -> None:
    followed = {kind: view_of(captured(model_of(kind))).axes for kind in ("it_leaves", "a_drop")}
    assert followed == {"it_leaves": (True, True, False), "a_drop": (False, False, False)}
    short = captured(model_of("it_leaves"), steps=10)
    assert view_of(short).follow is None
    # Of a stream, nobody knows how far it will get.
    assert view_of(short, goes_on=True).follow == 1


def test_what_is_given_is_kept() -> None:
    replay = captured(model_of("a_fall_from_standing"))
    chosen = view_of(replay)
    assert view_of(replay) == chosen
    aside = view_of(replay, Camera(azimuth=30, elevation=-5))
    assert (aside.azimuth, aside.elevation) == (30, -5)
    assert measure(replay, aside, stride=10).held == 1
    assert view_of(replay, Camera(distance=7)).distance == 7
    there = view_of(replay, Camera(lookat=(0.5, 0, 2)))
    assert there.lookat == (0.5, 0, 2)
    assert there.distance > chosen.distance
    assert measure(replay, there, stride=10).held == 1
    tracked = view_of(replay, Camera(track=1))
    assert (tracked.follow, tracked.lookat) == (1, (0, 0, 0))
    with pytest.raises(ValueError, match="no body 'tail'"):
        view_of(replay, Camera(track="tail"))


def test_a_part_is_seen_as_the_whole() -> None:
    replay = captured(model_of("a_fall_from_standing"), steps=40)
    whole = list(lr.render(replay, width=64, height=48, quality="draft"))
    part = list(lr.render(replay[5:9][1:], width=64, height=48, quality="draft"))
    np.testing.assert_array_equal(part, whole[6:9])
    cut = dataclasses.replace(replay[5:9], whole=None)
    assert (next(lr.render(cut, width=64, height=48, quality="draft")) != whole[5]).any()


def test_the_same_replay_is_seen_the_same_from_the_environment_and_by_processes() -> None:
    simulation = Simulation(model_of("a_fall_from_standing"))
    size = {"width": 64, "height": 48, "quality": "draft"}
    replay = lr.capture(simulation, steps=30)
    clips = [
        lr.record(simulation, format="apng", steps=30, **size),
        lr.record(replay, format="apng", **size),
        lr.record(replay, format="apng", workers=2, **size),
    ]
    first, *others = (clip.frames() for clip in clips)
    assert first.std() > 5
    for other in others:
        np.testing.assert_array_equal(other, first)


def test_tiles_are_seen_from_one_distance() -> None:
    still = captured(model_of("between_walls"), steps=30)
    moved = dataclasses.replace(
        still, captured=still.captured._replace(qpos=still.captured.qpos + np.float32([1, 0.5]))
    )
    both = lr.record([still, moved], width=128, height=48, format="apng", quality="draft").frames()
    left, right = both[0, :, :64], both[0, :, 64:]
    reds = [(tile[..., 0] > 1.5 * tile[..., 1].astype(float)).sum() for tile in (left, right)]
    assert 0.6 < reds[0] / reds[1] < 1.7
    assert min(reds) > 20


def test_views_of_one_training_only_step_back() -> None:
    simulation = Simulation(model_of("a_fall_from_standing"))
    calm = lr.capture(simulation, steps=5)
    wild = lr.capture(simulation, steps=100)
    first = view_of(calm)
    second = view_of(wild, before=first)
    third = view_of(calm, before=second)
    assert first.distance < second.distance == third.distance
    assert second.lookat == third.lookat
    assert (first.azimuth, first.elevation) == (second.azimuth, second.elevation)
    assert measure(wild, third, stride=10).held == 1


def test_what_cannot_be_seen_is_said() -> None:
    nothing = mujoco.MjModel.from_xml_string(
        '<mujoco><worldbody><body><freejoint/><geom size=".1" group="4"/></body></worldbody>'
        "</mujoco>"
    )
    with pytest.warns(RenderWarning, match="nothing to draw"):
        lr.record(Simulation(nothing), steps=2, width=32, height=24)
    replay = captured(model_of("a_fall_from_standing"), steps=10)
    away = Camera(lookat=(0, 50, 0), distance=1, azimuth=90, elevation=0)
    with pytest.warns(RenderWarning, match="nothing that moves is in the picture of camera"):
        lr.record(replay, width=32, height=24, camera=away)


def test_what_is_small_in_a_huge_world_is_as_large_in_the_picture_as_anywhere() -> None:
    model = mujoco.MjModel.from_xml_string(
        '<mujoco><option gravity="0 0 0"/><worldbody><geom type="plane" size="2000 2000 1"/>'
        '<geom type="box" size="99 99 99" pos="1500 0 99"/>'
        '<body pos="0 0 1"><joint type="slide" axis="1 0 0"/>'
        '<geom type="box" size=".4 .2 .2" rgba="1 0 0 1"/></body></worldbody>'
        '<keyframe><key qvel="1"/></keyframe></mujoco>'
    )
    replay = lr.capture(Simulation(model), steps=3)
    picture = lr.record(replay, width=64, height=48).frames()[0].astype(int)
    assert np.count_nonzero(picture[..., 0] > 2 * picture[..., 1]) > 0.1 * 64 * 48
    # The floor, and not the sky below a floor that is cut off.
    assert abs(picture[-1] - picture[24, 2]).max() < 20


def test_parallel_rays_show_a_huge_world_as_large_as_they_should() -> None:
    model = mujoco.MjModel.from_xml_string(
        '<mujoco><option gravity="0 0 0"/><visual><global orthographic="true" fovy="2"/></visual>'
        '<worldbody><geom type="box" size="99 99 99" pos="1500 0 0"/>'
        '<body><joint type="slide" axis="1 0 0"/><geom size=".5" rgba="1 0 0 1"/></body>'
        '</worldbody><keyframe><key qvel="1"/></keyframe></mujoco>'
    )
    picture = lr.record(Simulation(model), steps=3, width=64, height=48).frames()[0].astype(int)
    # The ball is half as high as the picture.
    area = np.pi * 12**2
    assert np.count_nonzero(picture[..., 0] > 2 * picture[..., 1]) == pytest.approx(area, rel=0.1)


def test_a_goal_is_shown_and_what_is_far_off_is_not() -> None:
    goal = (
        '<body pos=".9 0 .2"><geom size=".05" contype="0" conaffinity="0" rgba="0 1 0 1"/></body>'
    )
    far = '<geom size=".3" pos="60 0 1"/>'
    _, others = KINDS["between_walls"]
    views = [
        view_of(
            captured(
                mujoco.MjModel.from_xml_string(
                    f"<mujoco><worldbody>{FLOOR}{CART}{extra}</worldbody>{others}</mujoco>"
                )
            )
        )
        for extra in ("", goal, far)
    ]
    alone, with_goal, with_far = views
    assert with_goal.lookat[0] > alone.lookat[0] + 0.05
    assert with_far.lookat == alone.lookat


def test_an_unstable_moment_does_not_count() -> None:
    replay = captured(model_of("a_fall_from_standing"))
    mishap = replay.captured._replace(qpos=replay.captured.qpos.copy())
    mishap.qpos[50] = np.nan
    view = frame(replay.scene.model, mishap, None, 4 / 3)
    assert view.distance == pytest.approx(view_of(replay).distance, rel=0.05)
