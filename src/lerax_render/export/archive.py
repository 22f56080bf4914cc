"""Arrays in a zip, from whoever: nothing is allocated before it is known how large it is."""

import ast
import hashlib
import io
import lzma
import math
import re
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, Self

import numpy as np
from rich.filesize import decimal

from ..errors import RenderError

MAX_BYTES = 2**31
"""Limit of all that a file names, unpacked: what is named twice counts twice."""

MAX_FILES = 20_000
MAX_TEXT = 2**24
"""Bytes of `meta.json`, and of the texts of drawings."""

META = "meta.json"

_NAME = re.compile(r"[a-z0-9_]+(?:[/.][a-z0-9_]+)*")
_LARGEST_NAME = 200
_END = struct.Struct("<4sHHHHIIH")
_TYPES = {f"{kind}{size}" for kind in "iu" for size in (1, 2, 4, 8)} | {"b1", "f2", "f4", "f8"}
_LARGEST_HEADER = 1000
_MAGIC = b"\x93NUMPY\x01\x00"
# So many levels of differences pack no better and take twice as long.
_SLOW, _QUICK, _LARGE = 9, 6, 2**22
# How the names of arrays end whose bytes lie in planes.
_PLANES = ".f4.npy"


class ArchiveWriter:
    """Writes a new file; equal contents are there once.

    Args:
        file: Where it goes.
    """

    def __init__(self, file: Path) -> None:
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED)
        self._names: dict[bytes, str] = {}
        self._size = 0
        self.sha256: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._zip.close()

    def add_array(self, name: str, array: np.ndarray) -> str:
        """Add an array and return the name that it is there under.

        The bytes of `float32` lie in planes, one for each of the four, and the steps last: alike
        ones are neighbours then, and pack better.

        Args:
            name: Without a suffix.
            array: Of numbers.
        """
        array = np.asarray(array)
        if array.dtype.str[1:] not in _TYPES:
            array = array.astype(np.float32)
        suffix = ".npy"
        if array.dtype == np.float32:
            whole = np.ascontiguousarray(array, "<f4")
            array = whole.view(np.uint8).reshape(*whole.shape, 4).T
            suffix = _PLANES
        written = io.BytesIO()
        np.lib.format.write_array(
            written, np.ascontiguousarray(array), version=(1, 0), allow_pickle=False
        )
        return self.add(f"{name}{suffix}", written.getvalue())

    def add(self, name: str, content: bytes) -> str:
        """Add bytes and return the name that they are there under."""
        self._count(len(content))
        digest = hashlib.sha256(content)
        known = self._names.setdefault(digest.digest(), name)
        if known != name:
            return known
        self.sha256[name] = digest.hexdigest()
        self._write(name, content)
        return name

    def finish(self, meta: bytes) -> None:
        """Add what says what all this is."""
        self._count(len(meta))
        self._write(META, meta)

    def _count(self, num_bytes: int) -> None:
        self._size += num_bytes
        if self._size > MAX_BYTES or len(self.sha256) >= MAX_FILES:
            raise RenderError(
                f"a replay of more than {decimal(MAX_BYTES)} or {MAX_FILES} arrays goes into no "
                "file: save parts of it, replay[a:b], or fewer lanes"
            )

    def _write(self, name: str, content: bytes) -> None:
        # The same replay is the same bytes.
        entry = zipfile.ZipInfo(name)
        entry.external_attr = 0o644 << 16
        level = _SLOW if len(content) < _LARGE else _QUICK
        self._zip.writestr(entry, content, zipfile.ZIP_DEFLATED, level)


class Archive:
    """A file that is looked at before anything in it is believed.

    Args:
        file: A path, or an open binary file.

    Attributes:
        name: Of the file, for messages.
        folder: That it is in, or `None`.
        sizes: Of what is in it, in bytes unpacked, by name.
        packed: Likewise, in bytes as it is in the file.

    Raises:
        RenderError: It is no such file, is not whole, or has something in it that none has.
        OSError: It cannot be read.
    """

    def __init__(self, file: Path | BinaryIO) -> None:
        self._read = 0
        self.folder = file.parent if isinstance(file, Path) else None
        self.name = str(file) if isinstance(file, Path) else "the replay"
        self._file: BinaryIO = open(file, "rb") if isinstance(file, Path) else file  # noqa: SIM115
        self._owns = isinstance(file, Path)
        self.sha256: Mapping[str, str] = {}
        try:
            self._check_end()
            try:
                self._zip = zipfile.ZipFile(self._file)
            except (zipfile.BadZipFile, ValueError, NotImplementedError, UnicodeError) as error:
                raise self.error(f"is damaged: {error}") from error
            self.sizes: dict[str, int] = {}
            self.packed: dict[str, int] = {}
            self._size = 0
            for entry in self._zip.infolist():
                self._check_entry(entry)
            if META not in self.sizes:
                raise self.error(f"is a zip without {META}, and so no replay")
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file, if it was opened here."""
        if self._owns:
            self._file.close()

    def error(self, what: str) -> RenderError:
        """Return the error that says what is wrong with the file."""
        return RenderError(f"{self.name} {what}")

    def read(self, name: Any, most: int = MAX_BYTES) -> bytes:
        """Return what is there under a name.

        Raises:
            RenderError: It is missing, larger than `most`, or damaged; or too much has been read in
                all.
        """
        if not isinstance(name, str) or name not in self.sizes:
            raise self.error(f"names {str(name)[:80]!r}, which is not in it")
        if self.sizes[name] > most:
            raise self.error(
                f"has {decimal(self.sizes[name])} in {name}, and {decimal(most)} is the limit"
            )
        self._read += self.sizes[name]
        # Twice, since rewards are read once more when a file is only described.
        if self._read > 2 * MAX_BYTES:
            raise self.error(
                f"names its contents so often that they come to more than {decimal(MAX_BYTES)}, "
                "which is the limit"
            )
        try:
            content = self._zip.read(name)
        except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError) as error:
            raise self.error(f"is damaged: {name}: {error}") from error
        except (NotImplementedError, RuntimeError) as error:
            raise self.error(f"is no replay: {name}: {error}") from error
        if len(content) != self.sizes[name]:
            raise self.error(f"is damaged: {name} ends early")
        if name != META and hashlib.sha256(content).hexdigest() != self.sha256.get(name):
            raise self.error(f"is damaged: the checksum of {name} is not that in {META}")
        return content

    def array(self, name: Any) -> np.ndarray:
        """Return the array that is there under a name.

        Raises:
            RenderError: There is none, or it is none of numbers or flags.
        """
        content = self.read(name)
        if not content.startswith(_MAGIC):
            raise self.error(f"has no array of numbers in {name}")
        (length,) = struct.unpack_from("<H", content, 8) if len(content) >= 10 else (0,)
        start = 10 + length
        try:
            if not 0 < length <= _LARGEST_HEADER:
                raise ValueError(f"a header of {length} bytes")
            header = ast.literal_eval(content[10:start].decode("latin-1"))
            kind, order, shape = header["descr"], header["fortran_order"], header["shape"]
            if not isinstance(kind, str) or kind[:1] not in "<|" or kind[1:] not in _TYPES:
                raise ValueError(f"elements of type {str(kind)[:40]!r}, which are no numbers")
            if not isinstance(shape, tuple) or len(shape) > 8 or order is not False:
                raise ValueError("a shape that is none")
            if not all(type(side) is int and 0 <= side <= MAX_BYTES for side in shape):
                raise ValueError("a shape that is none")
            wanted, there = math.prod(shape) * int(kind[2:]), len(content) - start
            if wanted != there:
                raise ValueError(f"a shape of {wanted} bytes, and {there} bytes in it")
            array: np.ndarray = np.frombuffer(content, kind, offset=start).reshape(shape)
        except (ValueError, TypeError, KeyError, SyntaxError, RecursionError, MemoryError) as error:
            raise self.error(f"has an array in {name} with {_told(error)}") from error
        if name.endswith(_PLANES):
            if array.dtype != np.uint8 or array.shape[:1] != (4,):
                raise self.error(f"has an array in {name} that is not four planes of bytes")
            whole: np.ndarray = np.ascontiguousarray(array.T).view("<f4")
            return whole.reshape(whole.shape[:-1])
        return array.copy()

    def _check_end(self) -> None:
        """Raise unless the file ends as a zip does, with a table of contents of a sane size."""
        size = self._file.seek(0, io.SEEK_END)
        self._file.seek(0)
        if self._file.read(4) != b"PK\x03\x04":
            raise self.error("is no replay: it does not begin as a zip does")
        self._file.seek(max(0, size - _END.size))
        end = self._file.read(_END.size)
        if len(end) < _END.size or not end.startswith(b"PK\x05\x06"):
            raise self.error("is not whole: its end is missing")
        _, disk, first, here, count, table, start, comment = _END.unpack(end)
        if disk or first or comment or here != count or start + table + _END.size != size:
            raise self.error("is damaged: its table of contents is not where it should be")
        if count > MAX_FILES + 1:
            raise self.error(f"has {count} files in it, and {MAX_FILES} is the limit")
        self._file.seek(0)

    def _check_entry(self, entry: zipfile.ZipInfo) -> None:
        name = entry.filename
        if len(name) > _LARGEST_NAME or not _NAME.fullmatch(name) or name in self.sizes:
            raise self.error(f"has {name[:80]!r} in it, which no replay has")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise self.error(f"has {name} packed in a way that no replay is")
        self.sizes[name] = entry.file_size
        self.packed[name] = entry.compress_size
        self._size += entry.file_size
        if self._size > MAX_BYTES:
            raise self.error(f"has more than {decimal(MAX_BYTES)} in it, which is the limit")


def _told(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"no {error} in its header"
    return "a header that is none" if isinstance(error, SyntaxError) else str(error)[:200]
