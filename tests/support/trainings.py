"""Small real trainings, and a backend that remembers what it was given."""

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import equinox as eqx
import jax
import optax
from jax import numpy as jnp
from jax import random as jr
from lerax.algorithm import PPO
from lerax.policy import MLPActorCriticPolicy

from lerax_log import AbstractLoggingBackend
from support.environments import Counting

try:
    from lerax.algorithm import AbstractOnPolicyAlgorithm as OnPolicy
except ImportError:
    # Lerax's main branch has no base for all of them; this one brings the least of its own.
    from lerax.algorithm import REINFORCE as OnPolicy

NUM_ENVS, NUM_STEPS = 2, 8
STEPS_AN_ITERATION = NUM_ENVS * NUM_STEPS
ITERATIONS = 6
TOTAL_STEPS = STEPS_AN_ITERATION * ITERATIONS


class Memory(AbstractLoggingBackend):
    """Remembers every call, and the thread it came from.

    Copies, one for each lane, remember into the same list. `fails` names methods that raise.
    """

    video_formats: ClassVar[tuple[str, ...]] = ()

    def __init__(self, folder: Path | None = None, fails: tuple[str, ...] = ()) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.threads: list[threading.Thread] = []
        self.name: str | None = None
        self._folder = folder
        self._fails = fails

    def _call(self, method: str, *arguments: Any) -> None:
        self.calls.append((method, self.name, *arguments))
        self.threads.append(threading.current_thread())
        if method in self._fails:
            raise OSError(f"{method} fails for the test")

    def open(self, name: str) -> None:
        self._refuse_second_run(self.name)
        self.name = name
        if self._folder is not None:
            self.run_dir = self._folder / name
        self._call("open")

    def log_hparams(self, hparams: Mapping[str, Any]) -> None:
        self._call("log_hparams", dict(hparams))

    def log_scalars(self, scalars: Mapping[str, float], step: int) -> None:
        self._call("log_scalars", dict(scalars), step)

    def log_video(self, tag: str, video: Any, step: int) -> None:
        self._call("log_video", tag, video, step)

    def flush(self) -> None:
        self._call("flush")

    def close(self) -> None:
        self._call("close")
        self.name = None

    def methods(self) -> list[str]:
        return [call[0] for call in self.calls]

    def names(self) -> list[str]:
        """Names of the runs, in the order in which they were opened."""
        return [call[1] for call in self.calls if call[0] == "open"]

    def hparams(self) -> dict[str, Any]:
        return next(call[2] for call in self.calls if call[0] == "log_hparams")

    def scalars(self, tag: str, name: str | None = None) -> list[tuple[int, float]]:
        """Steps and values of a tag, in the order in which they were logged."""
        return [
            (call[3], call[2][tag])
            for call in self.calls
            if call[0] == "log_scalars" and tag in call[2] and name in (None, call[1])
        ]

    def videos(self) -> list[tuple[int, Any]]:
        return [(call[4], call[3]) for call in self.calls if call[0] == "log_video"]


class GifMemory(Memory):
    """Wants GIFs, as TensorBoard does."""

    video_formats = ("gif",)


class Mp4Memory(Memory):
    """Wants MP4s, as W&B does."""

    video_formats = ("mp4",)


def tiny_policy(env: Any, key: jax.Array) -> MLPActorCriticPolicy[Any, Any, Any]:
    sizes = {"feature_width": 8, "value_width": 8, "action_width": 8}
    depths = {"feature_depth": 1, "value_depth": 1, "action_depth": 1}
    return MLPActorCriticPolicy(env, feature_size=4, key=key, **sizes, **depths)


class Shrinking(OnPolicy[Any]):
    """Learns nothing: every parameter shrinks. Compiles in a fraction of PPO's time."""

    optimizer: Any
    gae_lambda: float = 0.9
    gamma: float = 0.99
    num_envs: int = NUM_ENVS
    num_steps: int = NUM_STEPS
    batch_size: int = NUM_ENVS * NUM_STEPS
    # REINFORCE's.
    normalize_advantages: bool = False
    value_loss_coefficient: float = 0.0
    max_grad_norm: float = 0.0

    def __init__(self, optimizer: Any, num_envs: int = NUM_ENVS) -> None:
        self.optimizer = optimizer
        self.num_envs = num_envs

    def per_step(self, step_state: Any) -> Any:
        return step_state

    def per_iteration(self, state: Any) -> Any:
        return state

    def train(self, policy: Any, opt_state: Any, buffer: Any, *, key: jax.Array) -> Any:
        parameters, rest = eqx.partition(policy, eqx.is_inexact_array)
        parameters = jax.tree.map(lambda x: 0.9 * x, parameters)
        log = {
            "loss": sum(jnp.sum(x) for x in jax.tree.leaves(parameters)),
            "advantage": buffer.advantages.mean(),
        }
        return eqx.combine(parameters, rest), opt_state, log


def shrinking(**options: int) -> Shrinking:
    return Shrinking(optax.inject_hyperparams(optax.sgd)(0.1), **options)


class Training:
    """A training in an environment that takes little to compile."""

    def __init__(self, env: Any | None = None, algorithm: Any | None = None) -> None:
        self.env = env or Counting()
        self.policy = tiny_policy(self.env, jr.key(0))
        self.algorithm = algorithm or shrinking()

    def __call__(
        self, callback: Any = None, total_steps: int = TOTAL_STEPS, seed: int = 1
    ) -> MLPActorCriticPolicy[Any, Any, Any]:
        return self.algorithm.learn(
            self.env, self.policy, total_steps, key=jr.key(seed), callback=callback
        )


def ppo(**options: Any) -> PPO[Any]:
    sizes = {"num_envs": NUM_ENVS, "num_steps": NUM_STEPS, "num_epochs": 1, "num_batches": 2}
    return PPO(**(sizes | options))


def arrays(policy: Any) -> list[jax.Array]:
    return [leaf for leaf in jax.tree.leaves(policy) if isinstance(leaf, jax.Array)]


def assert_same_policy(one: Any, other: Any) -> None:
    """Bit for bit."""
    for a, b in zip(arrays(one), arrays(other), strict=True):
        assert jnp.array_equal(a, b), "a callback has changed what was learned"
