"""Better shadows from smaller shadow maps.

MuJoCo draws shadows with a map of what each light sees, which it spreads over the whole model, and
in which the ground takes part. Both are put right in each updated scene, so that a map of 1024
texels shows what MuJoCo needs 4096 for, and the flicker described in `Shadows` is gone.
"""

import math

import mujoco
import numpy as np

# The sides of shadow maps, in parts of the largest; of how many pixels a texel is at most.
_SIDES, _TEXEL = tuple(eighths / 8 for eighths in range(2, 8)), 0.15
# Texels that MuJoCo leaves free at the map's edge, generously.
_MARGIN = 1.02
# Into how many cells, at least, the longest side of what casts shadows is divided.
_CELLS = 8


class Shadows:
    """Adjusts the shadows of a scene before it is drawn.

    - The ground casts none: they could fall on nothing but itself. They do fall there, in rounding
      errors: MuJoCo's own pictures show black patches and stripes that flicker along the horizon.
      Nor does a height field that stands still: on its slopes the errors are black specks, and a
      map of all of it has texels as large as a robot's foot. The shadows of its hills are lost.
    - The map of a directional light covers the shapes that cast shadows, wherever they have gone,
      instead of a fixed region (`shadowclip`), if it gets smaller by that. Such a light's position
      has no other effect.

    Args:
        model: The model.
        data: A state of it, with positions computed.
        groups: Which geom groups are drawn, as in `mujoco.MjvOption.geomgroup`.
    """

    def __init__(self, model: mujoco.MjModel, data: mujoco.MjData, groups: np.ndarray) -> None:
        planes = model.geom_type == mujoco.mjtGeom.mjGEOM_PLANE
        ground = ground_geoms(model, data)
        self._ground = np.flatnonzero(ground).tolist()
        self._before = int(model.nflex + model.nskin)
        drawn = groups[np.clip(model.geom_group, 0, len(groups) - 1)] != 0
        casters = drawn & ~ground
        self._geoms = np.flatnonzero(casters)
        radii = np.where(planes, np.linalg.norm(model.geom_size[:, :2], axis=1), model.geom_rbound)
        # Tendons reach from site to site.
        self._radii = np.concatenate([radii[casters], model.site_size.max(axis=1)])[:, None]
        endless = casters & planes & (model.geom_size[:, :2] == 0).any(axis=1)
        self._some_stand = bool((model.body_weldid[model.geom_bodyid[casters]] == 0).any())
        # How far flexes and skins reach is not known from geoms.
        self._fits = bool(casters.any()) and not (endless.any() or model.nflex or model.nskin)
        # The region of MuJoCo's own: half its side, in metres.
        self._clip = float(model.stat.extent * model.vis.map.shadowclip)
        self._largest = self._height = 0

    def save(self, drawing: mujoco.MjrContext, height: int) -> None:
        """From now on, use as much of the shadow map as pictures of this height ask for.

        Args:
            drawing: What will draw, with the largest map.
            height: In pixels.
        """
        self._largest, self._height = drawing.shadowSize, height

    def adjust(
        self, scene: mujoco.MjvScene, drawing: mujoco.MjrContext, data: mujoco.MjData
    ) -> None:
        """Adjust a scene that has just been updated from `data`, and what will draw it."""
        for geom in self._ground:
            # Shapes stand in a scene in the order of the model's geoms, less the hidden ones, after
            # skins and flexes.
            last = min(geom + self._before, scene.ngeom - 1)
            for shape in scene.geoms[last::-1]:
                if shape.objid == geom and shape.objtype == mujoco.mjtObj.mjOBJ_GEOM:
                    shape.category = mujoco.mjtCatBit.mjCAT_DECOR.value
                    break
        if self._fits:
            self._fit(scene, drawing, data)

    def _fit(self, scene: mujoco.MjvScene, drawing: mujoco.MjrContext, data: mujoco.MjData) -> None:
        centres = np.concatenate([data.geom_xpos[self._geoms], data.site_xpos])
        low = (centres - self._radii).min(axis=0)
        high = (centres + self._radii).max(axis=0)
        if self._some_stand:
            # On a coarse grid, so that most movements leave the shadows of what stands as they are.
            cell = 2.0 ** math.floor(math.log2(max(high - low) / _CELLS))
            low, high = np.floor(low / cell) * cell, np.ceil(high / cell) * cell
        # Half the diagonal: the map is a square that may lie at any angle.
        radius = float(np.linalg.norm(high - low)) / 2 * _MARGIN
        if radius >= self._clip:
            drawing.shadowClip = self._clip
            if self._largest:
                drawing.shadowSize = self._largest
            return
        drawing.shadowClip = radius
        if self._largest:
            drawing.shadowSize = self._size(scene, (low + high) / 2, radius)
        for light in scene.lights[: scene.nlight]:
            if light.castshadow and is_directional(light):
                off = (low + high) / 2 - light.pos
                light.pos[:] += off - (off @ light.dir) * light.dir

    def _size(self, scene: mujoco.MjvScene, centre: np.ndarray, radius: float) -> int:
        """Return how many texels are enough on each side of a map of a part of the world."""
        camera, other = scene.camera
        ahead = float((centre - (camera.pos + other.pos) / 2) @ camera.forward) - radius
        lights = [light for light in scene.lights[: scene.nlight] if light.castshadow]
        if ahead <= 0 or not all(map(is_directional, lights)):
            return self._largest
        pixel = (camera.frustum_top - camera.frustum_bottom) / self._height
        if not camera.orthographic:
            pixel *= ahead / camera.frustum_near
        share = 2 * radius / (_TEXEL * pixel) / self._largest
        return int(self._largest * next((side for side in _SIDES if side >= share), 1))


def ground_geoms(model: mujoco.MjModel, data: mujoco.MjData) -> np.ndarray:
    """Return which geoms are ground, and so cast no shadow, `bool (ngeom,)`."""
    planes = model.geom_type == mujoco.mjtGeom.mjGEOM_PLANE
    upward = planes & (data.geom_xmat[:, 8] > 0.9)
    lowest = data.geom_xpos[upward, 2].min(initial=math.inf)
    ground: np.ndarray = upward & (data.geom_xpos[:, 2] == lowest)
    stands = model.body_weldid[model.geom_bodyid] == 0
    ground |= stands & (model.geom_type == mujoco.mjtGeom.mjGEOM_HFIELD)
    return ground


def is_directional(light: mujoco.MjvLight) -> bool:
    """Whether a light comes from a direction rather than from a place."""
    if hasattr(light, "directional"):  # until mujoco 3.3.0
        return bool(light.directional)
    return bool(light.type == mujoco.mjtLightType.mjLIGHT_DIRECTIONAL)
