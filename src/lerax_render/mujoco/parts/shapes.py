"""The triangles of a MuJoCo model: unit shapes that geoms scale, meshes and height fields.

They are those that MuJoCo draws, with its corners and normals, so that a picture of them can be
compared with MuJoCo's own.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import mujoco
import numpy as np

_KINDS = mujoco.mjtGeom
SLICES, STACKS, QUADS = 28, 16, 4
"""How finely MuJoCo divides round shapes and faces by default."""

# A corner whose normal is further from its triangle's than this, as a cosine, is a sharp one.
_SHARP = 0.8
# MuJoCo draws no more lines across an endless plane, so that it reaches beyond the far plane.
_MOST_LINES = 200


@dataclass(frozen=True)
class Shape:
    """Triangles.

    Attributes:
        positions: Of the corners, `float32 (V, 3)`.
        triangles: Numbers of corners, counter-clockwise from outside, `uint32 (F, 3)`.
        normals: Of the corners, `float32 (V, 3)`; `None` where each triangle is flat.
        texcoords: Of the corners, `float32 (V, 2)`, with the texture's first row at v = 0; `None`
            where it has none.
    """

    positions: np.ndarray
    triangles: np.ndarray
    normals: np.ndarray | None = None
    texcoords: np.ndarray | None = None

    def flattened(self) -> "Shape":
        """Return the same with normals: where it had none, no triangles share a corner."""
        if self.normals is not None:
            return self
        corners = self.positions[self.triangles]
        across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        lengths = np.linalg.norm(across, axis=1, keepdims=True)
        normals = np.repeat(across / np.maximum(lengths, 1e-12), 3, axis=0)
        triangles = np.arange(3 * len(corners), dtype=np.uint32).reshape(-1, 3)
        texcoords = None
        if self.texcoords is not None:
            texcoords = self.texcoords[self.triangles].reshape(-1, 2)
        return Shape(corners.reshape(-1, 3), triangles, normals.astype(np.float32), texcoords)


class Part(NamedTuple):
    """A unit shape in the frame of a geom.

    Attributes:
        shape: Its name, see `unit_shape`.
        scale: Along the axes, before it is moved.
        height: How far it is moved along z.
    """

    shape: str
    scale: tuple[float, float, float]
    height: float = 0.0


def parts_of(kind: int, size: np.ndarray) -> list[Part]:
    """Return the unit shapes that a geom or site is drawn with.

    Args:
        kind: As in `mujoco.mjtGeom`.
        size: `(3,)`, as in `mujoco.MjvGeom`: radii and half lengths along x, y and z.

    Returns:
        None for planes, meshes and height fields, which have shapes of their own.
    """
    x, y, z = (float(side) for side in size)
    if kind in (_KINDS.mjGEOM_SPHERE, _KINDS.mjGEOM_ELLIPSOID):
        return [Part("sphere", (x, y, z))]
    if kind == _KINDS.mjGEOM_BOX:
        return [Part("box", (x, y, z))]
    if kind == _KINDS.mjGEOM_CYLINDER:
        return [Part("tube", (x, y, z)), Part("lids", (x, y, z))]
    if kind == _KINDS.mjGEOM_CAPSULE:
        cap = (x, y, (x + y) / 2)
        # The caps reach from height 1 to 2, as MuJoCo's do, which shows in textures.
        return [
            Part("tube", (x, y, z)),
            Part("dome", cap, z - cap[2]),
            Part("bowl", cap, cap[2] - z),
        ]
    return []


def unit_shape(name: str, slices: int = SLICES, stacks: int = STACKS, quads: int = QUADS) -> Shape:
    """Return one of the shapes that primitive geoms are scaled from.

    Args:
        name: `"sphere"` and `"box"`, of half sides 1; `"tube"` and `"lids"`, the side and the ends
            of a cylinder of radius 1 from z = -1 to 1; `"dome"`, the upper half of a sphere, from
            z = 1 to 2, and `"bowl"`, the lower one, from -2 to -1; `"plane"`, of half side 1.
        slices: Corners of a round outline.
        stacks: Rings along a round shape.
        quads: Squares along the sides of a box or a plane.
    """
    if name == "sphere":
        return _rings(*_arc(-1, 1, stacks), slices)
    if name in ("dome", "bowl"):
        sign = 1 if name == "dome" else -1
        shape = _rings(*_arc(min(0, sign), max(0, sign), stacks // 2), slices)
        return replace(shape, positions=_lifted(shape.positions, sign))
    if name == "tube":
        shape = _rings(np.ones(stacks + 1), np.linspace(-1, 1, stacks + 1), slices)
        normals = shape.positions * np.array([1, 1, 0], np.float32)
        return replace(shape, normals=normals)
    if name == "lids":
        radii = np.linspace(0, 1, stacks // 2 + 1)
        upper = _rings(radii[::-1], np.ones(len(radii)), slices)
        lower = _rings(radii, -np.ones(len(radii)), slices)
        up = np.zeros_like(upper.positions)
        up[:, 2] = 1
        lids = _joined([replace(upper, normals=up), replace(lower, normals=-up)])
        return replace(lids, texcoords=lids.positions[:, :2] / 2 + np.float32(0.5))
    lines = np.linspace(-1, 1, quads + 1)
    face = plane_shape(lines, lines)
    if name == "plane":
        return face
    if name == "box":
        lifted, normals = _lifted(face.positions, 1), _lifted(np.zeros_like(face.positions), 1)
        return _joined(
            [replace(face, positions=lifted @ turn, normals=normals @ turn) for turn in _BOX_TURNS]
        )
    raise ValueError(f"no unit shape is called {name!r}")


def plane_shape(xs: np.ndarray, ys: np.ndarray) -> Shape:
    """Return a grid at height 0, facing up, with corners where lines of `x` and of `y` cross."""
    x, y = np.meshgrid(xs, ys, indexing="ij")
    positions = np.stack([x, y, np.zeros_like(x)], axis=-1).reshape(-1, 3)
    normals = np.zeros_like(positions)
    normals[:, 2] = 1
    numbers = np.arange(len(positions)).reshape(len(xs), len(ys))
    square = numbers[:-1, :-1], numbers[1:, :-1], numbers[1:, 1:], numbers[:-1, 1:]
    texcoords = (positions[:, :2] * [1, -1] + 1) / 2
    return Shape(
        positions.astype(np.float32),
        _halved(*square),
        normals.astype(np.float32),
        texcoords.astype(np.float32),
    )


def plane_lines(model: mujoco.MjModel, geom: int) -> tuple[np.ndarray, np.ndarray]:
    """Return where MuJoCo divides a plane along its own x and y, in metres.

    A side without end is as long as the camera sees, around the origin; MuJoCo shifts it along with
    the camera by multiples of `plane_stride`.
    """
    far = model.vis.map.zfar * model.stat.extent
    lines = []
    for axis in range(2):
        half = model.geom_size[geom, axis]
        if half > 0:
            side = max(model.geom_size[geom, 2], half / (_MOST_LINES - 2))
            count = int(half / max(mujoco.mjMINVAL, side)) // 2 * 2
            inner = half - side * count
            between = -half + inner + 2 * side * np.arange(count + 1)
            lines.append(np.concatenate([[-half], between, [half]]))
        else:
            step = (2.1 * far + 2 * plane_stride(model, geom, axis)) / _MOST_LINES
            lines.append(step * (np.arange(_MOST_LINES + 1) - _MOST_LINES // 2))
    return lines[0], lines[1]


def plane_stride(model: mujoco.MjModel, geom: int, axis: int) -> float:
    """Return the half step in which an endless plane follows the camera, in metres."""
    material = model.geom_matid[geom]
    if material >= 0 and model.mat_texrepeat[material, axis] > 0:
        return float(2 / model.mat_texrepeat[material, axis])
    return float(2.1 * model.vis.map.zfar * model.stat.extent / (_MOST_LINES - 2))


def mesh_shape(model: mujoco.MjModel, mesh: int) -> Shape:
    """Return a mesh of the model, in its own frame, in metres."""
    faces = slice(model.mesh_faceadr[mesh], model.mesh_faceadr[mesh] + model.mesh_facenum[mesh])
    vertices = _of(model.mesh_vert, model.mesh_vertadr, model.mesh_vertnum, mesh)
    normals = _of(model.mesh_normal, model.mesh_normaladr, model.mesh_normalnum, mesh)
    corners = model.mesh_face[faces].astype(np.int64)
    of_corner = normals[model.mesh_facenormal[faces]]
    start = model.mesh_texcoordadr[mesh]
    if start < 0:
        # MuJoCo rounds off what is nearly flat, and keeps edges.
        flat = Shape(vertices, corners.astype(np.uint32)).flattened().normals
        assert flat is not None
        flat = flat.reshape(-1, 3, 3)
        sharp = (of_corner * flat).sum(axis=2, keepdims=True) < _SHARP
        of_corner = np.where(sharp, flat, of_corner)
    # Corners that agree in position and normal are one: normals count as equal to three digits.
    # Those at one place follow each other.
    steps = np.round((of_corner + 1) * 1000).astype(np.int64)
    keys = ((corners << 11 | steps[..., 0]) << 11 | steps[..., 1]) << 11 | steps[..., 2]
    _, first, which = np.unique(keys.ravel(), return_index=True, return_inverse=True)
    texcoords = None
    if start >= 0:
        chosen = model.mesh_facetexcoord[faces].astype(np.int64).ravel()
        both = which.ravel() * (int(chosen.max(initial=0)) + 1) + chosen
        _, first, which = np.unique(both, return_index=True, return_inverse=True)
        texcoords = model.mesh_texcoord[start + chosen[first]]
    return Shape(
        vertices[corners.ravel()[first]],
        which.reshape(-1, 3).astype(np.uint32),
        of_corner.reshape(-1, 3)[first],
        texcoords,
    )


def height_field_shape(model: mujoco.MjModel, field: int, quads: int = QUADS) -> Shape:
    """Return a height field with its sides and its bottom, which has `quads` by `quads` squares."""
    rows, columns = int(model.hfield_nrow[field]), int(model.hfield_ncol[field])
    half_x, half_y, top, base = model.hfield_size[field]
    data = _of(model.hfield_data, model.hfield_adr, model.hfield_nrow * model.hfield_ncol, field)
    heights = data.reshape(rows, columns) * top
    x, y = np.meshgrid(np.linspace(-half_x, half_x, columns), np.linspace(-half_y, half_y, rows))
    surface = np.stack([x, y, heights], axis=-1)
    numbers = np.arange(rows * columns).reshape(rows, columns)
    low, high = numbers[:-1], numbers[1:]
    first = np.stack([high[:, :-1], low[:, :-1], high[:, 1:]], axis=-1)
    second = np.stack([low[:, :-1], low[:, 1:], high[:, 1:]], axis=-1)
    shapes = [Shape(surface.reshape(-1, 3), np.concatenate([first, second]).reshape(-1, 3))]
    for rim in (surface[0], surface[::-1][0][::-1], surface[::-1, 0], surface[:, -1]):
        below = np.where([True, True, False], rim, -base)
        lower, upper = np.arange(len(rim)), np.arange(len(rim)) + len(rim)
        square = lower[:-1], lower[1:], upper[1:], upper[:-1]
        shapes.append(Shape(np.concatenate([below, rim]), _halved(*square)))
    ground = plane_shape(
        np.linspace(half_x, -half_x, quads + 1), np.linspace(-half_y, half_y, quads + 1)
    )
    shapes.append(replace(ground, positions=_lifted(ground.positions, -base)))
    positions = np.concatenate([shape.positions for shape in shapes]).astype(np.float32)
    starts = np.cumsum([0, *(len(shape.positions) for shape in shapes)])
    triangles = [
        shape.triangles + np.uint32(start) for shape, start in zip(shapes, starts, strict=False)
    ]
    return Shape(positions, np.concatenate(triangles).astype(np.uint32))


def _arc(low: int, high: int, stacks: int) -> tuple[np.ndarray, np.ndarray]:
    """Radii and heights of a sphere's rings, from one height to another."""
    angles = np.linspace(low, high, stacks + 1) * np.pi / 2
    radii = np.cos(angles)
    radii[np.abs(angles) == np.pi / 2] = 0
    return radii, np.sin(angles)


def _rings(radii: np.ndarray, heights: np.ndarray, slices: int) -> Shape:
    """A surface around the z axis; normals are those of a sphere."""
    angles = np.linspace(0, 2 * np.pi, slices + 1)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    # The seam of a texture has its corners twice, and they are one place.
    circle[-1] = circle[0]
    positions = np.empty((len(radii), slices + 1, 3))
    positions[..., :2] = radii[:, None, None] * circle
    positions[..., 2] = heights[:, None]
    texcoords = np.empty((*positions.shape[:2], 2))
    texcoords[..., 0] = angles / (2 * np.pi)
    texcoords[..., 1] = np.linspace(1, 0, len(radii))[:, None]
    numbers = np.arange(positions[..., 0].size).reshape(len(radii), slices + 1)
    square = numbers[:-1, :-1], numbers[:-1, 1:], numbers[1:, 1:], numbers[1:, :-1]
    triangles = _halved(*square)
    places = positions.reshape(-1, 3).astype(np.float32)
    # Where a ring is a point, half of the triangles have no area.
    distinct = [np.any(places[triangles[:, i]] != places[triangles[:, i - 1]], 1) for i in range(3)]
    triangles = triangles[np.all(distinct, axis=0)]
    return Shape(places, triangles, places, texcoords.reshape(-1, 2).astype(np.float32))


def _across(positions: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """Texture coordinates on a face of a box: along its two axes, the second upwards."""
    first, second = np.flatnonzero(normal == 0)
    coordinates = positions[:, [first, second]] * np.array([1, -1], np.float32)
    return (coordinates + 1) / 2


def _halved(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> np.ndarray:
    """Two triangles for each square, whose corners are given in turn, `uint32 (2 N, 3)`."""
    halves = np.stack([np.stack([a, b, c], axis=-1), np.stack([a, c, d], axis=-1)], axis=-2)
    return halves.reshape(-1, 3).astype(np.uint32)


def _joined(shapes: list[Shape]) -> Shape:
    starts = np.cumsum([0, *(len(shape.positions) for shape in shapes)])
    return Shape(
        np.concatenate([shape.positions for shape in shapes]),
        np.concatenate(
            [
                shape.triangles + np.uint32(start)
                for shape, start in zip(shapes, starts, strict=False)
            ]
        ),
        np.concatenate([shape.normals for shape in shapes if shape.normals is not None]),
        np.concatenate([shape.texcoords for shape in shapes if shape.texcoords is not None]),
    )


def _lifted(positions: np.ndarray, height: float) -> np.ndarray:
    return positions + np.array([0, 0, height], np.float32)


def _of(array: np.ndarray, starts: np.ndarray, counts: np.ndarray, which: int) -> np.ndarray:
    part: np.ndarray = array[starts[which] : starts[which] + counts[which]]
    return part


# Rows are where the axes of a face that lies on top of a box come to lie.
_BOX_TURNS = [
    np.array(turn, np.float32)
    for turn in (
        [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
        [[1, 0, 0], [0, -1, 0], [0, 0, -1]],
        [[0, 1, 0], [0, 0, 1], [1, 0, 0]],
        [[0, 0, 1], [0, 1, 0], [-1, 0, 0]],
        [[1, 0, 0], [0, 0, 1], [0, -1, 0]],
        [[0, 0, 1], [1, 0, 0], [0, 1, 0]],
    )
]
