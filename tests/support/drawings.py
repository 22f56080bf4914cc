"""Draw lists from plain numbers, painted in every way that there is; for a sandbox to call."""

import contextlib
from typing import Any, NamedTuple

import jax
import numpy as np
from lerax.render import Color

from lerax_render.paint2d.drawlist import DrawListPainter, Layout, TracingRenderer
from lerax_render.paint2d.renderer import HeadlessPygameRenderer

VIEW = Layout(64, 48, 10.0, (32.0, 24.0), background=(1.0, 0.9, 0.8))


class Rgb(NamedTuple):
    """A colour."""

    r: float
    g: float
    b: float


type Op = tuple[str, tuple[Any, ...]]
"""A drawing method's name and its arguments."""


def draw(renderer: Any, ops: list[Op]) -> None:
    """Call the methods; polygons of too few points are refused, and left out."""
    for name, arguments in ops:
        arguments = tuple(Color(*a) if isinstance(a, Rgb) else a for a in arguments)
        with contextlib.suppress(ValueError):
            getattr(renderer, name)(*arguments)


def paint(frames: list[list[Op]], width: int, height: int) -> tuple[int, int]:
    """Paint frames that have the same commands, and compare all ways of painting them.

    Returns:
        How many commands there are, and how many pixels of the last frame are not background.
    """
    lists = []
    for ops in frames:
        recorder = TracingRenderer(VIEW)
        draw(recorder, ops)
        lists.append(recorder.drawlist())
    stacked = jax.tree.map(lambda *leaves: np.stack(leaves), *lists)
    together = DrawListPainter(VIEW, width, height, "rgb24")
    pictures = list(together.paint(stacked))
    bgr0 = [
        f[..., 2::-1].copy() for f in DrawListPainter(VIEW, width, height, "bgr0").paint(stacked)
    ]
    # A list of one frame has no background that stays.
    alone = DrawListPainter(VIEW, width, height, "rgb24")
    for picture, other, one in zip(pictures, bgr0, lists, strict=True):
        (single,) = alone.paint(jax.tree.map(lambda leaf: leaf[None], one))
        assert picture.shape == (height, width, 3)
        assert picture.dtype == np.uint8
        np.testing.assert_array_equal(picture, single)
        np.testing.assert_array_equal(picture, other)
    not_finite = sum(not np.isfinite(one.numbers).all() for one in lists)
    assert together.incomplete == alone.incomplete == not_finite
    if (width, height) == (VIEW.width, VIEW.height):
        eager = HeadlessPygameRenderer(width, height, Color(*VIEW.background), VIEW.transform)
        for ops, picture in zip(frames, pictures, strict=True):
            draw(eager, ops)
            np.testing.assert_array_equal(eager.as_array(), picture)
    background = np.array([255, 229, 204])
    return len(stacked.commands), int((pictures[-1] != background).any(axis=2).sum())
