"""A page of runs in a real browser, opened from the disk."""

import html
import json
import os
import re
import subprocess
import time

import pytest
from selenium.webdriver import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from lerax_render.cli import main
from lerax_render.runpage import PAGE, RUNS, RunData, add_run
from lerax_render.runpage.data import as_script
from lerax_render.runs import RUN, hold
from support.browser import requested, resize
from support.run_folders import add_line, write_run
from support.run_pages import (
    PIXEL,
    canvas,
    curves,
    eventually,
    open_page,
    playheads,
    point_at,
    text,
)
from support.small_disk import mounted


def test_it_opens_from_the_disk_with_the_right_curve_and_asks_for_nothing_else(browser, logs):
    open_page(browser, logs / "one" / PAGE)
    steps, values = curves(browser)["one"]
    assert steps == [10 * (i + 1) for i in range(40)]
    assert values == [i + 1 for i in range(40)]
    # It is seen: there is ink where the values are, and none beside them.
    red, _, blue, _ = browser.execute_script(PIXEL, "episode/return", 100, 10)
    assert red > blue + 60
    assert browser.execute_script(PIXEL, "episode/return", 100, 25)[3] == 0
    assert "finished" in text(browser, "#about")
    assert "400 of 400 steps" in text(browser, "#about")
    folder = (logs / "one").as_uri()
    urls = requested(browser)
    assert all(url.startswith((folder, "data:")) for url in urls), urls
    # Nothing that nobody looks at: one still, and no player.
    assert sum(".webp" in url for url in urls) == 1
    assert not any("step_" in url and ".html" in url for url in urls)


def test_texts_stay_texts(browser, logs):
    open_page(browser, logs / PAGE)
    assert "</script><img src=x onerror=bad()>" in text(browser, "#hparams")
    assert str(2**63 + 1) in text(browser, "#hparams")
    titles = [each.text for each in browser.find_elements(By.CSS_SELECTOR, ".chart h3")]
    assert titles == ["episode/return", "__proto__", "<b>"]
    assert curves(browser).keys() == {"one", "two", "a #1 <i>&%"}


def test_a_dot_shows_its_still_and_a_click_plays_it(browser, logs):
    open_page(browser, logs / "one" / PAGE)
    point_at(browser, 200, 20)
    tip = browser.find_element(By.ID, "tip")
    assert "step 200 · return 20" in tip.text
    still = "const i = document.querySelector('#tip img'); return i?.complete && i.naturalWidth"
    assert eventually(lambda: browser.execute_script(still)) == 320
    point_at(browser, 200, 20, click=True)
    assert "step 200 · return 20" in text(browser, ".moment-of option:checked")
    # It plays by itself, to its end.
    eventually(lambda: playheads(browser) == ["step 11 of 11"])
    browser.find_element(By.ID, "close").click()
    eventually(lambda: not browser.find_elements(By.TAG_NAME, "iframe"))


def test_the_slider_goes_through_the_training_with_the_keyboard(browser, logs):
    open_page(browser, logs / "one" / PAGE)
    slider = browser.find_element(By.ID, "moment")
    said = lambda: text(browser, "#stills")  # noqa: E731
    assert "step 400 · return 40" in said()
    slider.send_keys(Keys.ARROW_LEFT)
    assert "step 200 · return 20" in said()
    assert text(browser, "#moment-step") == "step 200 of 400"
    eventually(lambda: text(browser, ".chart output") == "20")
    slider.send_keys(Keys.ARROW_LEFT)
    assert "step 0 · return 0" in said()
    slider.send_keys(Keys.ENTER)
    assert "step 0" in text(browser, ".moment-of option:checked")


def test_zoom_and_smoothing(browser, logs):
    open_page(browser, logs / "one" / PAGE)
    chart = canvas(browser)
    width = chart.size["width"]
    actions = ActionChains(browser).move_to_element_with_offset(chart, -round(width / 4), 0)
    actions.click_and_hold().move_by_offset(round(width / 4), 0).release().perform()
    low, high = browser.execute_script("return view.zoom")
    assert 40 < low < 140 < high < 240
    ActionChains(browser).double_click(chart).perform()
    assert browser.execute_script("return view.zoom") is None
    browser.execute_script("setMoment(400)")
    chart.send_keys("+")
    assert browser.execute_script("return view.zoom") == [200, 400]
    chart.send_keys("0")
    browser.find_element(By.ID, "smoothing").send_keys(Keys.END)
    eventually(lambda: curves(browser)["one"][1][-1] < 30)


def test_several_runs_are_over_each_other_and_differences_are_marked(browser, logs):
    open_page(browser, logs / PAGE)
    found = curves(browser)
    assert (found["one"][1][-1], found["two"][1][-1]) == (40, 80)
    differs = [
        each.text for each in browser.find_elements(By.CSS_SELECTOR, "tr.differs:not(.fact) th")
    ]
    assert differs == ["learning_rate≠", "gamma≠", "large≠", "text≠"]
    for box in browser.find_elements(By.CSS_SELECTOR, "#run-list input"):
        if "a #1" in box.find_element(By.XPATH, "..").text:
            box.click()
            break
    eventually(lambda: curves(browser).keys() == {"one", "two"})
    browser.find_element(By.ID, "only-differences").click()
    rows = browser.find_elements(By.CSS_SELECTOR, "#hparams tbody tr:not([hidden]):not(.fact) th")
    assert [each.text for each in rows] == ["learning_rate≠"]


def test_two_runs_side_by_side_have_one_playhead(browser, logs):
    open_page(browser, logs / PAGE)
    browser.find_element(By.CSS_SELECTOR, "#stills .shot").click()
    eventually(lambda: len(playheads(browser)) == 1)
    browser.find_element(By.ID, "beside").click()
    names = [each.text for each in browser.find_elements(By.CSS_SELECTOR, ".run-of option:checked")]
    assert len(set(names)) == 2
    eventually(lambda: playheads(browser) == ["step 11 of 11"] * 2)
    frames = browser.find_elements(By.TAG_NAME, "iframe")
    for leader, step in [(0, 3), (1, 7)]:
        browser.switch_to.frame(frames[leader])
        slider = browser.find_element(By.ID, "scrub")
        slider.send_keys(Keys.HOME, *[Keys.ARROW_RIGHT] * step)
        browser.switch_to.default_content()
        eventually(lambda step=step: playheads(browser) == [f"step {step} of 11"] * 2)


def test_an_open_page_follows_its_training_and_keeps_what_was_chosen(browser, tmp_path):
    run = write_run(tmp_path / "run", recordings=0, outcome="running")
    main(["page", str(run)])
    data = RunData(run)
    data.read()
    data.write("running")
    open_page(browser, run / PAGE)
    assert "running" in text(browser, "#about")
    browser.execute_script("setMoment(100); zoomTo(50, 150)")
    for number in range(40, 60):
        add_line(run, 10 * (number + 1), number + 1)
    data = RunData(run)
    data.read()
    data.write("running")
    eventually(lambda: len(curves(browser)["run"][0]) == 60, seconds=15)
    assert browser.execute_script("return [view.zoom, momentStep()]") == [[50, 150], 100]
    data.write("finished")
    eventually(lambda: "finished" in text(browser, "#about"), seconds=15)


def test_a_run_that_was_killed_has_ended(browser, tmp_path):
    run = write_run(tmp_path / "run", recordings=0, outcome="running")
    main(["page", str(run)])
    open_page(browser, run / PAGE)
    assert "ended abruptly" in text(browser, "#about")
    # And so it is where nobody made the page anew, once it has been silent for long.
    file = run / "page/run.js"
    data = json.loads(json.loads(file.read_text()[len("received(") : -2]))
    data |= {"outcome": "running", "written": time.time() - 600}
    file.write_text(f"received({json.dumps(json.dumps(data))})\n")
    open_page(browser, run / PAGE)
    assert "ended abruptly" in text(browser, "#about")


def test_one_file_has_all_of_it(browser, logs, tmp_path):
    shared = tmp_path / "out" / "shared.html"
    shared.parent.mkdir()
    main(["page", str(logs / "one"), str(logs / "two"), "--share", str(shared)])
    open_page(browser, shared)
    assert curves(browser)["two"][1][-1] == 80
    still = "const i = document.querySelector('#stills img'); return i?.complete && i.naturalWidth"
    assert eventually(lambda: browser.execute_script(still)) == 320
    browser.find_element(By.CSS_SELECTOR, "#stills .shot").click()
    eventually(lambda: playheads(browser) == ["step 11 of 11"])
    urls = requested(browser)
    assert all(url.startswith((shared.as_uri(), "data:", "about:")) for url in urls), urls


def test_one_file_works_in_the_frame_of_others(browser, logs, tmp_path):
    # As W&B and Trackio show it: a document without an origin, and without storage.
    shared, around = tmp_path / "shared.html", tmp_path / "around.html"
    main(["page", str(logs / "one"), "--share", str(shared)])
    around.write_text(
        f'<iframe sandbox="allow-scripts" width=1000 height=800 '
        f'srcdoc="{html.escape(shared.read_text())}"></iframe>'
    )
    browser.get(around.as_uri())
    browser.switch_to.frame(browser.find_element(By.TAG_NAME, "iframe"))
    eventually(lambda: curves(browser).get("one", ([], []))[1][-1:] == [40])
    browser.find_element(By.CSS_SELECTOR, "#stills .shot").click()
    frame = eventually(lambda: browser.find_elements(By.CSS_SELECTOR, ".pane iframe"))[0]
    browser.switch_to.frame(frame)
    eventually(lambda: "step 11 of 11" in browser.find_element(By.ID, "step").text)


def test_a_page_of_a_folder_finds_the_runs_that_begin(browser, tmp_path):
    folder = tmp_path / "logs"
    write_run(folder / "first", recordings=0)
    main(["page", str(folder)])
    open_page(browser, folder / PAGE)
    assert text(browser, "#about") == "1 finished"
    browser.execute_script("zoomTo(50, 150)")
    new = write_run(folder / "new", recordings=0, outcome="running", slope=2.0)
    data = RunData(new)
    data.read()
    data.write("running")
    add_run(new)
    eventually(lambda: curves(browser).keys() == {"first", "new"}, seconds=15)
    assert text(browser, "#about") == "1 running · 1 finished"
    assert browser.execute_script("return view.zoom") == [50, 150]
    # Whoever opens it now sees both, too; of one that was removed nothing is seen.
    data.write("finished")
    open_page(browser, folder / PAGE)
    assert curves(browser).keys() == {"first", "new"}


def test_a_run_whose_data_are_still_being_copied_hides_no_other(browser, tmp_path):
    for name in "ab":
        write_run(tmp_path / "logs" / name, recordings=0)
    main(["page", str(tmp_path / "logs")])
    data = tmp_path / "logs/b/page/run.js"
    whole = data.read_text()
    data.write_text(whole[: len(whole) // 2])
    open_page(browser, tmp_path / "logs" / PAGE)
    assert curves(browser).keys() == {"a"}
    data.write_text(whole)
    eventually(lambda: curves(browser).keys() == {"a", "b"}, seconds=15)
    assert "SyntaxError" in browser.get_log("browser")[0]["message"]


def test_on_a_narrow_screen_nothing_is_cut_off(browser, logs):
    open_page(browser, logs / PAGE)
    resize(browser, 360, 700)
    wide = "return document.documentElement.scrollWidth"
    assert browser.execute_script(wide) <= 360


def test_links_out_of_a_run_are_neither_shared_nor_written_to(tmp_path, capsys):
    run, secret, shared = tmp_path / "run", tmp_path / "secret", tmp_path / "shared.html"
    write_run(run, recordings=1)
    main(["page", str(run)])
    secret.write_text("secret")
    link = run / "page" / "step_000000000.html"
    link.unlink()
    link.symlink_to(secret)
    with pytest.raises(SystemExit):
        main(["page", str(run), "--share", str(shared)])
    assert "leads out of the run's folder: remove it" in capsys.readouterr().err
    assert not shared.exists()
    (run / "page").rename(tmp_path / "elsewhere")
    (run / "page").symlink_to(tmp_path / "elsewhere")
    there = sorted((tmp_path / "elsewhere").iterdir())
    with pytest.raises(SystemExit):
        main(["page", str(run)])
    assert "leads out of the run's folder: remove it" in capsys.readouterr().err
    assert sorted((tmp_path / "elsewhere").iterdir()) == there


def test_a_page_of_one_file_leaves_the_runs_as_they_are(tmp_path, capsys):
    shared = tmp_path / "shared.html"
    with mounted(tmp_path) as disk:
        run, one = write_run(disk / "run", recordings=1), write_run(disk / "logs/one", recordings=1)
        main(["page", str(one)])
        there = sorted(disk.glob("**/*"))
        facts = json.loads((run / RUN).read_text())
        (run / RUN).write_text(json.dumps(facts | {"outcome": "running"}))
        held = hold(run)
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        capsys.readouterr()
        with pytest.raises(SystemExit):
            main(["page", str(run)])
        said = capsys.readouterr().err
        assert f"{run} cannot be written to, which a page needs: make a single file" in said
        assert "--share FILE.html" in said
        main(["page", str(run), str(disk / "logs"), "--share", str(shared)])
        os.close(held)
        assert "2 runs, 2 recordings to look at" in capsys.readouterr().out
        assert sorted(disk.glob("**/*")) == there
    page = shared.read_text()
    assert "<title>2 runs in disk</title>" in page
    # The lock of the training is seen through the links.
    outcomes = re.findall(r"outcome\W+(running|finished|killed)\W+written", page)
    assert outcomes == ["running", "finished"]


def test_a_list_of_runs_names_none_outside(tmp_path):
    folder = tmp_path / "logs"
    for run in (folder / "one", tmp_path / "other"):
        write_run(run, recordings=0)
    (folder / RUNS).write_text(as_script(["../other/", f"{tmp_path}/other/", "one/"]))
    main(["page", str(folder)])
    assert "other" not in (folder / RUNS).read_text()


@pytest.mark.parametrize("name", [PAGE, RUNS])
@pytest.mark.parametrize("folder", ["logs", "logs/run"])
def test_what_is_no_page_of_runs_is_left_alone(tmp_path, capsys, folder, name):
    write_run(tmp_path / "logs/run", recordings=0)
    mine = tmp_path / folder / name
    mine.write_text("mine")
    with pytest.raises(SystemExit):
        main(["page", str(tmp_path / folder)])
    assert "is no page of runs: move it away" in capsys.readouterr().err
    assert mine.read_text() == "mine"
    with pytest.raises(SystemExit):
        main(["page", str(tmp_path / "none")])
    assert "there is no folder" in capsys.readouterr().err
