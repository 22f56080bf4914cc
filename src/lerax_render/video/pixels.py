"""Pictures of other kinds as the frames that are encoded."""

from typing import Any

import numpy as np

# Arithmetic in single precision leaves numbers just beside 0 and 1.
_SLACK = 1e-3


def as_rgb(picture: Any) -> np.ndarray:
    """Return a picture as uint8 (H, W, 3) RGB.

    Args:
        picture: (H, W) or (H, W, 1), grey; (H, W, 3), RGB; or (H, W, 4), RGBA with straight alpha,
            which is blended on white. uint8, 0 to 255, or float, 0 to 1. Or what has a
            `buffer_rgba()`, as the canvas of a Matplotlib figure does once it is drawn.

    Raises:
        TypeError: It is of another dtype.
        ValueError: It has another shape, or numbers beyond 0 to 1.
    """
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
    return pixels if channels == 3 else _on_white(pixels)


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
