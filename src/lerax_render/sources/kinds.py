"""What kind of environment is this? Asked here, and nowhere else.

Each kind is a module with a function `match(env)`, which returns a `Source`, or a sentence that
says what was looked for and not found. A new kind is a new module and a name in `_KINDS`.
"""

from importlib import import_module
from typing import Any

from ..errors import UnsupportedEnvError
from .base import Source

# In this order: a simulation and Gymnasium's environments need no JAX, which all others bring; the
# foreign environments say what they are by their type, MuJoCo environments by their model; and the
# last two are asked for their renderer, which costs a little.
_KINDS = (
    "simulation",
    "gymnasium_mujoco",
    "gymnasium",
    "gymnax",
    "mujoco",
    "lerax2d",
    "custom",
)


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
