"""How a 2D world is laid out on a picture."""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from jax import numpy as jnp
from lerax.render import WHITE, Abstract2DRenderer, Transform
from numpy.typing import NDArray

from ..settings import Pixels, checked, kind_of

__all__ = ["Layout"]

_PIXELS = kind_of(Pixels)


@dataclass(frozen=True)
class Layout:
    """Size, scale, origin and background of a 2D picture, in plain Python numbers.

    A world point `(x, y)` lies at `(x * scale + offset_x, y * scale + offset_y)` pixels from the
    upper left corner of the picture, with `height - …` in place of the second number when `y_up`.
    Positions are continuous: pixel `i` reaches from `i` to `i + 1`.

    Args:
        width: Width of the picture in pixels, 1 to 16,384.
        height: Height of the picture in pixels, 1 to 16,384.
        scale: Pixels per world unit, above 0.
        offset: Position of the world's origin in pixels, as above.
        y_up: Whether the world's y axis points up.
        background: Red, green and blue of the background, each 0 to 1.
        zoom: Pixels here per pixel of the layout that the environment was drawn for. What has no
            size in world units, text and polylines, is magnified by this.
        clip: The rectangle (left, top, width, height) in pixels that is drawn on; what lies outside
            keeps the background colour. None: the whole picture.

    Raises:
        TypeError: If a size is not a whole number.
        ValueError: If a size is out of range, or the scale is not above 0.
    """

    width: int
    height: int
    scale: float
    offset: tuple[float, float]
    y_up: bool = True
    background: tuple[float, float, float] = (1.0, 1.0, 1.0)
    zoom: float = 1.0
    clip: tuple[int, int, int, int] | None = None

    def __post_init__(self) -> None:
        for name, size in (("width", self.width), ("height", self.height)):
            object.__setattr__(self, name, checked(name, _PIXELS, size))
        if not (math.isfinite(self.scale) and self.scale > 0):
            raise ValueError(f"scale must be a finite number above 0, got {self.scale}.")

    @classmethod
    def of(cls, renderer: Abstract2DRenderer) -> Self:
        """Read the layout of a 2D renderer: Lerax's own, one that wraps another, or a custom one.

        Args:
            renderer: The renderer; its `transform` gives the layout, its `width`, `height` and
                `background_color`, where it has them, the size and the background.

        Returns:
            The layout, with a white background where the renderer names none.

        Raises:
            TypeError: If this is no 2D renderer.
            ValueError: If its transform has no usable size or scale.
        """
        if not isinstance(renderer, Abstract2DRenderer):
            raise TypeError(
                f"expected a lerax.render.Abstract2DRenderer, got {type(renderer).__name__}."
            )
        # A renderer that wraps another, such as Lerax's VideoRenderer, carries only the transform.
        while isinstance(inner := getattr(renderer, "inner", None), Abstract2DRenderer):
            renderer = inner
        transform = renderer.transform
        width = int(getattr(renderer, "width", transform.width))
        height = int(getattr(renderer, "height", transform.height))
        x, y = (float(number) for number in transform.offset)
        if transform.y_up:
            # Lerax mirrors at the transform's height, which may differ from the surface's.
            y += height - int(transform.height)
        color = getattr(renderer, "background_color", WHITE)
        background = (float(color.r), float(color.g), float(color.b))
        return cls(width, height, float(transform.scale), (x, y), transform.y_up, background)

    def fitted(self, width: int, height: int) -> Self:
        """The same picture, as large as fits in the middle of another size, without distortion.

        Args:
            width: Width of the new picture in pixels.
            height: Height of the new picture in pixels.

        Returns:
            A layout whose `clip` leaves bars in the background colour where the shapes differ.

        Raises:
            TypeError: If a size is not a whole number.
            ValueError: If a size is out of range.
        """
        if (width, height) == (self.width, self.height):
            return self
        zoom = min(width / self.width, height / self.height)
        left = (width - round(self.width * zoom)) // 2
        top = (height - round(self.height * zoom)) // 2
        x = left + self.offset[0] * zoom
        below = height - top - self.height * zoom if self.y_up else top
        y = below + self.offset[1] * zoom
        clip_x, clip_y, clip_width, clip_height = self.inner
        clip_left, clip_right = (
            left + round(edge * zoom) for edge in (clip_x, clip_x + clip_width)
        )
        clip_top, clip_bottom = (
            top + round(edge * zoom) for edge in (clip_y, clip_y + clip_height)
        )
        return type(self)(
            width,
            height,
            self.scale * zoom,
            (x, y),
            self.y_up,
            self.background,
            self.zoom * zoom,
            (clip_left, clip_top, max(1, clip_right - clip_left), max(1, clip_bottom - clip_top)),
        )

    @property
    def inner(self) -> tuple[int, int, int, int]:
        """The rectangle (left, top, width, height) in pixels that is drawn on."""
        return self.clip or (0, 0, self.width, self.height)

    @property
    def transform(self) -> Transform:
        """The same layout as Lerax's `Transform`."""
        return Transform(
            width=self.width,
            height=self.height,
            scale=self.scale,
            offset=jnp.asarray(self.offset, jnp.float32),
            y_up=self.y_up,
        )

    def to_pixels(self, points: NDArray[np.float32]) -> NDArray[np.float64]:
        """Pixel positions of world points.

        Args:
            points: float (..., 2), world units.

        Returns:
            float64 (..., 2), pixels from the upper left corner, not rounded.
        """
        pixels = points.astype(np.float64) * self.scale + self.offset
        if self.y_up:
            pixels[..., 1] = self.height - pixels[..., 1]
        return pixels
