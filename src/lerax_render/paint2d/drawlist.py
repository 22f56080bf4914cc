"""Pictures as arrays: draw commands recorded once, from concrete or traced values, and replayed.

def capture(state):                       # under jit, vmap or scan
    renderer = TracingRenderer(layout)
    env.render(state, renderer)
    return renderer.drawlist()

drawlist = jax.device_get(jax.jit(jax.vmap(capture))(states))
frames = DrawListPainter(layout, 640, 480, "rgb24").paint(drawlist)
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, override

import equinox as eqx
import jax
import numpy as np
from jax import numpy as jnp
from lerax.render import Color, Transform
from numpy.typing import NDArray

from .canvas import Canvas
from .commands import Array, Command, CommandRenderer
from .layout import Layout
from .placement import Placed, place
from .primitives import unite
from .pygame_import import pygame

__all__ = ["CannotTrace", "DrawList", "DrawListPainter", "Layout", "TracingRenderer"]

type PixelFormat = Literal["rgb24", "bgr0"]

# What a tracer looks like in an f-string: "Traced<…>", "JitTracer<…>" or, from JAX 0.8 on,
# "JitTracer(…)".
_TRACER_TEXT = re.compile(r"\bTraced<|\w*Tracer[<(]")


class CannotTrace(Exception):
    """`env.render` did what only concrete values allow; call it with concrete values instead.

    Python conditions on traced values, and NumPy functions of them, raise JAX's own errors.
    """


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class DrawList:
    """One frame's draw commands, or those of several frames stacked.

    Attributes:
        numbers: float32 (..., n): what `CommandRenderer` says of each command, one after the other.
        commands: What is the same in every frame: kinds, numbers of points, and texts.
        cleared: Whether the picture was cleared first; otherwise the previous frame stays under it.
    """

    numbers: Array
    commands: tuple[Command, ...] = field(metadata={"static": True})
    cleared: bool = field(metadata={"static": True})

    def split(self) -> Iterator[tuple[Command, Array]]:
        """Each command with its own numbers (..., command.num_numbers)."""
        start = 0
        for command in self.commands:
            yield command, self.numbers[..., start : start + command.num_numbers]
            start += command.num_numbers


class _Recording:
    def __init__(self) -> None:
        self.commands: list[Command] = []
        self.numbers: list[Array] = []
        self.cleared = False


class TracingRenderer(CommandRenderer):
    """A 2D renderer that draws nothing and writes down what it is told to draw.

    Args:
        layout: What `transform`, `width`, `height` and `background_color` say to code that asks.
            The recorded numbers are in world units and fit any size.
    """

    transform: Transform
    width: int
    height: int
    background_color: Color
    _recording: _Recording = eqx.field(static=True)

    def __init__(self, layout: Layout) -> None:
        self.width = layout.width
        self.height = layout.height
        # Made under jit, these would be traced values, which int() and float() refuse.
        with jax.ensure_compile_time_eval():
            self.transform = layout.transform
            self.background_color = Color(*layout.background)
        self._recording = _Recording()

    def drawlist(self) -> DrawList:
        """What has been drawn since the last `clear()`, traced if any number was."""
        numbers = self._recording.numbers or [np.zeros(0, np.float32)]
        traced = any(isinstance(array, jax.core.Tracer) for array in numbers)
        return DrawList(
            (jnp if traced else np).concatenate(numbers),
            tuple(self._recording.commands),
            self._recording.cleared,
        )

    @override
    def _command(self, command: Command, numbers: Array) -> None:
        if _TRACER_TEXT.search(command.text):
            raise CannotTrace(
                f"the text {command.text!r} was made from a traced value, "
                "whose number is not known yet."
            )
        self._recording.commands.append(command)
        self._recording.numbers.append(numbers)

    @override
    def clear(self) -> None:
        """Forget what was drawn."""
        self._recording.commands.clear()
        self._recording.numbers.clear()
        self._recording.cleared = True

    @override
    def open(self) -> None:
        """Do nothing."""

    @override
    def close(self) -> None:
        """Do nothing."""

    @override
    def draw(self) -> None:
        """Do nothing: the frame is what was drawn when `drawlist()` is called."""

    @override
    def as_array(self) -> NDArray[np.uint8]:
        """Raise `CannotTrace`: there are no pixels yet."""
        raise CannotTrace("env.render reads the picture's pixels, which are not painted yet.")


class DrawListPainter:
    """Paints draw lists. To be used on one thread at a time.

    Args:
        layout: The layout that the commands were recorded for.
        width: Width of the frames in pixels; the picture is fitted into it.
        height: Height of the frames in pixels.
        pixel_format: `"rgb24"` or `"bgr0"`, see `paint`.

    Attributes:
        incomplete: How many frames so far lack something because one of its numbers was NaN or
            infinite.

    Raises:
        ValueError: If the size or the pixel format is none.
    """

    incomplete: int

    def __init__(self, layout: Layout, width: int, height: int, pixel_format: PixelFormat) -> None:
        if pixel_format not in ("rgb24", "bgr0"):
            raise ValueError(f'pixel_format must be "rgb24" or "bgr0", got {pixel_format!r}.')
        self.incomplete = 0
        self._pixel_format = pixel_format
        self._layout = layout.fitted(width, height)
        self._canvas = Canvas(self._layout)
        self._background = Canvas(self._layout)

    def paint(self, drawlist: DrawList) -> Iterator[NDArray[np.uint8]]:
        """Paint consecutive frames.

        Args:
            drawlist: A draw list of `T` frames, its numbers on the host with the shape (T, n).

        Returns:
            `T` frames, painted when they are asked for: uint8 (height, width, 3), red, green, blue,
            each an array of its own, for `"rgb24"`; a read-only uint8 (height, width, 4), blue,
            green, red and an unused byte, for `"bgr0"`, each valid until the next one is asked for.

        Raises:
            ValueError: If the numbers are not those of the commands.
        """
        numbers = np.asarray(drawlist.numbers, np.float32)
        expected = sum(command.num_numbers for command in drawlist.commands)
        if numbers.ndim != 2 or numbers.shape[1] != expected:
            raise ValueError(
                f"the numbers of a draw list must have the shape (T, {expected}), "
                f"got {numbers.shape}; a single frame needs a leading axis of 1."
            )
        return self._frames(drawlist, numbers)

    def _frames(
        self, drawlist: DrawList, numbers: NDArray[np.float32]
    ) -> Iterator[NDArray[np.uint8]]:
        canvas, background = self._canvas, self._background
        fixed, moving, incomplete = self._placed(drawlist, numbers)
        whole = canvas.surface.get_rect()
        background.clear()
        _draw(background, fixed, 0)
        behind = background.rgb() if drawlist.cleared and self._pixel_format == "rgb24" else None
        # Where the canvas differs from the background.
        dirty = whole
        for t in range(len(numbers)):
            if drawlist.cleared:
                canvas.surface.blit(background.surface, dirty, dirty)
                dirty = _draw(canvas, moving, t).clip(whole)
            else:
                _draw(canvas, moving, t)
            self.incomplete += incomplete[t]
            yield canvas.bgr0 if self._pixel_format == "bgr0" else canvas.rgb(behind, dirty)

    def _placed(
        self, drawlist: DrawList, numbers: NDArray[np.float32]
    ) -> tuple[list[Placed], list[Placed], list[bool]]:
        """The leading commands that do not change, once; the others; and which frames lack some."""
        fixed: list[Placed] = []
        moving: list[Placed] = []
        finite = np.ones(len(numbers), np.bool_)
        for command, own in DrawList(numbers, drawlist.commands, drawlist.cleared).split():
            unchanged = drawlist.cleared and not moving and len(own) > 1 and (own == own[0]).all()
            placed = place(self._layout, command, np.asarray(own[:1] if unchanged else own))
            (fixed if unchanged else moving).append(placed)
            finite &= placed.finite
        return fixed, moving, (~finite).tolist()


def _draw(canvas: Canvas, commands: list[Placed], t: int) -> pygame.Rect:
    """Draw frame `t`; returns a rectangle around all that changed."""
    areas = []
    for marks, colors, _ in commands:
        mark = marks[t]
        if mark is not None:
            areas.append(mark.draw(canvas.surface, colors[t]))
    return unite(areas)
