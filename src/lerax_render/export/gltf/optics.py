"""MuJoCo's lights and cameras in glTF's words."""

from typing import Any, NamedTuple

import mujoco
import numpy as np

from ...mujoco import Backdrop, is_directional
from ...mujoco.aim import CameraRig
from ...mujoco.parts import Trajectory
from .document import Glb
from .motion import Motion, pointing, quaternions_of
from .surfaces import linear, name_of

_FIXED = mujoco.mjtCamLight.mjCAMLIGHT_FIXED.value
_LIGHTS = "KHR_lights_punctual"


class Eye:
    """The clip's own camera.

    Attributes:
        frustum: As in `mujoco.MjvGLCamera`, of the last step that was noted.
    """

    def __init__(self, model: mujoco.MjModel, rig: CameraRig) -> None:
        self._scene, self._rig = mujoco.MjvScene(model, maxgeom=1), rig
        self._rows: list[np.ndarray] = []
        self.frustum = self._scene.camera[0]

    def note(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """Take down where it is in a state."""
        mujoco.mjv_updateCamera(model, data, self._rig.at(data), self._scene)
        self._rig.draw_from_near(self._scene.camera)
        left, right = self._scene.camera
        side = np.cross(left.forward, left.up)
        # It stands between those of two eyes.
        self._rows.append(np.array([(left.pos + right.pos) / 2, side, left.up, -left.forward]))

    def places(self) -> tuple[np.ndarray, np.ndarray]:
        """Return places `(T, 3)` and quaternions `(T, 4)`."""
        rows = np.array(self._rows)
        return rows[:, 0], quaternions_of(rows[:, 1:].swapaxes(1, 2))


def add_camera(glb: Glb, frustum: mujoco.MjvGLCamera, aspect: float, name: str) -> int:
    """Return the number of a camera that sees as high as one of MuJoCo's."""
    near, far = float(frustum.frustum_near), float(frustum.frustum_far)
    half = float(frustum.frustum_top - frustum.frustum_bottom) / 2
    if frustum.orthographic:
        lens = {"xmag": half * aspect, "ymag": half, "znear": near, "zfar": far}
        return glb.add("cameras", {"name": name, "type": "orthographic", "orthographic": lens})
    # Far planes are left to the reader: MuJoCo's would cut off the ground.
    lens = {"yfov": 2 * float(np.arctan(half / near)), "aspectRatio": aspect, "znear": near}
    return glb.add("cameras", {"name": name, "type": "perspective", "perspective": lens})


def add_cameras(
    glb: Glb,
    motion: Motion,
    model: mujoco.MjModel,
    data: mujoco.MjData,
    found: Trajectory,
    bodies: list[int],
    aspect: float,
) -> None:
    """Add the model's own cameras.

    Args:
        glb: Gets them.
        motion: Moves those that are not fixed to their bodies.
        model: The model.
        data: Any of its states.
        found: Where they were.
        bodies: The nodes of the model's bodies.
        aspect: Width of a picture over its height.
    """
    scene, camera = mujoco.MjvScene(model, maxgeom=1), mujoco.MjvCamera()
    camera.type = mujoco.mjtCamera.mjCAMERA_FIXED.value
    for number in range(model.ncam):
        camera.fixedcamid = number
        mujoco.mjv_updateCamera(model, data, camera, scene)
        name = name_of(model, mujoco.mjtObj.mjOBJ_CAMERA, number)
        lens = add_camera(glb, scene.camera[0], aspect, name)
        if model.cam_mode[number] == _FIXED:
            node = glb.node(bodies[model.cam_bodyid[number]], name, camera=lens)
            places, turns = model.cam_pos[number][None], model.cam_quat[number][None]
        else:
            node = glb.node(bodies[0], name, camera=lens)
            places = found.camera_positions[:, number]
            turns = quaternions_of(found.camera_axes[:, number])
        motion.place(node, translation=places, rotation=turns)


class Lamp(NamedTuple):
    """A light that shines.

    Attributes:
        item: Its description in glTF.
        number: Its number in the model; `None` for the camera's own and for what was added.
        is_head: Whether it is the camera's own.
        direction: In which it shines, in the world's frame.
    """

    item: dict[str, Any]
    number: int | None
    is_head: bool
    direction: np.ndarray


def lamps_of(model: mujoco.MjModel, data: mujoco.MjData, backdrop: Backdrop) -> list[Lamp]:
    """Return the lights that shine in a state."""
    scene = mujoco.MjvScene(model, maxgeom=model.ngeom + model.nsite + 1000)
    every, camera = mujoco.mjtCatBit.mjCAT_ALL.value, mujoco.MjvCamera()
    mujoco.mjv_updateScene(model, data, mujoco.MjvOption(), None, camera, every, scene)
    numbers = iter(np.flatnonzero(model.light_active).tolist())
    backdrop.dress(scene, data)
    lights = scene.lights[: scene.nlight]
    # What looks up is to be as bright as in MuJoCo, which adds up colours of a screen, and where
    # some light comes from everywhere.
    wide = [light for light in lights if light.headlight or is_directional(light)] or lights
    diffuse = sum(_from_above(light) * float(light.diffuse.max()) for light in wide)
    ambient = sum(float(light.ambient.max()) for light in lights)
    share = float(linear(diffuse + ambient)) / max(diffuse, 1e-9)
    lamps = []
    for light in lights:
        is_head = bool(light.headlight)
        number = None if is_head else next(numbers, None)
        lamps.append(Lamp(_light(model, light, share), number, is_head, np.array(light.dir, float)))
    return lamps


def _from_above(light: mujoco.MjvLight) -> float:
    # The camera looks down by more or less.
    return 0.7 if light.headlight else max(0.2, -float(light.dir[2]))


def _light(model: mujoco.MjModel, light: mujoco.MjvLight, share: float) -> dict[str, Any]:
    brightness = float(light.diffuse.max())
    item: dict[str, Any] = {
        "type": "directional",
        "color": linear(light.diffuse / max(brightness, 1e-9)).round(6).tolist(),
        # In readers, white reflects one in pi.
        "intensity": round(share * brightness * float(np.pi), 6),
    }
    if light.headlight or is_directional(light):
        return item
    # MuJoCo's need not fade, and glTF's do: they agree in the middle of the model.
    distance = float(np.linalg.norm(light.pos - model.stat.center))
    fading = float(light.attenuation @ [1, distance, distance**2])
    item["intensity"] = round(item["intensity"] * distance**2 / max(fading, 1e-9), 6)
    item["type"] = "point"
    if light.cutoff < 180:
        item["type"] = "spot"
        outer = min(float(np.radians(light.cutoff)), np.pi / 2)
        item["spot"] = {"outerConeAngle": round(outer, 6), "innerConeAngle": 0}
        if not light.exponent:
            item["spot"]["innerConeAngle"] = round(0.99 * outer, 6)
    return item


def add_lamps(
    glb: Glb,
    motion: Motion,
    model: mujoco.MjModel,
    lamps: list[Lamp],
    found: Trajectory,
    bodies: list[int],
    eye: int,
) -> None:
    """Add lights; see `add_cameras`.

    Args:
        eye: The node of the clip's camera, which carries its own light.
    """
    for item, number, is_head, direction in lamps:
        name = "headlight" if is_head else "sun"
        if number is not None:
            name = name_of(model, mujoco.mjtObj.mjOBJ_LIGHT, number)
        light = glb.extend(_LIGHTS, "lights", {"name": name, **item})
        fields = {"extensions": {_LIGHTS: {"light": light}}}
        if is_head:
            glb.node(eye, name, **fields)
        elif number is None:
            node = glb.node(bodies[0], name, **fields)
            motion.place(node, rotation=pointing(direction[None], -1))
        elif model.light_mode[number] == _FIXED:
            node = glb.node(bodies[model.light_bodyid[number]], name, **fields)
            turns = pointing(model.light_dir[number][None], -1)
            motion.place(node, translation=model.light_pos[number][None], rotation=turns)
        else:
            node = glb.node(bodies[0], name, **fields)
            turns = pointing(found.light_directions[:, number].astype(float), -1)
            motion.place(node, translation=found.light_positions[:, number], rotation=turns)
