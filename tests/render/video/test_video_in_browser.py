"""A notebook's output, in a real browser: what `Video` shows plays."""

import numpy as np
import pytest

import lerax_render as lr
from lerax_render.video import video
from support.browser import chromium

COLOURS = [(200, 30, 30), (30, 160, 30), (40, 60, 220)]


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("profile")) as driver:
        driver.set_script_timeout(20)
        yield driver


@pytest.fixture
def show(browser, tmp_path):
    """Put a clip below a notebook's cell, 600 pixels wide, and open it."""

    def show(clip):
        page = tmp_path / "notebook.html"
        page.write_text(
            f'<!doctype html><meta charset="utf-8"><div style="width: 600px">'
            f"{clip._repr_html_()}</div>"
        )
        browser.get(page.as_uri())

    return show


def make(format, width=320, height=240):
    """One second each of red, green and blue."""
    with lr.VideoWriter(None, 10, format=format) as writer:
        for colour in COLOURS:
            for _ in range(10):
                writer.write(np.broadcast_to(np.uint8(colour), (height, width, 3)))
    return writer.video


SHOWN = """
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 1;
    const context = canvas.getContext("2d");
    const shown = document.querySelector("video, img");
    context.drawImage(shown, 0, 0, 1, 1);
    return Array.from(context.getImageData(0, 0, 1, 1).data).slice(0, 3);
"""


@pytest.mark.parametrize("format", ["mp4", "webm"])
def test_a_video_plays_and_starts_again(browser, show, format):
    show(make(format))
    played = browser.execute_async_script("""
        const done = arguments[0], video = document.querySelector("video");
        const times = [];
        video.ontimeupdate = () => {
            times.push(video.currentTime);
            if (times.at(-1) < times.at(-2)) done([times, video.duration, video.error]);
        };
        video.playbackRate = 4;
        video.play().catch(error => done([[], 0, String(error)]));
    """)
    times, duration, error = played
    assert error is None
    assert duration == pytest.approx(3, abs=0.05)
    assert max(times) > 1.5
    box = browser.execute_script("""
        const video = document.querySelector("video");
        return [video.clientWidth, video.clientHeight, video.controls, video.loop];
    """)
    assert box == [320, 240, True, True]
    for number, colour in enumerate(COLOURS):
        pixel = browser.execute_async_script(
            """
            const done = arguments[1], video = document.querySelector("video");
            video.pause();
            video.onseeked = () => done((() => {"""
            + SHOWN
            + """})());
            video.currentTime = arguments[0];
            """,
            number + 0.55,
        )
        # Halved and rounded colour differences; a wrong matrix is off by more than 20.
        assert np.abs(np.subtract(pixel, colour)).max() <= 10, (colour, pixel)


@pytest.mark.parametrize("format", ["gif", "webp", "apng"])
def test_a_picture_shows_and_is_never_wider_than_the_cell(browser, show, format):
    show(make(format, 800, 400))
    size = browser.execute_async_script("""
        const done = arguments[0], image = document.querySelector("img");
        image.decode().then(
            () => done([image.clientWidth, image.clientHeight, image.naturalWidth]),
            error => done(String(error)));
    """)
    assert size == [600, 300, 800]
    first = browser.execute_script(SHOWN)
    assert min(np.abs(np.subtract(first, c)).max() for c in COLOURS) <= 6, first


def test_above_a_large_clip_there_is_a_note_instead_of_it(browser, show, monkeypatch, tmp_path):
    clip = make("mp4")
    monkeypatch.setattr(video, "LARGEST_SHOWN", clip.num_bytes - 1)
    show(clip)
    assert browser.execute_script("return document.querySelector('video')") is None
    assert "not shown in the notebook" in browser.execute_script("return document.body.innerText")
