"""Arrays of many frames in a NumPy file, written as they come."""

import itertools
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Self

import numpy as np

# The quickest: at the next levels a depth picture is some percent smaller, and takes twice as long.
_LEVEL = 1
# So that two files of the same frames are equal.
_DATE = (1980, 1, 1, 0, 0, 0)


class ArraysWriter:
    """Writes a `*.npz`, which `numpy.load` reads, an array after the other.

    Args:
        file: Where it goes.
    """

    def __init__(self, file: Path) -> None:
        self._zip = zipfile.ZipFile(file, "w")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._zip.close()

    def add(self, name: str, array: np.ndarray) -> None:
        """Add a whole array."""
        self._write(name, array.shape, array.dtype, [array])

    def stream(self, name: str, count: int, frames: Iterable[np.ndarray]) -> None:
        """Add an array, whose parts are never in memory together.

        Args:
            name: Of the array.
            count: Length of its first axis.
            frames: So many arrays of one shape and dtype.
        """
        parts = iter(frames)
        first = next(parts)
        self._write(name, (count, *first.shape), first.dtype, itertools.chain([first], parts))

    def _write(
        self, name: str, shape: tuple[int, ...], dtype: np.dtype, parts: Iterable[np.ndarray]
    ) -> None:
        entry = zipfile.ZipInfo(f"{name}.npy", _DATE)
        entry.compress_type, entry.compress_level = zipfile.ZIP_DEFLATED, _LEVEL
        with self._zip.open(entry, "w", force_zip64=True) as file:
            kind = np.lib.format.dtype_to_descr(dtype)
            header = {"descr": kind, "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, header)
            for part in parts:
                file.write(np.ascontiguousarray(part).tobytes())
