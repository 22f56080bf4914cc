"""Progress bars of the command line: on a terminal, and nothing anywhere else."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

from rich.filesize import decimal

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn

    from ..batch import Outcome
    from ..gallery import Entry


class Bar:
    """Shows the progress of one thing."""

    def __init__(self, progress: "Progress", description: str, total: int | None) -> None:
        from rich.markup import escape

        self._escape = escape
        self._progress, self._description = progress, escape(description)
        self._task = progress.add_task(self._description, total=total)

    def __call__(self, count: int) -> None:
        """Show that so many more steps are done."""
        self._progress.advance(self._task, count)

    def say(self, text: str) -> None:
        """Show a text in the description's place; an empty one brings that back."""
        self._progress.update(self._task, description=self._escape(text) or self._description)


@contextmanager
def progress_bar(description: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Show the progress of one thing.

    Args:
        description: Of the thing.
        total: How many steps it takes; `None` where nobody knows.

    Yields:
        What to call with how many more are done: a `Bar`, where one is shown.
    """
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    # Not above: where nothing is shown, a command is quicker by what this takes.
    from rich.progress import MofNCompleteColumn

    with _progress(MofNCompleteColumn()) as progress:
        yield Bar(progress, description, total)


class ClipsBar:
    """Shows which of many clips are being made, and prints a line for each that is ready."""

    def __init__(self) -> None:
        from rich.progress import TextColumn

        self._progress = _progress(TextColumn("{task.fields[ready]} of {task.fields[clips]}"))
        self._task = self._progress.add_task("", total=None, visible=False, ready=0, clips=0)
        self._ready = 0
        self._entries: Sequence[Entry] = ()
        self._names = ""

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._progress.stop()

    def start(self, entries: Sequence["Entry"]) -> Self:
        """Begin with the clips that have to be made."""
        self._entries = entries
        steps = sum(entry.clip.length for entry in entries)
        self._progress.update(self._task, total=steps, clips=len(entries), visible=True)
        return self

    def __call__(self, running: Sequence[int], more: int) -> None:
        """Show which clips are running, by number, and that so many more steps are done."""
        self._names = ", ".join(self._entries[number].name for number in running)
        self._progress.update(self._task, description=self._names, advance=more)

    def say(self, text: str) -> None:
        """Show a text after the names of running clips; an empty one removes it."""
        from rich.markup import escape

        said = f"{self._names}: {escape(text)}" if text else self._names
        self._progress.update(self._task, description=said)

    def finish(self, entry: "Entry", outcome: "Outcome") -> None:
        """Say that a clip is ready, or has failed."""
        self._ready += 1
        self._progress.update(self._task, ready=self._ready)
        if outcome.video is None:
            print(f"{entry.name} (line {entry.line}): failed after {outcome.seconds:.1f} s")
            return
        print(f"{entry.name}: {decimal(outcome.num_bytes)}, {outcome.seconds:.1f} s")


def _progress(count: "ProgressColumn") -> "Progress":
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        count,
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        # Not console.is_terminal: FORCE_COLOR makes that true of a pipe.
        disable=not sys.stderr.isatty(),
    )
