"""Gymnax environments inside Lerax's `GymnaxToLeraxEnv`, painted by what gymnax has for it.

The rollout is compiled like any other. Gymnax draws its classic-control environments through
Gymnasium's, by setting their state, in a way that Gymnasium has since removed; here the same is
done as Gymnasium now wants it. It draws all others with matplotlib, through `gymnax.visualize`.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, override

import numpy as np

from ..acting import unstacked
from ..errors import BackendUnavailableError, UnsupportedEnvError
from ..paint2d import Fitter, offscreen_display
from ..painter import Painter
from ..scene import Captured, Scene
from ..trees import row
from .base import CompiledSource, PixelScene

if TYPE_CHECKING:
    from ..acting import PyTree

_DPI = 100.0

# Gymnax's name of a classic-control environment: the attributes of Gymnasium's that its picture
# depends on, and where gymnax keeps their values.
_CLASSIC: dict[str, dict[str, str]] = {
    "Acrobot-v1": {"LINK_LENGTH_1": "link_length_1", "LINK_LENGTH_2": "link_length_2"},
    "CartPole-v1": {"x_threshold": "x_threshold", "length": "length"},
    "MountainCar-v0": {
        "max_position": "max_position",
        "min_position": "min_position",
        "goal_position": "goal_position",
    },
    "MountainCarContinuous-v0": {
        "max_position": "max_position",
        "min_position": "min_position",
        "goal_position": "goal_position",
    },
    "Pendulum-v1": {},
}


@dataclass(frozen=True)
class Gymnax(CompiledSource):
    """A Gymnax environment."""

    @override
    def scene(self, env: Any) -> Scene:
        return PixelScene(partial(_open_painter, env), "a Gymnax environment")

    @override
    def capture(self, env: Any, state: "PyTree") -> "PyTree":
        """Return gymnax's own state."""
        return state.unwrapped.env_state

    @override
    def on_host(self, env: Any, captured: "PyTree") -> Captured:
        return row(unstacked(captured))


def _open_painter(env: Any, width: int, height: int) -> Painter:
    """Open a painter for this environment.

    Raises:
        UnsupportedEnvError: Gymnax has no drawing for it.
    """
    inner, params = env.unwrapped.env, env.unwrapped.params
    try:
        if inner.name in _CLASSIC:
            return _ClassicPainter(inner.name, params, Fitter(width, height))
        return _VisualizerPainter(inner, params, width, height)
    except ModuleNotFoundError as error:
        raise BackendUnavailableError(
            f"drawing Gymnax environments needs the package {error.name}: "
            "pip install 'lerax-render[gymnax]'"
        ) from error


class _ClassicPainter(Painter):
    def __init__(self, name: str, params: Any, fitter: Fitter) -> None:
        import gymnasium
        from gymnax.visualize import vis_gym

        self._name = name
        self._fitter = fitter
        self._state_of = vis_gym.get_gym_state
        self._env: Any = gymnasium.make(name, render_mode="rgb_array").unwrapped
        for attribute, parameter in _CLASSIC[name].items():
            setattr(self._env, attribute, float(getattr(params, parameter)))

    @override
    def paint(self, captured: np.ndarray) -> Iterator[np.ndarray]:
        for state in captured:
            numbers = np.asarray(self._state_of(state, self._name), np.float64).reshape(-1)
            if self._name == "Pendulum-v1":
                self._env.last_u = numbers[2]
                numbers = numbers[:2]
            self._env.state = numbers
            with offscreen_display():
                frame = self._env.render()
            yield self._fitter.fit(frame)

    @override
    def close(self) -> None:
        with offscreen_display():
            self._env.close()


class _VisualizerPainter(Painter):
    def __init__(self, env: Any, params: Any, width: int, height: int) -> None:
        # Figure and FigureCanvasAgg rather than pyplot: its figures belong to the user's program,
        # and its backend may want a display.
        from gymnax.visualize.visualizer import Visualizer
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        self._visualizer = visualizer = object.__new__(Visualizer)
        visualizer.env, visualizer.env_params = env, params
        visualizer.state_seq, visualizer.reward_seq = [None], None
        visualizer.fig = Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI)
        visualizer.ax = visualizer.fig.subplots()
        self._canvas = FigureCanvasAgg(visualizer.fig)
        self._frames = 0

    @override
    def paint(self, captured: np.ndarray) -> Iterator[np.ndarray]:
        visualizer = self._visualizer
        for state in captured:
            visualizer.state_seq[0] = state
            if self._frames == 0:
                self._begin()
            visualizer.update(0)
            visualizer.ax.set_title(f"{visualizer.env.name}: step {self._frames}", fontsize=15)
            self._frames += 1
            self._canvas.draw()
            yield np.array(np.asarray(self._canvas.buffer_rgba())[:, :, :3])

    def _begin(self) -> None:
        self._visualizer.init()
        self._visualizer.ax.set_aspect("equal")
        if not hasattr(self._visualizer, "im"):
            raise UnsupportedEnvError(
                f"gymnax.visualize has no drawing for {self._visualizer.env.name}"
            )


def match(env: Any) -> Gymnax | str:
    """Match `GymnaxToLeraxEnv`, wrapped or not."""
    module = sys.modules.get("lerax.compatibility.gymnax")
    if module is None or not isinstance(getattr(env, "unwrapped", env), module.GymnaxToLeraxEnv):
        return "Lerax's GymnaxToLeraxEnv"
    return Gymnax()
