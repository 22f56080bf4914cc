"""A MuJoCo scene and what happened in it, packed for `mujoco_stage.js` to draw.

What MuJoCo draws is asked of MuJoCo, and described once for a scene. Of each step there is where
the frames are that things are fixed in: bodies, and cameras and lights that move by themselves.
"""

import copy
import hashlib
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
from ..mujoco.parts import Look, looks_of, trace
from ..settings import Picture
from .blob import Blob
from .pack_frames import Eyes, Frames, packed_cameras, packed_turns, rounded
from .pack_shapes import Images, Shapes, quantized
from .pack_surfaces import packed_flex, packed_skin

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
    frames = Frames(model)
    vis, extent = model.vis, float(model.stat.extent)
    packed: dict[str, Any] = {
        "kind": "mujoco",
        "looks": _looks(model, data, frames, shapes, images),
        "lights": _lights(model, data, backdrop, frames),
        "cameras": packed_cameras(model, frames),
        "bodies": frames.names,
        "sky": sky_image,
        "haze": {
            "colour": rounded(vis.rgba.haze[:3]),
            "size": float(vis.map.haze),
            "slices": max(28, int(vis.quality.numslices)),
        },
        "near": float(vis.map.znear * extent),
        "far": float(vis.map.zfar * extent),
        "shadow": {"clip": float(vis.map.shadowclip * extent), "scale": float(vis.map.shadowscale)},
        "centre": rounded(model.stat.center),
        "extent": extent,
        "ground": None,
    }
    if backdrop.has_ground:
        packed["ground"] = {
            "shape": shapes.number("plane"),
            "colour": rounded(GROUND),
            "glow": GLOW,
            "fromCamera": FROM_CAMERA if backdrop.has_light else 0.0,
        }
    packed["units"] = {name: shapes.number(name) for name in ("tube", "lids", "dome", "bowl")}
    packed["skins"] = [packed_skin(blob, model, frames, skin) for skin in range(model.nskin)]
    packed["flexes"] = [packed_flex(blob, model, flex) for flex in range(model.nflex)]
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
        packed_scene["near"] = min(packed_scene["near"], view.near)
    eyes, grounds = Eyes(), []

    def watch(changed: mujoco.MjModel, data: mujoco.MjData) -> None:
        eyes.note(changed, data, rig)
        if backdrop.has_ground:
            grounds.append(backdrop.ground_height(data))

    found = trace(model, captured, watch)
    frames = Frames(model)
    places, turns = frames.traced(found)
    lane: dict[str, Any] = {
        "places": quantized(blob, places),
        "turns": blob.add(packed_turns(turns), over_time=True),
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


def _lights(
    model: mujoco.MjModel, data: mujoco.MjData, backdrop: Backdrop, frames: Frames
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
            "ambient": rounded(light.ambient),
            "diffuse": rounded(light.diffuse),
            "specular": rounded(light.specular),
            "attenuation": rounded(light.attenuation),
            "cutoff": float(light.cutoff),
            "exponent": float(light.exponent),
            "frame": 0,
            "at": rounded(light.pos),
            "direction": rounded(light.dir),
        }
        number = None if light.headlight else next(numbers, None)
        if number is not None:
            own = frames.of_light(number)
            if own is None:
                look["frame"] = frames.of_body(int(model.light_bodyid[number]))
                look["at"] = rounded(model.light_pos[number])
                look["direction"] = rounded(model.light_dir[number])
            else:
                look.update(frame=own, at=[0, 0, 0], direction=[0, 0, 1])
        packed.append(look)
    return packed


def _looks(
    model: mujoco.MjModel,
    data: mujoco.MjData,
    frames: Frames,
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


def _placed(look: Look, frames: Frames) -> dict[str, Any]:
    quaternion = np.zeros(4)
    mujoco.mju_mat2Quat(quaternion, look.matrix.ravel())
    return {
        "frame": frames.of_body(look.body),
        "at": rounded(look.position),
        "turn": rounded(quaternion),
        "radius": round(look.radius, _DIGITS),
        "top": float(look.size[2]),
    }


def _paint(look: Any) -> dict[str, Any]:
    """The colours of a `Look` or a `Rod`."""
    names = ("rgba", "emission", "specular", "shininess", "reflectance")
    return {name: rounded(np.array(getattr(look, name, 0.0))) for name in names}


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
    model: mujoco.MjModel, captured: Pose, frames: Frames, packed: dict[str, Any]
) -> list[dict[str, Any]]:
    """What looks different from the scene in parts of a lane, whose model differs there."""
    if captured.changes is None:
        return []
    changes, last = [], None
    changed = copy.copy(model)
    loader = PoseLoader(changed, mujoco.MjvOption())
    for step, pose in enumerate(poses(captured)):
        if pose.changes is last:
            continue
        last = pose.changes
        if not loader.load(pose):
            continue
        looks = {}
        for look in looks_of(changed, loader.data):
            parts = Shapes.scaled(look)
            own = {**_placed(look, frames), **_paint(look), "scales": parts}
            looks[f"{look.object[0]},{look.object[1]}"] = own
        changes.append({"from": step, "looks": looks})
    return changes
