"""Where MuJoCo draws: a framebuffer and a shadow map, in a GL context."""

import ctypes
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import mujoco
import numpy as np

from ..gl import Context, is_software

_CLAMP_VERTEX_COLOR = 0x891A
_SHADOW_UNIT, _TEXTURE_2D = 0x84C1, 0x0DE1
_DEPTH_COMPONENT24, _DEPTH_COMPONENT, _UNSIGNED_INT = 0x81A6, 0x1902, 0x1405
_ENUM, _NUMBER = ctypes.c_uint, ctypes.c_int


class Canvas:
    """Draws scenes, and reads the picture.

    Args:
        context: The GL context.
        drawing: MuJoCo's own, in it.

    Attributes:
        drawing: As given. Its `shadowSize` may be changed to another that the GL has memory for.
    """

    def __init__(self, context: Context, drawing: mujoco.MjrContext) -> None:
        self.drawing = drawing
        self._context = context
        # MuJoCo's map has a stencil that nothing uses, and that makes clearing slower on a CPU. So
        # the map is made anew there.
        self._shadow_size = 0 if is_software(context.renderer) else drawing.shadowSize

    def current(self) -> AbstractContextManager[None]:
        """Be drawn on for the time of the context, which all else here needs."""
        return self._context.current()

    def draw(self, scene: mujoco.MjvScene, part: mujoco.MjrRect) -> None:
        """Draw a scene's picture into a part, and leave the rest as it is."""
        if self.drawing.shadowSize != self._shadow_size:
            self._make_shadow_map()
        mujoco.mjr_render(part, scene, self.drawing)

    def read(
        self, part: mujoco.MjrRect, colours: np.ndarray | None, depth: np.ndarray | None = None
    ) -> None:
        """Read a part into arrays of its size, row 0 below."""
        mujoco.mjr_readPixels(colours, depth, part, self.drawing)

    @property
    def can_add_light(self) -> bool:
        """Whether `unclamped` is known here."""
        return self._context.has("glClampColor")

    @contextmanager
    def unclamped(self) -> Iterator[None]:
        """Let several lights be brighter than white together, before textures darken them.

        As in MuJoCo's pictures with shadows, which it draws light by light.
        """
        self._context.call("glClampColor", (_ENUM, _ENUM), _CLAMP_VERTEX_COLOR, 0)
        try:
            yield
        finally:
            self._context.call("glClampColor", (_ENUM, _ENUM), _CLAMP_VERTEX_COLOR, 1)

    def _make_shadow_map(self) -> None:
        size, call = self.drawing.shadowSize, self._context.call
        call("glActiveTexture", (_ENUM,), _SHADOW_UNIT)
        call("glBindTexture", (_ENUM, _ENUM), _TEXTURE_2D, self.drawing.shadowTex)
        call(
            "glTexImage2D",
            (_ENUM, *[_NUMBER] * 5, _ENUM, _ENUM, ctypes.c_void_p),
            *(_TEXTURE_2D, 0, _DEPTH_COMPONENT24, size, size, 0),
            *(_DEPTH_COMPONENT, _UNSIGNED_INT, None),
        )
        self._shadow_size = size
