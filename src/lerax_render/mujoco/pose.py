"""What a picture of a MuJoCo state needs, and nothing more."""

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import mujoco
import numpy as np

if TYPE_CHECKING:
    import jax
    from mujoco import mjx

type Array = np.ndarray | jax.Array
type State = mujoco.MjData | mjx.Data | Pose


class Pose(NamedTuple):
    """The inputs from which MuJoCo recomputes all that a picture shows.

    A state of Gymnasium's Ant takes 21.7 kB as an `mjx.Data`, and 550 bytes as a `Pose`. A stack of
    poses has a leading axis in each field.

    Attributes:
        qpos: Joint positions, `(nq,)`.
        qvel: Joint velocities, `(nv,)`.
        act: Actuator activations, `(na,)`.
        ctrl: Controls, `(nu,)`.
        mocap_pos: Positions of the mocap bodies, in metres, `(nmocap, 3)`.
        mocap_quat: Their orientations as quaternions w, x, y, z, `(nmocap, 4)`.
        xfrc_applied: Forces and torques on bodies, in newtons and newton metres, `(nbody, 6)`.
        eq_active: Whether each equality constraint is active, `bool (neq,)`.
        time: Seconds, `()`.
        changes: What the model differs in while this is shown, a `dict` of its fields' arrays by
            their names (see `MODEL_FIELDS`), or `None`. In a stack, `None` or `object (T,)`.
    """

    qpos: Array
    qvel: Array
    act: Array
    ctrl: Array
    mocap_pos: Array
    mocap_quat: Array
    xfrc_applied: Array
    eq_active: Array
    time: Array
    changes: Any = None

    @classmethod
    def of(cls, data: "mujoco.MjData | mjx.Data") -> "Pose":
        """The pose of a state; under JAX's transformations, the traced one.

        Args:
            data: A `mujoco.MjData`, whose arrays are copied since MuJoCo goes on writing into them,
                or an `mjx.Data`, batched or not.
        """
        copy = np.array if isinstance(data, mujoco.MjData) else _same
        return cls(*(copy(getattr(data, name)) for name in _FIELDS))

    def is_finite(self) -> bool:
        """Whether MuJoCo could draw this single pose: its positions are numbers, and not huge.

        The limit is MuJoCo's own, `mjMAXVAL`.
        """
        return all(
            bool((np.abs(np.asarray(field)) < mujoco.mjMAXVAL).all())
            for field in (self.qpos, self.mocap_pos, self.mocap_quat)
        )


_FIELDS = Pose._fields[:-1]

MODEL_FIELDS = (
    "body_pos",
    "body_quat",
    "cam_fovy",
    "cam_pos",
    "cam_quat",
    "geom_pos",
    "geom_quat",
    "geom_rgba",
    "geom_size",
    "jnt_axis",
    "jnt_pos",
    "light_ambient",
    "light_diffuse",
    "light_dir",
    "light_pos",
    "light_specular",
    "mat_emission",
    "mat_rgba",
    "mat_shininess",
    "mat_specular",
    "qpos0",
    "site_pos",
    "site_quat",
    "site_size",
)
"""What a picture needs of a model and an environment can change in it: those of `mjx.Model`."""


def look_of(model: "mjx.Model") -> dict[str, Any]:
    """What a picture needs of a model that a state holds; under JAX's transformations, traced."""
    return {name: getattr(model, name) for name in MODEL_FIELDS if hasattr(model, name)}


def changes_of(model: mujoco.MjModel, looks: dict[str, np.ndarray]) -> np.ndarray:
    """What the models of consecutive states differ in from the one that is drawn.

    Args:
        model: The one that is drawn.
        looks: `look_of` each state, arrays with a leading axis `T`.

    Returns:
        `object (T,)`: a `dict` of the fields that differ, or `None` where none does. Steps of an
        episode, between which nothing changes, share one.
    """
    different = {}
    for name, look in looks.items():
        own = np.asarray(getattr(model, name)).astype(look.dtype)
        if own.shape == look.shape[1:] and look.size and (look != own).any():
            different[name] = look, own
    count = len(next(iter(looks.values())))
    begins = np.zeros(count, bool)
    begins[0] = True
    for look, _ in different.values():
        begins[1:] |= (look[1:] != look[:-1]).any(axis=tuple(range(1, look.ndim)))
    rows = np.empty(count, object)
    for step in range(count):
        if not begins[step]:
            rows[step] = rows[step - 1]
            continue
        rows[step] = {
            name: look[step]
            for name, (look, own) in different.items()
            if (look[step] != own).any() and np.isfinite(look[step]).all()
        } or None
    return rows


def poses(stacked: Pose) -> Iterator[Pose]:
    """Yield the poses of a stacked pose one by one."""
    *fields, changes = stacked
    each = itertools.repeat(None) if changes is None else changes
    return map(Pose, *fields, each)


def poses_between(
    model: mujoco.MjModel, stacked: Pose, places: np.ndarray, starts: np.ndarray | None
) -> Pose:
    """Return poses between consecutive ones, as the joints would move at a constant speed.

    Args:
        model: The model.
        stacked: `T` poses.
        places: `float (n,)`, from 0 to `T - 1`.
        starts: `bool (T,)`, which of them begins an episode, before which there is nothing; where
            `None`, those that are no later than the one before.
    """
    steps = np.floor(places).astype(int)
    following = np.minimum(steps + 1, len(stacked.time) - 1)
    begins = stacked.time[following] <= stacked.time[steps] if starts is None else starts[following]
    finite = np.array([pose.is_finite() for pose in poses(stacked)])
    share = np.where(begins | ~finite[steps] | ~finite[following], 0, places - steps)
    fields = {name: getattr(stacked, name)[steps] for name in _FIELDS}
    for name in ("qvel", "act", "ctrl", "mocap_pos", "xfrc_applied", "time"):
        one, other = fields[name], getattr(stacked, name)[following]
        part = share.reshape(-1, *[1] * (one.ndim - 1))
        fields[name] = (one + part * (other - one)).astype(one.dtype)
    turned = (("qpos", _joints_between), ("mocap_quat", _turns_between))
    for name, between in turned:
        ends = getattr(stacked, name)[following]
        for frame in np.flatnonzero(share):
            fields[name][frame] = between(model, fields[name][frame], ends[frame], share[frame])
    changes = None if stacked.changes is None else stacked.changes[steps]
    return Pose(**fields, changes=changes)


def _joints_between(
    model: mujoco.MjModel, one: np.ndarray, other: np.ndarray, share: float
) -> np.ndarray:
    velocity, qpos = np.zeros(model.nv), one.astype(np.float64)
    mujoco.mj_differentiatePos(model, velocity, 1, qpos, other.astype(np.float64))
    mujoco.mj_integratePos(model, qpos, velocity, share)
    return qpos


def _turns_between(
    model: mujoco.MjModel, one: np.ndarray, other: np.ndarray, share: float
) -> np.ndarray:
    turns = one.astype(np.float64)
    for turn, target in zip(turns, other.astype(np.float64), strict=True):
        velocity = np.zeros(3)
        mujoco.mju_subQuat(velocity, target, turn)
        mujoco.mju_quatIntegrate(turn, velocity, share)
    return turns


def _same(field: Any) -> Any:
    return field


class PoseLoader:
    """Brings states into one `MjData` of its own, ready to be drawn.

    MuJoCo recomputes there what follows from a pose: bodies, lights, cameras, flexes, tendons.
    `mjx.get_data` leaves lights and cameras at zero, so that pictures come out dark or black.

    Attributes:
        data: The state to draw.
    """

    def __init__(self, model: mujoco.MjModel, options: mujoco.MjvOption) -> None:
        self.data = mujoco.MjData(model)
        self._model = model
        self._changes: dict[str, np.ndarray] | None = None
        self._original: dict[str, np.ndarray] = {}
        self._needs_dynamics = any(options.flags[int(flag)] for flag in _DYNAMIC)
        self._needs_rays = bool(
            options.flags[int(mujoco.mjtVisFlag.mjVIS_RANGEFINDER)]
            and (model.sensor_type == mujoco.mjtSensor.mjSENS_RANGEFINDER).any()
        )
        self._recompute()

    def load(self, state: State) -> bool:
        """Take over a state, which is only read.

        Args:
            state: A single state of this loader's model. The changes of a pose are made in the
                model, until a state has others or none.

        Returns:
            False if the pose is not finite; `data` then keeps the last that was.

        Raises:
            TypeError: `state` is none of the three kinds.
            ValueError: `state` is not a single state of this model.
        """
        try:
            pose = Pose(*(np.asarray(getattr(state, name)) for name in _FIELDS))
        except AttributeError:
            raise TypeError(
                "state must be a mujoco.MjData, an mjx.Data or a Pose, "
                f"got {type(state).__name__}; pass the state's data"
            ) from None
        for name, value in zip(_FIELDS[:-1], pose, strict=False):
            shape = getattr(self.data, name).shape
            if value.shape != shape:
                raise ValueError(
                    f"the state's {name} has shape {value.shape}, the model's has {shape}; "
                    "pass one state at a time, of the model that the renderer was made with"
                )
        if not pose.is_finite():
            return False
        self._change_model(state.changes if isinstance(state, Pose) else None)
        for name in _FIELDS[:-1] if self._needs_dynamics else _PLACES:
            value = getattr(pose, name)
            if value.size:
                getattr(self.data, name)[:] = value
        self.data.time = float(pose.time)
        if self._needs_dynamics and not isinstance(state, Pose):
            self.data.qfrc_applied[:] = np.asarray(state.qfrc_applied)
        self._recompute()
        return True

    def _change_model(self, changes: dict[str, np.ndarray] | None) -> None:
        if changes is self._changes:
            return
        for name, array in self._original.items():
            getattr(self._model, name)[:] = array
        for name, array in (changes or {}).items():
            field = getattr(self._model, name)
            self._original.setdefault(name, field.copy())
            field[:] = array
        self._changes = changes

    def _recompute(self) -> None:
        model, data = self._model, self.data
        if self._needs_dynamics:
            mujoco.mj_forward(model, data)
            return
        mujoco.mj_kinematics(model, data)
        mujoco.mj_comPos(model, data)
        mujoco.mj_camlight(model, data)
        mujoco.mj_flex(model, data)
        mujoco.mj_tendon(model, data)
        if self._needs_rays:
            mujoco.mj_sensorPos(model, data)


# What decides where things are; the rest of a pose is for contacts and forces.
_PLACES = ("qpos", "act", "ctrl", "mocap_pos", "mocap_quat")

# What is drawn from contacts and forces, for which positions alone are not enough.
_DYNAMIC = tuple(
    getattr(mujoco.mjtVisFlag, f"mjVIS_{name}")
    for name in (
        "BODYBVH",
        "CONSTRAINT",
        "CONTACTFORCE",
        "CONTACTPOINT",
        "CONTACTSPLIT",
        "ISLAND",
        "PERTFORCE",
        "SDFITER",
    )
    if hasattr(mujoco.mjtVisFlag, f"mjVIS_{name}")
)
