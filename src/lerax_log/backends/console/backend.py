"""Logging to the terminal: a panel where there is one, lines of text elsewhere."""

import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, override

from ..base import TOTAL_TIMESTEPS, AbstractLoggingBackend, HParam, require_video_format
from .training_state import TrainingState, plain_line

if TYPE_CHECKING:
    from rich.console import Console

    from lerax_render.video import Video

_TERMINAL = threading.Lock()
"""Held while a backend finds out whether the terminal is free, and takes it."""


class ConsoleBackend(AbstractLoggingBackend):
    """Shows metrics, the course of the return and progress on the terminal.

    On a terminal, a panel is redrawn four times a second below the program's other output: what
    goes through `print`, `warnings` and `logging` appears above it. (Writes that bypass
    `sys.stdout` and `sys.stderr`, such as those of child processes, can leave traces.) Anywhere
    else, and where another live display has the terminal, it prints a line of text every few
    seconds, the first one at once and the last one on `close`.

    For a video it prints a line with the file's path. It has no folder of its own. Name it before a
    `WandbBackend`: W&B then keeps the panel out of its copy of the program's output.
    """

    video_formats = ("mp4",)

    def __init__(self, *, console: "Console | None" = None, line_interval: float = 5.0) -> None:
        """Choose where to write; nothing is shown yet.

        Args:
            console: The rich console to write to (default: standard output).
            line_interval: Seconds from one line to the next where there is no terminal.

        Raises:
            ValueError: `line_interval` is negative.
        """
        if not line_interval >= 0:
            raise ValueError(f"line_interval must be 0 seconds or more, not {line_interval!r}")
        self._console = console
        self._line_interval = line_interval
        self._output: Display | None = None

    @override
    def open(self, name: str) -> None:
        """Show the run `name`.

        Raises:
            RuntimeError: A run is open.
        """
        self._refuse_second_run(self._output)
        import rich

        console = self._console or rich.get_console()
        state = TrainingState(name, time.monotonic())
        with _TERMINAL:
            if self._has_terminal(console):
                from .live_display import LiveDisplay

                self._output = LiveDisplay(state, console)
            else:
                self._output = PlainLines(state, self._console, self._line_interval)

    def _has_terminal(self, console: "Console") -> bool:
        from rich.file_proxy import FileProxy

        return (
            console.is_terminal
            # FORCE_COLOR makes rich take a pipe for a terminal.
            and (self._console is not None or console.file.isatty())
            and not console.is_dumb_terminal
            and console.encoding.startswith("utf")
            # Two live displays on one terminal would overwrite each other.
            and not isinstance(sys.stdout, FileProxy)
        )

    @override
    def log_hparams(self, hparams: Mapping[str, HParam]) -> None:
        """Note the training's length, for the progress bar; other hyperparameters are not shown."""
        output = self._opened(self._output)
        total = hparams.get(TOTAL_TIMESTEPS)
        if isinstance(total, int | float) and total > 0:
            output.state.expect(int(total))

    @override
    def log_scalars(self, scalars: Mapping[str, float], step: int) -> None:
        """Show the newest value of each tag.

        Raises:
            RuntimeError: The backend is not open.
            OSError: The line could not be written.
        """
        output = self._opened(self._output)
        if scalars:
            output.state.update(scalars, step, time.monotonic())
            output.updated()

    @override
    def log_video(self, tag: str, video: "Video", step: int) -> None:
        """Print a line with the path of the clip's file.

        Raises:
            RuntimeError: The backend is not open.
            ValueError: The clip is not an MP4.
        """
        output = self._opened(self._output)
        require_video_format(self, video)
        seconds = video.num_frames / video.fps
        output.say(f"{tag} at step {step:,}: {_shown_path(video.path)} ({seconds:.1f} s)")

    @override
    def flush(self) -> None:
        """Show the newest values now."""
        self._opened(self._output).flush()

    @override
    def close(self) -> None:
        """Show the last values and give the terminal back. Does nothing where no run is open."""
        if self._output is not None:
            output, self._output = self._output, None
            output.close()


class Display(Protocol):
    """What shows a run, from its creation to `close`."""

    state: TrainingState

    def updated(self) -> None:
        """Note that `state` has new values."""

    def say(self, text: str) -> None:
        """Print a line beside the values."""

    def flush(self) -> None:
        """Show the newest values now."""

    def close(self) -> None:
        """Show the last values and give the terminal back."""


class PlainLines:
    """A line of text every few seconds, for files and pipes."""

    def __init__(self, state: TrainingState, console: "Console | None", interval: float) -> None:
        self.state = state
        self._console = console
        self._interval = interval
        self._next_line = 0.0
        self._unseen = False

    def updated(self) -> None:
        """Print the state if the last line is long enough ago."""
        self._unseen = True
        if time.monotonic() >= self._next_line:
            self.flush()

    def say(self, text: str) -> None:
        """Print a line."""
        line = f"[{self.state.name}] {text}"
        if self._console is None:
            # Not through rich, which ends the program where the other end of a pipe is closed.
            print(line, flush=True)
        else:
            self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def flush(self) -> None:
        """Print the state if it has changed since the last line."""
        if not self._unseen:
            return
        now = time.monotonic()
        self._unseen = False
        self._next_line = now + self._interval
        self.say(plain_line(self.state.snapshot(now)))

    def close(self) -> None:
        """Print the last state."""
        self.flush()


def _shown_path(path: Path | None) -> str:
    if path is None:
        return "not kept in a file"
    path = Path(path)
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
