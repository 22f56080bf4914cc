"""Frames as planes of luma and chroma, for which only what has changed is converted.

Most of a drawn picture is what it was one step before. ffmpeg would convert all of each frame,
which takes as long as to compress it, and would have to be sent more than twice as many bytes.
"""

import numpy as np
from numpy.typing import NDArray

type Array = NDArray[np.int32]

# Rows that are looked at together.
_ROWS = 16
# What is converted at once: more no longer fits the processor's cache.
_PIXELS = 16_384
_BITS = 16
# The share of a drawing's pixels, at least, that are like their left neighbours.
_FLAT = 0.95

# BT.709's shares of red, green and blue in luma, and the largest of luma and chroma in bytes.
_SHARES = np.array([0.2126, 0.7152, 0.0722])
_LUMA, _CHROMA = 219 / 255, 112 / 255


def _weights() -> Array:
    """Return how much red, green and blue count in Y, U and V, in parts of `2 ** _BITS`."""
    blue = (np.array([0, 0, 1]) - _SHARES) / (1 - _SHARES[2])
    red = (np.array([1, 0, 0]) - _SHARES) / (1 - _SHARES[0])
    weights = np.rint(2**_BITS * np.stack([_LUMA * _SHARES, _CHROMA * blue, _CHROMA * red]))
    # Grey has no colour at all.
    weights[1:, 1] -= weights[1:].sum(axis=1)
    whole: Array = weights.astype(np.int32)
    return whole


_WEIGHTS = _weights()
# Of sums of four pixels there are four times as much.
_Y_ZERO = (16 << _BITS) + (1 << _BITS - 1)
_UV_ZERO = (128 << _BITS + 2) + (1 << _BITS + 1)


class Planes:
    """The planes of one picture after the other, as ffmpeg's "yuv420p" in BT.709.

    A picture's planes do not depend on the pictures before it.
    """

    def __init__(self, height: int, width: int, pixel_format: str) -> None:
        """Have no picture yet.

        Args:
            height: Of the pictures in pixels, an even number.
            width: Likewise.
            pixel_format: "rgb24" or "bgr0".
        """
        self._rgb = (0, 1, 2) if pixel_format == "rgb24" else (2, 1, 0)
        luma, chroma = height * width, height * width // 4
        self._content = np.empty(luma + 2 * chroma, np.uint8)
        self._y = self._content[:luma].reshape(height, width)
        half = (height // 2, width // 2)
        self._u = self._content[luma : luma + chroma].reshape(half)
        self._v = self._content[luma + chroma :].reshape(half)
        self._bands = np.arange(0, height, _ROWS)
        self._before: np.ndarray | None = None

    def of(self, frame: np.ndarray) -> memoryview:
        """Return the planes of a frame, valid until the next one is asked for.

        Args:
            frame: uint8 (H, W, 3 or 4), contiguous.
        """
        height, width, channels = frame.shape
        # Compared in the largest numbers that a row consists of.
        unit = next(size for size in (8, 4, 2) if width * channels % size == 0)
        words = frame.reshape(height, -1).view(f"u{unit}")
        if self._before is None:
            self._before = words.copy()
            self._convert(frame, 0, height, 0, width)
            return memoryview(self._content)
        differs = words != self._before
        touched = np.logical_or.reduceat(differs.any(axis=1), self._bands)
        edges = np.flatnonzero(np.diff(touched, prepend=False, append=False))
        for top, bottom in (edges * _ROWS).reshape(-1, 2).tolist():
            columns = np.flatnonzero(differs[top:bottom].any(axis=0))
            first, last = int(columns[0]), int(columns[-1]) + 1
            self._before[top:bottom, first:last] = words[top:bottom, first:last]
            left = first * unit // channels // 2 * 2
            right = -(-last * unit // channels // 2) * 2
            self._convert(frame, top, min(bottom, height), left, right)
        return memoryview(self._content)

    def _convert(self, frame: np.ndarray, top: int, bottom: int, left: int, right: int) -> None:
        rows = max(2, _PIXELS // (right - left) // 2 * 2)
        for start in range(top, bottom, rows):
            self._convert_at_once(frame, slice(start, start + rows), slice(left, right))

    def _convert_at_once(self, frame: np.ndarray, rows: slice, columns: slice) -> None:
        # Red and blue in the halves of one number, which are added up together.
        pixels = _packed(frame[rows, columns])
        red_blue, green = pixels & 0xFF00FF, pixels >> 8 & 0xFF
        luma = _weighted(_WEIGHTS[0], red_blue, green, _Y_ZERO) >> _BITS
        self._y[rows, columns] = luma
        red_blue, green = _in_blocks(red_blue), _in_blocks(green)
        half = (
            slice(rows.start // 2, rows.stop // 2),
            slice(columns.start // 2, columns.stop // 2),
        )
        self._u[half] = _weighted(_WEIGHTS[1], red_blue, green, _UV_ZERO) >> _BITS + 2
        self._v[half] = _weighted(_WEIGHTS[2], red_blue, green, _UV_ZERO) >> _BITS + 2


def _packed(part: np.ndarray) -> Array:
    """Return a picture as int32 (H, W): red, green and blue, of which blue is the lowest byte."""
    if part.shape[2] == 3:
        packed = np.empty((*part.shape[:2], 4), np.uint8)
        for index in range(3):
            packed[..., index] = part[..., 2 - index]
        part = packed
    pixels: Array = part.view("<i4")[..., 0]
    return pixels


def _weighted(weights: Array, red_blue: Array, green: Array, zero: int) -> Array:
    total: Array = (red_blue >> 16) * weights[0]
    total += green * weights[1]
    total += (red_blue & 0xFFFF) * weights[2]
    total += zero
    return total


def _in_blocks(colour: Array) -> Array:
    """Return the sum of each block of 2x2."""
    rows = colour[::2] + colour[1::2]
    return rows[:, ::2] + rows[:, 1::2]


def looks_drawn(frame: np.ndarray) -> bool:
    """Whether a picture is made of flat colours, as drawings are, and few renderings.

    Args:
        frame: uint8 (H, W, channels).
    """
    is_flat = (frame[:, 1:] == frame[:, :-1]).all(axis=2)
    return bool(np.count_nonzero(is_flat) > _FLAT * is_flat.size)
