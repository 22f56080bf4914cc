"""What bends, skins and flexes, as glTF's skins: corners that follow bodies."""

from typing import Any, NamedTuple

import mujoco
import numpy as np

from ...mujoco.parts import Look, Shape
from .document import VERTICES, Glb
from .surfaces import Surfaces, name_of

# Of a corner; glTF's readers need not know more.
_MOST = 4


class _Bound(NamedTuple):
    """A shape whose corners follow bodies.

    Attributes:
        shape: At rest, in the world's frame.
        bodies: That it follows, `(J,)`.
        frames: Where they are at rest, `(J, 4, 4)`.
        weights: How far each corner follows each, `(V, J)`.
    """

    shape: Shape
    bodies: np.ndarray
    frames: np.ndarray
    weights: np.ndarray


def add_bending(
    glb: Glb,
    surfaces: Surfaces,
    model: mujoco.MjModel,
    data: mujoco.MjData,
    look: Look,
    bodies: list[int],
) -> bool:
    """Add a skin or a flex.

    Args:
        glb: Gets it.
        surfaces: Makes its mesh.
        model: The model.
        data: The state at rest.
        look: How it looks.
        bodies: The nodes of the model's bodies.

    Returns:
        Whether glTF can do that.
    """
    kind, number = mujoco.mjtObj(look.object[0]), look.object[1]
    is_skin = kind == mujoco.mjtObj.mjOBJ_SKIN
    bound = _skin(model, number) if is_skin else _flex(model, data, number)
    if bound is None:
        return False
    count = min(_MOST, bound.weights.shape[1])
    strongest = np.argsort(-bound.weights, axis=1, kind="stable")[:, :count]
    joints = np.zeros((len(strongest), _MOST), np.uint16)
    weights = np.zeros((len(strongest), _MOST), np.float32)
    weights[:, :count] = np.take_along_axis(bound.weights, strongest, axis=1)
    joints[:, :count] = np.where(weights[:, :count] > 0, strongest, 0)
    weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)
    attributes = {
        "JOINTS_0": glb.array(joints, target=VERTICES),
        "WEIGHTS_0": glb.array(weights, target=VERTICES),
    }
    shape = surfaces.mapped(bound.shape, look.mapping)
    mesh = surfaces.given(look, shape, attributes, two_sided=not is_skin)
    # A matrix is written column by column.
    back = np.linalg.inv(bound.frames).swapaxes(1, 2).astype(np.float32)
    back[:, :3, 3], back[:, 3, 3] = 0, 1
    skin = {
        "joints": [bodies[body] for body in bound.bodies.tolist()],
        "inverseBindMatrices": glb.array(back),
    }
    # It stands by itself, since it goes where its bodies are, whatever it is a part of.
    glb.node(None, name_of(model, kind, number), mesh=mesh, skin=glb.add("skins", skin))
    return True


def _skin(model: mujoco.MjModel, skin: int) -> _Bound:
    start, count = int(model.skin_vertadr[skin]), int(model.skin_vertnum[skin])
    first, bones = int(model.skin_boneadr[skin]), int(model.skin_bonenum[skin])
    frames, weights = np.zeros((bones, 4, 4)), np.zeros((count, bones))
    for i, bone in enumerate(range(first, first + bones)):
        frames[i] = _frame(model.skin_bonebindpos[bone], model.skin_bonebindquat[bone])
        own = slice(model.skin_bonevertadr[bone], None)
        number = int(model.skin_bonevertnum[bone])
        corners = model.skin_bonevertid[own][:number]
        weights[corners, i] = model.skin_bonevertweight[own][:number]
    faces = model.skin_face[model.skin_faceadr[skin] :][: model.skin_facenum[skin]]
    places = model.skin_vert[start : start + count]
    normals = _normals(places, faces)
    texcoords, where = None, int(model.skin_texcoordadr[skin])
    if where >= 0:
        texcoords = model.skin_texcoord[where : where + count]
    shape = Shape(
        places + model.skin_inflate[skin] * normals, faces.astype(np.uint32), normals, texcoords
    )
    return _Bound(shape, model.skin_bonebodyid[first : first + bones], frames, weights)


def _flex(model: mujoco.MjModel, data: mujoco.MjData, flex: int) -> _Bound | None:
    dimension = int(model.flex_dim[flex])
    if dimension == 1 or model.flex_interp[flex]:
        return None
    start, count = int(model.flex_vertadr[flex]), int(model.flex_vertnum[flex])
    if dimension == 2:
        first = int(model.flex_elemdataadr[flex])
        faces = model.flex_elem[first : first + 3 * model.flex_elemnum[flex]]
    else:
        first = int(model.flex_shelldataadr[flex])
        faces = model.flex_shell[first : first + 3 * model.flex_shellnum[flex]]
    owners = model.flex_vertbodyid[start : start + count]
    used, rank = np.unique(owners, return_inverse=True)
    weights = np.zeros((count, len(used)))
    weights[np.arange(count), rank] = 1
    frames = np.array([_frame(data.xpos[body], data.xquat[body]) for body in used])
    texcoords, where = None, int(model.flex_texcoordadr[flex])
    if where >= 0 and (model.flex_elemtexcoord[first // 3 :] >= 0).all():
        texcoords = model.flex_texcoord[where : where + count]
    # Without normals, which would not follow, readers make flat ones of each triangle.
    places = data.flexvert_xpos[start : start + count]
    shape = Shape(places, faces.reshape(-1, 3).astype(np.uint32), None, texcoords)
    return _Bound(shape, used, frames, weights)


def _frame(position: Any, quaternion: Any) -> np.ndarray:
    frame, axes = np.eye(4), np.zeros(9)
    mujoco.mju_quat2Mat(axes, np.asarray(quaternion, float))
    frame[:3, :3], frame[:3, 3] = axes.reshape(3, 3), position
    return frame


def _normals(places: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Normals of corners, as means of those of their triangles."""
    corners = places[faces].astype(float)
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = np.zeros(places.shape)
    np.add.at(normals, faces.ravel(), np.repeat(across, 3, axis=0))
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    normals /= np.maximum(lengths, 1e-12)
    return normals
