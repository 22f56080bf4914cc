"""Logging to a file of JSON, a line for each step."""

import os
import threading
import time
from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import Any, override

import msgspec

from lerax_render.runs import METRICS

from .base import AbstractLoggingBackend, check_there, local_folder, run_folder_in

# Numbers of NumPy's are none of JSON's.
_encode = msgspec.json.Encoder(enc_hook=float).encode


class JsonLinesBackend(AbstractLoggingBackend):
    """Appends to `<log_dir>/<run name>/metrics.jsonl`, for any program that reads JSON.

    A line is an object with `step`, `time` (seconds since 1970) and the values by tag. What a
    method has logged survives the death of the process once the method has returned. Numbers that
    are not finite, which JSON does not know, are the texts `NaN`, `Infinity` and `-Infinity`. A
    file that is there goes on.
    """

    def __init__(self, log_dir: str | os.PathLike[str] = "logs") -> None:
        """Choose the folder; nothing is made yet.

        Args:
            log_dir: Local folder for the runs' folders.

        Raises:
            TypeError, ValueError: As for `TensorBoardBackend`.
        """
        self.log_dir: Path = local_folder(log_dir)
        self._file: _LineFile | None = None

    @override
    def open(self, name: str) -> None:
        """Go on in `<log_dir>/<name>/metrics.jsonl`, or begin it.

        Args:
            name: The run's name; `/` in it makes folders in folders.

        Raises:
            ValueError: `name` leads out of `log_dir`.
            RuntimeError: A run is open.
            OSError: The folder or the file cannot be made.
        """
        self._refuse_second_run(self._file)
        run_dir = run_folder_in(self.log_dir, name)
        run_dir.mkdir(parents=True, exist_ok=True)
        self._file = _LineFile(run_dir / METRICS)
        self.run_dir = run_dir

    @override
    def log_scalars(self, scalars: Mapping[str, float], step: int) -> None:
        """Append a line with all of `scalars`.

        Raises:
            RuntimeError: The backend is not open.
            OSError: The disk is full or failed; what was logged before stays readable.
        """
        file = self._opened(self._file)
        if scalars:
            # As good as always, all are finite, and looking at each takes half of the time.
            values: Mapping[str, Any] = scalars
            if not isfinite(sum(scalars.values())):
                values = {tag: _written(value) for tag, value in scalars.items()}
            file.add(values, step)

    @override
    def log_recording(self, recording: Mapping[str, Any], step: int) -> None:
        """Append a line that says what was recorded.

        Raises:
            RuntimeError, OSError: As for `log_scalars`.
        """
        file = self._opened(self._file)
        said = {
            name: _written(value) if isinstance(value, float) else value
            for name, value in recording.items()
        }
        file.add({"recording": said}, step)

    @override
    def flush(self) -> None:
        """Do nothing: readers see every line at once, and `close` waits for the disk."""
        self._opened(self._file)

    @override
    def close(self) -> None:
        """Close the file. Does nothing where none is open."""
        if self._file is not None:
            file, self._file = self._file, None
            file.close()


def _written(value: float) -> float | str:
    """Return a number as JSON takes it."""
    if isfinite(value):
        return float(value)
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"


class _LineFile:
    """A file that lines are appended to, each in one call of the operating system."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
        self._lock = threading.Lock()
        size = os.fstat(self._fd).st_size
        # What a killed program, or a full disk, has left of a line ends here.
        self._is_torn = size > 0 and os.pread(self._fd, 1, size - 1) != b"\n"

    def add(self, values: Mapping[str, Any], step: int) -> None:
        line = _encode({"step": int(step), "time": round(time.time(), 3), **values}) + b"\n"
        with self._lock:
            check_there(self._fd, self._path)
            if self._is_torn:
                line = b"\n" + line
            self._is_torn = True
            written = os.write(self._fd, line)
            while written < len(line):
                written += os.write(self._fd, line[written:])
            self._is_torn = False

    def close(self) -> None:
        try:
            os.fsync(self._fd)
        finally:
            os.close(self._fd)
