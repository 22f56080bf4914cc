"""A run's folder while it is logged to: who has it, and what it says of the run."""

import contextlib
import itertools
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from lerax_render.errors import RenderError, warn
from lerax_render.runs import RUN, Facts, Resumed, RunFolder, hold

RUNNING, FINISHED, INTERRUPTED = "running", "finished", "interrupted"


def claim(log_dir: Path, wanted: str, lanes: int, resume: bool) -> tuple[str, list["RunFiles"]]:
    """Take a folder for each lane of a training, which nobody else gets.

    Args:
        log_dir: Where runs' folders are.
        wanted: The name of the run; where there is one of that name, `-2`, `-3` and so on follow.
        lanes: Number of lanes; where there are several, `_0`, `_1` and so on follow.
        resume: Whether to go on in folders that are there, unless another program logs to them.

    Returns:
        The name without the lanes' numbers, and the folders; where there are several lanes, that
        of all together comes last.

    Raises:
        OSError: No folder can be made.
    """
    for count in itertools.count(1):
        name = wanted if count == 1 else f"{wanted}-{count}"
        taken: list[RunFiles] = []
        try:
            for lane in range(lanes if lanes == 1 else lanes + 1):
                taken.append(_taken(log_dir / lane_name(name, lane, lanes), resume))
        except (FileExistsError, BlockingIOError):
            for files in taken:
                files.give_back()
        else:
            return name, taken
    raise AssertionError


def lane_name(name: str, lane: int, lanes: int) -> str:
    """Return the name of one of a training's runs; after the lanes comes that of all together."""
    return name if lanes == 1 else f"{name}_{'all' if lane == lanes else lane}"


def _taken(folder: Path, resume: bool) -> "RunFiles":
    folder = Path(os.path.abspath(folder))
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        folder.mkdir()
    except FileExistsError:
        if not resume or not folder.is_dir():
            raise
        return RunFiles(folder, hold(folder), is_new=False)
    return RunFiles(folder, hold(folder), is_new=True)


@dataclass
class RunFiles:
    """The folder of a run.

    Attributes:
        folder: It.
        is_new: Whether it was made for this run, rather than gone on in.
        first_step: Environment steps that were logged there before.
    """

    folder: Path
    lock: int | None
    is_new: bool
    first_step: int = 0
    _facts: Facts = field(default_factory=Facts)
    _warned: bool = False

    def __post_init__(self) -> None:
        if self.is_new:
            return
        found = RunFolder(self.folder)
        self.first_step = found.last_step()
        try:
            self._facts = found.facts
        except RenderError as error:
            warn(f"the run goes on, but what it was is not known: {error}")

    @property
    def ids(self) -> dict[str, str]:
        """What services call the run, by their names."""
        return self._facts.ids

    def describe(self, facts: Facts) -> Facts:
        """Write what a `learn` in this run is, and return it with what was there before."""
        known = self._facts
        now = _now()
        resumed = known.resumed
        if not self.is_new:
            self.is_new = True
            resumed = [*resumed, Resumed(now, self.first_step, facts.command)]
        self._write(
            msgspec.structs.replace(
                facts,
                started=known.started or now,
                ended=None,
                outcome=RUNNING,
                resumed=resumed,
            )
        )
        return self._facts

    def end(self, outcome: str) -> None:
        """Write how the run has ended."""
        self._write(msgspec.structs.replace(self._facts, ended=_now(), outcome=outcome))

    def give_back(self) -> None:
        """Remove the folder, if it was made here and is empty, and let others have it."""
        self.release()
        if self.is_new:
            self.folder.rmdir()

    def _write(self, facts: Facts) -> None:
        self._facts = facts
        # Numbers of NumPy's among the hyperparameters.
        encoded = msgspec.json.encode(facts, enc_hook=lambda value: value.item())
        text = msgspec.json.format(encoded, indent=1)
        # Readers find the old one or the new one, and never a part of one.
        part = self.folder / f".{RUN}"
        try:
            part.write_bytes(text + b"\n")
            os.replace(part, self.folder / RUN)
        except OSError as error:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            if not self._warned:
                self._warned = True
                warn(f"{self.folder / RUN} could not be written: {error}. The training goes on")

    def release(self) -> None:
        """Let others have the folder."""
        if self.lock is not None:
            os.close(self.lock)
            self.lock = None


def as_shown(facts: Facts) -> dict[str, Any]:
    """Return what backends are told of a run: what is known, and neither hyperparameters nor how
    it goes."""
    shown = msgspec.to_builtins(facts, enc_hook=lambda value: value.item())
    left_out = ("hparams", "clip", "format", "outcome", "ended", "ids")
    return {
        name: value
        for name, value in shown.items()
        if name not in left_out and value not in (None, [], {})
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
