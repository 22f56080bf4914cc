"""Replays' files for tests, taken apart and put together again, with checksums that fit."""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np

MODEL = """
<mujoco>
  <worldbody>
    <light pos="0 0 3"/>
    <geom type="plane" size="2 2 .1" rgba=".4 .5 .4 1"/>
    <body name="box" pos="0 0 .5">
      <freejoint/>
      <geom type="box" size=".1 .1 .1" rgba=".9 .2 .1 1"/>
    </body>
    <body pos=".5 0 .6">
      <joint name="hinge" axis="0 1 0"/>
      <geom type="capsule" size=".04" fromto="0 0 0 .3 0 0"/>
    </body>
    <site name="goal" pos="-.3 0 .3" rgba="0 1 0 1"/>
    <camera name="side" pos="0 -2 .6" xyaxes="1 0 0 0 0 1"/>
  </worldbody>
  <actuator><motor joint="hinge" ctrlrange="-1 1"/></actuator>
</mujoco>
"""


def parts_of(content: bytes) -> dict[str, bytes]:
    """Return what is in a zip, by name."""
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        return {name: file.read(name) for name in file.namelist()}


def meta_of(content: bytes) -> dict[str, Any]:
    """Return what `meta.json` says."""
    said: dict[str, Any] = json.loads(parts_of(content)["meta.json"])
    return said


def put_together(
    parts: Mapping[str, bytes], meta: Mapping[str, Any] | None = None, sums: bool = True
) -> bytes:
    """Return a file of these parts, whose checksums are theirs."""
    said = dict(json.loads(parts["meta.json"]) if meta is None else meta)
    if sums:
        said["sha256"] = {
            name: hashlib.sha256(part).hexdigest()
            for name, part in parts.items()
            if name != "meta.json"
        }
        if "scene.mjb" in parts and "sha256" in said["scene"]:
            said["scene"] = {**said["scene"], "sha256": said["sha256"]["scene.mjb"]}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, part in parts.items():
            zipped.writestr(name, json.dumps(said) if name == "meta.json" else part)
    return file.getvalue()


def npy(array: np.ndarray) -> bytes:
    """Return an array as NumPy writes it."""
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


def planes(array: np.ndarray) -> np.ndarray:
    """Return the bytes of a `float32` array as docs/replay-format.md has them."""
    array = np.ascontiguousarray(array, "<f4")
    return np.ascontiguousarray(array.view(np.uint8).reshape(*array.shape, 4).T)


def unpacked(planes: np.ndarray) -> np.ndarray:
    """Return the array again, by the line in docs/replay-format.md."""
    array: np.ndarray = planes.T.copy().view("<f4")[..., 0]
    return array
