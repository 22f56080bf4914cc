"""Arrays as one run of bytes, for a script to take them out again (`blob.js`)."""

import math
from typing import Any

import numpy as np

_ALIGNMENT = 8
_TYPES = {"u1": "u8", "i1": "i8", "u2": "u16", "i2": "i16", "u4": "u32", "i4": "i32", "f4": "f32"}


class Blob:
    """Arrays in one run of bytes; what lies in it is said by references, which JSON holds."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def add(self, array: np.ndarray, *, over_time: bool = False) -> dict[str, Any]:
        """Add an array.

        Args:
            array: Of 8, 16 or 32 bits an element: whole numbers, or `float32`.
            over_time: Whether neighbours along the first axis are alike: then their differences are
                stored, column by column and byte by byte, which deflate packs best.

        Returns:
            The reference: `at` (offset in bytes), `type`, `shape` and `overTime`.

        Raises:
            KeyError: Elements of another type.
        """
        array = np.ascontiguousarray(array)
        kind = _TYPES[array.dtype.str[1:]]
        shape = list(array.shape)
        if over_time:
            array = _differences(array)
        data = array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
        at = self._size
        padding = -len(data) % _ALIGNMENT
        self._parts += [data, bytes(padding)]
        self._size += len(data) + padding
        return {"at": at, "type": kind, "shape": shape, "overTime": over_time}

    def bytes(self) -> bytes:
        """Return all that was added."""
        return b"".join(self._parts)


def _differences(array: np.ndarray) -> np.ndarray:
    """Return `uint8`: differences along the first axis, modulo what the type holds, in planes."""
    size = array.dtype.itemsize
    columns = math.prod(array.shape[1:])
    whole = array.view(f"<u{size}").reshape(len(array), columns).T
    steps = np.diff(whole, axis=1, prepend=whole.dtype.type(0))
    planes: np.ndarray = np.ascontiguousarray(steps).view(np.uint8).reshape(-1, size).T
    return np.ascontiguousarray(planes)
