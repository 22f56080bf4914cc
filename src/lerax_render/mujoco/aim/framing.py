"""A camera that looks at what happens in a replay.

The subject is what moves, with what belongs to it. One that leaves its place and gets far is
followed; for every other one the camera stands, so that all of the motion is in the picture.
"""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import mujoco
import numpy as np

from ...errors import warn
from ...settings import Camera
from .elements import find_element
from .guess import elevation_for
from .motion import Motion
from .sight import clear_share
from .subject import Subject, find_subject
from .visible import Points, visible_points

# From so many of its points the camera should be seen.
_CLEAR = 0.8
_OTHER_ELEVATIONS = (-40.0, -55.0, -70.0, -88.0)
_OTHER_AZIMUTHS = (0.0, 180.0, 90.0, -90.0)
# MuJoCo's own defaults, which say that the model's author had no wish.
_DEFAULT_AZIMUTH, _DEFAULT_ELEVATION = 90.0, -45.0
# So much longer than wide is a motion that is looked at from its long side.
_LONG = 3.0
# How many steps are tried for what is in the way.
_LOOKS = 6
# A place so many times further off than usual is none.
_MISHAP = 20.0
# The subject is never nearer than this share of its size, however near the near plane; and the near
# plane is at this share of the way to the subject, in front of the floor in the picture.
_CLOSE, _NEAR = 0.1, 0.3


@dataclass(frozen=True)
class View:
    """A free camera that has been aimed at what happens.

    Attributes:
        azimuth: In degrees, as in `Camera`.
        elevation: In degrees, as in `Camera`.
        distance: Metres from the point looked at.
        lookat: That point, x, y, z in metres; where the camera follows, from the centre of mass of
            what it follows.
        follow: The body that is followed with its children, or `None`.
        axes: Along which axes of the world it is followed.
        extent: What has to be in the picture, see `Extent`.
        fill: The share of the picture that it takes at most.
        lowest: Height of the lowest point that is drawn in the rollout, in metres, if it matters.
        near: Nothing nearer than this is drawn, in metres: at most the model's own distance, which
            grows with the whole model, and would hide small things in it.
    """

    azimuth: float
    elevation: float
    distance: float
    lookat: tuple[float, float, float]
    follow: int | None = None
    axes: tuple[bool, bool, bool] = (False, False, False)
    extent: "Extent | None" = None
    fill: float = 1.0
    lowest: float = math.inf
    near: float = math.inf


def frame(
    model: mujoco.MjModel,
    poses: Any,
    camera: Camera | None,
    aspect: float,
    *,
    before: View | None = None,
    goes_on: bool = False,
    stands: bool = False,
) -> View:
    """Aim a camera at what happens in a rollout.

    Args:
        model: The model.
        poses: A stacked `Pose`.
        camera: What is wished for; what is `None` in it is chosen.
        aspect: Width of the picture over its height.
        before: The view of other rollouts that this one is compared with: the new view has the same
            direction, and what was to be seen in that one is to be seen in it.
        goes_on: Whether these are only the first steps: then what can leave its place is followed.
        stands: Whether nothing is followed, however far it gets.

    Raises:
        ValueError: The model has no such body to follow; the message lists what it has.
    """
    wish = camera or Camera()
    motion = Motion(model, poses)
    points = visible_points(model, mujoco.MjvOption())
    if not len(points):
        warn(
            "the model has nothing to draw: all of its geoms and sites are transparent, or in "
            "groups that MuJoCo hides (3 to 5)"
        )
    subject = find_subject(motion, points, goes_on or (before is not None and any(before.axes)))
    if stands:
        subject = subject._replace(axes=np.zeros(3, bool))
    fixed = None if wish.lookat is None else np.array(wish.lookat, float)
    if wish.track is not None:
        body = find_element(model, mujoco.mjtObj.mjOBJ_BODY, wish.track)
        subject, fixed = subject._replace(follow=body, axes=np.ones(3, bool)), np.zeros(3)
    elif wish.lookat is not None:
        subject = subject._replace(axes=np.zeros(3, bool))
    fill = subject.fill() if before is None else before.fill
    shown = points[np.isin(points.thing, subject.things)]
    scout = _Scout(motion, shown, subject, aspect, fill, fixed)
    if before is None:
        azimuth, elevation = scout.direction(wish)
    else:
        azimuth, elevation = before.azimuth, before.elevation
    extent = scout.extent(azimuth, elevation)
    axes = tuple(subject.axes.tolist())
    if before is not None and before.extent is not None and before.axes == axes:
        extent = extent.joined(before.extent)
    distance, lookat = scout.fit(extent, azimuth, elevation)
    if before is not None:
        distance = max(distance, before.distance)
    if wish.distance is not None:
        distance = wish.distance
    follow = subject.follow if any(axes) else None
    near = scout.near(extent, azimuth, elevation, distance, lookat)
    at = tuple(lookat.tolist())
    return View(azimuth, elevation, distance, at, follow, axes, extent, fill, near=near)


class Extent(NamedTuple):
    """What has to be in the picture: in metres, from the point that the camera follows, if any.

    A ray of the picture's left rim hits the plane through that point, at a right angle to the
    camera's direction, at some place; of all rays through points of the subject, this is how far
    these places reach. The perspective is in it, so that a camera in any distance can be fitted.

    Attributes:
        right: The most to the right, of what the picture's right rim has to leave room for.
        left: Likewise for the left.
        up: Likewise for the upper rim.
        down: Likewise for the lower rim.
        front: What is nearest to the camera, along its direction.
        back: What is furthest from it.
    """

    right: float
    left: float
    up: float
    down: float
    front: float
    back: float

    @property
    def size(self) -> float:
        """How far it reaches, in metres."""
        across = max(self.right - self.left, self.up - self.down, self.back - self.front)
        return max(across, 1e-9)

    def joined(self, other: "Extent") -> "Extent":
        """Return what holds both."""
        return Extent(
            max(self.right, other.right),
            min(self.left, other.left),
            max(self.up, other.up),
            min(self.down, other.down),
            min(self.front, other.front),
            max(self.back, other.back),
        )


class _Scout:
    """Tries directions.

    Args:
        motion: What happened.
        shown: The points that have to be in the picture.
        subject: What they belong to.
        aspect: Width of the picture over its height.
        fill: Which share of the picture they may take.
        fixed: Where the camera looks, `(3,)` metres from what it follows, or `None`.
    """

    def __init__(
        self,
        motion: Motion,
        shown: Points,
        subject: Subject,
        aspect: float,
        fill: float,
        fixed: np.ndarray | None,
    ) -> None:
        self._motion, self._shown, self._subject, self._fixed = motion, shown, subject, fixed
        self._target = np.where(subject.axes, motion.com[:, subject.follow], 0)[:, None]
        model = motion.model
        height = math.tan(math.radians(model.vis.global_.fovy) / 2) * fill
        self._tangents = height * aspect, height
        self._model_near = model.vis.map.znear * model.stat.extent

    def direction(self, wish: Camera) -> tuple[float, float]:
        """Return the azimuth and the elevation from which the subject is seen best."""
        author, subject = self._motion.model.vis.global_, self._subject
        half = (subject.high - subject.low) / 2
        azimuth, elevation = author.azimuth, author.elevation
        if azimuth == _DEFAULT_AZIMUTH and half[1] > _LONG * half[0]:
            azimuth = 180.0
        if elevation == _DEFAULT_ELEVATION:
            elevation = elevation_for(half)
        azimuths = [azimuth + turn for turn in _OTHER_AZIMUTHS]
        elevations = [elevation, *(e for e in _OTHER_ELEVATIONS if e < elevation - 5)]
        if wish.azimuth is not None:
            azimuths = [wish.azimuth]
        if wish.elevation is not None:
            elevations = [wish.elevation]
        best, best_share = (azimuths[0], elevations[0]), -1.0
        for candidate in [(a, e) for a in azimuths for e in elevations]:
            share = self._clear_share(*candidate)
            if share >= _CLEAR:
                return candidate
            if share > best_share:
                best, best_share = candidate, share
        return best

    def extent(self, azimuth: float, elevation: float, steps: np.ndarray | None = None) -> Extent:
        """Return what has to be in the picture of some steps, or of all."""
        if not len(self._shown):
            stat = self._motion.model.stat
            around = stat.center + stat.extent * np.array([[-1, -1, -1], [1, 1, 1]])
            forward, right, up = _axes(azimuth, elevation)
            f, r, u = around @ forward, around @ right, around @ up
            return Extent(r.max(), r.min(), u.max(), u.min(), f.min(), f.max())
        forward, right, up = (axis.astype(np.float32) for axis in _axes(azimuth, elevation))
        wide, high = self._tangents
        radius = self._shown.radius.astype(np.float32)
        balls_wide, balls_high = radius * math.hypot(1, wide), radius * math.hypot(1, high)
        target = self._target if steps is None else self._target[steps]
        rows = []
        start = 0
        for places in self._motion.places(self._shown, steps):
            places = places - target[start : start + len(places)].astype(np.float32)
            start += len(places)
            f, r, u = places @ forward, places @ right, places @ up
            rows.append(
                [
                    (r - wide * f + balls_wide).max(axis=1),
                    (r + wide * f - balls_wide).min(axis=1),
                    (u - high * f + balls_high).max(axis=1),
                    (u + high * f - balls_high).min(axis=1),
                    (f - radius).min(axis=1),
                    (f + radius).max(axis=1),
                ]
            )
        right_, left, up_, down, front, back = np.concatenate(rows, axis=1)
        return Extent(
            _most(right_), -_most(-left), _most(up_), -_most(-down), -_most(-front), _most(back)
        )

    def fit(self, extent: Extent, azimuth: float, elevation: float) -> tuple[float, np.ndarray]:
        """Return the least distance that shows all of it, and the point looked at, `(3,)`."""
        forward, right, up = _axes(azimuth, elevation)
        wide, high = self._tangents
        nearest = min(1.1 * self._model_near, _CLOSE * extent.size)
        if self._fixed is not None:
            x, y, z = (float(self._fixed @ axis) for axis in (right, up, forward))
            back = max(
                (extent.right - x) / wide,
                (x - extent.left) / wide,
                (extent.up - y) / high,
                (y - extent.down) / high,
                nearest - extent.front,
            )
            return max(back + z, nearest), self._fixed
        x, y = (extent.right + extent.left) / 2, (extent.up + extent.down) / 2
        back = max(
            (extent.right - extent.left) / (2 * wide),
            (extent.up - extent.down) / (2 * high),
            nearest - extent.front,
        )
        z = (extent.front + extent.back) / 2
        return back + z, x * right + y * up + z * forward

    def near(
        self,
        extent: Extent,
        azimuth: float,
        elevation: float,
        distance: float,
        lookat: np.ndarray,
    ) -> float:
        """Return the distance from which on everything is drawn."""
        eye = float(lookat @ _axes(azimuth, elevation)[0]) - distance
        gap = max(extent.front - eye, _CLOSE * extent.size)
        return float(min(self._model_near, _NEAR * gap))

    def _clear_share(self, azimuth: float, elevation: float) -> float:
        """Which share of the subject's points the camera would see."""
        steps = np.unique(np.linspace(0, self._motion.steps - 1, _LOOKS).astype(int))
        distance, lookat = self.fit(self.extent(azimuth, elevation, steps), azimuth, elevation)
        eye = lookat - distance * _axes(azimuth, elevation)[0]
        movers = self._shown[np.isin(self._shown.thing, self._subject.movers)]
        return clear_share(self._motion, movers, steps, eye + self._target[steps, 0])


def _most(values: np.ndarray) -> float:
    """The largest value, but for what is so far out that it can only be a simulation's mishap."""
    most, usual, middle = (float(value) for value in np.quantile(values, (1, 0.98, 0.5)))
    return most if most - middle <= _MISHAP * max(usual - middle, abs(middle)) else usual


def _axes(azimuth: float, elevation: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The camera's directions forward, to the right and up, as MuJoCo has them."""
    a, e = math.radians(azimuth), math.radians(elevation)
    forward = np.array([math.cos(e) * math.cos(a), math.cos(e) * math.sin(a), math.sin(e)])
    right = np.array([math.sin(a), -math.cos(a), 0.0])
    return forward, right, np.cross(right, forward)
