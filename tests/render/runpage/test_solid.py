"""Recordings of MuJoCo models on a page of runs."""

import io

import mujoco
import numpy as np
import pytest
from PIL import Image
from selenium.webdriver import ActionChains
from selenium.webdriver.common.by import By

import lerax_render as lr
from lerax_render.cli import main
from lerax_render.runpage import PAGE
from lerax_render.runs import RunFolder
from support.run_folders import write_run
from support.run_pages import eventually, open_page, playheads, point_at

MODEL = """<mujoco model="drop"><worldbody>
  <light pos="0 0 3"/><geom type="plane" size="3 3 0.1" rgba="0.3 0.5 0.3 1"/>
  <body pos="0 0 1"><freejoint/><geom type="box" size=".2 .3 .1" rgba="0.8 0.2 0.1 1"/></body>
</worldbody></mujoco>"""
STEPS = 20


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two runs in which a box falls, in one of them far to the side."""
    folder = tmp_path_factory.mktemp("solid")
    model = mujoco.MjModel.from_xml_string(MODEL)
    for name, speed in (("one", 0.0), ("two", 4.0)):
        times = np.arange(STEPS) * 0.05
        qpos = np.zeros((STEPS, 7))
        qpos[:, 0], qpos[:, 2], qpos[:, 3] = speed * times, 1 - times / 2, 1
        replay = lr.capture(lr.Simulation(model, qpos=qpos, dt=0.05))
        run = write_run(folder / name, recordings=2, replays=False, env="Drop")
        for each in RunFolder(run).recordings():
            replay.save(each.files["replay"])
    main(["page", str(folder)])
    return folder


def frames(browser):
    return browser.find_elements(By.CSS_SELECTOR, ".pane:not([hidden]) iframe")


def shots(browser):
    found = []
    for frame in frames(browser):
        browser.switch_to.frame(frame)
        picture = browser.find_element(By.CSS_SELECTOR, "canvas[role]").screenshot_as_png
        found.append(np.asarray(Image.open(io.BytesIO(picture)).convert("RGB")).astype(float))
        browser.switch_to.default_content()
    return found


def test_a_still_a_player_and_two_of_them_that_look_from_the_same_side(browser, folder):
    open_page(browser, folder / PAGE)
    point_at(browser, 400, 40)
    still = """
        const image = document.querySelector("#tip img");
        if (!image?.complete) return null;
        const pen = Object.assign(document.createElement("canvas"), { width: 32, height: 24 });
        pen.getContext("2d").drawImage(image, 0, 0, 32, 24);
        return image.naturalWidth;
    """
    assert eventually(lambda: browser.execute_script(still)) == 320
    point_at(browser, 400, 40, click=True)
    end = f"step {STEPS - 1} of {STEPS - 1}"
    eventually(lambda: playheads(browser) == [end], seconds=20)
    (alone,) = shots(browser)
    assert alone.std() > 10
    browser.find_element(By.ID, "beside").click()
    eventually(lambda: playheads(browser) == [end] * 2, seconds=30)
    views = "return panes.map((pane) => pane.view)"
    eventually(lambda: len(set(browser.execute_script(views))) == 1)
    (view, _) = browser.execute_script(views)
    assert len(view.split(",")) == 7
    before = shots(browser)
    # Whoever turns one of them turns the other.
    browser.switch_to.frame(frames(browser)[1])
    picture = browser.find_element(By.CSS_SELECTOR, "canvas[role]")
    ActionChains(browser).drag_and_drop_by_offset(picture, 60, 20).perform()
    browser.switch_to.default_content()
    eventually(
        lambda: set(browser.execute_script(views)) - {view} == {browser.execute_script(views)[0]}
    )
    eventually(
        lambda: all(
            np.abs(one - other).mean() > 2
            for one, other in zip(before, shots(browser), strict=True)
        )
    )
