"""Moments of environments that paint their pictures themselves, kept while they happen."""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import override

import numpy as np

from ..making import as_picture
from ..replay import Replay, joined
from ..scene import Scene
from ..settings import FigureSettings
from .layers import Layer, layered
from .panels import Stage, weights

# So many pictures are kept, and no fewer than half of them: enough to choose from.
_KEPT = 128
# Levels of 256 by which what is in front differs from what is behind.
_DIFFERS = 24


class PaintedStage(Stage):
    """Shows pictures that were taken while an environment was acted in."""

    aspect = 4 / 3

    def __init__(self, scene: Scene, settings: FigureSettings) -> None:
        self._scene = scene
        self._settings = settings
        self._frames: dict[int, np.ndarray] = {}

    @override
    def check(self) -> None:
        as_picture(self._settings).check_not_mujoco("an environment that paints itself")
        if self._settings.kind == "trajectory":
            raise ValueError(
                "this environment paints its pictures itself, so that nothing in them can be "
                "followed: take kind='strobe' or 'strip'"
            )

    @override
    def watch(
        self, parts: Iterable[Replay], wanted: Sequence[int], size: tuple[int, int]
    ) -> Replay:
        picture = dataclasses.replace(as_picture(self._settings), width=size[0], height=size[1])
        seen, every, step = [], 1, 0
        with self._scene.painter(picture) as painter:
            for part in parts:
                for frame in painter.paint(part.captured):
                    if step % every == 0 or step in wanted:
                        self._frames[step] = frame.copy()
                    step += 1
                    if len(self._frames) > _KEPT + len(wanted):
                        every *= 2
                        self._frames = {
                            number: kept
                            for number, kept in self._frames.items()
                            if number % every == 0 or number in wanted
                        }
                seen.append(dataclasses.replace(part, captured=np.zeros(part.steps)))
        return joined(seen)

    @override
    def there(self, steps: Sequence[int]) -> list[int]:
        there = np.array(sorted(self._frames))
        return sorted({int(there[np.abs(there - step).argmin()]) for step in steps})

    @override
    def each(
        self, replay: Replay, steps: Sequence[int], size: tuple[int, int]
    ) -> Sequence[np.ndarray]:
        return [self._frames[step] for step in steps]

    @override
    def strobe(self, replay: Replay, steps: Sequence[int], size: tuple[int, int]) -> np.ndarray:
        # What moves is nowhere most of the time.
        behind = np.median(np.stack(list(self._frames.values())), axis=0).astype(np.uint8)
        layers = []
        for number, weight in enumerate(weights(len(steps))):
            frame = self._frames[steps[number]]
            difference = np.abs(frame.astype(np.int16) - behind).max(axis=2)
            depth = np.zeros(difference.shape, np.float32)
            layers.append(Layer(frame, depth, difference > _DIFFERS, weight))
        return layered(behind, layers)
