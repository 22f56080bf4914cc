"""What all tests share."""

import os
import re
import signal
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--long",
        action="store_true",
        help="the long versions of tests/soak and tests/fuzz, as `make soak` and `make fuzz` run",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Let Ctrl-C be one: a shell that runs the tests in the background makes them ignore it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    keep_compilations(config)
    use_own_temporary_folder(config)
    # Not `Phase.explain`, which takes minutes to say what the smallest example says.
    phases = (Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink)
    common = {"deadline": None, "suppress_health_check": list(HealthCheck), "phases": phases}
    # The same examples every time: what nobody has changed does not fail.
    settings.register_profile("short", max_examples=60, derandomize=True, **common)
    settings.register_profile("long", max_examples=10_000, print_blob=True, **common)
    settings.load_profile("long" if config.getoption("--long") else "short")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what has to work with every Lerax, for `make test-lerax`."""
    for item in items:
        if touches_lerax(item.path):
            item.add_marker("lerax")


_LERAX = re.compile(
    r"^\s*(?:from|import) (?:lerax\b|support\.(?:environments|mjx_environments|trainings)\b)", re.M
)


@cache
def touches_lerax(path: Path) -> bool:
    """Whether a file of tests is about Lerax, imports it, or imports what is made of it here."""
    return path.parent.name == "leraxes" or bool(_LERAX.search(path.read_text()))


def keep_compilations(config: pytest.Config) -> None:
    """Let JAX compile once what many tests and the processes they start run.

    In a folder of this run, so that nothing is tested that an earlier version compiled.
    """
    if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        folder = tempfile.TemporaryDirectory(prefix="compilations-")
        config.add_cleanup(folder.cleanup)
        os.environ["JAX_COMPILATION_CACHE_DIR"] = folder.name
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.1")


def use_own_temporary_folder(config: pytest.Config) -> None:
    """Let each process that runs tests have its own, since some count what is left in it."""
    if hasattr(config, "workerinput"):
        folder = tempfile.TemporaryDirectory(prefix="tests-", ignore_cleanup_errors=True)
        config.add_cleanup(folder.cleanup)
        os.environ["TMPDIR"] = tempfile.tempdir = folder.name


@pytest.fixture(scope="session")
def is_long(pytestconfig: pytest.Config) -> bool:
    """Whether the long version is asked for."""
    return bool(pytestconfig.getoption("--long"))


@pytest.fixture
def compilations() -> Iterator[list[str]]:
    """Names of what is compiled while the test runs."""
    import jax

    names: list[str] = []

    def listen(event: str, seconds: float, **details: Any) -> None:
        if event.endswith("backend_compile_duration"):
            names.append(details.get("fun_name", ""))

    jax.monitoring.register_event_duration_secs_listener(listen)
    yield names
    jax.monitoring.unregister_event_duration_listener(listen)
