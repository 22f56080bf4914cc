"""What a chart shows of curves that are no usual ones."""

import json
import math

import pytest
from selenium.webdriver import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

from lerax_render.cli import main
from lerax_render.runpage import PAGE
from support.browser import resize
from support.run_folders import write_run
from support.run_pages import canvas, curves, eventually, open_page, text

DOTS = "return charts.get(arguments[0]).dots.map((dot) => [dot.run.name, dot.recording.step])"
INK = """
    const chart = charts.get(arguments[0]);
    const [x, y] = [chart.x(arguments[1]), chart.y(arguments[2])].map(Math.round);
    return [...chart.canvas.getContext("2d").getImageData(x, y, 1, 1).data];
"""
TICKS = "return marks(...arguments).map(([, text]) => text)"


def log(run, tag, points):
    with (run / "metrics.jsonl").open("a") as file:
        for step, value in points:
            file.write(json.dumps({"step": step, "time": 1.0, tag: value}) + "\n")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A quick and a slow run, with a loss over decades that is no number in the end."""
    folder = tmp_path_factory.mktemp("odd")
    long = "a_name_that_is_as_long_as_those_are_in_which_everything_is_written_lr_0.0003_clip_0.2"
    for name, seconds in (("quick", 1.0), (long, 3.0)):
        failed = "failed: FloatingPointError: invalid value encountered in add, somewhere deep down"
        run = write_run(folder / name, outcome="finished" if name == "quick" else failed)
        steps = [10 * (i + 1) for i in range(40)]
        log(run, "time/elapsed", [(step, seconds * step) for step in steps])
        losses = [(s, 10.0 ** (3 - s / 100) if s <= 200 else "NaN") for s in steps]
        log(run, "train/loss", losses)
        log(run, "eval/score", [(0, 1.0), (200, 2.0)])
        log(run, "eval/once", [(200, 3.0)])
        log(run, "eval/late", [(200, 3.0), (400, 4.0)])
        log(run, "eval/gap", [(0, 1.0), (400, 4.0)])
    main(["page", str(folder)])
    return folder


def switch(browser, tag, name):
    figure = browser.execute_script("return charts.get(arguments[0]).figure", tag)
    browser.execute_script("arguments[0].scrollIntoView()", figure)
    figure.find_element(By.CSS_SELECTOR, f".switch[aria-label^='{name}']").click()


def test_a_logarithmic_axis_shows_decades(browser, folder):
    open_page(browser, folder / PAGE)
    switch(browser, "train/loss", "Logarithmic")
    places = browser.execute_script(
        "const { y } = charts.get('train/loss'); return [10, 100, 1000].map((v) => y(v))"
    )
    assert places[0] - places[1] == pytest.approx(places[1] - places[2])
    assert browser.execute_script(INK, "train/loss", 100, 100.0)[3] > 0
    assert browser.execute_script(TICKS, 0, 3, 4, {"log": True}) == ["1", "10", "100", "1k"]
    close = browser.execute_script(TICKS, math.log10(149.9), math.log10(152.1), 3, {"log": True})
    assert close == ["150", "151", "152"]


def test_ticks_can_be_told_from_each_other(browser, folder):
    open_page(browser, folder / PAGE)
    ticks = lambda *given: browser.execute_script(TICKS, *given)  # noqa: E731
    assert ticks(0, 1_500_000, 3, {}) == ["0", "500k", "1M", "1.5M"]
    assert ticks(12_000.001, 12_000.004, 2, {}) == ["12.000002k", "12.000004k"]
    assert ticks(-1e-5, 0, 3, {}) == ["-1e-5", "-5e-6", "0"]
    assert ticks(0, 7000, 3, {"time": True}) == ["0 min", "50 min", "100 min"]


def test_an_axis_of_time_has_what_was_learned_by_then(browser, folder):
    open_page(browser, folder / PAGE)
    canvas(browser)
    Select(browser.find_element(By.ID, "axis")).select_by_value("time")
    ends = lambda: {name[:5]: steps[-1] for name, (steps, _) in curves(browser).items()}  # noqa: E731
    eventually(lambda: ends() == {"quick": 400, "a_nam": 1200})
    eventually(lambda: browser.execute_script("return view.reach") == 1200)
    # A recording is where its step is, and a click goes to the step of the run that is there.
    dots = (
        "const { dots, placeAt } = charts.get('episode/return');"
        "return dots.map(({ x }) => Math.round(placeAt(x)))"
    )
    # It is drawn in the browser's next frame.
    eventually(lambda: sorted(browser.execute_script(dots)) == [10, 30, 200, 400, 600, 1200])
    chart = canvas(browser)
    ActionChains(browser).move_to_element_with_offset(chart, 20, -60).perform()
    assert "of training" in text(browser, "#tip")
    chart.send_keys("+")
    low, high = browser.execute_script("return view.zoom")
    assert high - low == pytest.approx(600)
    Select(browser.find_element(By.ID, "axis")).select_by_value("step")
    assert browser.execute_script("return view.zoom") is None
    assert ends() == {"quick": 400, "a_nam": 400}


def test_the_time_of_a_run_that_was_gone_on_with_is_counted_on(browser, tmp_path):
    run = write_run(tmp_path / "run", recordings=0)
    seconds = [*range(1, 21), *range(2, 22)]
    log(run, "time/elapsed", [(10 * (i + 1), float(each)) for i, each in enumerate(seconds)])
    main(["page", str(run)])
    open_page(browser, run / PAGE)
    Select(browser.find_element(By.ID, "axis")).select_by_value("time")
    eventually(lambda: browser.execute_script("return view.reach") == 20 + 21)
    eventually(lambda: curves(browser)["run"][0][19:22] == [20, 22, 23])


def test_values_that_are_no_numbers_end_in_a_cross_and_one_value_is_a_point(browser, folder):
    open_page(browser, folder / PAGE)
    browser.find_element(By.CSS_SELECTOR, "#run-list input").click()
    browser.execute_script("charts.get('eval/once').figure.scrollIntoView()")
    eventually(lambda: curves(browser, "eval/once"))
    assert browser.execute_script(INK, "eval/once", 200, 3.0)[3] > 0
    browser.execute_script("charts.get('train/loss').figure.scrollIntoView()")
    eventually(lambda: curves(browser, "train/loss"))
    beside = """
        const chart = charts.get("train/loss");
        const [x, y] = [chart.x(200), chart.y(10)].map(Math.round);
        const pen = chart.canvas.getContext("2d");
        return [[3, 3], [3, -3]].map(([dx, dy]) => pen.getImageData(x + dx, y + dy, 1, 1).data[3]);
    """
    assert min(browser.execute_script(beside)) > 0
    value = browser.execute_script("return charts.get('train/loss').value.textContent")
    assert value == "not finite"


def test_recordings_are_dots_where_the_curve_is(browser, folder):
    open_page(browser, folder / PAGE)
    of = lambda tag: {step for _, step in browser.execute_script(DOTS, tag)}  # noqa: E731
    for tag, steps in {
        "episode/return": {0, 200, 400},
        "eval/score": {0, 200},
        "eval/once": {200},
        "eval/late": {200, 400},
        "eval/gap": {0, 400},
        "time/elapsed": set(),
    }.items():
        browser.execute_script("charts.get(arguments[0]).figure.scrollIntoView()", tag)
        eventually(lambda tag=tag: len(curves(browser, tag)) == 2)
        assert of(tag) == steps, tag


def test_a_run_that_failed_leaves_room_for_its_name(browser, folder):
    open_page(browser, folder / PAGE)
    names = browser.find_elements(By.CSS_SELECTOR, "#run-list .name")
    assert {each.text.split()[-1] for each in names} == {"failed", "quick"}
    assert min(each.size["width"] for each in names) > 150
    assert text(browser, "#about") == "1 finished · 1 failed"


def test_a_run_under_the_mouse_stands_out(browser, folder):
    open_page(browser, folder / PAGE)
    ActionChains(browser).move_to_element(
        browser.find_element(By.CSS_SELECTOR, "#run-list label")
    ).perform()
    assert browser.execute_script("return view.lit === view.runs[0]")
    ActionChains(browser).move_to_element(browser.find_element(By.TAG_NAME, "h1")).perform()
    assert browser.execute_script("return view.lit") is None


def test_a_chart_can_be_large(browser, folder):
    open_page(browser, folder / PAGE)
    before = canvas(browser).size
    switch(browser, "episode/return", "Large")
    eventually(lambda: canvas(browser).size["width"] > 1.8 * before["width"])
    assert canvas(browser).size["height"] > before["height"]
    resize(browser, 360, 700)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 360
    browser.find_element(By.TAG_NAME, "body").send_keys(Keys.HOME)
