"""What is too much for the memory: on disk, and back as arrays that are read as they are used."""

import mmap
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

from ..video import WorkFolder

_ALIGNED = 64
# Smaller arrays are not worth a place of their own.
_LEAST_BYTES = 4096


class _Stored(NamedTuple):
    """Where something lies in its file: its buffers, and the pickle that they belong to."""

    file: Path
    buffers: Sequence[slice]
    pickled: slice


class Spool:
    """Keeps things that pickle in files of a hidden folder, which goes when this is closed.

    Arrays that were read stay whole then: the system keeps a file as long as it is mapped.
    """

    def __init__(self) -> None:
        self._folder = WorkFolder()
        self._stored: dict[int, _Stored] = {}
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._folder.remove()

    def put(self, thing: Any) -> int:
        """Store something, and return its number: they count from 0.

        Raises:
            OSError: The disk refused it.
        """
        path = self._folder.path / str(self._count)
        outside: list[pickle.PickleBuffer] = []
        with path.open("wb") as file:
            pickled = pickle.dumps(
                thing, protocol=5, buffer_callback=lambda buffer: _stays(buffer, outside)
            )
            places = []
            contents: list[Any] = [*(buffer.raw() for buffer in outside), pickled]
            for content in contents:
                start = -(-file.tell() // _ALIGNED) * _ALIGNED
                file.seek(start)
                file.write(content)
                places.append(slice(start, file.tell()))
        self._stored[self._count] = _Stored(path, places[:-1], places[-1])
        self._count += 1
        return self._count - 1

    def get(self, number: int) -> Any:
        """Return what has a number; its arrays are read from the file as they are used."""
        stored = self._stored[number]
        with stored.file.open("rb") as file:
            # Whoever writes into such an array writes into memory.
            whole = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
        return pickle.loads(whole[stored.pickled], buffers=[whole[b] for b in stored.buffers])

    def drop(self, number: int) -> None:
        """Forget what has a number. May be called twice."""
        stored = self._stored.pop(number, None)
        if stored is not None:
            stored.file.unlink()


def _stays(buffer: pickle.PickleBuffer, outside: list[pickle.PickleBuffer]) -> bool:
    """Whether an array is pickled with what it is in; else it is added to those outside."""
    if buffer.raw().nbytes < _LEAST_BYTES:
        return True
    outside.append(buffer)
    return False
