"""Pictures of other kinds as the frames that are encoded, and these as they are sent to ffmpeg."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

type Array = NDArray[np.int32]

# Arithmetic in single precision leaves numbers just beside 0 and 1.
_SLACK = 1e-3

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


def as_rgb(picture: Any) -> np.ndarray:
    """Return a picture as uint8 (H, W, 3) RGB; what is transparent is blended on white.

    Args:
        picture: (H, W) or (H, W, 1), grey; (H, W, 3), RGB; or (H, W, 4), RGBA with straight alpha.
            uint8, 0 to 255, or float, 0 to 1. Or what has a `buffer_rgba()`, as the canvas of a
            Matplotlib figure does once it is drawn.

    Raises:
        TypeError: It is of another dtype.
        ValueError: It has another shape, or numbers beyond 0 to 1.
    """
    pixels = _pixels_of(picture)
    return _on_white(pixels) if pixels.shape[2] == 4 else pixels


def as_rgba(picture: Any) -> np.ndarray:
    """Return a picture, as `as_rgb` takes it, as uint8 (H, W, 4) RGBA with straight alpha."""
    pixels = _pixels_of(picture)
    if pixels.shape[2] == 4:
        return pixels
    return np.concatenate([pixels, np.full_like(pixels[..., :1], 255)], axis=2)


def has_alpha(picture: Any) -> bool:
    """Whether a picture, as `as_rgb` takes it, has an alpha channel.

    A Matplotlib canvas always has; it counts where something in it is transparent.
    """
    if hasattr(picture, "buffer_rgba"):
        return bool((np.asarray(picture.buffer_rgba())[..., 3] < 255).any())
    shape = np.shape(picture)
    return len(shape) == 3 and shape[2] == 4


def as_bgrx(picture: Any) -> np.ndarray:
    """Return a picture of blue, green, red and a fourth byte, as it is.

    Raises:
        TypeError: It is not of bytes.
        ValueError: It has another shape than (H, W, 4).
    """
    frame = np.asarray(picture)
    if frame.dtype != np.uint8:
        raise TypeError(
            f"frames must be of dtype uint8, 0 to 255, got {frame.dtype}; convert it first"
        )
    if frame.ndim != 3 or frame.shape[2] != 4:
        raise ValueError(
            f"frames must have shape (height, width, 4) for 'bgr0' and 'bgra', got {frame.shape}"
        )
    return frame


def spread(frame: np.ndarray) -> np.ndarray:
    """Return a frame with alpha, whose transparent pixels have the colours of those around them.

    Codecs mix the colours of neighbours whatever their alpha, and black would make a dark fringe.

    Args:
        frame: uint8 (H, W, 4), alpha last.
    """
    height, width = frame.shape[:2]
    if height * width == 1 or frame[..., 3].all():
        return frame
    weighted = np.zeros((height + height % 2, width + width % 2, 4), np.float32)
    weighted[:height, :width] = frame
    weighted[..., :3] *= weighted[..., 3:]
    spread_out = frame.copy()
    bare = frame[..., 3] == 0
    around = _means(weighted).repeat(2, 0).repeat(2, 1)[:height, :width]
    spread_out[bare, :3] = around[bare]
    return spread_out


def _means(weighted: np.ndarray) -> np.ndarray:
    """Return the mean colour of each block of 2x2, or of a larger one where it weighs nothing.

    Args:
        weighted: Colours times their weight, and the weight: `float32 (2 H, 2 W, 4)`.

    Returns:
        `uint8 (H, W, 3)`.
    """
    blocks = weighted[::2] + weighted[1::2]
    blocks = blocks[:, ::2] + blocks[:, 1::2]
    height, width = blocks.shape[:2]
    bare = blocks[..., 3] == 0
    colours = blocks[..., :3] / np.maximum(blocks[..., 3:], 1)
    means: np.ndarray = (colours + 0.5).astype(np.uint8)
    if height * width > 1 and bare.any():
        even = np.pad(blocks, ((0, height % 2), (0, width % 2), (0, 0)))
        around = _means(even).repeat(2, 0).repeat(2, 1)[:height, :width]
        means[bare] = around[bare]
    return means


def _pixels_of(picture: Any) -> np.ndarray:
    """Return `uint8 (H, W, 3 or 4)`."""
    if hasattr(picture, "buffer_rgba"):
        picture = picture.buffer_rgba()
    pixels = np.asarray(picture)
    if pixels.dtype != np.uint8 and not np.issubdtype(pixels.dtype, np.floating):
        raise TypeError(
            f"frames must be of dtype uint8, 0 to 255, or float, 0 to 1, got {pixels.dtype}; "
            "convert it first"
        )
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    if pixels.ndim not in (2, 3) or channels not in (1, 3, 4):
        raise ValueError(
            "frames must have shape (height, width, 3) for RGB, (height, width, 4) for RGBA, or "
            f"(height, width) for grey, got {pixels.shape}"
        )
    if pixels.dtype != np.uint8:
        pixels = _bytes_of(pixels)
    if channels == 1:
        return np.repeat(pixels.reshape(*pixels.shape[:2], 1), 3, axis=2)
    return pixels


def _bytes_of(pixels: np.ndarray) -> np.ndarray:
    if pixels.size and not (pixels.min() >= -_SLACK and pixels.max() <= 1 + _SLACK):
        raise ValueError(
            f"frames of dtype {pixels.dtype} must be 0 to 1, got {pixels.min():g} to "
            f"{pixels.max():g}; scale them, or convert them to uint8"
        )
    scaled: np.ndarray = np.rint(np.clip(pixels, 0, 1) * 255).astype(np.uint8)
    return scaled


def _on_white(pixels: np.ndarray) -> np.ndarray:
    alpha = pixels[..., 3:].astype(np.uint16)
    blended = pixels[..., :3] * alpha + 255 * (255 - alpha)
    return ((blended + 127) // 255).astype(np.uint8)


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

    Only what has changed is converted, since most of a drawing is what it was one step before.
    ffmpeg would convert all of each frame, which takes as long as half of the compression, and
    would have to be sent more than twice as many bytes. A picture's planes do not depend on the
    pictures before it.
    """

    def __init__(self, height: int, width: int) -> None:
        """Have no picture yet.

        Args:
            height: Of the pictures in pixels, an even number.
            width: Likewise.
        """
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
            frame: uint8 (H, W, 3), red, green and blue, or (H, W, 4), blue, green, red and a byte
                that is ignored; contiguous.
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
            some = slice(start, min(start + rows, bottom))
            self._convert_at_once(frame, some, slice(left, right))

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
    """Return what `Planes.of` takes as int32 (H, W), whose lowest byte is blue."""
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

    One of a single colour tells nothing, since clips of all kinds fade in, and is not.

    Args:
        frame: uint8 (H, W, channels).
    """
    is_flat = (frame[:, 1:] == frame[:, :-1]).all(axis=2)
    enough = np.count_nonzero(is_flat) > _FLAT * is_flat.size
    return bool(enough and (frame != frame[0, 0]).any())
