"""A GL platform to start from: what `gl` asks of one, in as few lines as it takes.

It is a real one, EGL on Mesa's "surfaceless" platform, and passes the contract. A new one becomes a
module of `lerax_render.mujoco.gl`, whose imports are relative then, and a row of `gl.PLATFORMS`.
"""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

from lerax_render.errors import RenderError
from lerax_render.mujoco.gl.context import Context, PlatformFailure

REMEDY = "apt-get install -y libegl1 libegl-mesa0 libgl1-mesa-dri"
_NAME = "libEGL.so.1"

_SURFACELESS, _OPENGL_API = 0x31DD, 0x30A2
_PLAIN = (ctypes.c_int * 5)(0x3033, 0x0001, 0x3040, 0x0008, 0x3038)  # pbuffers, desktop GL


def open_context() -> "SurfacelessContext":
    """Open a context, or raise `PlatformFailure` with the reason and the remedy."""
    try:
        # RTLD_GLOBAL, since MuJoCo looks for its GL functions among what is loaded.
        library = ctypes.CDLL(_NAME, mode=ctypes.RTLD_GLOBAL)
    except OSError as error:
        raise PlatformFailure(f"libEGL cannot be loaded: {error}", REMEDY) from None
    for function in (
        library.eglCreateContext,
        library.eglGetCurrentContext,
        library.eglGetCurrentDisplay,
        library.eglGetPlatformDisplay,
        library.eglGetProcAddress,
    ):
        function.restype = ctypes.c_void_p
    return SurfacelessContext(library)


class SurfacelessContext(Context):
    """A GL context without any surface."""

    platform = "surfaceless"

    def __init__(self, library: ctypes.CDLL) -> None:
        self._egl = library
        self._handle: int | None = None
        display = library.eglGetPlatformDisplay(_SURFACELESS, None, None)
        self._display = ctypes.c_void_p(display)
        config, count = ctypes.c_void_p(), ctypes.c_int()
        if not library.eglInitialize(self._display, None, None):
            raise PlatformFailure("its driver does not start", REMEDY)
        library.eglChooseConfig(self._display, _PLAIN, ctypes.byref(config), 1, ctypes.byref(count))
        library.eglBindAPI(_OPENGL_API)
        self._handle = library.eglCreateContext(self._display, config, None, None)
        if not self._handle:
            raise PlatformFailure("it makes no context", REMEDY)
        # Fills in `renderer` and `max_size`.
        if not self._describe(library.eglGetProcAddress):
            self.close()
            raise PlatformFailure("its OpenGL does not answer", REMEDY)

    @property
    def is_current(self) -> bool:
        """See `Context.is_current`."""
        return bool(self._handle) and self._egl.eglGetCurrentContext() == self._handle

    @contextmanager
    def current(self) -> Iterator[None]:
        """See `Context.current`."""
        before = self._egl.eglGetCurrentContext()
        if not self._make_current(self._handle):
            raise RenderError("EGL refuses to make the context current")
        try:
            yield
        finally:
            self._make_current(before)

    def close(self) -> None:
        """See `Context.close`."""
        if self._handle:
            self._egl.eglDestroyContext(self._display, ctypes.c_void_p(self._handle))
        self._handle = None

    def _make_current(self, handle: int | None) -> bool:
        return bool(self._egl.eglMakeCurrent(self._display, None, None, ctypes.c_void_p(handle)))
