"""Other replays in the same picture."""

import dataclasses

import numpy as np
import pytest

import lerax_render as lr
from lerax_render.batch import Clip
from lerax_render.cli.commands import main
from lerax_render.errors import RenderError
from lerax_render.gallery.manifest import read_manifest
from lerax_render.painter import lay_over

MODEL = """
<mujoco>
  <option gravity="0 0 0"/>
  <asset>{asset}</asset>
  <worldbody>
    <light pos="0 0 4"/>
    <camera name="front" pos="0 -3 1" xyaxes="1 0 0 0 .3 1"/>
    <geom type="plane" size="4 4 .1" rgba=".4 .5 .4 1"/>
    <body pos="0 0 .6"><joint name="x" type="slide" axis="1 0 0"/>
      <geom {shape} rgba=".9 .1 .1 1"/></body>
  </worldbody>
</mujoco>
"""
SIZE = {"width": 160, "height": 120}
STEPS = 6


def ball_at(x: float, steps: int = STEPS, speed: float = 0.0, **parts: str) -> lr.Replay:
    """A replay in which a red ball stands at `x`, or moves from there."""
    import mujoco

    parts = {"asset": "", "shape": 'size=".25"'} | parts
    model = mujoco.MjModel.from_xml_string(MODEL.format(**parts))
    simulation = lr.Simulation(model)
    states = []
    for step in range(steps):
        data = mujoco.MjData(model)
        data.qpos[0] = x + speed * step
        data.time = 0.002 * step
        mujoco.mj_forward(model, data)
        states.append(data)
    return lr.capture(simulation, states=states)


def frames(replay, **options):
    return np.stack(list(lr.render(replay, **SIZE, **options)))


def redness(frame: np.ndarray) -> np.ndarray:
    red, green, blue = np.moveaxis(frame[..., :3].astype(int), -1, 0)
    return red - (green + blue) // 2


def columns(frame: np.ndarray, least: int, most: int = 999) -> tuple[int, int]:
    """The first and the last column in which a pixel is so red."""
    score = redness(frame)
    seen = np.flatnonzero(((score >= least) & (score <= most)).any(axis=0))
    return int(seen.min()), int(seen.max())


@pytest.fixture(scope="module")
def left():
    return ball_at(-0.5)


@pytest.fixture(scope="module")
def right():
    return ball_at(0.5)


def test_a_ghost_is_translucent_and_the_replay_is_not(left, right):
    alone = frames(left, camera="front")[0]
    both = frames(left, camera="front", ghost=right)[0]
    np.testing.assert_array_equal(both[:, :80], alone[:, :80])
    solid, ghost = redness(alone[:, :80]).max(), redness(both[:, 80:]).max()
    assert solid > 60
    assert 0.2 * solid < ghost < 0.8 * solid
    # What is behind shines through: with a solid one, it would not.
    floor = alone[:, 80:]
    seen = redness(both[:, 80:]) > 0.6 * ghost
    assert seen.sum() > 100
    assert both[:, 80:][seen][:, 1].mean() > 0.4 * floor[seen][:, 1].mean()
    assert columns(frames(right, camera="front")[0], 60)[0] == pytest.approx(
        80 + np.flatnonzero((redness(both[:, 80:]) > 20).any(axis=0)).min(), abs=3
    )


def test_several_ghosts_from_files_and_in_processes(left, right, tmp_path):
    middle = ball_at(0.0)
    middle.save(tmp_path / "middle.replay")
    given = [tmp_path / "middle.replay", right]
    three = frames(left, camera="front", ghost=given)
    assert (three[0] != frames(left, camera="front", ghost=right)[0]).any()
    np.testing.assert_array_equal(three, frames(left, camera="front", ghost=given, workers=2))
    np.testing.assert_array_equal(
        three, frames(left, camera="front", ghost=[str(given[0]), given[1]])
    )


def test_a_short_ghost_stays_and_a_long_one_is_cut(left):
    moving = ball_at(0.3, steps=3, speed=0.2)
    shown = frames(left, camera="front", ghost=moving)
    assert len(shown) == STEPS
    assert (shown[1] != shown[2]).any()
    for frame in shown[3:]:
        np.testing.assert_array_equal(frame, shown[2])
    longer = ball_at(0.3, steps=40, speed=0.01)
    assert len(frames(left, camera="front", ghost=longer)) == STEPS


def test_both_are_framed(left):
    far = ball_at(3.0)
    alone, both = frames(left)[0], frames(left, ghost=far)[0]
    first, last = columns(both, 15)
    assert first > 1
    assert last < 158
    assert last - first > 60
    assert columns(alone, 60)[1] - columns(alone, 60)[0] > 1.5 * (
        columns(both, 60)[1] - columns(both, 60)[0]
    )


def test_clips_of_parts_and_tiles_keep_step_with_the_ghost(left, right, tmp_path):
    moving = ball_at(0.2, speed=0.1)
    whole = frames(left, camera="front", ghost=moving)
    clip = lr.record(
        left, tmp_path / "c.apng", camera="front", ghost=moving, start=2, stop=5, **SIZE
    )
    np.testing.assert_array_equal(clip.frames(), whole[2:5])
    tiles = lr.record(
        [left, right], tmp_path / "t.apng", camera="front", ghost=moving, width=321, height=120
    ).frames()
    np.testing.assert_array_equal(tiles[:, :, :160], whole)
    assert (tiles[1] != tiles[3]).any()


def test_slow_motion_and_clips_that_go_back_have_ghosts(left, tmp_path):
    moving = ball_at(0.2, speed=0.1)
    whole = frames(left, camera="front", ghost=moving)
    options = {"camera": "front", "ghost": moving, **SIZE}
    slow = lr.record(left, tmp_path / "s.apng", speed=0.25, **options).frames()
    np.testing.assert_array_equal(slow[::4], whole)
    assert (slow[1] != slow[0]).any()
    back = lr.record(left, tmp_path / "b.apng", bounce=True, **options).frames()
    np.testing.assert_array_equal(back, whole[[0, 1, 2, 3, 4, 5, 4, 3, 2, 1]])
    drawn = lr.capture("Pendulum", steps=6)
    other = lr.capture("Pendulum", steps=6, key=2)
    back = lr.record(drawn, tmp_path / "d.apng", bounce=True, ghost=other, **SIZE).frames()
    np.testing.assert_array_equal(back[:6], frames(drawn, ghost=other))
    np.testing.assert_array_equal(back[6:], back[4:0:-1])


def test_a_rollout_has_ghosts(tmp_path):
    """The first two parts of a rollout, in 2D."""
    ghost = lr.capture("Pendulum", steps=90, key=1)
    video = lr.record("Pendulum", path=tmp_path / "c.apng", steps=100, key=0, ghost=ghost, **SIZE)
    expected = frames(lr.capture("Pendulum", steps=100, key=0), ghost=ghost)
    np.testing.assert_array_equal(video.frames(), expected)


def test_2d_ghosts_are_behind_and_translucent():
    replay, ghost = (lr.capture("Acrobot", steps=12, key=key) for key in (0, 3))
    alone, other, both = frames(replay)[-1], frames(ghost)[-1], frames(replay, ghost=ghost)[-1]
    background = alone[0, 0].astype(int)
    is_front = (np.abs(alone.astype(int) - background) > 60).any(-1)
    is_ghost = (np.abs(other.astype(int) - background) > 150).any(-1) & ~(
        np.abs(alone.astype(int) - background) > 0
    ).any(-1)
    assert is_front.sum() > 100
    assert is_ghost.sum() > 40
    nothing = (alone == background).all(-1) & (other == background).all(-1)
    np.testing.assert_array_equal(both[nothing], alone[nothing])
    expected = background + 0.35 * (other[is_ghost] - background)
    assert np.abs(both[is_ghost] - expected).max() < 3
    solid = (alone[is_front].astype(int) - both[is_front]).astype(int)
    assert np.median(np.abs(solid)) <= 1


def test_ghosts_on_nothing(left, right):
    frame = frames(left, camera="front", ghost=right, background="transparent", hide=["floor"])[0]
    assert (frame[:, :80, 3] == 255).sum() > 100
    ghost = frame[:, 80:, 3]
    assert (ghost > 0).sum() > 100
    assert ghost[60].max() < 200
    replay, other = (lr.capture("Acrobot", steps=12, key=key) for key in (0, 3))
    frame = frames(replay, ghost=other, background="transparent")[-1]
    assert (np.abs(frame[..., 3].astype(int) - 89) <= 1).sum() > 40


def test_layers_lie_over_each_other():
    frame = np.zeros((1, 3, 4), np.uint8)
    frame[0, 1] = 0, 0, 200, 255
    layer = np.array([[[100, 0, 0, 255], [100, 0, 0, 255], [0, 0, 0, 0]]], np.uint8)
    lay_over(frame, layer, 0.5)
    np.testing.assert_array_equal(frame[0], [[100, 0, 0, 128], [50, 0, 100, 255], [0, 0, 0, 0]])


CUBE = '<mesh name="{}" vertex="0 0 0 1 0 0 0 1 0 0 0 1" scale="{} .4 .4"/>'


def test_ghosts_of_other_models(left):
    box = ball_at(0.5, shape='type="box" size=".2 .2 .2"')
    boxed = frames(left, camera="front", ghost=box)[0]
    assert (boxed != frames(left, camera="front")[0]).any()
    one = ball_at(-0.5, asset=CUBE.format("a", 0.4), shape='type="mesh" mesh="a"')
    more = CUBE.format("z", 0.9) + CUBE.format("a", 0.4)
    two = ball_at(0.5, asset=more, shape='type="mesh" mesh="a"')
    same = frames(one, camera="front", ghost=ball_at(0.5, asset=CUBE.format("a", 0.4),
                                                     shape='type="mesh" mesh="a"'))  # fmt: skip
    np.testing.assert_array_equal(frames(two, camera="front", ghost=one)[0].shape, same[0].shape)
    assert (frames(two, camera="front", ghost=one) != frames(two, camera="front")).any()
    with pytest.raises(ValueError, match="the ghost's model has a mesh, z, that this one has not"):
        frames(one, camera="front", ghost=two)


def test_what_can_be_no_ghost_says_so(left, tmp_path):
    pendulum = lr.capture("Pendulum", steps=3)
    with pytest.raises(ValueError, match=r"a step of the ghost takes .* capture both"):
        frames(left, ghost=pendulum)
    pendulum = dataclasses.replace(pendulum, seconds_per_step=None)
    with pytest.raises(ValueError, match="the ghost is in 2D"):
        frames(left, ghost=pendulum)
    with pytest.raises(ValueError, match="not drawn in the same world"):
        frames(pendulum, ghost=left)
    with pytest.raises(ValueError, match="not drawn in the same world"):
        frames(lr.capture("CartPole", steps=3), ghost=pendulum)
    with pytest.raises(ValueError, match="ghost would make no difference in a page"):
        lr.record(left, tmp_path / "x.html", ghost=left)
    with pytest.raises(TypeError, match="ghost must be a replay, the path of its file, or a list"):
        frames(left, ghost=3)
    with pytest.raises(FileNotFoundError):
        frames(left, ghost=tmp_path / "none.replay")
    (tmp_path / "bad.replay").write_text("no")
    with pytest.raises(RenderError):
        frames(left, ghost=tmp_path / "bad.replay")
    pytest.importorskip("gymnasium")
    with pytest.raises(ValueError, match="paints its own: leave ghost out"):
        lr.record("gym:CartPole-v1", path=tmp_path / "x.gif", steps=2, ghost=pendulum)
    assert [file.name for file in tmp_path.iterdir()] == ["bad.replay"]


def test_a_manifest_has_ghosts(left, tmp_path):
    manifest = tmp_path / "gallery.toml"
    left.save(tmp_path / "left.replay")
    manifest.write_text('[[clips]]\nenv = "left.replay"\nghost = ["left.replay"]\n')
    assert read_manifest(manifest).entries[0].clip.ghosts == ("left.replay",)
    manifest.write_text('[[clips]]\nenv = "left.replay"\nghost = ["right.replay"]\n')
    with pytest.raises(ValueError, match=r"ghost names 'right\.replay', and there is no file"):
        read_manifest(manifest)


def test_the_command_line_and_a_clip_of_a_folder(left, right, tmp_path, monkeypatch):
    left.save(tmp_path / "left.replay")
    right.save(tmp_path / "right.replay")
    clip = Clip(env="left.replay", ghost=["right.replay"], camera="front", folder=tmp_path, **SIZE)
    before = clip.fingerprint()
    made = clip.record(tmp_path / "one.apng").frames()
    np.testing.assert_array_equal(made, frames(left, camera="front", ghost=right))
    monkeypatch.chdir(tmp_path)
    main(["clip", "left.replay", "--ghost", "right.replay", "--camera", "front",
          "--width", "160", "-o", "two.apng"])  # fmt: skip
    with lr.VideoReader("two.apng") as reader:
        np.testing.assert_array_equal(np.stack(list(reader)), made)
    left.save(tmp_path / "right.replay")
    assert clip.fingerprint() != before
