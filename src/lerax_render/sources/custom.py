"""Anything else with a `default_renderer()` that gives pixels: painted by it, frame by frame."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..acting import PyTree
from ..paint2d import Fitter, offscreen_display
from .base import Painter, PixelFormat, Source, reject_camera
from .lerax2d import unstacked


@dataclass(frozen=True)
class OwnRenderer(Source):
    """An environment that brings a renderer of its own."""

    def capture(self, env: Any, state: PyTree) -> PyTree:
        """Return the state: the environment's own renderer draws it on the host."""
        return state

    def painter(
        self,
        env: Any,
        width: int,
        height: int,
        *,
        camera: Any | None,
        quality: str,
        pixel_format: PixelFormat,
        workers: int = 1,
    ) -> Painter:
        """Return a painter that draws with a new `default_renderer()`."""
        reject_camera(camera, "an environment that draws with its own renderer")
        return _OwnPainter(env, Fitter(width, height))


class _OwnPainter(Painter):
    def __init__(self, env: Any, fitter: Fitter) -> None:
        self._env = env
        self._fitter = fitter
        with offscreen_display():
            self._renderer = env.default_renderer()
            _call(self._renderer, "open")

    def paint(self, captured: PyTree) -> Iterator[np.ndarray]:
        for state in unstacked(captured):
            with offscreen_display():
                self._env.render(state, self._renderer)
                frame = self._renderer.as_array()
            yield self._fitter.fit(frame)

    def close(self) -> None:
        renderer, self._renderer = self._renderer, None
        if renderer is not None:
            with offscreen_display():
                _call(renderer, "close")


def _call(renderer: Any, method: str) -> None:
    """Call what Lerax's renderers have, and what of a user's own need only have `as_array`."""
    getattr(renderer, method, lambda: None)()


def match(env: Any) -> Source | str:
    """Match environments whose default renderer has `as_array`."""
    try:
        with offscreen_display():
            renderer = env.default_renderer()
    except Exception as error:
        return f"a renderer of its own: default_renderer() raised {type(error).__name__}: {error}"
    if callable(getattr(renderer, "as_array", None)) and callable(getattr(env, "render", None)):
        return OwnRenderer()
    return f"a renderer that gives pixels: {type(renderer).__name__} has no as_array()"
