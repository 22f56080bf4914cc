"""2D environments: `env.render` becomes draw commands, where it can within the compiled rollout.

Lerax calls `env.render` once a frame, with every primitive dispatched to the device by itself. Here
it is called once, while the rollout is traced, with a renderer that writes down what it is told;
the rollout then yields the numbers of all frames. A `render` that needs concrete values (a Python
`if`, text made of numbers, NumPy) is called with each state instead, with the same recorder, and so
gives the same pixels.
"""

import logging
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import equinox as eqx
import jax
import numpy as np
from jax import numpy as jnp
from jax import random as jr
from lerax.render import Abstract2DRenderer, PygameRenderer

from ..acting import PyTree
from ..paint2d import (
    DrawList,
    DrawListPainter,
    HeadlessPygameRenderer,
    TracingRenderer,
    View,
    offscreen_display,
)
from .base import Painter, PixelFormat, Source, reject_camera

_log = logging.getLogger(__name__)

# Only these renderers are replaced by ours. A user's own Abstract2DRenderer has a look of its own.
_STANDARD = (PygameRenderer, HeadlessPygameRenderer)


@dataclass(frozen=True)
class Drawn(Source):
    """A 2D environment whose `render` can be traced.

    Attributes:
        view: The world transform, size and background of the environment's default renderer.
    """

    pixel_format: ClassVar[PixelFormat] = "bgr0"

    view: View

    def capture(self, env: Any, state: PyTree) -> DrawList:
        """Return the draw commands of `env.render`."""
        return draw_commands(env, state, self.view)

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
        """Return a painter that replays draw commands; `quality` makes no difference in 2D."""
        reject_camera(camera, "a 2D environment")
        return _Replay(DrawListPainter(self.view, width, height, pixel_format))


@dataclass(frozen=True)
class EagerlyDrawn(Drawn):
    """A 2D environment whose `render` needs concrete states."""

    def capture(self, env: Any, state: PyTree) -> PyTree:
        """Return the state: the commands are drawn from it on the host."""
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
        """Return a painter that calls `env.render` with each state."""
        reject_camera(camera, "a 2D environment")
        painter = DrawListPainter(self.view, width, height, pixel_format)
        return _Replay(painter, lambda state: draw_commands(env, state, self.view))


class _Replay(Painter):
    def __init__(
        self, painter: DrawListPainter, draw: Callable[[PyTree], DrawList] | None = None
    ) -> None:
        self._painter = painter
        self._draw = draw

    @property
    def incomplete(self) -> int:  # type: ignore[override]
        return self._painter.incomplete

    def paint(self, captured: PyTree) -> Iterator[np.ndarray]:
        if self._draw is None:
            yield from self._painter.paint(captured)
            return
        for state in unstacked(captured):
            commands = self._draw(state)
            yield from self._painter.paint(jax.tree.map(lambda x: np.asarray(x)[None], commands))


def match(env: Any) -> Source | str:
    """Match environments whose default renderer is Lerax's (or our) 2D pygame renderer."""
    try:
        with offscreen_display():
            renderer = env.default_renderer()
    except Exception as error:
        return f"a default_renderer(): calling it raised {type(error).__name__}: {error}"
    # As Lerax's VideoRenderer has.
    while isinstance(inner := getattr(renderer, "inner", None), Abstract2DRenderer):
        renderer = inner
    if not isinstance(renderer, Abstract2DRenderer) or type(renderer) not in _STANDARD:
        return f"a 2D pygame renderer: default_renderer() gave a {type(renderer).__name__}"
    view = View.of(renderer)
    try:
        traceable = _cached_traceable(env, view)
    except Exception as error:
        return (
            f"draw commands: env.render raised {type(error).__name__}: {error}, "
            "called with a renderer that has the methods of Abstract2DRenderer"
        )
    return Drawn(view) if traceable else EagerlyDrawn(view)


def draw_commands(env: Any, state: PyTree, view: View) -> DrawList:
    """Return what `env.render` draws of `state`, which may be traced."""
    recorder = TracingRenderer(view)
    env.render(state, recorder)
    return recorder.drawlist()


def unstacked(states: PyTree) -> Iterator[PyTree]:
    """Yield the states of a stacked pytree one by one, their arrays as JAX arrays."""
    arrays, static = eqx.partition(states, eqx.is_array)
    for t in range(len(jax.tree.leaves(arrays)[0])):
        yield eqx.combine(jax.tree.map(lambda x, t=t: jnp.asarray(x[t]), arrays), static)


_verdicts: dict[Hashable, bool] = {}


def _cached_traceable(env: Any, view: View) -> bool:
    """`_traceable`, asked once for environments that differ in nothing but the values of arrays."""
    arrays, static = eqx.partition(env, eqx.is_array)
    leaves, structure = jax.tree.flatten(static)
    try:
        key = (structure, tuple(leaves), jax.tree.structure(arrays), view)
        hash(key)
    except TypeError:
        return _traceable(env, view)
    if key not in _verdicts:
        _verdicts[key] = _traceable(env, view)
    return _verdicts[key]


def _traceable(env: Any, view: View) -> bool:
    """Whether tracing `env.render` tells all there is to tell.

    Raises:
        Exception: Whatever `env.render` raises on a concrete state.
    """
    state = env.initial(key=jr.key(0))
    concrete = [draw_commands(env, state, view) for _ in range(2)]
    try:
        traced = eqx.filter_eval_shape(draw_commands, env, state, view)
    except Exception as error:
        # Whatever stopped the trace: with concrete values it has just worked.
        reason = f"{type(error).__name__}: {str(error).partition('\n')[0]}"
    else:
        # A trace can also go through and mean something else: text with a tracer's name in it, or
        # a render that counts its calls.
        if all(_layout(commands) == _layout(traced) for commands in concrete):
            return True
        reason = "traced, it draws other commands or other text than with concrete values"
    _log.info(
        "%s.render cannot be compiled into the rollout and is called for each frame: %s",
        type(env.unwrapped).__name__,
        reason,
    )
    return False


def _layout(drawlist: DrawList) -> Hashable:
    return drawlist.commands, drawlist.cleared
