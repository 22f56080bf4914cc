"""Pictures as arrays: draw commands recorded once, from concrete or traced values, and replayed.

def capture(state):                       # under jit, vmap or scan
    renderer = TracingRenderer(layout)
    env.render(state, renderer)
    return renderer.drawlist()

drawlist = jax.device_get(jax.jit(jax.vmap(capture))(states))
frames = DrawListPainter(layout, 640, 480, "rgb24").paint(drawlist)
"""

import functools
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import override

import equinox as eqx
import jax
import numpy as np
from jax import numpy as jnp
from lerax.render import Color, Transform
from numpy.typing import NDArray

from ..settings import PixelFormat
from .canvas import Canvas
from .commands import Array, Command, CommandRenderer, Pen, is_traced
from .layout import Layout, View
from .placement import place
from .primitives import Mark, Rgb, unite
from .pygame_import import pygame

__all__ = ["CannotTrace", "DrawList", "DrawListPainter", "Layout", "TracingRenderer"]

# A few dozen megabytes.
_MARKS_AT_ONCE = 2**17

type _Strokes = list[tuple[Mark | None, Rgb]]
"""What a frame draws, and in which colours."""

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

    def towards(self, other: "DrawList", share: float) -> "DrawList":
        """Return a frame between this one and another; this one, where they draw other things.

        Args:
            other: The next frame.
            share: How far it is on the way, 0 to 1.
        """
        if share == 0 or [c[:2] for c in self.commands] != [c[:2] for c in other.commands]:
            return self
        numbers = in_between(self.numbers, other.numbers, share)
        return DrawList(numbers, self.commands, self.cleared)


NOTHING = DrawList(np.zeros(0, np.float32), (), False)
"""A frame that looks as the one before."""


def in_between(
    numbers: Array, others: Array, share: NDArray[np.floating] | float
) -> NDArray[np.float32]:
    """Return numbers between others; the first where one of the two is NaN or infinite."""
    numbers, others = np.asarray(numbers), np.asarray(others)
    with np.errstate(invalid="ignore", over="ignore"):
        between = numbers * (1 - share) + others * share
    return np.where(np.isfinite(between) & (share > 0), between, numbers).astype(np.float32)


def single_frames(drawn: DrawList | NDArray[np.object_]) -> list[DrawList]:
    """Each frame's draw list, of several stacked or of an array of them."""
    if isinstance(drawn, DrawList):
        return [DrawList(numbers, drawn.commands, drawn.cleared) for numbers in drawn.numbers]
    return list(drawn)


def on_top_of_each_other(frames: Sequence[DrawList], layout: Layout) -> DrawList:
    """A frame that shows what consecutive frames draw on one empty picture."""
    numbers: list[Array] = []
    commands: list[Command] = []
    for frame in frames:
        if any(command.is_view for command in commands):
            # Each frame begins with the layout's own transform.
            commands.append(Command("y_up" if layout.y_up else "y_down", 1))
            numbers.append(layout.own_numbers[0])
        commands += frame.commands
        numbers.append(frame.numbers)
    return DrawList(np.concatenate(numbers, dtype=np.float32), tuple(commands), True)


class _Recording(Pen):
    def __init__(self, transform: Transform, background: Color) -> None:
        super().__init__(transform, background)
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
    _pen: _Recording = eqx.field(static=True)

    def __init__(self, layout: Layout) -> None:
        self.width = layout.width
        self.height = layout.height
        self.transform, self.background_color = _attributes(layout)
        self._pen = _Recording(self.transform, self.background_color)

    @property
    def commands(self) -> tuple[Command, ...]:
        """What has been drawn since the last `clear()`."""
        return tuple(self._pen.commands)

    @property
    def numbers(self) -> list[Array]:
        """The numbers of all of that, in arrays of any shape, concrete or traced."""
        return self._pen.numbers

    @property
    def cleared(self) -> bool:
        """Whether `clear()` was called at all."""
        return self._pen.cleared

    def drawlist(self) -> DrawList:
        """What has been drawn since the last `clear()`, traced if any number was."""
        parts = [number.reshape(-1) for number in self.numbers] or [np.zeros(0, np.float32)]
        joined = jnp if is_traced(self.numbers) else np
        return DrawList(joined.concatenate(parts), self.commands, self.cleared)

    @override
    def _command(self, command: Command, numbers: Sequence[Array]) -> None:
        if _TRACER_TEXT.search(command.text):
            raise CannotTrace(
                f"the text {command.text!r} was made from a traced value, "
                "whose number is not known yet."
            )
        self._pen.commands.append(command)
        self._pen.numbers += numbers

    @override
    def clear(self) -> None:
        """Forget what was drawn."""
        self._pen.commands.clear()
        self._pen.numbers.clear()
        self._pen.cleared = True
        self._pen.restart()
        self._clear_to_background()

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


@functools.lru_cache(maxsize=16)
def _attributes(layout: Layout) -> tuple[Transform, Color]:
    # Made under jit, these would be traced values, which int() and float() refuse.
    with jax.ensure_compile_time_eval():
        return layout.transform, Color(*layout.background)


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
        # Marks take a hundred times the memory of their numbers.
        at_once = max(2, _MARKS_AT_ONCE // max(1, len(drawlist.commands)))
        for start in range(0, len(numbers), at_once):
            yield from self._few_frames(drawlist, numbers[start : start + at_once])

    def _few_frames(
        self, drawlist: DrawList, numbers: NDArray[np.float32]
    ) -> Iterator[NDArray[np.uint8]]:
        canvas, background = self._canvas, self._background
        fixed, moving, incomplete = self._placed(drawlist, numbers)
        whole = canvas.surface.get_rect()
        background.clear()
        _draw(background, fixed)
        behind = background.rgb() if drawlist.cleared and self._pixel_format == "rgb24" else None
        # Where the canvas differs from the background.
        dirty = whole
        for t, strokes in enumerate(moving):
            if drawlist.cleared:
                canvas.restore(background, dirty)
                dirty = _draw(canvas, strokes).clip(whole)
            else:
                _draw(canvas, strokes)
            self.incomplete += incomplete[t]
            yield canvas.bgr0 if self._pixel_format == "bgr0" else canvas.rgb(behind, dirty)

    def _placed(
        self, drawlist: DrawList, numbers: NDArray[np.float32]
    ) -> tuple[_Strokes, list[_Strokes], list[bool]]:
        """The leading commands that do not change, once; each frame's others; which lack some."""
        fixed: list[_Strokes] = [[]]
        moving: list[_Strokes] = [[] for _ in numbers]
        finite = np.ones(len(numbers), np.bool_)
        leading = drawlist.cleared and len(numbers) > 1
        view, start = self._layout.view, 0
        # Commands of one kind are placed together: a world of tiles has thousands.
        for command, alike in itertools.groupby(drawlist.commands):
            count = sum(1 for _ in alike)
            stop = start + count * command.num_numbers
            own = numbers[:, start:stop].reshape(len(numbers), count, -1)
            start = stop
            if command.is_view:
                view = self._layout.seen_by(own[:, -1], y_up=command.kind == "y_up")
                continue
            still = 0
            if leading and view.is_fixed:
                same = (own == own[0]).all(axis=(0, 2))
                still = count if same.all() else int(same.argmin())
            if still:
                finite &= self._place(command, view.first, own[:1, :still], fixed)
            if still < count:
                leading = False
                finite &= self._place(command, view, own[:, still:], moving)
        return fixed[0], moving, (~finite).tolist()

    def _place(
        self, command: Command, view: View, numbers: NDArray[np.float32], frames: list[_Strokes]
    ) -> NDArray[np.bool_]:
        """Add what several commands (T, count, n) draw in `T` frames; return which are finite."""
        num_frames, count, num_numbers = numbers.shape
        marks, colors, finite = place(
            self._layout, view.repeated(count), command, numbers.reshape(-1, num_numbers)
        )
        strokes = list(zip(marks, colors, strict=True))
        for t, frame in enumerate(frames):
            frame += strokes[t * count : (t + 1) * count]
        return finite.reshape(num_frames, count).all(axis=1)


def _draw(canvas: Canvas, strokes: _Strokes) -> pygame.Rect:
    """Draw one frame; returns a rectangle around all that changed."""
    areas = []
    for mark, color in strokes:
        if mark is not None:
            areas.append(mark.draw(canvas.surface, color))
    return unite(areas)
