"""Logging to Trackio."""

from collections.abc import Mapping
from contextvars import Context
from typing import TYPE_CHECKING, Any, override

from .base import AbstractLoggingBackend, HParam, require_library, require_video_format
from .clip_file import Captions, as_file

if TYPE_CHECKING:
    from lerax_render.video import Video


class TrackioBackend(AbstractLoggingBackend):
    """Logs each run to a Trackio run of its own, and leaves the program's other Trackio runs alone.

    Everything stays on this machine, in the folder that `TRACKIO_DIR` says, unless `space_id` or
    `server_url` is given; `trackio show` shows it. Clips are MP4s, with step and return as their
    caption. With a `PageBackend` beside this one, the page of the run is logged when it is closed.
    """

    video_formats = ("mp4",)
    takes_run_page = True

    def __init__(self, project: str = "lerax", **init: Any) -> None:
        """Keep the arguments for `trackio.init`; nothing is imported or started yet.

        Args:
            project: Trackio's project.
            **init: More arguments of `trackio.init`, such as `group`, `space_id`, `config` or
                `auto_log_gpu`.

        Raises:
            BackendUnavailableError: Trackio is not installed.
            TypeError: `project` is not a text.
            ValueError: `name` is among `init`; the callback names the run.
        """
        require_library("TrackioBackend", "trackio", "trackio")
        if not isinstance(project, str) or not project:
            raise TypeError(f"project must be a text that is not empty, not {project!r}")
        if "name" in init:
            raise ValueError(
                f"name={init['name']!r}: the callback names the run; give the name to it: "
                "LoggingCallback(backend, name=...)"
            )
        self._init = {"project": project, "embed": False, **init}
        self._config = dict(init.get("config") or {})
        self._run: Any = None
        self._captions = Captions()

    @override
    def open(self, name: str) -> None:
        """Start the Trackio run `name`. Trackio says on standard output where it is.

        Raises:
            RuntimeError: A run is open.
        """
        self._refuse_second_run(self._run)
        import trackio

        arguments = {"group": self.group, **self._init, "name": name}
        # Trackio ends the run that a context has when it starts another one there.
        self._run = Context().run(lambda: trackio.init(**arguments))
        self._captions = Captions()

    @override
    def log_hparams(self, hparams: Mapping[str, HParam]) -> None:
        """Add to the run's configuration, which Trackio takes with the run's first values."""
        run = self._opened(self._run)
        run.config.update({name: v for name, v in hparams.items() if name not in self._config})

    @override
    def log_scalars(self, scalars: Mapping[str, float], step: int) -> None:
        """Hand the values to Trackio's own thread."""
        run = self._opened(self._run)
        self._captions.note(scalars, step)
        if scalars:
            run.log({tag: float(value) for tag, value in scalars.items()}, step=int(step))

    @override
    def log_video(self, tag: str, video: "Video", step: int) -> None:
        """Copy the clip to where Trackio keeps its files.

        Raises:
            RuntimeError: The backend is not open.
            ValueError: The clip is not an MP4.
        """
        run = self._opened(self._run)
        require_video_format(self, video)
        import trackio

        with as_file(video) as path:
            shown = trackio.Video(str(path), caption=self._captions.of(step), format="mp4")
            run.log({tag: shown}, step=int(step))

    @override
    def log_page(self, tag: str, page: str, step: int) -> None:
        """Copy the page to where Trackio keeps its files."""
        run = self._opened(self._run)
        import trackio

        run.log({tag: trackio.Html(page, inject=False)}, step=int(step))

    @override
    def flush(self) -> None:
        """Do nothing: Trackio's own thread writes twice a second."""
        self._opened(self._run)

    @override
    def close(self) -> None:
        """Finish the Trackio run. Does nothing where none is open."""
        if self._run is not None:
            run, self._run = self._run, None
            run.finish()
