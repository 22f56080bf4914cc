"""Hidden folders to make files in, which do not outlive those who made them for long.

A process that is killed cannot tidy up, so whoever makes the next folder beside it does. How it
tells what is abandoned: the owner holds a lock (flock(2)) on a file in the folder, and a lock ends
with the process that holds it, however that ends. ffmpeg does not inherit it.

- A folder whose lock can be taken is abandoned, and removed.
- One without such a file, or with a lock of another machine's, which a network disk need not pass
  on, is removed when nothing in it has changed for a day.
- Folders of other users are left alone.
"""

import contextlib
import fcntl
import os
import shutil
import socket
import tempfile
import time
import weakref
from functools import cache
from pathlib import Path
from types import TracebackType

PREFIX = ".lerax-render-"
"""What the names of all work folders begin with."""

ABANDONED_SECONDS = 24 * 3600.0
"""Seconds without a change after which a folder without a lock counts as abandoned."""


class WorkFolder:
    """A new hidden folder; `with` gives its path, and removes it with all that is in it.

    It is removed at the latest when the interpreter exits. A forked child does not remove it.

    Attributes:
        path: The folder.
    """

    def __init__(self, parent: Path | None = None) -> None:
        """Remove what others have abandoned in `parent`, and make a folder there.

        Args:
            parent: `None`: wherever temporary files go.

        Raises:
            OSError: The folder cannot be made.
        """
        parent = Path(tempfile.gettempdir()) if parent is None else parent
        sweep(parent)
        try:
            self.path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
        except OSError as error:
            # The reader can mend the parent, and has never seen the hidden name.
            raise OSError(error.errno, error.strerror, str(parent)) from error
        self._remove = weakref.finalize(self, _remove, self.path, _lock(self.path), os.getpid())

    def remove(self) -> None:
        """Remove it, as far as that is possible. May be called twice, and from any thread."""
        self._remove()

    def __enter__(self) -> Path:
        return self.path

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.remove()


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file, which takes the place of an older one or of a link when it is whole.

    Raises:
        OSError: The disk is full or failed; what was there stays.
    """
    with WorkFolder(path.parent) as work:
        file = work / path.name
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        os.replace(file, path)


def sweep(parent: Path) -> None:
    """Remove the work folders in `parent` that nobody works in any more."""
    with contextlib.suppress(OSError):
        # At once: what is listed changes while folders are removed.
        names = [name for name in os.listdir(parent) if name.startswith(PREFIX)]
        for name in names:
            _remove_if_abandoned(parent / name)


def _remove_if_abandoned(folder: Path) -> None:
    with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
        if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
            return
        try:
            lock = os.open(folder / _lock_name(), os.O_RDWR | os.O_NOFOLLOW)
        except FileNotFoundError:
            changes = [path.lstat().st_mtime for path in (folder, *folder.iterdir())]
            if max(changes) > time.time() - ABANDONED_SECONDS:
                return
        else:
            stack.callback(os.close, lock)
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)


def _lock(folder: Path) -> int | None:
    """Return the descriptor of a new lock, or `None` on disks that know none."""
    try:
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_EXCL)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Only now by the name that others look for: nobody finds it before it is held.
        os.rename(folder / "lock", folder / _lock_name())
    except OSError:
        os.close(lock)
        return None
    return lock


@cache
def _lock_name() -> str:
    """The lock's name on this machine, up to its next start; containers on it have the same."""
    try:
        machine = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        machine = socket.gethostname()
    return f"lock-{machine}"


def _remove(folder: Path, lock: int | None, owner: int) -> None:
    # A forked child exits, too, and would take its parent's folder away.
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)
    if lock is not None:
        os.close(lock)
