"""Plots beside the picture, read back from their pixels."""

import dataclasses
import itertools

import mujoco
import numpy as np
import pytest
from skimage.color import deltaE_ciede2000, rgb2lab

import lerax_render as lr
from lerax_render.compose import Composition, Plots
from lerax_render.compose.quantities import MOST_CURVES
from lerax_render.compose.sheet import DARK, LIGHT, Look
from lerax_render.replay import Replay
from support.environments import Counting, OwnLook
from support.read_text import read_line
from support.replay_files import MODEL

SIZE = {"width": 320, "height": 240}


@pytest.fixture(scope="module")
def replay() -> Replay:
    return lr.capture(Counting(), steps=24)


def clip(replay, **options) -> np.ndarray:
    """The frames as they were before they were encoded."""
    return lr.record(replay, lossless=True, **{**SIZE, **options}).frames()


def near(frame: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """Where a frame has a colour, and where it is no other one's edge."""
    return np.abs(frame.astype(int) - colour).max(axis=2) < 24


def tip(frame: np.ndarray, colour: tuple[int, int, int]) -> tuple[float, float]:
    """Row and column of the last dot in a colour."""
    rows, columns = np.nonzero(near(frame, colour))
    last = columns >= columns.max() - 2
    return float(rows[last].mean()), float(columns.max())


def plotted(frame: np.ndarray) -> np.ndarray:
    """The part of a clip's frame that is below its picture."""
    height, width = frame.shape[:2]
    return frame[Plots(["return"], width, height, start=0, stop=9).picture_height :]


def test_the_picture_is_painted_smaller_and_the_clip_keeps_its_size(replay):
    frames = clip(replay, plot="return")
    layout = Plots(["return"], 320, 240, start=0, stop=24)
    expected = clip(replay, width=layout.picture_width, height=layout.picture_height)
    assert frames.shape == (24, 240, 320, 3)
    assert (layout.picture_width, 100 < layout.picture_height < 200) == (320, True)
    np.testing.assert_array_equal(frames[:, : layout.picture_height], expected)
    assert (frames[:, layout.picture_height :] != 255).any()


@pytest.mark.parametrize(
    ("width", "height", "right"), [(640, 480, 0), (1280, 720, 1), (300, 400, 0)]
)
def test_plots_are_below_the_picture_or_at_the_right_of_a_wide_one(width, height, right):
    plots = Plots(["return", "obs"], width, height, start=0, stop=9)
    assert (plots.picture_height == height, plots.picture_width == width) == (right, not right)
    assert min(plots.picture_width / width, plots.picture_height / height) >= 0.5


def test_a_curve_grows_with_the_clip_and_its_end_is_the_value(replay):
    # 0, 1, 3, 6, 10, 15, and the next episode.
    returns = np.tile(np.cumsum(np.arange(6)), 4)
    tips = np.array([tip(plotted(frame), LIGHT.curves[0]) for frame in clip(replay, plot="return")])
    rows, columns = tips.T
    assert (np.diff(columns) > 5).all()
    assert np.ptp(np.diff(columns)) <= 2
    scale = (rows[5] - rows[0]) / 15
    assert scale < -1
    np.testing.assert_allclose(rows, rows[0] + scale * returns, atol=0.8)


def test_what_was_shown_stays_and_the_axis_does_not_move(replay):
    frames = clip(replay, plot=("return", "obs[0]"))
    _, edge = tip(frames[11][120:], LIGHT.curves[0])
    before, after = frames[11][:, : int(edge) - 8], frames[-1][:, : int(edge) - 8]
    np.testing.assert_array_equal(before[140:], after[140:])
    assert near(frames[0][120:], LIGHT.curves[0]).sum() < 60 < near(after, LIGHT.curves[0]).sum()


def test_words_and_numbers_can_be_read_at_320_pixels(replay):
    ink = 255 - plotted(clip(replay, plot="return")[0]).astype(np.float64).mean(axis=2)
    missing = {"return", "10", "0"}
    for top, left in itertools.product(range(60), range(0, 25, 2)):
        if not missing:
            break
        area = np.repeat(ink[top : top + 12, left : left + 60, None], 3, axis=2)
        if area.max() > 60:
            area = (area / area.max() * 255).astype(np.uint8)
            missing.discard(read_line(area, 11).split(" ")[0])
    assert not missing


def test_it_begins_with_the_first_step_that_is_shown(replay):
    whole = clip(replay, plot="return")
    part = clip(replay, plot="return", start=6, stop=18, speed=0.5)
    assert len(part) == 23
    first, last = (tip(plotted(part[i]), LIGHT.curves[0])[1] for i in (0, -1))
    assert first < 40
    assert last == pytest.approx(tip(plotted(whole[-1]), LIGHT.curves[0])[1], abs=6)


def test_in_slow_motion_a_curve_grows_evenly_and_waits_between_episodes(replay):
    frames = clip(replay, plot="return", speed=0.25, stop=13)
    columns = np.array([tip(plotted(frame), LIGHT.curves[0])[1] for frame in frames])
    steps = np.diff(columns)
    assert steps[:20].min() > 0.5 * steps[:20].mean()
    assert abs(steps[20:23]).max() < 0.3
    assert steps[23] > 3 * steps[:20].mean()


def test_a_clip_that_goes_back_takes_its_curves_back(replay):
    options = {"plot": ("return", "obs[0]"), "captions": "a caption", "speed": 0.5}
    forwards = clip(replay, **options)
    both = clip(replay, bounce=True, **options)
    np.testing.assert_array_equal(both, [*forwards, *forwards[-2:0:-1]])


def test_in_slow_motion_a_curve_grows_between_steps(replay):
    frames = clip(replay, plot="return", stop=5, speed=0.1, fps=50, width=640, height=480)
    tips = np.array([tip(frame[300:], LIGHT.curves[0]) for frame in frames])
    assert len(frames) > 15
    assert (np.diff(tips[:, 1]) > 2).all()
    assert np.ptp(np.diff(tips[:, 1])) < 8
    assert (np.diff(tips[:, 0]) < 1).all()


def test_episodes_are_apart_and_actions_and_rewards_begin_after_the_first_state(replay):
    still = plotted(clip(replay, plot="reward")[-1])
    assert near(still, LIGHT.episode).sum(axis=0).max() > 30
    # Rewards are 1 to 5: the curve has a gap where a reward of 0 would be.
    gaps = ~near(still, LIGHT.curves[0]).any(axis=0)
    assert 3 <= np.count_nonzero(np.diff(gaps[30:].astype(int)) == 1) <= 5


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e38])
def test_what_is_no_number_is_left_out(replay, bad):
    observations = replay.observations.copy()
    observations[8:16] = bad
    broken = dataclasses.replace(replay, observations=observations)
    whole, gap = (plotted(clip(each, plot="obs")[-1]) for each in (replay, broken))
    seen = near(gap, LIGHT.curves[0]).any(axis=0)
    assert seen[30:100].any()
    assert seen[230:].any()
    assert not seen[140:200].any()
    assert near(whole, LIGHT.curves[0]).any(axis=0)[140:200].mean() > 0.7
    nothing = dataclasses.replace(replay, observations=np.full_like(observations, bad))
    assert not near(plotted(clip(nothing, plot="obs")[-1]), LIGHT.curves[0]).any()


def test_each_number_of_several_has_a_colour_and_a_name(replay):
    several = np.linspace(0, 1, 24)[:, None] + np.arange(MOST_CURVES)
    replay = dataclasses.replace(replay, observations=several)
    still = clip(replay, plot="obs", width=640, height=480)[-1, 330:, 400:600]
    # Half way along the curves, where no letter is.
    rows = [np.median(np.nonzero(near(still, colour))[0]) for colour in LIGHT.curves]
    assert (np.diff(rows) < -5).all()


def test_curves_without_room_for_their_names_are_counted(replay):
    several = np.linspace(0, 1, 24)[:, None] + np.arange(MOST_CURVES)
    replay = dataclasses.replace(replay, observations=several)
    still = plotted(clip(replay, plot="obs", width=160)[-1])
    # Above the curves.
    row = still[:15]
    after = int(np.nonzero(near(row, LIGHT.curves[2]))[1].max())
    ink = 255 - row.astype(np.float64).mean(axis=2)
    found = set()
    for top, left in itertools.product(range(4, 8), range(after + 8, after + 18)):
        area = np.repeat(ink[top:, left:, None], 3, axis=2)
        found.add(read_line((area / area.max() * 255).astype(np.uint8), 11)[-6:])
    assert f"{MOST_CURVES - 3} more" in found


def test_in_a_grid_each_tile_has_a_curve_in_a_colour_that_it_is_marked_with():
    replays = lr.capture(Counting(), steps=12, lanes=2)
    still = clip(replays, plot="obs[0]", labels=("one", "two"))[-1]
    layout = Plots(["obs[0]"], 320, 240, start=0, stop=12, lanes=2)
    left, right = still[: layout.picture_height, :159], still[: layout.picture_height, 161:]
    for tile, own, other in ((left, 0, 1), (right, 1, 0)):
        assert near(tile, LIGHT.curves[own]).sum() > 60
        assert not near(tile, LIGHT.curves[other]).any()
    assert near(still[layout.picture_height :], LIGHT.curves[1]).any()


def test_a_model_has_its_state_and_dark_plots_beside_a_dark_picture():
    simulation = lr.Simulation(mujoco.MjModel.from_xml_string(MODEL))
    replay = lr.capture(simulation, steps=20)
    plots = ("qpos[2]", "ctrl", "action")
    still = clip(replay, plot=plots, width=640, height=480, background="black")[-1]
    np.testing.assert_array_equal(still[-1, 0], DARK.paper)
    assert near(still[240:], DARK.curves[0]).sum() > 100
    haunted = clip(replay, plot=plots, width=640, height=480, background="black", ghost=replay)
    np.testing.assert_array_equal(haunted[-1, 300:], still[300:])
    with pytest.raises(ValueError, match=r"there is no qpos\[99\]: qpos has"):
        clip(replay, plot="qpos[99]")
    with pytest.raises(ValueError, match="no value qpo; did you mean qpos"):
        clip(replay, plot="qpo")
    with pytest.raises(ValueError, match="there is no obs to plot"):
        clip(simulation, plot="obs")


def test_a_clip_that_is_not_known_whole_gets_longer_axes():
    # What paints itself is captured frame by frame.
    steps = np.arange(40)
    replay = lr.capture(Counting(), steps=40)
    replay = dataclasses.replace(replay, observations=(steps**2 / 10.0)[:, None])
    plots = Plots(["obs"], 320, 240, start=0, stop=40)
    composition = Composition(320, 240, 50, plots=plots)
    painted = lr.settings.Picture(width=composition.tile_width, height=composition.tile_height)
    frames = []
    with replay.scene.painter(painted) as painter:
        for start in range(0, 40, 8):
            part = replay[start : start + 8]
            frames += [frame.copy() for frame in composition.frames([painter], [part])]
    rows = [tip(plotted(frame), LIGHT.curves[0])[0] for frame in frames]
    assert len(frames) == 40
    # Full height within the first part, and with room for more thereafter.
    assert rows[7] < min(rows[0], rows[8]) - 10
    known = Plots(["obs"], 320, 240, start=0, stop=40)
    known.take([replay])
    final = known.beside(np.full((known.picture_height, 320, 3), 255, np.uint8), 39)
    assert tip(plotted(final), LIGHT.curves[0])[0] <= rows[-1]


def test_what_paints_itself_has_plots_too():
    still = clip(OwnLook(), steps=8, plot="return")[-1]
    assert near(still, LIGHT.curves[0]).any() or near(still, DARK.curves[0]).any()


def test_both_orders_of_channels_give_one_picture(replay):
    pictures = []
    for channels in (3, 4):
        plots = Plots(["return"], 320, 240, start=0, stop=24)
        plots.take([replay])
        frame = np.full((plots.picture_height, 320, channels), 255, np.uint8)
        pictures.append(plots.beside(frame, 23)[..., :3])
    np.testing.assert_array_equal(pictures[0], pictures[1][..., ::-1])


class Never(Counting):
    """Fails where it is stepped."""

    def transition(self, state, action, *, key):
        raise AssertionError("work was begun")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"plot": "retrun"}, "plot: there is no value retrun; did you mean return?"),
        ({"plot": "qpos"}, "plot: there is no value qpos; there are reward, return, obs, action"),
        ({"plot": "obs[1]"}, "plot: there is no obs.1.: obs is one"),
        ({"plot": "obs[]"}, "plot must be a list, each item a value such as return, obs, obs"),
        ({"plot": ["return"] * 9}, "a picture of 640x480 pixels has no room for 9 plots"),
        ({"plot": "return", "width": 64, "height": 48}, "64x48 pixels has no room for 1 plot"),
        ({"plot": "return", "grid": (3, 3)}, "8 curves at most, and the grid has 9 tiles"),
        ({"plot": "return", "format": "html"}, "plot would make no difference in a page"),
    ],
)
def test_what_cannot_be_plotted_is_said_before_any_work(options, message):
    with pytest.raises(ValueError, match=message):
        lr.record(Never(), **options)


def test_what_a_replay_does_not_know_is_said(replay):
    observations = np.zeros((24, 17))
    wide = dataclasses.replace(replay, observations=observations)
    with pytest.raises(ValueError, match=r"obs is 17 numbers, .* such as obs\[0\] or obs\[0:8\]"):
        clip(wide, plot="obs")
    with pytest.raises(ValueError, match=r"no obs\[9:18\]: obs has 17 numbers, 0 to 16"):
        clip(wide, plot="obs[9:18]")
    with pytest.raises(ValueError, match="each tile has one curve: take one, such as obs"):
        clip([wide, wide], plot="obs[0:2]")
    unknown = lr.capture(Counting(), states=lr.rollout(Counting(), steps=3).states)
    with pytest.raises(ValueError, match="states that were given tell nothing of rewards"):
        clip(unknown, plot="return")


def luminance(colour: tuple[int, int, int]) -> float:
    return float(linear(np.array(colour)) @ [0.2126, 0.7152, 0.0722])


def linear(colours: np.ndarray) -> np.ndarray:
    shares = colours / 255
    return np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)


# As Machado, Oliveira and Fernandes (2009) have it: without red, green and blue cones.
SEEN_BY = {
    "all": np.eye(3),
    "protanopes": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopes": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopes": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


@pytest.mark.parametrize("look", [LIGHT, DARK])
@pytest.mark.parametrize("people", SEEN_BY)
def test_colours_are_told_apart_by_everybody(look: Look, people: str):
    assert len(look.curves) == MOST_CURVES
    seen = np.clip(linear(np.array(look.curves)) @ np.array(SEEN_BY[people]).T, 0, 1)
    encoded = np.where(seen <= 0.0031308, seen * 12.92, 1.055 * seen ** (1 / 2.4) - 0.055)
    lab = rgb2lab(encoded)
    for one, other in itertools.combinations(lab, 2):
        assert deltaE_ciede2000(one, other) > 14
    for colour in (*look.curves, look.number, look.word):
        darker, lighter = sorted((luminance(colour), luminance(look.paper)))
        assert (lighter + 0.05) / (darker + 0.05) > 3
