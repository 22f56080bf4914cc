"""What is measured in a picture: which shape each pixel shows, and how far away it is."""

from collections.abc import Iterator
from contextlib import contextmanager

import mujoco
import numpy as np

_FLAGS = [mujoco.mjtRndFlag.mjRND_SEGMENT.value, mujoco.mjtRndFlag.mjRND_IDCOLOR.value]


@contextmanager
def flat(scene: mujoco.MjvScene) -> Iterator[None]:
    """Have a scene drawn in colours that number its shapes, for the time of the context.

    Its depth is to be read there, too: in the shaded picture, the sky is a wall with a depth of its
    own, and antialiasing mixes the depths at edges.
    """
    flags = scene.flags.copy()
    scene.flags[_FLAGS] = True
    try:
        yield
    finally:
        scene.flags[:] = flags


def metres(depth: np.ndarray, camera: mujoco.MjvGLCamera) -> np.ndarray:
    """Turn what a depth buffer holds, in which 1 is near and 0 is far, into metres, `float32`."""
    near, far = float(np.float32(camera.frustum_near)), float(np.float32(camera.frustum_far))
    away = depth.astype(np.float64) * (far - near)
    distances = far - away if camera.orthographic else near * far / (near + away)
    return distances.astype(np.float32)


def objects(colours: np.ndarray, scene: mujoco.MjvScene) -> np.ndarray:
    """Turn the colours of a flat picture into the number and type of each object.

    Returns:
        `int32 (H, W, 2)`; -1 and -1 where there is none.
    """
    numbers = colours.astype(np.int32) @ np.array([1, 1 << 8, 1 << 16], np.int32)
    found = np.full((scene.ngeom + 1, 2), -1, np.int32)
    for geom in scene.geoms[: scene.ngeom]:
        if geom.segid >= 0:
            found[geom.segid + 1] = geom.objid, geom.objtype
    shapes: np.ndarray = found[numbers]
    return shapes
