"""Videos of Lerax environments and policies, on machines without a display.

    import lerax_render as lr

    video = lr.record(env, policy, "clip.mp4", steps=256)

Importing this package loads none of JAX, MuJoCo, pygame or GL: each public name below imports its
module when it is first used.
"""

import lazy_loader

# Imported for what it does: from here on it notes whether this process is forked.
from .system import jax_start as _jax_start  # noqa: F401

# Each public name imports its module when it is first used; `__init__.pyi` lists them.
__getattr__, __dir__, _names = lazy_loader.attach_stub(__name__, __file__)
__all__ = [name for name in _names if not name.startswith("_")]
