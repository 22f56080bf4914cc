"""Anything else with a `default_renderer()` that gives pixels: painted by it, frame by frame."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, override

import numpy as np
from jax import random as jr

from ..acting import unstacked
from ..errors import named
from ..paint2d import Fitter, offscreen_display, pygame
from ..painter import Painter
from ..scene import Captured, Scene
from ..trees import row
from .base import CompiledSource, PixelScene

if TYPE_CHECKING:
    from ..acting import PyTree


@dataclass(frozen=True)
class Custom(CompiledSource):
    """An environment that brings a renderer of its own."""

    @override
    def scene(self, env: Any) -> Scene:
        return PixelScene(
            lambda width, height: _Painter(env, Fitter(width, height)),
            "an environment that draws with its own renderer",
        )

    @override
    def capture(self, env: Any, state: "PyTree") -> "PyTree":
        return state

    @override
    def on_host(self, env: Any, captured: "PyTree") -> Captured:
        return row(unstacked(captured))


class _Painter(Painter):
    """Draws with a new `default_renderer()`."""

    def __init__(self, env: Any, fitter: Fitter) -> None:
        self._env = env
        self._fitter = fitter
        with offscreen_display():
            self._renderer = env.default_renderer()
            _call(self._renderer, "open")
            # Each tile of a grid has a window of its own, which the last one opened is not.
            self._window = pygame.display.get_surface()

    @override
    def paint(self, captured: np.ndarray) -> Iterator[np.ndarray]:
        for state in captured:
            with offscreen_display(self._window), named(self._env, "render"):
                self._env.render(state, self._renderer)
                frame = self._renderer.as_array()
            yield self._fitter.fit(frame)

    @override
    def close(self) -> None:
        renderer, self._renderer = self._renderer, None
        if renderer is not None:
            with offscreen_display():
                _call(renderer, "close")


def _call(renderer: Any, method: str) -> None:
    """Call what Lerax's renderers have, and what of a user's own need only have `as_array`."""
    getattr(renderer, method, lambda: None)()


@contextmanager
def own_renderer(env: Any) -> Iterator[Any]:
    """Open an environment's `default_renderer()` off screen, and close it again."""
    with offscreen_display(), named(env, "default_renderer"):
        renderer = env.default_renderer()
        try:
            yield renderer
        finally:
            _call(renderer, "close")


def match(env: Any) -> Custom | str:
    """Match environments whose default renderer has `as_array`."""
    if not callable(getattr(env, "default_renderer", None)):
        return "a renderer of its own: there is no default_renderer()"
    try:
        with own_renderer(env) as renderer:
            pass
    except NotImplementedError as error:
        return f"a renderer of its own: default_renderer() raised NotImplementedError: {error}"
    if callable(getattr(renderer, "as_array", None)) and callable(getattr(env, "render", None)):
        return Custom()
    return f"a renderer that gives pixels: {type(renderer).__name__} has no as_array()"


def draws_itself(env: Any) -> bool:
    """Whether an environment draws its first state with its own renderer."""
    try:
        painter = _Painter(env, Fitter(64, 48))
        try:
            next(painter.paint(row([env.initial(key=jr.key(0))])))
        finally:
            painter.close()
    except Exception:
        return False
    return True
