"""What is drawn into a scene besides its model: the ways of bodies, and what a user adds."""

import itertools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import mujoco
import numpy as np

type Decorate = Callable[[mujoco.MjvScene], None]
"""Adds to a scene that has been updated for a picture."""

# As many pieces show a curve at any size, and each takes some microseconds.
_MOST_PIECES = 200
# Of the model's mean size, which is about half of a link's.
_THICKNESS = 0.06
# Of the picture's height, whatever the distance: half of a line that can be seen.
_LEAST = 1 / 220
# Since MuJoCo 4, a shape that is no ornament may be without a shadow.
_CAN_CAST = hasattr(mujoco.MjvGeom, "castshadow")
_COLOURS = np.array(
    [[0.95, 0.35, 0.1, 1], [0.1, 0.55, 0.95, 1], [0.25, 0.75, 0.3, 1], [0.85, 0.3, 0.75, 1]],
    np.float32,
)


class _Place(NamedTuple):
    """Where bodies were.

    Attributes:
        time: Seconds.
        points: `float32 (n, 3)`, in metres.
    """

    time: float
    points: np.ndarray

    def is_at(self, other: "_Place") -> bool:
        """Whether it is the same moment."""
        return self.time == other.time and bool((self.points == other.points).all())


class Trails:
    """The ways that bodies have come, as lines that end where they are.

    Args:
        model: The model.
        bodies: Their numbers.
    """

    def __init__(self, model: mujoco.MjModel, bodies: Sequence[int]) -> None:
        self._bodies = list(bodies)
        self._width = _THICKNESS * model.stat.meansize
        self._way: list[_Place] = []
        self._episodes: list[list[_Place]] = []

    def goes_on(self, data: mujoco.MjData) -> None:
        """Take the next state; a time that is no later begins anew, as an episode does.

        A clip that goes back takes its way back, too, through earlier episodes.
        """
        place = _Place(data.time, data.xpos[self._bodies].astype(np.float32))
        if len(self._way) > 1 and self._way[-2].is_at(place):
            self._way.pop()
        elif len(self._way) == 1 and self._episodes and self._episodes[-1][-1].is_at(place):
            self._way = self._episodes.pop()
        elif self._way and place.time > self._way[-1].time:
            self._way.append(place)
        else:
            if self._way:
                self._episodes.append(self._way)
            self._way = [place]

    def so_far(self) -> "Lines":
        """Return the lines up to the last state."""
        steps = len(self._way)
        chosen = np.rint(np.linspace(0, steps - 1, min(steps, _MOST_PIECES + 1))).astype(int)
        points = [self._way[step].points for step in chosen]
        return Lines(np.stack(points, axis=1), self._width)


class Lines:
    """Lines in space; a `Decorate` that travels to other processes.

    Args:
        points: `float32 (n, T, 3)`, in metres: `n` lines of `T` points.
        width: Half of their thickness in metres, where that is enough to be seen.
    """

    def __init__(self, points: np.ndarray, width: float) -> None:
        self._points = points
        self._width = width

    def __call__(self, scene: mujoco.MjvScene) -> None:
        """Add the lines, as far as the scene has room."""
        camera = scene.camera[0]
        height = (camera.frustum_top - camera.frustum_bottom) / camera.frustum_near
        for number, line in enumerate(self._points):
            colour = _COLOURS[number % len(_COLOURS)]
            for start, end in itertools.pairwise(line):
                if scene.ngeom >= scene.maxgeom:
                    return
                if (start == end).all():
                    continue
                geom = scene.geoms[scene.ngeom]
                kind = mujoco.mjtGeom.mjGEOM_CAPSULE.value
                mujoco.mjv_initGeom(geom, kind, np.zeros(3), np.zeros(3), np.zeros(9), colour)
                away = float(np.linalg.norm(end - camera.pos))
                width = max(self._width, away * height * _LEAST)
                mujoco.mjv_connector(
                    geom, kind, width, start.astype(np.float64), end.astype(np.float64)
                )
                geom.category = mujoco.mjtCatBit.mjCAT_DECOR.value
                geom.objtype = mujoco.mjtObj.mjOBJ_UNKNOWN.value
                scene.ngeom += 1


def blank(scene: mujoco.MjvScene, end: int) -> None:
    """Prepare a scene's unused shapes, up to a number, for what is added, as ornaments.

    `mjv_initGeom` leaves part of a shape as it was, in the picture before or in memory that nobody
    has written to: whether it casts a shadow, and which object it belongs to.
    """
    for geom in scene.geoms[scene.ngeom : end]:
        geom.category = mujoco.mjtCatBit.mjCAT_DECOR.value
        geom.objtype = mujoco.mjtObj.mjOBJ_UNKNOWN.value
        geom.objid = geom.segid = -1
        geom.texuniform = 0
        if _CAN_CAST:
            geom.castshadow = 1


class Users:
    """What a user's function adds.

    Args:
        function: Called with the scene and the number of the step in the clip.
        step: That number.
    """

    def __init__(self, function: Callable[[Any, int], None], step: int) -> None:
        self._function = function
        self._step = step

    def __call__(self, scene: mujoco.MjvScene) -> None:
        """Call it."""
        self._function(scene, self._step)


class Together:
    """Several things that are added, one after the other."""

    def __init__(self, parts: Sequence[Decorate]) -> None:
        self._parts = parts

    def __call__(self, scene: mujoco.MjvScene) -> None:
        """Add them."""
        for part in self._parts:
            part(scene)
