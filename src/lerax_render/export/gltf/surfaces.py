"""Meshes and materials: MuJoCo's shapes and looks in glTF's words."""

from dataclasses import replace
from typing import Any, NamedTuple

import mujoco
import numpy as np

from ...mujoco.parts import (
    Look,
    Mapping,
    Part,
    Rod,
    Shape,
    height_field_shape,
    mesh_shape,
    parts_of,
    plane_shape,
    texture_of,
    unit_shape,
)
from .document import INDICES, VERTICES, Glb

_KINDS = mujoco.mjtGeom
# The directions in which GL finds a cube's s and t, for each of its faces.
_FACE_S = np.array([[0, 0, -1], [0, 0, 1], [1, 0, 0], [1, 0, 0], [1, 0, 0], [-1, 0, 0]])
_FACE_T = np.array([[0, -1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1], [0, -1, 0], [0, -1, 0]])
# Across the planes in which faces of a cube meet.
_SEAMS = np.array([[1, 1, 0], [1, -1, 0], [1, 0, 1], [1, 0, -1], [0, 1, 1], [0, 1, -1]])
# A picture of a cube's faces has three of them in a row.
_COLUMNS, _ROWS = 3, 2


def linear(colour: Any) -> np.ndarray:
    """Return the light that a colour of a screen, as MuJoCo's are, stands for."""
    colour = np.clip(np.asarray(colour, float), 0, 1)
    curve = ((colour + 0.055) / 1.055) ** 2.4
    light: np.ndarray = np.where(colour <= 0.04045, colour / 12.92, curve)
    return light


def name_of(model: mujoco.MjModel, kind: mujoco.mjtObj, number: int) -> str:
    """Return the name of an element of the model, or what it is with its number."""
    noun = kind.name.removeprefix("mjOBJ_").lower()
    return mujoco.mj_id2name(model, kind.value, number) or f"{noun} {number}"


class _Texture(NamedTuple):
    """A texture here.

    Attributes:
        number: Its number.
        is_clear: Whether one sees through it somewhere.
        is_one: Whether it is one picture, rather than one for each of a cube's faces.
    """

    number: int
    is_clear: bool
    is_one: bool


class Surfaces:
    """Makes the meshes that things are drawn with; equal ones are one.

    Args:
        glb: Gets them.
        model: The model.
        reach: Half the side that planes without end get, in metres.
    """

    def __init__(self, glb: Glb, model: mujoco.MjModel, reach: float) -> None:
        self._glb, self._model, self._reach = glb, model, reach
        self._shapes: dict[Any, Shape] = {}
        self._textures: dict[int, _Texture] = {}

    def mesh(self, look: Look) -> tuple[int, list[float]]:
        """Return the number of a mesh for a geom or site, and the scale of its node."""
        parts = parts_of(look.kind, look.size)
        if not parts:
            return self.given(look, self.mapped(self._own(look), look.mapping)), [1, 1, 1]
        shapes = [self.mapped(self._unit(part.shape, look), look.mapping) for part in parts]
        scale = parts[0].scale
        if all(part.scale == scale and not part.height for part in parts):
            return self.given(look, _joined(shapes)), list(scale)
        # Only of this size do they fit together.
        shapes = [_placed(*each) for each in zip(shapes, parts, strict=True)]
        return self.given(look, _joined(shapes)), [1, 1, 1]

    def rod(self, rod: Rod) -> int:
        """Return the number of a mesh of radius 1, from -1 to 1 along z."""
        shapes = [self.mapped(self._unit(name, rod), rod.mapping) for name in ("tube", "lids")]
        return self.given(rod, _joined(shapes))

    def ground(self, colour: np.ndarray, glow: float) -> int:
        """Return the number of a mesh of half side 1, in a colour that glows by a share."""
        surface = {"baseColorFactor": [*linear(colour).tolist(), 1], "metallicFactor": 0}
        material = {
            "pbrMetallicRoughness": surface,
            "emissiveFactor": linear(colour * glow).tolist(),
        }
        primitive = self._primitive(unit_shape("plane", quads=1), textured=False)
        primitive["material"] = self._glb.add("materials", material)
        return self._glb.add("meshes", {"primitives": [primitive]})

    def given(
        self,
        look: Look | Rod,
        shape: Shape,
        further: dict[str, int] | None = None,
        *,
        two_sided: bool = False,
    ) -> int:
        """Return the number of a mesh of a shape that is given, with further attributes."""
        texture = None
        if look.mapping is not None and shape.texcoords is not None:
            texture = self._texture(look.mapping.texture)
        primitive = self._primitive(shape, textured=texture is not None)
        primitive["attributes"].update(further or {})
        primitive["material"] = self._material(look, texture, two_sided)
        return self._glb.add("meshes", {"primitives": [primitive]})

    def _primitive(self, shape: Shape, *, textured: bool) -> dict[str, Any]:
        positions = shape.positions.astype(np.float32)
        attributes = {"POSITION": self._glb.array(positions, target=VERTICES, bounds=True)}
        if shape.normals is not None:
            normals = shape.normals.astype(np.float64)
            lengths = np.linalg.norm(normals, axis=1, keepdims=True)
            normals = np.where(lengths > 1e-9, normals / np.maximum(lengths, 1e-9), [0, 0, 1])
            attributes["NORMAL"] = self._glb.array(normals.astype(np.float32), target=VERTICES)
        if textured and shape.texcoords is not None:
            coordinates = shape.texcoords.astype(np.float32)
            attributes["TEXCOORD_0"] = self._glb.array(coordinates, target=VERTICES)
        small = np.uint16 if len(positions) < 65535 else np.uint32
        indices = self._glb.array(shape.triangles.astype(small).ravel(), target=INDICES)
        return {"attributes": attributes, "indices": indices}

    def _unit(self, name: str, look: Look | Rod) -> Shape:
        # What is straight needs corners in between only where faces of a cube meet.
        is_cube = look.mapping is not None and look.mapping.by == "xyz"
        few = {"quads": 1, "stacks": 1} if name == "tube" and not is_cube else {"quads": 1}
        key = name, *few
        if key not in self._shapes:
            self._shapes[key] = unit_shape(name, **few)
        return self._shapes[key]

    def _own(self, look: Look) -> Shape:
        key: Any = (look.kind, look.data)
        if look.kind == _KINDS.mjGEOM_PLANE:
            halves = [side if side > 0 else self._reach for side in look.size[:2].tolist()]
            key = (look.kind, *halves)
        if key not in self._shapes:
            if look.kind == _KINDS.mjGEOM_PLANE:
                shape = plane_shape(*(np.array([-half, half]) for half in halves))
            elif look.kind == _KINDS.mjGEOM_HFIELD:
                shape = height_field_shape(self._model, look.data).flattened()
            else:
                shape = mesh_shape(self._model, look.data)
            self._shapes[key] = shape
        return self._shapes[key]

    def mapped(self, shape: Shape, mapping: Mapping | None) -> Shape:
        """Give a shape the coordinates by which MuJoCo lays a texture on it."""
        if mapping is None:
            return shape
        if mapping.by == "uv":
            given = shape.texcoords
            return replace(shape, texcoords=None if given is None else given * mapping.scale)
        if mapping.by == "xy":
            coordinates = shape.positions[:, :2] * mapping.scale + mapping.shift
            return replace(shape, texcoords=coordinates)
        texture = self._texture(mapping.texture)
        if texture is None:
            return shape
        return _on_cube(shape, np.array(mapping.scale), is_one=texture.is_one)

    def _texture(self, number: int) -> "_Texture | None":
        """A texture of the model's; `None` if it is no picture."""
        if number not in self._textures:
            found = texture_of(self._model, number)
            if found is None:
                return None
            faces = found.pixels
            is_one = bool((faces == faces[:1]).all())
            picture = faces[0]
            if not is_one:
                rows = faces.reshape(_ROWS, _COLUMNS, *faces.shape[1:])
                picture = np.concatenate([np.concatenate(row, axis=1) for row in rows])
            is_clear = bool((picture[..., 3:] < 255).any())
            self._textures[number] = _Texture(self._glb.image(picture), is_clear, is_one)
        return self._textures[number]

    def _material(self, look: Look | Rod, texture: "_Texture | None", two_sided: bool) -> int:
        colour = linear(look.rgba[:3])
        # Highlights as wide as those of MuJoCo's exponent.
        roughness = (2 / (128 * look.shininess + 2)) ** 0.25
        surface: dict[str, Any] = {
            "baseColorFactor": [*colour.round(6).tolist(), round(min(look.rgba[3], 1.0), 6)],
            "metallicFactor": 0,
            "roughnessFactor": round(roughness, 6),
        }
        material: dict[str, Any] = {"pbrMetallicRoughness": surface}
        if texture is not None:
            surface["baseColorTexture"] = {"index": texture.number}
        if look.emission > 0:
            glow = linear(np.array(look.rgba[:3]) * look.emission)
            material["emissiveFactor"] = glow.round(6).tolist()
            if texture is not None:
                material["emissiveTexture"] = {"index": texture.number}
        if look.rgba[3] < 1 or (texture is not None and texture.is_clear):
            material["alphaMode"] = "BLEND"
        if two_sided:
            material["doubleSided"] = True
        if look.specular < 1:
            extension = "KHR_materials_specular"
            self._glb.use(extension)
            factor = round(max(look.specular, 0), 6)
            material["extensions"] = {extension: {"specularFactor": factor}}
        return self._glb.add("materials", material)


def _on_cube(shape: Shape, scale: np.ndarray, *, is_one: bool) -> Shape:
    """Give a shape coordinates in the picture of a cube's faces, each triangle on one of them.

    Args:
        shape: Any.
        scale: Of places, before they are directions.
        is_one: Whether the picture is a single face, that all have.
    """
    # Planes without end have no size.
    scale = np.where(scale > 0, scale, 1)
    shape = Shape(shape.positions * scale, shape.triangles, shape.normals)
    for seam in _SEAMS:
        shape = _cut(shape, seam)
    ways = shape.positions
    middles = ways[shape.triangles].mean(axis=1)
    axis = np.abs(middles).argmax(axis=1)
    rows = np.arange(len(axis))
    faces = 2 * axis + (middles[rows, axis] < 0)
    # A corner between two faces is one of each.
    keys = shape.triangles.astype(np.int64) * 6 + faces[:, None]
    unique, triangles = np.unique(keys, return_inverse=True)
    corners, face = unique // 6, unique % 6
    way = ways[corners]
    depth = np.maximum(np.abs(np.take_along_axis(way, face[:, None] // 2, 1)), 1e-9)
    st = np.stack([(way * _FACE_S[face]).sum(1), (way * _FACE_T[face]).sum(1)], axis=1)
    places = np.clip((st / depth + 1) / 2, 0, 1)
    if not is_one:
        # Not to the very rim, where a neighbour begins.
        inside = 0.002 + 0.996 * places
        cells = np.stack([face % _COLUMNS, face // _COLUMNS], axis=1)
        places = (cells + inside) / (_COLUMNS, _ROWS)
    normals = None if shape.normals is None else shape.normals[corners]
    triangles = triangles.reshape(-1, 3).astype(np.uint32)
    return Shape(way / scale, triangles, normals, places)


def _cut(shape: Shape, across: np.ndarray) -> Shape:
    """Cut triangles along a plane through the origin, given by a vector across it."""
    places, normals, triangles = shape.positions, shape.normals, shape.triangles.astype(np.int64)
    # Each time along one side of a triangle; of three sides two can cross the plane.
    for _ in range(2):
        sides = places @ across
        sides[np.abs(sides) < 1e-6 * np.abs(places).max()] = 0
        of_corner = sides[triangles]
        crosses = of_corner * np.roll(of_corner, -1, axis=1) < 0
        cut = np.flatnonzero(crosses.any(axis=1))
        turn = (crosses[cut].argmax(axis=1)[:, None] + np.arange(3)) % 3
        a, b, c = np.take_along_axis(triangles[cut], turn, axis=1).T
        # Two triangles share what is put between.
        pairs = np.sort(np.stack([a, b], axis=1), axis=1)
        pairs, which = np.unique(pairs, axis=0, return_inverse=True)
        new = len(places) + which.ravel()
        first, second = pairs.T
        share = (sides[first] / (sides[first] - sides[second]))[:, None]
        places = np.concatenate([places, places[first] * (1 - share) + places[second] * share])
        if normals is not None:
            between = normals[first] * (1 - share) + normals[second] * share
            normals = np.concatenate([normals, between])
        halves = [np.stack([a, new, c], axis=1), np.stack([new, b, c], axis=1)]
        triangles = np.concatenate([np.delete(triangles, cut, axis=0), *halves])
    return Shape(places, triangles, normals)


def _placed(shape: Shape, part: Part) -> Shape:
    scale = np.array(part.scale)
    normals = None if shape.normals is None else shape.normals / scale
    return replace(shape, positions=shape.positions * scale + [0, 0, part.height], normals=normals)


def _joined(shapes: list[Shape]) -> Shape:
    starts = np.cumsum([0, *(len(shape.positions) for shape in shapes[:-1])])

    def all_of(name: str) -> Any:
        arrays = [getattr(shape, name) for shape in shapes]
        return None if arrays[0] is None else np.concatenate(arrays)

    each = zip(shapes, starts, strict=True)
    triangles = np.concatenate([shape.triangles + np.uint32(start) for shape, start in each])
    return Shape(all_of("positions"), triangles, all_of("normals"), all_of("texcoords"))
