"""How each geom, site, skin and flex of a model looks, by MuJoCo's own rules."""

from dataclasses import dataclass

import mujoco
import numpy as np

_OBJECTS, _KINDS = mujoco.mjtObj, mujoco.mjtGeom
_RGB = mujoco.mjtTextureRole.mjTEXROLE_RGB.value


@dataclass(frozen=True)
class Mapping:
    """How a texture lies on a shape.

    Attributes:
        texture: Its number in the model.
        by: `"uv"`, by the shape's own coordinates; `"xy"`, projected along z; `"xyz"`, as a cube.
            Places on the shape are those before it is scaled to the geom's size.
        scale: The factors of those coordinates; of a cube, of the direction it is looked at in.
        shift: What is added then, for `"xy"`.
    """

    texture: int
    by: str
    scale: tuple[float, ...]
    shift: tuple[float, ...] = (0.0, 0.0)


@dataclass(frozen=True)
class Look:
    """Something that is drawn.

    Attributes:
        object: Its type as in `mujoco.mjtObj`, and its number.
        kind: Its shape, as in `mujoco.mjtGeom`.
        data: The number of its mesh or height field, or -1.
        size: As in `mujoco.MjvGeom`, `(3,)` metres.
        body: The body that it moves with; 0 for skins and flexes.
        position: In that body's frame, `(3,)` metres.
        matrix: Its axes in that frame as columns, `(3, 3)`.
        group: Its group, 0 to 5.
        rgba: From 0 to 1, four of them.
        emission, specular, shininess, reflectance: As in `mujoco.MjvGeom`, 0 to 1.
        mapping: Its texture, if any.
        radius: Of a ball around `position` that holds it, in metres.
        is_mark: Whether it is a mark rather than a thing: it casts no shadow.
    """

    object: tuple[int, int]
    kind: int
    data: int
    size: np.ndarray
    body: int
    position: np.ndarray
    matrix: np.ndarray
    group: int
    rgba: tuple[float, ...]
    emission: float
    specular: float
    shininess: float
    reflectance: float
    mapping: Mapping | None
    radius: float
    is_mark: bool


def looks_of(model: mujoco.MjModel, data: mujoco.MjData) -> list[Look]:
    """Return all that MuJoCo would draw of a model with all groups shown, in its order.

    Tendons and beams are not among them: they are rods of a `Trajectory`. What is of an invisible
    colour is left out.

    Args:
        model: The model.
        data: A state whose positions have been computed.
    """
    options = mujoco.MjvOption()
    for name in ("geomgroup", "sitegroup", "skingroup", "flexgroup"):
        getattr(options, name)[:] = 1
    options.tendongroup[:] = 0
    # Beams of rangefinders come on top.
    most = 2 * (model.ngeom + model.nsite + model.nflex + model.nskin) + model.nsensor + 1000
    scene = mujoco.MjvScene(model, maxgeom=most)
    every = mujoco.mjtCatBit.mjCAT_ALL.value
    mujoco.mjv_updateScene(model, data, options, None, mujoco.MjvCamera(), every, scene)
    drawn = scene.geoms[: scene.ngeom]
    return [_look(model, data, geom) for geom in drawn if geom.objtype in _PLACES]


def _look(model: mujoco.MjModel, data: mujoco.MjData, geom: mujoco.MjvGeom) -> Look:
    number = int(geom.objid)
    body, group, places, turns = _PLACES[geom.objtype]
    owner = int(getattr(model, body)[number]) if body else 0
    position, matrix = np.zeros(3), np.eye(3)
    if places:
        # Not from the shape: MuJoCo shifts endless planes along with the camera.
        turn = data.xmat[owner].reshape(3, 3).T
        position = turn @ (getattr(data, places)[number] - data.xpos[owner])
        matrix = turn @ getattr(data, turns)[number].reshape(3, 3)
    content = -1
    if geom.type in (_KINDS.mjGEOM_MESH, _KINDS.mjGEOM_SDF):
        content = int(geom.dataid) // 2
    elif geom.type == _KINDS.mjGEOM_HFIELD:
        content = int(geom.dataid)
    return Look(
        object=(int(geom.objtype), number),
        kind=int(geom.type),
        data=content,
        size=np.array(geom.size),
        body=owner,
        position=position,
        matrix=matrix,
        group=int(np.clip(getattr(model, group)[number], 0, 5)),
        rgba=tuple(geom.rgba.tolist()),
        emission=float(geom.emission),
        specular=float(geom.specular),
        shininess=float(geom.shininess),
        reflectance=float(geom.reflectance),
        mapping=mapping_of(model, geom),
        radius=float(geom.modelrbound) or float(geom.size.max()),
        is_mark=bool(geom.category == mujoco.mjtCatBit.mjCAT_DECOR),
    )


# The attributes in which MuJoCo keeps an object's body and group, and its place and its axes.
_PLACES = {
    _OBJECTS.mjOBJ_GEOM.value: ("geom_bodyid", "geom_group", "geom_xpos", "geom_xmat"),
    _OBJECTS.mjOBJ_SITE.value: ("site_bodyid", "site_group", "site_xpos", "site_xmat"),
    _OBJECTS.mjOBJ_SKIN.value: ("", "skin_group", "", ""),
    _OBJECTS.mjOBJ_FLEX.value: ("", "flex_group", "", ""),
}


def mapping_of(model: mujoco.MjModel, geom: mujoco.MjvGeom) -> Mapping | None:
    """Return how MuJoCo lays a texture on a shape; `None` where it has none."""
    material = int(geom.matid)
    if material < 0:
        return None
    texture = int(model.mat_texid[material, _RGB])
    if texture < 0:
        return None
    is_uniform = bool(model.mat_texuniform[material])
    if model.tex_type[texture] != mujoco.mjtTexture.mjTEXTURE_2D:
        if geom.texcoord:
            return None  # GL takes no cube by coordinates of an image
        return Mapping(texture, "xyz", tuple(geom.size.tolist()) if is_uniform else (1.0, 1.0, 1.0))
    size = geom.size[:2].astype(float)
    repeat = model.mat_texrepeat[material].astype(float)
    if is_uniform:
        # So many in a metre, rather than on the shape.
        repeat = repeat * np.where(size > 0, size, 1)
    if geom.texcoord or geom.dataid < 0:
        return Mapping(texture, "uv", tuple(repeat.tolist()))
    # Of what has its corners in metres, and no coordinates.
    scale = repeat / 2 * [1, -1] / np.where(size > 0, size, 1)
    shift = np.full(2, -0.5)
    if geom.type == _KINDS.mjGEOM_PLANE:
        shift = np.where(size > 0, repeat / 2, shift)
    return Mapping(texture, "xy", tuple(scale.tolist()), tuple(shift.tolist()))
