"""A page of many runs loads what is looked at."""

import shutil

from lerax_render.runpage import PAGE, make_run_page, update
from lerax_render.runs import RunFolder, place_of
from support.browser import requested
from support.run_folders import write_run
from support.run_pages import curves, eventually, open_page

RUNS, RECORDINGS = 100, 20
SHOWN, STILLS = 10, 6
SEEN = "return [...charts.values()].filter((chart) => chart.seen).map((chart) => chart.tag)"


def test_a_hundred_runs_load_what_is_seen_of_ten(browser, tmp_path):
    first = write_run(tmp_path / "0", recordings=RECORDINGS, lines=200, replays=False)
    for step in RunFolder(first).files():
        for kind in ("player", "still"):
            file = place_of(first, kind, step)
            file.parent.mkdir(exist_ok=True)
            file.touch()
    update(first)
    runs = [tmp_path / str(number) for number in range(RUNS)]
    for run in runs[1:]:
        shutil.copytree(first, run)
        script = run / "page/run.js"
        script.write_text(script.read_text().replace('name\\":\\"0', f'name\\":\\"{run.name}', 1))
    make_run_page(runs, tmp_path / PAGE, grows=True)
    open_page(browser, tmp_path / PAGE)
    seen = browser.execute_script(SEEN)
    assert "episode/return" in seen
    assert "<b>" not in seen
    eventually(lambda: all(len(curves(browser, tag)) == SHOWN for tag in seen))
    loaded = [url.partition("?")[0].removeprefix(tmp_path.as_uri()) for url in requested(browser)]
    named = lambda *parts: [url for url in loaded if all(part in url for part in parts)]  # noqa: E731
    assert len(named("/page/run.js")) == RUNS
    assert len(named("/curve_")) == SHOWN * len(seen)
    assert len(named("/step_", ".webp")) == STILLS
    assert not named("/step_", ".html")
    # The page and the list of its runs.
    files = [url for url in loaded if url.startswith("/")]
    assert len(files) == RUNS + SHOWN * len(seen) + STILLS + 2
    # What was asked for once is not asked for again, until it has changed.
    browser.execute_script("redraw(); setMoment(500); zoomTo(100, 500)")
    browser.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")
    again = [url for url in requested(browser) if "/page/" in url and "step_" not in url]
    assert again == []
