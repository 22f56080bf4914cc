"""What makes frames of captured steps."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Self, override

import numpy as np

from .settings import PixelFormat


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
            valid until the next is asked for; `uint8 (H, W, 4)`, B G R A with straight alpha, for
            `"bgra"`, where the background is transparent.
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


class JoinedPainter(Painter):
    """Makes each frame of what several painters make of the same steps.

    Args:
        painters: They are closed with this one.
    """

    def __init__(self, painters: Sequence[Painter]) -> None:
        self._painters = painters
        self.why_incomplete = painters[0].why_incomplete  # type: ignore[misc]

    @property
    def lanes(self) -> int:
        """As for each of its painters."""
        return self._painters[0].lanes

    @lanes.setter
    def lanes(self, lanes: int) -> None:
        for painter in self._painters:
            painter.lanes = lanes

    @property
    def incomplete(self) -> int:  # type: ignore[override]
        """As for the first of its painters."""
        return self._painters[0].incomplete

    @override
    def expect(self, steps: Sequence[int]) -> None:
        for painter in self._painters:
            painter.expect(steps)

    @override
    def aim(self, view: Any) -> None:
        for painter in self._painters:
            painter.aim(view)

    @override
    def close(self) -> None:
        for painter in self._painters:
            painter.close()


class CutOutPainter(JoinedPainter):
    """Paints a transparent background, from what two painters make of the same steps.

    What is opaque looks the same on black and on white, and what is partly covered differs by the
    rest. So edges, glass and smoke get the right alpha, whatever draws them.

    Args:
        on_black: Paints on black, in RGB or in BGR and an unused byte; it is closed with this one.
        on_white: Likewise on white.
    """

    def __init__(self, on_black: Painter, on_white: Painter) -> None:
        super().__init__((on_black, on_white))

    @override
    def paint(self, captured: Any) -> Iterator[np.ndarray]:
        for pair in zip(*(painter.paint(captured) for painter in self._painters), strict=True):
            yield cut_out(*pair)


class LayersPainter(JoinedPainter):
    """Paints several things in one picture, each translucent but the first, which is in front.

    Args:
        painters: Of cut-outs, one for each; they are closed with this one.
        opacity: Of all but the first, 0 to 1.
        background: Red, green and blue, 0 to 255; `None` stays transparent.
        pixel_format: Of the frames.
    """

    def __init__(
        self,
        painters: Sequence[CutOutPainter],
        opacity: float,
        background: tuple[int, int, int] | None,
        pixel_format: PixelFormat,
    ) -> None:
        super().__init__(painters)
        self._opacity = opacity
        self._background = background
        self._is_rgb = pixel_format == "rgb24" and background is not None

    @override
    def paint(self, captured: Any) -> Iterator[np.ndarray]:
        painted = [
            painter.paint(steps) for painter, steps in zip(self._painters, captured, strict=True)
        ]
        for first, *others in zip(*painted, strict=True):
            frame = np.zeros_like(first)
            if self._background is not None:
                frame[:] = (*self._background[::-1], 255)
            for layer in reversed(others):
                lay_over(frame, layer, self._opacity)
            lay_over(frame, first, 1.0)
            yield frame[..., 2::-1] if self._is_rgb else frame


def lay_over(frame: np.ndarray, layer: np.ndarray, opacity: float) -> None:
    """Put a layer over a frame, in place.

    Args:
        frame: `uint8 (H, W, 4)`, three colours and straight alpha.
        layer: Likewise.
        opacity: How much of its alpha counts, 0 to 1.
    """
    seen = layer[..., 3] > 0
    above, below = layer[seen] / 255, frame[seen] / 255
    alpha = above[:, 3:] * opacity
    rest = below[:, 3:] * (1 - alpha)
    whole = alpha + rest
    colours = (above[:, :3] * alpha + below[:, :3] * rest) / np.maximum(whole, 1e-6)
    frame[seen] = np.rint(255 * np.concatenate([colours, whole], axis=1))


def cut_out(on_black: np.ndarray, on_white: np.ndarray) -> np.ndarray:
    """Return what the same frame on black and on white shows, without either.

    Args:
        on_black: `uint8 (H, W, 3)`, R G B, or `(H, W, 4)`, B G R and an unused byte.
        on_white: Likewise.

    Returns:
        `uint8 (H, W, 4)`, B G R A with straight alpha; 0 where nothing is.
    """
    if on_black.shape[2] == 3:
        seen = on_black.any(axis=2) | (on_white != 255).any(axis=2)
        dark, bright = on_black[seen, ::-1], on_white[seen, ::-1]
    else:
        # Four bytes at once: most of a 2D picture is background.
        wholes = (np.ascontiguousarray(each).view("<u4")[..., 0] for each in (on_black, on_white))
        on_dark, on_bright = (whole & 0xFFFFFF for whole in wholes)
        seen = (on_dark != 0) | (on_bright != 0xFFFFFF)
        dark, bright = on_black[seen, :3], on_white[seen, :3]
    uncovered = (bright.astype(np.int16) - dark).sum(axis=1)
    alpha = np.clip(255 - np.rint(uncovered / 3), 0, 255)
    # What is seen on black is the colour times its alpha.
    colours = np.minimum(np.rint(dark * (255 / np.maximum(alpha, 1))[:, None]), 255)
    colours[alpha == 0] = 0
    frame = np.zeros((*seen.shape, 4), np.uint8)
    frame[seen] = np.concatenate([colours, alpha[:, None]], axis=1)
    return frame
