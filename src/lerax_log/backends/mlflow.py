"""Logging to MLflow."""

import os
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, override
from urllib.parse import unquote, urlsplit

from .base import AbstractLoggingBackend, HParam, require_library, require_video_format
from .clip_file import as_file

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

    from lerax_render.video import Video

FLUSH_SECONDS = 1.0
"""Seconds that values wait to be sent together."""

BATCH = 900
"""Values that are sent together; MLflow takes 1,000."""

_UNSAFE = re.compile(r"[^\w./: -]")
_LOCAL_STORES = ("", "file")
_OPENING = threading.Lock()


class MlflowBackend(AbstractLoggingBackend):
    """Logs each run to an MLflow run of its own.

    Without a server, and without an account: to the folder `mlruns`, of which
    `MLFLOW_ALLOW_FILE_STORE=true mlflow ui --backend-store-uri mlruns` shows the runs. Values are
    sent together once a second. Clips are MP4 artifacts, and so is the page of the run, where there
    is a `PageBackend` beside this one. Names with characters that MLflow does not
    take have `-` in their place.
    """

    video_formats = ("mp4",)
    takes_run_page = True

    def __init__(
        self,
        experiment: str = "lerax",
        tracking_uri: str | os.PathLike[str] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Keep the arguments; nothing is imported or made yet.

        Args:
            experiment: MLflow's experiment that the runs belong to; made if it is not there.
            tracking_uri: A folder, or the address of a server or a database (default: what
                `MLFLOW_TRACKING_URI` says, or the folder `mlruns`).
            tags: MLflow's tags of the runs.

        Raises:
            BackendUnavailableError: MLflow is not installed.
            TypeError: `experiment` is not a text, or `tags` no mapping.
        """
        require_library("MlflowBackend", "mlflow", "mlflow")
        if not isinstance(experiment, str) or not experiment:
            raise TypeError(f"experiment must be a text that is not empty, not {experiment!r}")
        if tags is not None and not isinstance(tags, Mapping):
            raise TypeError(f"tags must be a mapping of names to texts or None, not {tags!r}")
        self._experiment = experiment
        self._uri = None if tracking_uri is None else os.fspath(tracking_uri)
        self._tags = {str(name): str(value) for name, value in (tags or {}).items()}
        self._run: _MlflowRun | None = None

    @override
    def open(self, name: str) -> None:
        """Start the MLflow run `name`; `run_dir` is its folder, where MLflow has a local one.

        Raises:
            RuntimeError: A run is open.
            mlflow.exceptions.MlflowException: MLflow refuses it, or cannot be reached.
        """
        self._refuse_second_run(self._run)
        from mlflow.tracking import MlflowClient

        uri = self._uri or os.environ.get("MLFLOW_TRACKING_URI") or str(Path("mlruns").absolute())
        with _file_store_allowed():
            client = MlflowClient(tracking_uri=uri)
            tags = self._tags | ({"group": self.group} if self.group else {})
            run = client.create_run(_experiment(client, self._experiment), run_name=name, tags=tags)
        artifacts = urlsplit(run.info.artifact_uri)
        is_local = artifacts.scheme in _LOCAL_STORES
        self.run_dir = Path(unquote(artifacts.path)).parent if is_local else None
        self._run = _MlflowRun(client, run.info.run_id)

    @override
    def log_hparams(self, hparams: Mapping[str, HParam]) -> None:
        """Add parameters to the run, whose values do not change: later ones are left out."""
        self._opened(self._run).log_params(hparams)

    @override
    def log_scalars(self, scalars: Mapping[str, float], step: int) -> None:
        """Send the values, together with others where the last ones were sent just now."""
        self._opened(self._run).log_metrics(scalars, step)

    @override
    def log_video(self, tag: str, video: "Video", step: int) -> None:
        """Copy the clip to the run's artifacts, into a folder of the tag.

        Raises:
            RuntimeError: The backend is not open.
            ValueError: The clip is not an MP4.
        """
        run = self._opened(self._run)
        require_video_format(self, video)
        with as_file(video, f"step_{step:09d}") as path:
            run.client.log_artifact(run.id, str(path), tag)

    @override
    def log_page(self, tag: str, page: str, step: int) -> None:
        """Keep a page among the run's artifacts, in a folder of the tag."""
        run = self._opened(self._run)
        run.client.log_text(run.id, page, f"{tag}/step_{step:09d}.html")

    @override
    def flush(self) -> None:
        """Send what waits."""
        self._opened(self._run).flush()

    @override
    def close(self) -> None:
        """Send what waits, and end the run. Does nothing where no run is open."""
        if self._run is not None:
            run, self._run = self._run, None
            try:
                run.flush()
            finally:
                run.client.set_terminated(run.id)


class _MlflowRun:
    def __init__(self, client: "MlflowClient", id: str) -> None:
        self.client = client
        self.id = id
        self._params: set[str] = set()
        self._waiting: list[Any] = []
        self._sent = 0.0

    def log_params(self, hparams: Mapping[str, HParam]) -> None:
        from mlflow.entities import Param

        new = {_UNSAFE.sub("-", name): value for name, value in hparams.items()}
        params = [Param(name, str(new[name])) for name in new if name not in self._params]
        self._params |= new.keys()
        # MLflow takes a hundred at a time.
        for start in range(0, len(params), 100):
            self.client.log_batch(self.id, params=params[start : start + 100])

    def log_metrics(self, scalars: Mapping[str, float], step: int) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        self._waiting += [
            Metric(_UNSAFE.sub("-", tag), float(value), now, int(step))
            for tag, value in scalars.items()
        ]
        if len(self._waiting) >= BATCH or time.monotonic() - self._sent >= FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        for start in range(0, len(waiting), BATCH):
            self.client.log_batch(self.id, metrics=waiting[start : start + BATCH])
        self._sent = time.monotonic()


def _experiment(client: "MlflowClient", name: str) -> str:
    from mlflow.exceptions import MlflowException

    found = client.get_experiment_by_name(name)
    if found is None:
        try:
            return str(client.create_experiment(name))
        except MlflowException:
            # Another process of the same job array may just have made it.
            found = client.get_experiment_by_name(name)
            if found is None:
                raise
    return str(found.experiment_id)


@contextmanager
def _file_store_allowed() -> Iterator[None]:
    """Let MLflow write to a folder, which its newer versions do only for those who ask for it."""
    name = "MLFLOW_ALLOW_FILE_STORE"
    with _OPENING:
        before = os.environ.get(name)
        os.environ.setdefault(name, "true")
        try:
            yield
        finally:
            if before is None:
                del os.environ[name]
