"""Drawings that are not cleared: each frame shows what was drawn in those before it."""

import dataclasses
import pickle

import equinox as eqx
import numpy as np
import pygame
import pytest
from jax import numpy as jnp

from lerax_render import Replay, capture, record, render
from lerax_render.compose import Composition
from lerax_render.making import parts_of
from lerax_render.settings import Picture
from support.environments import Counting, Mosaic, OwnLook

SIZE = {"width": 200, "height": 100}
STEPS = 70  # more than a part


class Trail(Counting):
    """Leaves a circle in each step, and never clears the picture."""

    def render(self, state, renderer):
        x = 0.5 + state.count % 16 / 2
        renderer.draw_circle(jnp.stack([x, (state.start - 0.5) * 3]), 0.3, self.colour)
        renderer.draw()

    @property
    def colour(self):
        from lerax.render import RED

        return RED


class TrailOfAnEpisode(Trail):
    """Clears the picture when an episode begins, which Python decides."""

    def render(self, state, renderer):
        if state.count == 0:
            renderer.clear()
        super().render(state, renderer)


class TrailThroughACamera(Trail):
    """By another transform, for every second circle."""

    def render(self, state, renderer):
        offset = renderer.transform.offset + jnp.array([0.0, 15.0])
        if state.count % 2 == 0:
            renderer = eqx.tree_at(lambda r: r.transform.offset, renderer, offset)
        super().render(state, renderer)


KINDS = [Trail, TrailOfAnEpisode, TrailThroughACamera]


@pytest.fixture(scope="module", params=KINDS)
def replay(request) -> Replay:
    return capture(request.param(30), steps=STEPS)


@pytest.fixture(scope="module")
def frames(replay) -> np.ndarray:
    """The whole clip."""
    return np.stack(list(render(replay, **SIZE)))


def drawn(frame) -> int:
    return int((frame[..., 1] < 128).sum())


def test_circles_stay(frames):
    marks = [drawn(frame) for frame in frames[:16]]
    assert marks[0] > 50
    assert np.diff(marks).min() > 10


@pytest.mark.parametrize(
    ("start", "stop"), [(0, 5), (7, 12), (20, 40), (31, 33), (66, 70), (62, 66)]
)
def test_a_part_of_a_replay_shows_the_circles_before_it(replay, frames, start, stop):
    part = pickle.loads(pickle.dumps(replay[start:stop]))
    np.testing.assert_array_equal(list(render(part, **SIZE)), frames[start:stop])
    again = part[1:]
    np.testing.assert_array_equal(list(render(again, **SIZE)), frames[start + 1 : stop])


@pytest.mark.parametrize("share", [0.9, 0.4, 0.03])
def test_circles_of_steps_without_a_frame_are_there(replay, frames, share):
    """As under a preset that shows fewer frames a second than there are steps."""
    composition = Composition(200, 100, 100, max_fps=round(100 * share))
    with replay.scene.painter(Picture(**SIZE)) as painter:
        shown = [
            frame for part in parts_of([replay]) for frame in composition.frames([painter], part)
        ]
    which = np.arange(STEPS)[np.diff(np.ceil(np.arange(STEPS + 1) * share)) > 0]
    np.testing.assert_array_equal(shown, frames[which])


def test_a_preset_keeps_them():
    clip = record(Trail(30), preset="docs", steps=STEPS, **SIZE)
    assert clip.num_frames < STEPS / 2
    whole = list(render(capture(Trail(30), steps=STEPS), **SIZE))
    # The last step that is shown may be some steps before the last.
    assert drawn(clip.frames()[-1]) > 0.95 * drawn(whole[-4])


@pytest.mark.parametrize("kind", KINDS)
def test_tiles_show_their_own_circles(kind):
    lanes = capture(kind(30), steps=40, lanes=2)
    for max_fps in (100, 30):
        composition = Composition(200, 100, 100, grid=(1, 2), max_fps=max_fps)
        size = {"width": composition.tile_width, "height": composition.tile_height}
        alone = [list(render(lane, **size)) for lane in lanes]
        painters = [lane.scene.painter(Picture(**size)) for lane in lanes]
        shown = [f.copy() for part in parts_of(lanes) for f in composition.frames(painters, part)]
        last = 39 if max_fps == 100 else 36
        width = composition.tile_width
        np.testing.assert_array_equal(shown[-1][:, :width], alone[0][last])
        np.testing.assert_array_equal(shown[-1][:, width + 1 : 2 * width + 1], alone[1][last])
        assert (alone[0][last] != alone[1][last]).any()


def test_clips_that_go_back_take_circles_away(replay, frames):
    both = record(replay, bounce=True, format="apng", **SIZE).frames()
    np.testing.assert_array_equal(both, [*frames, *frames[-2:0:-1]])


@pytest.mark.parametrize("start", [0, 5])
def test_in_slow_motion_circles_are_drawn_once(replay, frames, start):
    slow = record(replay, speed=0.5, start=start, format="apng", **SIZE).frames()
    np.testing.assert_array_equal(slow[::2], frames[start:])
    np.testing.assert_array_equal(slow[1::2], frames[start:-1])


def test_a_replay_that_is_over_stays_as_it_is(replay, frames):
    tiles = record([replay, replay[:10]], grid=(1, 2), width=401, height=100, format="apng")
    last = tiles.frames()[-1]
    np.testing.assert_array_equal(last[:, -200:], frames[9])
    np.testing.assert_array_equal(last[:, :200], frames[-1])


def test_parts_that_begin_with_a_clear_stay_as_they_were(replay):
    """Nothing is taken along that nobody sees."""
    scene = dataclasses.replace(replay.scene)
    captured = capture(TrailOfAnEpisode(30), steps=STEPS).captured
    assert scene.cut(captured, 31, 40)[0] is captured[31]


class OnTheDisplay(Mosaic):
    """Draws on pygame's display, whichever that is, and reads it."""

    def open(self):
        super().open()
        pygame.display.set_mode((60, 30)).fill((255, 255, 255))

    def as_array(self):
        return pygame.surfarray.array3d(pygame.display.get_surface()).transpose(1, 0, 2)


class DrawnOnTheDisplay(OwnLook):
    def default_renderer(self):
        return OnTheDisplay()

    def render(self, state, renderer):
        box = (6 * int(state.count), int(25 * state.start), 5, 5)
        pygame.display.get_surface().fill((255, 0, 0), box)


def test_tiles_of_renderers_that_draw_on_the_display_show_their_own():
    size = {"grid": (1, 2), "width": 121, "height": 30}
    tiles = record(DrawnOnTheDisplay(20), steps=5, key=1, format="apng", **size)
    last = tiles.frames()[-1]
    for tile in (last[:, :60], last[:, 61:]):
        assert (tile == (255, 0, 0)).all(axis=2).sum() == 5 * 25
    assert (last[:, :60] != last[:, 61:]).any()


def test_any_step_can_be_picked_and_shows_what_was_drawn_before():
    replay = capture(Trail(), steps=6)
    which = np.array([4, 0, 4])
    picked = replay.scene.picked(replay.captured, which)
    with replay.scene.painter(Picture(**SIZE)) as painter:
        shown = [frame.copy() for frame in painter.paint(picked)]
    frames = list(render(replay, **SIZE))
    for step, frame in zip(which, shown, strict=True):
        np.testing.assert_array_equal(frame, frames[step])
    assert not np.array_equal(frames[0], frames[4])
