"""What the console shows where there is no terminal: a line of text every few seconds."""

import time
from typing import TYPE_CHECKING

from ..base import Stage
from .texts import LINE_WIDTH, format_seconds, line_head, plain_line, shortened
from .training_state import TrainingState

if TYPE_CHECKING:
    from rich.console import Console

COMPILING = "tracing and compiling `learn`…"


class PlainLines:
    """Lines of up to 120 characters, for files and pipes.

    A line comes where the training has come further and the last one is long enough ago, where it
    has ended, and on `close` if there is something new. Recordings have lines of their own.

    Args:
        state: The run's.
        console: Where to print; `None` is standard output.
        interval: Seconds from one line to the next.
        only_recordings: Whether nothing else has a line.
    """

    def __init__(
        self,
        state: TrainingState,
        console: "Console | None",
        interval: float,
        *,
        only_recordings: bool = False,
    ) -> None:
        self.state = state
        self._console = console
        self._interval = interval
        self._only_recordings = only_recordings
        self._next_line = 0.0
        self._unseen = False

    def updated(self, *, further: bool) -> None:
        """Print the state if the training is further and the last line is long enough ago."""
        self._unseen = True
        if further and time.monotonic() >= self._next_line:
            self.flush()

    def say(self, text: str, path: str = "", rest: str = "") -> None:
        """Print a line, with a path that is shortened where there is no room."""
        head = line_head(self.state.name)
        room = LINE_WIDTH - len(head) - len(text) - len(rest)
        write_line(f"{head}{text}{shortened(path, max(room, 12))}{rest}", self._console)

    def started(self, seconds: float) -> None:
        """Print the line between compiling and training, with the whole of a long name."""
        if self._only_recordings:
            return
        name = self.state.name
        compiled = f"`learn` was compiled in {format_seconds(seconds)}"
        if name in line_head(name):
            self.say(compiled)
        else:
            self.say(f"{compiled}: ", name)

    def entered(self, stage: Stage) -> None:
        """Print that `learn` is being compiled, or the state where the training has ended."""
        if stage == "tracing" and not self._only_recordings:
            self.say(COMPILING)
        elif stage == "done":
            self._unseen = True
            self.flush()

    def flush(self) -> None:
        """Print the state if it has changed since the last line."""
        if not self._unseen or self._only_recordings:
            return
        now = time.monotonic()
        self._unseen = False
        self._next_line = now + self._interval
        write_line(plain_line(self.state.snapshot(now)), self._console)

    def close(self) -> None:
        """Print the last state."""
        self.flush()


def write_line(line: str, console: "Console | None") -> None:
    """Print a line as it is, however wide the console."""
    if console is None:
        # Not through rich, which ends the program where the other end of a pipe is closed.
        print(line, flush=True)
    else:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
