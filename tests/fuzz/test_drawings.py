"""Draw lists of any numbers: the same pixels with and without a background that stays."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support import drawings
from support.limited_process import Sandbox

FINITE = st.floats(-6, 6, width=32)
ANY = st.one_of(
    FINITE,
    st.floats(width=32),
    st.sampled_from(
        [0.0, -0.0, 1e-38, 1e-9, 1e4, 3276.7, 3276.8, 6553.6, 2.0**31, -(2.0**31), 1e18, 3e38]
    ),
)
NUMBERS = {"sane": FINITE, "any": ANY}
KINDS = ("circle", "ellipse", "rect", "line", "text", "polygon", "polyline")


@st.composite
def frames(draw, numbers) -> list[list[drawings.Op]]:
    """One to four frames with the same commands, of which the first may not change."""
    # Polygons also have too few points.
    command = st.tuples(st.sampled_from(KINDS), st.integers(0, 7), st.text(max_size=20))
    commands = draw(st.lists(command, min_size=1, max_size=8))
    num_fixed = draw(st.integers(0, len(commands)))
    fixed = [draw(op(numbers, *command)) for command in commands[:num_fixed]]
    return [
        [("clear", ()), *fixed, *(draw(op(numbers, *each)) for each in commands[num_fixed:])]
        for _ in range(draw(st.integers(1, 4)))
    ]


def op(numbers, kind: str, num_points: int, text: str):
    """A call of a drawing method."""
    point = st.tuples(numbers, numbers)
    share = st.floats(0, 1, width=32) if numbers is FINITE else numbers
    color = st.builds(drawings.Rgb, share, share, share)
    points = st.lists(point, min_size=num_points, max_size=num_points)
    arguments = {
        "circle": (point, numbers, color),
        "ellipse": (point, numbers, numbers, color),
        "rect": (point, numbers, numbers, color),
        "line": (point, point, color, numbers),
        "text": (point, st.just(text), color, st.one_of(numbers, st.floats(5, 50))),
        "polygon": (points, color),
        "polyline": (points, color),
    }[kind]
    return st.tuples(st.just(f"draw_{kind}"), st.tuples(*arguments))


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    sandbox = Sandbox()
    yield sandbox
    sandbox.close()


@pytest.mark.parametrize("numbers", NUMBERS)
def test_the_background_that_stays_changes_no_pixel(sandbox, numbers):
    seen = [0, 0]

    @given(frames(NUMBERS[numbers]))
    def check(drawing):
        num_commands, num_pixels = sandbox(drawings.paint, drawing, 64, 48)
        seen[0] += num_commands > 0
        seen[1] += num_pixels > 20

    check()
    # Not all of them pictures of nothing.
    assert min(seen) >= 5


@given(frames(ANY), st.sampled_from([(1, 1), (7, 90), (300, 20), (333, 250)]))
def test_at_other_sizes_too(sandbox, drawing, size):
    sandbox(drawings.paint, drawing, *size)


def test_a_crash_and_a_raise_are_noticed(sandbox):
    import os

    with pytest.raises(AssertionError, match="crashed, exit code -6"):
        sandbox(os.abort)
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        sandbox(divmod, 1, 0)
    assert sandbox(divmod, 7, 2) == (3, 1)
