"""A part of a clip, and how fast it plays."""

import numpy as np
import pytest
import tyro
from lerax.env.classic_control import Acrobot, CartPole

import lerax_render as lr
from lerax_render.batch import Clip
from lerax_render.cli.options import given, options_of
from lerax_render.settings import Picture, Settings
from support.format_contract import psnr

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


@pytest.mark.parametrize(
    ("speed", "fps", "frames"), [(1, 50, 30), (0.25, 50, 117), (0.5, 50, 59), (1.6, 80, 30)]
)
def test_speed_is_of_real_time(replay, speed, fps, frames):
    video = lr.record(replay, speed=speed, **SMALL)
    assert (video.fps, video.num_frames) == (fps, frames)


def test_slow_motion_has_frames_between_steps(replay, whole):
    """The pole turns by a fourth of a step in each, and an episode begins without a way to it."""
    slow = lr.record(replay, speed=0.25, width=1200, format="apng").frames()
    at_steps = lr.record(replay, width=1200, format="apng").frames()
    np.testing.assert_array_equal(slow[::4], at_steps)
    poles = np.array([pole_of(frame) for frame in slow])
    begin = replay.episodes[0].stop
    smooth = np.abs(np.diff(poles[: 4 * begin - 3]))
    stepwise = np.abs(np.diff(poles[: 4 * begin - 3 : 4]))
    assert stepwise.max() > 2
    assert smooth.max() < stepwise.max() / 4 + 0.4
    np.testing.assert_array_equal(slow[4 * begin - 4 : 4 * begin], [at_steps[begin - 1]] * 4)


def pole_of(frame):
    """Return the column that the pole's middle is in."""
    brown = abs(frame.astype(int) - (204, 153, 102)).sum(axis=2) < 60
    return brown.nonzero()[1].mean()


def test_slow_motion_of_an_environment_is_that_of_its_replay():
    """It comes in parts, and what lies between two of them is not lost."""
    video = lr.record(CartPole(), steps=70, speed=0.5, start=3, **SMALL)
    replay = lr.capture(CartPole(), steps=70)
    again = lr.record(replay, speed=0.5, start=3, **SMALL)
    np.testing.assert_array_equal(video.frames(), again.frames())
    assert video.num_frames == 2 * 66 + 1
    places = np.arange(3, 69.1, 0.5)
    between = replay.scene.between(replay.captured, places, replay.episode_starts)
    with replay.scene.painter(Picture(width=120, height=90)) as painter:
        np.testing.assert_array_equal(video.frames(), list(painter.paint(between)))


def test_slow_motion_has_25_frames_a_second_at_least():
    assert lr.record(Acrobot(), steps=3, speed=0.5, **SMALL).fps == 25
    assert lr.record(Acrobot(), steps=3, speed=0.5, fps=10, **SMALL).fps == 10
    assert lr.record(Acrobot(), steps=3, speed=0.5, preset="readme", width=120).fps == 20


def test_what_is_pixels_only_is_shown_longer():
    video = lr.record("gym:Acrobot-v1", steps=4, speed=0.25, **SMALL)
    assert video.num_frames == 4
    assert video.fps == pytest.approx(0.25 * lr.record("gym:Acrobot-v1", steps=2, **SMALL).fps)


def test_a_grid_is_slow_as_each_of_its_tiles(replay):
    tiles = lr.record([replay, replay[10:]], speed=0.5, width=241, height=90, format="apng")
    alone = lr.record(replay[10:], speed=0.5, **SMALL).frames()
    np.testing.assert_array_equal(tiles.frames()[: len(alone), :, 121:], alone)


@pytest.mark.parametrize("speed", [1, 0.5])
def test_a_clip_that_bounces_goes_back_to_its_second_frame(replay, speed):
    forwards = lr.record(replay, speed=speed, overlay=[lambda info: "x"], **SMALL).frames()
    both = lr.record(replay, speed=speed, overlay=[lambda info: "x"], bounce=True, **SMALL).frames()
    np.testing.assert_array_equal(both, [*forwards, *forwards[-2:0:-1]])


def test_pixels_that_are_gone_do_not_bounce():
    with pytest.raises(ValueError, match=r"bounce paints each step once more.*leave bounce out"):
        lr.record("gym:Acrobot-v1", steps=4, bounce=True, **SMALL)


def test_a_card_comes_before_the_clip(replay, whole):
    video = lr.record(replay, title="CartPole", **SMALL)
    frames = video.frames()
    assert video.num_frames == 100 + 30
    np.testing.assert_array_equal(frames[100:], whole)
    assert (frames[:100] == frames[0]).all()
    assert frames[0].max() > 200
    assert np.median(frames[0]) < 60


def test_a_drawing_behind_a_card_is_encoded_as_one(replay, whole):
    frames = lr.record(replay, title="CartPole", width=120, height=90).frames()
    # 45.2 dB as a rendering, 47.6 dB as a drawing.
    assert psnr(frames[100:], whole).mean() > 46.4


def test_captions_are_there_for_their_steps(replay, whole):
    captions = ["step 3–10: reach", "0.4s–: hold"]
    frames = lr.record(replay, captions=captions, start=2, **SMALL).frames()
    differ = [bool((a != b).any()) for a, b in zip(frames, whole[2:], strict=True)]
    assert [step + 2 for step, has_one in enumerate(differ) if has_one] == [
        *range(3, 10),
        *range(20, 30),
    ]
    slow = lr.record(replay, captions=captions, speed=0.5, **SMALL).frames()
    plain = lr.record(replay, speed=0.5, **SMALL).frames()
    differ = [bool((a != b).any()) for a, b in zip(slow, plain, strict=True)]
    assert [frame for frame, has_one in enumerate(differ) if has_one] == [
        *range(6, 20),
        *range(40, 59),
    ]


def test_what_is_faster_than_a_format_plays_leaves_frames_out(replay, whole):
    video = lr.record(replay, speed=3.6, **SMALL)
    assert video.fps == 90
    np.testing.assert_array_equal(video.frames(), whole[::2])


def test_on_the_command_line():
    def moments(*words):
        options = tyro.cli(options_of(Clip)(), args=["CartPole", *words])
        clip = Clip(**given(options, Clip))
        return clip.start, clip.stop, clip.speed

    assert moments("--from", "50", "--to", "3s", "--speed", "0.25") == (50, 3.0, 0.25)
    assert moments("--start", "1.5s") == (1.5, None, 1.0)
    words = ["--title", r"A\nb", "--caption", "step 0-5: a", "b, c", "--freeze-end", "1.5s"]
    clip = Clip(**given(tyro.cli(options_of(Clip)(), args=["CartPole", *words]), Clip))
    assert (clip.title, clip.captions, clip.freeze_end) == ("A\nb", ("step 0-5: a", "b, c"), 1.5)
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
        ({"captions": "step 30–: a"}, "for steps from 30 to the end, and the clip shows 0 to 30"),
        ({"captions": "step 0–5: a", "start": 5}, "for steps from 0 to 5, and the clip shows 5"),
        ({"captions": "7s–8s: a"}, "for steps from 350 to 400"),
        ({"captions": "step 9–3: a"}, "a caption's range begins before it ends"),
        ({"captions": " "}, "captions must be a list, each item a text"),
        ({"captions": "שלום"}, "has Hebrew letters"),
        ({"title": "a " * 900}, "the title .* has no room"),
        ({"speed": 0}, "speed must be a number, 0.01 to 100, got 0"),
    ],
)
def test_moments_that_are_none(replay, wish, message):
    with pytest.raises((ValueError, TypeError), match=message):
        lr.record(replay, **wish, **SMALL)
