"""How Gymnasium's MuJoCo environments paint themselves without a display.

Gymnasium reads MUJOCO_GL when an environment paints for the first time. Where that is unset it
tries GLFW before EGL, and prints what GLFW says to that; and what it chose stays current on the
thread, so that the next environment there paints with it, too. A variable belongs to the whole
process and all its threads, so it is left alone: the viewer is put in place before Gymnasium makes
its own.
"""

import os
import weakref
from typing import Any

from gymnasium.envs.mujoco.mujoco_rendering import OffScreenViewer

from ..mujoco import free_drawing, gl

_MODE = "rgb_array"


def paint_without_window(renderer: Any) -> None:
    """Let a renderer of Gymnasium's draw without a window, on any thread.

    One that has drawn before goes on as it did.

    Args:
        renderer: A `gymnasium.envs.mujoco.mujoco_rendering.MujocoRenderer`.

    Raises:
        BackendUnavailableError: No GL platform works here.
    """
    if _MODE not in renderer._viewers:
        renderer.viewer = renderer._viewers[_MODE] = _Viewer(renderer)
        renderer._set_cam_config()


class _Viewer(OffScreenViewer):
    """Gymnasium's viewer with a GL context of ours."""

    def __init__(self, renderer: Any) -> None:
        self.context = gl.open_context()
        # MuJoCo's own context frees what it has in whatever GL context is current then.
        self._release: weakref.finalize[..., Any] = weakref.finalize(self, self.context.close)
        with self.context.current():
            super().__init__(
                renderer.model,
                renderer.data,
                renderer.width,
                renderer.height,
                renderer.max_geom,
                renderer._vopt,
            )
        self._release.detach()
        self._release = weakref.finalize(self, free_drawing, self.context, self.con, os.getpid())

    def _get_opengl_backend(self, width: int, height: int) -> None:
        self.backend = self.context.platform

    def make_context_current(self) -> None:
        """Nothing: it is current only while something is drawn."""

    def render(self, *args: Any, **kwargs: Any) -> Any:
        """As Gymnasium's."""
        if not self._release.alive:
            raise RuntimeError("this environment is closed; make a new one")
        with self.context.current():
            return super().render(*args, **kwargs)

    def free(self) -> None:
        """Free both contexts. May be called twice."""
        self._release()

    def close(self) -> None:
        """As `free`, without an end to windows of others that GLFW has open."""
        self.free()

    def __del__(self) -> None:
        """Nothing: the context is freed with the viewer, even one that was never whole."""
