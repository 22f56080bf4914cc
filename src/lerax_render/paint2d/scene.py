"""What stays the same in a 2D episode: how the world is laid out on the picture."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, override

import numpy as np
from lerax.render import Color

from ..painter import CutOutPainter, LayersPainter, Painter
from ..scene import Captured, Scene
from ..settings import Picture, PixelFormat
from ..trees import count_steps, row
from .drawlist import (
    NOTHING,
    DrawList,
    DrawListPainter,
    in_between,
    on_top_of_each_other,
    single_frames,
)
from .layout import Layout
from .placement import to_rgb
from .renderer import HeadlessPygameRenderer

if TYPE_CHECKING:
    from ..video import VideoWriter


# How opaque another replay is.
_GHOSTS = 0.35


@dataclass(frozen=True)
class Scene2D(Scene):
    """A 2D world; what is captured of a step is what was drawn.

    Captured steps are either one `DrawList`, whose numbers have the steps as their leading axis, or
    `object (T,)`, a `DrawList` for each step, where they differ in more than numbers.

    Attributes:
        layout: The world transform, size and background of the environment's default renderer.
    """

    pixel_format: ClassVar[PixelFormat] = "bgr0"
    is_drawn: ClassVar[bool] = True

    layout: Layout

    @override
    def painter(
        self, picture: Picture, *, pixel_format: PixelFormat = "rgb24", workers: int = 1
    ) -> Painter:
        """Open a painter that replays draw commands; `quality` makes no difference in 2D.

        Raises:
            ValueError: Something was asked for that only MuJoCo has.
        """
        if not picture.is_transparent:
            picture.check_not_mujoco("a 2D environment")
            return self._painter_on(self.layout.background, picture, pixel_format)
        return self._cut_out(picture)

    @override
    def painter_with(
        self,
        ghosts: Sequence[Scene],
        picture: Picture,
        *,
        pixel_format: PixelFormat = "rgb24",
        workers: int = 1,
    ) -> Painter:
        scenes = [self]
        for ghost in ghosts:
            if not isinstance(ghost, Scene2D) or ghost.layout != self.layout:
                raise ValueError(
                    "the ghost is not drawn in the same world as this 2D environment, with the "
                    "same size and scale: a ghost is of the same environment"
                )
            scenes.append(ghost)
        background: tuple[int, int, int] | None = None
        if not picture.is_transparent:
            background = tuple(to_rgb(np.array(self.layout.background)).tolist())
        painters = [scene._cut_out(picture) for scene in scenes]
        return LayersPainter(painters, _GHOSTS, background, pixel_format)

    def _cut_out(self, picture: Picture) -> CutOutPainter:
        if picture.is_transparent:
            picture = replace(picture, background=None)
        picture.check_not_mujoco("a 2D environment")
        on_black, on_white = (
            self._painter_on((level, level, level), picture, "bgr0") for level in (0.0, 1.0)
        )
        return CutOutPainter(on_black, on_white)

    def _painter_on(
        self, colour: tuple[float, float, float], picture: Picture, pixel_format: PixelFormat
    ) -> Painter:
        layout = replace(self.layout, background=colour)
        return _CommandPainter(DrawListPainter(layout, *picture.size, pixel_format))

    @override
    def builds_up(self, captured: Captured) -> bool:
        if isinstance(captured, DrawList):
            return not captured.cleared
        return any(not frame.cleared for frame in captured)

    @override
    def cut(self, captured: Captured, start: int, stop: int) -> Captured:
        if start == 0 or not self.builds_up(captured):
            return super().cut(captured, start, stop)
        frames = single_frames(captured)
        if frames[start].cleared:
            return super().cut(captured, start, stop)
        return row([self._by_itself(frames, start), *frames[start + 1 : stop]])

    @override
    def picked(self, captured: Captured, which: np.ndarray) -> Captured:
        if not self.builds_up(captured):
            return super().picked(captured, which)
        frames = single_frames(captured)
        return row(self._by_itself(frames, step) for step in which.tolist())

    def _by_itself(self, frames: Sequence[DrawList], step: int) -> DrawList:
        """Return a frame that draws all that has been drawn since the last clear."""
        begun = max((t for t in range(step + 1) if frames[t].cleared), default=0)
        return on_top_of_each_other(frames[begun : step + 1], self.layout)

    @override
    def held(self, captured: Captured, steps: int) -> Captured:
        if not self.builds_up(captured):
            return super().held(captured, steps)
        return row([*single_frames(captured), *[NOTHING] * steps])

    @override
    def between(
        self, captured: Captured, places: np.ndarray, starts: np.ndarray | None
    ) -> Captured:
        """Return what lies between steps: the same commands, with numbers in between.

        Steps that draw other commands have nothing between them, and what is drawn on top of the
        step before is drawn once.
        """
        steps = np.floor(places).astype(int)
        share = places - steps
        following = np.minimum(steps + 1, count_steps(captured) - 1)
        if starts is not None:
            share = np.where(starts[following], 0, share)
        if self.builds_up(captured):
            frames, drawn = (
                single_frames(captured),
                np.diff(steps, prepend=0 if share[:1].any() else -1),
            )
            return row(
                frames[step] if is_new else NOTHING
                for step, is_new in zip(steps.tolist(), drawn > 0, strict=True)
            )
        if isinstance(captured, DrawList):
            numbers = in_between(
                captured.numbers[steps], captured.numbers[following], share[:, None]
            )
            return replace(captured, numbers=numbers)
        return row(
            one.towards(other, part)
            for one, other, part in zip(captured[steps], captured[following], share, strict=True)
        )

    @override
    def renderer(self, picture: Picture, video: "VideoWriter | None") -> HeadlessPygameRenderer:
        """Open a renderer of the layout's own size.

        Raises:
            ValueError: Something that only MuJoCo has, or another size, was asked for.
        """
        picture.check_not_mujoco("a 2D environment")
        layout = self.layout
        if picture.width not in (None, layout.width) or picture.height not in (None, layout.height):
            raise ValueError(
                f"env.render draws this environment at {layout.width}x{layout.height} pixels: "
                "leave width and height out, or take record(env, policy), which scales it"
            )
        return HeadlessPygameRenderer(
            layout.width, layout.height, Color(*layout.background), layout.transform, video
        )


class _CommandPainter(Painter):
    why_incomplete = (
        "env.render draws something with numbers that are NaN or infinite, which was left out: "
        "either a state has diverged, or render hides it so, which a radius or a size of 0 does "
        "without this warning"
    )

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
