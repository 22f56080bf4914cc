"""What the tests of trainings share."""

from pathlib import Path
from typing import Any

import optax
import pytest

from support.trainings import Training, ppo


@pytest.fixture(autouse=True)
def runs_in_a_folder_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody gives a folder, runs go into `logs` in the current one."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def training() -> Training:
    return Training()


@pytest.fixture(scope="session")
def plain_policy(training: Training) -> Any:
    """What is learned without a callback."""
    return training()


@pytest.fixture(scope="session")
def ppo_training() -> Training:
    return Training(algorithm=ppo(learning_rate=optax.linear_schedule(1e-3, 0.0, 4)))
