"""Whole episodes: a number of them, and those that are picked out of many."""

import io
import itertools
from collections.abc import Iterator

import gymnasium
import jax
import mujoco
import numpy as np
import pytest
from lerax.env.classic_control import CartPole, Pendulum

import lerax_render as lr
from lerax_render import RenderWarning
from lerax_render.making.counting import Candidates, picked
from lerax_render.making.spool import Spool
from lerax_render.sources import Batch, EpisodeRun
from support.environments import Counting, OwnLook, PythonIf
from support.mjx_environments import Swing

SMALL = {"width": 160, "height": 120}
PICK = ("best", "worst", "median", 17)


@pytest.fixture(scope="module")
def clip() -> lr.Video:
    return lr.record(CartPole(), pick=PICK, of=300, **SMALL, format="apng")


@pytest.fixture(scope="module")
def replays() -> list[lr.Replay]:
    return lr.capture(CartPole(), pick=PICK, of=300)


def earned(replay: lr.Replay) -> float:
    return float(replay.rewards.sum(dtype=np.float64))


def test_what_is_shown_is_what_was_counted(clip, replays):
    episodes = clip.episodes
    assert len(episodes) == len(episodes.lengths) == 300
    assert clip.num_frames == sum(replay.steps for replay in replays)
    for number, replay in zip(episodes.picked, replays, strict=True):
        (episode,) = replay.episodes
        assert episode.is_whole
        assert episode.episode_return == earned(replay) == episodes.returns[number]
        assert episode.length == episodes.lengths[number]
    best, worst, median, given = episodes.picked
    assert given == 17
    assert episodes.returns[best] == episodes.returns.max()
    assert episodes.returns[worst] == episodes.returns.min()
    assert episodes.returns[median] == np.sort(episodes.returns)[::-1][149]
    assert [episodes.ranks[number] for number in (best, median, worst)] == [1, 150, 300]
    assert episodes.returns.std() > 3


def test_frames_are_those_of_the_replays_with_a_label(clip, replays):
    whole = np.concatenate([np.stack(list(lr.render(replay, **SMALL))) for replay in replays])
    shown = clip.frames()
    # The text is at the top, and so is the mark of an episode's end.
    np.testing.assert_array_equal(shown[:, 60:], whole[:, 60:])
    starts = np.cumsum([0, *(replay.steps for replay in replays[:-1])])
    labels = [shown[start, 4:50, 4:120].tobytes() for start in starts]
    assert len(set(labels)) == 4
    assert (shown[starts][:, 4:50, 4:120] > 200).mean(axis=(1, 2, 3)).min() > 0.02
    assert len(np.unique(whole, axis=0)) > 20


def test_in_a_grid_they_lie_side_by_side(replays):
    tiles = lr.record(CartPole(), pick=PICK, of=300, grid=(2, 2), **SMALL, format="apng")
    assert tiles.num_frames == max(replay.steps for replay in replays)
    again = lr.record(
        replays, grid=(2, 2), labels=["a", "b", "c", "d"], **SMALL, format="apng"
    ).frames()
    shown = tiles.frames()
    np.testing.assert_array_equal(shown[:, :40], again[:, :40])
    assert (shown[:, 40:60] != again[:, 40:60]).any()


def test_poses_are_picked_as_well():
    made = lr.record(Swing(), path=None, format="replay", pick=["worst", "best"], of=40)
    low, high = lr.Replay.load(io.BytesIO(made.content))
    worst, best = made.episodes.picked
    assert earned(low) == pytest.approx(made.episodes.returns[worst], abs=1e-9)
    assert earned(high) == pytest.approx(made.episodes.returns[best], abs=1e-9)
    assert earned(low) < earned(high)
    # What is captured is where it was earned: the reward is a function of the pose.
    np.testing.assert_allclose(high.rewards[1:], np.cos(high.captured.qpos[1:, 0]), atol=1e-5)
    assert low.steps == 41


@pytest.mark.parametrize("env", [PythonIf(), OwnLook()])
def test_what_is_drawn_on_the_host_is_drawn_only_where_it_is_picked(env):
    video = lr.record(env, pick=[2], of=5, **SMALL, format="apng")
    assert video.num_frames == 6
    assert len(np.unique(video.frames()[:, 60:], axis=0)) > 3


def test_gymnasiums_episodes_have_the_seeds_that_follow():
    env = gymnasium.make("CartPole-v1", render_mode="rgb_array")
    video = lr.record(env, pick=["best", "worst"], of=6, key=3, **SMALL, format="apng")
    best, worst = video.episodes.picked
    assert video.episodes.returns[best] > video.episodes.returns[worst]
    for number in (best, worst):
        env.reset(seed=3 + number)
        env.action_space.seed(3 + number)
        total, done = 0.0, False
        while not done:
            _, reward, terminated, truncated, _ = env.step(env.action_space.sample())
            total, done = total + reward, terminated or truncated
        assert total == video.episodes.returns[number]
    assert video.num_frames == sum(video.episodes.lengths[[best, worst]] + 1)
    page = lr.record(env, format="html", pick=["best", "worst"], of=6, key=3, **SMALL)
    assert page.episodes.picked == (best, worst)


def test_a_rule_of_the_users_sees_all_of_them():
    seen = []

    def longest(episodes: lr.Episodes) -> list[int]:
        seen.append(episodes)
        return np.argsort(episodes.lengths)[-2:]

    replays = lr.capture(CartPole(), pick=longest, of=300)
    (episodes,) = seen
    assert [replay.steps - 1 for replay in replays] == np.sort(episodes.lengths)[-2:].tolist()
    for wrong in ([], [300], [-1], 5, [0.5], ["best"], None):
        with pytest.raises(ValueError, match="pick must return a list of episodes' numbers, 0 to"):
            lr.capture(CartPole(), pick=lambda _, wrong=wrong: wrong, of=300)


def test_episodes_that_never_end_are_cut_short_and_say_so():
    endless = Counting(10**6)
    with pytest.raises(TypeError):
        lr.record(endless, max_steps=1.5, episodes=1)
    video = lr.record(endless, pick=[0], of=2, max_steps=70, **SMALL, format="apng")
    assert video.num_frames == 71
    assert video.episodes.truncated.tolist() == [True, True]
    assert not lr.record(Counting(5), pick=[0], of=2, **SMALL).episodes.truncated.any()
    (replay,) = lr.capture(endless, pick=["best"], of=2)
    assert replay.steps == 1001
    assert replay.episodes[0].is_whole
    assert replay.truncated[-1]
    # One that ends by itself at the limit is not cut.
    assert not lr.capture(Counting(5), pick=[0], of=2, max_steps=5)[0].truncated.any()


def test_episodes_are_a_length():
    replay = lr.capture(CartPole(), episodes=3, key=4)
    assert len(replay.episodes) == 3
    assert all(episode.is_whole for episode in replay.episodes)
    same = lr.capture(CartPole(), steps=replay.steps, key=4)
    np.testing.assert_array_equal(replay.rewards, same.rewards)
    np.testing.assert_allclose(replay.captured.numbers, same.captured.numbers, atol=1e-6)
    video = lr.record(CartPole(), episodes=3, key=4, **SMALL, format="apng")
    assert video.num_frames == replay.steps
    assert video.episodes is None
    two = lr.record(replay, episodes=2, **SMALL, format="apng")
    np.testing.assert_array_equal(two.frames(), video.frames()[: two.num_frames])
    lanes = lr.capture(CartPole(), episodes=2, lanes=3)
    assert [len(lane.episodes) for lane in lanes] == [2, 2, 2]
    assert len({lane.steps for lane in lanes}) > 1
    tiled = lr.record(CartPole(), episodes=2, grid=(1, 3), **SMALL, format="apng")
    assert tiled.num_frames == max(lane.steps for lane in lanes)
    page = lr.record(CartPole(), episodes=2, grid=(1, 3), format="html")
    assert page.steps == tiled.num_frames


def test_without_compilation_they_are_the_same():
    with jax.disable_jit():
        (replay,) = lr.capture(Counting(3), pick=[1], of=2)
        whole = lr.capture(Counting(10**6), episodes=2, max_steps=3)
    assert replay.rewards.tolist() == [0, 1, 2, 3]
    assert whole.truncated.tolist() == [False, False, False, True] * 2


def test_a_files_episodes_are_picked_from(tmp_path):
    lanes = lr.capture(CartPole(), steps=120, lanes=2)
    file = tmp_path / "two.replay"
    lr.record(lanes, file)
    whole = [episode for lane in lanes for episode in lane.episodes if episode.is_whole]
    assert len(whole) > 4
    video = lr.record(str(file), pick=["best", 1], **SMALL, format="apng")
    assert video.episodes.returns.tolist() == [episode.episode_return for episode in whole]
    assert video.num_frames == max(e.length for e in whole) + whole[1].length + 2
    clip = lr.Clip(env=str(file), pick=("worst",), **SMALL, format="html").record()
    assert clip.steps == min(episode.length for episode in whole) + 1
    with pytest.raises(ValueError, match="has its episodes already: leave of out"):
        lr.record(str(file), pick=["best"], of=3)
    with pytest.raises(ValueError, match=r"pick has episode 99, and there are 0 to"):
        lr.record(str(file), pick=[99])
    with pytest.raises(ValueError, match="has no whole episode"):
        lr.record(lanes[0][:3], pick=["best"])
    with pytest.raises(ValueError, match="episodes is 99, and the replay has"):
        lr.record(lanes, episodes=99)


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"pick": PICK, "of": 3}, "pick names 4 episodes, out of 3: of must be at least as many"),
        ({"pick": [100]}, "pick has episode 100, and there are 0 to 99"),
        ({"pick": ["good"]}, "pick must be a list, each item best, worst, median, or an episode"),
        ({"pick": ["best"], "steps": 5}, "steps is 5, and pick shows whole episodes"),
        ({"episodes": 2, "steps": 5}, "steps is 5, and episodes shows whole episodes"),
        ({"pick": ["best"], "episodes": 5}, "give one of the two"),
        ({"of": 5}, "of is 5, and there is no pick"),
        ({"max_steps": 5}, "max_steps is 5, and cuts whole episodes"),
        ({"pick": PICK, "grid": (1, 2)}, "a grid of 1x2 has no room for 4 episodes"),
        ({"pick": PICK, "labels": ["a"]}, "labels must be one for each of 4 episodes"),
        ({"pick": PICK, "grid": (2, 2), "format": "html"}, "have no grid in a page"),
        ({"pick": PICK, "overlay": True, "format": "html"}, "overlay would make no difference"),
        ({"pick": PICK, "camera": "side"}, "has no camera to choose"),
        ({"pick": PICK, "path": "nowhere/x.mp4"}, "does not exist"),
        ({"pick": PICK, "policy": [None, None]}, "among the episodes of one policy, and 2"),
        ({"pick": ["best"], "grid": (1, 2), "policy": [None, None]}, "of one policy, and 2"),
        ({"pick": PICK, "format": "glb"}, "only MuJoCo environments"),
        ({"pick": PICK, "start": 4004}, "start is step 4004, and what is shown has 4004 steps"),
        ({"pick": PICK, "start": 10, "max_steps": 9, "grid": (2, 2)}, "has 10 steps at most"),
        ({"pick": ["best"], "start": 30.0}, "is step 1500, and what is shown has 1001 steps"),
        ({"episodes": 2, "start": 30, "max_steps": 9}, "has 20 steps at most"),
    ],
)
def test_mistakes_are_said_before_any_episode_is_run(wish, message, monkeypatch):
    monkeypatch.setattr(Candidates, "__init__", lambda *_: pytest.fail("episodes were run"))
    with pytest.raises((ValueError, TypeError, lr.UnsupportedEnvError), match=message):
        lr.record(CartPole(), **{**SMALL, **wish})


def test_a_simulation_has_no_episodes():
    simulation = lr.Simulation(mujoco.MjModel.from_xml_string("<mujoco/>"))
    with pytest.raises(lr.UnsupportedEnvError, match="a Simulation never ends and earns nothing"):
        lr.capture(simulation, episodes=2)


def test_a_clip_may_begin_with_the_last_state_of_its_episodes():
    clip = lr.record(Pendulum(), episodes=2, max_steps=3, start=7, **SMALL)
    assert clip.num_frames == 1


def test_a_clip_that_goes_on_after_its_episodes_ends_with_them(replays):
    longest = max(replay.steps for replay in replays)
    with pytest.warns(RenderWarning, match=f"what is shown has {longest} steps, fewer than stop"):
        cut = lr.record(CartPole(), pick=PICK, of=300, grid=(2, 2), start=3, stop=900, **SMALL)
    assert cut.num_frames == longest - 3


def test_a_label_of_ones_own_and_an_overlay_stay(replays):
    own = lr.record(
        CartPole(), pick=PICK, of=300, labels=["a", "b", "c", "d"], overlay="step", **SMALL
    )
    assert own.num_frames == sum(replay.steps for replay in replays)


@pytest.mark.parametrize("pick", [("best",), ("worst", "median"), (3, "best"), lambda _: [0]])
def test_any_batches_are_counted_and_only_what_may_be_picked_is_kept(pick):
    random = np.random.default_rng(0)
    for _ in range(30):
        lanes = int(random.integers(1, 6))
        count = int(random.integers(max(lanes, 4), 30))
        expected: dict[int, tuple[list[float], bool]] = {}
        with Spool() as spool:
            run = EpisodeRun(
                lanes,
                random_batches(random, lanes, count, expected),
                lambda pieces: np.concatenate([p.content[p.part, p.lane] for p in pieces]),
            )
            candidates = Candidates(run, count, pick, spool)
            episodes = candidates.episodes
            assert len(expected) == count
            for number, (rewards, truncated) in expected.items():
                assert episodes.returns[number] == pytest.approx(sum(rewards), abs=1e-5)
                assert episodes.lengths[number] == len(rewards) - 1
                assert episodes.truncated[number] == truncated
            for number in picked(episodes, pick):
                np.testing.assert_array_equal(candidates.replay(number), expected[number][0])


def test_what_can_no_longer_be_picked_leaves_the_disk():
    def batches() -> Iterator[Batch]:
        for number in range(50):
            rewards = np.zeros((4, 1), np.float32)
            rewards[2] = -abs(number - 20)
            ends = np.array([[False], [False], [False], [True]])
            yield Batch(rewards, ends, np.zeros_like(ends), np.full(100_000, number))
            left.append(sum(file.stat().st_size > 10_000 for file in spool._folder.path.iterdir()))

    for pick, most in ((["best"], 1), (["best", "worst", 30], 3), (["median"], 26)):
        left: list[int] = []
        with Spool() as spool:
            run = EpisodeRun(1, batches(), lambda pieces: pieces[0].content)
            candidates = Candidates(run, 50, pick, spool)
            # The one under way is there, too.
            assert max(left) <= most + 1
            (number, *_) = picked(candidates.episodes, pick)
            found = candidates.replay(number)
        assert set(found) == {number}, "an array stays whole when its file is gone"


def random_batches(
    random: np.random.Generator, lanes: int, count: int, expected: dict
) -> Iterator[Batch]:
    rewards: list[list[float]] = [[] for _ in range(lanes)]
    numbers = list(range(lanes))
    while any(number < count for number in numbers):
        length = int(random.integers(1, 9))
        values = random.normal(size=(length, lanes)).astype(np.float32)
        ends = random.random((length, lanes)) < 0.25
        truncated = ends & (random.random((length, lanes)) < 0.3)
        for lane, t in itertools.product(range(lanes), range(length)):
            rewards[lane].append(values[t, lane])
            if ends[t, lane]:
                if numbers[lane] < count:
                    expected[numbers[lane]] = (rewards[lane], truncated[t, lane])
                rewards[lane], numbers[lane] = [], numbers[lane] + lanes
        yield Batch(values, ends & ~truncated, truncated, values)
