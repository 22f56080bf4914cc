"""2D environments: `env.render` becomes draw commands, where it can within the compiled rollout.

Lerax calls `env.render` once a frame, with every primitive dispatched to the device by itself. Here
it is called once, while the rollout is traced, with a renderer that writes down what it is told;
the rollout then yields the numbers of all frames. A `render` that needs concrete values (a Python
`if`, text made of numbers, NumPy) is called with each state instead, with the same recorder, and so
gives the same commands.
"""

import logging
from collections.abc import Hashable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, override

import equinox as eqx
import jax
import numpy as np
from jax import random as jr
from lerax.render import Abstract2DRenderer, PygameRenderer

from ..acting import unstacked
from ..errors import RenderError, UnsupportedEnvError
from ..paint2d import (
    DrawList,
    HeadlessPygameRenderer,
    Layout,
    Scene2D,
    offscreen_display,
)
from ..replay import row
from ..scene import Captured, Scene
from .base import CompiledSource
from .custom import draws_itself
from .users_code import DrawnWithinTrace, WatchfulRenderer, named

if TYPE_CHECKING:
    from ..acting import PyTree

_log = logging.getLogger(__name__)

# Only these renderers are replaced by ours. A user's own Abstract2DRenderer has a look of its own.
_STANDARD = (PygameRenderer, HeadlessPygameRenderer)


@dataclass(frozen=True)
class Drawn(CompiledSource):
    """A 2D environment whose `render` can be traced.

    Attributes:
        layout: The world transform, size and background of the environment's default renderer.
    """

    layout: Layout

    @override
    def scene(self, env: Any) -> Scene:
        return Scene2D(self.layout)

    @override
    def capture(self, env: Any, state: "PyTree") -> "PyTree":
        return draw_commands(env, state, self.layout)


@dataclass(frozen=True)
class EagerlyDrawn(Drawn):
    """A 2D environment whose `render` needs concrete states: these are captured, and drawn then."""

    @override
    def capture(self, env: Any, state: "PyTree") -> "PyTree":
        return state

    @override
    def on_host(self, env: Any, captured: "PyTree") -> Captured:
        forms: dict[Hashable, tuple[Any, ...]] = {}

        def drawn(state: Any) -> DrawList:
            with named(env, "render"):
                frame = draw_commands(env, state, self.layout)
            # Of equal commands one copy is kept: they are most of what a frame takes.
            commands = forms.setdefault(frame.commands, frame.commands)
            return DrawList(np.asarray(frame.numbers, np.float32), commands, frame.cleared)

        return row(drawn(state) for state in unstacked(captured))


def match(env: Any) -> Drawn | str:
    """Match environments whose default renderer is Lerax's (or our) 2D pygame renderer."""
    if not callable(getattr(env, "default_renderer", None)):
        return f"a default_renderer(): a {type(env).__name__} has none"
    renderer: Any = None
    try:
        with offscreen_display(), named(env, "default_renderer"):
            try:
                renderer = env.default_renderer()
                layout = _layout_of(env, renderer)
            finally:
                getattr(renderer, "close", lambda: None)()
    except NotImplementedError as error:
        return f"a default_renderer(): calling it raised NotImplementedError: {error}"
    if isinstance(layout, str):
        return layout
    try:
        traceable = _is_traceable(env, layout)
    except DrawnWithinTrace:
        raise
    except RenderError as error:
        # It may ask of its own renderer what ours does not have. Of two errors, ours comes first.
        if not draws_itself(env):
            raise
        return f"draw commands: {error}"
    except NotImplementedError as error:
        return f"draw commands: env.render raised NotImplementedError: {error}"
    return Drawn(layout) if traceable else EagerlyDrawn(layout)


def _layout_of(env: Any, renderer: Any) -> Layout | str:
    """Return the layout of an environment's standard renderer, or what it is instead."""
    # As Lerax's VideoRenderer has.
    while isinstance(inner := getattr(renderer, "inner", None), Abstract2DRenderer):
        renderer = inner
    if not isinstance(renderer, Abstract2DRenderer) or type(renderer) not in _STANDARD:
        return f"a 2D pygame renderer: default_renderer() gave a {type(renderer).__name__}"
    try:
        return Layout.of(renderer)
    except (ValueError, TypeError) as error:
        raise UnsupportedEnvError(
            f"{type(env.unwrapped).__name__}.default_renderer gave a {type(renderer).__name__} "
            f"whose picture cannot be laid out: {error}"
        ) from error


def draw_commands(env: Any, state: "PyTree", layout: Layout) -> DrawList:
    """Return what `env.render` draws of `state`, which may be traced."""
    recorder = WatchfulRenderer(layout)
    env.render(state, recorder)
    return recorder.drawlist()


class _Alike:
    """An environment that equals those that differ from it in nothing but the values of arrays."""

    def __init__(self, env: Any) -> None:
        self.env = env
        arrays, static = eqx.partition(env, eqx.is_array)
        leaves, structure = jax.tree.flatten(static)
        self._key = (structure, tuple(leaves), jax.tree.structure(arrays))
        hash(self._key)

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Alike) and self._key == other._key


def _is_traceable(env: Any, layout: Layout) -> bool:
    """Whether tracing `env.render` tells all there is to tell; asked once for like environments.

    Raises:
        Exception: Whatever `env.render` raises on a concrete state.
    """
    try:
        alike = _Alike(env)
    except TypeError:
        return _traceable(env, layout)
    return _cached_traceable(alike, layout)


# Each entry keeps an environment alive: a program that makes new classes must not grow by them.
@lru_cache(maxsize=64)
def _cached_traceable(alike: _Alike, layout: Layout) -> bool:
    return _traceable(alike.env, layout)


def _traceable(env: Any, layout: Layout) -> bool:
    with named(env, "initial"):
        state = env.initial(key=jr.key(0))
    with named(env, "render"):
        concrete = [draw_commands(env, state, layout) for _ in range(2)]
    try:
        traced = eqx.filter_eval_shape(draw_commands, env, state, layout)
    except Exception as error:
        # Whatever stopped the trace: with concrete values it has just worked.
        reason = f"{type(error).__name__}: {str(error).partition('\n')[0]}"
    else:
        # A trace can also go through and mean something else: text with a tracer's name in it, or
        # a render that counts its calls.
        if all(_form(commands) == _form(traced) for commands in concrete):
            return True
        reason = "traced, it draws other commands or other text than with concrete values"
    _log.info(
        "%s.render cannot be compiled into the rollout and is called for each frame: %s",
        type(env.unwrapped).__name__,
        reason,
    )
    return False


def _form(drawlist: DrawList) -> Hashable:
    return drawlist.commands, drawlist.cleared
