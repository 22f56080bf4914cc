"""Whether JAX can compute in this process, before something waits for it or fails within it."""

from .errors import BackendUnavailableError
from .forking import was_forked_after_jax


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
    if was_forked_after_jax():
        raise BackendUnavailableError(
            "JAX was used before this process was forked, and hangs in it: start processes anew, "
            'with multiprocessing.get_context("spawn"), or have render_clips and WorkerProcesses '
            "do so"
        )
