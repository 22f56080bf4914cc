"""Compiled programs that outlive the process, or are there for several."""

import os
import sys
from pathlib import Path

_WHERE, _FROM = "jax_compilation_cache_dir", "jax_persistent_cache_min_compile_time_secs"
_LEAST_SECONDS = 0.0
"""Small programs are kept, too: a clip of CartPole has thirty, and to compile one takes ten times
as long as to read it."""


def keep_compilations(folder: Path) -> None:
    """Let JAX keep compiled programs in a folder, unless it keeps them somewhere already."""
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
    if jax is None:
        # It reads them when it is imported, which not every clip needs.
        os.environ[_WHERE.upper()] = str(folder)
        os.environ.setdefault(_FROM.upper(), str(_LEAST_SECONDS))
    else:
        jax.config.update(_WHERE, str(folder))
        jax.config.update(_FROM, _LEAST_SECONDS)
