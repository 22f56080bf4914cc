"""Several backends as one, kept from disturbing the training and each other."""

import copy
import logging
import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self, override

from lerax_render.errors import warn

from .base import AbstractLoggingBackend, HParam, Progress, require_video_format

if TYPE_CHECKING:
    from lerax_render.video import Video

_log = logging.getLogger(__name__)


class FanOut(AbstractLoggingBackend):
    """Passes everything on to several backends, one call at a time.

    Nothing here raises because a backend does. One that cannot be opened is left out with a
    warning; one that fails later still gets what follows, and each kind of failure is one warning,
    however often it happens.

    A clip is logged once in each of `video_formats`, and every backend takes it in one of them.

    One difference from other backends: `open` may shorten `video_formats`, because a backend that
    could not be opened takes no videos.
    """

    def __init__(self, backends: AbstractLoggingBackend | Sequence[AbstractLoggingBackend]) -> None:
        """Take one backend or several, not open yet.

        Raises:
            TypeError: One of them is not a logging backend.
            ValueError: There are none.
        """
        several: Any = backends
        if isinstance(backends, str) or not isinstance(backends, Sequence):
            several = [backends]
        # One in another would take every clip in one format, and its backends need several.
        self._backends: tuple[AbstractLoggingBackend, ...] = tuple(
            each
            for one in several
            for each in (one._backends if isinstance(one, FanOut) else [one])
        )
        for backend in self._backends:
            if not isinstance(backend, AbstractLoggingBackend):
                raise TypeError(
                    f"backend must be a logging backend or a list of them, got {backend!r}; "
                    "lerax_log has TensorBoardBackend, WandbBackend and ConsoleBackend, and "
                    "AbstractLoggingBackend to derive your own from"
                )
        if not self._backends:
            raise ValueError("backend is an empty list: give at least one logging backend")
        self.video_formats = _fewest_formats(self._backends)
        self.log_dir = next((b.log_dir for b in self._backends if b.log_dir is not None), None)
        self._name = ""
        self._open: list[AbstractLoggingBackend] | None = None
        self._last_step = 0
        self._failures: dict[tuple[str, type[Exception]], int] = {}
        self._lock = threading.Lock()

    def __copy__(self) -> Self:
        return type(self)([copy.copy(backend) for backend in self._backends])

    def behind(self, first: AbstractLoggingBackend) -> Self:
        """Return the same, and before them another backend, unless one does the same there."""
        if any(
            isinstance(backend, type(first))
            and os.path.realpath(backend.log_dir or "") == os.path.realpath(first.log_dir or "")
            for backend in self._backends
        ):
            return self
        return type(self)([first, *self._backends])

    @override
    def open(self, name: str) -> None:
        """Start the run `name` in every backend; `run_dir` is the first one that a backend has.

        Raises:
            RuntimeError: A run is open.
        """
        self._refuse_second_run(self._open)
        with self._lock:
            self._name, self._open = name, []
            for backend in self._backends:
                backend.group, backend.run_folder = self.group, self.run_folder
                backend.ids = self.ids
                try:
                    backend.open(name)
                except Exception as error:
                    warn(
                        f"run {name}: nothing is logged to {type(backend).__name__}, which could "
                        f"not be opened: {_described(error)}. The training goes on; to have it "
                        "logged there, fix this and start again"
                    )
                else:
                    self._open.append(backend)
            before = self.ids
            told = [item for b in self._open for item in b.ids.items()]
            self.ids = {**before, **dict(item for item in told if item not in before.items())}
            self.video_formats = _fewest_formats(self._open)
            self.takes_pages = any(backend.takes_pages for backend in self._open)
            self._last_step = 0
            self.run_dir = next((b.run_dir for b in self._open if b.run_dir is not None), None)

    @override
    def log_run(self, facts: Mapping[str, Any]) -> None:
        """Log what the run is to every backend."""
        self._each("what the run is", lambda backend: backend.log_run(facts))

    @override
    def log_hparams(self, hparams: Mapping[str, HParam]) -> None:
        """Log hyperparameters to every backend."""
        self._each("hyperparameters", lambda backend: backend.log_hparams(hparams))

    @override
    def log_scalars(self, scalars: Mapping[str, float], step: int) -> None:
        """Log values to every backend."""
        self._last_step = max(self._last_step, step)
        self._each(f"the values of step {step}", lambda backend: backend.log_scalars(scalars, step))

    @override
    def log_video(self, tag: str, video: "Video", step: int) -> None:
        """Log a clip to every backend that takes this one of its formats.

        Raises:
            RuntimeError: No run is open.
            ValueError: The clip is in none of `video_formats`.
        """
        self._opened(self._open)
        require_video_format(self, video)

        def log(backend: AbstractLoggingBackend) -> None:
            # Its first choice among the formats that the clip is logged in.
            if video.format == next(
                (f for f in backend.video_formats if f in self.video_formats), None
            ):
                backend.log_video(tag, video, step)

        self._each(f"the video of step {step}", log)

    @override
    def log_page(self, tag: str, page: str, step: int) -> None:
        """Log a page to every backend that takes pages."""

        def log(backend: AbstractLoggingBackend) -> None:
            if backend.takes_pages:
                backend.log_page(tag, page, step)

        self._each(f"the page of step {step}", log)

    @override
    def show_progress(self, progress: Progress) -> None:
        """Show every backend how far the training is, before `open` as well."""
        with self._lock:
            for backend in self._backends if self._open is None else self._open:
                self._use(backend, "its progress", lambda backend: backend.show_progress(progress))

    @override
    def log_recording(self, recording: Mapping[str, Any], step: int) -> None:
        """Log to every backend that something was recorded."""
        self._each(
            f"the recording of step {step}", lambda backend: backend.log_recording(recording, step)
        )

    @override
    def flush(self) -> None:
        """Flush every backend."""
        self._each("the end of the training", lambda backend: backend.flush())

    @override
    def close(self) -> None:
        """Close every backend, whatever becomes of the others, and log how often each failed."""
        if self._open is None:
            return
        try:
            self._hand_page_on(self._open)
        finally:
            # After a Ctrl-C in there, too.
            self._each("the end of the run", lambda backend: backend.close())
        with self._lock:
            self._open = None
            for (name, kind), count in self._failures.items():
                if count > 1:
                    _log.warning(
                        "run %s: %s failed %d times with %s", self._name, name, count, kind.__name__
                    )
            self._failures = {}

    def _hand_page_on(self, backends: Sequence[AbstractLoggingBackend]) -> None:
        """Give the run's page, where a backend makes one, to those that take it."""
        if not any(backend.takes_run_page for backend in backends):
            return
        pages: list[str | None] = []
        self._each("the end of the run", lambda backend: pages.append(backend.run_page()))

        def log(backend: AbstractLoggingBackend) -> None:
            for page in filter(None, pages if backend.takes_run_page else ()):
                backend.log_page("run/page", page, self._last_step)

        self._each("the page of the run", log)

    def _each(self, what: str, use: Callable[[AbstractLoggingBackend], None]) -> None:
        with self._lock:
            for backend in self._opened(self._open):
                self._use(backend, what, use)

    def _use(
        self,
        backend: AbstractLoggingBackend,
        what: str,
        use: Callable[[AbstractLoggingBackend], None],
    ) -> None:
        try:
            use(backend)
        except Exception as error:
            self._failed(backend, what, error)

    def _failed(self, backend: AbstractLoggingBackend, what: str, error: Exception) -> None:
        cause = (type(backend).__name__, type(error))
        self._failures[cause] = self._failures.get(cause, 0) + 1
        if self._failures[cause] == 1:
            warn(
                f"run {self._name}: {cause[0]} did not take {what}: {_described(error)}. The "
                "training goes on, and later ones are still sent. This is said once; the number of "
                "failures is logged when the run is closed"
            )


def _fewest_formats(backends: Iterable[AbstractLoggingBackend]) -> tuple[str, ...]:
    """As few formats as serve every backend that takes videos, or nearly so."""
    chosen: dict[str, None] = {}
    for formats in sorted((b.video_formats for b in backends if b.video_formats), key=len):
        if chosen.keys().isdisjoint(formats):
            chosen[formats[0]] = None
    return tuple(chosen)


def _described(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".rstrip(".")
