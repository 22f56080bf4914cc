"""One step of a training, as a user's own function is given it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, Self

import equinox as eqx
import jax
import jax.core
from jax import lax
from jax import numpy as jnp
from jax.custom_batching import custom_vmap
from lerax.callback import ResetContext, StepContext

from .contexts import single_numbers

_NEEDED = ("state", "action", "next_env_state", "reward", "transition_key")


@dataclass(frozen=True)
class Transition:
    """One step of one environment in a training. All of it is traced.

    Attributes:
        env: The environment.
        policy: The policy that acts.
        state: The environment's state before the step.
        action: What the environment was given: where its space is a `Box`, clipped to it.
        reward: The environment's own, a scalar.
        done: `bool`, whether the step has ended an episode.
    """

    env: Any
    policy: Any
    state: Any
    action: Any
    reward: jax.Array
    done: jax.Array
    _led_to: Callable[[], Any] = field(repr=False)

    @cached_property
    def next_state(self) -> Any:
        """The environment's state after the step, also where that has ended an episode.

        Raises:
            TypeError: The environment steps outside of the compiled training.
        """
        return self._led_to()

    @classmethod
    def of(cls, ctx: StepContext[Any]) -> Self:
        """Return the step that Lerax has just taken.

        Raises:
            TypeError: The algorithm is one whose steps have other variables than Lerax's.
        """
        names = ctx.locals
        missing = [name for name in _NEEDED if name not in names]
        if missing:
            raise TypeError(
                f"step_scalars needs an algorithm whose `step` has the variables "
                f"{', '.join(_NEEDED)}, as those of Lerax have; here, {', '.join(missing)} is "
                "missing"
            )
        done = jnp.asarray(ctx.done)
        state, action = names["state"].env_state, names["action"]
        # Algorithms that know discrete actions alone clip none.
        action = names.get("clipped_action", action)
        return cls(
            env=ctx.env,
            policy=ctx.policy,
            state=state,
            action=action,
            reward=jnp.asarray(names["reward"]),
            done=done,
            _led_to=lambda: _moved(
                ctx.env, state, action, names["transition_key"], done, names["next_env_state"]
            ),
        )

    @classmethod
    def for_its_form(cls, ctx: ResetContext) -> Self:
        """Return one with the shapes of a step, and no values to be looked at."""
        names = ctx.locals
        env, state = names["env"], names["env_state"]
        action, zero = env.action_space.canonical(), jnp.zeros(())
        return cls(env, names["policy"], state, action, zero, zero > 0, lambda: state)


def values_of(
    own: Callable[[Transition], Mapping[str, Any]], transition: Transition
) -> dict[str, jax.Array]:
    """Return a user's own values of a step by tag, `float32 ()`.

    Raises:
        TypeError: `own` returns something else than scalars by tag.
    """
    found = single_numbers("step_scalars", own(transition))
    return {tag: jnp.asarray(value, jnp.float32).reshape(()) for tag, value in found.items()}


def _moved(env: Any, state: Any, action: Any, key: jax.Array, done: jax.Array, after: Any) -> Any:
    """Return the state that a step has led to.

    Args:
        env: The environment.
        state: Before the step.
        action: The environment was given.
        key: It was given as well.
        done: Whether the step has ended an episode.
        after: The same state, or where the episode has ended, the first of the next one.
    """
    rest = []

    def move() -> Any:
        arrays, others = eqx.partition(env.transition(state, action, key=key), eqx.is_array)
        rest.append(others)
        return arrays

    program, shapes = jax.make_jaxpr(move, return_shape=True)()
    if program.effects:
        raise TypeError(
            f"step_scalars asks for `next_state`, and {type(env.unwrapped).__name__} does more in "
            "a step than to compute its next state (a simulation on the host, for example), so "
            "that it cannot be computed again; `state`, `action`, `reward` and `done` are there"
        )
    leaves = jax.tree.leaves(eqx.filter(after, eqx.is_array))
    found = _where(done, partial(jax.core.eval_jaxpr, program.jaxpr), leaves, program.consts)
    return eqx.combine(jax.tree.unflatten(jax.tree.structure(shapes), found), rest[0])


def _where(
    done: jax.Array, compute: Callable[[Any], Any], otherwise: list[Any], arguments: Any
) -> list[Any]:
    """Return what is computed of the arguments where it is done, and else what is there.

    Nothing is computed while none of the environments that `jax.vmap` maps over is done.
    """

    @custom_vmap
    def choose(done: jax.Array, otherwise: list[Any], arguments: Any) -> list[Any]:
        def chosen() -> list[Any]:
            return [
                jnp.where(done.reshape(done.shape + (1,) * (old.ndim - done.ndim)), new, old)
                for new, old in zip(compute(arguments), otherwise, strict=True)
            ]

        found: list[Any] = lax.cond(done.any(), chosen, lambda: otherwise)
        return found

    @choose.def_vmap
    def choose_for_all(
        size: int, is_mapped: Any, done: jax.Array, otherwise: list[Any], arguments: Any
    ) -> Any:
        def everywhere(x: Any, mapped: bool) -> Any:
            return x if mapped else jnp.broadcast_to(x, (size, *x.shape))

        done, otherwise = jax.tree.map(everywhere, (done, otherwise), tuple(is_mapped[:2]))
        axes = jax.tree.map(lambda mapped: 0 if mapped else None, is_mapped[2])
        for_all = jax.vmap(compute, in_axes=(axes,), axis_size=size)
        return _where(done, for_all, otherwise, arguments), [True] * len(otherwise)

    found: list[Any] = choose(done, otherwise, arguments)
    return found
