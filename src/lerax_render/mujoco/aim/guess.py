"""What a camera shows of a MuJoCo model where nobody knows yet what will happen.

It frames the robot: the body tree with the most actuators. A robot that can leave its place (a free
joint, or sliding joints without limits) is followed; one that cannot is shown with all that it
reaches. Where there is no robot, everything but the ground is shown.
"""

import math

import mujoco
import numpy as np

# The share of the picture that the framed box may fill, in each direction.
_FILL_MOVING = 0.6
_FILL_FIXED = 0.9
# How far a followed robot's height may leave its initial one, in robot heights, before the camera
# rises or sinks with it: a hop is then seen as a hop.
_HEIGHT_BAND = 0.25
# Looking down on flat robots, and from the side at tall ones, in degrees.
_STEEP, _GENTLE = -50.0, -20.0
# A robot that stays is shown with what it reaches in most of these random poses,
_SAMPLES = 64
_USUAL = 0.9
# and with the things that lie no further off than this, in sizes of that space.
_NEIGHBOURHOOD = 1.0


class Subject:
    """A box around the robot, and where it may go.

    Args:
        model: The model; its first keyframe, if it has one, is the pose that is framed.
        groups: Which geom groups are drawn, as in `mujoco.MjvOption.geomgroup`.

    Attributes:
        centre: The box's middle in the model's initial pose, `(3,)` metres.
        half: Half the box's sides, `(3,)` metres.
        moves: For each axis, whether the robot can leave its place along it.
    """

    def __init__(self, model: mujoco.MjModel, groups: np.ndarray) -> None:
        data = mujoco.MjData(model)
        if model.nkey:
            mujoco.mj_resetDataKeyframe(model, data, 0)
        _place(model, data)
        self.root = _robot(model)
        self.moves = _free_axes(model, self.root)
        shown = _shown(model, groups)
        own = shown & (model.body_rootid[model.geom_bodyid] == self.root) & (self.root > 0)
        if self.moves.any() and own.any():
            low, high = _bounds(model, data, own)
            com = data.subtree_com[self.root].copy()
            # It turns about its centre of mass, so the box is as wide as it may become.
            reach = np.maximum(high - com, com - low)[:2]
            if _turns(model, self.root):
                reach[:] = reach.max()
            self.half = np.array([*reach, (high[2] - low[2]) / 2])
            self.centre = np.array([com[0], com[1], (high[2] + low[2]) / 2])
            self._fill = _FILL_MOVING
        else:
            low, high = self._workspace(model, data, own, shown)
            self.half, self.centre = (high - low) / 2, (high + low) / 2
            self._fill = _FILL_FIXED
        self._com_height = float(data.subtree_com[self.root][2])

    def follow(self, data: mujoco.MjData) -> np.ndarray:
        """The point to look at in this state, which depends on nothing else: no jitter, no lag."""
        com = data.subtree_com[self.root]
        target = np.where(self.moves, com, self.centre)
        if self.moves[2]:
            band = 2 * self.half[2] * _HEIGHT_BAND
            rise = float(com[2]) - self._com_height
            target[2] = self.centre[2] + rise - min(max(rise, -band), band)
        return target

    def elevation(self) -> float:
        """Steeper for a flat subject, in degrees."""
        return elevation_for(self.half)

    def distance(self, azimuth: float, elevation: float, fovy: float, aspect: float) -> float:
        """The least distance, in metres, at which every corner of the box is in the picture."""
        a, e = math.radians(azimuth), math.radians(elevation)
        forward = np.array([math.cos(e) * math.cos(a), math.cos(e) * math.sin(a), math.sin(e)])
        right = np.array([math.sin(a), -math.cos(a), 0.0])
        up = np.cross(right, forward)
        tangent = math.tan(math.radians(fovy) / 2) * self._fill
        corners = self.half * _CORNERS
        return float(
            max(
                (np.abs(corners @ up) / tangent - corners @ forward).max(),
                (np.abs(corners @ right) / (tangent * aspect) - corners @ forward).max(),
            )
        )

    def _workspace(
        self, model: mujoco.MjModel, data: mujoco.MjData, own: np.ndarray, shown: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """A box around a robot that stays: all that it reaches, and the things around it."""
        if model.nflex or model.nskin or not shown.any():
            return model.stat.center - model.stat.extent, model.stat.center + model.stat.extent
        if not own.any():
            return _bounds(model, data, shown)
        generator = np.random.default_rng(0)
        joints = _driven_joints(model, self.root)
        ranges = np.where(
            model.jnt_limited[joints, None], model.jnt_range[joints], np.array([-math.pi, math.pi])
        )
        addresses = model.jnt_qposadr[joints]
        boxes = [_bounds(model, data, own)]
        around = shown & ~own
        other = _boxes(model, data, around)
        initial = data.qpos.copy()
        for _ in range(_SAMPLES if len(joints) else 0):
            data.qpos[:] = initial
            data.qpos[addresses] = generator.uniform(ranges[:, 0], ranges[:, 1])
            _place(model, data)
            boxes.append(_bounds(model, data, own))
        data.qpos[:] = initial
        _place(model, data)
        low = np.quantile([box[0] for box in boxes], 1 - _USUAL, axis=0)
        high = np.quantile([box[1] for box in boxes], _USUAL, axis=0)
        low, high = np.minimum(low, boxes[0][0]), np.maximum(high, boxes[0][1])
        margin = (high - low).max() * _NEIGHBOURHOOD
        near = ((other[0] > low - margin) & (other[1] < high + margin)).all(axis=1)
        return (
            np.minimum(low, other[0][near].min(axis=0, initial=math.inf)),
            np.maximum(high, other[1][near].max(axis=0, initial=-math.inf)),
        )


def elevation_for(half: np.ndarray) -> float:
    """Return how far down to look at a box, in degrees: steeper at a flat one.

    Args:
        half: Half the box's sides, `(3,)` metres.
    """
    flatness = float(half[2] / max(half[:2].max(), 1e-9))
    share = min(max((flatness - 0.1) / 0.4, 0.0), 1.0)
    return _STEEP + share * (_GENTLE - _STEEP)


_CORNERS = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], dtype=float)


def _place(model: mujoco.MjModel, data: mujoco.MjData) -> None:
    mujoco.mj_kinematics(model, data)
    mujoco.mj_comPos(model, data)


def _robot(model: mujoco.MjModel) -> int:
    """The root body of the tree with the most actuators; without any, of the only one that moves.

    0, the world, where there is none such.
    """
    votes = np.zeros(model.nbody)
    for actuator in range(model.nu):
        kind, target = model.actuator_trntype[actuator], model.actuator_trnid[actuator, 0]
        for body in driven_bodies(model, int(kind), int(target)):
            votes[model.body_rootid[body]] += 1
    votes[0] = 0
    if votes.any():
        return int(votes.argmax())
    moving = np.unique(model.body_rootid[(model.body_dofnum > 0) | (model.body_mocapid >= 0)])
    return int(moving[0]) if len(moving) == 1 else 0


def driven_bodies(model: mujoco.MjModel, kind: int, target: int) -> list[int]:
    """The bodies that an actuator acts upon."""
    transmission = mujoco.mjtTrn
    if kind in (transmission.mjTRN_JOINT, transmission.mjTRN_JOINTINPARENT):
        return [model.jnt_bodyid[target]]
    if kind == transmission.mjTRN_TENDON:
        start = model.tendon_adr[target]
        wraps = range(start, start + model.tendon_num[target])
        bodies = {
            mujoco.mjtWrap.mjWRAP_JOINT.value: model.jnt_bodyid,
            mujoco.mjtWrap.mjWRAP_SITE.value: model.site_bodyid,
        }
        kinds = [(int(model.wrap_type[w]), model.wrap_objid[w]) for w in wraps]
        return [bodies[wrap][i] for wrap, i in kinds if wrap in bodies]
    if kind in (transmission.mjTRN_SITE, transmission.mjTRN_SLIDERCRANK):
        return [model.site_bodyid[target]]
    if kind == transmission.mjTRN_BODY:
        return [target]
    return []


def _driven_joints(model: mujoco.MjModel, root: int) -> np.ndarray:
    """Hinges and limited slides of the robot that an actuator moves directly."""
    driven = np.zeros(model.njnt, bool)
    direct = np.isin(
        model.actuator_trntype, (mujoco.mjtTrn.mjTRN_JOINT, mujoco.mjtTrn.mjTRN_JOINTINPARENT)
    )
    driven[model.actuator_trnid[direct, 0]] = True
    hinge = model.jnt_type == mujoco.mjtJoint.mjJNT_HINGE
    slide = (model.jnt_type == mujoco.mjtJoint.mjJNT_SLIDE) & (model.jnt_limited != 0)
    own = model.body_rootid[model.jnt_bodyid] == root
    return np.flatnonzero(driven & own & (hinge | slide))


def _root_joints(model: mujoco.MjModel, root: int) -> range:
    start = model.body_jntadr[root]
    return range(start, start + model.body_jntnum[root])


def _free_axes(model: mujoco.MjModel, root: int) -> np.ndarray:
    """Along which axes of the world a robot can go any distance, `(3,)` bool."""
    free = np.zeros(3, bool)
    for joint in _root_joints(model, root):
        kind = model.jnt_type[joint]
        if kind == mujoco.mjtJoint.mjJNT_FREE:
            free[:] = True
        elif kind == mujoco.mjtJoint.mjJNT_SLIDE and not model.jnt_limited[joint]:
            free |= np.abs(model.jnt_axis[joint]) > 0.5
    return free


def _turns(model: mujoco.MjModel, root: int) -> bool:
    """Whether a robot can turn about the vertical."""
    return any(
        model.jnt_type[joint] in (mujoco.mjtJoint.mjJNT_FREE, mujoco.mjtJoint.mjJNT_BALL)
        or (
            model.jnt_type[joint] == mujoco.mjtJoint.mjJNT_HINGE
            and abs(model.jnt_axis[joint, 2]) > 0.5
        )
        for joint in _root_joints(model, root)
    )


def _shown(model: mujoco.MjModel, groups: np.ndarray) -> np.ndarray:
    """Which geoms are drawn and are things rather than ground, `(ngeom,)` bool."""
    material = model.geom_matid
    alpha = np.where(
        material >= 0, model.mat_rgba[material, 3] if model.nmat else 1, model.geom_rgba[:, 3]
    )
    endless = np.isin(model.geom_type, (mujoco.mjtGeom.mjGEOM_PLANE, mujoco.mjtGeom.mjGEOM_HFIELD))
    drawn: np.ndarray = groups[np.clip(model.geom_group, 0, 5)] != 0
    return drawn & (alpha > 0) & ~endless


def _bounds(
    model: mujoco.MjModel, data: mujoco.MjData, which: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The box, low and high corner, around the chosen geoms, in metres."""
    low, high = _boxes(model, data, which)
    return low.min(axis=0), high.max(axis=0)


def _boxes(
    model: mujoco.MjModel, data: mujoco.MjData, which: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The boxes around each of the chosen geoms: low and high corners, `(n, 3)` metres."""
    centre, half = model.geom_aabb[which, :3], model.geom_aabb[which, 3:]
    turn = data.geom_xmat[which].reshape(-1, 3, 3)
    middle = data.geom_xpos[which] + np.einsum("gij,gj->gi", turn, centre)
    reach = np.einsum("gij,gj->gi", np.abs(turn), half)
    return middle - reach, middle + reach
