"""Gymnasium environments inside Lerax's `GymToLeraxEnv`, painted by themselves.

Such an environment lives on the host: its state is not in the Lerax state, and a picture of it can
only be taken between two steps. So it is stepped one by one, and what is captured is the picture.
"""

import dataclasses
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from ..acting import PyTree, Rollout, stepwise
from ..errors import RenderError, UnsupportedEnvError
from ..mujoco.gl import open_context
from ..paint2d import Fitter, offscreen_display
from .base import Painter, PixelFormat, Source, reject_camera, reject_tiles

_FRAMES_AT_ONCE = 8


@dataclass(frozen=True)
class Gym(Source):
    """A Gymnasium environment made with `render_mode="rgb_array"`."""

    def capture(self, env: Any, state: PyTree) -> PyTree:
        """Not possible: a `GymEnvState` holds nothing that a picture could be made of.

        Raises:
            UnsupportedEnvError: Always.
        """
        raise UnsupportedEnvError(
            "states of a Gymnasium environment hold only its observations, so they cannot be "
            "rendered afterwards; record(env, policy) takes the pictures while it steps"
        )

    def chunks(
        self,
        env: Any,
        policy: Any | None,
        *,
        steps: int,
        key: jax.Array | None,
        deterministic: bool,
        tiles: int | None = None,
    ) -> Iterator[Rollout]:
        """Yield a few steps at a time, whose `states` are frames as the environment paints them."""
        reject_tiles(tiles, "a Gymnasium environment")
        inner = env.unwrapped.env
        taken: list[Rollout] = []
        for _, step in stepwise(env, policy, steps=steps, key=key, deterministic=deterministic):
            taken.append(dataclasses.replace(step, states=_frame(inner)))
            if len(taken) == _FRAMES_AT_ONCE:
                yield _stacked(taken)
                taken = []
        if taken:
            yield _stacked(taken)

    def painter(
        self,
        env: Any,
        width: int,
        height: int,
        *,
        camera: Any | None,
        quality: str,
        pixel_format: PixelFormat,
        workers: int = 1,
    ) -> Painter:
        """Return a painter that fits the environment's own frames to the size."""
        reject_camera(camera, "a Gymnasium environment, which paints itself,")
        return FramePainter(Fitter(width, height))

    def seconds_per_step(self, env: Any) -> float | None:
        """Return what the environment says of its frame rate."""
        inner = env.unwrapped.env
        own = super().seconds_per_step(inner)
        fps = inner.metadata.get("render_fps")
        return own or (1 / fps if fps else None)


class FramePainter(Painter):
    """Fits frames that were painted elsewhere."""

    def __init__(self, fitter: Fitter) -> None:
        self._fitter = fitter

    def paint(self, captured: PyTree) -> Iterator[np.ndarray]:
        """Yield each of `uint8 (T, h, w, 3)`, fitted."""
        yield from map(self._fitter.fit, captured)


def match(env: Any) -> Source | str:
    """Match `GymToLeraxEnv`, wrapped or not.

    Raises:
        UnsupportedEnvError: The Gymnasium environment was made without `render_mode="rgb_array"`.
    """
    unwrapped = getattr(env, "unwrapped", env)
    # An instance can exist only where its module has been imported already.
    module = sys.modules.get("lerax.compatibility.gym")
    if module is None or not isinstance(unwrapped, module.GymToLeraxEnv):
        return "Lerax's GymToLeraxEnv"
    mode = unwrapped.env.render_mode
    if mode != "rgb_array":
        raise UnsupportedEnvError(
            f"the Gymnasium environment was made with render_mode={mode!r}; "
            "make it with gymnasium.make(..., render_mode='rgb_array')"
        )
    return Gym()


def _frame(inner: Any) -> np.ndarray:
    # Gymnasium's classic environments call pygame.init(), which would open audio devices.
    with offscreen_display(), _windowless(inner):
        frame = inner.render()
    if not isinstance(frame, np.ndarray):
        raise RenderError(
            f"the Gymnasium environment's render() gave {type(frame).__name__}, not a frame"
        )
    return frame


@contextmanager
def _windowless(inner: Any) -> Iterator[None]:
    """Let a MuJoCo environment that has no viewer yet make one without a display.

    Gymnasium tries GLFW first unless MUJOCO_GL is set, and prints what GLFW says to that.
    """
    viewers = getattr(getattr(inner.unwrapped, "mujoco_renderer", None), "_viewers", True)
    if viewers or "MUJOCO_GL" in os.environ:
        yield
        return
    context = open_context()
    context.close()
    os.environ["MUJOCO_GL"] = context.platform
    try:
        yield
    finally:
        del os.environ["MUJOCO_GL"]


def _stacked(steps: list[Rollout]) -> Rollout:
    chunk: Rollout = jax.tree.map(lambda *parts: np.stack(parts), *steps)
    return chunk
