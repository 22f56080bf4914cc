"""One browser that looks at the pages of replays."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver

from support.browser import chromium, prefer, resize
from support.pages import Opens, drawn


@pytest.fixture(scope="package")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    with chromium(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


@pytest.fixture
def opened(running: webdriver.Chrome, tmp_path: Path) -> Iterator[Opens]:
    """Open a page of that text at an address' fragment, and wait until it has drawn."""

    def look(page: str, fragment: str = "", *, size: tuple[int, int] = (640, 480)) -> Any:
        resize(running, *size)
        (tmp_path / "page.html").write_text(page)
        # Another document, or an address with another fragment only would not be loaded.
        running.get("about:blank")
        running.get(f"file://{tmp_path}/page.html{fragment}")
        drawn(running)
        return running

    prefer(running)
    # What the browser's own first page asks for is no page of ours.
    running.get("about:blank")
    running.get_log("browser")
    running.get_log("performance")
    yield look
    assert [entry for entry in running.get_log("browser") if entry["level"] == "SEVERE"] == []
