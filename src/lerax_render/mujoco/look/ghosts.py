"""Other states in a scene, translucent."""

from typing import NamedTuple

import mujoco
import numpy as np

# So that two in one place still differ from what is solid.
_OPACITY = 0.35
_MESH = mujoco.mjtGeom.mjGEOM_MESH.value
_NUMBERS = ("type", "dataid", "matid", "texcoord")
_LOOKS = ("emission", "specular", "shininess", "reflectance")


class Ghost:
    """The moving parts of a model, in states that are not the one that is painted.

    Args:
        model: Its model.
        drawn: The model of the scenes that it is put into.
        options: What of it is drawn.

    Raises:
        ValueError: It has meshes that the other model has not.
    """

    def __init__(
        self, model: mujoco.MjModel, drawn: mujoco.MjModel, options: mujoco.MjvOption
    ) -> None:
        self._model = model
        self._options = options
        self._meshes = _meshes_in(model, drawn)
        self._scene = mujoco.MjvScene(model, model.ngeom + model.nsite + 1000)
        self._has_materials = _content(model) == _content(drawn)

    def at(self, data: mujoco.MjData) -> "Shapes":
        """Return what is added to a scene for a state."""
        mujoco.mjv_updateScene(
            self._model,
            data,
            self._options,
            None,
            mujoco.MjvCamera(),
            mujoco.mjtCatBit.mjCAT_DYNAMIC.value,
            self._scene,
        )
        return Shapes([self._shape(geom) for geom in self._scene.geoms[: self._scene.ngeom]])

    def _shape(self, geom: mujoco.MjvGeom) -> "_Shape":
        numbers = {name: int(getattr(geom, name)) for name in _NUMBERS}
        if geom.type == _MESH:
            # Two for each: the mesh, and its convex hull.
            mesh, is_hull = divmod(geom.dataid, 2)
            numbers["dataid"] = 2 * self._meshes[mesh] + is_hull
        if not self._has_materials:
            numbers.update(matid=-1, texcoord=0)
        rgba = geom.rgba.copy()
        rgba[3] *= _OPACITY
        looks = {name: float(getattr(geom, name)) for name in _LOOKS}
        return _Shape(numbers, looks, geom.size.copy(), geom.pos.copy(), geom.mat.copy(), rgba)


class _Shape(NamedTuple):
    numbers: dict[str, int]
    looks: dict[str, float]
    size: np.ndarray
    pos: np.ndarray
    mat: np.ndarray
    rgba: np.ndarray


class Shapes:
    """Shapes that are put into a scene; a `Decorate` that travels to other processes."""

    def __init__(self, shapes: list[_Shape]) -> None:
        self._shapes = shapes

    def __call__(self, scene: mujoco.MjvScene) -> None:
        """Add the shapes, as far as the scene has room."""
        for shape in self._shapes[: scene.maxgeom - scene.ngeom]:
            geom = scene.geoms[scene.ngeom]
            kind = shape.numbers["type"]
            mujoco.mjv_initGeom(geom, kind, np.zeros(3), np.zeros(3), np.zeros(9), shape.rgba)
            for name, value in (shape.numbers | shape.looks).items():
                setattr(geom, name, value)
            geom.size[:], geom.pos[:], geom.mat[:] = shape.size, shape.pos, shape.mat
            # It casts no shadow, and is nobody's shape.
            geom.category, geom.segid = mujoco.mjtCatBit.mjCAT_DECOR.value, -1
            geom.objtype, geom.objid = mujoco.mjtObj.mjOBJ_UNKNOWN.value, -1
            scene.ngeom += 1


def _content(model: mujoco.MjModel) -> bytes:
    """What materials and textures a model has."""
    parts = [model.mat_rgba, model.mat_texid, model.tex_type, model.tex_width, model.tex_height]
    return b"".join(part.tobytes() for part in parts)


def _meshes_in(model: mujoco.MjModel, drawn: mujoco.MjModel) -> dict[int, int]:
    """Return the number that each mesh of a model has in the one that is drawn."""
    there = {_mesh(drawn, number): number for number in range(drawn.nmesh)}
    found = {}
    for number in range(model.nmesh):
        content = _mesh(model, number)
        if content not in there:
            name = mujoco.mj_id2name(model, mujoco.mjtObj.mjOBJ_MESH.value, number)
            raise ValueError(
                f"the ghost's model has a mesh, {name}, that this one has not: a ghost is of the "
                "same robot, or of one without meshes"
            )
        found[number] = there[content]
    return found


def _mesh(model: mujoco.MjModel, number: int) -> bytes:
    corners, first = model.mesh_vertnum[number], model.mesh_vertadr[number]
    faces, begin = model.mesh_facenum[number], model.mesh_faceadr[number]
    return bytes(
        model.mesh_vert[first : first + corners].tobytes()
        + model.mesh_face[begin : begin + faces].tobytes()
    )
