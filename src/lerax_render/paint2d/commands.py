"""Draw commands: the calls of Lerax's 2D drawing interface, as plain numbers."""

from abc import abstractmethod
from typing import Any, Literal, NamedTuple, override

import jax
import numpy as np
from jax import numpy as jnp
from lerax.render import Abstract2DRenderer, Color

__all__ = ["Array", "Command", "CommandRenderer", "Kind"]

type Array = jax.Array | np.ndarray
type Kind = Literal["circle", "ellipse", "line", "polygon", "polyline", "rect", "text"]

_NUM_SIZES: dict[Kind, int] = {
    "circle": 1,  # radius
    "ellipse": 2,  # width, height
    "line": 1,  # width
    "polygon": 0,
    "polyline": 0,
    "rect": 2,  # width, height
    "text": 1,  # pixels at the layout's own size
}


class Command(NamedTuple):
    """The part of a draw command that is the same in every frame.

    Attributes:
        kind: What is drawn.
        num_points: How many world points it has.
        text: The text, where it is text.
    """

    kind: Kind
    num_points: int
    text: str = ""

    @property
    def num_sizes(self) -> int:
        """How many sizes this kind of command has."""
        return _NUM_SIZES[self.kind]

    @property
    def num_numbers(self) -> int:
        """How many numbers describe it: points, sizes, and a colour."""
        return 2 * self.num_points + self.num_sizes + 3


class CommandRenderer(Abstract2DRenderer):
    """A 2D renderer that reduces all of Lerax's drawing methods to one."""

    @abstractmethod
    def _command(self, command: Command, numbers: Array) -> None:
        """Take one draw command.

        Args:
            command: Its fixed part.
            numbers: float32 (command.num_numbers,), concrete or traced: the points' coordinates in
                world units, the sizes, then red, green and blue from 0 to 1.
        """

    @override
    def draw_circle(self, center: Any, radius: Any, color: Color) -> None:
        """Draw a filled circle; nothing if the radius is not above 0.

        Args:
            center: (2,), world units.
            radius: World units.
            color: Colour of the circle.
        """
        self._shape("circle", center, (radius,), color)

    @override
    def draw_ellipse(self, center: Any, w: Any, h: Any, color: Color) -> None:
        """Draw a filled ellipse; nothing if a size is not above 0.

        Args:
            center: (2,), world units.
            w: Width in world units.
            h: Height in world units.
            color: Colour of the ellipse.
        """
        self._shape("ellipse", center, (w, h), color)

    @override
    def draw_rect(self, center: Any, w: Any, h: Any, color: Color) -> None:
        """Draw a filled rectangle of whole pixels; nothing if a size is not above 0.

        Args:
            center: (2,), world units.
            w: Width in world units.
            h: Height in world units.
            color: Colour of the rectangle.
        """
        self._shape("rect", center, (w, h), color)

    @override
    def draw_text(self, center: Any, text: str, color: Color, size: Any = 12) -> None:
        """Draw one line of text, never mirrored; nothing if the size is below one pixel.

        Args:
            center: (2,), the middle of the text, world units.
            text: The text.
            color: Colour of the text.
            size: Height of the font in pixels, at the size that the environment is laid out for.

        Raises:
            TypeError: If `text` is no string.
        """
        if not isinstance(text, str):
            raise TypeError(f"text must be a string, got {type(text).__name__}.")
        self._shape("text", center, (size,), color, text)

    @override
    def draw_line(self, start: Any, end: Any, color: Color, width: Any = 1) -> None:
        """Draw a straight line with blunt ends; nothing if its length or width is not above 0.

        Args:
            start: (2,), world units.
            end: (2,), world units.
            color: Colour of the line.
            width: World units (whatever Lerax's documentation says), drawn as one pixel at least.
        """
        points = _stack([_vector("start", start), _vector("end", end)])
        self._points("line", points, (width,), color)

    @override
    def draw_polygon(self, points: Any, color: Color) -> None:
        """Draw a filled polygon.

        Args:
            points: (n, 2), world units, with n ≥ 3.
            color: Colour of the polygon.

        Raises:
            ValueError: If there are fewer than three points.
        """
        self._points("polygon", _polygon_points("polygon", points, at_least=3), (), color)

    @override
    def draw_polyline(self, points: Any, color: Color) -> None:
        """Draw connected lines of one pixel's width at the size the environment is laid out for.

        Args:
            points: (n, 2), world units, with n ≥ 2.
            color: Colour of the lines.

        Raises:
            ValueError: If there are fewer than two points.
        """
        self._points("polyline", _polygon_points("polyline", points, at_least=2), (), color)

    def _shape(
        self, kind: Kind, center: Any, sizes: tuple[Any, ...], color: Color, text: str = ""
    ) -> None:
        self._points(kind, _vector("center", center)[None], sizes, color, text)

    def _points(
        self, kind: Kind, points: Array, sizes: tuple[Any, ...], color: Color, text: str = ""
    ) -> None:
        scalars = [_float32(number).reshape(()) for number in (*sizes, *color.to_tuple())]
        numbers = _concatenate([points.reshape(-1), _stack(scalars)])
        self._command(Command(kind, points.shape[0], text), numbers)


def _vector(name: str, value: Any) -> Array:
    vector = _float32(value)
    if vector.shape != (2,):
        raise ValueError(
            f"{name} must be two numbers (x, y), got an array of shape {vector.shape}."
        )
    return vector


def _polygon_points(kind: Kind, value: Any, at_least: int) -> Array:
    points = _float32(value)
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError(f"the points of a {kind} must have the shape (n, 2), got {points.shape}.")
    if points.shape[0] < at_least:
        raise ValueError(f"a {kind} needs at least {at_least} points, got {points.shape[0]}.")
    return points


# Concrete values go through NumPy: JAX takes a hundred times as long for each small operation.


def _is_traced(value: Any) -> bool:
    return any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(value))


def _float32(value: Any) -> Array:
    if _is_traced(value):
        return jnp.asarray(value, np.float32)
    with np.errstate(over="ignore"):
        return np.asarray(value, np.float32)


def _stack(arrays: list[Array]) -> Array:
    return jnp.stack(arrays) if _is_traced(arrays) else np.stack(arrays)


def _concatenate(arrays: list[Array]) -> Array:
    return jnp.concatenate(arrays) if _is_traced(arrays) else np.concatenate(arrays)
