"""Replays that need nothing to be compiled, and what a browser shows of their pages."""

import base64
import io
import time
from collections.abc import Callable
from typing import Any

import equinox as eqx
import numpy as np
from jax import numpy as jnp
from lerax.render import Color
from PIL import Image
from selenium import webdriver

from lerax_render import Replay
from lerax_render.paint2d import DrawList, Layout, Scene2D, TracingRenderer
from lerax_render.trees import row

LAYOUT = Layout(800, 500, 100.0, (400.0, 250.0), background=(0.9, 0.95, 1.0))


def everything(step: int, *, cleared: bool = True) -> DrawList:
    """All that can be drawn, in a picture that differs from step to step."""
    renderer: Any = TracingRenderer(LAYOUT)
    if cleared:
        renderer.clear()
    by, black = step * 0.1, Color(0.0, 0.0, 0.0)
    renderer.draw_rect((-2, 1), 1.5 + by, 1, Color(0.8, 0.2, 0.2))
    renderer.draw_circle((0, 1), 0.5, Color(0.1, 0.5, 0.2))
    renderer.draw_circle((1, 1 + by), 0.02, black)
    renderer.draw_circle((3.5, -1), 2.0, Color(0.9, 0.8, 0.3))
    renderer.draw_circle((np.nan, 0), 2.0, black)
    renderer.draw_ellipse((2, 1), 1.4, 0.5, Color(0.2, 0.2, 0.7))
    renderer.draw_line((-3, 0), (3, 0.3 + by), black, 0.005)
    renderer.draw_line((-3, -0.5), (3, -0.2 - by), Color(0.4, 0.0, 0.4), 0.12)
    kite = np.array([(-3, -2), (-2, -1 + by), (-1, -2), (-2, -1.7)])
    renderer.draw_polygon(kite, Color(0.2, 0.6, 0.6))
    x = np.linspace(-3.9, 3.9, 200)
    renderer.draw_polyline(np.stack([x, np.sin(3 * x + by) * 0.4 - 1.5], 1), black)
    renderer.draw_polyline(np.array([(-3.8, -2.2), (-3.8, 2.2), (3.8, 2.2)]), black)
    renderer.draw_text((-3.5, 2), f"step {step}: Ångström", Color(0.1, 0.1, 0.5), 28)
    renderer.draw_text((0, 2), "two\nlines", black, 16)
    smaller = eqx.tree_at(lambda r: r.transform.scale, renderer, jnp.asarray(50.0))
    smaller.draw_rect((0, -3), 2, 1, Color(0.5, 0.5, 0.5))
    return renderer.drawlist()


def replay_of(drawn: list[DrawList], rewards: Any = None, starts: tuple[int, ...] = (0,)) -> Replay:
    """A replay of what was drawn, at a step each tenth of a second."""
    if rewards is None:
        return Replay(Scene2D(LAYOUT), row(drawn), 0.1)
    first = np.isin(np.arange(len(drawn)), starts)
    ends = np.roll(first, -1)
    rewards = np.asarray(rewards, np.float32)
    return Replay(Scene2D(LAYOUT), row(drawn), 0.1, rewards, ends, ends & False, first)


def clip(count: int = 30) -> Replay:
    """Two episodes of a square that moves, with rewards of 0, 1, 1, …"""

    def square(step: int) -> DrawList:
        renderer: Any = TracingRenderer(LAYOUT)
        renderer.clear()
        renderer.draw_rect((step * 0.2 - 3, 0), 1, 1, Color(0.8, 0.2, 0.2))
        return renderer.drawlist()

    starts = (0, 20)
    rewards = [float(step not in starts) for step in range(count)]
    return replay_of([square(step) for step in range(count)], rewards, starts)


type Opens = Callable[..., webdriver.Chrome]
"""Open a page of that text, at an address' fragment, in a window of some size."""


def drawn(browser: webdriver.Chrome) -> int:
    """Wait until a picture is drawn with all that it has, and return of which step."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        step = browser.execute_script("return document.documentElement.dataset.drawn")
        if step is not None:
            return int(step)
        time.sleep(0.02)
    raise TimeoutError("nothing was drawn")


def picture(browser: webdriver.Chrome) -> np.ndarray:
    """What the window shows, uint8 (height, width, 3)."""
    taken = browser.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})["data"]
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(taken))).convert("RGB"))
