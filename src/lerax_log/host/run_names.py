"""Names of runs, which are safe as names of folders."""

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime

MAX_BYTES = 200
"""Longest name in bytes. File systems take 255; the rest is for lanes and for backends."""

USUAL = "{algorithm}_{policy}_{env}_{time}"
"""The name of a run where nobody gives one."""

TIME = "{time}"

_MAX_PART_BYTES = 56
_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f/\\:*?"<>|\s]+')


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


def filled(template: str, values: Mapping[str, object], now: datetime) -> str:
    """Return the name of a run: a folder's, or those of folders in folders with `/` between them.

    Args:
        template: A text in which `{time}` and the names of `values` in braces are filled in; other
            braces are text.
        values: What is known of the training, such as `env`.
        now: When it starts.
    """
    known = {"time": now.strftime("%Y%m%d_%H%M%S"), **values}
    # A slash in an environment's name makes no folder.
    parts = {name: safe_name(str(value), _MAX_PART_BYTES) for name, value in known.items()}
    name = re.sub(r"\{(\w+)\}", lambda found: parts.get(found[1], found[0]), template)
    # `..` would lead out of the folder that runs are in.
    folders = [safe_name(part) for part in name.split("/") if part.strip(". ")]
    return "/".join(folders) or safe_name(name)


def check_resumable(name: str | None) -> None:
    """Raise `ValueError` unless a later program finds a run by its name."""
    if name is None or TIME in name:
        raise ValueError(
            "resume=True goes on in the run of a name, which must be the same in each program, got "
            f"name={name!r}: give a name without {TIME}"
        )
