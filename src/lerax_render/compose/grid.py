"""Several frames in one: tiles of equal size, with their labels."""

from collections.abc import Sequence

import numpy as np

from ..settings import MAX_SIZE, GridShape, checked
from .text import LEAST_PIXELS, darken, fitting_mask, text_mask, write
from .wrapping import block_mask, wrapped

_GAP_COLOUR = 40
_LABEL_MARGIN = 4


class Grid:
    """Puts frames into the cells of one picture.

    The gaps between tiles, and what the division of the picture leaves over, are dark grey, or
    transparent.

    Args:
        shape: Rows and columns, 1 to 100 each.
        width: Of the whole picture in pixels.
        height: Of the whole picture in pixels.
        labels: One for each tile, row by row; an empty sequence for none.

    Attributes:
        tile_width: Of each frame in pixels.
        tile_height: Of each frame in pixels.
        foot: How many pixels at the lower edge have labels on them.

    Raises:
        TypeError: `shape` is not a pair of whole numbers.
        ValueError: It is out of range, leaves no pixels to the tiles, or there are too few or too
            many labels; or the picture is larger than any format holds.
    """

    def __init__(
        self, shape: tuple[int, int], width: int, height: int, labels: Sequence[str] = ()
    ) -> None:
        cells: tuple[int, int] = checked("grid", GridShape, shape)
        rows, columns = cells
        if isinstance(labels, str) or not all(isinstance(label, str) for label in labels):
            raise TypeError(f"labels must be several texts, one for each tile, got {labels!r}")
        if not max(width, height) <= MAX_SIZE:
            raise ValueError(
                f"width and height must be at most {MAX_SIZE} pixels, got {width}x{height}"
            )
        self._gap = max(1, round(min(width, height) / 240))
        self.tile_width = (width - (columns - 1) * self._gap) // columns
        self.tile_height = (height - (rows - 1) * self._gap) // rows
        if self.tile_width < 1 or self.tile_height < 1:
            raise ValueError(
                f"a grid of {rows}x{columns} does not fit into {width}x{height} pixels"
            )
        if labels and len(labels) != rows * columns:
            raise ValueError(
                f"a grid of {rows}x{columns} needs {rows * columns} labels, got {len(labels)}"
            )
        self._columns = columns
        self._size = (height, width)
        size = max(LEAST_PIXELS, self.tile_height // 14)
        self._labels = [self._mask(label, size) for label in labels]
        strip = max((len(mask) for mask in self._labels), default=0)
        strip = strip and strip + _LABEL_MARGIN
        left = (width - columns * self.tile_width - (columns - 1) * self._gap) // 2
        top = (height - rows * self.tile_height - (rows - 1) * self._gap) // 2
        self._corner = (top, left)
        self.foot = strip and strip + top

    def _mask(self, label: str, pixels: int) -> np.ndarray:
        """Return a label's picture: on one line, or on several where it is too long for one."""
        line = fitting_mask(label, pixels, self.tile_width)
        if line.shape[1] <= self.tile_width:
            return line
        lines = wrapped(label, self.tile_width, lambda text: text_mask(text, LEAST_PIXELS).shape[1])
        block = block_mask([(each, LEAST_PIXELS) for each in lines])
        # A tile is there for its picture.
        return block if 3 * len(block) <= self.tile_height else line

    def place(self, picture: np.ndarray, index: int, tile: np.ndarray) -> None:
        """Copy a tile into its cell.

        Args:
            picture: `uint8 (H, W, C)`, from `empty`.
            index: Of the tile, row by row.
            tile: `uint8 (tile_height, tile_width, C)`.
        """
        cell = self.cell(picture, index)
        cell[:] = tile
        if self._labels:
            write_label(cell, self._labels[index])

    def cell(self, picture: np.ndarray, index: int) -> np.ndarray:
        """Return a tile's part of a picture, to be drawn on."""
        row, column = divmod(index, self._columns)
        top = self._corner[0] + row * (self.tile_height + self._gap)
        left = self._corner[1] + column * (self.tile_width + self._gap)
        return picture[top : top + self.tile_height, left : left + self.tile_width]

    def empty(self, channels: int) -> np.ndarray:
        """Return a picture of nothing but gaps, `uint8 (H, W, channels)`."""
        picture = np.full((*self._size, channels), _GAP_COLOUR, np.uint8)
        picture[..., 3:] = 0
        return picture


def write_label(cell: np.ndarray, mask: np.ndarray) -> None:
    """Write light text on a dark strip along the lower edge of a picture, in place.

    Args:
        cell: `uint8 (H, W, C)`, R G B or B G R X.
        mask: Of the text, from `text.text_mask`.
    """
    strip = cell[-(mask.shape[0] + _LABEL_MARGIN) :]
    darken(strip)
    left = max(0, (cell.shape[1] - mask.shape[1]) // 2)
    write(strip[2:, left:], mask)
