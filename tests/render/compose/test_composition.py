"""What happens to frames between painting and encoding, with real clips of a known environment."""

from collections.abc import Iterator
from fractions import Fraction

import equinox as eqx
import jax
import numpy as np
import pytest
from jax import numpy as jnp
from lerax.env.classic_control import CartPole
from lerax.policy import MLPActorCriticPolicy

from lerax_render import record
from lerax_render.compose.composition import Composition
from lerax_render.compose.overlay import StepInfo
from lerax_render.compose.text import text_mask
from lerax_render.painter import Painter
from lerax_render.replay import Replay
from support.bare_scene import BareScene
from support.environments import Counting, Metronome
from support.read_text import read_line


class Grey(Painter):
    """Paints a state as that grey, and counts what it paints."""

    def __init__(self, width: int, height: int) -> None:
        self.size = (height, width, 3)
        self.painted: list[int] = []

    def paint(self, captured: np.ndarray) -> Iterator[np.ndarray]:
        for value in captured.tolist():
            self.painted.append(value)
            yield np.full(self.size, value, np.uint8)


SCENE = BareScene()


def parts(*lengths: int, tiles: int | None = None, episode: int = 5) -> Iterator[list[Replay]]:
    """Steps numbered from 0; the reward is 1 and every fifth step ends an episode."""
    start = 0
    for length in lengths:
        steps = np.arange(start, start + length)
        start += length
        starts = steps % episode == 0
        ends = steps % episode == episode - 1
        rewards = np.where(starts, 0.0, 1.0)
        yield [
            Replay(SCENE, steps + 100 * i, None, rewards, ends, np.zeros_like(ends), starts)
            for i in range(tiles or 1)
        ]


def shown(composition: Composition, painter: Grey, *lengths: int, tiles=None) -> list[np.ndarray]:
    return [
        frame.copy()
        for lanes in parts(*lengths, tiles=tiles)
        for frame in composition.frames([painter] * len(lanes), lanes)
    ]


def greys(frames: list[np.ndarray]) -> list[int]:
    return [int(frame[-1, -1, 0]) for frame in frames]


def pushing(action: int) -> MLPActorCriticPolicy:
    """A policy for CartPole whose most likely action is always this one."""
    policy = MLPActorCriticPolicy(CartPole(), feature_size=4, key=jax.random.key(0))
    bias = jnp.full(2, -1000.0).at[action].set(1000.0)
    return eqx.tree_at(lambda p: p.action_head.action_dist.mapping.bias, policy, bias)


def cart(tile: np.ndarray) -> float:
    """The column that CartPole's black cart is in; the rail is black, too, but thin."""
    dark = (tile[: tile.shape[0] * 7 // 8] < 40).all(axis=2).sum(axis=0)
    return float(np.flatnonzero(dark > 4).mean())


def frame_tiles(frame: np.ndarray, columns: int) -> list[np.ndarray]:
    """The cells of a grid of one row, without its gaps."""
    gap = max(1, round(min(frame.shape[:2]) / 240))
    width = (frame.shape[1] - (columns - 1) * gap) // columns
    left = (frame.shape[1] - columns * width - (columns - 1) * gap) // 2
    return [frame[:, left + i * (width + gap) :][:, :width] for i in range(columns)]


def test_nothing_to_do():
    painter = Grey(40, 30)
    frames = shown(Composition(40, 30, 50), painter, 4, 3)
    assert greys(frames) == list(range(7))


@pytest.mark.parametrize(
    ("fps", "max_fps", "expected"),
    [
        (50, 20, [0, 3, 5, 8, 10]),
        (50.0, 25, list(range(0, 12, 2))),
        (Fraction(100, 3), Fraction(100, 3), list(range(12))),
        (10, 20, list(range(12))),
        (60, 20, [0, 3, 6, 9]),
        (1000, 20, [0]),
    ],
)
@pytest.mark.parametrize("lengths", [(12,), (5, 7), (1,) * 12])
def test_steps_that_come_too_fast_are_left_out_before_they_are_painted(
    fps, max_fps, expected, lengths
):
    composition = Composition(40, 30, fps, max_fps=max_fps)
    painter = Grey(40, 30)
    frames = shown(composition, painter, *lengths)

    assert len(frames) == len(expected)
    assert greys(frames) == painter.painted
    assert all(abs(a - b) <= 1 for a, b in zip(painter.painted, expected, strict=True))
    assert painter.painted[0] == 0
    assert composition.fps == min(fps, max_fps)


def test_what_is_written_counts_all_steps():
    seen: list[StepInfo] = []

    def line(info: StepInfo) -> str:
        seen.append(info)
        return ""

    composition = Composition(40, 30, 50, [line], max_fps=10)
    frames = shown(composition, Grey(40, 30), 8, 4)

    assert [info.step for info in seen] == greys(frames) == [0, 5, 10]
    assert [info.episode for info in seen] == [1, 2, 3]
    assert seen[1].time == pytest.approx(0.1)


def test_an_end_between_two_frames_is_marked():
    composition = Composition(40, 30, 50, [lambda info: ""], max_fps=10)
    frames = shown(composition, Grey(40, 30), 12)
    marked = [bool((frame[0, :, 0] != frame[-1, 0, 0]).any()) for frame in frames]
    assert marked == [False, True, True]


def test_tiles_are_painted_in_turn_and_counted_by_themselves():
    returns: list[float] = []

    def line(info: StepInfo) -> str:
        returns.append(info.episode_return)
        return ""

    composition = Composition(83, 60, 50, [line], grid=(1, 2))
    frames = shown(composition, Grey(composition.tile_width, composition.tile_height), 3, tiles=2)

    assert composition.tiles == 2
    assert [(int(f[-1, 0, 0]), int(f[-1, -1, 0])) for f in frames] == [(0, 100), (1, 101), (2, 102)]
    assert returns == [0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize("shared", [True, False])
def test_lanes_may_share_a_painter_or_have_their_own(shared):
    composition = Composition(81, 60, 50, grid=(1, 2), max_fps=25)
    size = (composition.tile_width, composition.tile_height)
    painters = [Grey(*size)] * 2 if shared else [Grey(*size), Grey(*size)]
    frames = [
        frame.copy()
        for lanes in parts(3, 3, tiles=2)
        for frame in composition.frames(painters, lanes)
    ]

    assert [(int(f[-1, 0, 0]), int(f[-1, -1, 0])) for f in frames] == [(0, 100), (2, 102), (4, 104)]
    assert painters[0].painted == ([0, 100, 2, 102, 4, 104] if shared else [0, 2, 4])


def test_a_grid_at_a_lower_rate():
    composition = Composition(80, 60, 50, ["step"], grid=(1, 2), max_fps=25)
    painter = Grey(composition.tile_width, composition.tile_height)
    frames = shown(composition, painter, 1, 5, tiles=2)
    assert painter.painted == [0, 100, 2, 102, 4, 104]
    assert len(frames) == 3


def test_labels_need_a_grid():
    with pytest.raises(ValueError, match="labels name the tiles of a grid, and there is no grid"):
        Composition(64, 48, 50, labels=["a"])


def test_tiles_have_seeds_of_their_own_and_restart_by_themselves():
    counts: dict[int, list[int]] = {}

    def line(info: StepInfo) -> str:
        counts.setdefault(info.step, []).append(info.episode)
        return ""

    video = record(
        CartPole(),
        steps=64,
        width=320,
        height=60,
        grid=(1, 4),
        overlay=[line],
        format="apng",
    )
    tiles = [frame_tiles(frame, 4) for frame in video.frames()]

    assert len({tile.tobytes() for tile in tiles[0]}) == 4
    # Steps at which each tile's second episode begins, by its text and by its picture.
    episodes = np.array(list(counts.values()))
    seconds = [int(np.argmax(episodes[:, i] == 2)) for i in range(4)]
    assert min(seconds) > 5
    assert len(set(seconds)) > 1
    for i, step in enumerate(seconds):
        before, first, then = (tiles[t][i].astype(int) for t in (step - 1, step, step + 1))
        # The pole, which has fallen, is up again.
        assert np.abs(first - before).sum() > 2 * np.abs(then - first).sum()


def test_policies_of_a_grid_act_each_in_its_tile():
    video = record(
        CartPole(),
        [pushing(1), pushing(0), pushing(1)],
        steps=8,
        width=960,
        height=240,
        grid=(1, 3),
        labels=["right", "left", "right too"],
        deterministic=True,
        format="apng",
    )
    first, *_, last = (frame_tiles(frame, 3) for frame in video.frames())
    moved = [cart(after) - cart(before) for before, after in zip(first, last, strict=True)]

    assert moved[0] > 3
    assert moved[1] < -3
    assert moved[2] > 3
    pixels = 240 // 14
    for tile, text in zip(last, ("right", "left", "right too"), strict=True):
        mask = text_mask(text, pixels)
        left = (tile.shape[1] - mask.shape[1]) // 2
        strip = tile[-mask.shape[0] - 2 :, left : left + mask.shape[1] + 2]
        assert read_line(strip, pixels) == text


def test_a_restart_is_of_the_tile_alone():
    returns: dict[int, list[str]] = {}

    def line(info: StepInfo) -> str:
        returns.setdefault(info.step, []).append(f"{info.episode}:{info.episode_return:g}")
        return ""

    video = record(
        Counting(3), steps=6, width=200, height=100, grid=(2, 2), overlay=[line], format="apng"
    )

    assert video.frames().shape == (6, 100, 200, 3)
    assert video.frames().std() > 20
    # Counting's reward is its count: 1, 2, 3, and then a new episode.
    assert returns[3] == ["1:6"] * 4
    assert returns[4] == ["2:0"] * 4


def test_several_policies_need_a_grid():
    env = Counting(5)
    policies = [Metronome(env), Metronome(env)]
    with pytest.raises(ValueError, match=r"2 policies were given, .* as many tiles of a grid"):
        record(env, policies, steps=3)
