"""From painted frames to the frames of a clip: text on them, several in one, or nothing at all."""

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction

import jax
import numpy as np

from ..acting import Rollout
from ..sources import Painter
from .grid import Grid
from .overlay import Line, Overlay, step_infos


class Composition:
    """What happens to the frames of one clip between painting and encoding.

    Args:
        width: Of the clip in pixels.
        height: Of the clip in pixels.
        fps: Steps a second.
        overlay: As for `record`.
        grid: Rows and columns, or `None` for one picture.
        labels: As for `record`.
        max_fps: Frames a second at most: where there are more steps, some are not shown.

    Attributes:
        fps: Frames a second of the clip.
        tiles: How many rollouts there are to compose, or `None` for one that has no axis of its
            own.
        tile_width: Of the frames that have to be painted, in pixels.
        tile_height: Of the frames that have to be painted, in pixels.

    Raises:
        ValueError, TypeError: As for `Overlay` and `Grid`.
    """

    def __init__(
        self,
        width: int,
        height: int,
        fps: float | Fraction,
        overlay: bool | Sequence[Line] = False,
        grid: tuple[int, int] | None = None,
        labels: Sequence[str] = (),
        max_fps: float | Fraction | None = None,
    ) -> None:
        if labels and grid is None:
            raise ValueError("labels name the tiles of a grid, and there is no grid")
        self._grid = None if grid is None else Grid(grid, width, height, labels)
        self.tiles = None if grid is None else grid[0] * grid[1]
        self.tile_width, self.tile_height = (
            (width, height)
            if self._grid is None
            else (self._grid.tile_width, self._grid.tile_height)
        )
        self.fps = fps if max_fps is None else min(fps, max_fps)
        self._share = Fraction(self.fps) / Fraction(fps)
        self._steps = 0
        count = self.tiles or 1
        self._overlays = (
            [Overlay(overlay, self.tile_height, float(self.fps)) for _ in range(count)]
            if overlay
            else []
        )
        self._infos = [step_infos(float(fps)) for _ in range(count)]

    def frames(self, painter: Painter, chunk: Rollout) -> Iterator[np.ndarray]:
        """Yield the clip's frames for the next steps, painted when they are asked for.

        Each is valid until the next is asked for.
        """
        shown = self._shown(len(chunk.rewards))
        states = chunk.states
        if not shown.all():
            states = jax.tree.map(lambda x: np.asarray(x)[shown], states)
        if self._grid is None and not self._overlays:
            if shown.any():
                yield from painter.paint(states)
            return
        if self._grid is None:
            chunk, states = jax.tree.map(lambda x: np.asarray(x)[:, None], (chunk, states))
        # All tiles of the first step, then all of the second: one painter serves them in turn.
        states = jax.tree.map(lambda x: x.reshape(x.shape[0] * x.shape[1], *x.shape[2:]), states)
        painted = painter.paint(states) if shown.any() else iter(())
        infos = [
            infos(jax.tree.map(lambda x, i=i: x[:, i], chunk))
            for i, infos in enumerate(self._infos)
        ]
        picture: np.ndarray | None = None
        for is_shown in shown:
            if not is_shown:
                for overlay, tile_infos in zip(self._overlays, infos, strict=False):
                    overlay.leave_out(next(tile_infos))
                continue
            for i, tile_infos in enumerate(infos):
                frame = next(painted)
                if self._overlays:
                    frame = self._overlays[i].draw(frame, next(tile_infos))
                if self._grid is None:
                    picture = frame
                    continue
                if picture is None:
                    picture = self._grid.empty(frame.shape[2])
                self._grid.place(picture, i, frame)
            assert picture is not None
            yield picture

    def _shown(self, count: int) -> np.ndarray:
        """Which of the next steps have frames, `bool (count,)`; the clip's first step does."""
        steps = range(self._steps, self._steps + count)
        self._steps += count
        return np.array([is_shown(step, self._share) for step in steps], bool)


def is_shown(step: int, share: Fraction) -> bool:
    """Return whether a step, counted from 0, has a frame where only a share of all has; 0 does."""
    return math.ceil((step + 1) * share) > math.ceil(step * share)
