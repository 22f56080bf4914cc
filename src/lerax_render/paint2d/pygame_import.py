"""pygame (or pygame-ce), imported without its greeting on stdout and without its warnings."""

import os
import warnings

from ..errors import BackendUnavailableError

__all__ = ["MASKS", "pygame"]

# Blue first in memory, as ffmpeg's "bgr0" has it. Without these, the user's display would decide.
MASKS = (0xFF0000, 0xFF00, 0xFF, 0)

# pygame greets on stdout when it is first imported, which would end up in the output of a command
# line tool. Only this variable stops it without replacing `sys.stdout` under the other threads.
_GREETING = "PYGAME_HIDE_SUPPORT_PROMPT"

_before = os.environ.get(_GREETING)
os.environ[_GREETING] = "1"
try:
    with warnings.catch_warnings():
        # pygame 2.6 imports the deprecated pkg_resources: an error under `-W error`.
        warnings.simplefilter("ignore")
        import pygame
        import pygame.draw
        import pygame.font
        import pygame.image
except ImportError as error:
    raise BackendUnavailableError(
        f"2D pictures need pygame, which cannot be imported here ({error}). "
        "Install it with: pip install pygame"
    ) from error
finally:
    if _before is None:
        del os.environ[_GREETING]
    else:
        os.environ[_GREETING] = _before
