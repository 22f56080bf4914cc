"""What the tests of backends share."""

import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module", autouse=True)
def no_wandb_process_stays() -> Iterator[None]:
    """End W&B's own process, which other tests would take for one that was left behind."""
    yield
    if "wandb" in sys.modules:
        sys.modules["wandb"].teardown()
