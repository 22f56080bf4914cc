"""What a logging backend is.

`docs/logging.md` has one in twenty lines to start from, and `lerax_log.testing` the behaviour that
every backend shares, as a test class to derive from.
"""

import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from lerax_render.errors import BackendUnavailableError

if TYPE_CHECKING:
    from lerax_render.video import Video

type HParam = bool | int | float | str
"""A hyperparameter's value."""

TOTAL_TIMESTEPS = "total_timesteps"
"""The hyperparameter that says how many environment steps the training will take, where known.

Those are whole iterations, and what an off-policy algorithm takes before the first one."""

COMPILE_TAG = "time/compile"
"""Seconds that tracing and compiling `learn` took: a scalar of its first iteration."""

BELOW_THE_LINE = ("policy.", "env.")
"""What the names of hyperparameters begin with that few people compare; they come last."""

type Stage = Literal["tracing", "compiling", "training", "done"]
"""What a `learn` is doing; `"done"` is a training that has ended, with its recordings to come."""


@dataclass(frozen=True)
class Progress:
    """How far a `learn` has come.

    Attributes:
        stage: What it is doing.
        iteration: Iterations completed.
        iterations: Iterations that it will complete.
        step: Environment steps of the run so far, over all environments.
        waiting: Recordings that are not done yet.
        note: What is taking long, such as "compiling Hopper, about a minute the first time", or "".
    """

    stage: Stage
    iteration: int = 0
    iterations: int = 0
    step: int = 0
    waiting: int = 0
    note: str = ""


class AbstractLoggingBackend(ABC):
    """Where a run's scalars, videos and hyperparameters go.

    A backend that is not open is only a description: `open` imports its library and makes its
    files, and `copy.copy` of it is a second, independent backend (a training under `jax.vmap` opens
    a copy for each lane). A run lasts from `open` to `close`; after `close`, `open` starts the next
    one.

    The callback calls one method at a time, but from several threads: scalars come from JAX's
    threads, videos from the recording thread. The steps of videos may therefore lie behind those of
    scalars. Methods may raise any `Exception`: the callback turns it into a warning, and the
    training goes on.
    """

    video_formats: tuple[str, ...] = ()
    """Formats that `log_video` takes, such as `("gif",)`, the preferred one first; empty for a
    backend without videos."""

    takes_pages: bool = False
    """Whether `log_page` is called for each recording, which takes time and room."""

    takes_run_page: bool = False
    """Whether `log_page` is called for the run, when it ends and there is a `PageBackend`."""

    run_dir: Path | None = None
    """What the backend has of the run, set by `open` and kept after `close`; it need not exist yet.
    None where the backend has no folder."""

    log_dir: Path | None = None
    """The folder that runs' folders are made in, known from the start; None where there is none.
    The callback makes its own in the first one that a backend has."""

    run_folder: Path | None = None
    """The run's folder, which the callback makes, set before `open`; None where there is none."""

    ids: Mapping[str, str] = {}
    """What a service calls the run, by its name, such as `{"wandb": "1a2b3c4d"}`. Set before `open`
    to what earlier programs have left of the run, and by `open` to what `run.json` is to keep."""

    group: str | None = None
    """What the runs of one training have in common, set before `open` where a training has several
    lanes: the name of the run without its lane."""

    @abstractmethod
    def open(self, name: str) -> None:
        """Start the run `name`.

        Args:
            name: The run's name: not empty, and safe as the name of a folder.

        Raises:
            BackendUnavailableError: The backend's library is not installed.
            RuntimeError: A run is open.
        """

    def log_run(self, facts: Mapping[str, Any]) -> None:  # noqa: B027
        """Log what the run is; the default does nothing.

        Called at the start of each `learn`, before `log_hparams`.

        Args:
            facts: What `run.json` says, apart from the hyperparameters: `command`, `git`,
                `versions`, `device`, `seed`, `started` and so on.

        Raises:
            RuntimeError: No run is open.
        """

    def log_hparams(self, hparams: Mapping[str, HParam]) -> None:  # noqa: B027
        """Log hyperparameters; the default does nothing.

        Called at the start of each `learn`, so a run that is trained further gets a second call.

        Args:
            hparams: Values by name, which may be dotted. `total_timesteps`, where it is there, is
                the number of environment steps that the training will take.

        Raises:
            RuntimeError: No run is open.
        """

    @abstractmethod
    def log_scalars(self, scalars: Mapping[str, float], step: int) -> None:
        """Log values of one moment.

        Args:
            scalars: Values by tag, such as `episode/return`. They may be NaN or infinite.
            step: Environment steps taken so far, over all environments.

        Raises:
            RuntimeError: No run is open.
        """

    def log_video(self, tag: str, video: "Video", step: int) -> None:  # noqa: B027
        """Log a clip; the default does nothing.

        Args:
            tag: Such as `eval/video`.
            video: The clip, in one of `video_formats`.
            step: Environment steps that its policy had been trained for.

        Raises:
            RuntimeError: No run is open.
            ValueError: The clip has another format.
        """

    def log_page(self, tag: str, page: str, step: int) -> None:  # noqa: B027
        """Log a page to look around in, of a recording or of the run; the default does nothing.

        Args:
            tag: `eval/page` for a recording, `run/page` for the run.
            page: A whole HTML document, which needs no other files.
            step: Environment steps that the recording's policy, or the run's, had been trained for.

        Raises:
            RuntimeError: No run is open.
        """

    def show_progress(self, progress: Progress) -> None:  # noqa: B027
        """Show how far the training is; the default does nothing.

        Called often, and while JAX traces and compiles `learn` also before `open`: it must not
        compute with JAX.
        """

    def log_recording(self, recording: Mapping[str, Any], step: int) -> None:  # noqa: B027
        """Log that something was recorded; the default does nothing.

        Called when the policy has acted, and again when its clip is painted.

        Args:
            recording: `replay`, `video` and `policy`, names of files in the run's folder, or None;
                `return` and `length`, averages over its episodes.
            step: Environment steps that its policy had been trained for.

        Raises:
            RuntimeError: No run is open.
        """

    def flush(self) -> None:  # noqa: B027
        """Bring everything logged so far to where others can read it; the default does nothing.

        Raises:
            RuntimeError: No run is open.
        """

    def run_page(self) -> str | None:
        """Return the run as one HTML document, which other backends get; the default has none.

        Called when nothing but `close` follows.

        Raises:
            RuntimeError: No run is open.
        """
        return None

    @abstractmethod
    def close(self) -> None:
        """Flush and end the run. Does nothing where no run is open."""

    def _opened[T](self, handle: T | None) -> T:
        """Return what `open` acquired, for the methods that need it.

        Raises:
            RuntimeError: `handle` is None, as it is before `open` and after `close`.
        """
        if handle is None:
            raise RuntimeError(
                f"this {type(self).__name__} is not open: call open(name) before logging to it"
            )
        return handle

    def _refuse_second_run(self, handle: object | None) -> None:
        """Keep `open` from losing a run that is still open.

        Raises:
            RuntimeError: `handle` is not None.
        """
        if handle is not None:
            raise RuntimeError(
                f"this {type(self).__name__} has a run open: call close() before the next open()"
            )


def above_and_below(
    hparams: Mapping[str, HParam],
) -> tuple[dict[str, HParam], dict[str, HParam]]:
    """Return the hyperparameters that people compare, and those below the line."""
    names = list(hparams)
    line = len(names)
    while line and names[line - 1].startswith(BELOW_THE_LINE):
        line -= 1
    return {n: hparams[n] for n in names[:line]}, {n: hparams[n] for n in names[line:]}


def local_folder(log_dir: str | os.PathLike[str]) -> Path:
    """Return the folder that runs' folders are in; it need not exist yet.

    Raises:
        TypeError: It is not a path.
        ValueError: It is a remote address or an existing file.
    """
    path = os.fspath(log_dir) if isinstance(log_dir, os.PathLike) else log_dir
    if not isinstance(path, str):
        raise TypeError(f"log_dir must be a string or a path, not {path!r}")
    if "://" in path:
        raise ValueError(
            f"log_dir must be a local folder, not {path!r}: mount the storage, and give the "
            "folder that it is mounted at"
        )
    if Path(path).exists() and not Path(path).is_dir():
        raise ValueError(f"log_dir must be a folder, but {path!r} is a file: choose another")
    return Path(path)


def run_folder_in(log_dir: Path, name: str) -> Path:
    """Return a run's folder, which lies in `log_dir`.

    Raises:
        ValueError: `name` leads out of it.
    """
    above = Path(os.path.abspath(log_dir))
    folder = Path(os.path.abspath(above / name))
    if folder == above or not folder.is_relative_to(above):
        raise ValueError(f"a run's name must be that of a folder in {above}, not {name!r}")
    return folder


def check_there(fd: int, path: Path) -> None:
    """Refuse to append to an open file that has been removed from `path`.

    Writing would succeed, and nobody would ever see what was written.

    Raises:
        FileNotFoundError: It has been removed.
    """
    if not os.fstat(fd).st_nlink:
        raise FileNotFoundError(
            f"{path} was removed while a run was being logged to it; leave a run's folder alone "
            "until its training has ended"
        )


def require_video_format(backend: AbstractLoggingBackend, video: "Video") -> None:
    """Refuse a clip that `backend` cannot show.

    Raises:
        ValueError: The clip's format is none of the backend's `video_formats`.
    """
    if video.format not in backend.video_formats:
        raise ValueError(
            f"{type(backend).__name__} takes videos as {' or '.join(backend.video_formats)}, "
            f"not {video.format}: encode the clip in that format"
        )


def require_library(backend: str, extra: str, *modules: str) -> None:
    """Refuse a backend whose library is not installed, without importing it.

    Args:
        backend: Class name of the backend.
        extra: The extra of this distribution that installs the library.
        modules: What is imported.

    Raises:
        BackendUnavailableError: One of the modules is not there.
    """
    for module in modules:
        if module in sys.modules:
            file = getattr(sys.modules[module], "__file__", None)
        else:
            file = getattr(find_spec(module), "origin", None)
        # A folder of that name, such as W&B leaves behind, is a package without a file.
        if file is None:
            raise library_missing(backend, extra, ImportError(f"No module named {module!r}"))


def library_missing(backend: str, extra: str, error: ImportError) -> BackendUnavailableError:
    """Return the error for a backend whose library cannot be imported.

    Args:
        backend: Class name of the backend.
        extra: The extra of this distribution that installs the library.
        error: What the import raised.
    """
    return BackendUnavailableError(
        f"{backend} needs a library that cannot be imported ({error}); "
        f"install it with: pip install 'lerax-render[{extra}]'"
    )
