"""Whether JAX can compute in this process, before something waits for it or fails within it.

JAX's threads are not in a forked child, and whoever computes there waits for them for ever. From
when the package is imported, this notes whether the process is forked after JAX has started; so it
imports next to nothing itself.
"""

import os
import sys

_forked = False


def start_jax() -> str:
    """Start JAX, and return the platform that it computes on, such as `"cpu"`.

    Raises:
        BackendUnavailableError: It does not start, or this process was forked from one that used
            it.
    """
    check_not_forked()
    import jax

    try:
        return str(jax.devices()[0].platform)
    # Of a CUDA that is not there, JAX says nothing more than an assertion.
    except (AssertionError, RuntimeError) as error:
        from ..errors import BackendUnavailableError

        said = str(error).partition(" (set JAX_PLATFORMS")[0] or "there is no such device here"
        reason = " ".join(said.split()).rstrip(".")
        wanted = jax.config.jax_platforms
        raise BackendUnavailableError(
            f"JAX cannot start with JAX_PLATFORMS={wanted}: {reason}. Unset the variable, and JAX "
            "takes what there is; or install JAX for that device"
            if wanted
            else f"JAX cannot start: {reason}"
        ) from error


def check_not_forked() -> None:
    """Raise `BackendUnavailableError` where JAX was used before this process was forked."""
    if _forked or (_has_started() and _is_single_threaded()):
        from ..errors import BackendUnavailableError

        raise BackendUnavailableError(
            "JAX was used before this process was forked, and hangs in it: start processes anew, "
            'with multiprocessing.get_context("spawn"), or have render_clips and WorkerProcesses '
            "do so"
        )


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
