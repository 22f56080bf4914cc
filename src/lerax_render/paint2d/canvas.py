"""A picture in memory: a pygame surface that belongs to no display, and its pixels as arrays."""

import ctypes

import numpy as np
from numpy.typing import NDArray

from .layout import Layout
from .placement import to_rgb
from .primitives import Wash
from .pygame_import import MASKS, pygame

type Pixels = NDArray[np.uint8]


class Canvas:
    """A 32-bit surface in the background colour, to be drawn on inside its layout's clip rectangle.

    Args:
        layout: Size, background and clip rectangle.

    Attributes:
        surface: The surface.
        bgr0: uint8 (height, width, 4): its pixels as blue, green, red and an unused byte. Not a
            copy: it follows what is drawn.
    """

    surface: pygame.Surface
    bgr0: Pixels

    def __init__(self, layout: Layout) -> None:
        size = (layout.width, layout.height)
        self.surface = pygame.Surface(size, 0, 32, MASKS)
        self._background = tuple(to_rgb(np.array(layout.background)).tolist())
        # Not a subsurface: see Mark.draw.
        self._inner = pygame.Rect(layout.inner)
        self.surface.set_clip(self._inner)
        self.clear()
        # surface.get_buffer() would lock the surface for as long as somebody holds the array.
        memory = (ctypes.c_uint8 * (layout.width * layout.height * 4)).from_address(
            self.surface._pixels_address
        )
        # The pixels live as long as the array.
        memory.surface = self.surface  # type: ignore[attr-defined]
        self.bgr0 = np.frombuffer(memory, np.uint8).reshape(layout.height, layout.width, 4)
        self.bgr0.flags.writeable = False

    def clear(self) -> None:
        """Fill with the background colour, bars included."""
        Wash().draw(self.surface, self._background)

    def restore(self, other: "Canvas", area: pygame.Rect) -> None:
        """Copy an area of another canvas of the same size, bars included."""
        if self._inner.contains(area):
            self.surface.blit(other.surface, area, area)
            return
        self.surface.set_clip(None)
        self.surface.blit(other.surface, area, area)
        self.surface.set_clip(self._inner)

    def rgb(self, elsewhere: Pixels | None = None, area: pygame.Rect | None = None) -> Pixels:
        """A copy of the pixels.

        Args:
            elsewhere: What is known already of the picture, as this method returns it.
            area: The part of which it is not known; by default all.

        Returns:
            uint8 (height, width, 3): red, green, blue, row 0 on top.
        """
        shape = (*self.bgr0.shape[:2], 3)
        pixels = np.empty(shape, np.uint8) if elsewhere is None else elsewhere.copy()
        # A quarter of the time that NumPy takes to turn the bytes around.
        target = pygame.image.frombuffer(pixels.data, self.surface.get_size(), "RGB")
        if area is None:
            area = self.surface.get_rect()
        target.blit(self.surface, area, area)
        return pixels
