"""Whole episodes that are run beside a training, and those of them that are recorded."""

import warnings

import numpy as np
import pytest
from jax import numpy as jnp

from lerax_log import LoggingCallback
from lerax_log.recordings import EvalOptions, Template, recording
from lerax_log.recordings.evaluating import scores_of
from lerax_render import Replay
from lerax_render.compose.text import LEAST_PIXELS, text_mask
from lerax_render.export import load_replays
from lerax_render.making import film_recording, parts_of
from lerax_render.runs import RunFolder
from lerax_render.settings import from_written
from support.environments import Counting, Invisible, Metronome
from support.read_text import read_line
from support.trainings import (
    ITERATIONS,
    STEPS_AN_ITERATION,
    GifMemory,
    Memory,
    Mp4Memory,
    Training,
    assert_same_policy,
)

SMALL = {"video_num_steps": 12, "video_width": 96, "video_height": 64}
TAGS = [f"eval/{what}{of}" for what in ("return", "length") for of in ("", "_std", "_min", "_max")]


class Uneven(Counting):
    """An episode has 3 to 7 steps, by chance, and earns 1 + 2 + 3 and so on."""

    name = "Uneven"

    def terminal(self, state, *, key):
        return state.count >= 3 + jnp.floor(5 * state.start)


@pytest.fixture(scope="module")
def uneven() -> Training:
    return Training(Uneven())


def evaluated(memory: Memory, name: str | None = None) -> dict[int, dict[str, float]]:
    values = {tag: dict(memory.scalars(tag, name)) for tag in [*TAGS, "eval/truncated"]}
    steps = values["eval/return"].keys()
    return {step: {tag: values[tag][step] for tag in values} for step in steps}


def test_whole_episodes_are_counted_beside_the_training(uneven):
    memory = Memory()
    options = {"eval_episodes": 40, "eval_interval": 3}
    with LoggingCallback(memory, **options) as callback:
        assert_same_policy(uneven(callback), uneven())
    found = evaluated(memory)
    assert list(found) == [0, 3 * STEPS_AN_ITERATION, ITERATIONS * STEPS_AN_ITERATION]
    for values in found.values():
        # Of forty, some are as short and as long as there are.
        assert (values["eval/length_min"], values["eval/length_max"]) == (3, 7)
        assert (values["eval/return_min"], values["eval/return_max"]) == (6, 28)
        assert 4 < values["eval/length"] < 6
        assert 1 < values["eval/length_std"] < 2
        assert values["eval/truncated"] == 0
    assert len({values["eval/return"] for values in found.values()}) > 1
    assert memory.videos() == []


def test_with_a_seed_they_are_the_same_episodes_each_time(uneven):
    memory = Memory()
    with LoggingCallback(memory, eval_episodes=9, eval_interval=2, eval_seed=3) as callback:
        uneven(callback)
    found = list(evaluated(memory).values())
    assert len(found) > 2
    assert all(values == found[0] for values in found)


def test_an_environment_of_its_own_without_pictures_and_a_limit():
    memory = Memory()
    options = {"eval_episodes": 5, "eval_interval": 3, "eval_max_steps": 6}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with LoggingCallback(memory, eval_env=Invisible(100), **options) as callback:
            Training()(callback)
    for values in evaluated(memory).values():
        assert values["eval/truncated"] == 1
        assert values["eval/length"] == values["eval/length_max"] == 6
        assert values["eval/return"] == 21


def test_what_is_recorded_is_what_was_counted(uneven, tmp_path):
    gif, mp4 = GifMemory(), Mp4Memory()
    options = {"eval_episodes": 30, "video_interval": 3, "video_pick": "worst median best"}
    with LoggingCallback([gif, mp4], name="run", **options, **SMALL) as callback:
        uneven(callback)
    for step, values in evaluated(gif).items():
        replay = Replay.load(tmp_path / f"logs/run/replays/step_{step:09d}.replay")
        worst, median, best = replay.episodes
        assert worst.episode_return == values["eval/return_min"]
        assert best.episode_return == values["eval/return_max"]
        assert worst.episode_return <= median.episode_return <= best.episode_return
        assert replay.origin.training_step == step
        video = dict(mp4.videos())[step]
        assert video.num_frames == replay.steps
        assert len(np.unique(video.frames()[:, 30:], axis=0)) > 3
    assert len(evaluated(gif)) == len(gif.videos()) == 3


def test_evaluations_explore_unless_told_not_to():
    class Explores(Metronome):
        def __call__(self, state, observation, *, key=None, action_mask=None):
            return state, jnp.asarray(0 if key is None else 2)

    class Pays(Counting):
        def reward(self, state, action, next_state, *, key):
            return action.astype(float)

    env = Pays()
    policy = Explores(env)
    for deterministic in (False, True):
        for pick in ((), ("best",)):
            options = EvalOptions(4, 1, deterministic, 100, None, pick)
            template = Template(env, policy, records=False, evaluation=options)
            snapshot = template.snapshot(template.skeleton.arrays((env, policy, None)), 0, 1)
            counted = recording.evaluate(snapshot)
            assert scores_of(counted.episodes)["eval/return"] == (0 if deterministic else 10)
            assert len(counted.replays) == len(pick)


def test_what_a_clip_cuts_off_has_a_tag_of_its_own():
    memory = GifMemory()
    with LoggingCallback(memory, video_interval=3, **SMALL) as callback:
        Training(Counting(100))(callback)
    assert memory.scalars("eval/return") == memory.scalars("eval/length") == []
    # 1 + 2 + ... + 11, in twelve steps.
    assert {value for _, value in memory.scalars("eval/clip_return")} == {66}
    assert len(memory.videos()) == 3


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"eval_episodes": 0, "eval_interval": 1}, "eval_episodes must be a whole number, 1 to"),
        ({"eval_episodes": 5}, "eval_episodes is 5: give eval_interval"),
        ({"eval_interval": 5}, "eval_interval is about evaluations: give eval_episodes"),
        ({"eval_seed": 0}, "eval_seed is about evaluations: give eval_episodes"),
        ({"video_interval": 1, "video_pick": "best"}, "video_pick is about evaluations"),
        (
            {"eval_episodes": 2, "eval_interval": 2, "video_interval": 1, "video_pick": "best"},
            "leave eval_interval out",
        ),
        (
            {
                "eval_episodes": 3,
                "video_interval": 1,
                "video_pick": "best worst",
                "video_grid": (1, 1),
            },
            "a grid of 1x1 has no room for 2 episodes",
        ),
        (
            {"eval_episodes": 2, "video_interval": 1, "video_pick": "best worst 0"},
            "pick names 3 episodes, out of 2",
        ),
        ({"eval_episodes": 2, "video_interval": 1, "video_pick": "top"}, "video_pick must be a li"),
        ({"eval_episodes": 2, "eval_interval": 1, "eval_env": Counting}, "Counting is a class"),
    ],
)
def test_mistakes_are_said_when_the_callback_is_made(wish, message):
    with pytest.raises((ValueError, TypeError), match=message):
        LoggingCallback(Memory(), **wish)


def test_an_evaluation_compiles_once(uneven, compilations):
    options = {"eval_episodes": 6, "eval_interval": 2}
    with LoggingCallback(Memory(), **options) as callback:
        uneven(callback)
    compilations.clear()
    with LoggingCallback(Memory(), **options) as callback:
        uneven(callback)
    assert compilations == []


@pytest.mark.parametrize("grid", [None, (2, 2)])
def test_what_was_picked_is_named_in_the_clip(uneven, tmp_path, grid):
    options = {"eval_episodes": 8, "video_interval": ITERATIONS, "video_pick": "worst best 5"}
    size = {"video_width": 320, "video_height": 240, "video_grid": grid}
    with LoggingCallback(Memory(), name="run", **options, **size) as callback:
        uneven(callback)
    settings = from_written(RunFolder(tmp_path / "logs/run").facts.clip)
    assert (settings.pick, settings.of) == (("worst", "best", 5), 8)
    replays = load_replays(tmp_path / "logs/run/replays/step_000000000.replay")
    scenes = [lane.scene for lane in replays]
    (made, _) = film_recording(scenes, parts_of(replays), 7, settings, {"apng": None})
    frames = made["apng"].frames()
    height = text_mask("x", LEAST_PIXELS).shape[0]
    if grid is None:
        # The third line of each episode's first frame.
        top = LEAST_PIXELS // 2 + LEAST_PIXELS // 4 + 2 * height
        starts = [each.start for each in replays[0].episodes]
        areas = [frames[at, top : top + height, : LEAST_PIXELS * 7] for at in starts]
    else:
        # The lower edges of the tiles that have an episode.
        tiles = [frames[0, :119, :159], frames[0, :119, 160:], frames[0, 120:239, :159]]
        areas = [tile[-height - 2 :] for tile in tiles]
    for area, name in zip(areas, ["worst of 8", "best of 8", "episode 5"], strict=True):
        assert name in readings(area)


def readings(area: np.ndarray) -> set[str]:
    """What is written in light letters on a dark ground, wherever it begins."""
    is_dark = np.median(area.max(axis=2), axis=0) < 150
    first = int(np.flatnonzero((area.min(axis=2) > 150).any(axis=0) & is_dark)[0])
    return {read_line(area[:, left:], LEAST_PIXELS) for left in range(max(0, first - 4), first + 1)}
