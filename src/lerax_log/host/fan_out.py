"""The backends of one run, kept from disturbing the training and each other."""

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from lerax_render.errors import warn

from ..backends import AbstractLoggingBackend, HParam

if TYPE_CHECKING:
    from lerax_render.video import Video

_log = logging.getLogger(__name__)


class RunBackends:
    """Passes what is logged on to every backend, one call at a time.

    Nothing here raises for a backend's sake. A backend that cannot be opened is left out with a
    warning; one that fails later keeps getting what follows, and each kind of failure is one
    warning, however often it happens.

    Args:
        name: The run's name.
        backends: Not open yet.
    """

    def __init__(self, name: str, backends: Iterable[AbstractLoggingBackend]) -> None:
        self.name = name
        self._closed_backends = list(backends)
        self._open: list[AbstractLoggingBackend] = []
        self._failures: dict[tuple[str, type[Exception]], int] = {}
        self._lock = threading.Lock()

    def open(self) -> None:
        """Open the run in every backend."""
        with self._lock:
            for backend in self._closed_backends:
                try:
                    backend.open(self.name)
                except Exception as error:
                    warn(
                        f"run {self.name}: nothing is logged to {type(backend).__name__}, which "
                        f"could not be opened: {_described(error)}. The training goes on; mend "
                        "this and start it again to have it logged"
                    )
                else:
                    self._open.append(backend)

    @property
    def run_dir(self) -> Path | None:
        """The folder of the first backend that has one."""
        return next((b.run_dir for b in self._open if b.run_dir is not None), None)

    @property
    def video_formats(self) -> frozenset[str]:
        """As few formats as serve every backend that wants videos, or nearly so."""
        wanted = [b.video_formats for b in self._open if b.video_formats]
        chosen: set[str] = set()
        for formats in sorted(wanted, key=len):
            if chosen.isdisjoint(formats):
                chosen.add(formats[0])
        return frozenset(chosen)

    def log_hparams(self, hparams: Mapping[str, HParam]) -> None:
        """Log hyperparameters."""
        self._each("hyperparameters", lambda backend: backend.log_hparams(hparams))

    def log_scalars(self, scalars: Mapping[str, float], step: int) -> None:
        """Log values of environment step `step`."""
        self._each(f"values of step {step}", lambda backend: backend.log_scalars(scalars, step))

    def log_video(self, tag: str, videos: "Mapping[str, Video]", step: int) -> None:
        """Log a clip to every backend that wants one, in a format of its choice.

        Args:
            tag: Such as `eval/video`.
            videos: The same clip by format.
            step: Environment steps taken when the clip's policy was at work.
        """

        def log(backend: AbstractLoggingBackend) -> None:
            format = next((f for f in backend.video_formats if f in videos), None)
            if format is not None:
                backend.log_video(tag, videos[format], step)

        self._each(f"the video of step {step}", log)

    def flush(self) -> None:
        """Bring everything to where others can read it."""
        self._each("the end of the training", lambda backend: backend.flush())

    def close(self) -> None:
        """Close every backend, whatever becomes of the others, and say how often some failed."""
        self._each("the end of the run", lambda backend: backend.close())
        with self._lock:
            self._closed_backends += self._open
            self._open = []
            for (name, kind), count in self._failures.items():
                if count > 1:
                    _log.warning(
                        "run %s: %s failed %d times with %s", self.name, name, count, kind.__name__
                    )
            self._failures = {}

    def _each(self, what: str, use: Callable[[AbstractLoggingBackend], None]) -> None:
        with self._lock:
            for backend in self._open:
                try:
                    use(backend)
                except Exception as error:
                    self._failed(backend, what, error)

    def _failed(self, backend: AbstractLoggingBackend, what: str, error: Exception) -> None:
        cause = (type(backend).__name__, type(error))
        self._failures[cause] = self._failures.get(cause, 0) + 1
        if self._failures[cause] == 1:
            warn(
                f"run {self.name}: {cause[0]} did not take {what}: {_described(error)}. The "
                "training goes on and later ones are tried. Said once; the number of failures is "
                "logged when the run is closed"
            )


def _described(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".rstrip(".")
