"""MJCF scenes without an environment around them, stepped by plain MuJoCo: nothing is compiled."""

from collections.abc import Iterator
from dataclasses import dataclass
from os import PathLike
from typing import Any, Literal

import jax
import numpy as np

from ..acting import CHUNK, PyTree, Rollout
from ..mujoco import INSIDE, check_mjcf
from .base import Painter, PixelFormat, Source, reject_tiles

_SECONDS_PER_STEP = 0.02
_MAX_FRAME_SKIP = 10_000


class MujocoScene:
    """A MuJoCo model that is simulated as it is, for `record`.

    It starts in its first keyframe, if it has one, and never ends.

    Args:
        model: A `mujoco.MjModel`, or the path of an MJCF file.
        controls: `"sampled"` draws each control uniformly from its range (from a standard normal
            distribution where it has none) for each step; `"passive"` leaves all at 0.
        frame_skip: Simulation steps between two frames; as many as come nearest to 0.02 seconds
            where `None`.
        assets: Where the files may lie that an MJCF file includes, and its meshes and textures:
            `"inside"` its own folder, `"anywhere"`, or a folder. A model is taken as it is.

    Attributes:
        model: The `mujoco.MjModel`.
        controls: As given.
        frame_skip: Simulation steps between two frames.
        dt: Seconds between two frames.

    Raises:
        ValueError: `controls` is neither, `frame_skip` is not positive, the file is no MJCF, it
            refers to a file where none may lie, it asks for a model that would take all memory, or
            its time step is so short that a frame would take for ever.
        FileNotFoundError: There is no file of that name.
    """

    def __init__(
        self,
        model: Any | str | PathLike[str],
        controls: Literal["sampled", "passive"] = "sampled",
        frame_skip: int | None = None,
        assets: str | PathLike[str] = INSIDE,
    ) -> None:
        import mujoco

        if controls not in ("sampled", "passive"):
            raise ValueError(f"controls must be 'sampled' or 'passive', got {controls!r}")
        if frame_skip is not None and frame_skip < 1:
            raise ValueError(f"frame_skip must be at least 1, got {frame_skip}")
        if isinstance(model, str | PathLike):
            # MuJoCo reports a missing file as a ValueError that quotes its own source code.
            with open(model, "rb"):
                pass
            check_mjcf(model, assets)
            model = mujoco.MjModel.from_xml_path(str(model))
        if not isinstance(model, mujoco.MjModel):
            raise ValueError(f"model must be a mujoco.MjModel or a path, got {model!r}")
        self.model = model
        self.controls = controls
        timestep = model.opt.timestep
        if frame_skip is None and not timestep >= _SECONDS_PER_STEP / _MAX_FRAME_SKIP:
            raise ValueError(
                f"the model's time step is {timestep:g} s, more than {_MAX_FRAME_SKIP} steps a "
                "frame; give frame_skip, or the model a longer timestep"
            )
        self.frame_skip = frame_skip or max(1, round(_SECONDS_PER_STEP / timestep))
        self.dt = timestep * self.frame_skip


@dataclass(frozen=True)
class Mjcf(Source):
    """A `MujocoScene`."""

    def capture(self, env: MujocoScene, state: PyTree) -> PyTree:
        """Return the pose of a `mujoco.MjData`."""
        from ..mujoco import Pose

        return Pose.of(state)

    def chunks(
        self,
        env: MujocoScene,
        policy: Any | None,
        *,
        steps: int,
        key: jax.Array | None,
        deterministic: bool,
        tiles: int | None = None,
    ) -> Iterator[Rollout]:
        """Yield poses from plain MuJoCo's simulation.

        Raises:
            TypeError: A policy was given: a scene has no observations.
        """
        import mujoco

        reject_tiles(tiles, "a MujocoScene")
        if policy is not None:
            raise TypeError(f"a MujocoScene has no observations for a policy, got {policy!r}")
        seed = 0 if key is None else np.asarray(jax.random.key_data(key)).ravel()
        random = np.random.default_rng(seed)
        data = mujoco.MjData(env.model)
        if env.model.nkey:
            mujoco.mj_resetDataKeyframe(env.model, data, 0)
        mujoco.mj_forward(env.model, data)
        for start in range(0, steps, CHUNK):
            poses = []
            for step in range(start, min(start + CHUNK, steps)):
                if step:
                    if env.controls == "sampled":
                        data.ctrl[:] = _sampled_controls(env.model, random)
                    mujoco.mj_step(env.model, data, env.frame_skip)
                poses.append(jax.tree.map(np.array, self.capture(env, data)))
            flags = np.zeros(len(poses), bool)
            starts = flags.copy()
            starts[0] = start == 0
            states = jax.tree.map(lambda *parts: np.stack(parts), *poses)
            yield Rollout(states, np.zeros(len(poses), np.float32), flags, flags, starts)

    def painter(
        self,
        env: MujocoScene,
        width: int,
        height: int,
        *,
        camera: Any | None,
        quality: str,
        pixel_format: PixelFormat,
        workers: int = 1,
    ) -> Painter:
        """Return a painter with a GL context of its own."""
        from .mujoco import PosePainter

        return PosePainter(env.model, width, height, camera, quality, workers)


def match(env: Any) -> Source | str:
    """Match `MujocoScene`."""
    return Mjcf() if isinstance(env, MujocoScene) else "a MujocoScene"


def _sampled_controls(model: Any, random: np.random.Generator) -> np.ndarray:
    low, high = model.actuator_ctrlrange.T
    limited = model.actuator_ctrllimited.astype(bool)
    controls: np.ndarray = np.where(
        limited, random.uniform(low, high), random.standard_normal(model.nu)
    )
    return controls
