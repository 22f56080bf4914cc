"""Draw commands: the calls of Lerax's 2D drawing interface, as plain numbers."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, override

import equinox as eqx
import jax
import numpy as np
from jax import numpy as jnp
from lerax.render import Abstract2DRenderer, Color, Transform

__all__ = ["Array", "Command", "CommandRenderer", "Kind", "Pen", "is_traced"]

type Array = jax.Array | np.ndarray
type Kind = Literal[
    "circle",
    "clear",
    "ellipse",
    "line",
    "polygon",
    "polyline",
    "rect",
    "text",
    "y_down",
    "y_up",
]

_NUM_SIZES: dict[Kind, int] = {
    "circle": 1,  # radius
    "clear": 0,
    "ellipse": 2,  # width, height
    "line": 1,  # width
    "polygon": 0,
    "polyline": 0,
    "rect": 2,  # width, height
    "text": 1,  # pixels at the layout's own size
    # Not drawn: where the commands after it are drawn.
    "y_down": 2,  # scale, height; the point is the offset, as in Lerax's Transform
    "y_up": 2,
}


_COLORS_KEPT = 256


class Command(NamedTuple):
    """The part of a draw command that is the same in every frame.

    Attributes:
        kind: What is drawn; or `"clear"`, the picture in a colour of its own; or `"y_up"` and
            `"y_down"`, another transform for the commands that follow.
        num_points: How many world points it has.
        text: The text, where it is text.
    """

    kind: Kind
    num_points: int
    text: str = ""

    @property
    def is_view(self) -> bool:
        """Whether it is a transform."""
        return self.kind in ("y_up", "y_down")

    @property
    def num_numbers(self) -> int:
        """How many numbers describe it: points, sizes, and a colour unless it is a transform."""
        return 2 * self.num_points + _NUM_SIZES[self.kind] + 3 * (not self.is_view)


class Pen:
    """What a renderer and its copies with other transforms (`eqx.tree_at`) have in common.

    Args:
        transform: The renderer's own, which is in force until a copy with another one draws.
        background: The renderer's own.
    """

    def __init__(self, transform: Transform, background: Color) -> None:
        self._colors: dict[int, tuple[Color, list[Array]]] = {}
        self._transform = _parts(transform)
        self._background = _parts(background)
        self.restart()

    def restart(self) -> None:
        """Put the renderer's own transform in force."""
        self._in_force = self._transform

    def turns_to(self, transform: Transform) -> bool:
        """Put a transform in force, and return whether it is another than before."""
        parts = _parts(transform)
        # By identity: that of traced values is all that is known of them.
        if all(map(_is, parts, self._in_force)):
            return False
        self._in_force = parts
        return True

    def rgb(self, color: Color) -> list[Array]:
        """Red, green and blue."""
        known = self._colors.get(id(color))
        if known is None:
            if len(self._colors) >= _COLORS_KEPT:
                self._colors.clear()
            parts = [_number("colour", part) for part in (color.r, color.g, color.b)]
            # With the colour itself, so that no other gets its number.
            known = self._colors[id(color)] = color, parts
        return known[1]

    def has_background(self, background: Color) -> bool:
        """Whether this is the renderer's own background colour."""
        return all(map(_is, _parts(background), self._background))


def _is(one: Any, other: Any) -> bool:
    return one is other


def _parts(module: Transform | Color) -> tuple[Any, ...]:
    if isinstance(module, Color):
        return module.r, module.g, module.b
    return module.scale, module.offset, module.height, bool(module.y_up)


class CommandRenderer(Abstract2DRenderer):
    """A 2D renderer that reduces all of Lerax's drawing methods to one.

    Each command is drawn by the transform of the renderer that draws it, which may be a copy of
    another one: `eqx.tree_at(lambda r: r.transform.offset, renderer, offset)`.
    """

    background_color: eqx.AbstractVar[Color]
    _pen: eqx.AbstractVar[Pen]

    if not TYPE_CHECKING:
        # Equinox makes each bound method a module, which takes longer than to draw with it.
        __getattribute__ = object.__getattribute__

    @abstractmethod
    def _command(self, command: Command, numbers: Sequence[Array]) -> None:
        """Take one command.

        Args:
            command: Its fixed part.
            numbers: float32 arrays of any shape, `command.num_numbers` numbers in all, concrete or
                traced: the points' coordinates in world units, the sizes, then red, green and blue
                from 0 to 1.
        """

    def _clear_to_background(self) -> None:
        """Take a command to clear the picture, where its colour is not the renderer's own."""
        if not self._pen.has_background(self.background_color):
            self._command(Command("clear", 0), self._pen.rgb(self.background_color))

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
        """Draw text, never mirrored; nothing if the size is below one pixel.

        Args:
            center: (2,), the upper left corner of the text, world units: whatever the name says,
                this is where Lerax 0.0.5 and 0.0.6 draw it.
            text: The text; `\\n` begins another line.
            color: Colour of the text.
            size: Height of the font in whole pixels, at the size that the environment is laid out
                for; a fraction is cut off.

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
        points = [_vector("start", start), _vector("end", end)]
        self._points("line", 2, points, (width,), color)

    @override
    def draw_polygon(self, points: Any, color: Color) -> None:
        """Draw a filled polygon.

        Args:
            points: (n, 2), world units, with n ≥ 3.
            color: Colour of the polygon.

        Raises:
            ValueError: If there are fewer than three points.
        """
        corners = _polygon_points("polygon", points, at_least=3)
        self._points("polygon", len(corners), [corners], (), color)

    @override
    def draw_polyline(self, points: Any, color: Color) -> None:
        """Draw connected lines of one pixel's width at the size the environment is laid out for.

        Args:
            points: (n, 2), world units, with n ≥ 2.
            color: Colour of the lines.

        Raises:
            ValueError: If there are fewer than two points.
        """
        corners = _polygon_points("polyline", points, at_least=2)
        self._points("polyline", len(corners), [corners], (), color)

    def _shape(
        self, kind: Kind, center: Any, sizes: tuple[Any, ...], color: Color, text: str = ""
    ) -> None:
        self._points(kind, 1, [_vector("center", center)], sizes, color, text)

    def _points(
        self,
        kind: Kind,
        num_points: int,
        points: list[Array],
        sizes: tuple[Any, ...],
        color: Color,
        text: str = "",
    ) -> None:
        numbers = [*points, *(_number("size", size) for size in sizes), *self._pen.rgb(color)]
        view = self.transform
        if self._pen.turns_to(view):
            self._command(
                Command("y_up" if view.y_up else "y_down", 1),
                [
                    _vector("transform.offset", view.offset),
                    _number("transform.scale", view.scale),
                    _number("transform.height", view.height),
                ],
            )
        self._command(Command(kind, num_points, text), numbers)


def _number(name: str, value: Any) -> Array:
    number = _float32(value)
    if number.size != 1:
        raise ValueError(f"a {name} must be one number, got an array of shape {number.shape}.")
    return number


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


def is_traced(value: Any) -> bool:
    """Whether a value is traced, or one in a list is."""
    if isinstance(value, list | tuple):
        return any(map(is_traced, value))
    return isinstance(value, jax.core.Tracer)


def _float32(value: Any) -> Array:
    if is_traced(value):
        if isinstance(value, jax.Array) and value.dtype == np.float32:
            return value  # quicker than to ask JAX for the same
        return jnp.asarray(value, np.float32)
    if isinstance(value, jax.Array):
        return np.asarray(value, np.float32)
    with np.errstate(over="ignore"):
        return np.asarray(value, np.float32)
