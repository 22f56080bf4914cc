"""Where a finished clip goes: memory, an open file, a path, or the files of a PNG sequence.

A destination is checked when it is made, before any work. The work is done in a folder on its own
file system, so that `deliver` only renames: until then nothing of an older clip is touched.
"""

import contextlib
import errno
import io
import os
import re
import stat
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ..errors import EncodeError
from ..output import EXPORTS, Figure, FileFormat, Output, figure_format
from .places import SEQUENCE_FIELD, DestinationLike, find_export
from .work_folder import WorkFolder


class Destination(ABC):
    """Takes a finished clip.

    Attributes:
        folder: a folder on the destination's own file system; None: wherever temporary files go.
    """

    folder: Path | None = None

    def work_folder(self) -> WorkFolder:
        """A new hidden folder inside `folder` to make the clip in.

        Raises:
            EncodeError: the disk refused it.
        """
        with _disk_errors("no folder to work in could be made"):
            return WorkFolder(self.folder)

    @abstractmethod
    def deliver(self, clip: Path, num_frames: int) -> tuple[Path | None, bytes | None]:
        """Bring the finished clip to its place.

        Args:
            clip: the finished file inside `folder`; of a PNG sequence the pattern of all files.
            num_frames: how many frames it has.

        Returns:
            Where the clip is, or its bytes.

        Raises:
            EncodeError: the disk or the reader of a pipe refused it.
        """


def open_destination(destination: DestinationLike, format: FileFormat) -> Destination:
    """The destination for a clip of this format; nothing is created or changed yet.

    Parent folders are not created: a misspelt path would otherwise go unnoticed.

    Raises:
        TypeError: `destination` is none of the accepted kinds.
        ValueError: the clip cannot be written there; the message says why.
    """
    if destination is None:
        return _Memory()
    if isinstance(destination, (str, os.PathLike)):
        try:
            path = Path(os.path.abspath(destination))
        except FileNotFoundError:
            raise ValueError(
                f"{os.fspath(destination)!r} cannot be written: the current folder was removed; "
                "change to one that exists, or give a path from the root"
            ) from None
        if "\0" in str(path):
            raise ValueError(f"{str(path)!r} cannot be written: a null character is in the name")
        if format.is_sequence:
            return _Sequence(path)
        if _is_device(path):
            return _Device(path)
        return _File(path)
    return _Stream(destination)


def save_output(output: Output, path: str | os.PathLike[str]) -> Path:
    """Write a file that is no video, as it is, to another place, see `Output.save`."""
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"path must be a path, got {type(path).__name__}; write `data` to it")
    row: FileFormat
    if isinstance(output, Figure):
        row = figure_format(path, output.format)
    else:
        find_export(path, output.format)
        row = EXPORTS[output.format]
    destination = open_destination(path, row)
    with destination.work_folder() as work:
        file = work / row.file_name
        file.write_bytes(output.data)
        saved, _ = destination.deliver(file, 1)
    return Path(path) if saved is None else saved


class _Memory(Destination):
    def deliver(self, clip: Path, num_frames: int) -> tuple[None, bytes]:
        with _disk_errors("the clip could not be read back"):
            return None, clip.read_bytes()


@dataclass
class _Stream(Destination):
    stream: BinaryIO

    def __post_init__(self) -> None:
        if not hasattr(self.stream, "write"):
            raise TypeError(
                "destination must be a path, an open binary file or None, got "
                f"{type(self.stream).__name__}"
            )
        if isinstance(self.stream, io.TextIOBase):
            raise TypeError("destination is a text file; open it in binary mode, 'wb'")
        if getattr(self.stream, "closed", False):
            raise ValueError("destination is a closed file")
        if not getattr(self.stream, "writable", lambda: True)():
            raise ValueError("destination is open for reading only; open it with 'wb'")

    def deliver(self, clip: Path, num_frames: int) -> tuple[None, bytes]:
        with _disk_errors(f"the clip could not be written to {self.stream!r}"):
            content = clip.read_bytes()
            rest = memoryview(content)
            while rest:
                # An unbuffered file may take a part only, and says how much.
                rest = rest[self.stream.write(rest) or len(rest) :]
            self.stream.flush()
        return None, content


class _Device(Destination):
    """Takes the bytes of a clip in the place of a file, as `/dev/null` does."""

    def __init__(self, path: Path) -> None:
        self._path = path
        if not os.access(path, os.W_OK):
            raise ValueError(f"{str(path)!r} cannot be written: no permission")

    def deliver(self, clip: Path, num_frames: int) -> tuple[None, bytes]:
        with _disk_errors(f"{str(self._path)!r} could not be written"):
            content = clip.read_bytes()
            with open(self._path, "wb") as device:
                device.write(content)
        return None, content


class _File(Destination):
    def __init__(self, path: Path) -> None:
        self._path = path
        # A symbolic link stays, and what it points to is replaced.
        self._place = Path(os.path.realpath(path))
        self.folder = self._place.parent
        mode = _mode(self._place)
        if mode is not None and stat.S_ISDIR(mode):
            raise ValueError(f"{str(path)!r} is a folder; give a file in it")
        if mode is not None and not stat.S_ISREG(mode):
            raise ValueError(f"{str(path)!r} is no regular file; open it and pass the open file")
        _check_folder(self.folder, path)

    def deliver(self, clip: Path, num_frames: int) -> tuple[Path, None]:
        with _disk_errors(f"{str(self._path)!r} could not be written"):
            if (mode := _mode(self._place)) is not None:
                clip.chmod(stat.S_IMODE(mode))
            os.replace(clip, self._place)
        return self._path, None


class _Sequence(Destination):
    """Takes the place of an older sequence of the same pattern as a whole, surplus frames too."""

    def __init__(self, path: Path) -> None:
        pattern = sequence_pattern(path)
        self._frames, self._pattern = pattern.parent, pattern.name
        mode = _mode(self._frames)
        if mode is not None and not stat.S_ISDIR(mode):
            raise ValueError(f"{str(self._frames)!r} is a file; a PNG sequence needs a folder")
        self._makes_folder = self._frames == path and mode is None
        self.folder = self._frames.parent if self._makes_folder else self._frames
        _check_folder(self.folder, path)

    def deliver(self, clip: Path, num_frames: int) -> tuple[Path, None]:
        with _disk_errors(f"the frames could not be moved to {str(self._frames)!r}"):
            place = self._frames
            if self._makes_folder:
                place = clip.parent / "frames"
                place.mkdir()
            for number in range(num_frames):
                os.replace(numbered(clip, number), numbered(place / self._pattern, number))
            if self._makes_folder:
                place.rename(self._frames)
            surplus = num_frames
            while (old := numbered(self._frames / self._pattern, surplus)).is_file():
                old.unlink()
                surplus += 1
        return self._frames / self._pattern, None


def sequence_pattern(path: Path) -> Path:
    """The pattern of a PNG sequence's files, from that pattern or their folder."""
    return path if SEQUENCE_FIELD.search(path.name) else path / "frame_%05d.png"


def numbered(pattern: Path, number: int) -> Path:
    """The path of one frame; only the field in the file's name is filled in."""

    def fill(field: re.Match[str]) -> str:
        return str(number).zfill(int(field[1] or 0))

    return pattern.with_name(SEQUENCE_FIELD.sub(fill, pattern.name))


def _mode(path: Path) -> int | None:
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ValueError(f"{str(path)!r} cannot be written: {error.strerror}") from error


def _is_device(path: Path) -> bool:
    mode = _mode(path)
    return mode is not None and stat.S_ISCHR(mode)


def _check_folder(folder: Path, path: Path) -> None:
    mode = _mode(folder)
    if mode is None:
        raise ValueError(
            f"{str(path)!r} cannot be written: the folder {str(folder)!r} does not exist; "
            "create it first"
        )
    if not stat.S_ISDIR(mode):
        raise ValueError(f"{str(path)!r} cannot be written: {str(folder)!r} is no folder")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ValueError(
            f"{str(path)!r} cannot be written: no permission to write in {str(folder)!r}, or its "
            "disk is read-only; choose another folder"
        )


@contextlib.contextmanager
def _disk_errors(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        remedy = _REMEDIES.get(error.errno or 0, "")
        raise EncodeError(f"{what}: {error}{remedy}") from error


_REMEDIES = {
    errno.ENOSPC: "; make room, or choose a folder on another disk",
    errno.EDQUOT: "; make room, or choose a folder on another disk",
    errno.EROFS: "; make the folder writable again, or choose another",
    errno.EACCES: "; make the folder writable again, or choose another",
    errno.ENOENT: "; the folder was removed while the clip was made: record it again",
}
