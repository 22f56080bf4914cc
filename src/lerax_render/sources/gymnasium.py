"""Gymnasium environments inside Lerax's `GymToLeraxEnv`, painted by themselves.

Such an environment lives on the host: its state is not in the Lerax state, and a picture of it can
only be taken between two steps. So it is stepped one by one, and what is captured is the picture.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, override

import numpy as np

from ..errors import RenderError, UnsupportedEnvError
from ..paint2d import Fitter, offscreen_display
from ..painter import Painter
from ..replay import Replay
from ..scene import Captured, Scene
from ..trees import row
from .base import HostSource, HostStep, PixelScene
from .stability import watched


@dataclass(frozen=True)
class Gymnasium(HostSource):
    """A Gymnasium environment made with `render_mode="rgb_array"`."""

    kind: ClassVar[str] = "a Gymnasium environment"
    part: ClassVar[int] = 8  # frames, of a megabyte each

    @override
    def scene(self, env: Any) -> Scene:
        return PixelScene(
            lambda width, height: FramePainter(Fitter(width, height)),
            f"{self.kind}, which paints itself,",
        )

    @override
    def step_through(
        self, env: Any, policy: Any | None, *, steps: int, key: Any, deterministic: bool
    ) -> Iterator[HostStep]:
        """Yield steps of which a frame is captured, as the environment paints it."""
        from ..acting import stepwise

        inner = env.unwrapped.env
        taken = stepwise(env, policy, steps=steps, key=key, deterministic=deterministic)
        data = getattr(inner.unwrapped, "data", None)
        for _, step in watched(taken, inner.spec.id if inner.spec else self.kind, data):
            yield HostStep(
                _frame(inner),
                float(step.rewards),
                bool(step.terminated),
                bool(step.truncated),
                bool(step.episode_starts),
            )

    @override
    def stacked(self, captured: Sequence[np.ndarray]) -> Captured:
        return row(captured)

    @override
    def replays_of(self, env: Any, states: Any) -> Iterator[Replay]:
        """Not possible: a `GymEnvState` holds nothing that a picture could be made of.

        Raises:
            UnsupportedEnvError: Always.
        """
        raise UnsupportedEnvError(
            "states of a Gymnasium environment hold only its observations, so they cannot be "
            "rendered afterwards; record(env, policy) takes the pictures while it steps"
        )

    @override
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

    @override
    def paint(self, captured: np.ndarray) -> Iterator[np.ndarray]:
        yield from map(self._fitter.fit, captured)


def match(env: Any) -> Gymnasium | str:
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
    return Gymnasium()


def _frame(inner: Any) -> np.ndarray:
    mujoco_renderer = getattr(inner.unwrapped, "mujoco_renderer", None)
    if mujoco_renderer is not None:
        # Here and not above: it loads Gymnasium's MuJoCo environments.
        from .gymnasium_viewer import paint_without_window

        paint_without_window(mujoco_renderer)
    # Gymnasium's classic environments call pygame.init(), which would open audio devices.
    with offscreen_display():
        frame = inner.render()
    if not isinstance(frame, np.ndarray):
        raise RenderError(
            f"the Gymnasium environment's render() gave {type(frame).__name__}, not a frame"
        )
    return frame
