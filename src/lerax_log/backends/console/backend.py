"""Logging to the terminal: a panel where there is one, lines of text elsewhere."""

import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, override

from ..base import (
    COMPILE_TAG,
    TOTAL_TIMESTEPS,
    AbstractLoggingBackend,
    HParam,
    Progress,
    Stage,
    require_video_format,
)
from .plain_lines import PlainLines
from .training_state import TrainingState
from .waiting import Place, Waiting

if TYPE_CHECKING:
    from rich.console import Console

    from lerax_render.video import Video

_TERMINAL = threading.Lock()
"""Held while a backend finds out whether the terminal is free, and takes it."""


class ConsoleBackend(AbstractLoggingBackend):
    """Shows metrics, the course of the return and progress on the terminal.

    On a terminal, a panel is redrawn four times a second below the program's other output: what
    goes through `print`, `warnings` and `logging` appears above it. (Writes that bypass
    `sys.stdout` and `sys.stderr`, such as those of child processes, can leave traces.) In a
    notebook the panel is one output, replaced in place. Anywhere else, and where another live
    display has the terminal, it prints a line of up to 120 characters every few seconds, the first
    one at once and the last one on `close`.

    While JAX traces and compiles `learn` it says so, with the time that has passed. A value that is
    of an earlier step than the newest says its step. For a video it prints a line with the file's
    path. It has no folder of its own. Name it before a `WandbBackend`: W&B then keeps the panel out
    of its copy of the program's output.
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
        self._note = ""
        # Copies share it: each lane opens a copy, and the first that does ends the waiting.
        self._waiting = Waiting()

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
            cell = self._waiting.end()
            place = self._place(console)
            if place == "terminal":
                from .live_display import LiveDisplay

                self._output = LiveDisplay(state, console)
            elif place == "notebook":
                from .notebook import Cell, NotebookDisplay

                self._output = NotebookDisplay(state, cell or Cell())
            else:
                self._output = PlainLines(
                    state,
                    self._console,
                    self._line_interval,
                    # All lanes of a training together have lines, rather than each of them.
                    only_recordings=self.group is not None,
                )

    def _place(self, console: "Console") -> Place:
        from rich.file_proxy import FileProxy

        if self._console is None and console.is_jupyter:
            return "notebook"
        has_terminal = (
            console.is_terminal
            # FORCE_COLOR makes rich take a pipe for a terminal.
            and (self._console is not None or console.file.isatty())
            and not console.is_dumb_terminal
            and console.encoding.startswith("utf")
            # Two live displays on one terminal would overwrite each other.
            and not isinstance(sys.stdout, FileProxy)
        )
        return "terminal" if has_terminal else "lines"

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
        if not scalars:
            return
        further = output.state.update(scalars, step, time.monotonic())
        if COMPILE_TAG in scalars and isinstance(output, PlainLines):
            output.started(scalars[COMPILE_TAG])
        output.updated(further=further)

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
        output.say(f"{tag} at step {step:,}: ", _shown_path(video.path), f" ({seconds:.1f} s)")

    @override
    def show_progress(self, progress: Progress) -> None:
        """Show what `learn` is doing, from the moment when JAX begins to trace it."""
        if self._output is not None:
            if self._output.state.show(progress, time.monotonic()):
                self._output.entered(progress.stage)
            before, self._note = self._note, progress.note
            if progress.note not in ("", before):
                self._output.say(f"recording: {progress.note}")
        elif progress.stage in ("tracing", "compiling"):
            import rich

            console = self._console or rich.get_console()
            with _TERMINAL:
                self._waiting.show(progress.stage, console, self._place(console))
        elif progress.stage == "done":
            self._waiting.end()

    @override
    def flush(self) -> None:
        """Show the newest values now."""
        self._opened(self._output).flush()

    @override
    def close(self) -> None:
        """Show the last values and give the terminal back. Does nothing where no run is open."""
        self._waiting.end()
        if self._output is not None:
            output, self._output = self._output, None
            output.close()


class Display(Protocol):
    """What shows a run, from its creation to `close`."""

    state: TrainingState

    def updated(self, *, further: bool) -> None:
        """Note that `state` has new values, and whether the training is further than before."""

    def say(self, text: str, path: str = "", rest: str = "") -> None:
        """Print a line beside the values; where there is no room, its path is shortened."""

    def entered(self, stage: Stage) -> None:
        """Show that the `learn` does something else now."""

    def flush(self) -> None:
        """Show the newest values now."""

    def close(self) -> None:
        """Show the last values and give the terminal back."""


def _shown_path(path: Path | None) -> str:
    if path is None:
        return "not kept in a file"
    path = Path(path)
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
