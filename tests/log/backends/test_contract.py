"""The shared behaviour of the three backends, and of the one that the documentation shows."""

import csv
import textwrap
from collections import defaultdict
from collections.abc import Callable, Mapping
from io import StringIO
from pathlib import Path
from typing import Any, TextIO, cast

import pytest
from rich.console import Console

from lerax_log.backends import (
    AbstractLoggingBackend,
    ConsoleBackend,
    TensorBoardBackend,
    WandbBackend,
    base,
)
from support.contracts import LoggingBackendContract, ReadableBackendContract
from support.read_logs import read_event_files, read_wandb, wandb_history

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


class TestConsoleOnATerminal(LoggingBackendContract):
    @pytest.fixture
    def backend(self) -> AbstractLoggingBackend:
        console = Console(file=StringIO(), force_terminal=True, width=60, _environ={})
        return ConsoleBackend(console=console)


class TestConsoleInAPipe(LoggingBackendContract):
    @pytest.fixture
    def backend(self) -> AbstractLoggingBackend:
        return ConsoleBackend()


@pytest.fixture(scope="module")
def example() -> Callable[[str], AbstractLoggingBackend]:
    """The class in the documentation of `base`, run as it stands there."""
    lines = (base.__doc__ or "").splitlines()
    source = "\n".join(line for line in lines if not line or line.startswith("    "))
    names: dict[str, Any] = {
        "AbstractLoggingBackend": AbstractLoggingBackend,
        "Mapping": Mapping,
        "Path": Path,
        "TextIO": TextIO,
    }
    exec(textwrap.dedent(source), names)
    return cast(Callable[[str], AbstractLoggingBackend], names["CsvBackend"])


class TestDocumentedExample(ReadableBackendContract):
    @pytest.fixture
    def backend(
        self, example: Callable[[str], AbstractLoggingBackend], tmp_path: Path
    ) -> AbstractLoggingBackend:
        return example(str(tmp_path))

    def read_scalars(self, run_dir: Path) -> Scalars:
        scalars: Scalars = defaultdict(list)
        with (run_dir / "metrics.csv").open() as file:
            for step, tag, value in csv.reader(file):
                scalars[tag].append((int(step), float(value)))
        return scalars


@pytest.mark.parametrize("name", ["tensorboard", "wandb", "terminal", "pipe"])
def test_a_second_open_is_refused_and_the_first_run_goes_on(name: str, tmp_path: Path) -> None:
    terminal = Console(file=StringIO(), force_terminal=True, width=60, _environ={})
    backends: dict[str, AbstractLoggingBackend] = {
        "tensorboard": TensorBoardBackend(tmp_path),
        "wandb": WandbBackend(dir=tmp_path, mode="offline", settings={"silent": True}),
        "terminal": ConsoleBackend(console=terminal),
        "pipe": ConsoleBackend(),
    }
    backend = backends[name]
    backend.open("first")
    with pytest.raises(RuntimeError, match="close"):
        backend.open("second")
    backend.log_scalars({"episode/return": 1.0}, 10)
    backend.close()
