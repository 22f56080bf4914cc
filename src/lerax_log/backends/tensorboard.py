"""Logging to TensorBoard."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, override

from .base import (
    AbstractLoggingBackend,
    HParam,
    above_and_below,
    library_missing,
    local_folder,
    require_library,
    require_video_format,
    run_folder_in,
)

if TYPE_CHECKING:
    from lerax_render.video import Video

    from .event_file import EventFile


class TensorBoardBackend(AbstractLoggingBackend):
    """Writes event files to `<log_dir>/<run name>`, for `tensorboard --logdir <log_dir>`.

    What a method has logged survives the death of the process once the method has returned.

    Videos are GIFs, which play under Images. TensorBoard shows them about 350 pixels wide and loads
    each one whole, so clips of up to 480 pixels serve it best; it takes any size. It keeps 10 clips
    a tag unless it is started with `--samples_per_plugin images=100`. Hyperparameters are in the
    HPARAMS tab, in the run's own row.
    """

    video_formats = ("gif",)

    def __init__(self, log_dir: str | os.PathLike[str] = "logs") -> None:
        """Choose the folder; nothing is made yet.

        Args:
            log_dir: Local folder for the runs' folders.

        Raises:
            BackendUnavailableError: tensorboardX or crc32c is not installed.
            TypeError: `log_dir` is not a path.
            ValueError: `log_dir` is a remote address or an existing file.
        """
        require_library("TensorBoardBackend", "tensorboard", "tensorboardX", "crc32c")
        self.log_dir: Path = local_folder(log_dir)
        self._file: EventFile | None = None
        self._has_hparams = False

    @override
    def open(self, name: str) -> None:
        """Start the run `name` in `<log_dir>/<name>`, in an event file of its own.

        Args:
            name: The run's name; `/` in it makes folders in folders.

        Raises:
            BackendUnavailableError: tensorboardX or crc32c is not installed.
            ValueError: `name` leads out of `log_dir`.
            RuntimeError: A run is open.
            OSError: The folder or the file cannot be made.
        """
        self._refuse_second_run(self._file)
        run_dir = run_folder_in(self.log_dir, name)
        try:
            from .event_file import EventFile
        except ImportError as error:
            raise library_missing("TensorBoardBackend", "tensorboard", error) from error
        self._file = EventFile(run_dir)
        self._has_hparams = False
        self.run_dir = run_dir

    @override
    def log_run(self, facts: Mapping[str, Any]) -> None:
        """Write what the run is for the Text tab, as a table."""
        self._opened(self._file).add_text("run", _table(facts))

    @override
    def log_hparams(self, hparams: Mapping[str, HParam]) -> None:
        """Write hyperparameters as text, and for the HPARAMS tab, which takes a run's first."""
        file = self._opened(self._file)
        if hparams:
            above, below = above_and_below(hparams)
            file.add_text(
                "hyperparameters", _table({**above, "—": "—", **below} if below else above)
            )
            file.add_session_start(hparams)
            self._has_hparams = True

    @override
    def log_scalars(self, scalars: Mapping[str, float], step: int) -> None:
        """Write all of `scalars` as one event; TensorBoard keeps them as float32.

        Raises:
            RuntimeError: The backend is not open.
            OSError: The disk is full or failed; what was logged before stays readable.
        """
        file = self._opened(self._file)
        if scalars:
            file.add_scalars(scalars, step)

    @override
    def log_video(self, tag: str, video: "Video", step: int) -> None:
        """Write a GIF as an image summary.

        Raises:
            RuntimeError: The backend is not open.
            ValueError: The clip is not a GIF.
            OSError: The disk is full or failed; what was logged before stays readable.
        """
        file = self._opened(self._file)
        require_video_format(self, video)
        file.add_gif(tag, video.data, video.width, video.height, step)

    @override
    def flush(self) -> None:
        """Write everything to the disk; readers see it without that."""
        self._opened(self._file).sync()

    @override
    def close(self) -> None:
        """Write everything to the disk and close the file. Does nothing where none is open."""
        if self._file is None:
            return
        file, self._file = self._file, None
        try:
            if self._has_hparams:
                file.add_session_end()
        finally:
            file.close()


def _table(facts: Mapping[str, Any]) -> str:
    """Return names and values as a table in Markdown."""
    rows = []
    for name, value in facts.items():
        text = " ".join(_said(value).split()).replace("`", "'")
        if text:
            # What is between backticks is not taken for more than text, `|` included.
            rows.append(f"| {name} | `{text}` |")
    return "\n".join(["| | |", "|---|---|", *rows])


def _said(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_said(each)}" for name, each in value.items() if _said(each))
    if isinstance(value, list | tuple):
        return "; ".join(map(_said, value))
    return "" if value is None else str(value)
