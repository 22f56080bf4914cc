"""OSMesa: GL on the CPU, into plain memory.

The last choice: Mesa 25.1 dropped it, and Debian has it up to version 13.
"""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ...errors import RenderError
from .context import Context, PlatformFailure

REMEDY = "apt-get install -y libosmesa6"

_NAMES = ("libOSMesa.so.8", "libOSMesa.so.6", "libOSMesa.so")
_RGBA, _UNSIGNED_BYTE = 0x1908, 0x1401
_TYPE = 0x23
# MuJoCo draws into a framebuffer of its own; OSMesa only insists on having one as well.
_SIDE = 16

_Pointer = ctypes.c_void_p
_Int = ctypes.c_int
_Enum = ctypes.c_uint
_SIGNATURES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "OSMesaCreateContextExt": (_Pointer, (_Enum, _Int, _Int, _Int, _Pointer)),
    "OSMesaDestroyContext": (None, (_Pointer,)),
    "OSMesaGetColorBuffer": (
        ctypes.c_ubyte,
        (_Pointer, _Pointer, _Pointer, _Pointer, _Pointer),
    ),
    "OSMesaGetCurrentContext": (_Pointer, ()),
    "OSMesaGetIntegerv": (None, (_Int, _Pointer)),
    "OSMesaGetProcAddress": (_Pointer, (ctypes.c_char_p,)),
    "OSMesaMakeCurrent": (ctypes.c_ubyte, (_Pointer, _Pointer, _Enum, _Int, _Int)),
}


def _load() -> ctypes.CDLL:
    reasons: list[str] = []
    for name in _NAMES:
        try:
            # RTLD_GLOBAL, or MuJoCo would take a libEGL that was tried before for its GL.
            library = ctypes.CDLL(name, mode=ctypes.RTLD_GLOBAL)
        except OSError as error:
            reasons.append(str(error))
            continue
        for function_name, (result, arguments) in _SIGNATURES.items():
            function = getattr(library, function_name)
            function.restype, function.argtypes = result, arguments
        return library
    raise PlatformFailure(f"libOSMesa cannot be loaded: {reasons[0]}", REMEDY)


class OSMesaContext(Context):
    """A GL context that draws into plain memory."""

    platform = "osmesa"

    def __init__(self, library: ctypes.CDLL) -> None:
        self._osmesa = library
        self._buffer = (ctypes.c_ubyte * (4 * _SIDE * _SIDE))()
        self._handle: int | None = library.OSMesaCreateContextExt(_RGBA, 0, 0, 0, None)
        if not self._handle:
            raise PlatformFailure("OSMesa makes no context", REMEDY)
        if not self._describe(library.OSMesaGetProcAddress):
            self.close()
            raise PlatformFailure("OSMesa's OpenGL does not answer", REMEDY)

    @property
    def is_current(self) -> bool:
        """See `Context.is_current`."""
        return bool(self._handle) and self._osmesa.OSMesaGetCurrentContext() == self._handle

    @contextmanager
    def current(self) -> Iterator[None]:
        """See `Context.current`."""
        if self.is_current:
            yield
            return
        osmesa = self._osmesa
        before = osmesa.OSMesaGetCurrentContext()
        restore = self._remember(before) if before else (None, None, 0, 0, 0)
        if not osmesa.OSMesaMakeCurrent(self._handle, self._buffer, _UNSIGNED_BYTE, _SIDE, _SIDE):
            raise RenderError("OSMesa refuses to make the context current")
        try:
            yield
        finally:
            osmesa.OSMesaMakeCurrent(*restore)

    def _remember(self, handle: int) -> tuple[int, int | None, int, int, int]:
        """The arguments that make another OSMesa context current again."""
        kind, width, height, form, buffer = _Int(), _Int(), _Int(), _Int(), _Pointer()
        self._osmesa.OSMesaGetIntegerv(_TYPE, ctypes.byref(kind))
        self._osmesa.OSMesaGetColorBuffer(
            handle, *(ctypes.byref(value) for value in (width, height, form, buffer))
        )
        return handle, buffer.value, kind.value, width.value, height.value

    def close(self) -> None:
        """See `Context.close`."""
        if self._handle:
            self._osmesa.OSMesaDestroyContext(self._handle)
        self._handle = None


def open_context() -> OSMesaContext:
    """Open a context.

    Raises:
        PlatformFailure: There is no libOSMesa, or it does not work.
    """
    return OSMesaContext(_load())
