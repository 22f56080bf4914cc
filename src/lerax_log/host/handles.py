"""How a callback refers to its session, wherever JAX takes the callback."""

from typing import Any, Self

import jax
import numpy as np
from jax import numpy as jnp

from .session import Session, numbered


class _Label:
    """A session's number as static data, equal to every other, so that nothing is compiled anew."""

    def __init__(self, number: int | None) -> None:
        self.number = number

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Label)

    def __hash__(self) -> int:
        return 0


@jax.tree_util.register_pytree_node_class
class Handle:
    """A session's number, the one leaf of this pytree, and what keeps the session alive.

    Traced code has a number alone. Wherever the number is there as an array, in a copy on another
    device for instance, the session is found by it. While JAX traces it is `traced_session`.

    Args:
        number: The session's number, `int32`, or whatever JAX puts in its place.
    """

    def __init__(self, number: Any, label: "_Label | None" = None) -> None:
        self.number = number
        self.session = _session_of(number)
        self._label = label or _Label(None)
        if self.session is not None:
            self.session.handles.add(self)
            self._label = _Label(self.session.number)

    @classmethod
    def of(cls, session: Session) -> Self:
        """Return a handle of a session."""
        return cls(jnp.asarray(session.number, jnp.int32))

    @property
    def traced_session(self) -> Session | None:
        """The session whose callback is being traced; another one may run what is compiled."""
        number = self._label.number
        return None if number is None else numbered(number)

    def tree_flatten(self) -> tuple[tuple[Any], "_Label"]:
        """Return the number as the one child."""
        return (self.number,), self._label

    @classmethod
    def tree_unflatten(cls, label: "_Label", children: tuple[Any]) -> Self:
        """Return a handle of the number."""
        return cls(*children, label)

    def __deepcopy__(self, _: Any) -> Self:
        return self


def _session_of(number: Any) -> Session | None:
    if not isinstance(number, jax.Array | np.ndarray) or isinstance(number, jax.core.Tracer):
        return None
    try:
        return numbered(int(number))
    except Exception:
        # Mapped, donated, or on other machines.
        return None
