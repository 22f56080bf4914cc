"""The console's panel on a terminal, which other output does not tear apart."""

import logging
import sys
import time
from typing import TextIO

from rich.console import Console
from rich.live import Live
from rich.text import Text

from .training_state import TrainingState
from .view import TrainingView

REFRESH_PER_SECOND = 4


class LiveDisplay:
    """A panel that a thread of its own redraws in place, from its creation to `close`.

    Meanwhile `sys.stdout` and `sys.stderr` print above the panel. So do the handlers of `logging`
    that write to them: they keep the stream that they were made with, and would otherwise write
    into the panel.
    """

    def __init__(self, state: TrainingState, console: Console) -> None:
        self.state = state
        self._console = console
        self._closing = False
        self._live = Live(
            console=console,
            get_renderable=self._view,
            refresh_per_second=REFRESH_PER_SECOND,
        )
        streams = sys.stdout, sys.stderr
        self._live.start(refresh=True)
        self._handlers = [
            *_move_handlers(streams[0], sys.stdout),
            *_move_handlers(streams[1], sys.stderr),
        ]

    def updated(self) -> None:
        """Do nothing: the panel's thread looks for itself."""

    def say(self, text: str) -> None:
        """Print a line above the panel."""
        self._console.print(Text(text), soft_wrap=True)

    def flush(self) -> None:
        """Redraw the panel now."""
        self._live.refresh()

    def close(self) -> None:
        """Leave the whole panel on the terminal, as it is now, and give the streams back."""
        self._closing = True
        for handler, stream in self._handlers:
            handler.setStream(stream)
        self._live.stop()

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
