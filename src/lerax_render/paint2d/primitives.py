"""What is drawn on a surface: pixel positions only, in the order and form that pygame wants them.

All edges are antialiased at a quarter of a pixel. `pygame.gfxdraw` would place them at whole pixels
(motion trembles), overflow above 16 bits, and leave gaps between an ellipse and its outline.
"""

import functools
import math
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from .geometry import SUBPIXELS, coverage
from .pygame_import import pygame

__all__ = [
    "Area",
    "Box",
    "Disc",
    "Group",
    "Label",
    "Mark",
    "Rgb",
    "Silhouette",
    "Stroke",
    "Wash",
    "render_text",
    "unite",
]

# In pixels: the largest picture of a text, and the largest that is kept.
_LARGEST_TEXT, _LARGEST_KEPT = 2**24, 2**20

type Rgb = tuple[int, int, int]
type Point = list[float]


class Mark(Protocol):
    """One thing to draw."""

    def draw(self, surface: pygame.Surface, color: Rgb) -> pygame.Rect:
        """Draw it on a 32-bit surface that has no parent, within the surface's clip rectangle.

        Returns:
            A rectangle around all the pixels that this changed.

        `pygame.draw.aalines` reads the background as if pixels had four bytes and rows were as long
        as the surface is wide: wrong on a subsurface, and a crash on a 24-bit surface.
        """


class Area(NamedTuple):
    """A filled polygon: its core, and one-pixel outlines at growing depth that make up its edge.

    An antialiased line of pygame covers the two pixels it runs between. Half a pixel inside the
    polygon's edge, that is just how much of them the polygon covers; the deeper ones close the gap
    to the core, whose corners are at whole pixels.
    """

    core: list[list[int]] | None
    outlines: list[list[Point]]

    def draw(self, surface: pygame.Surface, color: Rgb) -> pygame.Rect:
        """Draw the core, then the outlines."""
        changed = []
        if self.core is not None:
            changed.append(pygame.draw.polygon(surface, color, self.core))
        for outline in self.outlines:
            changed.append(pygame.draw.aalines(surface, color, True, outline))
        return unite(changed)


class Silhouette(NamedTuple):
    """A filled polygon that is too thin or too small for an `Area`. It takes ten times as long."""

    corners: list[Point]

    def draw(self, surface: pygame.Surface, color: Rgb) -> pygame.Rect:
        """Blend a picture of the polygon."""
        corners = np.array(self.corners)
        origin = np.floor(corners.min(axis=0))
        extent = np.maximum(np.ceil(corners.max(axis=0)) - origin, 1)
        width, height = extent.astype(int).tolist()
        sprite = _sprite(coverage(corners - origin, width, height), color)
        return surface.blit(sprite, origin.astype(int).tolist())


class Stroke(NamedTuple):
    """Connected lines of one pixel's width."""

    points: list[Point]

    def draw(self, surface: pygame.Surface, color: Rgb) -> pygame.Rect:
        """Draw the lines."""
        if len(self.points) == 2:
            # As aalines, pygame-ce draws a single line there and back.
            start, end = self.points
            return pygame.draw.aaline(surface, color, start, end)
        return pygame.draw.aalines(surface, color, False, self.points)


class Box(NamedTuple):
    """A filled rectangle of whole pixels: neighbours in a grid of tiles leave no seam."""

    left: int
    top: int
    width: int
    height: int

    def draw(self, surface: pygame.Surface, color: Rgb) -> pygame.Rect:
        """Fill the rectangle."""
        return surface.fill(color, self)


class Disc(NamedTuple):
    """A filled ellipse: its centre and half axes, in quarters of a pixel."""

    x: int
    y: int
    half_width: int
    half_height: int

    def draw(self, surface: pygame.Surface, color: Rgb) -> pygame.Rect:
        """Draw the ellipse."""
        x, x_part = divmod(self.x, SUBPIXELS)
        y, y_part = divmod(self.y, SUBPIXELS)
        sprite = _ellipse(self.half_width, self.half_height, x_part, y_part, color)
        width, height = sprite.get_size()
        return surface.blit(sprite, (x - width // 2, y - height // 2))


class Label(NamedTuple):
    """Text: the pixel at its upper left and the height of its font in pixels."""

    x: int
    y: int
    size: int
    text: str

    def draw(self, surface: pygame.Surface, color: Rgb) -> pygame.Rect:
        """Draw the text, in pygame's own font, which is the same everywhere."""
        # Longer, it is many times as wide as any picture, and takes memory for all of it.
        text = self.text[: max(1, _LARGEST_TEXT // self.size**2)]
        lines = text.split("\n")
        is_small = len(lines) * max(map(len, lines)) * self.size**2 <= _LARGEST_KEPT
        draw = _text if is_small else _text.__wrapped__
        return surface.blit(draw(text, self.size, color), (self.x, self.y))


class Wash(NamedTuple):
    """The whole picture, what is outside the surface's clip rectangle included."""

    def draw(self, surface: pygame.Surface, color: Rgb) -> pygame.Rect:
        """Fill the surface."""
        clip = surface.get_clip()
        surface.set_clip(None)
        surface.fill(color)
        surface.set_clip(clip)
        return surface.get_rect()


class Group(NamedTuple):
    """Several marks of one colour."""

    marks: tuple[Mark, ...]

    def draw(self, surface: pygame.Surface, color: Rgb) -> pygame.Rect:
        """Draw one after the other."""
        return unite([mark.draw(surface, color) for mark in self.marks])


def unite(areas: list[pygame.Rect]) -> pygame.Rect:
    """A rectangle around others; an empty one around none."""
    return areas[0].unionall(areas[1:]) if areas else pygame.Rect(0, 0, 0, 0)


@functools.lru_cache(maxsize=256)
def _ellipse(
    half_width: int, half_height: int, x_part: int, y_part: int, color: Rgb
) -> pygame.Surface:
    """A picture of an ellipse, whose centre is in the middle pixel."""
    radii = np.array([half_width, half_height]) / SUBPIXELS
    margin_x, margin_y = (math.ceil(radius) + 1 for radius in radii)
    x = np.arange(-margin_x, margin_x + 1) + 0.5 - x_part / SUBPIXELS
    y = np.arange(-margin_y, margin_y + 1)[:, None] + 0.5 - y_part / SUBPIXELS
    # The distance to the outline, from the value and the slope of the ellipse's equation.
    value = np.maximum(np.hypot(x / radii[0], y / radii[1]), 1e-6)
    slope = np.hypot(x / radii[0] ** 2, y / radii[1] ** 2)
    distance = value * (value - 1) / np.maximum(slope, 1e-9)
    return _sprite(np.clip(0.5 - distance, 0, 1), color)


def _sprite(opacity: NDArray[np.float64], color: Rgb) -> pygame.Surface:
    """A surface of one colour and an opacity (height, width) of 0 to 1."""
    pixels = np.empty((*opacity.shape, 4), np.uint8)
    pixels[..., :3] = color[::-1]
    pixels[..., 3] = opacity * 255 + 0.5
    return pygame.image.frombuffer(pixels.tobytes(), opacity.shape[::-1], "BGRA")


@functools.lru_cache(maxsize=64)
def _text(text: str, size: int, color: Rgb) -> pygame.Surface:
    # Only the picture is kept: a font would die with the program's next `pygame.quit()`.
    if not pygame.font.get_init():
        pygame.font.init()
    font = pygame.font.Font(None, size)
    lines = [render_text(font, line, color) for line in text.split("\n")]
    if len(lines) == 1:
        return lines[0]
    # pygame-ce breaks lines itself, at this distance; pygame shows a box.
    height = font.get_linesize()
    width = max(line.get_width() for line in lines)
    # All of them are as wide as the widest in the picture.
    del lines[max(1, _LARGEST_TEXT // max(1, width * height)) :]
    whole = pygame.Surface((width, height * len(lines)), pygame.SRCALPHA)
    for number, line in enumerate(lines):
        whole.blit(line, (0, number * height))
    return whole


def render_text(font: pygame.font.Font, text: str, color: Rgb) -> pygame.Surface:
    """Return a picture of a line of text, in which what cannot be shown is blank.

    pygame refuses null characters, half characters, and text of no width, such as a variation
    selector alone.
    """
    shown = "".join(c if c.isprintable() else " " for c in text)
    try:
        return font.render(shown, True, color)
    except pygame.error:
        return pygame.Surface((0, 0), pygame.SRCALPHA)
