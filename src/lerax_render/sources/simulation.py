"""MuJoCo models without an environment around them, stepped by plain MuJoCo."""

import importlib
import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, override

import numpy as np
from numpy.typing import ArrayLike

from ..errors import BackendUnavailableError, UnsupportedEnvError
from ..replay import Replay
from ..scene import Scene
from ..settings import check_whole
from .base import EpisodeRun
from .host import HostSource, HostStep, key_numbers
from .stability import watched, without_log

# Not at run time: 2D clips, which come by here, need no MuJoCo.
if TYPE_CHECKING:
    from ..mujoco import Pose

type Controller = Callable[[Any, Any], ArrayLike | None]
"""Called with the `mujoco.MjModel` and the `mujoco.MjData`."""

_SECONDS_PER_STEP = 0.02
_MAX_FRAME_SKIP = 10_000


class Simulation:
    """A MuJoCo model that is stepped as it is, for `record` and `capture`.

    It starts in the model's first keyframe, if there is one, and never ends.

    Args:
        model: A `mujoco.MjModel`, or the path of an MJCF file, of a URDF file, or of a compiled
            model (`*.mjb`).
        controls: What drives it. `"sampled"` draws each control uniformly from its range (from a
            standard normal distribution where it has none) for each step; `"passive"` leaves all at
            0. An array `(steps - 1, nu)` has the controls that lead from each step to the next. A
            function of model and data is called before each step of the physics, as MuJoCo's own
            control callback is: it sets `data.ctrl`, or returns the controls, `(nu,)`.
        frame_skip: Steps of the physics between two frames; as many as come nearest to 0.02 seconds
            where `None`.
        assets: `None` trusts an MJCF file. For one from a stranger: the folder that the files it
            includes, its meshes and its textures have to be in, `"inside"` for its own. The size of
            the model is limited then, too. A `mujoco.MjModel` is taken as it is.
        qpos: A trajectory `(steps, nq)` to be shown as it is, instead of a simulation.
        dt: Seconds between two rows of `qpos`; those of `frame_skip` steps of the physics where
            `None`.

    Attributes:
        model: The `mujoco.MjModel`.
        name: The file's name without suffix, or the model's own.
        controls: As given.
        frame_skip: Steps of the physics between two frames.
        qpos: `float64 (steps, nq)`, or `None`.
        dt: Seconds between two frames.

    Raises:
        ValueError: An argument is none of these or has the wrong shape, MuJoCo does not take
            the file, it asks for more than `assets` allows, or its time step is so short that a
            frame would take for ever.
        FileNotFoundError: There is no file of that name.
    """

    def __init__(
        self,
        model: Any | str | PathLike[str],
        controls: Literal["sampled", "passive"] | ArrayLike | Controller = "sampled",
        frame_skip: int | None = None,
        assets: str | PathLike[str] | None = None,
        *,
        qpos: ArrayLike | None = None,
        dt: float | None = None,
    ) -> None:
        _import_mujoco()
        import mujoco

        if frame_skip is not None and check_whole("frame_skip", frame_skip) < 1:
            raise ValueError(f"frame_skip must be at least 1, got {frame_skip}")
        if isinstance(controls, str) and controls not in ("sampled", "passive"):
            raise ValueError(
                f"controls must be 'sampled', 'passive', an array or a function, got {controls!r}"
            )
        name = None
        if isinstance(model, str | PathLike):
            name = Path(fspath(model)).stem
            # MuJoCo reports a missing file as a ValueError that quotes its own source code.
            with open(model, "rb"):
                pass
            if assets is not None:
                from ..mujoco import check_mjcf

                check_mjcf(model, assets)
            model = _loaded(fspath(model), trusted=assets is None)
        if not isinstance(model, mujoco.MjModel):
            raise ValueError(f"model must be a mujoco.MjModel or a path, got {model!r}")
        self.model = model
        # A model's names lie one after the other, its own first.
        self.name = name or model.names.partition(b"\0")[0].decode(errors="replace") or "model"
        self.controls = (
            controls
            if isinstance(controls, str) or callable(controls)
            else _rows("controls", controls, model.nu, "nu")
        )
        self.qpos = None if qpos is None else _rows("qpos", qpos, model.nq, "nq")
        timestep = model.opt.timestep
        if frame_skip is None and not timestep >= _SECONDS_PER_STEP / _MAX_FRAME_SKIP:
            raise ValueError(
                f"the model's time step is {timestep:g} s, more than {_MAX_FRAME_SKIP} steps a "
                "frame; give frame_skip, or the model a longer timestep"
            )
        self.frame_skip = frame_skip or max(1, round(_SECONDS_PER_STEP / timestep))
        if dt is not None and qpos is None:
            raise ValueError("dt is the time between rows of qpos; without one, give frame_skip")
        self.dt = timestep * self.frame_skip if dt is None else float(dt)
        if not 0 < self.dt < np.inf:
            raise ValueError(f"dt must be a number of seconds above 0, got {dt!r}")

    @property
    def most_steps(self) -> int | None:
        """How many steps there are to show, or `None` for any number."""
        if self.qpos is not None:
            return len(self.qpos)
        return len(self.controls) + 1 if isinstance(self.controls, np.ndarray) else None


@dataclass(frozen=True)
class SimulationSource(HostSource):
    """A `Simulation`."""

    kind: ClassVar[str] = "a Simulation"

    @override
    def scene(self, env: Simulation) -> Scene:
        from ..mujoco import MujocoScene

        return MujocoScene(env.model)

    @override
    def default_steps(self, env: Simulation) -> int:
        return env.most_steps or super().default_steps(env)

    @override
    def num_values(self, env: Simulation) -> dict[str, int | None]:
        actions = env.model.nu if env.qpos is None else 0
        return {**super().num_values(env), "obs": 0, "action": actions}

    @override
    def copies(self, env: Simulation, count: int, open_ones: ExitStack) -> Sequence[Simulation]:
        """Return the same one so often, since each rollout has an `MjData` of its own."""
        return [env] * count

    @override
    def step_through(
        self, env: Simulation, policy: Any | None, *, steps: int, key: Any, deterministic: bool
    ) -> Iterator[HostStep]:
        """Yield poses from plain MuJoCo's simulation.

        Raises:
            TypeError: A policy was given: a simulation has no observations.
            ValueError: There are fewer controls or positions than steps.
        """
        if policy is not None:
            raise TypeError(f"a Simulation has no observations for a policy, got {policy!r}")
        most = env.most_steps
        if most is not None and steps > most:
            what = "controls" if env.qpos is None else "positions"
            raise ValueError(
                f"steps must be at most {most}, for which there are {what}, got {steps}"
            )
        return _simulated(env, steps, key) if env.qpos is None else _shown(env, env.qpos[:steps])

    @override
    def episodes(self, env: Simulation, policy: Any | None, **how: Any) -> EpisodeRun:
        """Not possible.

        Raises:
            UnsupportedEnvError: Always.
        """
        raise UnsupportedEnvError(
            "a Simulation never ends and earns nothing, so that it has no episodes to count or to "
            "pick from: give steps, and key for another run"
        )

    @override
    def replays_of(self, env: Simulation, states: Any) -> Iterator[Replay]:
        """Capture `mujoco.MjData`s, or whatever has the fields of a `Pose`."""
        from ..mujoco import Pose

        scene = self.scene(env)
        found = iter(states)
        return (
            Replay(scene, self.stacked([single(Pose.of(state)) for state in part]), env.dt)
            for part in _batched(found, self.part)
        )


def match(env: Any) -> SimulationSource | str:
    """Match `Simulation`."""
    return SimulationSource() if isinstance(env, Simulation) else "a Simulation"


def _loaded(path: str, *, trusted: bool) -> Any:
    """Return the `mujoco.MjModel` in a file."""
    import mujoco

    is_compiled = path.lower().endswith(".mjb")
    load = mujoco.MjModel.from_binary_path if is_compiled else mujoco.MjModel.from_xml_path
    if trusted and path.lower().endswith(".urdf"):
        from ..mujoco import read_urdf

        load = read_urdf
    try:
        with without_log():
            return load(path)
    except ValueError as error:
        words = " ".join(str(error).split())
        if "mujocoinclude" in words:
            raise ValueError(
                f"{path} is meant to be included by a scene, and is no model by itself: give the "
                "file of a scene that has <include> with this one"
            ) from error
        if is_compiled:
            words += (
                f"; it is damaged, or of another MuJoCo than {mujoco.__version__}: compile it anew "
                "from its MJCF, or give that"
            )
        raise ValueError(f"MuJoCo cannot load {path}: {words}") from error


def _simulated(env: Simulation, steps: int, key: Any) -> Iterator[HostStep]:
    import mujoco

    from ..mujoco import Pose

    random = np.random.default_rng(key_numbers(key))
    model, data, controls = env.model, mujoco.MjData(env.model), env.controls

    def taken() -> Iterator[HostStep]:
        if model.nkey:
            mujoco.mj_resetDataKeyframe(model, data, 0)
        mujoco.mj_forward(model, data)
        for step in range(steps):
            if step and callable(controls):
                for _ in range(env.frame_skip):
                    wanted = controls(model, data)
                    if wanted is not None:
                        data.ctrl[:] = wanted
                    mujoco.mj_step(model, data)
            elif step:
                if isinstance(controls, np.ndarray):
                    data.ctrl[:] = controls[step - 1]
                elif controls == "sampled":
                    data.ctrl[:] = _sampled_controls(model, random)
                mujoco.mj_step(model, data, env.frame_skip)
            pose = single(Pose.of(data))
            action = pose.ctrl if step else np.zeros_like(pose.ctrl)
            yield HostStep(pose, starts=step == 0, action=action)

    return watched(taken(), env.name, data)


def _shown(env: Simulation, qpos: np.ndarray) -> Iterator[HostStep]:
    import mujoco

    from ..mujoco import Pose

    pose = single(Pose.of(mujoco.MjData(env.model)))
    for step, row in enumerate(qpos):
        time = np.array(step * env.dt, np.float32)
        yield HostStep(pose._replace(qpos=row.astype(np.float32), time=time), starts=step == 0)


def _import_mujoco() -> None:
    try:
        importlib.import_module("mujoco")
    # It loads what MUJOCO_GL names, and fails in as many ways.
    except Exception as error:
        from ..mujoco import gl

        remedy = f"; {gl.VARIABLE_REMEDY}" if "MUJOCO_GL" in os.environ else ""
        raise BackendUnavailableError(f"importing mujoco failed: {error}{remedy}") from error


def single(pose: "Pose") -> "Pose":
    """Return a pose in single precision, as JAX's are."""
    arrays = map(np.asarray, pose[:-1])
    return type(pose)(*(x.astype(np.float32) if x.dtype == np.float64 else x for x in arrays))


def _batched(states: Iterator[Any], length: int) -> Iterator[tuple[Any, ...]]:
    first = next(states, None)
    if first is None:
        raise ValueError("states is empty: there is nothing to render")
    return itertools.batched(itertools.chain([first], states), length, strict=False)


def _rows(name: str, values: ArrayLike, width: int, size: str) -> np.ndarray:
    rows = np.array(values, np.float64)
    if rows.ndim != 2 or rows.shape[1] != width or not len(rows):
        raise ValueError(
            f"{name} must have the shape (steps, {width}), since the model's {size} is {width}; "
            f"got {rows.shape}"
        )
    return rows


def _sampled_controls(model: Any, random: np.random.Generator) -> np.ndarray:
    low, high = model.actuator_ctrlrange.T
    limited = model.actuator_ctrllimited.astype(bool)
    controls: np.ndarray = np.where(
        limited, random.uniform(low, high), random.standard_normal(model.nu)
    )
    return controls
