"""Folders of runs without a training."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from lerax_render.runs import place_of
from support.pages import everything, replay_of

STEPS = 10
"""Environment steps from one line of metrics to the next."""


def write_run(
    folder: Path,
    *,
    lines: int = 40,
    recordings: int = 3,
    slope: float = 1.0,
    replays: bool = True,
    **facts: Any,
) -> Path:
    """Write a run whose `episode/return` rises by `slope` at each line.

    Args:
        folder: The run's.
        lines: Of metrics.
        recordings: From the first step to the last.
        slope: Of the curve.
        replays: Whether recordings have replays, rather than files that are empty.
        **facts: Of `run.json`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    said = {
        "name": folder.name,
        "outcome": "finished",
        "clip": {"width": 64, "height": 48},
        **facts,
    }
    (folder / "run.json").write_text(json.dumps(said))
    for number in range(lines):
        add_line(folder, STEPS * (number + 1), slope * (number + 1))
    for step in np.linspace(0, STEPS * lines, recordings).astype(int).tolist():
        file = place_of(folder, "replay", step)
        file.parent.mkdir(exist_ok=True)
        if replays:
            replay_of([everything(i) for i in range(12)], rewards=np.arange(12)).save(file)
        else:
            file.touch()
        recording = {"replay": f"replays/{file.name}", "return": slope * step / STEPS, "length": 12}
        _append(folder, {"step": step, "time": 1.0, "recording": recording})
    return folder


def add_line(folder: Path, step: int, value: float) -> None:
    """Log one more value of `episode/return`, and a tag that wants to be something else."""
    _append(
        folder, {"step": step, "time": 1.0, "episode/return": value, "__proto__": 1.0, "<b>": 2.0}
    )


def _append(folder: Path, line: dict[str, Any]) -> None:
    with (folder / "metrics.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\n")
