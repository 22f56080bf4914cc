"""What MuJoCo draws with in a GL context: made, and freed in the same one."""

import logging
import os

import mujoco

from ..errors import BackendUnavailableError
from . import gl as _gl

_logger = logging.getLogger("lerax_render.mujoco.drawing")


def make_drawing(model: mujoco.MjModel, context: _gl.Context) -> mujoco.MjrContext:
    """MuJoCo's own context, inside the current GL context."""
    try:
        drawing = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_150.value)
    except mujoco.FatalError as error:
        raise BackendUnavailableError(
            f"MuJoCo cannot draw {model.vis.global_.offwidth}x{model.vis.global_.offheight} pixels "
            f"on {context.platform} ({context.renderer}): {error}. Ask for a smaller picture or a "
            "lower quality; and if this process has drawn on another GL platform before, start a "
            "new one, since MuJoCo keeps to its first"
        ) from error
    mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN.value, drawing)
    drawing.readDepthMap = mujoco.mjtDepthMap.mjDEPTH_ZEROFAR.value
    return drawing


def free_drawing(context: _gl.Context, drawing: mujoco.MjrContext, pid: int) -> None:
    """Free what process `pid` draws with, on whatever thread the garbage collector has chosen."""
    if os.getpid() != pid:
        return  # a forked child has no threads left to draw, and its parent owns the context
    try:
        with context.current():
            drawing.free()
    except Exception as error:  # at exit, another library may have ended EGL before
        _logger.debug("a GL context could not be freed: %s", error)
    context.close()
