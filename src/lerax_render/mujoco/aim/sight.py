"""What stands between a camera and what it looks at."""

import mujoco
import numpy as np

from .motion import Motion
from .visible import Points

# What is this transparent hides little.
_GLASS = 0.5
# What hits this close before a point, in shares of the way, is only what the point lies in.
_EMBEDDED = 0.05
_MOST_RAYS = 24


def clear_share(motion: Motion, points: Points, steps: np.ndarray, eyes: np.ndarray) -> float:
    """Return the share of points that a camera sees, from 0 to 1.

    Points hide each other as little as one does that is on the ground behind it: only other things
    count as what is in the way.

    Args:
        motion: What happened.
        points: Those of the subject.
        steps: At which steps it is looked for, `int (t,)`.
        eyes: Where the camera is then, `(t, 3)` metres.
    """
    if not len(points):
        return 1.0
    model = motion.model
    own = np.unique(points.body)
    points = points[np.unique(np.linspace(0, len(points) - 1, _MOST_RAYS).astype(int))]
    groups = mujoco.MjvOption().geomgroup
    data, hidden = mujoco.MjData(model), 0
    for step, eye, places in zip(
        steps, eyes, np.concatenate(list(motion.places(points, steps))), strict=True
    ):
        motion.place(data, int(step))
        rays = (places - eye).astype(float)
        lengths = np.linalg.norm(rays, axis=1)
        count = len(rays)
        geoms, distances = np.full(count, -1, np.int32), np.full(count, -1.0)
        directions = rays / np.maximum(lengths, 1e-9)[:, None]
        mujoco.mj_multiRay(
            model, data, eye, directions.ravel(), groups, 1, -1, geoms, distances, None, count, 1e9
        )
        short = distances < (1 - _EMBEDDED) * lengths - points.radius
        is_hit = (geoms >= 0) & (distances >= 0) & short
        body = model.geom_bodyid[np.maximum(geoms, 0)]
        colour = model.geom_rgba[np.maximum(geoms, 0), 3]
        hidden += int((is_hit & ~np.isin(body, own) & (colour >= _GLASS)).sum())
    return 1 - hidden / (len(steps) * len(points))
