"""Names of runs, which are safe as names of folders."""

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
"""Longest name in bytes. File systems take 255; the rest is for lanes and for backends."""

_MAX_PART_BYTES = 56
_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f/\\:*?"<>|\s]+')

_CLAIM_SECONDS = 60.0

_taken: set[str] = set()
_lock = threading.Lock()


def safe_name(name: str, max_bytes: int = MAX_BYTES) -> str:
    """Return `name` without anything that a file system could take for more than a name.

    Slashes, control characters, blanks and what Windows forbids become `-`. So do characters that
    cannot be seen and change how others are read, such as marks of direction. No name begins with a
    dot. A name that is too long is cut, and ends in a hash of the whole.

    Args:
        name: Any text.
        max_bytes: Longest result, in bytes of UTF-8.
    """
    seen = "".join(" " if unicodedata.category(c) == "Cf" else c for c in name)
    safe = _UNSAFE.sub("-", seen.encode("utf-8", "replace").decode()).strip(".-")
    safe = safe or "run"
    if len(safe.encode()) <= max_bytes:
        return safe
    mark = "-" + hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:8]
    return safe.encode()[: max_bytes - len(mark)].decode(errors="ignore") + mark


def new_name(algorithm: str, policy: str, env: str, now: datetime) -> str:
    """Return a name that no other run on this machine has.

    It is `{algorithm}_{policy}_{env}_{timestamp}`; where another run has taken that in the same
    second, `-2`, `-3` and so on follow.
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
    """Take a name for this process, unless another process of this user has it.

    A job array starts many processes in the same second, and in one folder they would overwrite
    each other's clips. A claim need not last long, since names have the second in them.
    """
    folder = Path(tempfile.gettempdir()) / f"lerax-log-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
            # Others can write here too, and a link of theirs may lead to this user's files.
            return True
        for claim in folder.iterdir():
            with contextlib.suppress(OSError):
                if claim.stat().st_mtime < time.time() - _CLAIM_SECONDS:
                    claim.unlink()
        (folder / name).touch(exist_ok=False)
    except FileExistsError:
        return False
    except OSError:
        # There is no place to ask. Within this process names still differ.
        return True
    return True
