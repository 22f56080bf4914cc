"""EGL: GL on a GPU or, with Mesa, on the CPU, without a display.

libEGL is called through ctypes rather than PyOpenGL, which settles on one platform for the whole
process when it is first imported: after a failed try at EGL it could not serve OSMesa any more, and
it chooses by an environment variable. MuJoCo itself finds its GL functions through
`eglGetProcAddress`, and needs PyOpenGL for nothing but making a context.
"""

import ctypes
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ...errors import RenderError
from .context import Context, PlatformFailure

REMEDY = "apt-get install -y libegl1 libopengl0"
_NAME = "libEGL.so.1"
_DRIVER_REMEDY = (
    "apt-get install -y libegl-mesa0 libgl1-mesa-dri, or, for an NVIDIA GPU in a container, run it "
    "with NVIDIA_DRIVER_CAPABILITIES=all"
)

# From the EGL registry's egl.xml.
_DRAW, _READ = 0x3059, 0x305A
_OPENGL_API = 0x30A2
_PLATFORM_DEVICE_EXT = 0x313F
_CUDA_DEVICE_NV = 0x323A
_CONFIG = (0x3033, 0x0001, 0x3040, 0x0008, 0x3038)  # pbuffer surfaces, desktop GL
_ERRORS = {
    0x3001: "EGL_NOT_INITIALIZED",
    0x3002: "EGL_BAD_ACCESS",
    0x3003: "EGL_BAD_ALLOC",
    0x3006: "EGL_BAD_CONTEXT",
    0x3008: "EGL_BAD_DISPLAY",
    0x3009: "EGL_BAD_MATCH",
    0x300C: "EGL_BAD_PARAMETER",
    0x300E: "EGL_CONTEXT_LOST",
}

_Pointer = ctypes.c_void_p
_Int = ctypes.c_int
_Enum = ctypes.c_uint

_SIGNATURES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "eglBindAPI": (_Enum, (_Enum,)),
    "eglChooseConfig": (_Enum, (_Pointer, _Pointer, _Pointer, _Int, _Pointer)),
    "eglCreateContext": (_Pointer, (_Pointer, _Pointer, _Pointer, _Pointer)),
    "eglDestroyContext": (_Enum, (_Pointer, _Pointer)),
    "eglGetCurrentContext": (_Pointer, ()),
    "eglGetCurrentDisplay": (_Pointer, ()),
    "eglGetCurrentSurface": (_Pointer, (_Int,)),
    "eglGetError": (_Int, ()),
    "eglGetProcAddress": (_Pointer, (ctypes.c_char_p,)),
    "eglInitialize": (_Enum, (_Pointer, _Pointer, _Pointer)),
    "eglMakeCurrent": (_Enum, (_Pointer, _Pointer, _Pointer, _Pointer)),
    "eglQueryAPI": (_Enum, ()),
}
_EXTENSIONS: dict[str, tuple[Any, ...]] = {
    "eglGetPlatformDisplayEXT": (_Pointer, _Enum, _Pointer, _Pointer),
    "eglQueryDeviceAttribEXT": (_Enum, _Pointer, _Int, _Pointer),
    "eglQueryDevicesEXT": (_Enum, _Int, _Pointer, _Pointer),
}

_lock = threading.Lock()
_library: "_Library | None" = None


class _Library:
    """libEGL's functions, and the extensions that find devices."""

    def __init__(self) -> None:
        try:
            # Not RTLD_GLOBAL yet: MuJoCo takes the first eglGetProcAddress that it sees, so an EGL
            # that turns out broken would be in OSMesa's way.
            library = ctypes.CDLL(_NAME)
        except OSError as error:
            raise PlatformFailure(f"libEGL cannot be loaded: {error}", REMEDY) from None
        for name, (result, arguments) in _SIGNATURES.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
            setattr(self, name, function)
        for name, types in _EXTENSIONS.items():
            # A null address where neither libEGL nor a driver has it.
            address = self.eglGetProcAddress(name.encode()) or 0
            setattr(self, name, ctypes.CFUNCTYPE(*types)(address))

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)

    def last_error(self) -> str:
        code = self.eglGetError()
        return _ERRORS.get(code, hex(code))

    def devices(self) -> list[int]:
        """The EGL devices, as handles, in EGL's own order."""
        if not self.eglQueryDevicesEXT or not self.eglGetPlatformDisplayEXT:
            return []
        count = _Int()
        self.eglQueryDevicesEXT(0, None, ctypes.byref(count))
        handles = (_Pointer * max(count.value, 1))()
        if not self.eglQueryDevicesEXT(count.value, handles, ctypes.byref(count)):
            return []
        return [handle for handle in handles[: count.value] if handle]

    def cuda_number(self, device: int) -> int | None:
        """The device's CUDA number, where its driver tells (EGL_NV_device_cuda)."""
        number = ctypes.c_ssize_t(-1)
        if not self.eglQueryDeviceAttribEXT:
            return None
        if not self.eglQueryDeviceAttribEXT(device, _CUDA_DEVICE_NV, ctypes.byref(number)):
            self.eglGetError()  # an unknown attribute leaves its error behind
            return None
        return number.value


def choose_devices(
    cuda_numbers: Sequence[int | None], device_id: str | None, cuda_visible: str | None
) -> list[int]:
    """Which EGL devices to try, best first.

    EGL and CUDA count the GPUs differently (google-deepmind/mujoco#3245), so devices are put into
    CUDA's order wherever their drivers tell it: those that CUDA_VISIBLE_DEVICES lists, then the
    devices that are not CUDA's, then the GPUs that the variable hides.

    Args:
        cuda_numbers: For each EGL device, in EGL's order, its CUDA number if it has one.
        device_id: The value of MUJOCO_EGL_DEVICE_ID. It counts in the order above; a number beyond
            the visible GPUs may also be a GPU's own, as mujoco.egl reads it.
        cuda_visible: The value of CUDA_VISIBLE_DEVICES; names of GPUs that are not numbers cannot
            be matched with EGL's devices, and the variable is then not used.

    Returns:
        Indices into `cuda_numbers`.

    Raises:
        ValueError: `device_id` is not the number of a device here.
    """
    by_number = {number: i for i, number in enumerate(cuda_numbers) if number is not None}
    others = [i for i, number in enumerate(cuda_numbers) if number is None]
    listed = _cuda_list(cuda_visible)
    if listed is None:
        visible = [by_number[number] for number in sorted(by_number)]
    elif all(number in by_number for number in listed):
        visible = [by_number[number] for number in listed]
    else:
        # Some drivers hide the other GPUs themselves and count the rest from zero.
        visible = [by_number[i] for i in range(len(listed)) if i in by_number]
    hidden = [i for i in by_number.values() if i not in visible]
    order = visible + others + hidden
    if device_id is None or not device_id.strip():
        return order
    if not device_id.strip().isdigit():
        raise ValueError(
            f"MUJOCO_EGL_DEVICE_ID must be the number of a device, 0 to {len(order) - 1} here, "
            f"got {device_id!r}; unset it to let the first device that works be chosen"
        )
    number = int(device_id)
    if number < len(visible):
        return [visible[number]]
    if listed and number in listed and len(visible) == len(listed):
        return [visible[listed.index(number)]]
    if number in by_number:
        return [by_number[number]]
    if number < len(order):
        return [order[number]]
    raise ValueError(
        f"MUJOCO_EGL_DEVICE_ID must be the number of a device, 0 to {len(order) - 1} here "
        f"(CUDA_VISIBLE_DEVICES={cuda_visible!r}), got {device_id!r}"
    )


def _cuda_list(visible: str | None) -> list[int] | None:
    """CUDA_VISIBLE_DEVICES as numbers; None where it is unset or names GPUs otherwise.

    As for CUDA, the list ends before the first -1, and an empty one hides every GPU.
    """
    if visible is None:
        return None
    numbers: list[int] = []
    for word in visible.replace(" ", "").split(","):
        if word.startswith("-"):
            break
        if word and not word.isdigit():
            return None
        numbers += [int(word)] if word else []
    return numbers


class EGLContext(Context):
    """A desktop GL context on an EGL device, without a surface."""

    platform = "egl"

    def __init__(self, library: _Library, device: int) -> None:
        self._egl = library
        self._handle: int | None = None
        self._display = library.eglGetPlatformDisplayEXT(_PLATFORM_DEVICE_EXT, device, None)
        # Displays are shared by the whole process (mujoco.egl's included) and initializing one
        # again does nothing, so nobody here ever terminates one.
        if not self._display or not library.eglInitialize(self._display, None, None):
            raise PlatformFailure(
                f"its driver does not start ({library.last_error()})", _DRIVER_REMEDY
            )
        attributes = (_Int * len(_CONFIG))(*_CONFIG)
        config, count = (_Pointer * 1)(), _Int()
        library.eglChooseConfig(self._display, attributes, config, 1, ctypes.byref(count))
        if count.value < 1:
            raise PlatformFailure("it has no desktop OpenGL", _DRIVER_REMEDY)
        bound = library.eglQueryAPI()
        library.eglBindAPI(_OPENGL_API)
        self._handle = library.eglCreateContext(self._display, config[0], None, None)
        library.eglBindAPI(bound)
        if not self._handle:
            raise PlatformFailure(f"it makes no context ({library.last_error()})", _DRIVER_REMEDY)
        try:
            answers = self._describe(library.eglGetProcAddress)
        except RenderError as error:
            self.close()
            raise PlatformFailure(str(error), _DRIVER_REMEDY) from None
        if not answers:
            self.close()
            raise PlatformFailure("its OpenGL does not answer", _DRIVER_REMEDY)

    @property
    def is_current(self) -> bool:
        """See `Context.is_current`."""
        return bool(self._handle) and self._egl.eglGetCurrentContext() == self._handle

    @contextmanager
    def current(self) -> Iterator[None]:
        """See `Context.current`."""
        if self.is_current:
            yield
            return
        egl = self._egl
        before = egl.eglGetCurrentContext()
        surfaces = (egl.eglGetCurrentSurface(_DRAW), egl.eglGetCurrentSurface(_READ))
        display = egl.eglGetCurrentDisplay()
        if not egl.eglMakeCurrent(self._display, None, None, self._handle):
            raise RenderError(
                f"EGL refuses to make the context current ({egl.last_error()}); a GL window of "
                "another library may hold this thread: draw on a thread of its own"
            )
        try:
            yield
        finally:
            if before:
                egl.eglMakeCurrent(display, *surfaces, before)
            else:
                egl.eglMakeCurrent(self._display, None, None, None)

    def close(self) -> None:
        """See `Context.close`."""
        if self._handle:
            self._egl.eglDestroyContext(self._display, self._handle)
        self._handle = None


def open_context() -> EGLContext:
    """Open a context on the first EGL device that works.

    MUJOCO_EGL_DEVICE_ID and CUDA_VISIBLE_DEVICES choose the device: see `choose_devices`.

    Raises:
        PlatformFailure: There is no libEGL, no device, or none that works.
        ValueError: MUJOCO_EGL_DEVICE_ID names no device.
    """
    global _library
    with _lock:
        if _library is None:
            _library = _Library()
        devices = _library.devices()
        if not devices:
            raise PlatformFailure("EGL finds no device, so no driver is there", _DRIVER_REMEDY)
        order = choose_devices(
            [_library.cuda_number(device) for device in devices],
            os.environ.get("MUJOCO_EGL_DEVICE_ID"),
            os.environ.get("CUDA_VISIBLE_DEVICES"),
        )
        failures: list[str] = []
        for i in order:
            try:
                context = EGLContext(_library, devices[i])
            except PlatformFailure as failure:
                failures.append(f"device {i}: {failure.reason}")
            else:
                # From here on MuJoCo may find it, even where OSMesa was loaded before.
                ctypes.CDLL(_NAME, mode=ctypes.RTLD_GLOBAL)
                return context
    raise PlatformFailure("; ".join(failures), _DRIVER_REMEDY)
