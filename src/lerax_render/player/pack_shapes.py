"""Triangles and images of a MuJoCo model, packed once each."""

from dataclasses import asdict, dataclass
from typing import Any

import mujoco
import numpy as np

from ..mujoco.parts import (
    Look,
    Mapping,
    Shape,
    Texture,
    halved,
    height_field_shape,
    mesh_shape,
    parts_of,
    plane_lines,
    plane_stride,
    texture_of,
    unit_shape,
)
from .blob import Blob

_PLANE, _HFIELD = mujoco.mjtGeom.mjGEOM_PLANE.value, mujoco.mjtGeom.mjGEOM_HFIELD.value
_CARRIED = (mujoco.mjtGeom.mjGEOM_MESH.value, mujoco.mjtGeom.mjGEOM_SDF.value)
# Bytes that a scene's images may take before they are deflated; they are halved until they do.
_MOST_BYTES = 3 << 20
_LEAST_SLICES, _LEAST_STACKS = 28, 16
# An endless plane has so many lines on each side of the camera, and then one in so many.
_FINE_LINES, _COARSE = 20, 8
# What is straight has so many times fewer rings than MuJoCo's, which is not seen.
_STRAIGHT = 4


def quantized(blob: Blob, places: np.ndarray, *, over_time: bool = True) -> dict[str, Any]:
    """Pack numbers as 16-bit steps between the least and the most of each column.

    Args:
        blob: Gets the arrays.
        places: `float (N, ...)`.
        over_time: As in `Blob.add`.

    Returns:
        References: `low` and `span`, `float32 (...)`, and `values`, `uint16 (N, ...)`.
    """
    low = places.min(axis=0, initial=np.inf).astype(np.float32)
    low[~np.isfinite(low)] = 0
    span = (places - low).max(axis=0, initial=0).astype(np.float32)
    steps = np.round((places - low) / np.where(span > 0, span, 1) * 65535)
    values = np.clip(steps, 0, 65535).astype(np.uint16)
    return {
        "low": blob.add(low),
        "span": blob.add(span),
        "values": blob.add(values, over_time=over_time),
    }


class Shapes:
    """The shapes that a scene needs; each is packed when it is asked for first.

    Attributes:
        packed: Their descriptions, by number.
    """

    def __init__(self, blob: Blob, model: mujoco.MjModel) -> None:
        self._blob, self._model = blob, model
        self._numbers: dict[Any, int] = {}
        self.packed: list[dict[str, Any]] = []

    def number(self, key: Any) -> int:
        """Return the number of a unit shape by its name, or of another by its kind and number."""
        if key not in self._numbers:
            self._numbers[key] = len(self.packed)
            self.packed.append(self._pack(key))
        return self._numbers[key]

    def parts(self, look: Look) -> list[dict[str, Any]]:
        """Return the shapes that something is drawn with: numbers, scales and heights."""
        own = {"scale": [1, 1, 1], "height": 0}
        if look.kind == _PLANE:
            return [{"shape": self.number((_PLANE, look.object[1])), **own}]
        if look.kind == _HFIELD or look.kind in _CARRIED:
            return [{"shape": self.number((look.kind, look.data)), **own}]
        scaled = self.scaled(look)
        return [
            {"shape": self.number(part.shape), **scale}
            for part, scale in zip(parts_of(look.kind, look.size), scaled, strict=True)
        ]

    @staticmethod
    def scaled(look: Look) -> list[dict[str, Any]]:
        """Return how unit shapes are scaled and moved; none where something has its own shape."""
        parts = parts_of(look.kind, look.size)
        return [
            {"scale": [round(side, 7) for side in part.scale], "height": round(part.height, 7)}
            for part in parts
        ]

    def strides(self, look: Look) -> list[float]:
        """Return by which half steps a plane follows the camera along its x and y; 0 where not."""
        size = self._model.geom_size[look.object[1]]
        return [
            plane_stride(self._model, look.object[1], axis) if size[axis] <= 0 else 0.0
            for axis in range(2)
        ]

    def _pack(self, key: Any) -> dict[str, Any]:
        if isinstance(key, tuple) and key[0] == _PLANE:
            lines = map(_thinned, plane_lines(self._model, key[1]))
            return {"lines": [self._blob.add(line.astype(np.float32)) for line in lines]}
        quality = self._model.vis.quality
        quads = max(1, int(quality.numquads))
        if isinstance(key, str):
            slices = max(_LEAST_SLICES, int(quality.numslices))
            stacks = max(_LEAST_STACKS, int(quality.numstacks))
            if key in ("tube", "lids"):
                stacks //= _STRAIGHT
            shape = unit_shape(key, slices, stacks, quads)
        elif key[0] == _HFIELD:
            shape = height_field_shape(self._model, key[1], quads)
        else:
            shape = mesh_shape(self._model, key[1])
        return self._packed(shape)

    def _packed(self, shape: Shape) -> dict[str, Any]:
        small = np.uint16 if len(shape.positions) <= 65536 else np.uint32
        normals = texcoords = None
        if shape.normals is not None:
            signed = np.round(shape.normals * 127).astype(np.int8)
            normals = self._blob.add(signed, over_time=True)
        if shape.texcoords is not None:
            texcoords = quantized(self._blob, shape.texcoords)
        places, copies = _distinct(shape.positions)
        return {
            "positions": quantized(self._blob, places),
            "copies": self._blob.add(copies),
            "normals": normals,
            "texcoords": texcoords,
            "triangles": self._blob.add(_sorted(shape.triangles).astype(small), over_time=True),
        }


def _distinct(positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return places in which neighbours differ, and how often each stands there, `uint8`."""
    begins = np.ones(len(positions), bool)
    begins[1:] = (positions[1:] != positions[:-1]).any(axis=1)
    # No more than a byte counts.
    begins[::255] = True
    starts = np.flatnonzero(begins)
    copies = np.diff(np.append(starts, len(positions)))
    return positions[starts], copies.astype(np.uint8)


def _sorted(triangles: np.ndarray) -> np.ndarray:
    """Return the same triangles so that neighbours are alike; which way they face stays."""
    turns = triangles.argmin(axis=1)[:, None] + np.arange(3)
    triangles = np.take_along_axis(triangles, turns % 3, axis=1)
    ordered: np.ndarray = triangles[np.lexsort(triangles.T[::-1])]
    return ordered


def _thinned(lines: np.ndarray) -> np.ndarray:
    """Leave out lines far from the middle, where the camera is, and light hardly changes."""
    numbers = np.arange(len(lines))
    kept = (abs(numbers - len(lines) // 2) <= _FINE_LINES) | (numbers % _COARSE == 0)
    kept[-1] = True
    thinned: np.ndarray = lines[kept]
    return thinned


@dataclass
class _Image:
    number: int
    texture: Texture


class Images:
    """The images that a scene needs, made smaller together where they would be large."""

    def __init__(self, blob: Blob, model: mujoco.MjModel) -> None:
        self._blob, self._model = blob, model
        self._images: list[_Image] = []

    def number(self, texture: int) -> int | None:
        """Return the number of a texture's image; `None` if it is none."""
        for number, image in enumerate(self._images):
            if image.number == texture:
                return number
        found = texture_of(self._model, texture) if texture >= 0 else None
        if found is None:
            return None
        self._images.append(_Image(texture, found))
        return len(self._images) - 1

    def add_cube(self, pixels: np.ndarray) -> int:
        """Add a cube of our own."""
        self._images.append(_Image(-1, Texture(pixels, True, False)))
        return len(self._images) - 1

    def mapping(self, mapping: Mapping | None) -> dict[str, Any] | None:
        """Return how a texture lies on a shape, with its image's number."""
        if mapping is None:
            return None
        number = self.number(mapping.texture)
        return None if number is None else {**asdict(mapping), "texture": number}

    def packed(self) -> dict[str, Any]:
        """Return the images' references, and the textures that they are of."""
        textures = [image.texture for image in self._images]
        while sum(texture.pixels.nbytes for texture in textures) > _MOST_BYTES:
            largest = max(range(len(textures)), key=lambda i: textures[i].pixels.nbytes)
            textures[largest] = halved(textures[largest])
        return {
            "numbers": [image.number for image in self._images],
            "images": [
                {
                    "isCube": texture.is_cube,
                    "isSrgb": texture.is_srgb,
                    # Row by row, neighbours are alike.
                    "pixels": self._blob.add(
                        np.ascontiguousarray(texture.pixels).reshape(-1, *texture.pixels.shape[2:]),
                        over_time=True,
                    ),
                }
                for texture in textures
            ],
        }
