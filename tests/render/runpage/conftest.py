"""One browser that looks at pages of runs."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver

from support.browser import chromium, prefer, resize


@pytest.fixture(scope="package")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    with chromium(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture
def browser(session: webdriver.Chrome) -> Iterator[webdriver.Chrome]:
    prefer(session, prefers_color_scheme="light")
    resize(session, 1200, 900)
    session.get("about:blank")
    session.get_log("browser")
    session.get_log("performance")
    yield session
    severe = [entry for entry in session.get_log("browser") if entry["level"] == "SEVERE"]
    assert severe == []


@pytest.fixture(scope="package")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three runs with a page of all and one of each; tests must not change them."""
    from lerax_render.cli import main
    from support.run_folders import write_run

    folder = tmp_path_factory.mktemp("logs")
    text = "</script><img src=x onerror=bad()>"
    hparams = {"learning_rate": 0.001, "gamma": 0.99, "large": 2**63 + 1, "text": text}
    write_run(folder / "one", hparams=hparams, total_timesteps=400, started="2026-02-20T12:00:00Z")
    write_run(folder / "two", slope=2.0, hparams=hparams | {"learning_rate": 0.01})
    write_run(folder / "a #1 <i>&%", slope=0.5, outcome="running")
    main(["page", str(folder)])
    for run in ("one", "two"):
        main(["page", str(folder / run)])
    return folder
