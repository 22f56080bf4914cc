"""What a page needs of a run, as files beside it.

A page that is opened from a disk may read no files but scripts, pictures and other pages, so each
of these files is a script that calls `received` with a text of JSON. The page loads those that
somebody looks at:

    RUN/page/run.js          what the run is, its tags and its recordings
    RUN/page/curve_0.js      the first tag's curve, as a whole
    RUN/page/curve_0_all.js  the same with all points that are kept, for a closer look
    RUN/page/step_*.html     a recording's player, and its still
"""

import contextlib
import math
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import msgspec

from ..runs import RunFolder, check_within, scalars_in
from ..video import write_whole
from .curves import MOST, OVERVIEW, Curve, described

FOLDER = "page"
DATA = f"{FOLDER}/run.js"

SCRIPT = "received("
"""What the files of data begin with."""

KILLED = "killed"
"""The outcome of a run that says that it is running, and is not."""

_FACTS = ("algorithm", "policy", "env", "seed", "device", "started", "ended", "command")


class RunData:
    """The data of one run's page.

    Args:
        folder: The run's.
    """

    def __init__(self, folder: Path) -> None:
        self.run = RunFolder(folder)
        self._curves: dict[str, Curve] = {}
        self._written: dict[str, int] = {}

    def read(self) -> None:
        """Take in all that `metrics.jsonl` says."""
        for line in self.run.lines():
            self.add(scalars_in(line), line["step"])

    def add(self, scalars: Mapping[str, float], step: int) -> None:
        """Take in values of a step."""
        for tag, value in scalars.items():
            curve = self._curves.get(tag)
            if curve is None:
                curve = self._curves[tag] = Curve()
            curve.add(step, value)

    def write(
        self,
        outcome: str | None = None,
        adding: AbstractContextManager[Any] | None = None,
    ) -> None:
        """Write what is new.

        Args:
            outcome: How it goes; `None` as the run's folder says.
            adding: A lock that is held where another thread adds.

        Raises:
            OSError: The disk is full or failed; what was there stays.
            RenderError: `run.json` is not valid, or the page's folder is a link out of the run's.
        """
        folder = self.run.path / FOLDER
        check_within(folder, self.run.path)
        folder.mkdir(parents=True, exist_ok=True)
        for number, (tag, curve) in enumerate(list(self._curves.items())):
            if self._written.get(tag) == curve.count:
                continue
            with adding or contextlib.nullcontext():
                count, points = curve.count, curve.points()
            write_whole(folder / f"curve_{number}.js", as_script(described(points, OVERVIEW)))
            if len(points) > OVERVIEW:
                write_whole(folder / f"curve_{number}_all.js", as_script(described(points, MOST)))
            self._written[tag] = count
        write_whole(self.run.path / DATA, as_script(self._described(outcome)))
        self._remove_what_is_gone(folder)

    def _described(self, outcome: str | None) -> dict[str, Any]:
        facts = self.run.facts
        if outcome is None:
            is_killed = facts.outcome == "running" and not self.run.is_running
            outcome = KILLED if is_killed else facts.outcome
        told = {name: getattr(facts, name) for name in _FACTS}
        if facts.git is not None:
            told["commit"] = facts.git.commit[:12] + (", changed" if facts.git.dirty else "")
        return {
            "name": facts.name or self.run.path.name,
            "outcome": outcome,
            "written": round(time.time(), 1),
            "facts": [[name, value] for name, value in told.items() if value is not None],
            "hparams": [[name, _shown(value)] for name, value in facts.hparams.items()],
            "total": facts.total_timesteps,
            "tags": [
                {
                    "tag": tag,
                    "count": curve.count,
                    "step": curve.step,
                    "value": curve.value,
                    "more": curve.is_joined,
                }
                for tag, curve in list(self._curves.items())
            ],
            "recordings": self._recordings(),
        }

    def _recordings(self) -> list[dict[str, Any]]:
        found = []
        for each in self.run.recordings():
            there = {
                str(kind): str(file.relative_to(self.run.path))
                for kind, file in each.files.items()
                if kind in ("player", "still", "video")
            }
            if there:
                said = {name: each.said.get(name) for name in ("return", "length")}
                found.append({"step": each.step, **said, **there})
        return found

    def _remove_what_is_gone(self, folder: Path) -> None:
        there = {file.stem for files in self.run.files().values() for file in files.values()}
        for file in folder.glob("step_*"):
            if file.stem not in there:
                with contextlib.suppress(OSError):
                    file.unlink()


def update(run: Path) -> RunData:
    """Write the data of a run's page from what is in its folder.

    Raises:
        OSError: The disk is full or failed.
        RenderError: `run.json` is none.
    """
    data = RunData(run)
    data.read()
    data.write()
    return data


def as_script(data: Any) -> str:
    """Return data as a script that hands a text of JSON over.

    As a text, so that it is data whatever is in it, and is read quickly.
    """
    text = msgspec.json.encode(msgspec.json.encode(data).decode()).decode()
    return f"{SCRIPT}{text})\n"


def from_script(script: str) -> str:
    """Return the text of JSON that a script hands over."""
    text: str = msgspec.json.decode(script.removeprefix(SCRIPT).removesuffix(")\n"))
    return text


def _shown(value: Any) -> Any:
    """Return a value as JSON and JavaScript's numbers can take it."""
    is_odd = isinstance(value, float) and not math.isfinite(value)
    is_long = isinstance(value, int) and abs(value) > 2**53
    return str(value) if is_odd or is_long else value
