from pathlib import Path

import equinox as eqx
import jax
import numpy as np
from jax import numpy as jnp

from lerax_log.traced.hparams import flattened, is_telling, ordered, plain, settings


class Inner(eqx.Module):
    depth: int
    kernel: jax.Array


class Outer(eqx.Module):
    gamma: float
    flag: bool
    text: str
    low: jax.Array
    limits: tuple
    inner: Inner
    _private: int
    function: object
    weights: jax.Array
    layers: list
    static_size: int = eqx.field(static=True)


def test_settings_are_numbers_texts_and_short_sequences_by_dotted_name():
    inner = Inner(3, jnp.zeros((2, 2)))
    outer = Outer(
        0.99, True, "adam", jnp.float32(0.02), (1, 2.5), inner, 1, max, jnp.zeros(100), [inner], 5
    )
    found = {name: plain(value) for name, value in settings(outer, "env")}
    assert found == {
        "env.gamma": 0.99,
        "env.flag": True,
        "env.text": "adam",
        "env.low": 0.02,
        "env.limits": "[1.0, 2.5]",
        "env.inner.depth": 3,
        "env.static_size": 5,
    }


class Noisy(eqx.Module):
    use_bias: bool
    stepsize_controller: Inner
    width_size: int


def test_what_nobody_compares_is_left_out():
    noisy = Noisy(True, Inner(3, jnp.zeros((2, 2))), 64)
    assert dict(settings(noisy, "policy")) == {"policy.width_size": 64}
    assert is_telling(np.inf)
    assert is_telling((1.0, 2.0))
    assert not is_telling(np.array([4.8, np.inf]))


def test_the_users_own_hparams_come_first():
    found = {"algorithm.gamma": 0.99, "algorithm.num_batches": None, "env.dt": 0.02}
    merged = ordered({"note": "x", "env.dt": 0.1}, found)
    assert list(merged.items()) == [("note", "x"), ("env.dt", 0.1), ("algorithm.gamma", 0.99)]


def test_a_users_hparams_become_plain():
    hparams = {"lr": np.float32(0.1), "net": {"sizes": [64, 64]}, "path": Path("a"), "none": None}
    assert flattened(hparams) == {
        "lr": 0.1,
        "net.sizes": "[64, 64]",
        "path": "a",
        "none": "None",
    }
