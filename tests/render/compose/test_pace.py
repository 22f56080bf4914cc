"""Which moments have a frame."""

from fractions import Fraction

import numpy as np
import pytest

from lerax_render.compose.pace import Pace


def moments(pace, *lengths):
    places, shown, steps = [], [], []
    for length in lengths:
        part = pace.next(length)
        places += part.places
        shown += part.shown.tolist()
        steps += part.shown_steps
    return [place for place, is_shown in zip(places, shown, strict=True) if is_shown], steps


@pytest.mark.parametrize("lengths", [(9,), (1,) * 9, (4, 5)])
def test_slow_motion_has_frames_between_steps(lengths):
    places, steps = moments(Pace(50, 0.25, 0, None, 50), *lengths)
    assert places == [Fraction(n, 4) for n in range(33)]
    assert steps == [n // 4 for n in range(33)]


@pytest.mark.parametrize(
    ("speed", "max_fps", "between", "fps", "each"),
    [
        (0.25, None, None, 12.5, 1),
        (0.25, 20, 50, 20, Fraction(5, 8)),
        (0.5, 20, 50, 20, None),
        (0.1, None, 25, 25, Fraction(1, 5)),
        (1, None, 50, 50, 1),
        (2, None, 50, 100, 1),
    ],
)
def test_a_frame_is_as_far_as_its_rate_says(speed, max_fps, between, fps, each):
    pace = Pace(50, speed, 0, max_fps, between)
    assert pace.fps == fps
    places, _ = moments(pace, 30, 30)
    if each is None:
        assert all(isinstance(place, int) for place in places), "some steps are left out"
        assert len(places) == 60 * 20 / 25
    else:
        assert set(np.diff(places)) == {each}
    assert 59 - places[-1] < 2


def test_a_part_begins_at_its_step():
    pace = Pace(50, 0.5, 3, None, 50)
    first = pace.next(5)
    assert first.places == [0, 1, 2, 3, 3.5, 4]
    assert first.shown.tolist() == [False] * 3 + [True] * 3
    assert pace.next(2).places == [4.5, 5, 5.5, 6]


def test_decimal_speeds_are_exact():
    assert Pace(50, 0.1, 0, None, None).fps == 5
