"""What a picture measures instead of showing: how far away things are, and which they are."""

import math
from abc import ABC, abstractmethod
from typing import Self, override

import mujoco
import numpy as np

from ..scene import Things
from .aim import CameraLike
from .look import Decorate
from .pose import State
from .renderer import HeadlessMujocoRenderer

# Turns of the colour circle between neighbouring numbers: the golden ratio's, which never repeat.
_TURN = (math.sqrt(5) - 1) / 2


class MeasuringRenderer(ABC):
    """What measures the states that a renderer draws; closing it closes that."""

    def __init__(self, renderer: HeadlessMujocoRenderer) -> None:
        self._renderer = renderer

    def aim(self, camera: CameraLike) -> None:
        """Take another camera, see `HeadlessMujocoRenderer.aim`."""
        self._renderer.aim(camera)

    @abstractmethod
    def measure(self, state: State, decorate: Decorate | None = None) -> np.ndarray:
        """Measure one state, see `Scene.measuring`."""

    @abstractmethod
    def render(self, state: State, decorate: Decorate | None = None) -> np.ndarray:
        """Paint what is measured of one state: `uint8 (H, W, 3)`."""

    def close(self) -> None:
        """Free the renderer. May be called twice."""
        self._renderer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class DepthRenderer(MeasuringRenderer):
    """Paints how far from the camera's plane things are: white at 0 m, black at `farthest`.

    Between them grey falls in proportion: metres = `farthest` * (1 - grey / 255).

    Args:
        renderer: Draws the states.
        farthest: Metres from which on all is black. `None`: twice as far as the middle of the
            model, as it begins, or a little more.
    """

    def __init__(self, renderer: HeadlessMujocoRenderer, farthest: float | None = None) -> None:
        super().__init__(renderer)
        self._wanted = farthest
        self.farthest = self._reach()

    @override
    def aim(self, camera: CameraLike) -> None:
        super().aim(camera)
        self.farthest = self._reach()

    def _reach(self) -> float:
        if self._wanted is not None:
            return self._wanted
        model = self._renderer.model
        # What the camera looks at is then grey, as a rule.
        away: float = 2 * math.dist(self._renderer.eye(), model.stat.center)
        away = max(away, model.stat.extent / 2)
        step: float = 10.0 ** math.floor(math.log10(away)) / 2
        return math.ceil(away / step) * step

    @override
    def measure(self, state: State, decorate: Decorate | None = None) -> np.ndarray:
        self._renderer.paint(state, decorate)
        metres = self._renderer.depth()
        metres[metres >= self._renderer.far] = np.inf
        return metres

    @override
    def render(self, state: State, decorate: Decorate | None = None) -> np.ndarray:
        metres = self.measure(state, decorate)
        grey = np.clip(1 - metres / self.farthest, 0, 1) * 255
        return np.repeat(np.rint(grey).astype(np.uint8)[..., None], 3, axis=-1)


# What MuJoCo draws shapes of, the most usual first; and what a model's count of each is called.
_KINDS = {
    "geom": "ngeom",
    "site": "nsite",
    "tendon": "ntendon",
    "flex": "nflex",
    "skin": "nskin",
    "body": "nbody",
    "joint": "njnt",
    "actuator": "nu",
    "camera": "ncam",
    "light": "nlight",
}
_MOST_KINDS = 256


def _counts(model: mujoco.MjModel) -> dict[int, int]:
    """Return how many things of each kind a model has, by numbers of `mujoco.mjtObj`."""
    return {
        getattr(mujoco.mjtObj, f"mjOBJ_{name.upper()}").value: int(getattr(model, count))
        for name, count in _KINDS.items()
    }


def things_of(model: mujoco.MjModel) -> Things:
    """Return what segmentation tells apart in a model, in the order of its numbers."""
    types, ids, names = [-1], [-1], [""]
    for noun, (kind, count) in zip(_KINDS, _counts(model).items(), strict=True):
        for number in range(count):
            types.append(kind)
            ids.append(number)
            names.append(f"{noun}:{mujoco.mj_id2name(model, kind, number) or number}")
    return Things(types, ids, names)


class SegmentationRenderer(MeasuringRenderer):
    """Paints each thing in a colour of its own, the same in all pictures, on black.

    Args:
        renderer: Draws the states.
    """

    def __init__(self, renderer: HeadlessMujocoRenderer) -> None:
        super().__init__(renderer)
        self._palette = _palette(4096)
        self._first, self._known = np.zeros(_MOST_KINDS, np.int32), np.zeros(_MOST_KINDS, bool)
        first = 1
        for kind, count in _counts(renderer.model).items():
            self._first[kind], self._known[kind] = first, True
            first += count

    @override
    def measure(self, state: State, decorate: Decorate | None = None) -> np.ndarray:
        self._renderer.paint(state, decorate)
        numbers, kinds = np.moveaxis(self._renderer.segmentation(), -1, 0)
        found: np.ndarray = np.where(self._known[kinds], numbers + self._first[kinds], 0)
        return found.astype(np.int32)

    @override
    def render(self, state: State, decorate: Decorate | None = None) -> np.ndarray:
        self._renderer.paint(state, decorate)
        numbers, kinds = np.moveaxis(self._renderer.segmentation(), -1, 0)
        # Geoms are most of what is drawn; sites, tendons and so on begin elsewhere on the circle.
        is_geom = kinds == mujoco.mjtObj.mjOBJ_GEOM.value
        places = np.where(is_geom, numbers, numbers + 101 * kinds) % (len(self._palette) - 1) + 1
        frame: np.ndarray = self._palette[np.where(numbers < 0, 0, places)]
        return frame


def _palette(count: int) -> np.ndarray:
    """Return black and then bright colours, neighbours far apart: `uint8 (count, 3)`."""
    hues = (np.arange(count)[:, None] * _TURN + np.array([0, 2, 1]) / 3) % 1
    # The usual six-sided colour circle, from full saturation to a lighter one in turns.
    colours = np.clip(np.abs(hues * 6 - 3) - 1, 0, 1)
    pale = (np.arange(count) % 3 / 5)[:, None]
    colours = colours * (1 - pale) + pale
    colours[0] = 0
    palette: np.ndarray = np.rint(colours * 255).astype(np.uint8)
    return palette
