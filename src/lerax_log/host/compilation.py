"""How long it takes to trace and compile a `learn`."""

import threading
import time

import jax

_EVENT = "backend_compile_duration"

_last: dict[int, float] = {}
_lock = threading.Lock()
_is_listening = False


class Compilation:
    """That of the `learn` which this thread has begun to trace."""

    def __init__(self) -> None:
        global _is_listening
        with _lock:
            if not _is_listening:
                _is_listening = True
                jax.monitoring.register_event_duration_secs_listener(_listen)
        self._thread = threading.get_ident()
        self._started = time.monotonic()

    @property
    def seconds(self) -> float:
        """From the beginning of tracing to the end of the thread's latest compilation.

        Not to now: a program that is compiled ahead of time runs later.
        """
        return max(0.0, _last.get(self._thread, time.monotonic()) - self._started)


def _listen(event: str, duration_secs: float, **_: str | int) -> None:
    if event.endswith(_EVENT):
        _last[threading.get_ident()] = time.monotonic()
