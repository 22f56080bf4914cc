"""From painted frames to the frames of a clip: text on them, several in one, or nothing at all."""

import itertools
import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..painter import Painter
from ..replay import PART, Replay, joined
from ..scene import Scene
from ..trees import map_arrays
from .grid import Grid
from .overlay import FrameInfos, Line, Overlay, StepInfo
from .pace import Moments, Pace

if TYPE_CHECKING:
    from .plots import Plots
    from .words import Captions, Card, Timed


class Composition:
    """What happens to the frames of one clip between painting and encoding.

    Args:
        width: Of the clip in pixels.
        height: Of the clip in pixels.
        fps: Steps a second.
        overlay: As for `record`.
        grid: Rows and columns, or `None` for one picture.
        labels: As for `record`.
        max_fps: As for `Pace`.
        start: As for `Pace`.
        speed: As for `Pace`.
        between: As for `Pace`; the scenes have to know what lies between steps.
        title: As for `record`.
        captions: As for `Captions`.
        bounce: Whether `backwards` will be called: what was captured is kept for it.
        plots: What is beside the picture, for a clip of this size.

    Attributes:
        fps: Frames a second of the clip.
        tiles: How many rollouts there are to compose, or `None` for one by itself.
        tile_width: Of the frames that have to be painted, in pixels.
        tile_height: Of the frames that have to be painted, in pixels.

    Raises:
        ValueError, TypeError: As for `Overlay`, `Grid`, `Captions` and `Card`.
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
        between: float | Fraction | None = None,
        title: str | None = None,
        captions: "Sequence[Timed]" = (),
        bounce: bool = False,
        plots: "Plots | None" = None,
    ) -> None:
        if labels and grid is None:
            raise ValueError("labels name the tiles of a grid, and there is no grid")
        self._card = _card(title, width, height)
        self._plots = plots
        if plots is not None:
            width, height = plots.picture_width, plots.picture_height
        self._grid = None if grid is None else Grid(grid, width, height, labels)
        self.tiles = None if grid is None else math.prod(grid)
        self.tile_width, self.tile_height = (
            (width, height)
            if self._grid is None
            else (self._grid.tile_width, self._grid.tile_height)
        )
        self._pace = Pace(fps, speed, start, max_fps, between)
        self.fps = self._pace.fps
        foot = 0 if self._grid is None else self._grid.foot
        self._captions = _captions(captions, width, height, foot)
        if title is not None or captions or labels:
            from .words import check_words

            check_words(title, captions, labels)
        count = self.tiles or 1
        self._overlays = (
            [Overlay(overlay, self.tile_height) for _ in range(count)] if overlay else []
        )
        self._infos = [FrameInfos(float(fps), float(self.fps)) for _ in range(count)]
        # Of each lane, what the next moments lie after.
        self._last: list[Replay] | None = None
        self._last_step = 0
        self._kept: list[_Part] | None = [] if bounce else None

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
        if self._plots is not None and self._plots.taken <= self._pace.steps:
            self._plots.take(lanes)
        moments = self._pace.next(lanes[0].steps)
        infos = []
        if self._overlays:
            steps = moments.shown_steps
            # Tiles that no lane is left for have nothing to tell.
            told_of = zip(self._infos, lanes, strict=False)
            infos = [told.of(lane, steps) for told, lane in told_of]
        part = _Part([lane.scene for lane in lanes], self._captured(lanes, moments), moments, infos)
        if self._kept is not None:
            self._kept.append(part)
        for frame in self._composed(painters, part):
            if self._card is not None:
                # Only now it is known of how many channels.
                card, self._card = self._card, None
                yield from itertools.repeat(
                    card.frame(frame.shape[2]), max(1, round(card.seconds * self.fps))
                )
            yield frame

    def backwards(self, painters: Sequence[Painter]) -> Iterator[np.ndarray]:
        """Yield the frames between the last and the first once more, the last one first."""
        parts, self._kept = self._kept or [], None
        if not parts:
            return
        whole = [
            map_arrays(lambda *arrays: np.concatenate(arrays), *lane)
            for lane in zip(*(part.captured for part in parts), strict=True)
        ]
        scenes = parts[0].scenes
        places = [place for part in parts for place in part.moments.places]
        which = np.flatnonzero(np.concatenate([part.moments.shown for part in parts]))[-2:0:-1]
        # One list a lane, in the order of the frames.
        infos = [
            list(itertools.chain.from_iterable(lane))[-2:0:-1]
            for lane in zip(*(part.infos for part in parts), strict=True)
        ]
        for first in range(0, len(which), PART):
            chosen = which[first : first + PART]
            captured = [
                scene.picked(lane, chosen) for scene, lane in zip(scenes, whole, strict=True)
            ]
            moments = Moments([places[i] for i in chosen], np.ones(len(chosen), bool))
            told = [lane[first : first + PART] for lane in infos]
            yield from self._composed(painters, _Part(scenes, captured, moments, told))

    def _captured(self, lanes: Sequence[Replay], moments: Moments) -> list[Any]:
        """Return what was captured of each lane at some moments."""
        if not self._pace.is_between:
            return [lane.captured for lane in lanes]
        base = self._last_step
        if self._last is not None:
            lanes = [joined(both) for both in zip(self._last, lanes, strict=True)]
        # Not lane[-1:], which shows all that has been drawn before it.
        self._last = [lane.mapped(lambda array: array[-1:]) for lane in lanes]
        self._last_step = base + lanes[0].steps - 1
        places = np.array([float(place - base) for place in moments.places])
        return [lane.scene.between(lane.captured, places, lane.episode_starts) for lane in lanes]

    def _composed(self, painters: Sequence[Painter], part: "_Part") -> Iterator[np.ndarray]:
        painted = _in_turn(painters, part)
        if self._grid is None and not (self._overlays or self._captions or self._plots):
            yield from painted
            return
        picture: np.ndarray | None = None
        for number, place in enumerate(part.moments.shown_places):
            for lane in range(len(part.captured)):
                frame = next(painted)
                if self._overlays:
                    frame = self._overlays[lane].draw(frame, *part.infos[lane][number])
                if self._grid is None:
                    picture = frame
                    continue
                if picture is None:
                    picture = self._grid.empty(frame.shape[2])
                self._grid.place(picture, lane, frame)
                if self._plots is not None:
                    self._plots.mark(self._grid.cell(picture, lane), lane)
            assert picture is not None
            if self._captions is not None:
                picture = self._captions.draw(picture, math.floor(place))
            yield picture if self._plots is None else self._plots.beside(picture, place)
        # What is drawn after the last frame that is shown is seen in the next part's.
        deque(painted, maxlen=0)


def _card(title: str | None, width: int, height: int) -> "Card | None":
    if title is None:
        return None
    # Here and not above, as in the next function: most clips have no words.
    from .words import Card

    return Card(title, width, height)


def _captions(captions: "Sequence[Timed]", width: int, height: int, foot: int) -> "Captions | None":
    if not captions:
        return None
    from .words import Captions

    return Captions(captions, width, height, foot)


class _Part(NamedTuple):
    """Moments of a clip that are painted together.

    Attributes:
        scenes: Of each lane.
        captured: Of each lane, at all these moments.
        moments: When they are.
        infos: Of each lane, about each frame, as `FrameInfos` tells; empty where nobody asks.
    """

    scenes: Sequence[Scene]
    captured: Sequence[Any]
    moments: Moments
    infos: Sequence[list[tuple[StepInfo, bool]]]


def _in_turn(painters: Sequence[Painter], part: _Part) -> Iterator[np.ndarray]:
    """Yield each lane's frame of the first moment that is shown, then of the next, and so on."""
    places, shown = part.moments
    lanes = list(zip(part.scenes, part.captured, strict=True))
    builds_up = [scene.builds_up(captured) for scene, captured in lanes]
    if not (shown.any() or any(builds_up)):
        return
    steps = [math.floor(place) for place in places]
    # A painter that several lanes share paints their steps in the order in which they are needed.
    of_painter: dict[int, list[Any]] = {}
    steps_of: dict[int, list[list[int]]] = {}
    for painter, captured, needs_all in zip(painters, part.captured, builds_up, strict=True):
        painted_steps = steps
        if not (needs_all or shown.all()):
            captured = map_arrays(lambda array: array[shown], captured)
            painted_steps = part.moments.shown_steps
        of_painter.setdefault(id(painter), []).append(captured)
        steps_of.setdefault(id(painter), []).append(painted_steps)
    painted: dict[int, Iterator[np.ndarray]] = {}
    for painter, needs_all in zip(painters, builds_up, strict=True):
        if id(painter) in painted:
            continue
        painter.expect(
            list(itertools.chain.from_iterable(zip(*steps_of[id(painter)], strict=True)))
        )
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
