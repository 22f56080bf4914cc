from pathlib import Path

import equinox as eqx
import jax
import numpy as np
from jax import numpy as jnp

from lerax_log.traced.hparams import flattened, plain, settings


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


def test_a_users_hparams_become_plain():
    hparams = {"lr": np.float32(0.1), "net": {"sizes": [64, 64]}, "path": Path("a"), "none": None}
    assert flattened(hparams) == {
        "lr": 0.1,
        "net.sizes": "[64, 64]",
        "path": "a",
        "none": "None",
    }
