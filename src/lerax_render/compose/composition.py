"""From painted frames to the frames of a clip: text on them, several in one, or nothing at all."""

import itertools
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from ..painter import Painter
from ..replay import Replay
from ..trees import map_arrays
from ..video import is_shown
from .grid import Grid
from .overlay import Line, Overlay, step_infos
from .plots import Plots


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
        start: The first step that is shown.
        speed: How much faster than `fps` it is played.
        plots: What is beside the picture, for a clip of this size.

    Attributes:
        fps: Frames a second of the clip.
        tiles: How many rollouts there are to compose, or `None` for one by itself.
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
        start: int = 0,
        speed: float = 1.0,
        plots: Plots | None = None,
    ) -> None:
        if labels and grid is None:
            raise ValueError("labels name the tiles of a grid, and there is no grid")
        self._plots = plots
        if plots is not None:
            width, height = plots.picture_width, plots.picture_height
        self._grid = None if grid is None else Grid(grid, width, height, labels)
        self.tiles = None if grid is None else grid[0] * grid[1]
        self.tile_width, self.tile_height = (
            (width, height)
            if self._grid is None
            else (self._grid.tile_width, self._grid.tile_height)
        )
        played = fps if speed == 1 else Fraction(fps) * Fraction(speed)
        self.fps = played if max_fps is None else min(played, max_fps)
        self._share = Fraction(self.fps) / Fraction(played)
        self._start = start
        self._steps = 0
        count = self.tiles or 1
        self._overlays = (
            [Overlay(overlay, self.tile_height, float(self.fps)) for _ in range(count)]
            if overlay
            else []
        )
        self._infos = [step_infos(float(fps)) for _ in range(count)]

    @property
    def looks_ahead(self) -> bool:
        """Whether a clip is the better for what `look_ahead` tells."""
        return self._plots is not None

    def look_ahead(self, parts: Iterable[Sequence[Replay]]) -> None:
        """Take note of steps that come first, before they are handed to `frames`.

        Raises:
            ValueError: They have not the numbers that are to be plotted.
        """
        for lanes in parts:
            if self._plots is not None:
                self._plots.take(lanes)

    def frames(self, painters: Sequence[Painter], lanes: Sequence[Replay]) -> Iterator[np.ndarray]:
        """Yield the clip's frames for the next steps, painted when they are asked for.

        Each is valid until the next is asked for.

        Args:
            painters: One for each lane, of the tiles' size; lanes may share one.
            lanes: The next steps, equally many in each.

        Raises:
            ValueError: As `look_ahead`.
        """
        first = self._steps
        shown = self._shown(lanes[0].steps)
        painted = _in_turn(painters, lanes, shown)
        if self._grid is None and not self._overlays and self._plots is None:
            yield from painted
            return
        if self._plots is not None and self._plots.taken <= first:
            self._plots.take(lanes)
        infos = [tell(lane) for tell, lane in zip(self._infos, lanes, strict=False)]
        picture: np.ndarray | None = None
        for step, has_frame in enumerate(shown, first):
            if not has_frame:
                for overlay, lane_infos in zip(self._overlays, infos, strict=False):
                    overlay.leave_out(next(lane_infos))
                continue
            for i, lane_infos in enumerate(infos):
                frame = next(painted)
                if self._overlays:
                    frame = self._overlays[i].draw(frame, next(lane_infos))
                if self._grid is None:
                    picture = frame
                    continue
                if picture is None:
                    picture = self._grid.empty(frame.shape[2])
                self._grid.place(picture, i, frame)
                if self._plots is not None:
                    self._plots.mark(self._grid.cell(picture, i), i)
            assert picture is not None
            yield picture if self._plots is None else self._plots.beside(picture, step)

    def _shown(self, count: int) -> np.ndarray:
        """Which of the next steps have frames, `bool (count,)`; the first one shown does."""
        begun = self._steps - self._start
        self._steps += count
        steps = range(begun, begun + count)
        return np.array([step >= 0 and is_shown(step, self._share) for step in steps], bool)


def _in_turn(
    painters: Sequence[Painter], lanes: Sequence[Replay], shown: np.ndarray
) -> Iterator[np.ndarray]:
    """Yield each lane's frame of the first step that is shown, then of the next, and so on."""
    builds_up = [lane.scene.builds_up(lane.captured) for lane in lanes]
    if not (shown.any() or any(builds_up)):
        return
    # A painter that several lanes share paints their steps in the order in which they are needed.
    of_painter: dict[int, list[Any]] = {}
    for painter, lane, needs_all in zip(painters, lanes, builds_up, strict=True):
        captured = lane.captured
        if not (needs_all or shown.all()):
            captured = map_arrays(lambda array: array[shown], captured)
        of_painter.setdefault(id(painter), []).append(captured)
    painted: dict[int, Iterator[np.ndarray]] = {}
    for painter, needs_all in zip(painters, builds_up, strict=True):
        frames = painter.paint(_interleaved(of_painter[id(painter)]))
        painted[id(painter)] = itertools.compress(frames, shown) if needs_all else frames
    for _ in range(shown.sum()):
        for painter in painters:
            yield next(painted[id(painter)])
    for rest in painted.values():
        # What is drawn after the last frame that is shown is seen in the next part's.
        deque(rest, maxlen=0)


def _interleaved(lanes: Sequence[Any]) -> Any:
    if len(lanes) == 1:
        return lanes[0]

    def woven(*arrays: np.ndarray) -> np.ndarray:
        return np.stack(arrays, axis=1).reshape(len(arrays) * len(arrays[0]), *arrays[0].shape[1:])

    return map_arrays(woven, *lanes)
