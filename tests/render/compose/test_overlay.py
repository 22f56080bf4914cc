"""Text on frames, read back from their pixels."""

import numpy as np
import pytest
from PIL import Image

from lerax_render import record
from lerax_render.compose.overlay import LINES, FrameInfos, Overlay, StepInfo
from lerax_render.compose.text import text_mask
from lerax_render.paint2d.pygame_import import pygame
from lerax_render.replay import Replay
from support.bare_scene import BareScene
from support.environments import Counting
from support.paths import ROOT
from support.read_text import read_line

REFERENCE = ROOT / "assets" / "reference" / "overlay.png"
INFO = StepInfo(1234, 24.68, -0.5, 907.1, 3, False)
ALL = ("step 1234", "time 24.68 s", "reward -0.5", "return 907.1", "episode 3")


def ground(value: int, height: int = 240) -> np.ndarray:
    return np.full((height, height * 4 // 3, 3), value, np.uint8)


def box(before: np.ndarray, after: np.ndarray) -> tuple[slice, slice]:
    """The rectangle that the overlay has changed."""
    changed = (before != after).any(axis=2)
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    assert rows.size, "nothing was written"
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def lines_in(before: np.ndarray, after: np.ndarray, count: int, pixels: int) -> list[str]:
    area = after[box(before, after)]
    margin, step = pixels // 4, text_mask("x", pixels).shape[0]
    return [
        read_line(area[margin + i * step : margin + (i + 1) * step, margin:], pixels)
        for i in range(count)
    ]


@pytest.mark.parametrize(("height", "pixels"), [(120, 11), (480, 22)])
@pytest.mark.parametrize("value", [10, 140, 255])
def test_all_lines_can_be_read_on_any_ground(value, height, pixels):
    before = ground(value, height)
    after = Overlay(list(LINES), height).draw(before, INFO)

    assert lines_in(before, after, len(ALL), pixels) == list(ALL)


@pytest.mark.parametrize("value", [0, 128, 255])
def test_the_contrast_is_that_of_a_book(value):
    before = ground(value)
    after = Overlay(True, 240).draw(before, INFO)
    area = after[box(before, after)] / 255
    dark, light = np.median(area), area.max()

    def luminance(level):
        return level / 12.92 if level <= 0.04045 else ((level + 0.055) / 1.055) ** 2.4

    # The contrast ratio of WCAG 2, which asks for 4.5.
    assert (luminance(light) + 0.05) / (luminance(dark) + 0.05) >= 4.5


def test_the_text_grows_with_the_picture():
    def size(height):
        before = ground(0, height)
        rows, _ = box(before, Overlay(["step"], height).draw(before, INFO))
        return rows.stop - rows.start

    assert size(960) / size(480) == pytest.approx(2, rel=0.1)


def test_the_picture_shows_through_and_is_not_changed_itself():
    before = np.random.default_rng(0).integers(0, 256, (240, 320, 3)).astype(np.uint8)
    kept = before.copy()
    after = Overlay(True, 240).draw(before, INFO)

    np.testing.assert_array_equal(before, kept)
    area = box(before, after)
    assert after[area].std() > 20
    outside = np.ones((240, 320), bool)
    outside[area] = False
    np.testing.assert_array_equal(after[outside], before[outside])


def test_both_orders_of_bytes_look_the_same():
    rgb = np.random.default_rng(0).integers(0, 256, (240, 320, 3)).astype(np.uint8)
    bgrx = np.dstack([rgb[..., ::-1], np.zeros((240, 320), np.uint8)])

    one, other = (Overlay(True, 240).draw(frame, INFO, is_end=True) for frame in (rgb, bgrx))
    np.testing.assert_array_equal(other[..., 2::-1], one)


def test_the_end_of_an_episode_is_marked():
    overlay = Overlay([lambda info: ""], 240)
    marked = overlay.draw(ground(255), INFO, is_end=True)
    red, green, _ = marked[0, 0].astype(int)
    assert red - green > 100
    assert (marked[10:] == 255).all()
    assert (overlay.draw(ground(255), INFO) == 255).all()


def ending(step: int, *, count: int = 8) -> Replay:
    """Steps of which one ends an episode."""
    ends = np.arange(count) == step
    starts = np.arange(count) % count == 0
    return Replay(BareScene(), ends, None, np.zeros(count), ends, np.zeros(count, bool), starts)


@pytest.mark.parametrize(
    ("end", "steps", "marked"),
    [
        (2, range(8), [2, 3, 4]),
        # A moment is a moment in slow motion, after the step's own frames.
        (2, [0, 1, 2, 2, 2, 3, 4, 5], [2, 3, 4, 5, 6]),
        # Where the end has no frame, the next one has its mark.
        (1, [0, 3, 4, 5, 6], [1, 2, 3]),
        (7, range(0, 8, 2), []),
    ],
)
def test_an_end_is_marked_long_enough_to_be_seen(end, steps, marked):
    told = FrameInfos(10, 10).of(ending(end), steps)
    assert [info.step for info, _ in told] == list(steps)
    assert [frame for frame, (_, is_marked) in enumerate(told) if is_marked] == marked


def test_a_mark_goes_on_into_the_next_part():
    infos = FrameInfos(10, 10)
    infos.of(ending(7), range(0, 8, 2))
    assert [is_marked for _, is_marked in infos.of(ending(99), [8, 9, 10, 11])] == [
        *([True] * 3),
        False,
    ]


def test_the_box_does_not_breathe():
    overlay = Overlay(["step"], 240)
    before = ground(200)
    wide = box(before, overlay.draw(before, StepInfo(12345, 0, 0, 0, 1, False)))
    assert box(before, overlay.draw(before, StepInfo(1, 0, 0, 0, 1, False))) == wide


def test_functions_write_what_they_like():
    before = ground(100, 480)
    overlay = Overlay([lambda info: f"at {info.step}\nin two lines"], 480)

    assert lines_in(before, overlay.draw(before, INFO), 2, 22) == ["at 1234", "in two lines"]


@pytest.mark.parametrize(
    "text", ["x" * 500, "tab\tnul\0", "grün ☃", "a\n" * 50, "x" * 500 + "\nb" * 50]
)
def test_any_text_fits_or_is_cut(text):
    """What is there of it is what a larger picture has in the same place."""
    before, large = ground(255, 48), np.full((960, 6400, 3), 255, np.uint8)
    frame, whole = (Overlay([lambda info: text], 48).draw(g, INFO) for g in (before, large))

    np.testing.assert_array_equal(frame, whole[:48, :64])
    assert frame[box(before, frame)].std() > 20


def test_no_text_changes_nothing():
    before = ground(255, 48)
    np.testing.assert_array_equal(Overlay([lambda info: ""], 48).draw(before, INFO), before)


def test_accents_rise_above_the_line_and_leave_it_where_it_is():
    plain, accented = (text_mask(letter, 22) for letter in "AÄ")
    width = min(plain.shape[1], accented.shape[1])
    body = np.flatnonzero((plain > 0.5).any(axis=1))

    np.testing.assert_allclose(plain[body, :width], accented[body, :width], atol=0.05)
    assert (accented[: body[0]] > 0.5).any()


def test_text_survives_the_end_of_pygame():
    # Lerax's own renderer calls it when it is closed.
    text_mask("before", 17)
    pygame.quit()
    assert text_mask("after 0123456789", 17).max() == 1


@pytest.mark.parametrize(
    ("lines", "error", "message"),
    [
        (["speed"], ValueError, "no overlay line named 'speed': there are step, time, reward"),
        ([3], TypeError, "a name or a function, got 3"),
    ],
)
def test_wrong_lines(lines, error, message):
    with pytest.raises(error, match=message):
        Overlay(lines, 240)


def test_a_function_that_returns_no_text():
    with pytest.raises(TypeError, match="must return text, got 3"):
        Overlay([lambda info: 3], 240).draw(ground(0), INFO)


def test_a_clip_looks_like_its_reference():
    video = record(Counting(3), steps=6, width=320, height=240, overlay=True, format="apng")
    frame = video.frames()[-1]
    if not REFERENCE.exists():
        Image.fromarray(frame).save(REFERENCE)
        pytest.fail(f"{REFERENCE} was missing and is written now: look at it")

    reference = np.asarray(Image.open(REFERENCE).convert("RGB")).astype(int)
    assert np.abs(frame - reference).mean() < 0.5
    assert reference.std() > 20


@pytest.mark.parametrize("text", ["heart \u2764\ufe0f", "\0", "\ud800", "\u202e", "\u034f"])
def test_characters_without_a_picture_leave_room_or_nothing(text):
    mask = text_mask(text, 11)
    assert mask.shape[0] == text_mask("x", 11).shape[0]
    assert mask.any() == ("heart" in text)
