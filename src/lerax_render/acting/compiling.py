"""That a rollout is being compiled, and for about how long: for whoever shows progress.

JAX says when it has lowered a program and when it has compiled it, or found it in its cache, but
not which of the two it is about to do. A program from the cache is there in a small part of the
time that it takes to compile, so nothing is said before that has passed.
"""

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SAID_FROM = 5.0
"""Seconds that a compilation has to take, by the estimate, to be worth a word."""

# Of Lerax's MuJoCo environments on XLA's CPU back end: CPU seconds of compilation, for each second
# that lowering took; how much of them one thread does; and which part of the whole time a program
# takes that comes from the cache.
_TIMES_LOWERING = 18.0
_SERIAL = 0.4
_FROM_CACHE = 0.12

_LOWERED = "jaxpr_to_mlir_module_duration"
_READY = "backend_compile_duration"

_listeners: dict[int, "_Listener"] = {}
_lock = threading.Lock()
_is_registered = False


@contextmanager
def compilation_said(name: str, say: Callable[[str], None] | None) -> Iterator[None]:
    """Say what this thread waits for while JAX compiles something that takes long.

    Args:
        name: Of what is compiled.
        say: Takes "compiling Hopper, about a minute the first time" from another thread, and ""
            from this one when that is over; `None` is nobody.
    """
    jax = sys.modules.get("jax")
    if say is None or jax is None:
        yield
        return
    global _is_registered
    with _lock:
        if not _is_registered:
            jax.monitoring.register_event_duration_secs_listener(_listen)
            _is_registered = True
    thread = threading.get_ident()
    outer = _listeners.get(thread)
    listener = _listeners[thread] = _Listener(name, say)
    try:
        yield
    finally:
        listener.ready()
        if outer is None:
            del _listeners[thread]
        else:
            _listeners[thread] = outer


def compiles_now(lowering: float) -> None:
    """Say that this thread now compiles a program that was lowered before, perhaps by another one.

    Where one thread does both, JAX says so.

    Args:
        lowering: Seconds that lowering took.
    """
    listener = _listeners.get(threading.get_ident())
    if listener is not None:
        listener.lowered(lowering)


def roughly(seconds: float) -> str:
    """Return a time as one says it: "about half a minute"."""
    if seconds < 25:
        return f"about {max(1, round(seconds / 10)) * 10} seconds"
    if seconds < 45:
        return "about half a minute"
    minutes = round(seconds / 60)
    return "about a minute" if minutes == 1 else f"about {minutes} minutes"


class _Listener:
    """Hears of the programs that one thread compiles, one after the other."""

    def __init__(self, name: str, say: Callable[[str], None]) -> None:
        self._name, self._say = name, say
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._is_said = False

    def lowered(self, seconds: float) -> None:
        """Hear that a program took so long to be lowered, and is compiled from now on."""
        cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
        expected = seconds * _TIMES_LOWERING * (_SERIAL + (1 - _SERIAL) / cores)
        if expected < SAID_FROM:
            return
        words = f"compiling {self._name}, {roughly(expected)} the first time"
        self.ready()
        self._timer = threading.Timer(_FROM_CACHE * expected, self._overdue, (words,))
        self._timer.daemon = True
        self._timer.start()

    def ready(self) -> None:
        """Hear that the program is compiled."""
        with self._lock:
            timer, self._timer = self._timer, None
            was_said, self._is_said = self._is_said, False
        if timer is not None:
            timer.cancel()
        if was_said:
            self._say("")

    def _overdue(self, words: str) -> None:
        with self._lock:
            if self._timer is threading.current_thread():
                self._is_said = True
                self._say(words)


def _listen(event: str, duration_secs: float, **_: str | int) -> None:
    listener = _listeners.get(threading.get_ident())
    if listener is None:
        return
    if event.endswith(_LOWERED):
        listener.lowered(duration_secs)
    elif event.endswith(_READY):
        listener.ready()
