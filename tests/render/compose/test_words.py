"""Captions and title cards."""

import numpy as np
import pytest

from lerax_render.compose.words import Captions, Card
from support.read_text import read_line

SIZE = (320, 240)
GROUND = np.full((240, 320, 3), 128, np.uint8)


def box_of(frame, ground=GROUND):
    """Return top, bottom, left and right of what has changed."""
    rows, columns = np.nonzero((frame != ground).any(axis=2))
    return rows.min(), rows.max() + 1, columns.min(), columns.max() + 1


def read(frame, pixels=13):
    top, _, left, right = box_of(frame)
    return read_line(frame[top + 2 :, left + 6 : right][: pixels * 2], pixels)


def test_each_step_has_its_captions():
    captions = Captions([("reach", 0, 3), ("hold on", 5, None)], *SIZE)
    said = [read(captions.draw(GROUND, step)) for step in (0, 2, 5, 99)]
    assert said == ["reach", "reach", "hold on", "hold on"]
    assert all(captions.draw(GROUND, step) is GROUND for step in (3, 4))


def test_a_caption_lies_in_the_middle_of_the_lower_edge_on_a_veil():
    frame = Captions([("reach", 0, None)], *SIZE).draw(GROUND, 0)
    top, bottom, left, right = box_of(frame)
    assert 200 < top < bottom < 240
    assert abs((left + right) / 2 - 160) <= 1
    assert right - left < 100
    box = frame[top:bottom, left:right]
    assert box.min() < 45
    assert box.max() > 240


def test_captions_at_once_stand_below_one_another_and_above_labels():
    one = Captions([("reach", 0, None)], *SIZE)
    two = Captions([("reach", 0, None), ("hold", 2, None)], *SIZE, above=20)
    low, high = one.draw(GROUND, 0), two.draw(GROUND, 2)
    assert box_of(high)[1] == box_of(low)[1] - 20
    heights = [bottom - top for top, bottom, *_ in map(box_of, (low, high))]
    assert heights[1] > 1.7 * heights[0]


def test_long_captions_are_broken_and_then_smaller():
    words = "the policy reaches for the goal and keeps it "
    boxes = [box_of(Captions([(words * n, 0, None)], *SIZE).draw(GROUND, 0)) for n in (1, 4, 6)]
    assert all(left >= 5 and right <= 315 for _, _, left, right in boxes)
    assert boxes[0][0] > boxes[1][0] >= 240 * 0.5
    with pytest.raises(ValueError, match=r"the caption .* has no room in a picture 320 pixels"):
        Captions([(words * 20, 0, None)], *SIZE)


def test_the_order_of_colours_makes_no_difference():
    frame = np.dstack([GROUND, np.full((240, 320), 255, np.uint8)])
    drawn = Captions([("reach", 0, None)], *SIZE).draw(frame, 0)
    assert (drawn[..., 3] == 255).all()
    assert (drawn[..., 0] == drawn[..., 2]).all()


def test_a_card_has_its_title_in_the_middle():
    card = Card("A title\nand below it", *SIZE).frame(3)
    assert card.shape == (240, 320, 3)
    top, bottom, left, right = box_of(card, np.full_like(card, card[0, 0]))
    assert abs((top + bottom) / 2 - 120) < 8
    assert abs((left + right) / 2 - 160) < 4
    assert card.max() == 255
    ink = (card[..., 0] > 128).sum(axis=1)
    lines = np.split(ink, np.flatnonzero(np.diff((ink > 0).astype(int)) == 1) + 1)[1:]
    assert len(lines) == 2
    assert (lines[0] > 0).sum() > 1.3 * (lines[1] > 0).sum()


@pytest.mark.parametrize(("length", "seconds"), [(5, 2), (60, 4), (100, 100 / 15), (200, 8)])
def test_a_card_stays_as_long_as_it_takes_to_read(length, seconds):
    assert Card(("word " * 100)[:length], 1280, 720).seconds == pytest.approx(seconds)
