"""A part of a clip, and how fast it plays."""

import numpy as np
import pytest
import tyro
from lerax.env.classic_control import CartPole

import lerax_render as lr
from lerax_render.batch import Clip
from lerax_render.cli.options import given, options_of
from lerax_render.settings import Settings

SMALL = {"width": 120, "height": 90, "format": "apng"}
DT = 0.02  # of CartPole


@pytest.fixture(scope="module")
def replay():
    return lr.capture(CartPole(), steps=30)


@pytest.fixture(scope="module")
def whole(replay):
    return lr.record(replay, **SMALL).frames()


@pytest.mark.parametrize(
    ("moments", "shown"),
    [
        ({"start": 10}, slice(10, 30)),
        ({"stop": 10}, slice(0, 10)),
        ({"start": 10, "stop": 12}, slice(10, 12)),
        ({"start": 10 * DT, "stop": 0.5}, slice(10, 25)),
        ({"start": 0.0, "stop": 30}, slice(0, 30)),
    ],
)
def test_a_part_of_a_replay_has_its_frames(replay, whole, moments, shown):
    part = lr.record(replay, **moments, **SMALL)
    np.testing.assert_array_equal(part.frames(), whole[shown])


def test_a_part_of_an_environment_is_that_of_its_replay(whole):
    part = lr.record(CartPole(), start=10, stop=30, **SMALL)
    np.testing.assert_array_equal(part.frames(), whole[10:])
    assert len(np.unique(part.frames(), axis=0)) > 10


def test_what_came_before_counts(replay):
    counted = []
    lr.record(
        replay,
        start=7,
        overlay=[lambda info: counted.append((info.step, info.episode_return)) or "x"],
        **SMALL,
    )
    assert counted[0][0] == 7
    assert counted[0][1] == pytest.approx(replay.rewards[replay.episodes[0].start : 8].sum())


@pytest.mark.parametrize(("speed", "fps"), [(1, 50), (0.25, 12.5), (0.5, 25), (1.6, 80)])
def test_speed_is_of_real_time(replay, speed, fps):
    video = lr.record(replay, speed=speed, **SMALL)
    assert video.fps == pytest.approx(fps)
    assert video.num_frames == 30


def test_what_is_faster_than_a_format_plays_leaves_frames_out(replay, whole):
    video = lr.record(replay, speed=3.6, **SMALL)
    assert video.fps == 90
    np.testing.assert_array_equal(video.frames(), whole[::2])


def test_on_the_command_line():
    def moments(*words):
        options = tyro.cli(options_of(Clip), args=["CartPole", *words])
        clip = Clip(**given(options, Clip))
        return clip.start, clip.stop, clip.speed

    assert moments("--from", "50", "--to", "3s", "--speed", "0.25") == (50, 3.0, 0.25)
    assert moments("--start", "1.5s") == (1.5, None, 1.0)
    assert isinstance(Settings(start=2.0).start, float), "seconds, though whole ones"
    assert isinstance(Settings(start=2).start, int)


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"start": 30}, "from step 30 to 30 of 30 steps has nothing in it"),
        ({"start": 5, "stop": 5}, "from step 5 to 5 of 30"),
        ({"stop": 31}, "from step 0 to 31 of 30"),
        ({"stop": 99.0}, "from step 0 to 4950 of 30"),
        ({"start": -1}, "start must be a step, as a whole number, or seconds"),
        ({"start": "1s"}, "start must be a step"),
        ({"speed": 0}, "speed must be a number, 0.01 to 100, got 0"),
    ],
)
def test_moments_that_are_none(replay, wish, message):
    with pytest.raises((ValueError, TypeError), match=message):
        lr.record(replay, **wish, **SMALL)
