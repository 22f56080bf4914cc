"""The only place that asks what kind of environment this is: a module a kind, capture + paint.

A module here has one function `match(env)`, which returns a `Source`, or a sentence that says what
was looked for and not found. A new kind of environment is a new module and a new row in `_KINDS`.
"""

from importlib import import_module
from typing import Any

from ..errors import UnsupportedEnvError
from .base import Painter, PixelFormat, Source

__all__ = ["Painter", "PixelFormat", "Source", "find_source"]

# In this order: the foreign environments say what they are by their type, MuJoCo environments by
# their model, and the last two are asked for their renderer, which costs a little.
_KINDS = ("gymnasium", "gymnax", "simulation", "mujoco", "lerax2d", "custom")


def find_source(env: Any) -> Source:
    """Return the source that can draw `env`.

    Raises:
        UnsupportedEnvError: No kind of source can; the message lists what was looked for.
    """
    reasons = []
    for kind in _KINDS:
        found = import_module(f"{__package__}.{kind}").match(env)
        if isinstance(found, Source):
            return found
        reasons.append(f"  - {found}")
    raise UnsupportedEnvError(
        f"cannot draw a {type(env).__name__}. Looked for:\n" + "\n".join(reasons) + "\n"
        "Give the environment a default_renderer(), and a render(state, renderer) that uses it."
    )
