"""Logging to Weights & Biases."""

import inspect
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, override
from urllib.parse import urlsplit
from urllib.request import getproxies

from lerax_render.errors import warn

from .base import (
    AbstractLoggingBackend,
    HParam,
    library_missing,
    require_library,
    require_video_format,
)
from .clip_file import Captions, as_file

if TYPE_CHECKING:
    import wandb

    from lerax_render.video import Video

STEP_METRIC = "global_step"
"""The metric on the x axis of every chart: environment steps."""

CONNECT_TIMEOUT = 5.0
"""Seconds that W&B's server may take to accept a connection; otherwise a run starts offline."""

INIT_TIMEOUT = 20.0
"""Seconds that W&B's server may take to start a run, unless the user's settings say otherwise
(W&B's default: 90)."""


class WandbBackend(AbstractLoggingBackend):
    """Logs each run to a W&B run of its own, and leaves the program's other W&B runs alone.

    `mode="offline"` (or `WANDB_MODE=offline`) needs neither an account nor a network. Where W&B
    cannot be reached, or no API key is configured, the run is kept offline, and a warning names
    the command that uploads it later.

    Videos are MP4s, with step and return as their caption. With a `PageBackend` beside this one,
    the page of the run is logged when it is closed, as `run/page`. Where a training has several
    lanes, their runs are a group. A run that a callback with `resume=True` goes on in is the same
    one in W&B; offline, each program leaves a folder, and those after the first are uploaded with
    `wandb sync --append`. The x axis of charts is `global_step`, the environment steps. W&B's own
    step counter is not used, because it drops what arrives late, as videos do. Periods in the names
    of hyperparameters become `/`, since W&B does not allow them in a configuration's keys.
    """

    video_formats = ("mp4",)
    takes_run_page = True

    def __init__(
        self,
        project: str | None = None,
        config: Mapping[str, Any] | None = None,
        *,
        pages: bool = False,
        **init: Any,
    ) -> None:
        """Keep the arguments for `wandb.init`; nothing is imported or started yet.

        Args:
            project: W&B project (default: W&B's own).
            config: Hyperparameters, which take precedence over those of `log_hparams`.
            pages: Whether recordings are also logged as pages to look around in, `eval/page`, where
                the environment has replays. A page of a MuJoCo model may have several megabytes.
            **init: More arguments of `wandb.init`, such as `entity`, `group`, `tags`, `mode`, `dir`
                or `settings`.

        Raises:
            BackendUnavailableError: wandb is not installed.
            TypeError: `project` is not a string, or `config` is not a mapping.
            ValueError: `name` or `reinit` is among `init`; the backend sets them.
        """
        require_library("WandbBackend", "wandb", "wandb")
        if project is not None and not isinstance(project, str):
            raise TypeError(f"project must be a string or None, not {project!r}")
        if config is not None and not isinstance(config, Mapping):
            raise TypeError(f"config must be a mapping of names to values or None, not {config!r}")
        if "name" in init:
            raise ValueError(
                f"name={init['name']!r}: the callback names the run; give the name to it: "
                "LoggingCallback(backend, name=...)"
            )
        if "reinit" in init:
            raise ValueError(
                f"reinit={init['reinit']!r}: this backend always starts a new run beside any "
                "others; leave reinit out"
            )
        settings = init.pop("settings", None) or {}
        if not isinstance(settings, Mapping):
            settings = {field: getattr(settings, field) for field in settings.model_fields_set}
        self.takes_pages = pages
        self._config = dict(config or {})
        self._settings = dict(settings)
        self._init = {"project": project, **init}
        self._run: wandb.Run | None = None
        self._captions = Captions()

    @override
    def open(self, name: str) -> None:
        """Start the W&B run `name`.

        `run_dir` is W&B's folder for the run, outside of the part that it uploads.

        Raises:
            BackendUnavailableError: wandb is not installed.
            RuntimeError: A run is open.
            wandb.Error: W&B refuses the arguments.
        """
        self._refuse_second_run(self._run)
        try:
            # A folder `wandb` of earlier offline runs can be imported, as an empty package.
            from wandb import init as _  # noqa: F401
        except ImportError as error:
            raise library_missing("WandbBackend", "wandb", error) from error
        run = self._start(name)
        self.ids = {**self.ids, "wandb": run.id}
        self._captions = Captions()
        run.define_metric("*", step_metric=STEP_METRIC)
        self.run_dir = Path(run.dir).parent
        self._run = run

    def _start(self, name: str) -> "wandb.Run":
        import wandb

        # A dict, which wandb.init makes new Settings of: it would change those that it is given.
        settings = {"init_timeout": INIT_TIMEOUT, **self._settings}
        group = {"group": self.group} if self.group else {}
        same = {"id": self.ids["wandb"], "resume": "allow"} if "wandb" in self.ids else {}
        arguments = {
            **group,
            **same,
            **self._init,
            "name": name,
            "config": self._config,
            "settings": settings,
        }
        arguments["reinit"] = "create_new"
        obstacle = _obstacle(arguments.get("mode"), settings)
        if obstacle is None:
            try:
                return wandb.init(**arguments)
            except wandb.Error as error:
                obstacle = f"{type(error).__name__}: {error}"
        # What W&B has refused for another reason, it refuses here again.
        run = wandb.init(**arguments | {"mode": "offline"})
        warn(
            f"W&B run {name!r} is kept offline: {obstacle}\n"
            f"Upload it later with: wandb sync {Path(run.dir).parent}"
        )
        return run

    @override
    def log_hparams(self, hparams: Mapping[str, HParam]) -> None:
        """Add hyperparameters to the run's configuration; those given to `__init__` stay."""
        run = self._opened(self._run)
        new = {
            name.replace(".", "/"): value
            for name, value in hparams.items()
            if name not in self._config
        }
        run.config.update(new, allow_val_change=True)

    @override
    def log_scalars(self, scalars: Mapping[str, float], step: int) -> None:
        """Hand the values to W&B's own process."""
        run = self._opened(self._run)
        self._captions.note(scalars, step)
        if scalars:
            run.log({**scalars, STEP_METRIC: int(step)})

    @override
    def log_video(self, tag: str, video: "Video", step: int) -> None:
        """Copy the clip into the run's files.

        Raises:
            RuntimeError: The backend is not open.
            ValueError: The clip is not an MP4.
        """
        run = self._opened(self._run)
        require_video_format(self, video)
        import wandb

        with as_file(video) as path:
            shown = wandb.Video(str(path), caption=self._captions.of(step), format="mp4")
            run.log({tag: shown, STEP_METRIC: int(step)})

    @override
    def log_page(self, tag: str, page: str, step: int) -> None:
        """Log a page as `wandb.Html`."""
        run = self._opened(self._run)
        import wandb

        shown = wandb.Html(page, inject=False, data_is_not_path=True)
        run.log({tag: shown, STEP_METRIC: int(step)})

    @override
    def flush(self) -> None:
        """Do nothing: W&B's own process has everything already."""
        self._opened(self._run)

    @override
    def close(self) -> None:
        """Finish the W&B run; online, wait for the upload. Does nothing where none is open."""
        if self._run is not None:
            run, self._run = self._run, None
            run.finish()


def _obstacle(mode: str | None, settings: Mapping[str, Any]) -> str | None:
    """Return why no run can start online, as far as a few seconds can tell.

    `wandb.init` itself takes half a minute to notice that there is no network, and on a terminal it
    waits for somebody to type an API key, in the middle of a training.
    """
    import wandb

    defaults = wandb.setup().settings
    if (mode or settings.get("mode") or defaults.mode) not in ("online", "run", "shared"):
        return None
    url = urlsplit(settings.get("base_url") or defaults.base_url)
    if not (getproxies() or settings.get("https_proxy") or defaults.https_proxy):
        port = url.port or (80 if url.scheme == "http" else 443)
        try:
            socket.create_connection((url.hostname, port), CONNECT_TIMEOUT).close()
        except OSError as error:
            return f"{url.hostname} cannot be reached ({error})"
    if not (settings.get("api_key") or wandb.run is not None or _has_key()):
        return "no API key is configured (`wandb login` sets one)"
    return None


def _has_key() -> bool:
    import wandb

    # Newer versions deprecate the second way, older ones lack the first.
    if "prompt" in inspect.signature(wandb.login).parameters:
        return wandb.login(prompt=False, verify=False)
    return bool(wandb.api.api_key)
