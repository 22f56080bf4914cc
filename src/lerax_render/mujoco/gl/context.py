"""What every GL platform gives: a context without a window, and what draws behind it."""

import ctypes
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from ...errors import BackendUnavailableError

_GL_RENDERER = 0x1F01
_GL_MAX_RENDERBUFFER_SIZE = 0x84E8

_SOFTWARE = ("llvmpipe", "softpipe", "swrast", "swr ", "software", "swiftshader")


class PlatformFailure(BackendUnavailableError):
    """One GL platform's failure, with the cause and the cure apart, for whoever tries several."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(f"{reason} (remedy: {remedy})")
        self.reason = reason
        self.remedy = remedy


def is_software(renderer: str) -> bool:
    """Whether a GL_RENDERER string names a program that draws on the CPU."""
    return any(word in renderer.lower() for word in _SOFTWARE)


class Context(ABC):
    """A GL context without a window.

    Attributes:
        platform: The row of `PLATFORMS` that it came from.
        renderer: What draws, as GL names it, e.g. `"llvmpipe (LLVM 15.0.6, 256 bits)"`.
        max_size: The largest width and height of a framebuffer here, in pixels.
    """

    platform: str
    renderer: str
    max_size: int

    @property
    @abstractmethod
    def is_current(self) -> bool:
        """Whether it is the calling thread's own now; never when it is closed."""

    @abstractmethod
    def current(self) -> AbstractContextManager[None]:
        """Make this context the calling thread's own for a while, then give back what was there.

        Nothing stays current in between, so that the context may be freed from any thread (a
        garbage collector chooses its thread freely) and a program's own GL is left as it was.

        Raises:
            RenderError: The GL library refused.
        """

    @abstractmethod
    def close(self) -> None:
        """Free the context; it may be called twice."""

    def call(self, name: str, types: Sequence[Any], *arguments: Any) -> None:
        """Call a GL function that returns nothing, while this context is current."""
        function = ctypes.CFUNCTYPE(None, *types)(self._address_of(name.encode()) or 0)
        function(*arguments)

    def has(self, name: str) -> bool:
        """Whether there is a GL function of this name."""
        return bool(self._address_of(name.encode()))

    def _describe(self, get_proc_address: Callable[[bytes], int | None]) -> bool:
        """Fill in `renderer` and `max_size`; False where GL does not answer."""
        self._address_of = get_proc_address
        with self.current():
            get_string = ctypes.CFUNCTYPE(ctypes.c_char_p, ctypes.c_uint)(
                get_proc_address(b"glGetString") or 0
            )
            get_integer = ctypes.CFUNCTYPE(None, ctypes.c_uint, ctypes.POINTER(ctypes.c_int))(
                get_proc_address(b"glGetIntegerv") or 0
            )
            if not get_string or not get_integer:
                return False
            renderer = get_string(_GL_RENDERER)
            size = ctypes.c_int()
            get_integer(_GL_MAX_RENDERBUFFER_SIZE, ctypes.byref(size))
        self.renderer = (renderer or b"").decode(errors="replace")
        self.max_size = size.value
        return bool(renderer) and size.value > 0
