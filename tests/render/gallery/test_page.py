"""The gallery's page: its text, and in a real browser what it does."""

import dataclasses
import functools
import http.server
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from selenium.webdriver import ActionChains
from selenium.webdriver.common.actions import interaction
from selenium.webdriver.common.actions.action_builder import ActionBuilder
from selenium.webdriver.common.actions.pointer_input import PointerInput
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from lerax_render import VideoWriter
from lerax_render.batch.jobs import make_still
from lerax_render.gallery.page import Tile, make_markdown, make_page
from support.browser import chromium, prefer, requested, resize

ATTACK = "<script>alert(1)</script>"
CAPTIONS = {
    "walk": f"A walker {ATTACK}",
    "swing": 'Swings & "turns" <img src=x onerror=alert(2)>',
    "maze": "A maze {{ script }}",
    "late": "The last of all",
}
TAGS = {"walk": ("mujoco",), "swing": ("mujoco", "<b>bold</b>"), "maze": ("2d",), "late": ()}
FORMATS = {"walk": "mp4", "swing": "webm", "maze": "gif", "late": "mp4"}


def tiles() -> list[Tile]:
    return [
        Tile(
            f"{name}.{format}",
            f"{name}.still.webp",
            format,
            64,
            48,
            CAPTIONS[name],
            f"{name} · 2 s",
            TAGS[name],
        )
        for name, format in FORMATS.items()
    ]


def test_texts_are_escaped_everywhere():
    page = make_page(f"T {ATTACK}", f"D {ATTACK}", tiles())

    assert page.count("<script>") == page.count("</script>") == 1
    assert "onerror=alert(2)>" not in page
    assert "<b>bold" not in page
    assert "A maze {{ script }}" in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 4


def test_the_page_is_the_same_each_time():
    assert make_page("T", "", tiles()) == make_page("T", "", tiles())


def test_markdown_shows_texts_as_they_are():
    text = make_markdown("A *title*", "", tiles())
    lines = text.splitlines()

    assert lines[0] == "# A \\*title\\*"
    assert lines[3] == "|---|---|---|"
    walk = "A walker &lt;script&gt;alert(1)&lt;/script&gt;"
    assert lines[2].startswith(f"| [![{walk}](walk.still.webp)](walk.mp4) | [![Swings &amp;")
    assert "| ![A maze \\{\\{ script \\}\\}](maze.gif) |" in lines[2]
    assert lines[4].startswith(f"| {walk} | Swings")
    assert lines[5] == "| [![The last of all](late.still.webp)](late.mp4) |  |  |"
    assert "<" not in text


@pytest.mark.parametrize("count", [0, 1, 2])
def test_markdown_of_few_clips(count):
    lines = make_markdown("T", "About", tiles()[:count]).splitlines()
    assert lines[:3] == ["# T", "", "About"]
    assert len(lines) == (3 if count == 0 else 7)
    if count:
        assert lines[5] == "|" + "---|" * count


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    for name, format in FORMATS.items():
        path = folder / f"{name}.{format}"
        with VideoWriter(path, 20) as writer:
            for t in range(40):
                frame = np.full((48, 64, 3), 230, np.uint8)
                frame[10:30, t : t + 20] = (200, 60, 20)
                writer.write(frame)
        (folder / f"{name}.still.webp").write_bytes(make_still(writer.video))
    (folder / "index.html").write_text(make_page(f"Title {ATTACK}", "About it", tiles()))
    return folder


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture
def page(session, folder):
    """The page as it is when it has just been loaded from disk, in light colours."""
    prefer(session, prefers_color_scheme="light")
    resize(session, 1100, 800)
    ActionChains(session).move_by_offset(0, 0).reset_actions()
    session.get("about:blank")
    requested(session)
    session.get_log("browser")
    session.get((folder / "index.html").as_uri())
    return session


def eventually(question, seconds: float = 5.0):
    """Ask until the answer is true, and return it."""
    end = time.monotonic() + seconds
    while not (answer := question()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)
    return answer


def tile(page, number: int):
    return page.find_elements(By.CSS_SELECTOR, ".tile")[number]


def visible(page) -> list[str]:
    found = page.find_elements(By.CSS_SELECTOR, ".tile:not([hidden]) .details")
    return [each.text.split()[0] for each in found]


def press(page, *keys) -> None:
    ActionChains(page).send_keys(*keys).perform()


def focus(page, selector: str) -> None:
    """Go there with the Tab key alone."""
    for _ in range(30):
        press(page, Keys.TAB)
        if page.execute_script("return document.activeElement.matches(arguments[0])", selector):
            return
    raise AssertionError(f"the Tab key does not lead to {selector}")


def large(page) -> str | None:
    """The file that the viewer shows."""
    return page.execute_script(
        "return document.querySelector('dialog .frame > *')?.src.split('/').at(-1)"
    )


def playing(page, number: int) -> float:
    """How far a tile's video has come, in seconds; 0 where there is none or it has paused."""
    return page.execute_script(
        "const v = document.querySelectorAll('.tile')[arguments[0]].querySelector('video');"
        "return v && !v.paused ? v.currentTime : 0",
        number,
    )


def test_it_loads_from_disk_and_asks_for_nothing_else(page, folder):
    eventually(
        lambda: page.execute_script(
            "return [...document.images].every((i) => i.complete && i.naturalWidth === 64)"
        )
    )
    assert visible(page) == ["walk", "swing", "maze", "late"]
    assert page.title == f"Title {ATTACK}"
    assert page.find_element(By.ID, "count").text == "4 clips"
    press(page, Keys.TAB)
    for _ in range(8):
        press(page, Keys.TAB)
    time.sleep(0.3)
    urls = requested(page)
    assert folder.joinpath("index.html").as_uri() in urls
    assert all(url.startswith((folder.as_uri(), "data:")) for url in urls), urls
    # No errors either: nothing missing, nothing that the page's own policy forbids.
    assert page.get_log("browser") == []


def test_texts_stay_texts(page):
    texts = [each.text for each in page.find_elements(By.CSS_SELECTOR, ".tile h2")]
    assert texts == list(CAPTIONS.values())
    assert page.execute_script("return document.scripts.length") == 1
    # An alert would make this raise.
    assert page.execute_script("return 1 + 1") == 2


def test_what_was_smuggled_in_would_not_run(page):
    page.execute_script(
        "const s = document.createElement('div');"
        "s.innerHTML = '<img src=x onerror=\"window.bad = 1\">';"
        "document.body.append(s);"
        "const t = document.createElement('script'); t.textContent = 'window.bad = 2';"
        "document.body.append(t);"
        "new Image().src = 'http://127.0.0.1:9/x.png'; fetch('http://127.0.0.1:9/').catch(() => 0)"
    )
    time.sleep(0.2)
    assert page.execute_script("return window.bad") is None
    assert any("Content Security Policy" in e["message"] for e in page.get_log("browser"))


@pytest.mark.parametrize("number", [0, 1])
def test_a_video_plays_while_the_pointer_is_on_it(page, number):
    assert not page.find_elements(By.TAG_NAME, "video")
    ActionChains(page).move_to_element(tile(page, number)).perform()
    first = eventually(lambda: playing(page, number))
    eventually(lambda: playing(page, number) > first)
    # It is seen, too: the square has left the place where the still has it.
    assert tile(page, number).find_element(By.CSS_SELECTOR, ".moving.ready")

    ActionChains(page).move_to_element(page.find_element(By.TAG_NAME, "h1")).perform()
    eventually(lambda: not playing(page, number))


def test_a_video_plays_while_the_keyboard_is_on_it(page):
    focus(page, ".shot")
    first = eventually(lambda: playing(page, 0))
    eventually(lambda: playing(page, 0) > first)
    press(page, Keys.TAB)
    eventually(lambda: playing(page, 1))
    assert not playing(page, 0)


def test_pictures_that_move_by_themselves_do_so_only_when_looked_at(page):
    assert not tile(page, 2).find_elements(By.CSS_SELECTOR, ".moving")
    ActionChains(page).move_to_element(tile(page, 2)).perform()
    image = eventually(lambda: tile(page, 2).find_elements(By.CSS_SELECTOR, "img.moving.ready"))
    assert image[0].get_attribute("src").endswith("maze.gif")
    ActionChains(page).move_to_element(page.find_element(By.TAG_NAME, "h1")).perform()
    eventually(lambda: not tile(page, 2).find_elements(By.CSS_SELECTOR, ".moving"))


def test_nothing_moves_by_itself_for_those_who_asked_for_less_motion(page):
    prefer(page, prefers_reduced_motion="reduce")
    ActionChains(page).move_to_element(tile(page, 0)).perform()
    focus(page, ".shot")
    time.sleep(0.4)
    assert not page.find_elements(By.CSS_SELECTOR, ".moving")
    press(page, Keys.ENTER)
    video = eventually(lambda: page.find_elements(By.CSS_SELECTOR, "dialog video"))[0]
    assert page.execute_script("return arguments[0].paused && arguments[0].controls", video)
    button = page.find_element(By.ID, "play")
    assert not button.is_displayed()

    # A picture has no controls: its still is shown until its button is pressed, and after.
    press(page, Keys.ARROW_LEFT, Keys.ARROW_LEFT)
    assert large(page) == "maze.still.webp"
    assert not any(url.endswith("maze.gif") for url in requested(page))
    focus(page, "#play")
    assert button.get_attribute("aria-pressed") == "false"
    press(page, Keys.SPACE)
    assert (large(page), button.get_attribute("aria-pressed")) == ("maze.gif", "true")
    press(page, Keys.SPACE)
    assert (large(page), button.get_attribute("aria-pressed")) == ("maze.still.webp", "false")
    # The button that had the focus goes; the arrow keys still lead on.
    press(page, Keys.ARROW_RIGHT)
    assert large(page) == "late.mp4"
    press(page, Keys.ARROW_LEFT)
    assert large(page) == "maze.still.webp"


def test_what_moves_stops_when_less_motion_is_asked_for(page):
    ActionChains(page).move_to_element(tile(page, 0)).perform()
    eventually(lambda: playing(page, 0))
    prefer(page, prefers_reduced_motion="reduce")
    eventually(lambda: not playing(page, 0))
    prefer(page)
    eventually(lambda: playing(page, 0))
    tile(page, 2).find_element(By.CSS_SELECTOR, ".shot").click()
    eventually(lambda: large(page) == "maze.gif")
    prefer(page, prefers_reduced_motion="reduce")
    eventually(lambda: large(page) == "maze.still.webp")
    prefer(page)
    press(page, Keys.ARROW_RIGHT)
    paused = "return document.querySelector('dialog video').paused"
    eventually(lambda: not page.execute_script(paused))
    prefer(page, prefers_reduced_motion="reduce")
    eventually(lambda: page.execute_script(paused))


def tap(page, element) -> None:
    finger = PointerInput(interaction.POINTER_TOUCH, "finger")
    actions = ActionBuilder(page, mouse=finger)
    actions.pointer_action.move_to(element).pointer_down().pointer_up()
    actions.perform()


@pytest.mark.parametrize("number", [0, 2])
def test_by_touch_a_clip_plays_when_it_is_tapped_and_only_then(page, number):
    page.execute_script("scrollTo(0, 40)")
    time.sleep(0.3)
    assert not page.find_elements(By.CSS_SELECTOR, ".moving")
    tap(page, tile(page, number).find_element(By.CSS_SELECTOR, ".shot"))
    eventually(lambda: large(page) == ("walk.mp4", None, "maze.gif")[number])
    tap(page, page.find_element(By.ID, "close"))
    eventually(lambda: not page.find_element(By.ID, "viewer").is_displayed())
    time.sleep(0.3)
    assert not page.find_elements(By.CSS_SELECTOR, ".playing")


@pytest.mark.parametrize(("width", "height"), [(375, 667), (320, 480), (1280, 800)])
def test_a_long_caption_is_read_to_its_end(page, folder, width, height):
    resize(page, width, height)
    long = dataclasses.replace(tiles()[0], caption="A walker that goes on and on, " * 60)
    path = folder / "long.html"
    path.write_text(make_page("Long", "", [long]))
    page.get(path.as_uri())
    tile(page, 0).find_element(By.CSS_SELECTOR, ".shot").click()
    place = """
        const dialog = document.querySelector("dialog").getBoundingClientRect();
        const part = document.querySelector(arguments[0]).getBoundingClientRect();
        return [part.top - dialog.top, dialog.bottom - part.bottom,
                part.left - dialog.left, dialog.right - part.right];
    """
    # All of the picture and of the buttons is there at first.
    assert min(page.execute_script(place, "dialog video")) >= 0
    assert min(page.execute_script(place, "#next")) >= 0
    # The buttons leave the text its room.
    assert page.find_element(By.ID, "viewer-caption").size["width"] > 200
    assert page.execute_script(place, "dialog .details")[1] < 0
    eventually(
        lambda: press(page, Keys.END) or page.execute_script(place, "dialog .details")[1] >= 0
    )
    eventually(
        lambda: press(page, Keys.HOME) or min(page.execute_script(place, "dialog video")) >= 0
    )


def test_the_focus_does_not_go_below_the_bar(page, folder):
    tags = tuple(f"a tag of some length, {n}" for n in range(18))
    path = folder / "tags.html"
    path.write_text(make_page("Tags", "", [dataclasses.replace(tiles()[3], tags=tags)] * 40))
    page.get(path.as_uri())
    page.execute_script("document.querySelector('.tile:last-child .shot').focus()")
    edges = """
        const box = (element) => element.getBoundingClientRect();
        const bar = box(document.querySelector(".bar"));
        return [box(document.activeElement).top - bar.bottom, bar.top, bar.height]
    """
    for _ in range(30):
        keys = ActionChains(page)
        keys.key_down(Keys.SHIFT).send_keys(Keys.TAB).key_up(Keys.SHIFT).perform()
        free, top, height = page.execute_script(edges)
        assert top == 0
        assert height > 100
        assert free >= 0


def test_pressed_tags_are_told_apart_in_forced_colours(page):
    prefer(page, forced_colors="active")
    chips = page.find_elements(By.CSS_SELECTOR, ".chips button")
    looks = "const s = getComputedStyle(arguments[0]); return [s.backgroundColor, s.color]"
    page.execute_script("arguments[0].click()", chips[0])
    pressed, other = (page.execute_script(looks, chip) for chip in chips[:2])
    assert pressed[0] != other[0]
    assert pressed[0] != pressed[1]


def test_search_with_the_keyboard(page):
    press(page, "/")
    press(page, "the LAST")
    assert visible(page) == ["late"]
    assert page.find_element(By.ID, "count").text == "1 of 4 clips"
    press(page, Keys.ESCAPE)
    assert len(visible(page)) == 4
    press(page, "mujoco turns")
    assert visible(page) == ["swing"]
    press(page, "!")
    assert visible(page) == []
    assert page.find_element(By.CSS_SELECTOR, ".nothing").is_displayed()
    focus(page, "#clear")
    press(page, Keys.ENTER)
    assert len(visible(page)) == 4
    assert page.switch_to.active_element.get_attribute("id") == "query"


def test_filter_by_tags_with_the_keyboard(page):
    focus(page, '.chips button[data-tag="mujoco"]')
    press(page, Keys.SPACE)
    assert visible(page) == ["walk", "swing"]
    chip = page.switch_to.active_element
    assert (chip.text, chip.get_attribute("aria-pressed")) == ("mujoco2", "true")
    focus(page, '.chips button[data-tag="<b>bold</b>"]')
    press(page, Keys.ENTER)
    assert visible(page) == ["swing"]
    press(page, Keys.ENTER)
    assert visible(page) == ["walk", "swing"]


def test_a_clip_is_shown_large_and_left_again(page):
    focus(page, ".shot")
    press(page, Keys.ENTER)
    dialog = page.find_element(By.ID, "viewer")
    assert dialog.is_displayed()
    assert dialog.find_element(By.TAG_NAME, "h2").text == CAPTIONS["walk"]
    time_of = "const v = document.querySelector('dialog video'); return v ? v.currentTime : 0"
    eventually(lambda: page.execute_script(time_of) > 0)
    assert not playing(page, 0)
    assert dialog.find_element(By.TAG_NAME, "video").size["width"] > 400

    press(page, Keys.ARROW_LEFT)
    assert dialog.find_element(By.TAG_NAME, "h2").text == CAPTIONS["late"]
    press(page, Keys.ARROW_LEFT)
    assert dialog.find_element(By.CSS_SELECTOR, "img").get_attribute("alt") == CAPTIONS["maze"]
    press(page, Keys.ESCAPE)
    assert not dialog.is_displayed()
    focused = page.switch_to.active_element
    assert focused.get_attribute("href").endswith("maze.gif")
    assert not dialog.find_elements(By.CSS_SELECTOR, "img, video")


def ground(page) -> list[int]:
    script = "return getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"
    return page.execute_script(script)[:3]


def test_light_and_dark(page):
    assert min(ground(page)) > 230
    prefer(page, prefers_color_scheme="dark")
    assert max(ground(page)) < 40
    page.find_element(By.ID, "theme").click()
    assert min(ground(page)) > 230
    page.refresh()
    assert min(ground(page)) > 230
    page.find_element(By.ID, "theme").click()
    prefer(page, prefers_color_scheme="light")
    assert max(ground(page)) < 40
    page.execute_script("localStorage.clear()")


@pytest.mark.parametrize(("width", "columns"), [(320, 1), (700, 2), (1100, 3), (1500, 4)])
def test_as_many_columns_as_fit(page, width, columns):
    resize(page, width, 800)
    lefts = {each.rect["x"] for each in page.find_elements(By.CSS_SELECTOR, ".tile")}
    assert len(lefts) == columns
    assert page.execute_script("return document.documentElement.scrollWidth") <= width


def test_stills_far_below_wait(page, folder):
    many = [tiles()[0]] * 200 + [tiles()[3]]
    path = folder / "many.html"
    path.write_text(make_page("Many", "", many))
    requested(page)
    page.get(path.as_uri())
    time.sleep(0.2)
    assert not any("late.still" in url for url in requested(page))
    page.execute_script("document.querySelector('.tile:last-child').scrollIntoView()")
    eventually(lambda: any("late.still" in url for url in requested(page)))


def test_it_is_the_same_from_a_server(page, folder):
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page.get(f"http://127.0.0.1:{server.server_port}/index.html")
        ActionChains(page).move_to_element(tile(page, 0)).perform()
        eventually(lambda: playing(page, 0))
        page.get("about:blank")
        server.shutdown()
    assert page.get_log("browser") == []


def test_without_its_script_it_is_a_page_of_links(page, folder):
    plain = folder / "plain.html"
    text = (folder / "index.html").read_text()
    plain.write_text(text[: text.index("<script>")] + "</body></html>")
    page.get(plain.as_uri())
    assert len(visible(page)) == 4
    assert not page.find_element(By.CSS_SELECTOR, ".bar").is_displayed()
    links = page.find_elements(By.CSS_SELECTOR, ".shot")
    assert [link.get_attribute("href").rpartition("/")[2] for link in links] == [
        "walk.mp4", "swing.webm", "maze.gif", "late.mp4"
    ]  # fmt: skip
