"""What is shown before there is a run: that `learn` is being traced, and then compiled."""

import sys
import threading
import time
from types import FrameType
from typing import TYPE_CHECKING, Any, Literal

from ..base import Stage
from .plain_lines import COMPILING, write_line
from .texts import format_seconds

if TYPE_CHECKING:
    from rich.console import Console

type Place = Literal["terminal", "notebook", "lines"]
"""Where a run is shown: on a terminal, in a notebook, or in a file or a pipe."""

_INTERVAL = 0.25
_LIBRARIES = ("equinox", "jax", "lerax")


class Waiting:
    """The stage of a `learn` that has no run yet, until `end` or the call of `learn` is over.

    It is over without a run where tracing fails, or where somebody compiles ahead of time.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shown: _Shown | None = None

    def show(self, stage: Stage, console: "Console", place: Place) -> None:
        """Show what the `learn` that the calling thread is in does from now on."""
        with self._lock:
            if self._shown is not None and not self._shown.ended.is_set():
                self._shown.stage = stage
                return
            self._shown = _Shown(stage)
            if place == "lines":
                write_line(COMPILING, console if console.file is not sys.stdout else None)
            else:
                self._shown.start(console, place)

    def end(self) -> Any | None:
        """Show it no more, and return the notebook's output that it was shown in."""
        with self._lock:
            shown, self._shown = self._shown, None
        return None if shown is None else shown.stop()


class _Shown:
    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.ended = threading.Event()
        self._started = time.monotonic()
        self._call = _Call()
        self._thread: threading.Thread | None = None
        self._display: Any = None
        self._cell: Any = None

    def start(self, console: "Console", place: Place) -> None:
        if place == "terminal":
            from .live_display import Redrawn

            self._display = Redrawn(console, self._text, transient=True)
        else:
            from .notebook import Cell

            self._cell = Cell()
        # Not a daemon, which would leave a terminal without its cursor: it ends with the call.
        self._thread = threading.Thread(target=self._watch, name="lerax_log-waiting")
        self._thread.start()

    def stop(self) -> Any | None:
        self.ended.set()
        if self._thread is not None:
            self._thread.join()
        return self._cell

    def _watch(self) -> None:
        try:
            while self._call.is_running():
                if self._cell is not None:
                    self._cell.show(self._text())
                if self.ended.wait(_INTERVAL):
                    return
        finally:
            self.ended.set()
            if self._display is not None:
                self._display.stop()

    def _text(self) -> Any:
        from rich.text import Text

        seconds = format_seconds(time.monotonic() - self._started)
        return Text(f"{self.stage} `learn`… {seconds}")


class _Call:
    """The call of `learn` that this thread is in, as far out as libraries called each other."""

    def __init__(self) -> None:
        self._thread = threading.get_ident()
        frame: FrameType | None = sys._getframe()
        self._frame = frame
        while frame is not None:
            if frame.f_globals.get("__name__", "").partition(".")[0] in _LIBRARIES:
                self._frame = frame
            frame = frame.f_back

    def is_running(self) -> bool:
        """Whether its thread is still in it."""
        frame = sys._current_frames().get(self._thread)
        while frame is not None and frame is not self._frame:
            frame = frame.f_back
        return frame is not None
