'''What a logging backend is, and how to write one.

A backend that appends every scalar to `logs/<run>/metrics.csv`, whole:

    class CsvBackend(AbstractLoggingBackend):
        """Write `step,tag,value` lines to `<root>/<run>/metrics.csv`."""

        def __init__(self, root: str = "logs") -> None:
            self._root = Path(root)
            self._file: TextIO | None = None

        def open(self, name: str) -> None:
            self.run_dir = self._root / name
            self.run_dir.mkdir(parents=True, exist_ok=True)
            self._file = (self.run_dir / "metrics.csv").open("a", buffering=1)

        def log_scalars(self, scalars: Mapping[str, float], step: int) -> None:
            file = self._opened(self._file)
            for tag, value in scalars.items():
                file.write(f"{step},{tag},{value}\\n")

        def close(self) -> None:
            if self._file is not None:
                self._file.close()
                self._file = None

`tests/contracts.py` holds the behaviour every backend shares, as a class to derive a test from.
'''

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from lerax_render.errors import BackendUnavailableError

if TYPE_CHECKING:
    from lerax_render.video import Video

type HParam = bool | int | float | str
"""A hyperparameter's value."""

TOTAL_TIMESTEPS = "total_timesteps"
"""The hyperparameter that says how many environment steps the training will take, where known."""


class AbstractLoggingBackend(ABC):
    """Somewhere for a run's scalars, videos and hyperparameters to go.

    An unopened backend is a description only: its library is imported and its files are made by
    `open`, and `copy.copy` of it is a second, independent backend (a training under `jax.vmap`
    opens one copy per lane). One run lasts from `open` to `close`; after `close`, `open` starts
    the next one.

    The callback calls one method at a time, but from several threads: scalars come from JAX's,
    videos from the recorder's, and so the steps of videos may lie behind those of scalars.
    Methods may raise any `Exception`: the callback turns it into a warning and goes on training.
    """

    video_formats: ClassVar[tuple[str, ...]] = ()
    """Formats `log_video` takes, such as `("gif",)`, the preferred one first; empty: no videos."""

    run_dir: Path | None = None
    """Folder of the run, set by `open`, where the callback keeps clips in `videos/`; None where
    the backend has no folder. It need not exist yet."""

    @abstractmethod
    def open(self, name: str) -> None:
        """Start the run `name`.

        Args:
            name: The run's name, not empty and safe as the name of a folder.

        Raises:
            BackendUnavailableError: The backend's library is not installed.
        """

    def log_hparams(self, hparams: Mapping[str, HParam]) -> None:  # noqa: B027
        """Record hyperparameters; nothing by default.

        Args:
            hparams: Values by name, which may be dotted. `total_timesteps`, where given, is the
                number of environment steps the training will take. Called once at the start of
                each `learn`, so a run that is trained further gets a second call.

        Raises:
            RuntimeError: The backend is not open.
        """

    @abstractmethod
    def log_scalars(self, scalars: Mapping[str, float], step: int) -> None:
        """Record values of one moment.

        Args:
            scalars: Values by tag, such as `episode/return`; NaN and infinities included.
            step: Environment steps taken so far, over all environments.

        Raises:
            RuntimeError: The backend is not open.
        """

    def log_video(self, tag: str, video: "Video", step: int) -> None:  # noqa: B027
        """Record a clip; nothing by default.

        Args:
            tag: Such as `eval/video`.
            video: The clip, in one of `video_formats`.
            step: Environment steps taken when its policy was recorded.

        Raises:
            RuntimeError: The backend is not open.
        """

    def flush(self) -> None:  # noqa: B027
        """Bring everything logged so far to where others can read it; nothing by default.

        Raises:
            RuntimeError: The backend is not open.
        """

    @abstractmethod
    def close(self) -> None:
        """Flush and end the run; nothing where none is open."""

    def _opened[T](self, handle: T | None) -> T:
        """What `open` acquired, for the methods that need it.

        Raises:
            RuntimeError: `handle` is None, as it is before `open` and after `close`.
        """
        if handle is None:
            raise RuntimeError(
                f"this {type(self).__name__} is not open: call open(name) before logging to it"
            )
        return handle

    def _refuse_second_run(self, handle: object | None) -> None:
        """Keep `open` from losing a run that is still going on.

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
            f"{type(backend).__name__} takes videos as {' or '.join(backend.video_formats)},"
            f" not {video.format}: encode the clip in that format"
        )


def library_missing(backend: str, extra: str, error: ImportError) -> BackendUnavailableError:
    """The error for a backend whose library cannot be imported.

    Args:
        backend: Class name of the backend.
        extra: The extra of this distribution that installs the library.
        error: What the import raised.
    """
    return BackendUnavailableError(
        f"{backend} needs a library that cannot be imported ({error});"
        f" install it with: pip install 'lerax-render[{extra}]'"
    )
