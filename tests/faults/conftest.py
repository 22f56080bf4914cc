"""What the faults share: a training that is compiled once, and a disk that is soon full."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from lerax_log import LoggingCallback, TensorBoardBackend
from support.faults import OPTIONS, STAGE, Ordeal, staged
from support.small_disk import mounted
from support.trainings import Training


@pytest.fixture(scope="session")
def staged_training() -> Training:
    """The training under the faults, compiled together with what records it."""
    training = staged()
    with tempfile.TemporaryDirectory() as logs:
        backend = TensorBoardBackend(logs)
        with LoggingCallback(backend, name="first", video_num_steps=1, **OPTIONS) as callback:
            training(callback)
    training()
    return training


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Has temporary files go where nobody else's are."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))


@pytest.fixture
def ordeal(
    staged_training: Training, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> Iterator[Ordeal]:
    STAGE.clear()
    yield Ordeal(staged_training, tmp_path, lambda: capfd.readouterr().err)
    STAGE.clear()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    with mounted(tmp_path) as disk:
        yield disk
