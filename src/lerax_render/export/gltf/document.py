"""A glTF 2.0 document while it grows, and as one binary file."""

import hashlib
import json
import struct
from collections.abc import Callable
from typing import Any

import numpy as np

from ..._version import __version__
from ...video import png_of

_COMPONENTS = {"u1": 5121, "u2": 5123, "u4": 5125, "f4": 5126}
_TYPES = {(): "SCALAR", (2,): "VEC2", (3,): "VEC3", (4,): "VEC4", (4, 4): "MAT4"}
VERTICES, INDICES = 34962, 34963
"""What a GPU uses an array for."""


class Glb:
    """Collects nodes, meshes and so on as the JSON that glTF specifies, and arrays beside it.

    What is added twice is there once, but for nodes.
    """

    def __init__(self) -> None:
        self._json: dict[str, Any] = {
            "asset": {"version": "2.0", "generator": f"lerax-render {__version__}"},
            "scene": 0,
            "scenes": [{"nodes": []}],
        }
        self._chunks: list[bytes] = []
        self._size = 0
        self._numbers: dict[Any, int] = {}

    def add(self, collection: str, item: dict[str, Any]) -> int:
        """Return the number of an item of `materials`, `meshes` and so on, which is added once."""
        return self._once(
            (collection, json.dumps(item, sort_keys=True)), lambda: self._append(collection, item)
        )

    def node(self, parent: int | None, name: str, **fields: Any) -> int:
        """Add a node.

        Args:
            parent: Another node's number, or `None` for one that stands by itself.
            name: What people see.
            fields: As in glTF.

        Returns:
            Its number.
        """
        number = self._append("nodes", {"name": name, **fields})
        if parent is None:
            self._json["scenes"][0]["nodes"].append(number)
        else:
            self._json["nodes"][parent].setdefault("children", []).append(number)
        return number

    def set_node(self, number: int, **fields: Any) -> None:
        """Set further fields of a node."""
        self._json["nodes"][number].update(fields)

    def animate(self, node: int, path: str, times: np.ndarray, values: np.ndarray) -> None:
        """Have a property of a node change in the document's only animation.

        Args:
            node: Its number.
            path: `"translation"`, `"rotation"` or `"scale"`.
            times: Seconds, increasing, `float32 (K,)`.
            values: `float32 (K, 3)`, or quaternions x, y, z, w, `(K, 4)`.
        """
        if "animations" not in self._json:
            self._append("animations", {"name": "clip", "samplers": [], "channels": []})
        animation = self._json["animations"][0]
        sampler = {
            "input": self.array(times, bounds=True),
            "output": self.array(values),
            "interpolation": "LINEAR",
        }
        if sampler not in animation["samplers"]:
            animation["samplers"].append(sampler)
        number = animation["samplers"].index(sampler)
        animation["channels"].append({"sampler": number, "target": {"node": node, "path": path}})

    def array(self, values: np.ndarray, *, target: int | None = None, bounds: bool = False) -> int:
        """Return the number of an accessor.

        Args:
            values: Rows of 1 to 4 numbers or of matrices, in a type that glTF has.
            target: `VERTICES`, `INDICES` or nothing of both.
            bounds: Whether its least and its most are written beside it.
        """
        values = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
        content = values.tobytes()
        view = {} if target is None else {"target": target}
        accessor: dict[str, Any] = {
            "bufferView": self._view(content, **view),
            "componentType": _COMPONENTS[values.dtype.str[1:]],
            "count": len(values),
            "type": _TYPES[values.shape[1:]],
        }
        if bounds:
            rows = values.reshape(len(values), -1)
            accessor.update(min=rows.min(axis=0).tolist(), max=rows.max(axis=0).tolist())
        return self.add("accessors", accessor)

    def image(self, pixels: np.ndarray) -> int:
        """Return the number of a texture, that repeats, of an image, `uint8 (H, W, 3 or 4)`."""
        view = self._view(png_of(pixels))
        source = self.add("images", {"bufferView": view, "mimeType": "image/png"})
        sampler = self.add("samplers", {"magFilter": 9729, "minFilter": 9987})
        return self.add("textures", {"source": source, "sampler": sampler})

    def extend(self, extension: str, collection: str, item: dict[str, Any]) -> int:
        """Return the number of an item of an extension."""
        self.use(extension)
        items = self._json.setdefault("extensions", {}).setdefault(extension, {collection: []})
        items[collection].append(item)
        return len(items[collection]) - 1

    def use(self, extension: str) -> None:
        """Say that an extension is used, without which the file makes sense as well."""
        used = self._json.setdefault("extensionsUsed", [])
        if extension not in used:
            used.append(extension)

    def to_bytes(self) -> bytes:
        """Return the file."""
        self._json["buffers"] = [{"byteLength": self._size}]
        text = json.dumps(self._json, separators=(",", ":"), allow_nan=False).encode()
        text += b" " * (-len(text) % 4)
        length = 12 + 8 + len(text) + 8 + self._size
        return b"".join(
            [
                struct.pack("<4sII", b"glTF", 2, length),
                struct.pack("<I4s", len(text), b"JSON"),
                text,
                struct.pack("<I4s", self._size, b"BIN\0"),
                *self._chunks,
            ]
        )

    def _append(self, collection: str, item: dict[str, Any]) -> int:
        items = self._json.setdefault(collection, [])
        items.append(item)
        return len(items) - 1

    def _once(self, key: Any, make: Callable[[], int]) -> int:
        if key not in self._numbers:
            self._numbers[key] = make()
        return self._numbers[key]

    def _view(self, content: bytes, **fields: Any) -> int:
        def store() -> int:
            view = {"buffer": 0, "byteOffset": self._size, "byteLength": len(content), **fields}
            padded = content + b"\0" * (-len(content) % 4)
            self._chunks.append(padded)
            self._size += len(padded)
            return self._append("bufferViews", view)

        return self._once((hashlib.sha256(content).digest(), *fields.items()), store)
