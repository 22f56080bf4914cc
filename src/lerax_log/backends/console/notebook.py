"""What the console shows in a notebook: one output, which is replaced in place."""

import threading
import time
from io import StringIO
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.text import Text

from ..base import Stage
from .training_state import TrainingState
from .view import TrainingView

WIDTH = 88
"""Width of the panel in characters."""

REFRESH_SECONDS = 0.5

LINES = 5
"""Lines below the panel, such as those of the latest recordings."""

_FORMAT = '<pre style="line-height:1.2;font-family:monospace">{code}</pre>'


class Cell:
    """An output of a notebook, which appears when something is shown first."""

    def __init__(self) -> None:
        self._handle: Any = None

    def show(self, content: RenderableType) -> None:
        """Put `content` in place of what was there."""
        from IPython.display import HTML, display

        console = Console(
            file=StringIO(), record=True, width=WIDTH, height=100, force_jupyter=False
        )
        console.print(content)
        shown = HTML(console.export_html(inline_styles=True, code_format=_FORMAT))
        if self._handle is None:
            self._handle = display(shown, display_id=True)
        else:
            self._handle.update(shown)


class NotebookDisplay:
    """A run's panel and its latest lines in one output, which a thread of its own redraws.

    Args:
        state: The run's.
        cell: The output.
    """

    def __init__(self, state: TrainingState, cell: Cell) -> None:
        self.state = state
        self._cell = cell
        self._lines: list[str] = []
        self._closed = threading.Event()
        self._cell.show(self._view())
        self._thread = threading.Thread(target=self._redraw, name="lerax_log-notebook", daemon=True)
        self._thread.start()

    def updated(self, *, further: bool) -> None:
        """Do nothing: the thread looks for itself."""

    def say(self, text: str, path: str = "", rest: str = "") -> None:
        """Add a line below the panel."""
        self._lines = [*self._lines, f"{text}{path}{rest}"][-LINES:]

    def entered(self, stage: Stage) -> None:
        """Redraw the panel now."""
        self.flush()

    def flush(self) -> None:
        """Redraw the panel now."""
        self._cell.show(self._view())

    def close(self) -> None:
        """Leave the panel as it is now."""
        self._closed.set()
        self._thread.join()
        self.flush()

    def _redraw(self) -> None:
        while not self._closed.wait(REFRESH_SECONDS):
            self.flush()

    def _view(self) -> Group:
        panel = TrainingView(self.state.snapshot(time.monotonic()), whole=True)
        return Group(panel, *(Text(line, overflow="fold") for line in self._lines))
