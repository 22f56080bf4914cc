import jax
import numpy as np
import pytest
from jax import numpy as jnp

from lerax_log.traced.episode_stats import EpisodeStats


def run(rewards: np.ndarray, dones: np.ndarray, alpha: float) -> EpisodeStats:
    """Statistics after `(T, N)` rewards and ends of episodes."""
    stats = jax.vmap(lambda _: EpisodeStats.initial())(jnp.arange(rewards.shape[1]))

    def step(stats, inputs):
        return jax.vmap(lambda s, r, d: s.advanced(r, d, alpha))(stats, *inputs), None

    return jax.lax.scan(step, stats, (jnp.asarray(rewards), jnp.asarray(dones)))[0]


def expected_averages(rewards: np.ndarray, dones: np.ndarray, alpha: float) -> list[float | None]:
    """The issue's formula, by hand: for each environment, or None before its first episode."""
    averages: list[float | None] = []
    for rewards_, dones_ in zip(rewards.T, dones.T, strict=True):
        average, total = None, 0.0
        for reward, done in zip(rewards_, dones_, strict=True):
            total += reward
            if done:
                average = total if average is None else alpha * total + (1 - alpha) * average
                total = 0.0
        averages.append(average)
    return averages


@pytest.mark.parametrize("alpha", [0.9, 0.1, 1.0])
def test_moving_averages_are_those_of_the_formula(alpha):
    random = np.random.default_rng(0)
    rewards = random.normal(size=(200, 3)).astype(np.float32)
    dones = random.random((200, 3)) < 0.1
    stats = run(rewards, dones, alpha)
    np.testing.assert_allclose(
        stats.average_return, expected_averages(rewards, dones, alpha), rtol=1e-4
    )
    np.testing.assert_allclose(
        stats.average_length, expected_averages(np.ones_like(rewards), dones, alpha), rtol=1e-4
    )
    assert stats.finished.tolist() == dones.sum(axis=0).tolist()
    assert stats.steps.tolist() == [200, 200, 200]


def test_the_first_episode_is_the_average_rather_than_averaged_with_zero():
    rewards = np.full((4, 1), 10.0, np.float32)
    dones = np.array([[False], [False], [True], [False]])
    stats = run(rewards, dones, alpha=0.1)
    assert stats.averages()[0] == 30.0
    assert stats.averages()[1] == 3.0
    assert stats.episode_return.tolist() == [10.0]


def test_environments_that_have_finished_nothing_do_not_count():
    rewards = np.array([[1.0, 5.0, 2.0]], np.float32)
    dones = np.array([[True, False, True]])
    average_return, average_length, count = run(rewards, dones, 0.9).averages()
    assert (average_return, average_length, count) == (1.5, 1.0, 2)


def test_before_any_episode_has_finished_there_is_nothing():
    stats = run(np.ones((3, 2), np.float32), np.zeros((3, 2), bool), 0.9)
    assert stats.averages()[2] == 0


def test_one_environment_needs_no_axis():
    stats = EpisodeStats.initial().advanced(jnp.float32(2.0), jnp.asarray(True), 0.9)
    assert [float(x) for x in stats.averages()] == [2.0, 1.0, 1.0]


def test_nan_of_an_unfinished_environment_stays_there():
    rewards = np.array([[1.0, np.nan]], np.float32)
    average_return, _, count = run(rewards, np.array([[True, False]]), 0.9).averages()
    assert (average_return, count) == (1.0, 1)


def test_dtypes_do_not_follow_the_reward():
    before = EpisodeStats.initial()
    after = before.advanced(jnp.asarray(1, jnp.int32), jnp.asarray(False), 0.9)
    for a, b in zip(jax.tree.leaves(before), jax.tree.leaves(after), strict=True):
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
