"""What makes frames of captured steps."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Self

import numpy as np


class Painter(ABC):
    """Turns captured steps into frames, on the thread that made it.

    Attributes:
        incomplete: Number of frames so far that lack something because a number in them was NaN or
            infinite.
        why_incomplete: Why frames lack something, as a user is told.
        lanes: Number of rollouts whose steps it paints in turn, where several share it.
    """

    incomplete: int = 0
    why_incomplete: ClassVar[str] = (
        "the state has NaN or infinite numbers in it, and what depends on them was left out"
    )
    lanes: int = 1

    @abstractmethod
    def paint(self, captured: Any) -> Iterator[np.ndarray]:
        """Paint consecutive steps.

        Args:
            captured: What was captured of `T` steps: arrays with a leading axis of that length.

        Yields:
            `T` frames in the painter's pixel format: `uint8 (H, W, 3)`, R G B, for `"rgb24"`, each
            an array of its own; `uint8 (H, W, 4)`, B G R and an unused byte, for `"bgr0"`, each
            valid until the next is asked for.
        """

    def expect(self, steps: Sequence[int]) -> None:  # noqa: B027
        """Take the numbers of the steps that are painted next, where a picture depends on them."""

    def aim(self, view: Any) -> None:
        """Take the view that the scene chose, see `Scene.aimed`.

        Raises:
            NotImplementedError: Its scenes choose none.
        """
        raise NotImplementedError

    def close(self) -> None:  # noqa: B027
        """Free what the painter holds. May be called twice."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
