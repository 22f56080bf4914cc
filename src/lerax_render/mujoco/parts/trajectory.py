"""Where everything was in a rollout, in the world's frame, as MuJoCo computes it from poses."""

import copy
from collections.abc import Callable
from dataclasses import dataclass

import mujoco
import numpy as np

from .. import Pose, PoseLoader, poses
from .looks import Mapping, mapping_of

_LINE = mujoco.mjtGeom.mjGEOM_LINE.value
_BODILESS = (mujoco.mjtObj.mjOBJ_FLEX.value, mujoco.mjtObj.mjOBJ_SKIN.value)


@dataclass(frozen=True)
class Rod:
    """A straight piece of what hangs between bodies: of a tendon, or of a rangefinder's beam.

    Attributes:
        owner: Type as in `mujoco.mjtObj`, and number, of what it is a piece of.
        kind: As in `mujoco.mjtGeom`: a capsule, a cylinder or a line.
        radius: In metres; of a line, its width in pixels.
        rgba: From 0 to 1, four of them.
        mapping: Its texture, if any.
        emission, specular, shininess: As in `mujoco.MjvGeom`.
        casts: Whether it casts a shadow.
        group: As in `mujoco.MjModel.tendon_group`; 0 for others.
    """

    owner: tuple[int, int]
    kind: int
    radius: float
    rgba: tuple[float, ...]
    mapping: Mapping | None
    emission: float
    specular: float
    shininess: float
    casts: bool
    group: int


@dataclass(frozen=True)
class Trajectory:
    """Places in `T` steps, in metres.

    Attributes:
        positions: Of the bodies, `float32 (T, nbody, 3)`.
        orientations: Of the bodies, quaternions w, x, y, z, `float32 (T, nbody, 4)`.
        camera_positions: Of the model's cameras, `float32 (T, ncam, 3)`.
        camera_axes: To the right, up and backwards, as columns, `float32 (T, ncam, 3, 3)`.
        light_positions: `float32 (T, nlight, 3)`.
        light_directions: Of length 1, `float32 (T, nlight, 3)`.
        flex_vertices: `float32 (T, nflexvert, 3)`.
        rods: Pieces of tendons and of beams.
        rod_ends: `float32 (T, R, 2, 3)`; both ends are one where a piece is not there.
    """

    positions: np.ndarray
    orientations: np.ndarray
    camera_positions: np.ndarray
    camera_axes: np.ndarray
    light_positions: np.ndarray
    light_directions: np.ndarray
    flex_vertices: np.ndarray
    rods: tuple[Rod, ...]
    rod_ends: np.ndarray


def trace(
    model: mujoco.MjModel,
    stacked: Pose,
    watch: Callable[[mujoco.MjModel, mujoco.MjData], None] | None = None,
) -> Trajectory:
    """Compute where everything was in a rollout.

    Args:
        model: The model, which is only read.
        stacked: A stacked `Pose`. One that is not finite counts as the one before, as in pictures.
        watch: Called at each step, with the state and a model in which the pose's changes are made.
    """
    model = copy.copy(model)
    options = mujoco.MjvOption()
    loader = PoseLoader(model, options)
    data = loader.data
    steps = len(stacked.time)
    arrays = {name: np.empty((steps, *getattr(data, name).shape), np.float32) for name in _FIELDS}
    hanging = _Hanging(model, options)
    for step, pose in enumerate(poses(stacked)):
        loader.load(pose)
        for name, array in arrays.items():
            array[step] = getattr(data, name)
        hanging.note(data)
        if watch is not None:
            watch(model, data)
    rods, ends = hanging.gathered()
    arrays["cam_xmat"] = arrays["cam_xmat"].reshape(steps, -1, 3, 3)
    return Trajectory(
        **{of: arrays[name] for name, of in _FIELDS.items()}, rods=rods, rod_ends=ends
    )


_FIELDS = {
    "xpos": "positions",
    "xquat": "orientations",
    "cam_xpos": "camera_positions",
    "cam_xmat": "camera_axes",
    "light_xpos": "light_positions",
    "light_xdir": "light_directions",
    "flexvert_xpos": "flex_vertices",
}


class _Hanging:
    """Takes down the pieces of tendons and beams, by MuJoCo's own rules for how they are drawn."""

    def __init__(self, model: mujoco.MjModel, options: mujoco.MjvOption) -> None:
        beams = model.sensor_type == mujoco.mjtSensor.mjSENS_RANGEFINDER
        self._is_needed = bool(model.ntendon or beams.any())
        self._model = model
        self._options = copy.copy(options)
        # Nothing else is looked at.
        for name in ("geomgroup", "sitegroup", "flexgroup", "skingroup"):
            getattr(self._options, name)[:] = 0
        self._options.tendongroup[:] = 1
        self._camera = mujoco.MjvCamera()
        self._rods: dict[tuple[int, int], list[Rod]] = {}
        self._steps: list[dict[tuple[int, int], list[np.ndarray]]] = []
        self._scene = mujoco.MjvScene(model, maxgeom=2 * model.nwrap + 40 * model.ntendon + 1000)

    def note(self, data: mujoco.MjData) -> None:
        found: dict[tuple[int, int], list[np.ndarray]] = {}
        self._steps.append(found)
        if not self._is_needed:
            return
        every, scene = mujoco.mjtCatBit.mjCAT_ALL.value, self._scene
        mujoco.mjv_updateScene(self._model, data, self._options, None, self._camera, every, scene)
        for geom in scene.geoms[: scene.ngeom]:
            if geom.objtype in _BODILESS:
                continue
            owner = int(geom.objtype), int(geom.objid)
            along = geom.mat[:, 2] * geom.size[2]
            start = geom.pos if geom.type == _LINE else geom.pos - along
            pieces = found.setdefault(owner, [])
            pieces.append(np.array([start, geom.pos + along], np.float32))
            if len(pieces) > len(self._rods.setdefault(owner, [])):
                self._rods[owner].append(_rod(self._model, geom))

    def gathered(self) -> tuple[tuple[Rod, ...], np.ndarray]:
        """Return the rods, and their ends at each step."""
        rods = [(owner, i) for owner, pieces in self._rods.items() for i in range(len(pieces))]
        ends = np.zeros((len(self._steps), len(rods), 2, 3), np.float32)
        for step, found in enumerate(self._steps):
            for number, (owner, i) in enumerate(rods):
                pieces = found.get(owner, [])
                if i < len(pieces):
                    ends[step, number] = pieces[i]
                elif pieces:
                    ends[step, number] = pieces[-1][1]
        return tuple(self._rods[owner][i] for owner, i in rods), ends


def _rod(model: mujoco.MjModel, geom: mujoco.MjvGeom) -> Rod:
    is_tendon = geom.objtype == mujoco.mjtObj.mjOBJ_TENDON
    return Rod(
        owner=(int(geom.objtype), int(geom.objid)),
        kind=int(geom.type),
        radius=float(geom.size[0]),
        rgba=tuple(geom.rgba.tolist()),
        mapping=mapping_of(model, geom),
        emission=float(geom.emission),
        specular=float(geom.specular),
        shininess=float(geom.shininess),
        casts=geom.category != mujoco.mjtCatBit.mjCAT_DECOR and geom.type != _LINE,
        group=int(model.tendon_group[geom.objid]) if is_tendon else 0,
    )
