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
    if "trackio" not in sys.modules:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TRACKIO_DIR", str(tmp_path_factory.mktemp("trackio")))
            pytest.importorskip("trackio")
    from trackio.utils import TRACKIO_DIR

    return Path(TRACKIO_DIR)
