"""What a model is shown against: a sky, a ground and a light of ours, or a plain colour.

Many models are robots alone, for scenes to include. MuJoCo draws them dark, on black. A compiled
model takes no sky, and it is the user's; so the sky becomes a texture of what draws, and ground and
light are put into each updated scene.
"""

import copy
import ctypes
import math
from typing import TYPE_CHECKING

import mujoco
import numpy as np

from ..settings import AS_IS, STUDIO, TRANSPARENT, parsed_colour
from .pose import Pose, PoseLoader, poses

if TYPE_CHECKING:
    from .gl import Context

GROUND = np.array([0.64, 0.67, 0.70])
_ZENITH = np.array([0.42, 0.58, 0.76])
# Light from everywhere, from the camera and from the sun: no more together than white.
_AMBIENT, FROM_CAMERA, _SUN = 0.36, 0.22, 0.46
_SUN_DIRECTION = np.array([0.3, 0.45, -1.0]) / np.linalg.norm([0.3, 0.45, -1.0])
# The ground shines a little by itself, by less where the camera lights it. So it meets the sky in
# the colour that it has in the light.
GLOW = 0.45
_HORIZON = GROUND * (GLOW + _AMBIENT - _SUN * _SUN_DIRECTION[2])
# Metres for each of the model's extent that the ground lies below what it would else coincide with.
_GAP = 1e-3
_SIDE = 64

_PLANE, _HFIELD = mujoco.mjtGeom.mjGEOM_PLANE.value, mujoco.mjtGeom.mjGEOM_HFIELD.value
_CUBE_MAP, _FIRST_FACE, _RGB, _BYTES, _FIRST_UNIT = 0x8513, 0x8515, 0x1907, 0x1401, 0x84C0
_COORDINATES, _MODE, _OBJECT_LINEAR, _OBJECT_PLANE = (
    (0x2000, 0x2001, 0x2002),
    0x2500,
    0x2401,
    0x2501,
)
_FILTERS = {0x2801: 0x2601, 0x2800: 0x2601, 0x2802: 0x812F, 0x2803: 0x812F, 0x8072: 0x812F}


class Backdrop:
    """Adds to what MuJoCo draws of a model what it lacks.

    Args:
        model: The model.
        wish: As in `settings.Picture`; what is transparent has no sky here.
        groups: Which geom groups are drawn, as in `mujoco.MjvOption.geomgroup`.
        light: As in `settings.Picture`.

    Attributes:
        has_ground: Whether a ground is added.
        has_light: Whether it is lit instead of by the model's own light.
        lowest: The height of the lowest point that is drawn, in metres, as far as it is known
            beforehand. The ground lies there, or lower where a state reaches lower.
    """

    def __init__(
        self,
        model: mujoco.MjModel,
        wish: str | None,
        groups: np.ndarray,
        light: str | None = None,
    ) -> None:
        has_sky = (model.tex_type == mujoco.mjtTexture.mjTEXTURE_SKYBOX).any()
        own_light = has_light(model)
        if wish is None:
            wish = AS_IS if own_light or has_sky else STUDIO
        self._sky: np.ndarray | None = None
        if wish == STUDIO:
            self._sky = np.array([_HORIZON, _ZENITH])
        elif wish not in (AS_IS, TRANSPARENT):
            self._sky = np.array([parsed_colour(wish)] * 2)
        shown = _shown(model, groups)
        floors = shown & np.isin(model.geom_type, (_PLANE, _HFIELD))
        floors &= model.body_weldid[model.geom_bodyid] == 0
        is_studio = wish == STUDIO
        self.has_ground = is_studio and bool(shown.any() or model.nflex) and not floors.any()
        self.has_light = is_studio and not own_light if light is None else light == STUDIO
        self._geoms = np.flatnonzero(shown)
        self._model = model
        self.lowest = math.inf

    def prepare(self, model: mujoco.MjModel) -> None:
        """Set what a drawing context takes from its model, which is a copy of the user's."""
        if self._sky is not None:
            model.vis.rgba.haze[:3] = self._sky[0]

    def hang(self, drawing: mujoco.MjrContext, context: "Context") -> None:
        """Give the sky to what draws, whose GL context is current."""
        if self._sky is None:
            return
        skies = drawing.textureType == mujoco.mjtTexture.mjTEXTURE_SKYBOX
        drawing.textureType[skies] = mujoco.mjtTexture.mjTEXTURE_CUBE.value
        drawing.texture[drawing.ntexture] = _cube_map(context, _faces(self._sky))
        drawing.textureType[drawing.ntexture] = mujoco.mjtTexture.mjTEXTURE_SKYBOX.value
        # MuJoCo frees it with its own.
        drawing.ntexture += 1

    def sky(self) -> np.ndarray | None:
        """Return the sky as a cube map, `uint8 (6, side, side, 3)`; `None` for the model's own."""
        return None if self._sky is None else _faces(self._sky)

    def dress(self, scene: mujoco.MjvScene, data: mujoco.MjData) -> None:
        """Put ground and light into a scene that has just been updated from `data`."""
        if self.has_light:
            _light(scene, self._model)
        if self.has_ground:
            self._lay_ground(scene, data)

    def _lay_ground(self, scene: mujoco.MjvScene, data: mujoco.MjData) -> None:
        if scene.ngeom < scene.maxgeom:
            height = self.ground_height(data)
            far = self._model.stat.extent * self._model.vis.map.zfar
            x, y, z = scene.camera[0].pos
            if z < height:
                return
            ground = scene.geoms[scene.ngeom]
            mujoco.mjv_initGeom(
                ground,
                _PLANE,
                np.array([far, far, 1.0]),
                np.array([x, y, height]),
                np.eye(3).ravel(),
                np.array([*GROUND, 1], np.float32),
            )
            # It casts no shadow, and is nobody's shape.
            ground.category, ground.segid = mujoco.mjtCatBit.mjCAT_DECOR.value, -1
            ground.objtype, ground.objid = mujoco.mjtObj.mjOBJ_UNKNOWN.value, -1
            ground.specular, ground.emission = 0, GLOW
            if self.has_light:
                from_above = max(0.0, -float(scene.camera[0].forward[2]))
                ground.emission -= FROM_CAMERA * from_above
            scene.ngeom += 1

    def ground_height(self, data: mujoco.MjData) -> float:
        """Return where an added ground lies in a state, in metres."""
        return min(self.lowest, self.lowest_of(data)) - _GAP * float(self._model.stat.extent)

    def lowest_of(self, data: mujoco.MjData) -> float:
        """Return the height of the lowest point that is drawn, in metres, or a little less."""
        model, shown = self._model, self._geoms
        vertical = data.geom_xmat[shown, 6:]
        centre, half = model.geom_aabb[shown, :3], model.geom_aabb[shown, 3:]
        heights = data.geom_xpos[shown, 2] + (vertical * centre - np.abs(vertical) * half).sum(1)
        flexes = data.flexvert_xpos[:, 2] if model.nflex else heights
        return float(min(heights.min(initial=np.inf), flexes.min(initial=np.inf)))


def lowest_over(model: mujoco.MjModel, wish: str | None, stacked: Pose) -> float:
    """Return the height of the lowest point that is drawn in a stack of poses, in metres.

    It is infinite where no ground depends on it.
    """
    options = mujoco.MjvOption()
    backdrop = Backdrop(model, wish, options.geomgroup)
    if not backdrop.has_ground:
        return math.inf
    loader = PoseLoader(copy.copy(model), options)
    heights = (backdrop.lowest_of(loader.data) for pose in poses(stacked) if loader.load(pose))
    return min(heights, default=math.inf)


def _shown(model: mujoco.MjModel, groups: np.ndarray) -> np.ndarray:
    own = model.geom_rgba[:, 3]
    alpha = np.where(model.geom_matid >= 0, _material_alphas(model), own)
    shown: np.ndarray = (groups[np.clip(model.geom_group, 0, len(groups) - 1)] != 0) & (alpha > 0)
    return shown


def has_light(model: mujoco.MjModel) -> bool:
    """Whether a model has a light of its own."""
    return bool(model.nlight) or not _has_usual_headlight(model)


def _has_usual_headlight(model: mujoco.MjModel) -> bool:
    """Whether the light at the camera is MuJoCo's default."""
    head = model.vis.headlight
    given = np.concatenate([head.ambient, head.diffuse, head.specular])
    return bool(head.active) and np.allclose(given, np.repeat([0.1, 0.4, 0.5], 3))


def _material_alphas(model: mujoco.MjModel) -> np.ndarray:
    if not model.nmat:
        return np.ones(model.ngeom)
    alphas: np.ndarray = model.mat_rgba[np.maximum(model.geom_matid, 0), 3]
    return alphas


def _light(scene: mujoco.MjvScene, model: mujoco.MjModel) -> None:
    """Light a scene by the camera and a sun, and by nothing else."""
    head, sun = scene.lights[0], scene.lights[1]
    head.headlight, head.castshadow, head.dir[:] = True, False, scene.camera[0].forward
    head.pos[:] = scene.camera[0].pos
    head.attenuation[:] = 1, 0, 0
    head.cutoff, head.exponent = 180, 0
    head.ambient[:], head.diffuse[:], head.specular[:] = _AMBIENT, FROM_CAMERA, 0.1
    sun.headlight, sun.castshadow = False, True
    if hasattr(sun, "directional"):  # until mujoco 3.3.0
        sun.directional = True
    else:
        sun.type = mujoco.mjtLightType.mjLIGHT_DIRECTIONAL.value
    sun.ambient[:], sun.diffuse[:], sun.specular[:] = 0, _SUN, 0.25
    sun.dir[:] = _SUN_DIRECTION
    sun.pos[:] = model.stat.center - 2 * model.stat.extent * _SUN_DIRECTION
    sun.attenuation[:] = 1, 0, 0
    sun.cutoff, sun.exponent = 45, 0
    scene.nlight = 2


def _faces(sky: np.ndarray) -> np.ndarray:
    """Paint a cube's faces, `uint8 (6, side, side, 3)`, from the colours at horizon and zenith."""
    across = (np.arange(_SIDE) + 0.5) / _SIDE * 2 - 1
    u, v = np.meshgrid(across, across)
    one = np.ones_like(u)
    # The height of each texel's direction, which is y in GL. The order is +x, -x, +y, -y, +z, -z.
    ups = np.stack([-v, -v, one, -one, -v, -v]) / np.sqrt(u**2 + v**2 + 1)
    share = np.clip(ups, 0, 1)[..., None] ** 0.6
    colours = (1 - share) * sky[0] + share * sky[1]
    faces: np.ndarray = np.round(255 * colours).astype(np.uint8)
    return faces


def _cube_map(context: "Context", faces: np.ndarray) -> int:
    enum, number = ctypes.c_uint, ctypes.c_int
    texture = enum()
    # The other unit is the shadow map's.
    context.call("glActiveTexture", (enum,), _FIRST_UNIT)
    context.call("glGenTextures", (number, ctypes.c_void_p), 1, ctypes.byref(texture))
    context.call("glBindTexture", (enum, enum), _CUBE_MAP, texture)
    for name, value in _FILTERS.items():
        context.call("glTexParameteri", (enum, enum, number), _CUBE_MAP, name, value)
    # As MuJoCo does for a cube of its own: what has no texture leaves them as GL has them at first.
    for axis, coordinate in enumerate(_COORDINATES):
        plane = (ctypes.c_float * 4)(*np.eye(4)[axis])
        context.call("glTexGeni", (enum, enum, number), coordinate, _MODE, _OBJECT_LINEAR)
        context.call("glTexGenfv", (enum, enum, ctypes.c_void_p), coordinate, _OBJECT_PLANE, plane)
    for face, pixels in enumerate(faces):
        context.call(
            "glTexImage2D",
            (enum, *[number] * 5, enum, enum, ctypes.c_void_p),
            *(_FIRST_FACE + face, 0, _RGB, _SIDE, _SIDE, 0, _RGB, _BYTES),
            pixels.ctypes.data,
        )
    return texture.value
