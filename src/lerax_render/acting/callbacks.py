"""What comes back from compiled code, where functions that it calls back may have failed."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jax

from ..errors import RenderError, raised_in_callback


@contextmanager
def callbacks_named() -> Iterator[None]:
    """Have what a function raises that JAX calls back be said in one line.

    Such are `jax.pure_callback`, `io_callback` and `jax.debug.callback`, by one of which Lerax
    steps Gymnasium's environments.

    Raises:
        RenderError: With JAX's own error as its cause.
    """
    try:
        yield
    except jax.errors.JaxRuntimeError as error:
        raised = raised_in_callback(error)
        if not raised:
            raise
        raise RenderError(f"a function that JAX has called back raised {raised}") from error


def on_host(tree: Any) -> Any:
    """Return a tree with its arrays on the host."""
    with callbacks_named():
        return jax.device_get(tree)
