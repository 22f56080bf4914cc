"""The process of a command: its signals, its output, and what is set before it renders."""

import atexit
import difflib
import gc
import logging
import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from ..errors import RenderWarning
from ..settings import shown
from ..system import keep_compilations

if TYPE_CHECKING:
    from ..output import Output as Made


class Terminated(KeyboardInterrupt):
    """SIGTERM has come. Not a `SystemExit`, which users' scripts raise, too."""


@contextmanager
def sigterm_as_ctrl_c() -> Iterator[None]:
    """Have SIGTERM unwind the block, so that nothing is left half made."""

    def end(*_: object) -> None:
        raise Terminated

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


_MOST_COMPILED_BYTES = 2_000_000_000


def prepare_process(cache: bool) -> None:
    """Make a process of this command ready to render.

    Args:
        cache: Whether compiled rollouts are kept in the user's cache folder.
    """
    # Imports and traces make a million objects that stay. To look through them for garbage again
    # and again, and once more at the end, takes a fifth of a first clip.
    gc.set_threshold(50_000, 20, 100)
    atexit.register(gc.freeze)
    show_warnings_as_lines()
    # MJX asks for 64 bits all over and is content with 32; that helps nobody here.
    warnings.filterwarnings("ignore", message="Explicitly requested dtype")
    # Gymnax imports it. Where it may not write to HOME, it uses a temporary folder.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    if not os.environ.get("LERAX_RENDER_TRACEBACK"):
        # JAX logs the traceback of what a callback raises, which is said in one line.
        for module in ("callback", "debugging"):
            logging.getLogger(f"jax._src.{module}").setLevel(logging.CRITICAL)
    if cache:
        import platformdirs

        folder = platformdirs.user_cache_path("lerax-render") / "jax"
        keep_compilations(folder, _MOST_COMPILED_BYTES)


def show_warnings_as_lines() -> None:
    """Print our warnings without the place in our code that they come from."""
    warnings.formatwarning = _formatted


def _formatted(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    line: str | None = None,
) -> str:
    """Return a warning of ours as one line: what a user can mend is not in our code."""
    if issubclass(category, RenderWarning):
        return f"lerax-render: warning: {message}\n"
    return _pythons_format(message, category, filename, lineno, line)


_pythons_format = warnings.formatwarning


def open_standard_files() -> None:
    """Open what cron and services close of standard input, output and error, as `/dev/null`.

    Else the next files to be opened would take their places, and what libraries print with them.
    """
    for number, (name, mode) in enumerate({"stdin": "r", "stdout": "w", "stderr": "w"}.items()):
        try:
            os.fstat(number)
        except OSError:
            # It gets the lowest number that is free, which is this one.
            os.open(os.devnull, os.O_RDWR)
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, closefd=False))  # noqa: SIM115


class Output:
    """A stream that gives up, and takes note of it, when its reader is gone or its disk is full.

    What is printed only says what was made; that it cannot be said unmakes nothing.

    Args:
        stream: Where texts go. What its encoding lacks is written as in Python's strings.

    Attributes:
        error: Why some of the output is lost.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.error: OSError | None = None

    def write(self, text: str) -> int:
        """Write a text, unless the stream is broken."""
        if self.error is None:
            with self._taking_note():
                try:
                    self._stream.write(text)
                except UnicodeEncodeError as error:
                    known = text.encode(error.encoding, "backslashreplace")
                    self._stream.write(known.decode(error.encoding))
        return len(text)

    def flush(self) -> None:
        """Pass on what was written, unless the stream is broken."""
        if self.error is None:
            with self._taking_note():
                self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    @contextmanager
    def _taking_note(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.error = error
            # What is left in the stream's buffer would be an error again at the interpreter's end.
            with suppress(OSError, ValueError):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, self._stream.fileno())
                os.close(nowhere)


def in_words(error: BaseException) -> str:
    """Return what an error says, and of the system's what it means rather than its number."""
    if not isinstance(error, OSError) or not error.strerror or not isinstance(error.filename, str):
        return str(error)
    if not isinstance(error, FileNotFoundError):
        return f"{error.strerror}: {shown(error.filename)}"
    path = Path(error.filename)
    said = f"there is no file {shown(error.filename)}"
    with suppress(OSError):
        names = [name for name in os.listdir(path.parent) if not name.startswith(".")]
        if close := difflib.get_close_matches(path.name, names, n=1):
            return f"{said}; did you mean {shown(str(path.parent / close[0]))}?"
    return said


def printable(text: str, kept: str = "\n") -> str:
    """Return a text without what a terminal would obey instead of show, written as in Python.

    A manifest, a model or a replay may come from anywhere, and errors quote them.

    Args:
        text: Any text.
        kept: What is not to be shown and stays as it is.
    """
    return "".join(c if c.isprintable() or c in kept else repr(c)[1:-1] for c in text)


def shows(made: "Made") -> str:
    """Say what a file shows: frames of a size and a rate, or steps."""
    from ..video import Video

    if isinstance(made, Video):
        frames = f"{made.num_frames} frame{'s' * (made.num_frames != 1)}"
        return f"{frames}, {made.width}x{made.height}, {made.fps:g} fps"
    return f"{made.steps} step{'s' * (made.steps != 1)}"
