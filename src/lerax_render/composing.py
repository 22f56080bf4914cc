"""From painted frames to the frames of a clip: text on them, several in one, or nothing at all."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

import jax
import numpy as np

from .grid import Grid
from .overlay import Line, Overlay, step_infos
from .rollouts import Rollout
from .sources import Painter


class Composition:
    """What happens to the frames of one clip between painting and encoding.

    Args:
        width: Of the clip in pixels.
        height: Of the clip in pixels.
        fps: Frames a second.
        overlay: As for `record`.
        grid: Rows and columns, or `None` for one picture.
        labels: As for `record`.

    Attributes:
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
    ) -> None:
        if labels and grid is None:
            raise ValueError("labels name the tiles of a grid; give grid=(rows, columns), too")
        self._grid = None if grid is None else Grid(grid, width, height, labels)
        self.tiles = None if grid is None else grid[0] * grid[1]
        self.tile_width, self.tile_height = (
            (width, height)
            if self._grid is None
            else (self._grid.tile_width, self._grid.tile_height)
        )
        count = self.tiles or 1
        self._overlays = (
            [Overlay(overlay, self.tile_height, float(fps)) for _ in range(count)]
            if overlay
            else []
        )
        self._infos = [step_infos(float(fps)) for _ in range(count)]

    def frames(self, painter: Painter, chunk: Rollout) -> Iterator[np.ndarray]:
        """Yield the clip's frames for the next steps, painted when they are asked for."""
        if self._grid is None and not self._overlays:
            yield from painter.paint(chunk.states)
            return
        if self._grid is None:
            chunk = jax.tree.map(lambda x: np.asarray(x)[:, None], chunk)
        # All tiles of the first step, then all of the second: one painter serves them in turn.
        painted = painter.paint(jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), chunk.states))
        infos = [
            infos(jax.tree.map(lambda x, i=i: x[:, i], chunk))
            for i, infos in enumerate(self._infos)
        ]
        for _ in range(len(chunk.rewards)):
            picture: np.ndarray | None = None
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
