from functools import partial

import jax
import numpy as np
import pytest
from jax import lax
from jax import numpy as jnp
from jax import random as jr

from lerax_log.traced import Layout, Outbox, Skeleton, answered, newest

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
    (report,) = LAYOUT.unpack(packet(learn, iteration, loss=1e-40)[None])
    assert (report.learn, report.iteration, report.last_iteration) == (learn, iteration, 100)
    # Environments together take more steps than int32 can count.
    assert report.step == iteration * 8 * 4 > 2**31
    assert report.scalars["episode/return"] == 7.0
    assert report.scalars["train/loss"] == pytest.approx(1e-40)
    for special in (np.nan, np.inf, -np.inf):
        (report,) = LAYOUT.unpack(packet(learn, 1, loss=special)[None])
        np.testing.assert_equal(report.scalars["train/loss"], special)


def test_averages_without_an_episode_are_left_out():
    (report,) = LAYOUT.unpack(packet(1, 1, finished=0)[None])
    assert report.scalars == {"train/loss": 0.5}


def test_a_skeleton_restores_numbers_functions_and_keys():
    tree = {"f": max, "n": 3, "x": jnp.arange(3.0), "key": jr.key(1), "odd": jr.key(2, impl="rbg")}
    skeleton = Skeleton(tree)
    carried = [np.asarray(array) for array in skeleton.arrays(tree)]
    restored = skeleton.restore([jnp.asarray(array) for array in carried])
    assert restored["f"] is max
    assert restored["n"] == 3
    assert jr.key_impl(restored["odd"]) == jr.key_impl(tree["odd"])
    assert jr.bits(restored["key"]) == jr.bits(tree["key"])


def test_an_outbox_has_a_row_for_each_iteration(monkeypatch):
    monkeypatch.setattr(Outbox, "ROWS", 2)
    outbox = Outbox.empty(3)
    for iteration in (1, 2, 3, 4):
        outbox = outbox.with_packet(jnp.asarray(packet(9, iteration)), jnp.int32(iteration))
    packets = np.asarray(outbox.packets)[:, : LAYOUT.size]
    assert [report.iteration for report in LAYOUT.unpack(packets)] == [4, 2, 3]
    assert newest(packets) == (9, 4)
    assert len(Outbox.empty(1).packets) == 2


def packets_sent(asked):
    """A training of 7 iterations, and which of them the host was sent, as it has asked for."""
    sent = []

    def receive(packets):
        sent.append(newest(np.asarray(packets))[1])
        return np.int32(asked[sent[-1]])

    def learn(number, unroll=1):
        def iterate(outbox, iteration):
            row = LAYOUT.pack(
                learn=number,
                iteration=iteration,
                last_iteration=7,
                env_steps=iteration,
                episodes=(jnp.float32(0), jnp.float32(0), 1),
                scalars={"train/loss": 0.5},
            )
            send = partial(answered, lambda packets: receive(packets.reshape(-1, LAYOUT.size)))
            return outbox.sent(send, row, iteration, iteration == 7), None

        return lax.scan(iterate, Outbox.empty(1), jnp.arange(1, 8), unroll=unroll)[0].due

    return learn, sent


def test_packets_are_sent_when_the_host_has_asked_for_them():
    learn, sent = packets_sent({1: 2, 2: 5, 5: 100, 7: 100})
    assert jax.jit(learn)(0) == 100
    assert sent == [1, 2, 5, 7]
    sent.clear()
    # One call for all lanes.
    assert (jax.jit(jax.vmap(learn))(jnp.arange(3)) == 100).all()
    assert sent == [1, 2, 5, 7]


@pytest.mark.parametrize("capacity", [4, 256])
def test_no_call_is_left_out_where_the_loop_is_unrolled(monkeypatch, capacity):
    monkeypatch.setattr(Outbox, "CAPACITY", capacity)
    learn, sent = packets_sent({i: i + 1 for i in range(1, 8)})
    assert jax.jit(partial(learn, unroll=True))(0) == 8
    assert sent == [1, 2, 3, 4, 5, 6, 7]
