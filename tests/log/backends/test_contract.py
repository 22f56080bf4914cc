"""What all backends share: ours, several as one, and the one that the documentation shows."""

import re
from collections import defaultdict
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from lerax_log.backends import (
    AbstractLoggingBackend,
    ConsoleBackend,
    FanOut,
    HParam,
    JsonLinesBackend,
    MlflowBackend,
    PageBackend,
    TensorBoardBackend,
    TrackioBackend,
    WandbBackend,
    above_and_below,
)
from lerax_log.testing import BackendContract, ReadableBackendContract
from lerax_render.runs import RunFolder
from support.paths import ROOT
from support.read_logs import read_event_files, read_mlflow, read_wandb, wandb_history

type Scalars = dict[str, list[tuple[int, float]]]


class TestTensorBoard(ReadableBackendContract):
    @pytest.fixture
    def backend(self, tmp_path: Path) -> AbstractLoggingBackend:
        return TensorBoardBackend(tmp_path)

    def read_scalars(self, run_dir: Path) -> Scalars:
        events = read_event_files(run_dir)
        return {
            tag: [(event.step, event.value) for event in events.Scalars(tag)]
            for tag in events.Tags()["scalars"]
        }


class TestJsonLines(ReadableBackendContract):
    @pytest.fixture
    def backend(self, tmp_path: Path) -> AbstractLoggingBackend:
        return JsonLinesBackend(tmp_path)

    def read_scalars(self, run_dir: Path) -> Scalars:
        return RunFolder(run_dir).scalars()


def test_hyperparameters_that_few_compare_are_below_a_line() -> None:
    hparams: dict[str, HParam] = {"env.mine": 1, "algorithm.gamma": 0.9, "policy.depth": 2}
    assert above_and_below({**hparams, "env.dt": 0.1}) == (
        {"env.mine": 1, "algorithm.gamma": 0.9},
        {"policy.depth": 2, "env.dt": 0.1},
    )
    assert above_and_below({}) == ({}, {})


class TestWandb(ReadableBackendContract):
    own_variables = frozenset({"WANDB_SERVICE"})

    @pytest.fixture
    def backend(self, tmp_path: Path) -> AbstractLoggingBackend:
        return WandbBackend("tests", dir=tmp_path, mode="offline", settings={"silent": True})

    def read_scalars(self, run_dir: Path) -> Scalars:
        scalars: Scalars = defaultdict(list)
        for row in wandb_history(read_wandb(run_dir)):
            for tag in row.keys() - {"global_step"}:
                if not tag.startswith("_"):
                    scalars[tag].append((row["global_step"], float(row[tag])))
        return scalars


class TestMlflow(ReadableBackendContract):
    @pytest.fixture
    def backend(self, tmp_path: Path) -> AbstractLoggingBackend:
        pytest.importorskip("mlflow")
        return MlflowBackend(tracking_uri=tmp_path / "mlruns")

    def read_scalars(self, run_dir: Path) -> Scalars:
        return read_mlflow(run_dir)


class TestTrackio(BackendContract):
    @pytest.fixture
    def backend(self, trackio_folder: Path) -> AbstractLoggingBackend:
        return TrackioBackend("tests")


class TestPage(BackendContract):
    @pytest.fixture
    def backend(self, tmp_path: Path) -> AbstractLoggingBackend:
        return PageBackend(tmp_path)


class TestConsoleOnATerminal(BackendContract):
    @pytest.fixture
    def backend(self) -> AbstractLoggingBackend:
        console = Console(file=StringIO(), force_terminal=True, width=60, _environ={})
        return ConsoleBackend(console=console)


class TestConsoleInAPipe(BackendContract):
    @pytest.fixture
    def backend(self) -> AbstractLoggingBackend:
        return ConsoleBackend()


class TestFanOut(ReadableBackendContract):
    own_variables = TestWandb.own_variables

    @pytest.fixture
    def backend(self, tmp_path: Path) -> AbstractLoggingBackend:
        wandb = WandbBackend("tests", dir=tmp_path, mode="offline", settings={"silent": True})
        return FanOut([ConsoleBackend(), TensorBoardBackend(tmp_path), wandb])

    read_scalars = TestTensorBoard.read_scalars


DOCUMENTED: dict[str, Any] = {"__name__": __name__}
"""The backend in the documentation and its test, run as they stand there."""

for block in re.findall(r"```python\n(.*?)```", (ROOT / "docs/logging.md").read_text(), re.S):
    if re.search(r"^class \w*CsvBackend", block, re.M):
        exec(block, DOCUMENTED)

TestCsvBackend = DOCUMENTED["TestCsvBackend"]
