"""A display for code that thinks it needs one.

Lerax's own renderer, and many a custom one, call `pygame.init()` and `pygame.display.set_mode()`
when they are made, `pygame.event.get()` and `pygame.display.flip()` for each frame, and
`pygame.quit()` at the end: a window or an error, audio devices, and the end of a window that the
user's program has open.
"""

import copy
import functools
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType, SimpleNamespace
from typing import Any

from .pygame_import import MASKS, pygame

__all__ = ["offscreen_display"]

_DESKTOP = (1024, 768)


@contextmanager
def offscreen_display(window: pygame.Surface | None = None) -> Iterator[None]:
    """Let this thread use `pygame.display` and `pygame.event` without a display.

    Inside the `with` block, `pygame.init`, `pygame.quit` and the functions of `pygame.display` and
    `pygame.event` do nothing to the real display when this thread calls them: `set_mode` returns a
    surface in memory, `flip` does nothing, there are no events. Other threads' calls reach pygame.
    The blocks may be nested, and used on several threads at once; the last one to end puts pygame's
    own functions back. In this thread's next block, `pygame.display.get_surface()` still knows the
    surface, or is `window` where one is given.

    What this cannot serve: functions imported by name before the block (`from pygame.display import
    flip`), `Surface.convert()` without an argument and OpenGL, all of which need a real display.

    A generator must not `yield` inside such a block: its caller would get the stand-in, too.
    """
    _switch.enter(window)
    try:
        yield
    finally:
        _switch.leave()


class _Window(threading.local):
    """A thread's imaginary window."""

    def __init__(self) -> None:
        self.depth = 0
        self._caption = ("", "")
        self._surface: pygame.Surface | None = None
        # Between blocks, the surface lives as long as the renderer that draws on it.
        self._last: Callable[[], pygame.Surface | None] = lambda: None

    def enter(self, surface: pygame.Surface | None) -> None:
        if self.depth == 0:
            self._surface = self._last()
        if surface is not None:
            self._show(surface)
        self.depth += 1

    def leave(self) -> None:
        self.depth -= 1
        if self.depth == 0:
            self._surface = None

    # Named after the module and the function that they stand in for.

    def pygame_init(self) -> tuple[int, int]:
        pygame.font.init()
        return (1, 0)

    def pygame_quit(self) -> None:
        self.display_quit()

    def pygame_get_init(self) -> bool:
        return True

    def display_quit(self) -> None:
        self._surface = None
        self._last = lambda: None

    def display_get_init(self) -> bool:
        return True

    def display_set_mode(
        self,
        size: Any = (0, 0),
        flags: int = 0,
        depth: int = 0,
        display: int = 0,
        vsync: int = 0,
    ) -> pygame.Surface:
        if flags & pygame.OPENGL:
            raise pygame.error("there is no OpenGL on a display in memory")
        width, height = (int(given) or whole for given, whole in zip(size, _DESKTOP, strict=True))
        return self._show(pygame.Surface((width, height), 0, 32, MASKS))

    def _show(self, surface: pygame.Surface) -> pygame.Surface:
        self._surface = surface
        self._last = weakref.ref(surface)
        return surface

    def display_get_surface(self) -> pygame.Surface | None:
        return self._surface

    def display_get_window_size(self) -> tuple[int, int]:
        return self._surface.get_size() if self._surface else _DESKTOP

    def display_set_caption(self, title: str, icontitle: str | None = None) -> None:
        self._caption = (title, icontitle or title)

    def display_get_caption(self) -> tuple[str, str]:
        return self._caption

    def display_Info(self) -> SimpleNamespace:
        width, height = self.display_get_window_size()
        return SimpleNamespace(
            hw=False,
            wm=False,
            video_mem=0,
            bitsize=32,
            bytesize=4,
            masks=MASKS,
            current_w=width,
            current_h=height,
        )

    def event_poll(self) -> pygame.event.Event:
        return pygame.event.Event(pygame.NOEVENT)

    def event_wait(self, timeout: int = 0) -> pygame.event.Event:
        return pygame.event.Event(pygame.NOEVENT)


# The answers that never change. What is in neither place and is no question is ignored.
_ANSWERS: dict[str, Any] = {
    "display_get_active": True,
    "display_get_allow_screensaver": True,
    "display_get_current_refresh_rate": 60,
    "display_get_desktop_refresh_rates": [60],
    "display_get_desktop_sizes": [_DESKTOP],
    "display_get_driver": "dummy",
    "display_get_num_displays": 1,
    "display_get_window_position": (0, 0),
    "display_get_wm_info": {},
    "display_gl_get_attribute": 0,
    "display_is_fullscreen": False,
    "display_is_vsync": False,
    "display_list_modes": [_DESKTOP],
    "display_message_box": 0,
    "display_mode_ok": 32,
    "display_set_gamma": False,
    "display_set_gamma_ramp": False,
    "display_toggle_fullscreen": False,
    "event_get": [],
    "event_get_blocked": False,
    "event_get_grab": False,
    "event_get_keyboard_grab": False,
    "event_peek": False,
    "event_post": False,
}

# These work without a display.
_LEFT_ALONE = {"event_custom_type", "event_event_name"}

type _Function = Callable[..., Any]


class _Switch:
    """Puts the stand-ins in the place of pygame's functions while any thread wants them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._window = _Window()
        self._replaced: list[tuple[ModuleType, str, _Function, _Function]] = []

    def enter(self, window: pygame.Surface | None) -> None:
        with self._lock:
            if self._users == 0:
                self._replace()
            self._users += 1
        self._window.enter(window)

    def leave(self) -> None:
        self._window.leave()
        with self._lock:
            self._users -= 1
            if self._users == 0:
                self._restore()

    def _replace(self) -> None:
        functions = [(pygame, "pygame", name) for name in ("init", "quit", "get_init")]
        for module, prefix in ((pygame.display, "display"), (pygame.event, "event")):
            functions += [
                (module, prefix, name)
                for name, value in vars(module).items()
                if not name.startswith("_") and callable(value) and not isinstance(value, type)
            ]
        for module, prefix, name in functions:
            if f"{prefix}_{name}" in _LEFT_ALONE:
                continue
            original = getattr(module, name)
            stand_in = self._stand_in(original, f"{prefix}_{name}")
            setattr(module, name, stand_in)
            self._replaced.append((module, name, original, stand_in))

    def _restore(self) -> None:
        for module, name, original, stand_in in self._replaced:
            # Unless somebody else has put something there meanwhile.
            if getattr(module, name) is stand_in:
                setattr(module, name, original)
        self._replaced.clear()

    def _stand_in(self, original: _Function, name: str) -> _Function:
        @functools.wraps(original)
        def stand_in(*args: Any, **kwargs: Any) -> Any:
            if self._window.depth == 0:
                return original(*args, **kwargs)
            own = getattr(self._window, name, None)
            return own(*args, **kwargs) if own else copy.copy(_ANSWERS.get(name))

        return stand_in


_switch = _Switch()
