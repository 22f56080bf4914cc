"""Frames that somebody else painted, fitted into the size that was asked for."""

from typing import Any

import numpy as np

from .pygame_import import pygame


class Fitter:
    """Fits frames of any size into one size: scaled without distortion, centred, with bars.

    The bars are black, or, where the first frame has a plain border, of its colour: the picture
    then goes on rather than ends.

    Args:
        width: In pixels.
        height: In pixels.
    """

    def __init__(self, width: int, height: int) -> None:
        self._size = (width, height)
        self._bars: np.ndarray | None = None

    def fit(self, frame: Any) -> np.ndarray:
        """Return `frame` as `uint8 (H, W, 3)`, an array of its own.

        Args:
            frame: `(h, w, 3)` or `(h, w, 4)` RGB, or `(h, w)` or `(h, w, 1)` grey, row 0 on top,
                integers in 0..255, floats in 0..1, or bool where it is black and white.

        Raises:
            ValueError: The frame has another shape.
        """
        rgb = _as_rgb(frame)
        width, height = self._size
        if rgb.shape[:2] == (height, width):
            return rgb
        if self._bars is None:
            self._bars = _border_colour(rgb)
        scale = min(width / rgb.shape[1], height / rgb.shape[0])
        inner = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
        surface = pygame.image.frombuffer(rgb.tobytes(), (rgb.shape[1], rgb.shape[0]), "RGB")
        scaled = pygame.transform.smoothscale(surface, inner)
        picture = np.frombuffer(pygame.image.tobytes(scaled, "RGB"), np.uint8)
        fitted = np.empty((height, width, 3), np.uint8)
        fitted[:] = self._bars
        left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
        fitted[top : top + inner[1], left : left + inner[0]] = picture.reshape(
            inner[1], inner[0], 3
        )
        return fitted


def _border_colour(frame: np.ndarray) -> np.ndarray:
    sides = np.concatenate([frame[0], frame[-1], frame[:, 0], frame[:, -1]])
    middle = np.median(sides, axis=0).astype(np.uint8)
    # Most of it: a ground line may end there.
    plain = (sides == middle).all(axis=1).mean() > 0.9
    return middle if plain else np.zeros(3, np.uint8)


def _as_rgb(frame: Any) -> np.ndarray:
    array: np.ndarray = np.asarray(frame)
    if array.ndim not in (2, 3) or array.shape[2:] not in ((), (1,), (3,), (4,)) or not array.size:
        raise ValueError(
            "a frame must have shape (height, width, 3), or (height, width) if it is grey; the "
            f"renderer gave {array.shape}"
        )
    array = array[:, :, :3] if array.shape[2:] else array[:, :, None]
    array = np.broadcast_to(array, (*array.shape[:2], 3))
    if array.dtype == np.uint8:
        return np.array(array, order="C")
    array = np.nan_to_num(array)
    is_share = array.dtype == bool or np.issubdtype(array.dtype, np.floating)
    if is_share and array.max() <= 1.0:
        array = array * 255.0
    return np.clip(array, 0, 255).round().astype(np.uint8)
