"""Clips by their settings alone: plain values that can be compared, hashed, and sent elsewhere."""

import dataclasses
import hashlib
import io
import json
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import __version__
from ..video import Video
from .loading import file_in, load_env, load_policy

DEFAULT_POLICY_CLASS = "MLPActorCriticPolicy"

_REDIRECTING = threading.RLock()


@dataclass(frozen=True, kw_only=True)
class Clip:
    """What `lerax-render clip` can be told, and what an entry of a gallery's manifest says.

    Attributes:
        env: One of `specs.FORMS`.
        env_args: Arguments of its constructor.
        policy: Files with a policy's parameters, or such files' bytes: none, where actions are
            sampled; one; or as many as the grid has tiles.
        policy_class: As for `specs.load_policy`.
        policy_args: As for `specs.load_policy`.
        steps: Number of steps.
        seed: Of the random key.
        camera: As for `record`, or the settings of a `Camera` by name.
        folder: What relative paths in the settings are relative to.
        workers: As for `record`; the clip is the same with any number.
        width: As for `record`; so are all others.
    """

    env: str
    env_args: Mapping[str, Any] = field(default_factory=dict)
    policy: tuple[str | bytes, ...] = ()
    policy_class: str = DEFAULT_POLICY_CLASS
    policy_args: Mapping[str, Any] = field(default_factory=dict)
    steps: int = 256
    seed: int = 0
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    camera: Any | None = None
    quality: str = "auto"
    format: str | None = None
    deterministic: bool = False
    overlay: bool | tuple[str, ...] = False
    grid: tuple[int, int] | None = None
    labels: tuple[str, ...] = ()
    preset: str | None = None
    max_size: int | None = None
    folder: Path = field(default=Path(), compare=False)
    workers: int = field(default=1, compare=False)

    def record(
        self, path: Path | None = None, progress: Callable[[int], None] | None = None
    ) -> Video:
        """Make the clip.

        Args:
            path: Where it goes; `None` keeps it in memory.
            progress: As for `record`.

        Raises:
            ValueError, TypeError, RenderError, OSError: As for `record`, `specs.load_env` and
                `specs.load_policy`.
        """
        with output_to_stderr():
            env = load_env(self._located(self.env), self.env_args)
            # Here and not above: it takes seconds to load, and clips are also sent about.
            import jax

            from ..recording import record

            policies = [
                load_policy(source, self._located(self.policy_class), env, self.policy_args)
                for source in self._policies()
            ]
        return record(
            env,
            policies if len(policies) > 1 else next(iter(policies), None),
            path,
            steps=self.steps,
            key=jax.random.key(self.seed),
            width=self.width,
            height=self.height,
            fps=self.fps,
            camera=self._camera(),
            quality=self.quality,
            format=self.format,
            deterministic=self.deterministic,
            overlay=self.overlay,
            grid=self.grid,
            labels=self.labels,
            preset=self.preset,
            max_size=self.max_size,
            workers=self.workers,
            progress=progress,
        )

    def with_policies(self) -> "Clip":
        """Return the same clip with its policies' bytes in it, for whoever has not the files.

        A file that cannot be read stays a name, which `record` then reports.
        """

        def content(source: Path | bytes, given: str | bytes) -> str | bytes:
            try:
                return source if isinstance(source, bytes) else source.read_bytes()
            except OSError:
                return given

        sources = zip(self._policies(), self.policy, strict=True)
        return dataclasses.replace(self, policy=tuple(content(*source) for source in sources))

    def fingerprint(self) -> str:
        """Return a hash of what the clip is made from, in hexadecimal.

        That is: its settings, this toolkit's version, and the contents of the policies' files and
        of those that the environment and the policy's class are named by. What those files refer to
        in turn, and installed packages, are not looked at.
        """
        compared = [each.name for each in dataclasses.fields(self) if each.compare]
        settings = {name: getattr(self, name) for name in compared}
        settings["policy"] = [_digest(source) for source in self._policies()]
        named = (file_in(self.env), file_in(self.policy_class))
        settings["files"] = [_digest(self.folder / file) for file in named if file]
        settings["version"] = __version__
        text = json.dumps(settings, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()

    def _policies(self) -> list[Path | bytes]:
        return [each if isinstance(each, bytes) else self.folder / each for each in self.policy]

    def _located(self, spec: str) -> str:
        return str(self.folder / spec) if file_in(spec) else spec

    def _camera(self) -> Any:
        if not isinstance(self.camera, Mapping):
            return self.camera
        from ..mujoco import Camera

        try:
            return Camera(**self.camera)
        except TypeError as error:
            raise ValueError(f"camera {dict(self.camera)}: {error}") from error


@contextmanager
def output_to_stderr() -> Iterator[None]:
    """Keep what an environment prints while it is loaded out of the command's own output.

    What MJX prints when it is imported, that it has no warp, is nobody's concern.
    """
    printed = io.StringIO()
    try:
        # One at a time: of two threads, one would put back what the other one had put there.
        with _REDIRECTING, redirect_stdout(printed):
            yield
    finally:
        for line in printed.getvalue().splitlines():
            if not line.startswith("Failed to import"):
                print(line, file=sys.stderr)


def _digest(source: Path | bytes) -> str | None:
    """A hash of a file's contents; `None` where it cannot be read."""
    if isinstance(source, bytes):
        return hashlib.sha256(source).hexdigest()
    try:
        with open(source, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None
