"""What is redrawn in place on a terminal, while other output stays whole above it."""

import logging
import sys
import time
from collections.abc import Callable
from typing import TextIO

from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from ..base import Stage
from .texts import shortened
from .training_state import TrainingState
from .view import TrainingView

REFRESH_PER_SECOND = 4


class Redrawn:
    """Something that a thread of its own redraws in place, from its creation to `stop`.

    Meanwhile `sys.stdout` and `sys.stderr` print above it. So do the handlers of `logging` that
    write to them: they keep the stream that they were made with, and would otherwise write into it.

    Args:
        console: The terminal.
        view: Returns what is to be seen now.
        transient: Whether nothing of it stays on the terminal after `stop`.
    """

    def __init__(
        self, console: Console, view: Callable[[], RenderableType], *, transient: bool = False
    ) -> None:
        self._live = Live(
            console=console,
            get_renderable=view,
            refresh_per_second=REFRESH_PER_SECOND,
            transient=transient,
        )
        streams = sys.stdout, sys.stderr
        self._live.start(refresh=True)
        self._handlers = [
            *_move_handlers(streams[0], sys.stdout),
            *_move_handlers(streams[1], sys.stderr),
        ]

    def refresh(self) -> None:
        """Redraw it now."""
        self._live.refresh()

    def stop(self) -> None:
        """Give the streams back."""
        for handler, stream in self._handlers:
            handler.setStream(stream)
        self._live.stop()


class LiveDisplay:
    """A run's panel, from its creation to `close`."""

    def __init__(self, state: TrainingState, console: Console) -> None:
        self.state = state
        self._console = console
        self._closing = False
        self._panel = Redrawn(console, self._view)

    def updated(self, *, further: bool) -> None:
        """Do nothing: the panel's thread looks for itself."""

    def say(self, text: str, path: str = "", rest: str = "") -> None:
        """Print a line above the panel, with a path that is shortened where there is no room."""
        room = self._console.width - len(text) - len(rest)
        self._console.print(Text(f"{text}{shortened(path, max(room, 12))}{rest}"), soft_wrap=True)

    def entered(self, stage: Stage) -> None:
        """Redraw the panel now."""
        self.flush()

    def flush(self) -> None:
        """Redraw the panel now."""
        self._panel.refresh()

    def close(self) -> None:
        """Leave the whole panel on the terminal, as it is now, and give the streams back."""
        self._closing = True
        self._panel.stop()

    def _view(self) -> TrainingView:
        return TrainingView(self.state.snapshot(time.monotonic()), whole=self._closing)


def _move_handlers(
    stream: TextIO, target: TextIO
) -> list[tuple[logging.StreamHandler[TextIO], TextIO]]:
    """Have every handler of `stream` write to `target`; return them with their old stream."""
    loggers = [logging.root, *logging.root.manager.loggerDict.values()]
    handlers = [
        handler
        for logger in loggers
        if isinstance(logger, logging.Logger)
        for handler in logger.handlers
        if isinstance(handler, logging.StreamHandler) and handler.stream is stream
    ]
    for handler in handlers:
        handler.setStream(target)
    return [(handler, stream) for handler in handlers]
