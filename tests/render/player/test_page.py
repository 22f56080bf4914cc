"""What the page does in a real browser, and what it must not do."""

import base64
import html
import time
from pathlib import Path

import numpy as np
import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

import lerax_render as lr
from lerax_render import VideoWriter
from lerax_render.player import make_page
from lerax_render.replay import Replay
from lerax_render.settings import Picture
from lerax_render.sources.base import PixelScene
from support.browser import prefer, requested, resize
from support.pages import Opens, clip, drawn, picture

ATTACK = "<script>alert(1)</script><img src=x onerror=alert(2)>{{ data }}"
PICTURE = Picture()
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
    "gg=="
)


def press(browser: webdriver.Chrome, keys: str) -> int:
    """Press keys, and return which step is drawn then."""
    browser.find_element(By.TAG_NAME, "body").send_keys(keys)
    time.sleep(0.05)
    return drawn(browser)


def text(browser: webdriver.Chrome, selector: str) -> str:
    return browser.find_element(By.CSS_SELECTOR, selector).text


def fragment(browser: webdriver.Chrome) -> str:
    """What the address says once it is up to date."""
    time.sleep(0.6)
    return str(browser.execute_script("return location.hash"))


def test_texts_are_texts_and_nothing_is_fetched(opened: Opens) -> None:
    page = make_page([clip(), clip()], PICTURE, labels=[ATTACK, "b"], title=ATTACK)
    browser = opened(page, size=(1000, 700))
    assert browser.title == text(browser, "h1") == ATTACK
    assert text(browser, "figcaption") == ATTACK
    assert [a for a in requested(browser) if not a.startswith(("file:", "data:"))] == []
    assert "default-src 'none'" in page


def test_captions_are_there_for_their_steps(opened: Opens) -> None:
    captions = [(ATTACK, 0, 2), ("hold on", 1, None)]
    browser = opened(make_page([clip()], PICTURE, captions=captions))
    assert text(browser, "#caption") == ATTACK
    press(browser, Keys.ARROW_RIGHT)
    assert text(browser, "#caption") == f"{ATTACK}\nhold on"
    press(browser, Keys.ARROW_RIGHT)
    assert text(browser, "#caption") == "hold on"


def test_the_page_is_the_same_each_time() -> None:
    assert make_page([clip()], PICTURE) == make_page([clip()], PICTURE)


def test_keys_move_the_playhead(opened: Opens) -> None:
    browser = opened(make_page([clip()], PICTURE))
    assert press(browser, Keys.ARROW_RIGHT * 3) == 3
    assert press(browser, Keys.ARROW_LEFT) == 2
    assert press(browser, "]") == 20
    assert text(browser, "#episode") == "episode 2 of 2"
    assert press(browser, Keys.END) == 29
    assert text(browser, "#legend li") == "return 9\nreward 1"
    assert press(browser, Keys.HOME) == 0
    assert fragment(browser) == "#step=0"


@pytest.mark.parametrize("clicks", [1, 5])
def test_it_plays_in_real_time_and_stops_at_the_end(opened: Opens, clicks: int) -> None:
    browser = opened(make_page([clip()], PICTURE))
    play = "for (let i = 0; i < arguments[0]; i++) document.getElementById('play').click()"
    browser.execute_script(play, clicks)
    start = time.monotonic()
    assert browser.find_element(By.ID, "play").get_attribute("aria-label") == "Pause"
    while browser.find_element(By.ID, "play").get_attribute("aria-pressed") == "true":
        assert time.monotonic() - start < 30
        time.sleep(0.02)
    assert 2.4 < time.monotonic() - start < 6
    assert drawn(browser) == 29
    browser.find_element(By.TAG_NAME, "body").send_keys(">>l ")
    time.sleep(1.2)
    assert browser.find_element(By.ID, "play").get_attribute("aria-pressed") == "true"
    assert press(browser, " ") < 29


def test_the_address_names_the_moment(opened: Opens) -> None:
    browser = opened(make_page([clip()], PICTURE), "#step=12")
    assert drawn(browser) == 12
    browser.execute_script("location.hash = '#step=7&ui=off'")
    time.sleep(0.1)
    assert drawn(browser) == 7
    assert not browser.find_element(By.ID, "play").is_displayed()
    browser.execute_script("location.hash = '#step=nonsense&camera=<b>'")
    time.sleep(0.1)
    assert drawn(browser) == 0


def test_dragging_on_the_curve_seeks(opened: Opens) -> None:
    browser = opened(make_page([clip()], PICTURE))
    slider = browser.find_element(By.ID, "scrub")
    width = slider.size["width"]
    webdriver.ActionChains(browser).move_to_element_with_offset(
        slider, -width // 2 + 8, 0
    ).click_and_hold().move_by_offset(width // 2 - 8, 0).release().perform()
    assert drawn(browser) in (14, 15)
    said = slider.get_attribute("aria-valuetext")
    assert str(said).startswith(f"step {drawn(browser)} of 29, ")


def test_help_and_menu_open_and_close(opened: Opens) -> None:
    browser = opened(make_page([clip()], PICTURE), size=(390, 800))
    press(browser, "?")
    assert browser.find_element(By.ID, "help").is_displayed()
    browser.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert not browser.find_element(By.ID, "help").is_displayed()
    browser.find_element(By.ID, "options").click()
    box = browser.switch_to.active_element
    box.click()
    assert text(browser, ".overlay") == "step 0\ntime 0.00 s\nreward 0\nreturn 0"
    box.send_keys(Keys.ESCAPE)
    assert not browser.find_element(By.ID, "menu").is_displayed()
    overflow = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert browser.execute_script(overflow) == 0


def test_light_and_dark(opened: Opens) -> None:
    browser = opened(make_page([clip()], PICTURE))
    prefer(browser, prefers_color_scheme="dark")
    assert picture(browser)[-1, 0].max() < 60
    press(browser, "d")
    assert picture(browser)[-1, 0].min() > 200


def test_several_are_side_by_side_with_one_playhead(opened: Opens) -> None:
    pages = make_page([clip(), clip(12)], PICTURE, labels=["long", "short"])
    browser = opened(pages, "#step=25", size=(1200, 700))
    long, short = browser.find_elements(By.CSS_SELECTOR, ".screen")
    assert long.location["y"] == short.location["y"]
    assert long.size == short.size
    assert long.size["width"] > 500
    assert text(browser, "#legend") == "long\nreturn 5\nreward 1\nshort\nreturn 11\nreward 1"
    resize(browser, 390, 800)
    time.sleep(0.3)
    assert long.location["x"] == short.location["x"]


def test_without_a_script_there_is_a_picture_and_a_sentence(
    opened: Opens, running: webdriver.Chrome
) -> None:
    page = make_page([clip()], PICTURE, stills=[PNG])
    running.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        opened(page.replace("<html", '<html data-drawn="0"'))
        assert "scripts are off" in text(running, "main")
        assert running.find_element(By.CSS_SELECTOR, ".screen img").is_displayed()
        assert not running.find_element(By.ID, "play").is_displayed()
    finally:
        running.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_without_graphics_there_is_a_picture_and_a_sentence(
    opened: Opens, running: webdriver.Chrome
) -> None:
    source = "const own = HTMLCanvasElement.prototype.getContext;" + (
        "HTMLCanvasElement.prototype.getContext = function (...given) {"
        " return this.closest('.screen') || !this.isConnected ? null : own.apply(this, given); };"
    )
    script = running.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": source})
    try:
        browser = opened(make_page([clip()], PICTURE, stills=[PNG]))
        assert "cannot move here: this browser has no canvas" in text(browser, ".screen")
        assert browser.find_element(By.CSS_SELECTOR, ".screen img").is_displayed()
        assert press(browser, Keys.END) == 29
        assert text(browser, "#step") == "step 29 of 29"
    finally:
        running.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)


def test_it_works_in_a_notebooks_frame(opened: Opens, tmp_path: Path) -> None:
    inner = html.escape(make_page([clip()], PICTURE))
    outer = f'<html data-drawn="0"><iframe srcdoc="{inner}" width="600" height="500">'
    browser = opened(outer)
    browser.switch_to.frame(0)
    try:
        assert drawn(browser) == 0
        browser.find_element(By.ID, "forth").click()
        time.sleep(0.6)
        assert press(browser, Keys.ARROW_RIGHT) == 2
    finally:
        browser.switch_to.default_content()


def test_pixels_are_a_video_that_is_at_the_step_exactly(opened: Opens) -> None:
    steps = 60
    with VideoWriter(None, 30, format="mp4") as writer:
        for step in range(steps):
            writer.write(np.full((48, 64, 3), 8 + 4 * step, np.uint8))
    scene = PixelScene(lambda width, height: None, "an environment")  # type: ignore[arg-type, return-value]
    replay = Replay(scene, np.arange(steps), 1 / 30)
    page = make_page([replay], Picture(width=64, height=48), videos=[writer.video])
    for step in (0, 41, 40, 59):
        browser = opened(page, f"#step={step}&ui=off", size=(64, 48))
        assert abs(int(picture(browser)[24, 32, 0]) - (8 + 4 * step)) <= 2
    browser = opened(page, size=(640, 480))
    assert press(browser, Keys.ARROW_RIGHT * 5) == 5


def test_what_does_not_fit_together_is_refused() -> None:
    with pytest.raises(ValueError, match="one replay at least"):
        make_page([], PICTURE)
    with pytest.raises(ValueError, match="labels must be one for each of 1 replays, got 2"):
        make_page([clip()], PICTURE, labels=["a", "b"])
    pixels = lr.Replay(PixelScene(None, "x"), np.arange(3))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="needs an MP4"):
        make_page([pixels], PICTURE)
