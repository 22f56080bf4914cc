"""What a logging backend is.

`docs/logging.md` has one in twenty lines to start from, and `lerax_log.testing` the behaviour that
every backend shares, as a test class to derive from.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

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
    """

    stage: Stage
    iteration: int = 0
    iterations: int = 0
    step: int = 0
    waiting: int = 0


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

    run_dir: Path | None = None
    """The run's folder, set by `open` and kept after `close`; it need not exist yet. The callback
    keeps clips in its `videos/`. None where the backend has no folder."""

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

    def show_progress(self, progress: Progress) -> None:  # noqa: B027
        """Show how far the training is; the default does nothing.

        Called often, and while JAX traces and compiles `learn` also before `open`: it must not
        compute with JAX.
        """

    def flush(self) -> None:  # noqa: B027
        """Bring everything logged so far to where others can read it; the default does nothing.

        Raises:
            RuntimeError: No run is open.
        """

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
