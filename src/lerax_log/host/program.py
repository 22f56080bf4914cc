"""What is known of the program that trains, for `run.json`."""

import os
import shlex
import socket
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import jax

from lerax_render.making import package_versions
from lerax_render.runs import Git

_GIT_SECONDS = 3.0


def about() -> dict[str, Any]:
    """Return those fields of `Facts` that are the same for all runs of the program."""
    device = jax.devices()[0]
    count = len(jax.devices())
    return {
        "command": shlex.join(sys.orig_argv),
        "git": _git(str(_script_folder())),
        "versions": {**package_versions(), "python": sys.version.split()[0]},
        "device": f"{count} x {device.device_kind}" if count > 1 else device.device_kind,
        "pid": os.getpid(),
        "host": socket.gethostname(),
    }


def _script_folder() -> Path:
    script = Path(sys.argv[0]) if sys.argv and sys.argv[0] else None
    return script.resolve().parent if script is not None and script.is_file() else Path.cwd()


@cache
def _git(folder: str) -> Git | None:
    try:
        commit = _asked(folder, "rev-parse", "HEAD")
        # What was never added is no part of a commit, and takes long to look for.
        changed = _asked(folder, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.SubprocessError):
        return None
    return Git(commit.strip(), bool(changed.strip()))


def _asked(folder: str, *what: str) -> str:
    return subprocess.run(
        ["git", "--no-optional-locks", "-C", folder, *what],
        check=True,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=_GIT_SECONDS,
    ).stdout
