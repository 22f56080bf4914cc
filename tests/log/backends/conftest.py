"""What the tests of backends share."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="module", autouse=True)
def no_wandb_process_stays() -> Iterator[None]:
    """End W&B's own process, which other tests would take for one that was left behind."""
    yield
    if "wandb" in sys.modules:
        sys.modules["wandb"].teardown()


@pytest.fixture(scope="session")
def trackio_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where Trackio keeps its runs in this process: it asks once, when it is imported."""
    assert "trackio" not in sys.modules, "Trackio would write to the user's own folder"
    folder = tmp_path_factory.mktemp("trackio")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRACKIO_DIR", str(folder))
        pytest.importorskip("trackio")
    return folder
