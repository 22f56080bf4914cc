"""A MuJoCo scene and what happened in it, packed for `mujoco_stage.js` to draw.

What MuJoCo draws is asked of MuJoCo, and described once for a scene. Of each step there is where
the frames are that things are fixed in: bodies, and cameras and lights that move by themselves.
"""

import copy
import hashlib
import itertools
from dataclasses import asdict
from typing import Any

import mujoco
import numpy as np

from ..mujoco import (
    FROM_CAMERA,
    GLOW,
    GROUND,
    Backdrop,
    MujocoScene,
    Pose,
    PoseLoader,
    ground_geoms,
    is_directional,
    poses,
)
from ..mujoco.aim import CameraRig, View
from ..mujoco.parts import Look, Trajectory, looks_of, trace
from ..settings import Picture
from .blob import Blob
from .pack_shapes import Images, Shapes, quantized

_GEOM, _BODY = mujoco.mjtObj.mjOBJ_GEOM.value, mujoco.mjtObj.mjOBJ_BODY.value
_PLANE, _HFIELD = mujoco.mjtGeom.mjGEOM_PLANE.value, mujoco.mjtGeom.mjGEOM_HFIELD.value
_FLEX, _SKIN = mujoco.mjtGeom.mjGEOM_FLEX.value, mujoco.mjtGeom.mjGEOM_SKIN.value
_RGB = mujoco.mjtTextureRole.mjTEXROLE_RGB.value
_FIXED = mujoco.mjtCamLight.mjCAMLIGHT_FIXED.value
# What fixed-function GL, in which MuJoCo draws, has lights for.
_MOST_LIGHTS = 8
_DIGITS = 6


def identity(scene: MujocoScene) -> Any:
    """Return what is the same for models of which one is enough."""
    model = np.empty(mujoco.mj_sizeModel(scene.model), np.uint8)
    mujoco.mj_saveModel(scene.model, None, model)
    return hashlib.sha256(model).digest()


def pack_scene(blob: Blob, scene: MujocoScene, picture: Picture) -> dict[str, Any]:
    """Pack what stays the same in a model's replays.

    Args:
        blob: Gets the arrays.
        scene: The model.
        picture: Its background is what the model is shown against.

    Returns:
        A description that is JSON, of `kind` `"mujoco"`.
    """
    model, data, backdrop = _opened(scene.model, picture)
    images, shapes = Images(blob, model), Shapes(blob, model)
    for material in model.tendon_matid[model.tendon_matid >= 0]:
        images.number(int(model.mat_texid[material, _RGB]))
    sky = backdrop.sky()
    skies = np.flatnonzero(model.tex_type == mujoco.mjtTexture.mjTEXTURE_SKYBOX)
    if sky is None and len(skies):
        sky_image = images.number(int(skies[0]))
    else:
        sky_image = None if sky is None else images.add_cube(sky)
    frames = _Frames(model)
    vis, extent = model.vis, float(model.stat.extent)
    packed: dict[str, Any] = {
        "kind": "mujoco",
        "looks": _looks(model, data, frames, shapes, images),
        "lights": _lights(model, data, backdrop, frames),
        "cameras": _cameras(model, frames),
        "bodies": frames.names,
        "sky": sky_image,
        "haze": {
            "colour": _rounded(vis.rgba.haze[:3]),
            "size": float(vis.map.haze),
            "slices": max(28, int(vis.quality.numslices)),
        },
        "near": float(vis.map.znear * extent),
        "far": float(vis.map.zfar * extent),
        "shadow": {"clip": float(vis.map.shadowclip * extent), "scale": float(vis.map.shadowscale)},
        "centre": _rounded(model.stat.center),
        "extent": extent,
        "ground": None,
    }
    if backdrop.has_ground:
        packed["ground"] = {
            "shape": shapes.number("plane"),
            "colour": _rounded(GROUND),
            "glow": GLOW,
            "fromCamera": FROM_CAMERA if backdrop.has_light else 0.0,
        }
    packed["units"] = {name: shapes.number(name) for name in ("tube", "lids", "dome", "bowl")}
    packed["skins"] = [_skin(blob, model, frames, skin) for skin in range(model.nskin)]
    packed["flexes"] = [_flex(blob, model, flex) for flex in range(model.nflex)]
    packed["images"], packed["shapes"] = images.packed(), shapes.packed
    return packed


def pack_lane(
    blob: Blob,
    scene: MujocoScene,
    packed_scene: dict[str, Any],
    captured: Pose,
    picture: Picture,
    view: View | None = None,
) -> dict[str, Any]:
    """Pack where everything was in one replay.

    Args:
        blob: Gets the arrays.
        scene: The model.
        packed_scene: What `pack_scene` has made of it.
        captured: A stacked `Pose`.
        picture: Its camera is what the page opens with, and its size says how wide that sees.
        view: What `Scene.aimed` gave, where the camera is chosen by what happens.

    Returns:
        A description that is JSON, for a lane of that scene.
    """
    model, _, backdrop = _opened(scene.model, picture)
    width, height = picture.size
    groups = mujoco.MjvOption().geomgroup
    rig = CameraRig(model, picture.camera if view is None else view, width / height, groups)
    if view is not None:
        backdrop.lowest = view.lowest
    eyes, grounds = _Eyes(), []

    def watch(changed: mujoco.MjModel, data: mujoco.MjData) -> None:
        eyes.note(changed, data, rig)
        if backdrop.has_ground:
            grounds.append(backdrop.ground_height(data))

    found = trace(model, captured, watch)
    frames = _Frames(model)
    places, turns = frames.traced(found)
    lane: dict[str, Any] = {
        "places": quantized(blob, places),
        "turns": blob.add(_turns(turns), over_time=True),
        "eye": eyes.packed(blob, model),
        "changes": _changes(model, captured, frames, packed_scene),
    }
    if found.rods:
        images = {number: i for i, number in enumerate(packed_scene["images"]["numbers"])}
        lane["rods"] = [_rod_look(rod, images) for rod in found.rods]
        lane["rodEnds"] = quantized(blob, found.rod_ends.reshape(len(places), -1, 3))
    if model.nflexvert:
        lane["flexes"] = quantized(blob, found.flex_vertices)
    if grounds:
        lane["ground"] = blob.add(np.array(grounds, np.float32), over_time=True)
    return lane


def _opened(
    model: mujoco.MjModel, picture: Picture
) -> tuple[mujoco.MjModel, mujoco.MjData, Backdrop]:
    """A copy of the model as it is drawn, its first state, and what it is shown against."""
    model, options = copy.copy(model), mujoco.MjvOption()
    data = PoseLoader(model, options).data
    backdrop = Backdrop(model, picture.background, options.geomgroup)
    backdrop.lowest = backdrop.lowest_of(data)
    backdrop.prepare(model)
    return model, data, backdrop


class _Frames:
    """What moves: bodies that something is fixed to, and cameras and lights with their own ways.

    The first is the world.
    """

    def __init__(self, model: mujoco.MjModel) -> None:
        self._model = model
        used = {0, *model.geom_bodyid.tolist(), *model.site_bodyid.tolist()}
        used |= {*model.cam_bodyid.tolist(), *model.light_bodyid.tolist()}
        used |= set(model.skin_bonebodyid.tolist())
        self._bodies = sorted(used)
        self._cameras = np.flatnonzero(model.cam_mode != _FIXED).tolist()
        self._lights = np.flatnonzero(model.light_mode != _FIXED).tolist()
        self.names = [_name(model, _BODY, body) for body in self._bodies]

    def of_body(self, body: int) -> int:
        return self._bodies.index(body)

    def of_camera(self, camera: int) -> int | None:
        """The frame that a camera is, or `None` where it is fixed to a body."""
        if camera not in self._cameras:
            return None
        return len(self._bodies) + self._cameras.index(camera)

    def of_light(self, light: int) -> int | None:
        """The frame whose z axis is a light's direction, or `None` as above."""
        if light not in self._lights:
            return None
        return len(self._bodies) + len(self._cameras) + self._lights.index(light)

    def traced(self, found: Trajectory) -> tuple[np.ndarray, np.ndarray]:
        """Places, `(T, F, 3)`, and quaternions, `(T, F, 4)`, of all frames."""
        places = [
            found.positions[:, self._bodies],
            found.camera_positions[:, self._cameras],
            found.light_positions[:, self._lights],
        ]
        cameras = np.zeros((len(found.positions), len(self._cameras), 4), np.float32)
        lights = np.zeros((len(found.positions), len(self._lights), 4), np.float32)
        quaternion = np.zeros(4)
        for step in range(len(cameras)):
            for i, camera in enumerate(self._cameras):
                matrix = found.camera_axes[step, camera].ravel()
                mujoco.mju_mat2Quat(quaternion, matrix.astype(float))
                cameras[step, i] = quaternion
            for i, light in enumerate(self._lights):
                mujoco.mju_quatZ2Vec(quaternion, found.light_directions[step, light].astype(float))
                lights[step, i] = quaternion
        turns = [found.orientations[:, self._bodies], cameras, lights]
        return np.concatenate(places, axis=1), np.concatenate(turns, axis=1)


def _turns(quaternions: np.ndarray) -> np.ndarray:
    """Quaternions as `int16`, with signs by which neighbours in time are alike."""
    flips = (quaternions[1:] * quaternions[:-1]).sum(axis=-1, keepdims=True) < 0
    signs = np.where(np.cumsum(flips, axis=0) % 2, -1, 1)
    quaternions = np.concatenate([quaternions[:1], quaternions[1:] * signs])
    rounded: np.ndarray = np.round(quaternions * 32767).astype(np.int16)
    return rounded


class _Eyes:
    """The clip's own camera at each step."""

    def __init__(self) -> None:
        self._rows: list[np.ndarray] = []
        self._scene: mujoco.MjvScene | None = None
        self._distance = 0.0

    def note(self, model: mujoco.MjModel, data: mujoco.MjData, rig: CameraRig) -> None:
        if self._scene is None:
            self._scene = mujoco.MjvScene(model, maxgeom=1)
        camera = rig.at(data)
        mujoco.mjv_updateCamera(model, data, camera, self._scene)
        left, right = self._scene.camera
        self._rows.append(np.concatenate([(left.pos + right.pos) / 2, left.forward, left.up]))
        is_free = camera.type != mujoco.mjtCamera.mjCAMERA_FIXED
        self._distance = float(camera.distance) if is_free else 0.0

    def packed(self, blob: Blob, model: mujoco.MjModel) -> dict[str, Any]:
        assert self._scene is not None
        eye, forward = self._rows[0][:3], self._rows[0][3:6]
        ahead = float((model.stat.center - eye) @ forward)
        return {
            "path": blob.add(np.array(self._rows, np.float32), over_time=True),
            "distance": self._distance or max(ahead, 0.2 * float(model.stat.extent)),
            **_frustum(self._scene),
        }


def _frustum(scene: mujoco.MjvScene) -> dict[str, Any]:
    """The rims of the picture: tangents, or metres where rays are parallel."""
    camera = scene.camera[0]
    scale = 1.0 if camera.orthographic else 1 / camera.frustum_near
    rims = (camera.frustum_bottom, camera.frustum_top, camera.frustum_center, camera.frustum_width)
    return {"rims": _rounded(np.array(rims) * scale), "parallel": bool(camera.orthographic)}


def _cameras(model: mujoco.MjModel, frames: _Frames) -> list[dict[str, Any]]:
    data, scene = mujoco.MjData(model), mujoco.MjvScene(model, maxgeom=1)
    mujoco.mj_kinematics(model, data)
    mujoco.mj_comPos(model, data)
    mujoco.mj_camlight(model, data)
    camera = mujoco.MjvCamera()
    camera.type = mujoco.mjtCamera.mjCAMERA_FIXED.value
    packed = []
    for number in range(model.ncam):
        camera.fixedcamid = number
        mujoco.mjv_updateCamera(model, data, camera, scene)
        own = frames.of_camera(number)
        packed.append(
            {
                "name": _name(model, mujoco.mjtObj.mjOBJ_CAMERA.value, number),
                "frame": frames.of_body(int(model.cam_bodyid[number])) if own is None else own,
                "at": _rounded(model.cam_pos[number]) if own is None else [0, 0, 0],
                "turn": _rounded(model.cam_quat[number]) if own is None else [1, 0, 0, 0],
                **_frustum(scene),
            }
        )
    return packed


def _lights(
    model: mujoco.MjModel, data: mujoco.MjData, backdrop: Backdrop, frames: _Frames
) -> list[dict[str, Any]]:
    scene = mujoco.MjvScene(model, maxgeom=model.ngeom + model.nsite + 1000)
    camera, every = mujoco.MjvCamera(), mujoco.mjtCatBit.mjCAT_ALL.value
    mujoco.mjv_updateScene(model, data, mujoco.MjvOption(), None, camera, every, scene)
    numbers = iter(np.flatnonzero(model.light_active).tolist())
    backdrop.dress(scene, data)
    packed = []
    for light in scene.lights[: min(scene.nlight, _MOST_LIGHTS)]:
        look = {
            "headlight": bool(light.headlight),
            "directional": is_directional(light),
            "casts": bool(light.castshadow),
            "ambient": _rounded(light.ambient),
            "diffuse": _rounded(light.diffuse),
            "specular": _rounded(light.specular),
            "attenuation": _rounded(light.attenuation),
            "cutoff": float(light.cutoff),
            "exponent": float(light.exponent),
            "frame": 0,
            "at": _rounded(light.pos),
            "direction": _rounded(light.dir),
        }
        number = None if light.headlight else next(numbers, None)
        if number is not None:
            own = frames.of_light(number)
            if own is None:
                look["frame"] = frames.of_body(int(model.light_bodyid[number]))
                look["at"] = _rounded(model.light_pos[number])
                look["direction"] = _rounded(model.light_dir[number])
            else:
                look.update(frame=own, at=[0, 0, 0], direction=[0, 0, 1])
        packed.append(look)
    return packed


def _looks(
    model: mujoco.MjModel,
    data: mujoco.MjData,
    frames: _Frames,
    shapes: Shapes,
    images: Images,
) -> list[dict[str, Any]]:
    ground = ground_geoms(model, data)
    return [
        {
            "object": look.object,
            **_placed(look, frames),
            "group": look.group,
            "casts": not look.is_mark and not (look.object[0] == _GEOM and ground[look.object[1]]),
            "parts": shapes.parts(look),
            "plane": shapes.strides(look) if look.kind == _PLANE else None,
            "isBox": look.kind == mujoco.mjtGeom.mjGEOM_BOX,
            "surface": {_FLEX: "flex", _SKIN: "skin"}.get(look.kind),
            "mapping": images.mapping(look.mapping),
            **_paint(look),
        }
        for look in looks_of(model, data)
    ]


def _placed(look: Look, frames: _Frames) -> dict[str, Any]:
    quaternion = np.zeros(4)
    mujoco.mju_mat2Quat(quaternion, look.matrix.ravel())
    return {
        "frame": frames.of_body(look.body),
        "at": _rounded(look.position),
        "turn": _rounded(quaternion),
        "radius": round(look.radius, _DIGITS),
        "top": float(look.size[2]),
    }


def _paint(look: Any) -> dict[str, Any]:
    """The colours of a `Look` or a `Rod`."""
    names = ("rgba", "emission", "specular", "shininess", "reflectance")
    return {name: _rounded(np.array(getattr(look, name, 0.0))) for name in names}


def _rod_look(rod: Any, images: dict[int, int]) -> dict[str, Any]:
    mapping = None
    if rod.mapping is not None and rod.mapping.texture in images:
        mapping = {**asdict(rod.mapping), "texture": images[rod.mapping.texture]}
    return {
        "object": rod.owner,
        "isLine": rod.kind == mujoco.mjtGeom.mjGEOM_LINE,
        "hasCaps": rod.kind == mujoco.mjtGeom.mjGEOM_CAPSULE,
        "width": rod.radius,
        "group": rod.group,
        "casts": rod.casts,
        "mapping": mapping,
        **_paint(rod),
    }


def _changes(
    model: mujoco.MjModel, captured: Pose, frames: _Frames, packed: dict[str, Any]
) -> list[dict[str, Any]]:
    """What looks different from the scene in parts of a lane, whose model differs there."""
    if captured.changes is None:
        return []
    changes, last = [], None
    changed = copy.copy(model)
    loader = PoseLoader(changed, mujoco.MjvOption())
    for step, change in enumerate(captured.changes):
        if change is last:
            continue
        last = change
        pose = next(itertools.islice(poses(captured), step, None))
        if not loader.load(pose):
            continue
        looks = {}
        for look in looks_of(changed, loader.data):
            parts = Shapes.scaled(look)
            own = {**_placed(look, frames), **_paint(look), "scales": parts}
            looks[f"{look.object[0]},{look.object[1]}"] = own
        changes.append({"from": step, "looks": looks})
    return changes


def _skin(blob: Blob, model: mujoco.MjModel, frames: _Frames, skin: int) -> dict[str, Any]:
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
                "at": _rounded(model.skin_bonebindpos[bone]),
                "turn": _rounded(model.skin_bonebindquat[bone]),
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


def _flex(blob: Blob, model: mujoco.MjModel, flex: int) -> dict[str, Any]:
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


def _name(model: mujoco.MjModel, kind: int, number: int) -> str:
    noun = "body" if kind == _BODY else "camera"
    return mujoco.mj_id2name(model, kind, number) or f"{noun} {number}"


def _rounded(values: np.ndarray) -> Any:
    return np.round(np.asarray(values, float), _DIGITS).tolist()
