"""`env.render` as a list of operations, for pictures of too many commands to compile.

What it computes is traced once and evaluated on the host, for all states of a part at a time.
"""

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, Self

import equinox as eqx
import jax
import numpy as np
from jax import numpy as jnp

from ..acting import evaluate, form_of
from ..paint2d import DrawList, TracingRenderer

if TYPE_CHECKING:
    from ..acting import PyTree

__all__ = ["Program"]


class Program:
    """What `env.render` draws, traced.

    Attributes:
        form: An empty draw list of what it draws.
        size: How many operations it takes.
    """

    def __init__(self, jaxpr: Any, form: DrawList, num_env_arrays: int, of: Hashable) -> None:
        self.form = form
        self.size = len(jaxpr.eqns)
        self._of = of
        self._jaxpr = jaxpr
        used = {id(atom) for each in jaxpr.eqns for atom in each.invars}
        used |= {id(atom) for atom in jaxpr.jaxpr.outvars}
        is_used = [id(variable) in used for variable in jaxpr.jaxpr.invars]
        self._of_env, self._of_state = is_used[:num_env_arrays], is_used[num_env_arrays:]

    @classmethod
    def traced(
        cls, draw: Callable[[Any, "PyTree"], TracingRenderer], env: Any, state: "PyTree"
    ) -> Self:
        """Trace `draw(env, state)`, which has `env.render` draw and returns what it drew with.

        Raises:
            Exception: Whatever needs concrete values.
        """
        arrays, static = zip(
            *(eqx.partition(each, eqx.is_array) for each in (env, state)), strict=True
        )
        form = DrawList(np.zeros(0, np.float32), (), False)

        def numbers(arrays: Any) -> list[jax.Array]:
            nonlocal form
            renderer = draw(*map(eqx.combine, arrays, static))
            form = DrawList(form.numbers, renderer.commands, renderer.cleared)
            return [jnp.asarray(number) for number in renderer.numbers]

        jaxpr = jax.make_jaxpr(numbers)(arrays)
        return cls(jaxpr, form, len(jax.tree.leaves(arrays[0])), form_of(state))

    def fits(self, state: "PyTree") -> bool:
        """Whether a state has the form of the one that this was traced with."""
        return self._of == form_of(state)

    def needed(self, state: "PyTree") -> tuple[jax.Array, ...]:
        """Return the arrays of a state that the picture depends on."""
        leaves = _used(state, self._of_state)
        # Something has to say how many states there are.
        return tuple(leaves) or (jnp.zeros(()),)

    def drawn(self, env: Any, needed: tuple[Any, ...]) -> DrawList:
        """Return what is drawn of `T` states, from what is needed of each."""
        size = len(needed[0])
        of_env, of_states = iter(_used(env, self._of_env)), iter(needed)
        nothing = np.zeros(())
        arguments = [next(of_env) if used else nothing for used in self._of_env]
        arguments += [next(of_states) if used else nothing for used in self._of_state]
        batched = [False] * len(self._of_env) + self._of_state
        found = evaluate(self._jaxpr, arguments, batched, size)
        numbers = [each.reshape(size, -1) for each in found] or [np.zeros((size, 0))]
        joined = np.concatenate(numbers, axis=1, dtype=np.float32)
        return DrawList(joined, self.form.commands, self.form.cleared)


def _used(tree: "PyTree", used: list[bool]) -> list[Any]:
    leaves = jax.tree.leaves(eqx.filter(tree, eqx.is_array))
    return [leaf for leaf, is_used in zip(leaves, used, strict=True) if is_used]
