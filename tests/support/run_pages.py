"""What tests do with a page of runs in a browser."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from selenium.webdriver import ActionChains
from selenium.webdriver.common.by import By

VALUES = """
    const chart = charts.get(arguments[0]);
    return chart.drawn?.map((line) => [line.run.name, line.steps, line.values]);
"""
PIXEL = """
    const [chart, step, value] = [charts.get(arguments[0]), arguments[1], arguments[2]];
    const [x, y] = [chart.x(step), chart.y(value)].map((at) => Math.round(at * devicePixelRatio));
    return [...chart.canvas.getContext("2d").getImageData(x, y, 1, 1).data];
"""

PLACE = """
    const { x, y, canvas } = charts.get("episode/return");
    return [x(arguments[0]) - canvas.clientWidth / 2, y(arguments[1]) - canvas.clientHeight / 2];
"""


def eventually(question: Callable[[], Any], seconds: float = 8.0) -> Any:
    end = time.monotonic() + seconds
    while not (answer := question()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)
    return answer


def open_page(browser: Any, page: Path, tag: str = "episode/return") -> None:
    browser.get(page.as_uri())
    ready = "return document.documentElement.dataset.ready === 'yes' && [...charts.keys()]"
    if tag in eventually(lambda: browser.execute_script(ready)):
        count = "return view.shown.length"
        eventually(lambda: len(curves(browser, tag)) == min(browser.execute_script(count), 100))


def curves(browser: Any, tag: str = "episode/return") -> dict[str, tuple[list[int], list[float]]]:
    return {
        name: (steps, values) for name, steps, values in browser.execute_script(VALUES, tag) or ()
    }


def point_at(browser: Any, step: float, value: float, *, click: bool = False) -> None:
    """Move the mouse to a value of `episode/return`, from the middle of its chart."""
    x, y = browser.execute_script(PLACE, step, value)
    actions = ActionChains(browser).move_to_element_with_offset(canvas(browser), round(x), round(y))
    (actions.click() if click else actions).perform()


def canvas(browser: Any) -> Any:
    return browser.execute_script("return charts.get('episode/return').canvas")


def text(browser: Any, selector: str) -> str:
    return str(browser.find_element(By.CSS_SELECTOR, selector).text)


def playheads(browser: Any) -> list[str]:
    found = []
    for frame in browser.find_elements(By.CSS_SELECTOR, ".pane:not([hidden]) iframe"):
        browser.switch_to.frame(frame)
        found.append(
            browser.execute_script("return document.querySelector('#step')?.textContent ?? ''")
        )
        browser.switch_to.default_content()
    return found
