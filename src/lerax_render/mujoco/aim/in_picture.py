"""Whether a camera that somebody chose shows what moves."""

from typing import Any

import mujoco
import numpy as np

from .camera import CameraRig
from .motion import Boxes, Motion
from .visible import visible_points

# What stirs by this share of its size moves.
_STIRS = 0.002
# At so many steps something that moves is looked for.
_LOOKS = 16


def is_in_picture(model: mujoco.MjModel, poses: Any, rig: CameraRig, aspect: float) -> bool:
    """Return whether anything that moves is in the picture at any step, or nothing moves.

    Args:
        model: The model.
        poses: A stacked `Pose`.
        rig: The camera.
        aspect: Width of the picture over its height.
    """
    motion = Motion(model, poses)
    points = visible_points(model, mujoco.MjvOption())
    if not len(points):
        return True
    boxes = Boxes(motion, points)
    moved = boxes.things[boxes.moved(_STIRS)]
    points = points[np.isin(points.thing, moved)]
    if not len(points):
        return True
    data, scene = mujoco.MjData(model), mujoco.MjvScene(model, maxgeom=1)
    steps = np.unique(np.linspace(0, motion.steps - 1, _LOOKS).astype(int))
    for step, places in zip(steps, np.concatenate(list(motion.places(points, steps))), strict=True):
        motion.place(data, int(step))
        mujoco.mj_camlight(model, data)
        mujoco.mjv_updateCamera(model, data, rig.at(data), scene)
        camera = scene.camera[0]
        forward, up = np.array(camera.forward), np.array(camera.up)
        offsets = places - np.array(camera.pos)
        depth = offsets @ forward
        # The frustum is given where it is cut off in front.
        scale = 1 if camera.orthographic else np.maximum(depth, 1e-9) / camera.frustum_near
        height = camera.frustum_top - camera.frustum_bottom
        half = camera.frustum_width or height * aspect / 2
        right, above = offsets @ np.cross(forward, up), offsets @ up
        inside = (
            (depth + points.radius > camera.frustum_near)
            & (np.abs(right - camera.frustum_center * scale) < half * scale + points.radius)
            & (above > camera.frustum_bottom * scale - points.radius)
            & (above < camera.frustum_top * scale + points.radius)
        )
        if inside.any():
            return True
    return False
