"""All that a picture depends on, as values that can be compared."""

import operator
from collections.abc import Iterable
from typing import Any, NamedTuple

import mujoco
import numpy as np

from .shadows import is_directional

# What MuJoCo notes in a shape while it paints, and its number in a segmentation.
_NOT_SEEN = {"camdist", "transparent", "segid"}


def _fields(kind: type, without: str = "") -> list[str]:
    left_out = {without, *_NOT_SEEN}
    return [name for name in dir(kind) if not name.startswith("_") and name not in left_out]


_SHAPES_OF_ARRAYS = {"size": 3, "pos": 3, "mat": (3, 3), "rgba": 4, "texrepeat": 2}
_ARRAYS = [name for name in _SHAPES_OF_ARRAYS if hasattr(mujoco.MjvGeom, name)]
FLOATS = np.dtype([(name, "f4", _SHAPES_OF_ARRAYS[name]) for name in _ARRAYS])
NUMBERS = tuple(name for name in _fields(mujoco.MjvGeom) if name not in _ARRAYS)
_numbers = operator.attrgetter(*NUMBERS)
_kind = operator.itemgetter(*map(NUMBERS.index, ("type", "category", "objtype")))
_arrays = operator.attrgetter(*_ARRAYS)
# Where it is counts for some of them alone.
_light = operator.attrgetter(*_fields(mujoco.MjvLight, without="pos"))
_camera = operator.attrgetter(*_fields(mujoco.MjvGLCamera))
_rest = operator.attrgetter(
    *("stereo", "enabletransform", "translate", "rotate", "scale", "flags", "framewidth"),
    *("framergb", "nlight", "flexvert", "flexface", "skinvert", "skinnormal"),
)

_PLANE = mujoco.mjtGeom.mjGEOM_PLANE.value
_DECOR = mujoco.mjtCatBit.mjCAT_DECOR.value


class Shape(NamedTuple):
    """One of a scene's."""

    numbers: tuple[Any, ...]
    floats: bytes


class Seen(NamedTuple):
    """A scene, and what will draw it.

    Attributes:
        around: Camera, lights, flags and the like.
        fit: Which part of the world each shadow map covers, and how finely, where `Shadows` says
            so.
        shapes: What is drawn.
    """

    around: tuple[Any, ...]
    fit: tuple[Any, ...]
    shapes: tuple[Shape, ...]

    @classmethod
    def of(cls, scene: mujoco.MjvScene, drawing: mujoco.MjrContext) -> "Seen":
        """Read it from a scene and what will draw it."""
        lights = [(light, is_directional(light)) for light in scene.lights[: scene.nlight]]
        around = (
            _comparable(_rest(scene)),
            drawing.shadowScale,
            *(_comparable(_camera(camera)) for camera in scene.camera),
            *(_comparable(_light(light)) for light, _ in lights),
            *(light.pos.tobytes() for light, directional in lights if not directional),
        )
        # A directional light's place has no other effect.
        fit = (
            drawing.shadowClip,
            drawing.shadowSize,
            *(light.pos.tobytes() for light, directional in lights if directional),
        )
        shapes = (
            Shape(_numbers(geom), b"".join([array.tobytes() for array in _arrays(geom)]))
            for geom in scene.geoms[: scene.ngeom]
        )
        return cls(around, fit, tuple(shapes))

    def standing(self) -> "Seen":
        """Return what is left without what moves."""
        shapes = tuple(each for each in self.shapes if stands(each))
        casts = any(_kind(each.numbers)[1] != _DECOR for each in shapes)
        return Seen(self.around, self.fit if casts else (), shapes)

    def moving(self) -> list[Shape]:
        """Return the shapes that are not in `standing`."""
        return [each for each in self.shapes if not stands(each)]

    def planes(self) -> list[Shape]:
        """Return the planes."""
        return [each for each in self.shapes if _kind(each.numbers)[0] == _PLANE]

    def bodies(self) -> list[Shape]:
        """Return the shapes that are not planes."""
        return [each for each in self.shapes if _kind(each.numbers)[0] != _PLANE]


def stands(shape: Shape) -> bool:
    """Whether no state moves a shape."""
    kind, category, source = _kind(shape.numbers)
    return bool(
        category == mujoco.mjtCatBit.mjCAT_STATIC
        or kind == _PLANE
        # Ground that `Shadows` keeps from casting one.
        or (category == _DECOR and source == mujoco.mjtObj.mjOBJ_GEOM)
    )


def lights_stand(model: mujoco.MjModel) -> bool:
    """Whether no state of a model moves its lights."""
    bodies = model.light_bodyid
    fixed = model.light_mode == mujoco.mjtCamLight.mjCAMLIGHT_FIXED
    return bool((fixed & stands_still(model)[bodies]).all())


def stands_still(model: mujoco.MjModel) -> np.ndarray:
    """Return which bodies no state moves, `bool (nbody,)`."""
    still: np.ndarray = (model.body_weldid == 0) & (model.body_mocapid[model.body_rootid] < 0)
    return still


def _comparable(values: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(value.tobytes() if isinstance(value, np.ndarray) else value for value in values)
