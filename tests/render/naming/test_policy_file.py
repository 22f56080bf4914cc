"""Policies in the files of either Lerax."""

import inspect
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import lerax.policy
import lerax.utils
import numpy as np
import pytest
from jax import numpy as jnp
from jax import random as jr
from lerax.env.classic_control import CartPole, Pendulum
from lerax.policy import MLPActorCriticPolicy

from lerax_render.naming.loading import load_policy
from support.paths import ROOT

needs_fingerprints = pytest.mark.skipif(
    not hasattr(lerax.utils, "_structure_hash"), reason="this Lerax writes no fingerprints"
)


def saved(policy: Any, folder: Path) -> Path:
    path = folder / "policy.eqx"
    policy.serialize(path)
    jax.effects_barrier()
    return path


# Each with an environment of an action space that it takes.
POLICIES = [
    ("MLPActorCriticPolicy", CartPole),
    ("MLPActorCriticPolicy", Pendulum),
    ("MLPQPolicy", CartPole),
    ("MLPDeterministicPolicy", Pendulum),
    ("MLPSACPolicy", Pendulum),
    ("MLPDiscreteSACPolicy", CartPole),
]


def test_every_policy_class_of_this_lerax_is_tried():
    there = (getattr(lerax.policy, name) for name in lerax.policy.__all__)
    names = {kind.__name__ for kind in there if not inspect.isabstract(kind)}
    assert {name for name in names if name.startswith("MLP")} <= {name for name, _ in POLICIES}


@pytest.mark.parametrize(("name", "make"), POLICIES)
def test_every_policy_class_of_lerax_comes_back(tmp_path, name, make):
    kind = getattr(lerax.policy, name, None)
    if kind is None:
        pytest.skip(f"this Lerax has no {name}")
    policy = kind(make(), key=jr.key(5))
    loaded = load_policy(saved(policy, tmp_path), name, make())
    assert type(loaded) is kind
    for old, new in zip(jax.tree.leaves(policy), jax.tree.leaves(loaded), strict=True):
        if eqx.is_array(old):
            assert (old == new).all()
        elif isinstance(old, float):
            assert new == pytest.approx(old)
    observation = make().observation(make().initial(key=jr.key(0)), key=jr.key(0))
    for key in (None, jr.key(1)):
        _, action = loaded(loaded.reset(key=jr.key(0)), observation, key=key)
        _, same = policy(policy.reset(key=jr.key(0)), observation, key=key)
        assert jnp.array_equal(action, same)


def test_a_file_of_lerax_0_0_5_is_read_by_either():
    path = ROOT / "assets/policies/cartpole.eqx"
    assert path.read_bytes().startswith(b"\x93NUMPY")
    env = CartPole()
    policy = load_policy(path, "MLPActorCriticPolicy", env)
    # It was trained: a pole that falls to the right is pushed to the right.
    for angle in (-0.1, 0.1):
        observation = jnp.array([0.0, 0.0, angle, 4 * angle])
        _, action = policy(None, observation)
        assert int(action) == (angle > 0)


def as_main_writes(policy: Any) -> bytes:
    """A fingerprint, and the leaves without the sizes of spaces."""
    file = io.BytesIO(bytes(range(32)))
    file.seek(32)
    for leaf in jax.tree.leaves(policy):
        if eqx.is_array(leaf) or isinstance(leaf, float | bool):
            np.save(file, leaf)
    return file.getvalue()


@pytest.mark.parametrize("make", [CartPole, Pendulum])
def test_a_file_of_main_is_read_by_lerax_0_0_5(make):
    if hasattr(lerax.utils, "_structure_hash"):
        pytest.skip("this is main, which checks the fingerprint")
    policy = MLPActorCriticPolicy(make(), key=jr.key(7))
    loaded = load_policy(as_main_writes(policy), "MLPActorCriticPolicy", make())
    assert eqx.tree_equal(loaded, policy)


class Blue(MLPActorCriticPolicy):
    """As large as its parent."""


class WithFunction(MLPActorCriticPolicy):
    """Known by an address, which is another one in each process."""

    function: Callable[..., Any] = eqx.field(static=True)

    def __init__(self, env: Any, *, key: Any):
        super().__init__(env, key=key)
        self.function = lambda x: x


def arrays(policy: Any) -> list[jax.Array]:
    return [leaf for leaf in jax.tree.leaves(policy) if eqx.is_array(leaf)]


@needs_fingerprints
def test_another_class_of_the_same_size_is_refused(tmp_path):
    path = saved(Blue(CartPole(), key=jr.key(0)), tmp_path)
    assert isinstance(load_policy(path, f"{__name__}:Blue", CartPole()), Blue)
    with pytest.raises(
        ValueError,
        match=r"policy\.eqx does not hold the parameters of MLPActorCriticPolicy\(\) for "
        r"CartPole: its arrays fit, but the fingerprint in it is [0-9a-f]{8}, and that of the "
        r"policy built here [0-9a-f]{8}: they differ in the class, .* Give the environment",
    ):
        load_policy(path, "MLPActorCriticPolicy", CartPole())


@needs_fingerprints
def test_a_fingerprint_that_is_another_in_each_process_is_not_compared():
    policy = WithFunction(CartPole(), key=jr.key(0))
    loaded = load_policy(as_main_writes(policy), f"{__name__}:WithFunction", CartPole())
    assert all(eqx.tree_equal(*each) for each in zip(arrays(loaded), arrays(policy), strict=True))


def test_the_first_array_that_does_not_fit_is_named(tmp_path):
    path = saved(MLPActorCriticPolicy(CartPole(), feature_size=8, key=jr.key(0)), tmp_path)
    with pytest.raises(
        ValueError,
        match=r"of MLPActorCriticPolicy\(feature_size=9\) for CartPole: at "
        r"encoder.layers\[2\].weight, it has float32 \(8, 64\) in place of float32 \(9, 64\)\. "
        "Give the environment, class and arguments that it was trained with",
    ):
        load_policy(path, "MLPActorCriticPolicy", CartPole(), {"feature_size": 9})


def test_double_precision_is_named():
    policy = MLPActorCriticPolicy(CartPole(), key=jr.key(0))
    wide = jax.tree.map(lambda x: np.asarray(x, float) if eqx.is_array(x) else x, policy)
    file = io.BytesIO()
    eqx.tree_serialise_leaves(file, wide)
    with pytest.raises(ValueError, match=r"it has float64 \(4,\) .*, as under JAX_ENABLE_X64=1"):
        load_policy(file.getvalue(), "MLPActorCriticPolicy", CartPole())


def test_an_argument_that_the_class_does_not_take_is_said_with_those_it_takes(tmp_path):
    path = saved(MLPActorCriticPolicy(CartPole(), key=jr.key(0)), tmp_path)
    with pytest.raises(
        ValueError, match=r"does not take these arguments: .*'colour'.*MLPActorCriticPolicy\(\*, "
    ) as error:
        load_policy(path, "MLPActorCriticPolicy", CartPole(), {"colour": "blue"})
    assert "feature_size=16, " in str(error.value)
    # It is given, and its default here is an array of JAX's.
    assert "key=" not in str(error.value)


def test_an_environment_that_the_class_is_not_for_is_one_line(tmp_path):
    if not hasattr(lerax.policy, "MLPSACPolicy"):
        pytest.skip("none of this Lerax's policies asks for one kind of space")
    path = saved(MLPActorCriticPolicy(CartPole(), key=jr.key(0)), tmp_path)
    with pytest.raises(ValueError, match=r"^MLPSACPolicy cannot be made for CartPole: .*Box.*$"):
        load_policy(path, "MLPSACPolicy", CartPole())
