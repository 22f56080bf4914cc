"""The folder of one training run; docs/logging.md describes it for others.

    RUN/
        run.json       what the run is, and how it ended
        metrics.jsonl  a line for each step that was logged, and for each recording
        videos/        step_000019456.mp4
        replays/       step_000019456.replay, and the scene that they share
        policies/      step_000019456.eqx
        page/          of each recording a player and a still, and the data of the run's page

It is read here, below what paints and what makes pages, and written by `lerax_log`, which the core
does not know. What the files are called is said here alone.
"""

import contextlib
import fcntl
import itertools
import math
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

import msgspec

from ..errors import RenderError
from ..settings import shown

FORMAT = 1
"""Version of the folder."""

RUN, METRICS = "run.json", "metrics.jsonl"

type Kind = Literal["video", "replay", "policy", "player", "still"]

_PLACES: Mapping[Kind, tuple[str, str]] = {
    "video": ("videos", ".mp4"),
    "replay": ("replays", ".replay"),
    "policy": ("policies", ".eqx"),
    "player": ("page", ".html"),
    "still": ("page", ".webp"),
}
FOLDERS = {folder for folder, _ in _PLACES.values()}
"""The names of the folders in a run's."""

_OF_A_PAGE: tuple[Kind, ...] = ("player", "still")
_STEP = re.compile(r"step_(\d{1,18})")
_LARGEST_RUN = _LONGEST_LINE = 2**24
# As many digits as the name of a file has.
_MOST_STEPS = 10**18


class Git(msgspec.Struct, frozen=True):
    """The commit that a run was started from.

    Attributes:
        commit: Its hash.
        dirty: Whether files in it had been changed.
    """

    commit: str
    dirty: bool


class Resumed(msgspec.Struct, frozen=True):
    """A later program that went on in a run.

    Attributes:
        time: When, in ISO 8601.
        step: Environment steps that were logged before.
        command: As in `Facts`.
    """

    time: str
    step: int
    command: str | None = None


class Facts(msgspec.Struct, frozen=True):
    """What `run.json` says; whatever is not known is `None`.

    Attributes:
        name: The run's name.
        env: Name of the environment.
        algorithm: Name of the algorithm.
        policy: Name of the policy.
        command: The command line of the program.
        git: The commit that its script lies in.
        versions: Of packages, by name.
        device: That computed, such as `cpu`.
        seed: Of `learn`'s key; a text where the key was not made of a seed.
        lane: Its number among the lanes of one `learn`.
        hparams: Hyperparameters by name.
        total_timesteps: Environment steps that the training will take.
        started: When, in ISO 8601.
        ended: Likewise; `None` for a run that goes on, or that was killed.
        outcome: `"running"`, `"finished"`, `"interrupted"` or `"failed: ..."`. One that was killed
            stays `"running"`; `RunFolder.is_running` tells.
        resumed: The programs that went on in it.
        clip: How its recordings are painted, by names of `record`'s settings.
        pid: Number of the process.
        host: Name of its machine.
        ids: What services call the run, by their names, such as `wandb`.
        format: Version of the folder.
    """

    name: str = ""
    env: str | None = None
    algorithm: str | None = None
    policy: str | None = None
    command: str | None = None
    git: Git | None = None
    versions: dict[str, str] = {}
    device: str | None = None
    seed: int | str | None = None
    lane: int | None = None
    hparams: dict[str, bool | int | float | str | None] = {}
    total_timesteps: int | None = None
    started: str | None = None
    ended: str | None = None
    outcome: str = "running"
    resumed: list[Resumed] = []
    clip: dict[str, Any] = {}
    pid: int | None = None
    host: str | None = None
    ids: dict[str, str] = {}
    format: int = FORMAT


@dataclass(frozen=True)
class Recording:
    """What is there of the policy at one moment of a training.

    Attributes:
        step: Environment steps that it had been trained for.
        files: By kind, `"video"`, `"replay"` and `"policy"`, as far as they are there, and what the
            run's page has of it, `"player"` and `"still"`.
        said: What `metrics.jsonl` says of it, such as `return` and `length`.
    """

    step: int
    files: Mapping[Kind, Path]
    said: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @property
    def label(self) -> str:
        """What is written on it."""
        return f"training step {self.step:,}"


class RunFolder:
    """A run's folder, whether its training goes on, has ended or was killed.

    Args:
        path: The folder. It need not have a `run.json`: older runs have none.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    def check_there(self) -> None:
        """Raise `ValueError` where there is no such folder."""
        if not self.path.is_dir():
            raise ValueError(f"there is no folder {shown(str(self.path))}")

    @property
    def facts(self) -> Facts:
        """What `run.json` says; nothing where there is none.

        Raises:
            RenderError: It is none, or of another version.
        """
        file = self.path / RUN
        try:
            with file.open("rb") as opened:
                facts = msgspec.json.decode(opened.read(_LARGEST_RUN), type=Facts)
        except FileNotFoundError:
            return Facts(self.path.name)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise RenderError(f"{file} is no run's: {str(error)[:200]}") from error
        if facts.format != FORMAT:
            raise RenderError(
                f"{file} has version {facts.format} of a run's folder, and this lerax-render reads "
                f"{FORMAT}: open it with a newer one"
            )
        return facts

    @property
    def is_running(self) -> bool:
        """Whether a program logs to it now, as far as this machine can tell."""
        if self.facts.outcome != "running":
            return False
        with contextlib.suppress(OSError):
            # Where its files are links, theirs is held.
            place = Path(os.path.realpath(self.path / RUN)).parent
            folder = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
            try:
                fcntl.flock(folder, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            finally:
                os.close(folder)
        return False

    def lines(self, holding: bytes = b"") -> Iterator[dict[str, Any]]:
        """Yield the lines of `metrics.jsonl`, in the order of writing.

        A line that is torn, as the last one of a run that was killed can be, is left out. Numbers
        that are not finite are the texts `NaN`, `Infinity` and `-Infinity`, see `number`.

        Args:
            holding: Lines without these bytes are passed over, which is quick.
        """
        with contextlib.suppress(FileNotFoundError), (self.path / METRICS).open("rb") as file:
            for text in iter(partial(file.readline, _LONGEST_LINE), b""):
                if holding not in text:
                    continue
                with contextlib.suppress(msgspec.DecodeError, UnicodeError, RecursionError):
                    line = msgspec.json.decode(text)
                    step = line.get("step") if isinstance(line, dict) else None
                    if isinstance(step, int) and 0 <= step < _MOST_STEPS:
                        yield line

    def scalars(self) -> dict[str, list[tuple[int, float]]]:
        """Return steps and values by tag, in the order of logging."""
        found: dict[str, list[tuple[int, float]]] = {}
        for line in self.lines():
            for tag, value in scalars_in(line).items():
                found.setdefault(tag, []).append((line["step"], value))
        return found

    def files(self) -> dict[int, dict[Kind, Path]]:
        """Return what was kept of the policy by training step, in ascending order, and by kind.

        Files that lie in the folder itself count, too. What a page has of a step counts where there
        is something else of it.
        """
        found: dict[int, dict[Kind, Path]] = {}
        for kind, (folder, suffix) in _PLACES.items():
            is_of_page = kind in _OF_A_PAGE
            for place in (self.path / folder,) if is_of_page else (self.path, self.path / folder):
                for path in place.glob(f"step_*{suffix}"):
                    match = _STEP.fullmatch(path.stem)
                    if match and not (is_of_page and int(match[1]) not in found):
                        found.setdefault(int(match[1]), {})[kind] = path
        return dict(sorted(found.items()))

    def recordings(self) -> list[Recording]:
        """Return what was recorded, from the first training step to the last.

        The files that are there count: some may have been removed, or painted later.
        """
        files = self.files()
        said: dict[int, dict[str, Any]] = {}
        for line in self.lines(b'"recording"') if files else ():
            if isinstance(line.get("recording"), dict):
                said.setdefault(line["step"], {}).update(line["recording"])
        return [Recording(step, each, said.get(step, {})) for step, each in files.items()]

    def last_step(self) -> int:
        """Return the furthest step that something is there of, 0 where nothing is."""
        logged = (line["step"] for line in self.lines())
        return max(itertools.chain(logged, self.files()), default=0)


_NO_TAGS = ("step", "time", "recording")


def check_within(path: Path, folder: Path) -> None:
    """Raise `RenderError` where a file or folder of a run is a link that leads out of the run."""
    if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder)):
        raise RenderError(f"{path} is a link that leads out of the run's folder: remove it")


def place_of(folder: Path, kind: Kind, step: int) -> Path:
    """Return where a run's folder has a file of a step."""
    name, suffix = _PLACES[kind]
    return folder / name / f"step_{step:09d}{suffix}"


def scalars_in(line: Mapping[str, Any]) -> dict[str, float]:
    """Return the values by tag that a line of `metrics.jsonl` has."""
    return {
        tag: given
        for tag, value in line.items()
        if tag not in _NO_TAGS and (given := number(value)) is not None
    }


def number(value: Any) -> float | None:
    """Return a value of a line as a number, or `None` where it is none."""
    if isinstance(value, str) and value in _NOT_FINITE:
        return _NOT_FINITE[value]
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


_NOT_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def hold(folder: Path) -> int | None:
    """Mark a run's folder as one that is logged to; the mark ends with this process.

    Returns:
        A descriptor, which ends it when it is closed; `None` on disks that know no locks.

    Raises:
        BlockingIOError: Another program logs to it.
        OSError: It is no folder.
    """
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(held)
        raise
    except OSError:
        os.close(held)
        return None
    return held
