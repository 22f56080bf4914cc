"""A Lerax 2D renderer that draws on a plain pygame surface: no display, no window, no audio."""

from collections.abc import Sequence
from typing import override

import equinox as eqx
import numpy as np
from lerax.render import WHITE, Color, Transform
from numpy.typing import NDArray

from ..video import DrawnVideo, VideoWriter
from .canvas import Canvas
from .commands import Array, Command, CommandRenderer, Pen
from .layout import Layout, View
from .placement import place
from .pygame_import import pygame

__all__ = ["HeadlessPygameRenderer"]


class HeadlessPygameRenderer(CommandRenderer):
    """Lerax's `PygameRenderer` without a display, with antialiased edges at fractions of a pixel.

    It can be used alone, too:

        renderer = HeadlessPygameRenderer(320, 240)
        renderer.clear()
        renderer.draw_circle((160, 120), radius=50, color=Color(0.9, 0.2, 0.2))
        frame = renderer.as_array()  # uint8 (240, 320, 3)

    Args:
        width: Width in pixels, 1 to 16,384.
        height: Height in pixels, 1 to 16,384.
        background_color: What `clear` fills the picture with, and what it is at first.
        transform: From world units to pixels; without one, a world unit is a pixel, and the origin
            is the lower left corner.
        video: Gets the picture at each `draw`, as `env.render` calls it; `open` or the first `draw`
            begins the clip, and `close` ends it.

    Raises:
        TypeError: If a size is not a whole number.
        ValueError: If a size or the transform's scale is out of range.
    """

    transform: Transform
    width: int
    height: int
    background_color: Color
    _layout: Layout = eqx.field(static=True)
    _pen: "_Host" = eqx.field(static=True)

    def __init__(
        self,
        width: int,
        height: int,
        background_color: Color = WHITE,
        transform: Transform | None = None,
        video: VideoWriter | None = None,
    ) -> None:
        plain = Layout(width, height, 1.0, (0.0, 0.0))
        self.width = width
        self.height = height
        self.background_color = background_color
        self.transform = plain.transform if transform is None else transform
        self._layout = Layout.of(self)
        self._pen = _Host(self.transform, background_color, self._layout, DrawnVideo(video))

    @property
    def screen(self) -> pygame.Surface:
        """The surface that is drawn on: 32 bits, no display's.

        Raises:
            ValueError: If the renderer is closed.
        """
        return self._canvas.surface

    @property
    def skipped(self) -> int:
        """How many commands were left out because one of their numbers was NaN or infinite."""
        return self._pen.skipped

    @property
    def _canvas(self) -> Canvas:
        if self._pen.canvas is None:
            raise ValueError("this renderer is closed; open() gives it a new picture.")
        return self._pen.canvas

    @override
    def open(self) -> None:
        """Begin the clip, where there is one; a renderer that was closed gets a new picture."""
        self._pen.clip.open()
        if self._pen.canvas is None:
            self._pen.canvas = Canvas(self._layout)

    @override
    def close(self) -> None:
        """Free the picture, and nothing else of pygame's; end the clip. May be called twice."""
        self._pen.canvas = None
        self._pen.clip.close()

    @override
    def draw(self) -> None:
        """Hand the picture to `video`, if there is one; it can be read at any time."""
        self._pen.clip.write(self.as_array)

    @override
    def clear(self) -> None:
        """Fill the picture with the background colour."""
        self._canvas.clear()
        self._clear_to_background()

    @override
    def as_array(self) -> NDArray[np.uint8]:
        """A copy of the picture: uint8 (height, width, 3), red, green, blue, row 0 on top.

        Raises:
            ValueError: If the renderer is closed.
        """
        return self._canvas.rgb()

    @override
    def _command(self, command: Command, numbers: Sequence[Array]) -> None:
        joined = np.concatenate([np.ravel(number) for number in numbers])[None]
        if command.is_view:
            self._pen.view = self._layout.seen_by(joined, y_up=command.kind == "y_up")
            return
        placed = place(self._layout, self._pen.view, command, joined)
        if not placed.finite[0]:
            self._pen.skipped += 1
        mark = placed.marks[0]
        if mark is not None:
            mark.draw(self._canvas.surface, placed.colors[0])


class _Host(Pen):
    """What changes about a renderer, which is frozen itself."""

    def __init__(
        self, transform: Transform, background: Color, layout: Layout, clip: DrawnVideo
    ) -> None:
        super().__init__(transform, background)
        self.canvas: Canvas | None = Canvas(layout)
        self.view: View = layout.view
        self.clip = clip
        self.skipped = 0
