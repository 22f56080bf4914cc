"""Skins and flexes of a MuJoCo model, packed: what their corners follow."""

from typing import Any

import mujoco
import numpy as np

from .blob import Blob
from .pack_frames import Frames, rounded


def packed_skin(blob: Blob, model: mujoco.MjModel, frames: Frames, skin: int) -> dict[str, Any]:
    """Return a skin: its corners at rest, and the bones that they follow."""
    start, count = int(model.skin_vertadr[skin]), int(model.skin_vertnum[skin])
    faces = model.skin_face[model.skin_faceadr[skin] :][: model.skin_facenum[skin]]
    first, bones = int(model.skin_boneadr[skin]), int(model.skin_bonenum[skin])
    packed = []
    for bone in range(first, first + bones):
        own = slice(model.skin_bonevertadr[bone], None)
        number = int(model.skin_bonevertnum[bone])
        packed.append(
            {
                "frame": frames.of_body(int(model.skin_bonebodyid[bone])),
                "at": rounded(model.skin_bonebindpos[bone]),
                "turn": rounded(model.skin_bonebindquat[bone]),
                "corners": blob.add(model.skin_bonevertid[own][:number].astype(np.uint32)),
                "weights": blob.add(model.skin_bonevertweight[own][:number].astype(np.float32)),
            }
        )
    texcoords = int(model.skin_texcoordadr[skin])
    has_coordinates = texcoords >= 0
    return {
        "positions": blob.add(model.skin_vert[start : start + count].astype(np.float32)),
        "triangles": blob.add(faces.astype(np.uint32), over_time=True),
        "texcoords": blob.add(model.skin_texcoord[texcoords : texcoords + count].astype(np.float32))
        if has_coordinates
        else None,
        "bones": packed,
        "inflate": float(model.skin_inflate[skin]),
    }


def packed_flex(blob: Blob, model: mujoco.MjModel, flex: int) -> dict[str, Any]:
    """Return a flex: its elements, and those of its shell or rim."""
    dimension = int(model.flex_dim[flex])
    start = int(model.flex_elemdataadr[flex])
    elements = model.flex_elem[start : start + model.flex_elemnum[flex] * (dimension + 1)]
    # Of an element's corners, or of those of the shell of a solid.
    shell = np.zeros((0, max(dimension, 1)), np.uint32)
    if dimension > 1:
        first = int(model.flex_shelldataadr[flex])
        shell = model.flex_shell[first : first + model.flex_shellnum[flex] * dimension]
        shell = shell.reshape(-1, dimension).astype(np.uint32)
    texcoords = int(model.flex_texcoordadr[flex])
    count = int(model.flex_vertnum[flex])
    return {
        "start": int(model.flex_vertadr[flex]),
        "count": count,
        "dimension": dimension,
        "radius": float(model.flex_radius[flex]),
        "isFlat": bool(model.flex_flatskin[flex]),
        "elements": blob.add(elements.reshape(-1, dimension + 1).astype(np.uint32), over_time=True),
        "shell": blob.add(shell, over_time=True),
        "texcoords": blob.add(model.flex_texcoord[texcoords : texcoords + count].astype(np.float32))
        if texcoords >= 0
        else None,
    }
