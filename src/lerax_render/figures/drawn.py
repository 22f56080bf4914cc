"""Moments of 2D environments as vectors, from what was drawn."""

import dataclasses
from collections.abc import Sequence
from typing import override

import numpy as np

from ..making import as_picture
from ..paint2d import Command, DrawList, Layout, Scene2D, View, single_frames, to_rgb
from ..replay import Replay
from ..settings import FigureSettings, shown
from .panels import Drawing, Rgb, Shape, Span, Stage, reach, weights

_KINDS = {
    "circle": "oval",
    "ellipse": "oval",
    "line": "line",
    "polygon": "fill",
    "polyline": "line",
    "rect": "box",
    "text": "text",
}

# Of what gets furthest the middle is followed where that gets nearly as far.
_AS_FAR = 0.9


class DrawnStage(Stage):
    """Shows replays of a 2D environment."""

    def __init__(self, scene: Scene2D, settings: FigureSettings) -> None:
        self._layout = scene.layout
        self._settings = settings
        self.aspect = scene.layout.width / scene.layout.height

    @override
    def check(self) -> None:
        picture = as_picture(self._settings)
        if picture.is_transparent:
            # This one is not MuJoCo's alone.
            picture = dataclasses.replace(picture, background=None)
        picture.check_not_mujoco("a 2D environment")
        if isinstance(self._settings.follow, str):
            raise ValueError(
                f"follow={self._settings.follow!r} was given, but a 2D environment has no bodies: "
                "give the number of a draw command, from 0, or leave follow out"
            )

    @override
    def each(
        self, replay: Replay, steps: Sequence[int], size: tuple[int, int]
    ) -> Sequence[Drawing]:
        return [self._drawing(replay, step) for step in steps]

    @override
    def strobe(self, replay: Replay, steps: Sequence[int], size: tuple[int, int]) -> Drawing:
        return merged([self._drawing(replay, step) for step in steps])

    @override
    def way(
        self, replay: Replay, steps: Sequence[int], span: Span, size: tuple[int, int]
    ) -> tuple[Drawing, np.ndarray]:
        places = self._followed([self._drawing(replay, step).shapes for step in range(*span)])
        return self.strobe(replay, steps, size), places / (self._layout.width, self._layout.height)

    def _drawing(self, replay: Replay, step: int) -> Drawing:
        (frame,) = single_frames(replay[step : step + 1].captured)
        return drawing_of(frame, self._layout)

    def _followed(self, moments: Sequence[Sequence[Shape]]) -> np.ndarray:
        """Return the places (T, 2) of what is followed, in pixels."""
        forms = {tuple((shape.kind, len(shape.points)) for shape in each) for each in moments}
        if len(forms) > 1:
            raise ValueError(
                "env.render draws other things at other steps, so that none can be followed: a "
                "strobe shows where they were"
            )
        follow, count = self._settings.follow, len(moments[0])
        if follow is not None and not (isinstance(follow, int) and follow < count):
            raise ValueError(f"follow must be 0 to {count - 1} here, got {shown(follow)}")
        numbers = range(count) if follow is None else [int(follow)]
        # Of each its points, the middle first: (T, n, 2).
        ways = [
            np.array([_anchors(each[number]) for each in moments])
            for number in numbers
            if moments[0][number].kind != "text"
        ]
        if not ways:
            raise ValueError("env.render draws nothing that has a way")
        furthest = max(ways, key=lambda way: reach(way).max())
        far = reach(furthest)
        is_middle = far[0] >= _AS_FAR * far.max()
        return furthest[:, 0 if is_middle else far.argmax()]


def merged(moments: Sequence[Drawing]) -> Drawing:
    """Return several moments in one: what is the same in all of them once, and at its depth.

    What moves is the lighter the earlier it is. It is mixed with the background, not translucent,
    so that a pole does not shine through its cart; texts that change are those of the last moment.
    """
    last = moments[-1]
    still = set(last.shapes).intersection(*(each.shapes for each in moments))
    # What moves, by how much of what stands still lies behind it.
    moving: dict[int, list[Shape]] = {}
    for drawing, weight in zip(moments, weights(len(moments)), strict=True):
        behind = 0
        for shape in drawing.shapes:
            if shape in still:
                behind += 1
            elif shape.kind != "text" or drawing is last:
                moving.setdefault(behind, []).append(_tinted(shape, weight, last.background))
    whole, behind = moving.pop(0, []), 0
    for shape in last.shapes:
        if shape in still:
            behind += 1
            whole += [shape, *moving.pop(behind, [])]
    whole += [shape for rest in moving.values() for shape in rest]
    return last._replace(shapes=tuple(whole))


def _tinted(shape: Shape, weight: float, background: Rgb) -> Shape:
    mixed = (
        own * weight + other * (1 - weight)
        for own, other in zip(shape.colour, background, strict=True)
    )
    red, green, blue = mixed
    return shape._replace(colour=(red, green, blue))


def drawing_of(frame: DrawList, layout: Layout) -> Drawing:
    """Return what a frame draws; what has NaN or infinite numbers, or no extent, is left out."""
    background = _colour(np.array(layout.background))
    shapes: list[Shape] = []
    numbers, view, at = np.asarray(frame.numbers, np.float32), layout.view, 0
    for command in frame.commands:
        own = numbers[at : at + command.num_numbers]
        at += command.num_numbers
        if command.is_view:
            view = layout.seen_by(own[None], y_up=command.kind == "y_up")
        elif not (np.isfinite(own).all() and view.finite.all()):
            continue
        elif command.kind == "clear":
            background, shapes = _colour(own), []
        elif (shape := _shape_of(command, own, view, layout)) is not None:
            shapes.append(shape)
    return Drawing(layout.width, layout.height, background, tuple(shapes))


def _shape_of(command: Command, own: np.ndarray, view: View, layout: Layout) -> Shape | None:
    count = 2 * command.num_points
    points = view.to_pixels(own[:count].reshape(1, -1, 2))[0]
    sizes = own[count:-3].astype(np.float64)
    if command.kind == "text":
        # Lerax cuts off the fraction.
        sizes = np.floor(sizes + 1 / 256) * layout.zoom
    else:
        sizes = sizes * view.scale[0]
    if (sizes <= 0).any() or (command.kind == "line" and (points[0] == points[1]).all()):
        return None
    # Of a line and a rectangle a painter draws a pixel at least.
    if command.kind in ("line", "rect"):
        sizes = np.maximum(sizes, layout.zoom)
    if command.kind == "polyline":
        sizes = np.array([layout.zoom])
    elif command.kind == "circle":
        sizes = np.repeat(sizes, 2)
    elif command.kind == "ellipse":
        sizes = sizes / 2
    return Shape(
        _KINDS[command.kind],  # type: ignore[arg-type]
        tuple((x, y) for x, y in points.tolist()),
        tuple(sizes.tolist()),
        _colour(own[-3:]),
        command.text,
    )


def _colour(colour: np.ndarray) -> Rgb:
    red, green, blue = (to_rgb(colour) / 255).tolist()
    return red, green, blue


def _anchors(shape: Shape) -> np.ndarray:
    """Return the points `(n, 2)` by which a shape is followed, its middle first."""
    points = np.array(shape.points)
    middle = points.mean(axis=0, keepdims=True)
    if shape.kind == "line":
        return np.concatenate([middle, points[[0, -1]]])
    if shape.kind == "fill":
        # The ends of a bar are sides.
        return np.concatenate([middle, (points + np.roll(points, 1, axis=0)) / 2])
    return middle
