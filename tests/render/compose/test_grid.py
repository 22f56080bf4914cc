"""Frames beside each other in one."""

import numpy as np
import pytest
from PIL import Image

from lerax_render import record
from lerax_render.compose.grid import Grid
from lerax_render.compose.text import text_mask
from support.environments import Counting
from support.paths import ROOT
from support.read_text import read_line

REFERENCE = ROOT / "assets" / "reference" / "grid.png"
GAP = (40, 40, 40)


def filled(grid: Grid, rows: int, columns: int, channels: int = 3) -> np.ndarray:
    picture = grid.empty(channels)
    for i in range(rows * columns):
        grid.place(
            picture, i, np.full((grid.tile_height, grid.tile_width, channels), 60 + i, np.uint8)
        )
    return picture


@pytest.mark.parametrize("size", [(640, 480), (641, 479), (97, 31)])
@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (4, 4), (3, 1)])
def test_every_tile_is_whole_and_in_its_row_and_column(shape, size):
    grid = Grid(shape, *size)
    picture = filled(grid, *shape)

    assert picture.shape == (size[1], size[0], 3)
    tops, lefts = [], []
    for i in range(shape[0] * shape[1]):
        rows, columns = np.nonzero((picture == 60 + i).all(axis=2))
        assert len(rows) == grid.tile_width * grid.tile_height
        assert rows.max() - rows.min() + 1 == grid.tile_height
        tops.append(rows.min())
        lefts.append(columns.min())
    order = np.array(tops).reshape(shape), np.array(lefts).reshape(shape)
    assert (np.diff(order[0], axis=0) > 0).all()
    assert (np.diff(order[1], axis=1) > 0).all()
    gap = (picture < 60).all(axis=2)
    assert (picture[gap] == GAP).all()
    # What the division leaves over is no more than a pixel a row and a column, beside the gaps.
    assert gap.sum() <= picture[..., 0].size * 0.25


def test_labels_are_read_in_their_tiles():
    labels = ["seed 0", "seed 1", "a long label, cut", "x"]
    grid = Grid((2, 2), 640, 480, labels)
    picture = filled(grid, 2, 2)
    pixels = grid.tile_height // 14
    for i, label in enumerate(labels):
        row, column = divmod(i, 2)
        top = 0 if row == 0 else 480 - grid.tile_height
        left = 0 if column == 0 else 640 - grid.tile_width
        tile = picture[top : top + grid.tile_height, left : left + grid.tile_width]
        strip = np.flatnonzero((tile[:, 0] < 60).all(axis=1))
        width = text_mask(label, pixels).shape[1]
        text = tile[strip[0] + 2 : strip[-1] + 1, (grid.tile_width - width) // 2 :]
        assert read_line(text[:, : width + 2], pixels) == label
        assert (tile[: strip[0]] == 60 + i).all()


def test_labels_that_are_too_large_are_cut():
    text = "a label that is too wide"
    small, wide = Grid((2, 1), 40, 101, [text] * 2), Grid((2, 1), 640, 101, [text] * 2)
    cut, whole = filled(small, 2, 1, channels=4), filled(wide, 2, 1, channels=4)
    width = text_mask(text, 11).shape[1]
    left = (640 - width) // 2

    assert cut.shape == (101, 40, 4)
    # From its beginning, as much of it as there is room for.
    np.testing.assert_array_equal(cut[:, :, :3], whole[:, left : left + 40, :3])
    assert cut[-12:].std() > 20


def test_labels_that_are_too_long_for_a_line_have_several():
    pixels = 11
    grid = Grid((1, 2), 320, 180, ["return 43.671, rank 1 of 5, 30 steps", "x"])
    picture = filled(grid, 1, 2)

    line = text_mask("x", pixels).shape[0]
    assert grid.foot == 2 * line + 4
    width = text_mask("return 43.671, rank", pixels).shape[1]
    left = (grid.tile_width - width) // 2
    text = grid.cell(picture, 0)[-(grid.foot - 2) :, left : left + width + 2]
    assert read_line(text[:line], pixels) == "return 43.671, rank"


def test_labels_that_are_higher_than_their_tiles_stay_in_them():
    grid = Grid((2, 2), 16, 12, ["wide label"] * 4)
    picture, plain = filled(grid, 2, 2), filled(Grid((2, 2), 16, 12), 2, 2)

    gap = (plain == GAP).all(axis=2)
    assert (picture[gap] == GAP).all()
    assert (picture[~gap] != plain[~gap]).mean() > 0.9


@pytest.mark.parametrize(
    ("shape", "size", "labels", "error", "message"),
    [
        (3, (64, 48), (), TypeError, "grid must be rows and columns, 1 to 100 each, got 3"),
        ((2, 2.0), (64, 48), (), TypeError, "rows and columns"),
        ((True, 2), (64, 48), (), TypeError, "rows and columns"),
        ((0, 2), (64, 48), (), ValueError, r"1 to 100 each, got \(0, 2\)"),
        ((40, 40), (64, 48), (), ValueError, "a grid of 40x40 does not fit into 64x48 pixels"),
        ((2, 2), (64, 48), ("a",), ValueError, "a grid of 2x2 needs 4 labels, got 1"),
    ],
)
def test_wrong_shapes(shape, size, labels, error, message):
    with pytest.raises(error, match=message):
        Grid(shape, *size, labels)


def test_a_clip_looks_like_its_reference():
    video = record(
        Counting(4),
        steps=6,
        width=480,
        height=240,
        grid=(2, 3),
        overlay=["step", "return"],
        labels=list("abcdef"),
        format="apng",
    )
    frame = video.frames()[-2]
    if not REFERENCE.exists():
        Image.fromarray(frame).save(REFERENCE)
        pytest.fail(f"{REFERENCE} was missing and is written now: look at it")

    reference = np.asarray(Image.open(REFERENCE).convert("RGB")).astype(int)
    assert np.abs(frame - reference).mean() < 0.5
    assert reference.std() > 20
