"""What stays the same in a 2D episode: how the world is laid out on the picture."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, override

import numpy as np
from lerax.render import Color

from ..painter import Painter
from ..scene import Scene
from ..settings import Picture, PixelFormat
from .drawlist import DrawList, DrawListPainter
from .layout import Layout
from .renderer import HeadlessPygameRenderer

if TYPE_CHECKING:
    from ..video import VideoWriter


@dataclass(frozen=True)
class Scene2D(Scene):
    """A 2D world; what is captured of a step is what was drawn.

    Captured steps are either one `DrawList`, whose numbers have the steps as their leading axis, or
    `object (T,)`, a `DrawList` for each step, where they differ in more than numbers.

    Attributes:
        layout: The world transform, size and background of the environment's default renderer.
    """

    pixel_format: ClassVar[PixelFormat] = "bgr0"

    layout: Layout

    @override
    def painter(
        self, picture: Picture, *, pixel_format: PixelFormat = "rgb24", workers: int = 1
    ) -> Painter:
        """Open a painter that replays draw commands; `quality` makes no difference in 2D.

        Raises:
            ValueError: A camera was asked for.
        """
        _check_no_camera(picture)
        return _CommandPainter(DrawListPainter(self.layout, *picture.size, pixel_format))

    @override
    def renderer(self, picture: Picture, video: "VideoWriter | None") -> HeadlessPygameRenderer:
        """Open a renderer of the layout's own size.

        Raises:
            ValueError: A camera or another size was asked for.
        """
        _check_no_camera(picture)
        layout = self.layout
        if picture.width not in (None, layout.width) or picture.height not in (None, layout.height):
            raise ValueError(
                f"env.render draws this environment at {layout.width}x{layout.height} pixels: "
                "leave width and height away, or take record(env, policy), which scales it"
            )
        return HeadlessPygameRenderer(
            layout.width, layout.height, Color(*layout.background), layout.transform, video
        )


def _check_no_camera(picture: Picture) -> None:
    if picture.camera is not None:
        raise ValueError(
            f"camera={picture.camera!r} was given, but a 2D environment has no camera to "
            "choose; leave camera=None"
        )


class _CommandPainter(Painter):
    def __init__(self, painter: DrawListPainter) -> None:
        self._painter = painter

    @property
    def incomplete(self) -> int:  # type: ignore[override]
        return self._painter.incomplete

    @override
    def paint(self, captured: Any) -> Iterator[np.ndarray]:
        if isinstance(captured, DrawList):
            yield from self._painter.paint(captured)
            return
        # Neighbours that differ only in numbers are painted together, which is quicker.
        for (commands, cleared), alike in itertools.groupby(
            captured, key=lambda frame: (frame.commands, frame.cleared)
        ):
            numbers = np.stack([frame.numbers for frame in alike])
            yield from self._painter.paint(DrawList(numbers, commands, cleared))
