"""Moments of environments that paint their pictures themselves, kept while they happen."""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import override

import numpy as np

from ..making import as_picture
from ..replay import Replay, joined
from ..scene import Scene
from ..settings import FigureSettings
from .panels import Stage

# So many pictures are kept, and no fewer than half of them: enough to choose from.
_KEPT = 128


class PaintedStage(Stage):
    """Shows pictures that were taken while an environment was acted in."""

    aspect = 4 / 3

    def __init__(self, scene: Scene, settings: FigureSettings) -> None:
        self._scene = scene
        self._settings = settings
        self._frames: dict[int, np.ndarray] = {}
        # A picture of every so many steps is kept, besides those that are wanted.
        self._every = 1

    @override
    def check(self) -> None:
        as_picture(self._settings).check_not_mujoco("an environment that paints itself")
        if self._settings.kind != "strip":
            raise ValueError(
                "this environment paints its pictures itself, and what in them moves is not known: "
                "take kind='strip'"
            )

    @override
    def watch(
        self, parts: Iterable[Replay], wanted: Sequence[int], size: tuple[int, int]
    ) -> Replay:
        picture = dataclasses.replace(as_picture(self._settings), width=size[0], height=size[1])
        seen: list[Replay] = []
        with self._scene.painter(picture) as painter:
            for part in parts:
                step = sum(map(len, seen))
                for number, frame in enumerate(painter.paint(part.captured), step):
                    self._keep(number, frame, wanted)
                seen.append(dataclasses.replace(part, captured=np.zeros(part.steps)))
                starts = part.episode_starts
                if not wanted and starts is not None and starts[int(step == 0) :].any():
                    break
        return joined(seen)

    def _keep(self, step: int, frame: np.ndarray, wanted: Sequence[int]) -> None:
        """Keep a picture, and of many those of every second step, of every fourth, and so on."""
        if step in wanted or step % self._every == 0:
            self._frames[step] = frame.copy()
        if len(self._frames) > _KEPT + len(wanted):
            self._every *= 2
            kept = [s for s in self._frames if s in wanted or s % self._every == 0]
            self._frames = {number: self._frames[number] for number in kept}

    @override
    def there(self, steps: Sequence[int]) -> list[int]:
        there = np.array(sorted(self._frames))
        return sorted({int(there[np.abs(there - step).argmin()]) for step in steps})

    @override
    def each(
        self, replay: Replay, steps: Sequence[int], size: tuple[int, int]
    ) -> Sequence[np.ndarray]:
        return [self._frames[step] for step in steps]
