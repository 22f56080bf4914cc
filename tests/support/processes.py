"""This process's children."""

import contextlib
import os
from pathlib import Path


def children() -> dict[int, str]:
    """Ids and names of this process's children, zombies too."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            name, _, fields = stat.read_text().rpartition(")")
            if int(fields.split()[1]) == os.getpid():
                found[int(stat.parent.name)] = name.partition("(")[2]
    return found


def ffmpegs() -> list[int]:
    """Ids of this process's ffmpegs, in the order in which they were started, zombies too."""
    return [child for child, name in sorted(children().items()) if "ffmpeg" in name]


def state(process: int) -> str:
    """A process's state as in proc(5), such as "T" for stopped; "" where there is none."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def is_running(process: int) -> bool:
    """Whether there is a process of that id that has not ended."""
    return state(process) not in ("", "Z")
