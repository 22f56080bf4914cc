"""Several pictures in one: a background once, and of each picture what is in front of it."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

# Rows at once, so that the work takes little memory beside the pictures.
_ROWS = 64


class Layer(NamedTuple):
    """A picture of a moment, from the same place as all others.

    Attributes:
        frame: `uint8 (H, W, 3)` RGB.
        depth: `float32 (H, W)`, how far what it shows is away.
        is_thing: `bool (H, W)`, where it shows something in front of the background.
        weight: How much of it is seen, 0 to 1.
    """

    frame: np.ndarray
    depth: np.ndarray
    is_thing: np.ndarray
    weight: float


def layered(background: np.ndarray, layers: Sequence[Layer]) -> np.ndarray:
    """Return a picture of things that are as opaque as their weights, the nearest in front.

    What a thing does to the background, its shadow and its mirror image, is as strong as itself.

    Args:
        background: `uint8 (H, W, 3)` RGB, without the things.
        layers: From the first to the last; of two in one place, the later is in front.

    Returns:
        `uint8 (H, W, 3)` RGB.
    """
    whole = np.empty_like(background)
    for top in range(0, len(background), _ROWS):
        rows = slice(top, top + _ROWS)
        part = [
            Layer(layer.frame[rows], layer.depth[rows], layer.is_thing[rows], layer.weight)
            for layer in layers
        ]
        whole[rows] = np.clip(np.rint(_blended(background[rows], part)), 0, 255)
    return whole


def _blended(background: np.ndarray, layers: Sequence[Layer]) -> np.ndarray:
    behind = background.astype(np.float32)
    strongest = np.zeros_like(behind)
    for layer in layers:
        change = layer.weight * (layer.frame - behind)
        change[layer.is_thing] = 0
        # Two shadows in one place are one.
        stronger = np.abs(change).sum(axis=2) > np.abs(strongest).sum(axis=2)
        strongest[stronger] = change[stronger]
    picture = behind + strongest
    is_thing = np.stack([layer.is_thing for layer in layers])
    there = is_thing.any(axis=0)
    is_thing = is_thing[:, there]
    depths = np.stack([layer.depth[there] for layer in layers])
    # From far to near, and where that is the same, from early to late.
    order = np.argsort(np.where(is_thing, -depths, -np.inf), axis=0, kind="stable")
    weights = np.array([[layer.weight] for layer in layers], np.float32) * is_thing
    weights = np.take_along_axis(weights, order, axis=0)[..., None]
    colours = np.stack([layer.frame[there] for layer in layers])
    colours = np.take_along_axis(colours, order[..., None], axis=0)
    pixels = picture[there]
    for colour, weight in zip(colours, weights, strict=True):
        pixels += weight * (colour - pixels)
    picture[there] = pixels
    return picture
