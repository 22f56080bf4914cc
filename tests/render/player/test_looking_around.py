"""The page of a model: cameras, turning, several in one scene, and a lost context."""

import io
import re
import time

import mujoco
import numpy as np
import pytest
from PIL import Image
from selenium import webdriver
from selenium.webdriver.common.by import By

import lerax_render as lr
from lerax_render.player import make_page
from lerax_render.settings import Picture
from support.pages import Opens, drawn, picture

MODEL = """<mujoco model="drop"><worldbody>
  <light pos="0 0 3"/><geom type="plane" size="3 3 0.1" rgba="0.3 0.5 0.3 1"/>
  <camera name="side" pos="0 -3 1" xyaxes="1 0 0 0 0 1"/>
  <camera name="top" pos="0 0 4" xyaxes="1 0 0 0 1 0"/>
  <body pos="0 0 1"><freejoint/><geom type="box" size=".2 .3 .1" rgba="0.8 0.2 0.1 1"/></body>
</worldbody></mujoco>"""
PICTURE = Picture(camera="side")


@pytest.fixture(scope="module")
def replays() -> list[lr.Replay]:
    """A box that falls, and the same model, compiled again, in which it does so otherwise."""
    fall = []
    for speed in (0.0, 0.6):
        times = np.arange(20) * 0.02
        qpos = np.zeros((20, 7))
        qpos[:, 0], qpos[:, 2], qpos[:, 3] = speed * times, 1 - times, 1
        model = mujoco.MjModel.from_xml_string(MODEL)
        fall.append(lr.capture(lr.Simulation(model, qpos=qpos, dt=0.02)))
    return fall


def press(browser: webdriver.Chrome, keys: str) -> None:
    browser.find_element(By.TAG_NAME, "body").send_keys(keys)
    time.sleep(0.1)
    drawn(browser)


def shots(browser: webdriver.Chrome) -> list[np.ndarray]:
    """What each canvas shows, uint8 (height, width, 3)."""
    pictures = browser.find_elements(By.CSS_SELECTOR, "canvas[role]")
    shown = [Image.open(io.BytesIO(each.screenshot_as_png)) for each in pictures]
    return [np.asarray(each.convert("RGB")) for each in shown]


def alike(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two pictures show the same; edges may be a part of a pixel apart."""
    assert one.std() > 5
    return bool(np.abs(one.astype(float) - other).mean() < 1)


def address(browser: webdriver.Chrome) -> str:
    time.sleep(0.6)
    return str(browser.execute_script("return location.hash"))


def test_cameras_have_keys_a_menu_and_a_name_in_the_address(
    opened: Opens, replays: list[lr.Replay]
) -> None:
    page = make_page(replays[:1], PICTURE)
    browser = opened(page)
    (own,) = shots(browser)
    press(browser, "2")
    (top,) = shots(browser)
    assert not alike(top, own)
    assert address(browser) == "#step=0&camera=top"
    menu = browser.find_element(By.ID, "camera")
    assert menu.get_attribute("value") == "top"
    press(browser, "0")
    assert alike(shots(browser)[0], own)
    assert address(browser) == "#step=0"
    assert alike(shots(opened(page, "#camera=top"))[0], top)


def test_turning_one_picture_turns_all_and_reset_turns_them_back(
    opened: Opens, replays: list[lr.Replay]
) -> None:
    browser = opened(make_page([replays[0]] * 2, PICTURE), size=(900, 600))
    own = shots(browser)
    assert alike(*own)
    canvas = browser.find_element(By.CSS_SELECTOR, "canvas[role]")
    webdriver.ActionChains(browser).drag_and_drop_by_offset(canvas, 60, 20).perform()
    drawn(browser)
    turned = shots(browser)
    assert alike(*turned)
    assert not alike(turned[0], own[0])
    said = address(browser)
    assert re.fullmatch(r"#step=0&camera=[-0-9.]+(,[-0-9.]+){5,}", said)
    assert browser.find_element(By.ID, "camera").get_attribute("value") == "free"
    press(browser, "r")
    assert alike(shots(browser)[1], own[1])


def test_models_that_are_the_same_can_be_ghosts_in_one_scene(
    opened: Opens, replays: list[lr.Replay]
) -> None:
    browser = opened(make_page(replays, PICTURE, labels=["a", "b"]), "#step=19", size=(900, 600))
    assert len(shots(browser)) == 2
    press(browser, "g")
    assert len(shots(browser)) == 1
    assert address(browser) == "#step=19&ghosts=on"
    press(browser, "g")
    assert len(shots(browser)) == 2
    browser = opened(make_page(replays[:1], PICTURE), "#step=19&ui=off")
    alone = picture(browser)
    browser = opened(make_page(replays, PICTURE), "#step=19&ui=off&ghosts=on")
    differs = (picture(browser) != alone).any(axis=2)
    # The ghost is there, beside the first, which has not moved.
    assert 0.005 < differs.mean() < 0.3


def test_a_lost_context_leaves_a_still_picture_and_a_sentence(
    opened: Opens, replays: list[lr.Replay]
) -> None:
    browser = opened(make_page(replays[:1], PICTURE))
    browser.execute_script(
        "document.querySelector('canvas[role]').getContext('webgl2')"
        ".getExtension('WEBGL_lose_context').loseContext()"
    )
    time.sleep(0.3)
    words = browser.find_element(By.CSS_SELECTOR, ".screen").text
    assert words == "The picture cannot move here: its graphics context was lost."
