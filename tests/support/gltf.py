"""What others read in a glTF file: Khronos' validator, and the specification by hand."""

import json
import shutil
import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from support.paths import ROOT

_MODULES = ROOT / ".tools/npm/node_modules"
_SCRIPT = """
const { validateBytes } = require("gltf-validator");
const { readFileSync } = require("fs");
(async () => {
  const found = [];
  for (const path of process.argv.slice(1)) {
    const { issues } = await validateBytes(new Uint8Array(readFileSync(path)));
    for (const { code, message, pointer, severity } of issues.messages) {
      if (severity < 2) found.push(`${path} ${pointer}: ${code}, ${message}`);
    }
  }
  console.log(JSON.stringify(found));
})();
"""
_DTYPES = {5121: np.uint8, 5123: np.uint16, 5125: np.uint32, 5126: np.float32}
_SHAPES = {"SCALAR": (), "VEC2": (2,), "VEC3": (3,), "VEC4": (4,), "MAT4": (4, 4)}


def complaints(paths: Sequence[Path]) -> list[str]:
    """List the errors and warnings that Khronos' validator has for some files."""
    if shutil.which("node") is None or not (_MODULES / "gltf-validator").exists():
        # Not `lacking`: it needs one registry more, and other readers are tried, too.
        pytest.skip("no gltf-validator: .ci/run installs it into .tools/npm")
    command = ["node", "-e", _SCRIPT, "--", *map(str, paths)]
    printed = subprocess.check_output(command, text=True, env={"NODE_PATH": str(_MODULES)})
    found: list[str] = json.loads(printed)
    return found


class Document:
    """A binary glTF file, read by the specification.

    Attributes:
        json: Its JSON.
        names: The numbers of its nodes, by name.
    """

    def __init__(self, content: bytes) -> None:
        magic, version, length = struct.unpack_from("<4sII", content)
        assert (magic, version, length) == (b"glTF", 2, len(content))
        size = struct.unpack_from("<I", content, 12)[0]
        self.json: dict[str, Any] = json.loads(content[20 : 20 + size])
        self._bytes = content[28 + size :]
        self.names = {node["name"]: i for i, node in enumerate(self.json["nodes"])}

    def array(self, number: int) -> np.ndarray:
        """Read an accessor."""
        accessor = self.json["accessors"][number]
        shape = (accessor["count"], *_SHAPES[accessor["type"]])
        start = self.json["bufferViews"][accessor["bufferView"]]["byteOffset"]
        dtype = _DTYPES[accessor["componentType"]]
        return np.frombuffer(self._bytes, dtype, int(np.prod(shape)), start).reshape(shape)

    def view(self, number: int) -> bytes:
        """Read a buffer view."""
        view = self.json["bufferViews"][number]
        return self._bytes[view["byteOffset"] :][: view["byteLength"]]

    def matrices(self, time: float | None = None) -> np.ndarray:
        """Compute where all nodes are at a time of the animation, or at rest, `(N, 4, 4)`."""
        nodes = [dict(node) for node in self.json["nodes"]]
        if time is not None:
            animation = self.json["animations"][0]
            for channel in animation["channels"]:
                sampler = animation["samplers"][channel["sampler"]]
                times, values = self.array(sampler["input"]), self.array(sampler["output"])
                target = channel["target"]
                between = [np.interp(time, times, column) for column in values.T]
                nodes[target["node"]][target["path"]] = between
        matrices = np.zeros((len(nodes), 4, 4))

        def put(number: int, parent: np.ndarray) -> None:
            matrices[number] = parent @ _matrix(nodes[number])
            for child in nodes[number].get("children", ()):
                put(child, matrices[number])

        for number in self.json["scenes"][0]["nodes"]:
            put(number, np.eye(4))
        return matrices


def _matrix(node: dict[str, Any]) -> np.ndarray:
    x, y, z, w = np.array(node.get("rotation", (0, 0, 0, 1))) / np.linalg.norm(
        node.get("rotation", (0, 0, 0, 1))
    )
    matrix = np.eye(4)
    matrix[:3, :3] = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    matrix[:3, :3] *= node.get("scale", (1, 1, 1))
    matrix[:3, 3] = node.get("translation", (0, 0, 0))
    return matrix
