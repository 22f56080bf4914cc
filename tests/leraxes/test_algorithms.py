"""Every algorithm of Lerax's main branch: logged and filmed while it trains, then rendered."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

import jax
import lerax.algorithm
import lerax.policy
import numpy as np
import pytest
from jax import numpy as jnp
from jax import random as jr
from lerax.space import Box

from lerax_log import LoggingCallback
from lerax_render import Clip, record
from support.environments import Counting
from support.trainings import GifMemory

ITERATIONS = 4
OFF_POLICY = {"learning_starts": 16, "buffer_size": 128, "batch_size": 8}
Q = {"q_width_size": 8, "q_depth": 1}
ACTOR_CRITIC = {"feature_size": 4, "feature_width": 8, "value_width": 8, "action_width": 8}
MLP = {"width_size": 8, "depth": 1}
PICTURE = {"width": 64, "height": 48}


class Sliding(Counting):
    """Pays for what is pushed."""

    name: ClassVar[str] = "Sliding"
    action_space: Box

    def __init__(self) -> None:
        super().__init__()
        self.action_space = Box(-jnp.ones(1), jnp.ones(1))

    def reward(self, state, action, next_state, *, key):
        return next_state.count * action[0]


@dataclass(frozen=True)
class Case:
    """An algorithm, an environment of the kind that it is for, and small networks."""

    algorithm: str
    make_env: Any
    policy: str
    sizes: dict[str, int]
    options: dict[str, Any] = field(default_factory=dict)


CASES = [
    Case("PPO", Counting, "MLPActorCriticPolicy", ACTOR_CRITIC, {"num_batches": 2}),
    Case("A2C", Sliding, "MLPActorCriticPolicy", ACTOR_CRITIC),
    Case("REINFORCE", Counting, "MLPActorCriticPolicy", ACTOR_CRITIC),
    Case("DQN", Counting, "MLPQPolicy", MLP, OFF_POLICY),
    Case("DDPG", Sliding, "MLPDeterministicPolicy", MLP, OFF_POLICY | Q),
    Case("TD3", Sliding, "MLPDeterministicPolicy", MLP, OFF_POLICY | Q),
    Case("SAC", Sliding, "MLPSACPolicy", MLP | {"feature_size": 8}, OFF_POLICY | Q),
    Case("SACDiscrete", Counting, "MLPDiscreteSACPolicy", MLP, OFF_POLICY | Q),
]


def test_none_is_left_out():
    there = {name for name in lerax.algorithm.__all__ if not name.startswith("Abstract")}
    trained = {name for name in there if hasattr(getattr(lerax.algorithm, name), "learn")}
    assert trained == {case.algorithm for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.algorithm)
def test_it_is_logged_filmed_saved_and_rendered(case, tmp_path):
    env = case.make_env()
    before = getattr(lerax.policy, case.policy)(env, key=jr.key(0), **case.sizes)
    sizes = {"num_envs": 2, "num_steps": 8}
    algorithm = getattr(lerax.algorithm, case.algorithm)(**sizes, **case.options)
    memory = GifMemory()
    with LoggingCallback(
        memory,
        step_scalars=lambda step: {"count": step.next_state.count, "reward": step.reward},
        video_interval=2,
        video_num_steps=8,
        video_width=64,
        video_height=48,
        video_keep=False,
        video_mode="block",
    ) as callback:
        trained = algorithm.learn(env, before, 16 * ITERATIONS, key=jr.key(1), callback=callback)

    scalars = [call[2:] for call in memory.calls if call[0] == "log_scalars"]
    tags = {tag for values, _ in scalars for tag in values}
    assert {"episode/return", "episode/length"} <= tags
    assert any(tag.startswith("train/") and tag != "train/learning_rate" for tag in tags)
    lengths = [value for _, value in memory.scalars("episode/length")]
    assert 0 < min(lengths) <= max(lengths) <= 5
    # Each environment counts to 5; what fills a buffer comes before the first iteration.
    first = case.options.get("learning_starts", 0)
    counts = (np.arange(8 * ITERATIONS) + first) % 5 + 1
    np.testing.assert_allclose(
        [value for _, value in memory.scalars("count")], counts.reshape(-1, 8).mean(1), rtol=1e-6
    )
    assert len(memory.scalars("reward")) == ITERATIONS
    assert memory.names()[0].startswith(f"{case.algorithm}_{case.policy}_{case.make_env.__name__}_")
    assert memory.hparams()["algorithm.num_steps"] == 8
    videos = memory.videos()
    assert len(videos) >= 2
    for _, video in videos:
        assert video.frames().std(axis=(1, 2, 3)).min() > 3

    changed = [
        (np.asarray(old) != np.asarray(new)).any()
        for old, new in zip(jax.tree.leaves(before), jax.tree.leaves(trained), strict=True)
        if isinstance(old, jax.Array)
    ]
    assert any(changed)
    trained.serialize(tmp_path / "policy.eqx")
    clip = Clip(
        env=f"{case.make_env.__module__}:{case.make_env.__name__}",
        policy=("policy.eqx",),
        policy_class=case.policy,
        policy_args=case.sizes,
        folder=tmp_path,
        steps=8,
        format="apng",
        deterministic=True,
        **PICTURE,
    ).record()
    expected = record(env, trained, steps=8, key=0, format="apng", deterministic=True, **PICTURE)
    np.testing.assert_array_equal(clip.frames(), expected.frames())
    assert (clip.frames()[0] != clip.frames()[-1]).any()
