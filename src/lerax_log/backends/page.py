"""Logging to a web page."""

import os
import queue
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, override

from lerax_render.errors import warn
from lerax_render.runs import RunFolder

from .base import AbstractLoggingBackend, local_folder, run_folder_in

PERIOD = 5.0
"""Seconds from one writing to the next, at least."""

SHARE = 0.01
"""Of the time, what may be spent on writing while the training goes on."""

LONGEST = 30.0
"""Seconds from one writing to the next, at most: a page takes a run for killed that says nothing
for a minute."""


class PageBackend(AbstractLoggingBackend):
    """Keeps a web page in the run's folder, `index.html`, which opens by a double click.

    It has curves, the recordings as points on them, and the hyperparameters. An open page follows
    the training. `lerax-render page` makes pages of several runs, pages of trainings without this
    backend, and one file to send to somebody; W&B, MLflow and Trackio get that one when the run is
    closed, if they are among the backends.

    A thread of its own writes every five seconds; where that would take more than one per cent of
    the time, less often, but at least every half a minute. It makes a player of each recording when
    its clip is painted.
    """

    def __init__(self, log_dir: str | os.PathLike[str] | None = None) -> None:
        """Choose the folder; nothing is made yet.

        Args:
            log_dir: Local folder for the runs' folders, `logs` where no other backend has one.

        Raises:
            TypeError, ValueError: As for `TensorBoardBackend`.
        """
        self.log_dir: Path | None = None if log_dir is None else local_folder(log_dir)
        self._writer: _Writer | None = None

    @override
    def open(self, name: str) -> None:
        """Make the page, or go on with it.

        Args:
            name: The run's name; `/` in it makes folders in folders.

        Raises:
            ValueError: `name` leads out of `log_dir`, or another `index.html` is there.
            RuntimeError: A run is open.
            OSError: The folder or the page cannot be made.
        """
        self._refuse_second_run(self._writer)
        folder = self.run_folder
        if folder is None:
            folder = run_folder_in(self.log_dir or Path("logs"), name)
        folder.mkdir(parents=True, exist_ok=True)
        self._writer = _Writer(folder, name)
        self.run_dir = folder

    @override
    def log_run(self, facts: Mapping[str, Any]) -> None:
        """Have the page written: the run's folder says what the run is."""
        self._opened(self._writer).hurry()

    @override
    def log_scalars(self, scalars: Mapping[str, float], step: int) -> None:
        """Take in values, which the page has soon."""
        self._opened(self._writer).add(scalars, step)

    @override
    def log_recording(self, recording: Mapping[str, Any], step: int) -> None:
        """Have a still and a player made of a recording, once it has a clip."""
        writer = self._opened(self._writer)
        if recording.get("video"):
            writer.make(step)

    @override
    def flush(self) -> None:
        """Write all that was logged."""
        self._opened(self._writer).write()

    @override
    def run_page(self) -> str | None:
        """Make what waits, and return the page as one file."""
        return self._opened(self._writer).finished()

    @override
    def close(self) -> None:
        """Make what waits, and write the page as it stays. Does nothing where none is open."""
        if self._writer is not None:
            writer, self._writer = self._writer, None
            writer.end()


class _Writer:
    """The thread that keeps a page up to date."""

    def __init__(self, folder: Path, name: str) -> None:
        # Here, since a training without a page loads nothing that makes one.
        from lerax_render.runpage import RunData, add_run, make_run_page, place_page

        self._folder = folder
        self._data = RunData(folder)
        self._data.read()
        make_run_page([folder], place_page([folder]), name=name)
        self._adding, self._writing = threading.Lock(), threading.Lock()
        self._waiting: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self._ends = self._warned = False
        self._seconds = 0.0
        self.write()
        try:
            add_run(folder)
        except OSError as error:
            warn(f"{folder}: a page of the folders above does not show this run: {error}")
        self._thread = threading.Thread(target=self._run, name="lerax-page", daemon=True)
        self._thread.start()

    def add(self, scalars: Mapping[str, float], step: int) -> None:
        with self._adding:
            self._data.add(scalars, step)

    def make(self, step: int) -> None:
        self._waiting.put(step)

    def hurry(self) -> None:
        self._waiting.put(None)

    def write(self, outcome: str | None = "running") -> None:
        with self._writing:
            started = time.monotonic()
            self._data.write(outcome, self._adding)
            self._seconds = time.monotonic() - started

    def finished(self) -> str:
        from lerax_render.runpage import share_run_page

        self.end()
        text, _ = share_run_page([self._folder])
        return text

    def end(self) -> None:
        if self._ends:
            return
        self._ends = True
        self.hurry()
        self._thread.join()
        run = RunFolder(self._folder)
        said = run.facts.outcome
        self.write("finished" if said == "running" else said)

    def _run(self) -> None:
        while True:
            step = None
            try:
                period = min(max(PERIOD, self._seconds / SHARE), LONGEST)
                step = self._waiting.get(timeout=period)
            except queue.Empty:
                if self._ends:
                    return
            try:
                if step is not None:
                    self._make(step)
                elif self._ends and self._waiting.empty():
                    return
                self.write()
            # A page is no reason to end a training.
            except Exception as error:
                self._failed(error)

    def _make(self, step: int) -> None:
        from lerax_render.runpage import make_moment

        run = RunFolder(self._folder)
        found = next((each for each in run.recordings() if each.step == step), None)
        if found is not None:
            make_moment(run, found)

    def _failed(self, error: Exception) -> None:
        if not self._warned:
            self._warned = True
            warn(
                f"{self._folder}: its page is not up to date: {type(error).__name__}: {error}. "
                "The training goes on; lerax-render page makes it later"
            )
