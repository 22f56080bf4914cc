"""Replays as data: cut, joined, lengthened, counted, sent."""

import dataclasses
import pickle

import numpy as np
import pytest

from lerax_render import Episode, Replay
from lerax_render.paint2d.drawlist import DrawList
from lerax_render.replay import episodes_in, joined, lengthened
from lerax_render.trees import count_bytes, map_arrays, row
from support.bare_scene import BareScene

SCENE = BareScene()


def replay(steps: int = 10, *, start: int = 0) -> Replay:
    """Steps numbered from `start`; every fifth begins an episode, every step earns 1."""
    numbers = np.arange(start, start + steps)
    starts = numbers % 5 == 0
    ends = numbers % 5 == 4
    return Replay(
        SCENE,
        (numbers, {"twice": np.stack([numbers, numbers], axis=1)}),
        0.5,
        np.where(starts, 0, 1).astype(np.float32),
        ends,
        np.zeros_like(ends),
        starts,
        actions=numbers * 10,
        observations=(numbers * 100,),
    )


def numbers(replay: Replay) -> list[int]:
    return replay.captured[0].tolist()


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (slice(2, 5), [2, 3, 4]),
        (slice(None, 3), [0, 1, 2]),
        (slice(7, None), [7, 8, 9]),
        (slice(-2, None), [8, 9]),
        (slice(0, 100), list(range(10))),
        (slice(3, 4, 1), [3]),
    ],
)
def test_a_part_has_those_steps_of_everything(part, expected):
    cut = replay()[part]
    assert numbers(cut) == expected
    assert cut.captured[1]["twice"].tolist() == [[n, n] for n in expected]
    assert cut.actions.tolist() == [10 * n for n in expected]
    assert cut.observations[0].tolist() == [100 * n for n in expected]
    assert cut.episode_starts.tolist() == [n % 5 == 0 for n in expected]
    assert cut.scene is SCENE
    assert cut.seconds_per_step == 0.5


@pytest.mark.parametrize(
    ("part", "error", "message"),
    [
        (3, TypeError, r"such as replay\[10:20\], got 3"),
        (slice(0, 9, 2), ValueError, "stride of 2"),
        (slice(4, 4), ValueError, r"replay\[4:4\] of 10 steps is empty"),
        (slice(20, 30), ValueError, "is empty"),
    ],
)
def test_what_is_no_part_is_an_error(part, error, message):
    with pytest.raises(error, match=message):
        replay()[part]


def test_parts_joined_are_the_whole():
    whole = replay()
    again = joined([whole[:3], whole[3:4], whole[4:]])
    assert numbers(again) == numbers(whole)
    assert again.episodes == whole.episodes
    assert again.actions.tolist() == whole.actions.tolist()


def test_a_replay_can_be_lengthened_by_its_last_step():
    longer = lengthened(replay(4), 7)
    assert numbers(longer) == [0, 1, 2, 3, 3, 3, 3]
    assert longer.rewards.tolist() == [0, 1, 1, 1, 0, 0, 0]
    assert not longer.episode_starts[4:].any()
    assert lengthened(longer, 5) is longer


def test_episodes_are_counted_and_cut_ones_are_told():
    assert replay(12)[2:].episodes == (
        Episode(0, 3, 3.0, 3, False),  # begins before
        Episode(3, 8, 4.0, 4, True),
        Episode(8, 10, 1.0, 1, False),  # goes on after
    )


def test_returns_are_summed_in_double_precision():
    rewards = np.full(1_000_000, 0.1, np.float32)
    (episode,) = episodes_in(rewards, np.zeros(len(rewards), bool), np.zeros(len(rewards), bool))
    assert episode.episode_return == pytest.approx(float(np.float32(0.1)) * len(rewards), rel=1e-9)


def test_of_given_states_no_episodes_are_known():
    bare = Replay(SCENE, np.arange(3))
    assert bare.steps == 3
    assert bare.rewards is None
    with pytest.raises(ValueError, match="captured from given states"):
        bare.episodes  # noqa: B018
    assert bare[1:].captured.tolist() == [1, 2]
    assert joined([bare, bare]).steps == 6


def test_steps_without_a_common_form_are_kept_one_after_another():
    frames = [DrawList(np.arange(n, dtype=np.float32), (), True) for n in (1, 3, 2)]
    uneven = Replay(SCENE, row(frames))
    assert uneven.steps == 3
    assert [len(frame.numbers) for frame in uneven[1:].captured] == [3, 2]
    assert len(joined([uneven, uneven]).captured) == 6
    assert count_bytes(uneven.captured) >= 24 + 3 * 8
    tuples = row([(np.zeros(2), 1), (np.zeros(2), 2)])
    assert tuples.shape == (2,)


def test_a_replay_pickles_and_says_what_it_is():
    sent = pickle.loads(pickle.dumps(replay()))
    assert numbers(sent) == numbers(replay())
    assert sent.scene == SCENE
    assert repr(sent) == "Replay(10 steps, 5 s, 2 episodes)"
    assert repr(dataclasses.replace(sent, rewards=None, seconds_per_step=None)) == (
        "Replay(10 steps)"
    )


def test_static_parts_of_a_tree_stay():
    drawn = DrawList(np.arange(4.0), (), True)
    doubled = map_arrays(lambda array: array * 2, [drawn, None, "text"])
    assert doubled[0].numbers.tolist() == [0, 2, 4, 6]
    assert doubled[0].cleared is True
    assert doubled[1:] == [None, "text"]
    with pytest.raises(TypeError, match="expected arrays in tuples"):
        map_arrays(lambda array: array, object())
