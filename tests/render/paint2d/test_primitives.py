import resource

import pytest

from lerax_render.paint2d.canvas import Canvas
from lerax_render.paint2d.layout import Layout
from lerax_render.paint2d.primitives import (
    Area,
    Box,
    Disc,
    Group,
    Label,
    Silhouette,
    Stroke,
    unite,
)
from lerax_render.paint2d.pygame_import import pygame

SQUARE = [[1.5, 1.5], [9.5, 1.5], [9.5, 9.5], [1.5, 9.5]]
MARKS = [
    Area([[2, 2], [8, 2], [8, 8], [2, 8]], [SQUARE]),
    Silhouette(SQUARE),
    Stroke(SQUARE),
    Stroke(SQUARE[1:3]),
    Box(2, 3, 7, 8),
    Disc(27, 25, 14, 10),
    Label(8, 8, 12, "a"),
    Group((Box(1, 1, 2, 2), Disc(27, 25, 14, 10))),
]


@pytest.fixture
def canvas():
    return Canvas(Layout(16, 16, 1.0, (0.0, 0.0)))


@pytest.mark.parametrize("mark", MARKS, ids=lambda mark: type(mark).__name__)
def test_marks_say_what_they_changed(mark, canvas):
    before = canvas.rgb()
    changed = mark.draw(canvas.surface, (200, 30, 0))
    after = canvas.rgb()
    assert (after != before).sum() > 10
    # Inks, never anything but a mixture of colour and background.
    assert (after[..., 0] >= 200).all()
    assert (after[..., 1] >= 30).all()
    rows, columns = (after != before).any(axis=2).nonzero()
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        assert changed.collidepoint(column, row)


def test_an_empty_group_changes_nothing(canvas):
    assert Group(()).draw(canvas.surface, (0, 0, 0)).size == (0, 0)
    assert (canvas.rgb() == 255).all()


def test_unite():
    assert unite([]).size == (0, 0)
    boxes = [pygame.Rect(1, 2, 3, 4), pygame.Rect(10, 0, 1, 1)]
    assert unite(boxes) == pygame.Rect(1, 0, 10, 6)


def test_text_survives_the_end_of_pygames_fonts(canvas):
    Label(8, 8, 12, "first").draw(canvas.surface, (0, 0, 0))
    pygame.font.quit()
    Label(8, 8, 12, "first").draw(canvas.surface, (0, 0, 0))
    assert not (canvas.rgb() == 255).all()
    canvas.clear()
    Label(8, 8, 12, "second").draw(canvas.surface, (0, 0, 0))
    assert not (canvas.rgb() == 255).all()


@pytest.mark.parametrize("text", ["", "\0", "a\0b", "\ud800", "\u202e", "\ufe0f", "\u034f", "\n"])
def test_text_that_pygame_refuses_is_blank(text, canvas):
    Label(8, 8, 12, text).draw(canvas.surface, (200, 30, 0))
    assert (canvas.rgb() != 255).any() == ("a" in text)


@pytest.mark.parametrize("text", ["#" * 1_000_000, "#" * 400 + "\n" * 1500], ids=["wide", "high"])
def test_a_long_text_takes_no_memory_for_what_cannot_be_seen(canvas, text):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    Label(8, 8, 40, text).draw(canvas.surface, (200, 30, 0))
    assert (canvas.rgb() != 255).any()
    # In KiB.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000
