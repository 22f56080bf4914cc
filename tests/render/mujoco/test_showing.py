"""What of a model is drawn: by MuJoCo's names, groups of geoms, and colours."""

from typing import get_args

import numpy as np
import pytest

import lerax_render as lr
from lerax_render.mujoco.look.showing import SWITCHES
from lerax_render.settings.picture import ShownName

SCENE = """
<mujoco>
  <visual><headlight ambient=".4 .4 .4"/></visual>
  <asset><texture name="sky" type="skybox" builtin="flat" rgb1=".2 .3 .4" width="8" height="8"/>
  </asset>
  <worldbody>
    <light pos="0 0 3" diffuse=".5 .5 .5"/>
    <geom name="floor" type="plane" size="2 2 .1" rgba=".5 .5 .5 1"/>
    <body name="box" pos="0 0 .19"><freejoint/>
      <geom name="looks" type="sphere" size=".25" group="2" contype="0" conaffinity="0"
            rgba=".9 .9 .2 1"/>
      <geom name="hull" type="box" size=".2 .2 .2" group="3" rgba=".2 .2 .9 1"/>
      <site name="mark" pos="0 0 .4" size=".1" group="4" rgba="1 0 1 1"/>
    </body>
  </worldbody>
</mujoco>
"""
CAMERA = lr.Camera(azimuth=130, elevation=-25, distance=2, lookat=(0, 0, 0.2))


@pytest.fixture(scope="module")
def replay(tmp_path_factory):
    path = tmp_path_factory.mktemp("showing") / "box.xml"
    path.write_text(SCENE)
    return lr.capture(str(path), steps=2)


def frame(replay, **shown):
    return next(lr.render(replay[1:2], width=160, height=120, camera=CAMERA, **shown)).astype(int)


def count(picture, colour):
    """Count pixels of about one hue: each channel above or below the grey of all, or as it is."""
    above = picture - picture.mean(axis=-1, keepdims=True)
    return int((np.sign(colour) * above > 25).all(axis=-1, where=np.array(colour) != 0).sum())


YELLOW, BLUE, PINK = (1, 1, -1), (-1, -1, 1), (1, -1, 1)


def test_what_is_drawn_where_nothing_is_asked(replay):
    usual = frame(replay)
    assert count(usual, YELLOW) > 300
    assert count(usual, PINK) == 0


def test_groups_for_collisions_and_for_looks(replay):
    both = frame(replay, show=["collision"])
    assert count(both, BLUE) > count(frame(replay), BLUE)
    hull = frame(replay, show=["collision"], hide=["visual"])
    assert count(hull, YELLOW) == 0
    assert count(hull, BLUE) > 300


def test_sites_of_all_groups(replay):
    assert count(frame(replay, show="sites"), PINK) > 50


@pytest.mark.parametrize("name", ["contacts", "contact-forces", "forces", "com", "labels"])
def test_what_is_shown_covers_a_part_of_the_picture(replay, name):
    changed = (frame(replay, hide=["visual"]) != frame(replay, hide=["visual"], show=[name])).any(
        axis=-1
    )
    assert 10 < changed.sum() < changed.size / 4


def test_shadows_are_hidden(replay):
    lit = frame(replay, hide=["shadows"]) - frame(replay)
    assert 50 < (lit > 20).all(axis=-1).sum() < 5000


def test_the_sky_is_hidden(replay):
    low = {"width": 160, "height": 120, "camera": lr.Camera(elevation=-3, distance=2)}
    usual, hidden = (next(lr.render(replay, **low, hide=hide)) for hide in ([], ["skybox"]))
    assert usual[0].min() > 40
    assert hidden[0].max() == 0


def test_bodies_and_geoms_are_coloured(replay):
    assert count(frame(replay, color={"box": "#2020ff"}), BLUE) > 300
    assert count(frame(replay, color={"looks": "blue"}), YELLOW) == 0
    assert count(frame(replay), YELLOW) > 300, "the replay's own model was changed"


@pytest.mark.parametrize("name", SWITCHES)
def test_everything_can_be_shown_and_hidden(replay, name):
    for where in ("show", "hide"):
        assert frame(replay, **{where: [name]}).std() > 3


def test_the_setting_has_these_names():
    assert get_args(ShownName.__value__) == tuple(SWITCHES)


@pytest.mark.parametrize(
    ("shown", "message"),
    [
        ({"color": {"boxx": "red"}}, "no body or geom boxx; did you mean box"),
        ({"color": {"box": "rot"}}, "color of box: expected a colour such as"),
        ({"show": ["contact"]}, "show must be a list, each item one of contacts"),
        ({"show": ["com"], "quality": "cinematic"}, "quality='cinematic' draws what it draws"),
    ],
)
def test_what_cannot_be_shown_is_said(replay, shown, message):
    with pytest.raises(ValueError, match=message):
        frame(replay, **shown)


def test_a_model_whose_geoms_are_for_both_is_not_emptied():
    model = "assets/scenes/arm.xml"
    with pytest.raises(ValueError, match="hide=collision: this model has no geoms for collision"):
        next(lr.render(lr.capture(model, steps=1), hide=["collision"]))


def test_only_pictures_of_mujoco_have_parts():
    from lerax.env.classic_control import CartPole

    for wish in ({"show": ["com"]}, {"hide": ["shadows"]}, {"color": {"cart": "red"}}):
        with pytest.raises(ValueError, match="a 2D environment has"):
            lr.record(CartPole(), steps=2, **wish)
