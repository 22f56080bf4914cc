"""What can be seen of a model, as points on its bodies."""

from collections.abc import Iterable
from dataclasses import dataclass

import mujoco
import numpy as np

_GEOM, _SITE = mujoco.mjtObj.mjOBJ_GEOM.value, mujoco.mjtObj.mjOBJ_SITE.value
_TENDON, _FLEX = mujoco.mjtObj.mjOBJ_TENDON.value, mujoco.mjtObj.mjOBJ_FLEX.value
_SKIN = mujoco.mjtObj.mjOBJ_SKIN.value
_ENDLESS = (mujoco.mjtGeom.mjGEOM_PLANE.value, mujoco.mjtGeom.mjGEOM_HFIELD.value)


@dataclass(frozen=True)
class Points:
    """Points that hold what is drawn between them; each stays where it is on its body.

    Attributes:
        body: The body of each point, `int (P,)`.
        place: Where it is in that body's frame, `(P, 3)` metres.
        radius: Of a ball around it that is filled, `(P,)` metres.
        thing: What it belongs to, `int (P,)`: for what moves, the lowest number of a body among
            those that move together; below 0 for each shape that cannot move.
        is_ground: Whether it is of an endless plane or a height field, `bool (P,)`.
        is_mark: Whether it is of something that can be seen and not touched, `bool (P,)`.
    """

    body: np.ndarray
    place: np.ndarray
    radius: np.ndarray
    thing: np.ndarray
    is_ground: np.ndarray
    is_mark: np.ndarray

    def __len__(self) -> int:
        return len(self.body)

    def __getitem__(self, which: np.ndarray) -> "Points":
        return Points(*(getattr(self, name)[which] for name in self.__dataclass_fields__))


def visible_points(model: mujoco.MjModel, options: mujoco.MjvOption) -> Points:
    """Return points around all that MuJoCo draws of a model, by its own choice of what that is.

    Geoms, sites, tendons, flexes and skins count; what is of an invisible colour does not.

    Args:
        model: The model.
        options: Which groups and kinds of elements are drawn.
    """
    things = moving_things(model)
    columns: list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, bool, bool]] = []
    for number, (kind, index) in enumerate(_drawn(model, options), 1):
        body, place, radius = _points_of(model, kind, index)
        if not len(body):
            continue
        thing = things[body]
        if kind not in (_GEOM, _SITE):
            # Of what hangs between several bodies, all belongs to those that move.
            thing = np.full_like(thing, thing.max())
        thing = np.where(thing > 0, thing, -number)
        ground = kind == _GEOM and model.geom_type[index] in _ENDLESS and bool((thing < 0).all())
        mark = kind == _SITE or (
            kind == _GEOM and not model.geom_contype[index] and not model.geom_conaffinity[index]
        )
        columns.append((body, place, radius, thing, ground, mark))
    sizes = [len(column[0]) for column in columns]
    if not columns:
        empty = np.zeros(0, int)
        return Points(empty, np.zeros((0, 3)), np.zeros(0), empty, empty > 0, empty > 0)
    body, place, radius, thing = (
        np.concatenate([column[i] for column in columns]) for i in range(4)
    )
    ground, mark = (np.repeat([bool(column[i]) for column in columns], sizes) for i in (4, 5))
    return Points(body, place, radius, thing, ground, mark)


def moving_things(model: mujoco.MjModel) -> np.ndarray:
    """Return which bodies move together, `int (nbody,)`.

    Bodies of one tree, and trees that a tendon, an active equality, a flex or a skin joins, have
    the same number; those that cannot move have 0.
    """
    parent = model.body_parentid
    top = np.zeros(model.nbody, int)
    for body in range(1, model.nbody):
        if top[parent[body]]:
            top[body] = top[parent[body]]
        elif model.body_dofnum[body] or model.body_mocapid[body] >= 0:
            top[body] = body
    for bodies in _joined(model):
        numbers = top[np.asarray(list(bodies), int)]
        numbers = np.unique(numbers[numbers > 0])
        if len(numbers) > 1:
            top[np.isin(top, numbers)] = numbers[0]
    return top


def _joined(model: mujoco.MjModel) -> Iterable[Iterable[int]]:
    for tendon in range(model.ntendon):
        yield _tendon_bodies(model, tendon)
    by_body = (mujoco.mjtEq.mjEQ_CONNECT.value, mujoco.mjtEq.mjEQ_WELD.value)
    for kind, first, second, active, of in zip(
        model.eq_type,
        model.eq_obj1id,
        model.eq_obj2id,
        model.eq_active0,
        model.eq_objtype,
        strict=True,
    ):
        if not active or second < 0:
            continue
        if kind in by_body:
            bodies = model.site_bodyid if of == _SITE else np.arange(model.nbody)
            yield bodies[first], bodies[second]
        elif kind == mujoco.mjtEq.mjEQ_JOINT:
            yield model.jnt_bodyid[first], model.jnt_bodyid[second]
    for flex in range(model.nflex):
        yield _flex_points(model, flex)[0]
    for skin in range(model.nskin):
        start = model.skin_boneadr[skin]
        yield model.skin_bonebodyid[start : start + model.skin_bonenum[skin]]


def _drawn(model: mujoco.MjModel, options: mujoco.MjvOption) -> list[tuple[int, int]]:
    """The kinds and numbers of all elements that MuJoCo draws."""
    data = mujoco.MjData(model)
    for place in (
        mujoco.mj_kinematics,
        mujoco.mj_comPos,
        mujoco.mj_camlight,
        mujoco.mj_flex,
        mujoco.mj_tendon,
    ):
        place(model, data)
    # Lights, cameras and the segments of a tendon that winds about something come on top.
    most = 2 * (model.ngeom + model.nsite + model.nwrap + model.nflex + model.nskin) + 100
    scene = mujoco.MjvScene(model, maxgeom=most)
    every = mujoco.mjtCatBit.mjCAT_ALL.value
    mujoco.mjv_updateScene(model, data, options, None, mujoco.MjvCamera(), every, scene)
    shown = {
        (geom.objtype, geom.objid): None
        for geom in scene.geoms[: scene.ngeom]
        if geom.rgba[3] > 0 and geom.objtype in (_GEOM, _SITE, _TENDON, _FLEX, _SKIN)
    }
    return list(shown)


def _points_of(
    model: mujoco.MjModel, kind: int, index: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The bodies, places on them, and radii of the points of one element."""
    if kind == _TENDON:
        return _tendon_points(model, index)
    if kind == _FLEX:
        return _flex_points(model, index)
    if kind == _SKIN:
        return _skin_points(model, index)
    if kind == _SITE:
        body, position = model.site_bodyid[index], model.site_pos[index]
        turn, shape, size = model.site_quat[index], model.site_type[index], model.site_size[index]
        points, radius = _shape_points(shape, size)
    else:
        body, position = model.geom_bodyid[index], model.geom_pos[index]
        turn, shape, size = model.geom_quat[index], model.geom_type[index], model.geom_size[index]
        if shape == mujoco.mjtGeom.mjGEOM_MESH:
            points, radius = _mesh_points(model, model.geom_dataid[index]), 0.0
        elif shape in (mujoco.mjtGeom.mjGEOM_HFIELD, mujoco.mjtGeom.mjGEOM_SDF):
            aabb = model.geom_aabb[index]
            points, radius = aabb[:3] + aabb[3:] * _CORNERS, 0.0
        else:
            points, radius = _shape_points(shape, size)
    placed = position + points @ _matrix(turn).T
    return np.full(len(points), body, int), placed, np.full(len(points), radius)


def _shape_points(shape: int, size: np.ndarray) -> tuple[np.ndarray, float]:
    """Points of a shape in its own frame, and the radius of the balls around them."""
    kinds = mujoco.mjtGeom
    if shape == kinds.mjGEOM_SPHERE:
        return np.zeros((1, 3)), float(size[0])
    if shape == kinds.mjGEOM_CAPSULE:
        return np.array([[0, 0, -size[1]], [0, 0, 0], [0, 0, size[1]]]), float(size[0])
    if shape == kinds.mjGEOM_CYLINDER:
        ring = np.column_stack([_RING * size[0], np.ones(len(_RING))])
        return np.concatenate([ring * [1, 1, size[1]], ring * [1, 1, -size[1]]]), 0.0
    if shape == kinds.mjGEOM_ELLIPSOID:
        return _DIRECTIONS * size, 0.0
    if shape == kinds.mjGEOM_PLANE:
        # Its third number is the distance of grid lines. One without limits has no corners.
        return _CORNERS[::2] * [size[0], size[1], 0], 0.0
    return _CORNERS * size, 0.0


def _mesh_points(model: mujoco.MjModel, mesh: int) -> np.ndarray:
    start = model.mesh_vertadr[mesh]
    return _extremes(model.mesh_vert[start : start + model.mesh_vertnum[mesh]])


def _tendon_bodies(model: mujoco.MjModel, tendon: int) -> list[int]:
    start = model.tendon_adr[tendon]
    of = {
        mujoco.mjtWrap.mjWRAP_JOINT.value: model.jnt_bodyid,
        mujoco.mjtWrap.mjWRAP_SITE.value: model.site_bodyid,
        mujoco.mjtWrap.mjWRAP_SPHERE.value: model.geom_bodyid,
        mujoco.mjtWrap.mjWRAP_CYLINDER.value: model.geom_bodyid,
    }
    wraps = range(start, start + model.tendon_num[tendon])
    return [
        int(of[kind][model.wrap_objid[wrap]])
        for wrap in wraps
        if (kind := int(model.wrap_type[wrap])) in of
    ]


def _tendon_points(model: mujoco.MjModel, tendon: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    start = model.tendon_adr[tendon]
    wraps = np.arange(start, start + model.tendon_num[tendon])
    wraps = wraps[model.wrap_type[wraps] == mujoco.mjtWrap.mjWRAP_SITE]
    sites = model.wrap_objid[wraps]
    width = np.full(len(sites), model.tendon_width[tendon])
    return model.site_bodyid[sites].astype(int), model.site_pos[sites], width


def _flex_points(model: mujoco.MjModel, flex: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    if model.flex_interp[flex]:
        # Its vertices follow a few nodes, which lie around them.
        start, count = model.flex_nodeadr[flex], model.flex_nodenum[flex]
        bodies, places = model.flex_nodebodyid, model.flex_node
    else:
        start, count = model.flex_vertadr[flex], model.flex_vertnum[flex]
        bodies, places = model.flex_vertbodyid, model.flex_vert
    which = slice(start, start + count)
    return (
        bodies[which].astype(int),
        places[which].reshape(-1, 3),
        np.full(count, model.flex_radius[flex]),
    )


def _skin_points(model: mujoco.MjModel, skin: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    bodies, places = [], []
    first = model.skin_vertadr[skin]
    start = model.skin_boneadr[skin]
    for bone in range(start, start + model.skin_bonenum[skin]):
        own = model.skin_bonevertadr[bone]
        vertices = model.skin_bonevertid[own : own + model.skin_bonevertnum[bone]]
        if not len(vertices):
            continue
        offsets = model.skin_vert[first + vertices] - model.skin_bonebindpos[bone]
        points = _extremes(offsets @ _matrix(model.skin_bonebindquat[bone]))
        bodies.append(np.full(len(points), model.skin_bonebodyid[bone], int))
        places.append(points)
    if not bodies:
        return np.zeros(0, int), np.zeros((0, 3)), np.zeros(0)
    body = np.concatenate(bodies)
    return body, np.concatenate(places), np.full(len(body), model.skin_inflate[skin])


def _extremes(points: np.ndarray) -> np.ndarray:
    """The outermost of many points in a few directions, and the few of few."""
    if len(points) <= len(_DIRECTIONS):
        return np.asarray(points, float)
    chosen = np.unique((points @ _DIRECTIONS.T).argmax(axis=0))
    return np.asarray(points[chosen], float)


def _matrix(quaternion: np.ndarray) -> np.ndarray:
    matrix = np.zeros(9)
    mujoco.mju_quat2Mat(matrix, np.asarray(quaternion, float))
    return matrix.reshape(3, 3)


_CORNERS = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float)
_ANGLES = np.arange(8) * np.pi / 4
_RING = np.column_stack([np.cos(_ANGLES), np.sin(_ANGLES)])
# The centres of a cube's faces, edges and corners, seen from its own centre.
_DIRECTIONS = np.array(
    [
        [x, y, z]
        for x in (-1, 0, 1)
        for y in (-1, 0, 1)
        for z in (-1, 0, 1)
        if (x, y, z) != (0, 0, 0)
    ],
    float,
)
_DIRECTIONS /= np.linalg.norm(_DIRECTIONS, axis=1, keepdims=True)
