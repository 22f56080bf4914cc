"""Names of runs, safe as the names of folders."""

import contextlib
import hashlib
import os
import re
import stat
import tempfile
import threading
import time
import unicodedata
from datetime import datetime
from pathlib import Path

MAX_BYTES = 200
"""Longest name. File systems take 255 bytes; what is left is for lanes and for backends."""

_MAX_PART_BYTES = 56
_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f/\\:*?"<>|\s]+')

_CLAIM_SECONDS = 60.0

_taken: set[str] = set()
_lock = threading.Lock()


def safe_name(name: str, max_bytes: int = MAX_BYTES) -> str:
    """Return `name` with everything replaced that a file system could take for more than a name.

    Slashes, control characters, blanks and what Windows forbids become `-`, and so do characters
    that cannot be seen and change how others are read, such as marks of direction; no name begins
    with a dot; a name that is too long is cut, and ends in a hash of all of it.

    Args:
        name: Any text.
        max_bytes: Longest result in UTF-8.
    """
    seen = "".join(" " if unicodedata.category(c) == "Cf" else c for c in name)
    safe = _UNSAFE.sub("-", seen.encode("utf-8", "replace").decode()).strip(".-")
    safe = safe or "run"
    if len(safe.encode()) <= max_bytes:
        return safe
    mark = "-" + hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:8]
    return safe.encode()[: max_bytes - len(mark)].decode(errors="ignore") + mark


def new_name(algorithm: str, policy: str, env: str, now: datetime) -> str:
    """Return a name that no run on this machine has: `{algorithm}_{policy}_{env}_{timestamp}`.

    A name that a start in the same second has taken is followed by `-2`, `-3` and so on.
    """
    parts = [safe_name(part, _MAX_PART_BYTES) for part in (algorithm, policy, env)]
    wanted = "_".join([*parts, now.strftime("%Y%m%d_%H%M%S")])
    name, count = wanted, 1
    with _lock:
        while name in _taken or not _claim(name):
            count += 1
            name = f"{wanted}-{count}"
        _taken.add(name)
    return name


def _claim(name: str) -> bool:
    """Take a name for this process, unless another one of this user has it.

    A job array starts many processes in the same second, and in one folder they would write over
    each other's clips. Names have a second in them, so claims are of use only for so long.
    """
    folder = Path(tempfile.gettempdir()) / f"lerax-log-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
            # Others may write here, too, and a link of theirs may lead to files of this user's.
            return True
        for claim in folder.iterdir():
            with contextlib.suppress(OSError):
                if claim.stat().st_mtime < time.time() - _CLAIM_SECONDS:
                    claim.unlink()
        (folder / name).touch(exist_ok=False)
    except FileExistsError:
        return False
    except OSError:
        # Nowhere to ask: within this process names are still different.
        return True
    return True
