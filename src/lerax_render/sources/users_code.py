"""An environment's own code: where it must not draw."""

import sys
from types import FrameType
from typing import Any, override

import equinox as eqx
from jax.extend.core import get_opaque_trace_state

from ..errors import LIBRARIES, UnsupportedEnvError, place_in
from ..paint2d import Layout, TracingRenderer

# By the names of JAX's functions: what a transformation is called, and what to do instead.
_BRANCHES = (
    "computes all branches, whichever is taken: compute there, and draw outside; what has a radius "
    "or a size of 0 is not drawn"
)
_TURNS = "runs once for all turns: compute there, and draw outside, in a Python loop"
_TRANSFORMATIONS = {
    "cond": ("lax.cond", _BRANCHES),
    "switch": ("lax.switch", _BRANCHES),
    "fori_loop": ("lax.fori_loop", _TURNS),
    "while_loop": ("lax.while_loop", _TURNS),
    "scan": ("lax.scan", _TURNS),
    "map": ("lax.map", _TURNS),
    "vmap_f": ("jax.vmap", _TURNS),
    "cache_miss": (
        "jax.jit",
        "is compiled: leave jit out there, or compute there and draw outside",
    ),
}
_UNKNOWN = (
    "a function that JAX transforms",
    "runs with no values: compute there, and draw outside",
)


class DrawnWithinTrace(UnsupportedEnvError):
    """`env.render` draws where JAX runs its code without the values of a frame."""


class WatchfulRenderer(TracingRenderer):
    """Writes down what it is told to draw, but not within what JAX transforms.

    There, code runs once, for all branches of a `lax.cond` and for all turns of a loop: it would
    draw something else than it says.

    Raises:
        DrawnWithinTrace: By what draws.
    """

    _begun: Any = eqx.field(static=True)

    def __init__(self, layout: Layout) -> None:
        super().__init__(layout)
        self._begun = _trace()

    @override
    def _command(self, command: Any, numbers: Any) -> None:
        if _trace() != self._begun:
            raise _drawn_within()
        super()._command(command, numbers)

    @override
    def clear(self) -> None:
        if _trace() != self._begun:
            raise _drawn_within()
        super().clear()


def _trace() -> Any:
    return get_opaque_trace_state(convention="nnx")


def _drawn_within() -> DrawnWithinTrace:
    """Return an error that says within what this was called, and where."""
    place, within, library = "", _UNKNOWN, False
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module.partition(".")[0] in LIBRARIES:
            name = frame.f_code.co_name
            known = name in _TRANSFORMATIONS and (name != "map" or "control_flow" in module)
            if place and known:
                within, library = _TRANSFORMATIONS[name], True
        elif library:
            break
        elif not place:
            place = place_in(frame, frame.f_lineno)
        frame = frame.f_back
    name, instead = within
    return DrawnWithinTrace(f"{place} draws inside {name}, which {instead}")
