"""Pictures of other kinds as the frames that are encoded."""

from typing import Any

import numpy as np

# Arithmetic in single precision leaves numbers just beside 0 and 1.
_SLACK = 1e-3


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
