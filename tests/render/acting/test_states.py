"""States that the user has: what is wrong with them is said in one line."""

from typing import Any

import equinox as eqx
import jax
import numpy as np
import pytest
from jax import numpy as jnp
from jax import random as jr
from lerax.env import AbstractEnvState

from lerax_render import capture, render
from support.environments import Counting, CountState, OwnLook


class FourState(AbstractEnvState):
    numbers: jax.Array


class Four(Counting):
    """Its state is four numbers."""

    def initial(self, *, key):
        return FourState(jr.uniform(key, (4,)))

    def render(self, state, renderer):
        renderer.clear()
        self.draw_square(state.numbers[0], renderer)
        renderer.draw()


class Plain(Four):
    """Its state is an array."""

    def initial(self, *, key):
        return jr.uniform(key, (4,))

    def render(self, state, renderer):
        renderer.clear()
        self.draw_square(state[0], renderer)
        renderer.draw()


class Pair(Four):
    """Its state is a tuple of arrays."""

    def initial(self, *, key):
        return jnp.zeros(4), jnp.ones(4)

    def render(self, state, renderer):
        renderer.clear()
        self.draw_square(state[0][0], renderer)
        renderer.draw()


@pytest.mark.parametrize("env", [Four(), Plain(), Pair()])
def test_one_state_is_not_as_many_as_it_has_numbers(env):
    one = env.initial(key=jr.key(0))
    with pytest.raises(
        ValueError,
        match=rf"^this is one state of {type(env).__name__}, .* A single state goes in a list$",
    ):
        render(env, one)
    assert capture(env, states=[one]).steps == 1
    four = jax.tree.map(lambda x: jnp.stack([x] * 4), one)
    assert capture(env, states=four).steps == 4


def count(value: Any, start: Any = 0.0) -> CountState:
    return CountState(jnp.asarray(value), jnp.asarray(start))


class NamedState(CountState):
    label: Any = eqx.field(static=True, default="a")


class LabelledState(CountState):
    label: Any = "a"


def named(kind: type[CountState], label: str) -> CountState:
    return kind(jnp.zeros((), int), jnp.zeros(()), label)  # type: ignore[call-arg]


@pytest.mark.parametrize("env", [Counting(), OwnLook()])
@pytest.mark.parametrize(
    ("states", "message"),
    [
        (
            [count(0), count(1), count([1, 2])],
            r"states\[2\].count is an array of shape \(2,\), and in states\[0\] it is .* \(\)",
        ),
        (
            [named(NamedState, "a"), named(NamedState, "b")],
            r"states\[1\] and states\[0\] have different structures: .* static fields",
        ),
        ([count(0), {"count": 1}], r"states\[1\] and states\[0\] have different structures"),
        (
            [named(LabelledState, "a"), named(LabelledState, "b")],
            r"states\[1\].label is 'b', and in states\[0\] it is 'a'",
        ),
        ([count(0)] * 70 + [count([1, 2])], r"states\[70\].count is an array"),
    ],
)
def test_states_of_different_forms_are_told_apart_in_one_line(env, states, message):
    with pytest.raises(ValueError, match=f"^{message}[^\n]*$"):
        list(render(env, iter(states), width=32, height=32))


def test_states_may_mix_what_numbers_are_kept_in():
    states = [count(0), CountState(np.int64(1), 0.5), CountState(2, np.float32(1))]  # type: ignore[arg-type]
    assert capture(Counting(), states=states).steps == 3
