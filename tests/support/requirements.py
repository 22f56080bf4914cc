"""What some tests need of the machine they run on."""

import os
from typing import NoReturn

import pytest


def lacking(what: str) -> NoReturn:
    """Skip the test; in CI fail instead, where nobody would see that it was not run."""
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"no {what}")
