"""What stands in a figure's frames: pixels or vectors, and the way of something over them."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

import numpy as np

from ..replay import Replay


class Span(NamedTuple):
    """Consecutive steps of a replay.

    Attributes:
        start: The first.
        stop: The one after the last.
    """

    start: int
    stop: int


type Rgb = tuple[float, float, float]


class Shape(NamedTuple):
    """A part of a drawing.

    Attributes:
        kind: `"fill"`, a polygon; `"oval"` and `"box"`, around one point; `"line"`; or `"text"`,
            from its upper left corner.
        points: Pixels from the drawing's upper left corner.
        sizes: In pixels: half axes of an oval, sides of a box, width of a line, height of a font.
        colour: 0 to 1 each.
        text: The text.
    """

    kind: Literal["fill", "oval", "box", "line", "text"]
    points: tuple[tuple[float, float], ...]
    sizes: tuple[float, ...]
    colour: Rgb
    text: str = ""


class Drawing(NamedTuple):
    """A picture made of shapes.

    Attributes:
        width: In pixels, which are no more than its unit.
        height: Likewise.
        background: Its colour.
        shapes: From back to front.
    """

    width: float
    height: float
    background: Rgb
    shapes: Sequence[Shape]


type Panel = np.ndarray | Drawing
"""`uint8 (H, W, 3)` RGB or `(H, W, 4)` RGBA, row 0 on top; or vectors."""


class Stage(ABC):
    """Shows moments of replays of one scene in panels of one size.

    Attributes:
        aspect: Width over height of a picture that nobody has asked for otherwise.
    """

    aspect: float

    @abstractmethod
    def check(self) -> None:
        """Raise `ValueError` or `TypeError` where the settings do not fit the scene."""

    def watch(
        self, parts: Iterable[Replay], wanted: Sequence[int], size: tuple[int, int]
    ) -> Replay:
        """Take pictures while a scene without steps is acted in.

        Args:
            parts: What happens, part by part.
            wanted: Steps that are going to be shown; where there are none, the first episode is.
            size: Of the pictures in dots.

        Returns:
            What else happened.
        """
        raise NotImplementedError

    def there(self, steps: Sequence[int]) -> list[int]:
        """Return the steps nearest to these that can be shown."""
        return list(steps)

    @abstractmethod
    def each(self, replay: Replay, steps: Sequence[int], size: tuple[int, int]) -> Sequence[Panel]:
        """Return a panel of each of these steps, `size` dots wide and high."""

    def strobe(self, replay: Replay, steps: Sequence[int], size: tuple[int, int]) -> Panel:
        """Return one panel of all these steps, earlier ones lighter."""
        raise NotImplementedError

    def way(
        self, replay: Replay, steps: Sequence[int], span: Span, size: tuple[int, int]
    ) -> tuple[Panel, np.ndarray]:
        """Return a strobe, and where something was in it at each step of a span.

        Returns:
            The panel, and `float (T, 2)`, shares of its width and height from the upper left.

        Raises:
            ValueError: There is nothing of that kind to follow.
        """
        raise NotImplementedError


def weights(count: int) -> list[float]:
    """Return how much of each of so many moments is seen, from the first to the last, 0 to 1."""
    lightest = 0.25
    return np.linspace(lightest, 1, count).tolist() if count > 1 else [1.0]


def reach(ways: np.ndarray) -> np.ndarray:
    """Return how far each of several things gets, `(n,)`, from their places `(T, n, 2 or 3)`."""
    far: np.ndarray = np.linalg.norm(np.nanmax(ways, axis=0) - np.nanmin(ways, axis=0), axis=1)
    return far
