"""Functions evaluated by NumPy for many states, next to the same ones under `jax.vmap`."""

import jax
import numpy as np
import pytest
from jax import lax
from jax import numpy as jnp
from jax import random as jr

from lerax_render.acting.evaluation import _OPERATIONS, evaluate

SIZE = 5
GRID = jnp.arange(12.0).reshape(3, 4)


def branches(x, i):
    return lax.cond(i > 0, lambda: jnp.sin(x), lambda: x * 2)


def loop(x, i):
    return lax.fori_loop(0, 3, lambda turn, y: y * 0.5 + turn, x)


def shaped(x, i):
    rows = jnp.stack([x, x[::-1], jnp.full(3, x[1])])
    return rows.at[1].set(x[0])[:, 1:], jnp.concatenate([rows.ravel(), jnp.zeros(2)])[1:9:2]


def compared(x, i):
    low, high = x < 0.3, x >= 0.1
    chosen = jnp.where(low & ~high | (x != x[1]) ^ (x <= 0), x, jnp.array([1.0, 2.0, 3.0]))
    return chosen, jnp.where(i > 0, x, -x), jnp.where(i == 1, 1.0, jnp.where(i > 1, 0.5, 0.0))


def computed(x, i):
    many = jnp.stack([jnp.tan(x), jnp.tanh(x), jnp.exp(x), jnp.log(x), jnp.sqrt(x), jnp.cos(x)])
    angle = jnp.arctan2(x[0], x[1])
    return (
        many,
        angle,
        jnp.sin(x),
        jnp.square(x),
        x**3,
        x / x[0],
        jnp.abs(x),
        jnp.floor(x),
        jnp.ceil(x),
        jnp.isfinite(many),
    )


def of_integers(x, i):
    return i // 2, i % 3, i / 2, -i, jnp.maximum(i, 1), jnp.minimum(i, 2), i * 100_000_000


def converted(x, i):
    return (x * 10).astype(jnp.int32), i.astype(float), x.astype(bool), (1e12 * x).astype(jnp.int32)


def indexed(x, i):
    return GRID[i, 2], GRID[1, i % 4], x[i % 3], GRID[2, 3], jax.nn.one_hot(i, 3)


def clipped(x, i):
    return jnp.clip(x, 0.1, 0.4), jnp.round(x * 3), lax.clamp(0.1, x, 0.4), jnp.sum(x), jnp.sort(x)


def constant(x, i):
    return jnp.arange(3), jnp.zeros((2, 2)), lax.stop_gradient(x), jax.nn.relu(x)


def random(x, i):
    return jr.uniform(jr.fold_in(jr.key(3), i), (2,)) + x[:2]


FUNCTIONS = [
    branches,
    loop,
    shaped,
    compared,
    computed,
    of_integers,
    converted,
    indexed,
    clipped,
    constant,
    random,
]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_it_is_what_vmap_computes(function):
    x = jr.uniform(jr.key(1), (SIZE, 3), minval=-0.5)
    i = jnp.arange(SIZE) - 1
    expected = jax.tree.leaves(jax.vmap(function)(x, i))
    found = evaluate(jax.make_jaxpr(function)(x[0], i[0]), [x, i], [True, True], SIZE)

    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected, strict=True):
        assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_what_is_the_same_for_all_states_is_given_once(function):
    x = jr.uniform(jr.key(2), (3,))
    i = jnp.arange(SIZE)
    expected = jax.tree.leaves(jax.vmap(function, in_axes=(None, 0))(x, i))
    found = evaluate(jax.make_jaxpr(function)(x, i[0]), [x, i], [False, True], SIZE)

    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_random_keys_of_states_stay_keys():
    keys = jr.split(jr.key(7), SIZE)
    (found,) = evaluate(jax.make_jaxpr(jr.uniform)(keys[0]), [keys], [True], SIZE)
    np.testing.assert_array_equal(found, jax.vmap(jr.uniform)(keys))


def test_each_operation_is_used_above():
    used: set[str] = set()

    def note(jaxpr):
        for equation in jaxpr.eqns:
            used.add(equation.primitive.name)
            for inner in equation.params.values():
                if hasattr(inner, "jaxpr"):
                    note(inner.jaxpr)

    for function in FUNCTIONS:
        note(jax.make_jaxpr(function)(jnp.ones(3), jnp.array(1)).jaxpr)
    assert set(_OPERATIONS) - used == set()
