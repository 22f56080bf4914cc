"""What moves in a MuJoCo scene, and where it is looked at from, packed."""

from typing import Any

import mujoco
import numpy as np

from ..mujoco.aim import CameraRig
from ..mujoco.parts import Trajectory
from .blob import Blob

_BODY = mujoco.mjtObj.mjOBJ_BODY.value
_FIXED = mujoco.mjtCamLight.mjCAMLIGHT_FIXED.value
_DIGITS = 6


class Frames:
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
        """Return the frame of a body."""
        return self._bodies.index(body)

    def of_camera(self, camera: int) -> int | None:
        """Return the frame that a camera is, or `None` where it is fixed to a body."""
        if camera not in self._cameras:
            return None
        return len(self._bodies) + self._cameras.index(camera)

    def of_light(self, light: int) -> int | None:
        """Return the frame whose z axis is a light's direction, or `None` as above."""
        if light not in self._lights:
            return None
        return len(self._bodies) + len(self._cameras) + self._lights.index(light)

    def traced(self, found: Trajectory) -> tuple[np.ndarray, np.ndarray]:
        """Return places, `(T, F, 3)`, and quaternions, `(T, F, 4)`, of all frames."""
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


def packed_turns(quaternions: np.ndarray) -> np.ndarray:
    """Return quaternions as `int16`, with signs by which neighbours in time are alike."""
    flips = (quaternions[1:] * quaternions[:-1]).sum(axis=-1, keepdims=True) < 0
    signs = np.where(np.cumsum(flips, axis=0) % 2, -1, 1)
    quaternions = np.concatenate([quaternions[:1], quaternions[1:] * signs])
    rounded: np.ndarray = np.round(quaternions * 32767).astype(np.int16)
    return rounded


class Eyes:
    """The clip's own camera at each step."""

    def __init__(self) -> None:
        self._rows: list[np.ndarray] = []
        self._scene: mujoco.MjvScene | None = None
        self._distance = 0.0

    def note(self, model: mujoco.MjModel, data: mujoco.MjData, rig: CameraRig) -> None:
        """Take down where the camera is in a state."""
        if self._scene is None:
            self._scene = mujoco.MjvScene(model, maxgeom=1)
        camera = rig.at(data)
        mujoco.mjv_updateCamera(model, data, camera, self._scene)
        left, right = self._scene.camera
        self._rows.append(np.concatenate([(left.pos + right.pos) / 2, left.forward, left.up]))
        is_free = camera.type != mujoco.mjtCamera.mjCAMERA_FIXED
        self._distance = float(camera.distance) if is_free else 0.0

    def packed(self, blob: Blob, model: mujoco.MjModel) -> dict[str, Any]:
        """Return its path, rims and distance, which JSON holds."""
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
    return {"rims": rounded(np.array(rims) * scale), "parallel": bool(camera.orthographic)}


def packed_cameras(model: mujoco.MjModel, frames: Frames) -> list[dict[str, Any]]:
    """Return the model's cameras: their frames, and where in them they are."""
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
                "at": rounded(model.cam_pos[number]) if own is None else [0, 0, 0],
                "turn": rounded(model.cam_quat[number]) if own is None else [1, 0, 0, 0],
                **_frustum(scene),
            }
        )
    return packed


def _name(model: mujoco.MjModel, kind: int, number: int) -> str:
    noun = "body" if kind == _BODY else "camera"
    return mujoco.mj_id2name(model, kind, number) or f"{noun} {number}"


def rounded(values: np.ndarray) -> Any:
    """Return numbers for JSON, which are none too long."""
    return np.round(np.asarray(values, float), _DIGITS).tolist()
