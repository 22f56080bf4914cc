"""Clips by their settings alone: plain values that can be compared, hashed, and sent elsewhere."""

import dataclasses
import hashlib
import io
import json
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, cast

from msgspec import Meta

from .. import __version__
from ..errors import is_for_users
from ..naming import file_in, is_replay, load_env, load_policy
from ..settings import LARGEST_SEED, Settings, Text, between, shown

if TYPE_CHECKING:
    from ..output import Output

type Name = Annotated[str, Meta(min_length=1, pattern=r"\S", description="a name"), Text("NAME")]
type EnvName = Annotated[
    str,
    Meta(
        min_length=1,
        pattern=r"\S",
        description="the name of an environment, such as CartPole, module:attribute or robot.xml",
    ),
    Text("ENV"),
]
type PolicyFile = Annotated[str, Meta(min_length=1), Text("FILE")] | Path | bytes
type PolicyFiles = Annotated[
    Sequence[PolicyFile] | PolicyFile, Meta(description="a file's path or a list of them")
]

_REDIRECTING = threading.RLock()


@dataclass(frozen=True, kw_only=True)
class Clip(Settings):
    """A clip by its settings: what `lerax-render clip` and an entry of a gallery's manifest say.

    Raises:
        ValueError, TypeError: A setting is not what its type accepts.
    """

    env: EnvName
    """Environment: a Lerax class name (CartPole, Humanoid, ...), module:attribute,
    path/to/file.py:attribute, gym:ID, gymnax:ID, a model's file (*.xml, *.mjcf, *.urdf,
    *.mjb), or a replay (*.replay), which shows the steps that it holds."""

    env_args: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """Arguments of the environment's constructor (for a model's file: controls=passive or sampled,
    frame_skip=N)."""

    untrusted: bool = False
    """Models' files only: a stranger's file, which is checked before MuJoCo reads it."""

    policy: PolicyFiles = ()
    """Files with parameters of trained policies (*.eqx, as policy.serialize writes them): one, or
    one for each tile of the grid (default: none, and actions are sampled)."""

    policy_class: Name = "MLPActorCriticPolicy"
    """Class of the policy: a name in lerax.policy, module:Class or file.py:Class."""

    policy_args: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """Arguments of the policy's class, such as layer sizes, as they were in training."""

    seed: Annotated[int, between(0, LARGEST_SEED)] = 0
    """Seed of the random key."""

    folder: Path = field(default=Path(), compare=False, metadata={"written": False})
    """Folder that relative paths in the settings start from (default: the current one)."""

    def __post_init__(self) -> None:
        if not isinstance(self.env, str):
            raise TypeError(
                "env must be the name of an environment, such as CartPole, module:attribute or "
                f"robot.xml, got {shown(self.env)}; record(env, ...) takes an environment itself"
            )
        super().__post_init__()
        if idle := idle_with_replay(vars(self)):
            raise ValueError(idle)

    def record(
        self,
        path: str | PathLike[str] | BinaryIO | None = None,
        progress: Callable[[int], None] | None = None,
        *,
        still: bool = False,
    ) -> "Output":
        """Make the clip.

        Args:
            path: Where it goes, as for `record`; `None` keeps it in memory.
            progress: As for `record`.
            still: Whether `Output.still` is wanted of what is no video.

        Returns:
            As `record`.

        Raises:
            ValueError, TypeError, RenderError, OSError: As for `record`, `load_env` and
                `load_policy`.
        """
        env, policy, key = self.load()
        # Here and not above: it takes seconds to load, and clips are also sent about.
        from ..making import record_clip

        ghosts = [self.folder / ghost if isinstance(ghost, str) else ghost for ghost in self.ghosts]
        settings = dataclasses.replace(self, ghost=tuple(ghosts))
        if self.poster is not None:
            settings = dataclasses.replace(settings, poster=str(self.folder / self.poster))
        return record_clip(env, policy, path, settings, key=key, progress=progress, still=still)

    def load(self) -> tuple[Any, Any, int | None]:
        """Return the environment, who acts in it (`None` where actions are sampled), and the seed.

        Raises:
            ValueError, TypeError, RenderError, OSError: As for `load_env` and `load_policy`.
        """
        with output_to_stderr():
            env = self._load_env()
            policies = [
                load_policy(source, self._located(self.policy_class), env, self.policy_args)
                for source in self._policies()
            ]
        key = None if is_replay(self.env) else self.seed
        return env, policies if len(policies) > 1 else next(iter(policies), None), key

    def with_policies(self) -> "Clip":
        """Return the same clip with its policies' bytes in it, for whoever has not the files.

        A file that cannot be read stays a name, which `record` then reports.
        """

        def content(source: Path | bytes, given: str | bytes) -> str | bytes:
            try:
                return source if isinstance(source, bytes) else source.read_bytes()
            except OSError:
                return given

        given = cast(tuple[str | bytes, ...], self.policy)
        sources = zip(self._policies(), given, strict=True)
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
        settings["ghost"] = [
            _digest(self.folder / ghost) for ghost in self.ghosts if isinstance(ghost, str)
        ]
        settings["version"] = __version__
        text = json.dumps(settings, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()

    def _load_env(self) -> Any:
        try:
            return load_env(self._located(self.env), self.env_args, untrusted=self.untrusted)
        except (ValueError, TypeError) as error:
            if is_for_users(error):
                raise
            # The environment's own constructor has its say, too.
            raise ValueError(f"{self.env} cannot be made: {error}") from error

    def _policies(self) -> list[Path | bytes]:
        given = cast(tuple[str | bytes, ...], self.policy)
        return [each if isinstance(each, bytes) else self.folder / each for each in given]

    def _located(self, spec: str) -> str:
        return str(self.folder / spec) if file_in(spec) else spec


def idle_with_replay(settings: Mapping[str, Any]) -> str | None:
    """Say which setting of a clip of a replay makes no difference; `None` where each does.

    Args:
        settings: A clip's, `env` among them.
    """
    if not is_replay(settings["env"]):
        return None
    given = [name for name in ("policy", "seed", "env_args", "deterministic") if settings.get(name)]
    if not given:
        return None
    return f"{settings['env']} has been acted out already: leave {given[0]} out"


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
