"""How a 2D world is laid out on a picture."""

import dataclasses
import math
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from jax import numpy as jnp
from lerax.render import WHITE, Abstract2DRenderer, Transform
from numpy.typing import NDArray

from ..settings import Pixels, checked, kind_of

__all__ = ["Layout", "View"]

_PIXELS = kind_of(Pixels)


@dataclass(frozen=True)
class Layout:
    """Size, scale, origin and background of a 2D picture, in plain Python numbers.

    A world point `(x, y)` lies at `(x * scale + offset_x, y * scale + offset_y)` pixels from the
    upper left corner of the picture, with `height - …` in place of the second number when `y_up`.
    Positions are continuous: pixel `i` reaches from `i` to `i + 1`.

    This is so where the picture has the size that the environment is drawn for; another one shows
    the same, magnified by `zoom` from `corner`.

    Args:
        width: Width of the picture in pixels, 1 to 16,384.
        height: Height of the picture in pixels, 1 to 16,384.
        scale: Pixels per world unit, above 0.
        offset: Position of the world's origin in pixels, as above.
        y_up: Whether the world's y axis points up.
        background: Red, green and blue of the background, each 0 to 1.
        zoom: Pixels here per pixel of the size that the environment is drawn for. What has no size
            in world units, text and polylines, is magnified by this, too.
        corner: Where the upper left corner of that size lies here, in pixels.
        clip: The rectangle (left, top, width, height) in pixels that is drawn on; what lies outside
            keeps the background colour. None: the whole picture.
        transform_size: Width and height of Lerax's transform, whose height mirrors y; None: those
            of the size that the environment is drawn for.

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
    corner: tuple[float, float] = (0.0, 0.0)
    clip: tuple[int, int, int, int] | None = None
    transform_size: tuple[int, int] | None = None

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
        color = getattr(renderer, "background_color", WHITE)
        size = (int(transform.width), int(transform.height))
        return cls(
            width,
            height,
            float(transform.scale),
            (x, y),
            bool(transform.y_up),
            (float(color.r), float(color.g), float(color.b)),
            transform_size=None if size == (width, height) else size,
        )

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
        clip_x, clip_y, clip_width, clip_height = self.inner
        clip_left, clip_right = (
            left + round(edge * zoom) for edge in (clip_x, clip_x + clip_width)
        )
        clip_top, clip_bottom = (
            top + round(edge * zoom) for edge in (clip_y, clip_y + clip_height)
        )
        return dataclasses.replace(
            self,
            width=width,
            height=height,
            zoom=self.zoom * zoom,
            corner=(left + self.corner[0] * zoom, top + self.corner[1] * zoom),
            clip=(
                clip_left,
                clip_top,
                max(1, clip_right - clip_left),
                max(1, clip_bottom - clip_top),
            ),
            transform_size=self._transform_size,
        )

    @property
    def inner(self) -> tuple[int, int, int, int]:
        """The rectangle (left, top, width, height) in pixels that is drawn on."""
        return self.clip or (0, 0, self.width, self.height)

    @property
    def transform(self) -> Transform:
        """Lerax's `Transform`, for the size that the environment is drawn for."""
        width, height = self._transform_size
        return Transform(
            width=width,
            height=height,
            scale=self.scale,
            offset=jnp.asarray(self.offset, jnp.float32),
            y_up=self.y_up,
        )

    @property
    def _transform_size(self) -> tuple[int, int]:
        return self.transform_size or (self.width, self.height)

    @property
    def own_numbers(self) -> NDArray[np.float64]:
        """Offset, scale and height of this layout's own transform, float64 (1, 4)."""
        return np.array([[*self.offset, self.scale, self._transform_size[1]]])

    @property
    def view(self) -> "View":
        """How the world is seen by this layout's own transform."""
        return self.seen_by(self.own_numbers, y_up=self.y_up)

    def seen_by(self, numbers: NDArray[np.floating], *, y_up: bool) -> "View":
        """How the world is seen by other transforms.

        Args:
            numbers: (T, 4): a transform's offset, scale and height in each of `T` frames.
            y_up: Whether the world's y axis points up.
        """
        x, y, scale, height = numbers.astype(np.float64).T
        origin = np.stack([x, height - y if y_up else y], axis=1)
        return View(scale * self.zoom, origin * self.zoom + self.corner, y_up)

    def to_pixels(self, points: NDArray[np.float32]) -> NDArray[np.float64]:
        """Pixel positions of world points.

        Args:
            points: float (n, 2), world units.

        Returns:
            float64 (n, 2), pixels from the upper left corner, not rounded.
        """
        pixels: NDArray[np.float64] = self.view.to_pixels(points[None])[0]
        return pixels


class View(NamedTuple):
    """From world units to pixels from a picture's upper left corner, in `T` frames or in any.

    Attributes:
        scale: float64 (T,) or (1,), pixels per world unit.
        origin: float64 (T, 2) or (1, 2), where the world's origin lies.
        y_up: Whether the world's y axis points up.
    """

    scale: NDArray[np.float64]
    origin: NDArray[np.float64]
    y_up: bool

    @property
    def is_fixed(self) -> bool:
        """Whether it is the same in all frames."""
        return bool((self.scale == self.scale[0]).all() and (self.origin == self.origin[0]).all())

    @property
    def first(self) -> "View":
        """The first frame's."""
        return View(self.scale[:1], self.origin[:1], self.y_up)

    @property
    def finite(self) -> NDArray[np.bool_]:
        """Whether its numbers are, as bool (T,) or (1,)."""
        return np.isfinite(self.scale) & np.isfinite(self.origin).all(axis=1)

    def where_finite(self) -> "View":
        """The same, with zeros for numbers that are not."""
        scale, origin = (np.where(np.isfinite(part), part, 0.0) for part in self[:2])
        return View(scale, origin, self.y_up)

    def repeated(self, count: int) -> "View":
        """For so many things in each frame."""
        if len(self.scale) == 1:
            return self
        return View(np.repeat(self.scale, count), np.repeat(self.origin, count, 0), self.y_up)

    def to_pixels(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Pixel positions, float64 (T, n, 2), not rounded, of world points (T, n, 2)."""
        along = np.array([1.0, -1.0 if self.y_up else 1.0])
        pixels: NDArray[np.float64] = (
            points * (self.scale[:, None, None] * along) + self.origin[:, None]
        )
        return pixels
