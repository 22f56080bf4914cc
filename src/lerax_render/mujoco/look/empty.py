"""Ground and sky alone: most of a picture's pixels, painted in one pass.

Where no shadow falls and nothing is mirrored, the sum of all lights is what MuJoCo's passes add up
to, light by light; but for rounding, by 1/255, and where a single light would be brighter than
white, which is asked before.
"""

from collections.abc import Callable

import mujoco
import numpy as np

from .canvas import Canvas
from .seen import FLOATS, NUMBERS, Seen, Shape
from .shadows import is_directional

type Update = Callable[[mujoco.MjvScene, int], None]

_STATIC, _DECOR = mujoco.mjtCatBit.mjCAT_STATIC.value, mujoco.mjtCatBit.mjCAT_DECOR.value
_SHADOW = mujoco.mjtRndFlag.mjRND_SHADOW.value
_REFLECTION = mujoco.mjtRndFlag.mjRND_REFLECTION.value
# White, with what rounding adds; and from which opacity on MuJoCo calls a shape opaque.
_WHITE, _OPAQUE = 1.002, 0.995


class EmptyScene:
    """The planes of a scene, its sky and its lights.

    Args:
        model: The model.
        scene: Its scene.
    """

    def __init__(self, model: mujoco.MjModel, scene: mujoco.MjvScene) -> None:
        self._model = model
        self._most = scene.maxgeom
        self._scene: mujoco.MjvScene | None = None
        # What a texture makes translucent, the light that casts shadows does not reach.
        self._opaque = not (model.tex_nchannel == 4).any()

    def is_enough(self, seen: Seen, scene: mujoco.MjvScene) -> bool:
        """Whether one pass over the planes is all that there is outside of other shapes' reach.

        False, too, where it would spare nothing.

        Args:
            seen: Of this scene.
            scene: What is to be painted.
        """
        planes = seen.planes()
        casting = bool(scene.flags[_SHADOW]) and any(
            light.castshadow for light in scene.lights[: scene.nlight]
        )
        mirrors = bool(scene.flags[_REFLECTION]) and any(
            _value(plane, "reflectance") > 0 for plane in planes
        )
        return (
            self._opaque
            and (casting or mirrors)
            # A plane may be mirrored, or its shadow fall, anywhere.
            and not (mirrors and len(planes) > 1)
            and not (casting and any(_value(plane, "category") != _DECOR for plane in planes))
            and all(
                _is_opaque(plane, scene) and _is_within_white(plane, scene, shadows=casting)
                for plane in planes
            )
        )

    def update(self, seen: Seen, scene: mujoco.MjvScene, canvas: Canvas, update: Update) -> bool:
        """Be that of a scene; False where that has other planes than MuJoCo gives."""
        if self._scene is None:
            self._scene = mujoco.MjvScene(self._model, maxgeom=self._most)
        self._scene.flags[:] = scene.flags
        update(self._scene, _STATIC)
        own = Seen.of(self._scene, canvas.drawing)
        self._scene.flags[[_SHADOW, _REFLECTION]] = False
        return own.around == seen.around and own.planes() == seen.planes()

    def draw(self, canvas: Canvas, whole: mujoco.MjrRect) -> None:
        """Draw it."""
        with canvas.unclamped():
            canvas.draw(self._scene, whole)


def _value(shape: Shape, name: str) -> float:
    value: float = shape.numbers[NUMBERS.index(name)]
    return value


def _is_opaque(plane: Shape, scene: mujoco.MjvScene) -> bool:
    """Whether a plane is, and is not seen from behind."""
    floats = np.frombuffer(plane.floats, FLOATS)[0]
    eye = (scene.camera[0].pos + scene.camera[1].pos) / 2
    return bool(floats["rgba"][3] >= _OPAQUE and (eye - floats["pos"]) @ floats["mat"][:, 2] >= 0)


def _is_within_white(shape: Shape, scene: mujoco.MjvScene, *, shadows: bool) -> bool:
    """Whether no light that casts shadows is brighter than white on a shape, nor all others are."""
    colour = np.frombuffer(shape.floats, FLOATS)["rgba"][0, :3]
    others = _value(shape, "emission") * colour
    for light in scene.lights[: scene.nlight]:
        bright = (light.ambient + light.diffuse) * colour
        bright += light.specular * _value(shape, "specular")
        if not is_directional(light):
            bright /= np.clip(light.attenuation[0], 1e-6, 1)
        if not (shadows and light.castshadow):
            others = others + bright
        elif bright.max() > _WHITE:
            return False
    return bool(others.max() <= _WHITE)
