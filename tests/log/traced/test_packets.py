import numpy as np
import pytest
from jax import numpy as jnp
from jax import random as jr

from lerax_log.traced import Layout, Outbox, Skeleton

LAYOUT = Layout(("train/loss",), num_envs=4)


def packet(learn: int, iteration: int, loss: float = 0.5, finished: int = 1) -> np.ndarray:
    return np.asarray(
        LAYOUT.pack(
            learn=learn,
            iteration=iteration,
            last_iteration=100,
            env_steps=iteration * 8,
            episodes=(jnp.float32(7.0), jnp.float32(3.0), finished),
            scalars={"train/loss": loss},
        )
    )


def test_packets_lose_nothing():
    learn, iteration = 3, 2**31 // 8 - 1
    report = LAYOUT.unpack(packet(learn, iteration, loss=1e-40))
    assert (report.learn, report.iteration, report.last_iteration) == (learn, iteration, 100)
    # Environments together take more steps than int32 can count.
    assert report.step == iteration * 8 * 4 > 2**31
    assert report.scalars["episode/return"] == 7.0
    assert report.scalars["train/loss"] == pytest.approx(1e-40)
    for special in (np.nan, np.inf, -np.inf):
        np.testing.assert_equal(
            LAYOUT.unpack(packet(learn, 1, loss=special)).scalars["train/loss"], special
        )


def test_averages_without_an_episode_are_left_out():
    assert LAYOUT.unpack(packet(1, 1, finished=0)).scalars == {"train/loss": 0.5}


def test_a_skeleton_restores_numbers_functions_and_keys():
    tree = {"f": max, "n": 3, "x": jnp.arange(3.0), "key": jr.key(1), "odd": jr.key(2, impl="rbg")}
    skeleton = Skeleton(tree)
    carried = [np.asarray(array) for array in skeleton.arrays(tree)]
    restored = skeleton.restore([jnp.asarray(array) for array in carried])
    assert restored["f"] is max
    assert restored["n"] == 3
    assert jr.key_impl(restored["odd"]) == jr.key_impl(tree["odd"])
    assert jr.bits(restored["key"]) == jr.bits(tree["key"])


def test_an_outbox_has_a_row_for_each_iteration():
    outbox = Outbox.empty(3)
    for iteration in (1, 2, 3, 4):
        outbox = outbox.with_packet(jnp.asarray(packet(9, iteration)), jnp.int32(iteration))
    reports = [LAYOUT.unpack(row) for row in np.asarray(outbox.packets)]
    assert [report.iteration for report in reports] == [4, 2, 3]
    assert {report.learn for report in reports} == {9}
    assert Outbox.empty(1).packets.size == 0
