"""A kind of environment to start from: what `sources` asks of one, in as few lines as it takes.

It is a real one, of environments that say themselves what they look like: `picture(state)` returns
`uint8 (h, w, 3)`, and can be traced. It passes the suite. A new kind becomes a module of
`lerax_render.sources`, whose imports are relative then, and a name in `kinds._KINDS`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, override

import numpy as np

from lerax_render.paint2d import Fitter
from lerax_render.painter import Painter
from lerax_render.scene import Scene
from lerax_render.settings import Picture, PixelFormat
from lerax_render.sources.base import CompiledSource


@dataclass(frozen=True)
class Pictured(CompiledSource):
    """An environment with a method `picture`."""

    @override
    def scene(self, env: Any) -> Scene:
        return PicturedScene()

    @override
    def capture(self, env: Any, state: Any) -> Any:
        return env.picture(state)


@dataclass(frozen=True)
class PicturedScene(Scene):
    """Nothing but the captured pictures is needed to paint them."""

    @override
    def painter(
        self, picture: Picture, *, pixel_format: PixelFormat = "rgb24", workers: int = 1
    ) -> Painter:
        picture.check_not_mujoco("an environment with a picture()")
        return PicturedPainter(Fitter(*picture.size))


class PicturedPainter(Painter):
    """Scales pictures to the size of the frames."""

    def __init__(self, fitter: Fitter) -> None:
        self._fitter = fitter

    @override
    def paint(self, captured: np.ndarray) -> Iterator[np.ndarray]:
        for picture in captured:
            yield self._fitter.fit(picture)


def match(env: Any) -> Pictured | str:
    """Match environments that have a `picture`, or say what was looked for."""
    has_picture = callable(getattr(env, "picture", None))
    return Pictured() if has_picture else "a method picture(state)"
