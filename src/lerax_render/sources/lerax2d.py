"""2D environments: `env.render` becomes draw commands, where it can within the compiled rollout.

Lerax calls `env.render` once a frame, with every primitive dispatched to the device by itself. Here
it is called once, while the rollout is traced, with a renderer that writes down what it is told;
the rollout then yields the numbers of all frames. What takes too many operations to be compiled in
a moment is evaluated on the host instead, operation by operation for many frames at once. A
`render` that needs concrete values (a Python `if`, text made of numbers, NumPy) is called with each
state, with the same recorder, and so gives the same commands.
"""

import logging
from collections.abc import Hashable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, override

import equinox as eqx
import jax
import numpy as np
from jax import numpy as jnp
from jax import random as jr
from lerax import render as lerax_renderers
from lerax.render import Abstract2DRenderer, PygameRenderer

from ..acting import form_of, unstacked
from ..errors import RenderError, UnsupportedEnvError, named
from ..paint2d import (
    DrawList,
    HeadlessPygameRenderer,
    Layout,
    Scene2D,
)
from ..scene import Captured, Scene
from ..trees import row
from .base import CompiledSource
from .custom import draws_itself, own_renderer
from .program import Program
from .users_code import DrawnWithinTrace, WatchfulRenderer

if TYPE_CHECKING:
    from ..acting import PyTree

_log = logging.getLogger(__name__)

# Only these renderers are replaced by ours. A user's own Abstract2DRenderer has a look of its own.
# Lerax 0.0.6 has a headless one, too, which draws as its other one does.
_STANDARD = (
    PygameRenderer,
    HeadlessPygameRenderer,
    getattr(lerax_renderers, "HeadlessPygameRenderer", PygameRenderer),
)

# More are evaluated on the host: the time that XLA takes to compile them grows faster than they do.
MOST_COMMANDS = 32
MOST_OPERATIONS = 400


@dataclass(frozen=True)
class Drawn(CompiledSource):
    """A 2D environment whose `render` can be traced.

    Attributes:
        layout: The world transform, size and background of the environment's default renderer.
        traced: What it draws, where that is known.
    """

    layout: Layout
    traced: Program | None = field(default=None, compare=False, kw_only=True)

    @override
    def scene(self, env: Any) -> Scene:
        return Scene2D(self.layout)

    @override
    def capture(self, env: Any, state: "PyTree") -> "PyTree":
        return draw_commands(env, state, self.layout)

    @override
    def leanest(self, env: Any) -> CompiledSource:
        program = self.traced
        if program is None:
            return self
        state = jax.tree.map(_as_array, env.initial(key=jr.key(0)))
        drawn = draw_commands(env, state, self.layout)
        needed = sum(leaf.nbytes for leaf in program.needed(state))
        if needed >= np.asarray(drawn.numbers).nbytes or not _agrees(program, env, state, drawn):
            return self
        return DrawnOnHost(self.layout, program)


@dataclass(frozen=True)
class DrawnOnHost(Drawn):
    """A 2D environment whose `render` can be traced, and draws too much to be compiled.

    Attributes:
        program: What it draws.
    """

    program: Program

    @override
    def capture(self, env: Any, state: "PyTree") -> "PyTree":
        # A state of the user's own may have another text in it, for example.
        return self.program.needed(state) if self.program.fits(state) else {"state": state}

    @override
    def on_host(self, env: Any, captured: "PyTree") -> Captured:
        if isinstance(captured, dict):
            return EagerlyDrawn(self.layout).on_host(env, captured["state"])
        return self.program.drawn(env, captured)


@dataclass(frozen=True)
class EagerlyDrawn(Drawn):
    """A 2D environment whose `render` needs concrete states: these are captured, and drawn then.

    Attributes:
        takes_numpy: Whether it draws the same of a state of NumPy's arrays, which are a hundred
            times as quick at things like `grid[i, j]`.
    """

    takes_numpy: bool = False

    @override
    def capture(self, env: Any, state: "PyTree") -> "PyTree":
        return state

    @override
    def on_host(self, env: Any, captured: "PyTree") -> Captured:
        forms: dict[Hashable, tuple[Any, ...]] = {}

        def drawn(state: Any) -> DrawList:
            frame = _drawn_of_numpy(env, state, self.layout) if self.takes_numpy else None
            if frame is None:
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
    try:
        with own_renderer(env) as renderer:
            layout = _layout_of(env, renderer)
    except NotImplementedError as error:
        return f"a default_renderer(): calling it raised NotImplementedError: {error}"
    if isinstance(layout, str):
        return layout
    try:
        return _source(env, layout)
    except DrawnWithinTrace:
        raise
    except RenderError as error:
        # It may ask of its own renderer what ours does not have. Of two errors, ours comes first.
        if not draws_itself(env):
            raise
        return f"draw commands: {error}"
    except NotImplementedError as error:
        return f"draw commands: env.render raised NotImplementedError: {error}"


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
    return _recorder(env, state, layout).drawlist()


def _drawn_of_numpy(env: Any, state: "PyTree", layout: Layout) -> DrawList | None:
    """Return what is drawn of a state of NumPy's arrays, or `None` where that is not certain."""

    def plain(leaf: Any) -> Any:
        if not eqx.is_array(leaf) or jnp.issubdtype(leaf.dtype, jax.dtypes.extended):
            return leaf
        array = np.asarray(leaf).view()
        array.flags.writeable = False
        # A single number as a scalar, which JAX's arrays are written like.
        return array[()]

    try:
        # What NumPy only warns of is something else in JAX, 1 // 0 for example.
        with np.errstate(divide="raise", over="raise", invalid="raise"):
            return draw_commands(env, jax.tree.map(plain, state), layout)
    except Exception:
        return None


def _recorder(env: Any, state: "PyTree", layout: Layout) -> WatchfulRenderer:
    recorder = WatchfulRenderer(layout)
    env.render(state, recorder)
    return recorder


class _Alike:
    """An environment that equals those that differ from it in nothing but the values of arrays."""

    def __init__(self, env: Any) -> None:
        self.env = env
        self._key = form_of(env)
        hash(self._key)

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Alike) and self._key == other._key


def _source(env: Any, layout: Layout) -> Drawn:
    """Return how an environment is drawn; found out once for like environments.

    Raises:
        Exception: Whatever `env.render` raises on a concrete state.
    """
    try:
        alike = _Alike(env)
    except TypeError:
        return _found(env, layout)
    return _cached(alike, layout)


# Each entry keeps an environment alive: a program that makes new classes must not grow by them.
@lru_cache(maxsize=64)
def _cached(alike: _Alike, layout: Layout) -> Drawn:
    return _found(alike.env, layout)


def _found(env: Any, layout: Layout) -> Drawn:
    if _is_of_lerax(env):
        # Nothing is drawn to see whether it agrees: that takes as long as all the rest does.
        with suppress(Exception):
            return Drawn(layout, traced=_traced_alone(env, layout))
    with named(env, "initial"):
        state = jax.tree.map(_as_array, env.initial(key=jr.key(0)))
    with named(env, "render"):
        concrete = [draw_commands(env, state, layout) for _ in range(2)]
    try:
        program = Program.traced(partial(_recorder, layout=layout), env, state)
    except Exception as error:
        # Whatever stopped the trace: with concrete values it has just worked.
        reason = f"{type(error).__name__}: {str(error).partition('\n')[0]}"
    else:
        # A trace can also go through and mean something else: text with a tracer's name in it, or
        # a render that counts its calls.
        if all(_form(commands) == _form(program.form) for commands in concrete):
            if len(program.form.commands) <= MOST_COMMANDS and program.size <= MOST_OPERATIONS:
                return Drawn(layout, traced=program)
            if _agrees(program, env, state, concrete[0]):
                return DrawnOnHost(layout, program)
            reason = "traced, it draws something else"
        else:
            reason = "traced, it draws other commands or other text than with concrete values"
    _log.info(
        "%s.render cannot be compiled into the rollout and is called for each frame: %s",
        type(env.unwrapped).__name__,
        reason,
    )
    plain = _drawn_of_numpy(env, state, layout)
    return EagerlyDrawn(layout, plain is not None and _is_like(plain, concrete[0]))


def _is_of_lerax(env: Any) -> bool:
    """Whether nobody but Lerax's authors says what is drawn. A test draws all of them both ways."""
    return type(env).__module__.startswith("lerax.env.classic_control.")


def _traced_alone(env: Any, layout: Layout) -> Program:
    """Return what `env.render` draws of any state, without computing one."""

    def blank(leaf: Any) -> Any:
        return jnp.asarray(np.zeros(leaf.shape, leaf.dtype))

    state = jax.tree.map(blank, eqx.filter_eval_shape(env.initial, key=jr.key(0)))
    return Program.traced(partial(_recorder, layout=layout), env, state)


def _is_like(drawn: DrawList, expected: DrawList) -> bool:
    return _form(drawn) == _form(expected) and np.allclose(
        drawn.numbers, expected.numbers, 1e-3, 1e-3, equal_nan=True
    )


def _as_array(leaf: Any) -> Any:
    """Make arrays of numbers, as they are in a rollout."""
    return jnp.asarray(leaf) if eqx.is_array_like(leaf) and not eqx.is_array(leaf) else leaf


def _agrees(program: Program, env: Any, state: "PyTree", expected: DrawList) -> bool:
    """Whether a program draws of a state what was drawn of it."""
    needed = tuple(leaf[None] for leaf in program.needed(state))
    drawn = program.drawn(env, needed)
    return _is_like(DrawList(drawn.numbers[0], drawn.commands, drawn.cleared), expected)


def _form(drawlist: DrawList) -> Hashable:
    return drawlist.commands, drawlist.cleared
