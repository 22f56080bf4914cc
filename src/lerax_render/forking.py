"""Notes whether this process was forked after JAX had started, from when the package is imported.

JAX's threads are not in a forked child, and whoever computes there waits for them for ever.
"""

import os
import sys

_forked = False


def was_forked_after_jax() -> bool:
    """Whether JAX was used before this process was forked."""
    return _forked or (_has_started() and _is_single_threaded())


def _has_started() -> bool:
    # Without importing JAX, which may take seconds, and hang in a forked child.
    return bool(getattr(sys.modules.get("jax._src.xla_bridge"), "_backends", None))


def _is_single_threaded() -> bool:
    """Whether none of JAX's threads is here: then the fork came before the package's import."""
    try:
        return len(os.listdir("/proc/self/task")) == 1
    except OSError:
        return False


def _note() -> None:
    global _forked
    _forked = _forked or _has_started()


os.register_at_fork(after_in_child=_note)
