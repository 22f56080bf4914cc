"""Compiled programs that outlive the process, or are there for several."""

import os
import sys
import time
from contextlib import suppress
from pathlib import Path

_WHERE, _FROM = "jax_compilation_cache_dir", "jax_persistent_cache_min_compile_time_secs"
_LEAST_SECONDS = 0.0
"""Small programs are kept, too: a clip of CartPole has thirty, and to compile one takes ten times
as long as to read it."""

_LOOKED, _LOOK_AFTER = ".lerax-render.looked", 86_400.0
"""The file that is touched when a folder's size is checked, and the seconds between checks."""


def keep_compilations(folder: Path, most_bytes: int | None = None) -> None:
    """Let JAX keep compiled programs in a folder, unless it keeps them somewhere already.

    Args:
        folder: Made if it does not exist.
        most_bytes: If the programs take more, those that were unused for longest are removed; this
            is checked once a day. `None` is no limit.
    """
    jax = sys.modules.get("jax")
    kept = os.environ.get(_WHERE.upper()) if jax is None else getattr(jax.config, _WHERE)
    if kept is not None:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return
    if not os.access(folder, os.W_OK):
        return
    if most_bytes is not None:
        _make_room(folder, most_bytes)
    if jax is None:
        # It reads them when it is imported, which not every clip needs.
        os.environ[_WHERE.upper()] = str(folder)
        os.environ.setdefault(_FROM.upper(), str(_LEAST_SECONDS))
    else:
        jax.config.update(_WHERE, str(folder))
        jax.config.update(_FROM, _LEAST_SECONDS)


def _make_room(folder: Path, most_bytes: int) -> None:
    # JAX's own limit goes through the whole folder for each program that it writes: 0.2 s of CPU
    # time where there are 5,000.
    looked = folder / _LOOKED
    with suppress(OSError):
        # A clock that was wrong may have left a day to come.
        if abs(time.time() - looked.stat().st_mtime) < _LOOK_AFTER:
            return
    # Other processes may be at it, too.
    with suppress(OSError):
        looked.touch()
        found = [file for file in os.scandir(folder) if file.name.endswith("-cache")]
        files = [(file.stat().st_atime, file.stat().st_size, file.path) for file in found]
        num_bytes = sum(size for _, size, _ in files)
        for _, size, path in sorted(files):
            if num_bytes <= most_bytes:
                break
            os.unlink(path)
            num_bytes -= size
