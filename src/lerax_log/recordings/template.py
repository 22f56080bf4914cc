"""Environment and policy on their way from the training to its recordings."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
from jax import random as jr

from lerax_render.acting import PreparedRollout
from lerax_render.making import name_of
from lerax_render.replay import Replay
from lerax_render.sources import CompiledSource, Source, find_source

from ..traced import Skeleton
from .evaluating import Evaluation
from .options import EvalOptions


class Template:
    """What does not change in an environment and a policy, and their rollout, lowered.

    Made while `learn` is traced: lowering a MuJoCo rollout takes seconds of Python, which in a
    thread beside the training would hold it up as long. Compiling takes longer and does not.

    Args:
        env: The environment; its arrays may be traced.
        policy: The policy; its arrays may be traced.
        deterministic: Whether the policy takes its most likely action.
        lanes: How many rollouts advance together; `None` is one by itself.
        records: Whether there are rollouts to be recorded.
        evaluation: How the policy is evaluated, or `None`.
        eval_env: In which environment; `None` is `env`.
    """

    def __init__(
        self,
        env: Any,
        policy: Any,
        deterministic: bool = False,
        lanes: int | None = None,
        *,
        records: bool = True,
        evaluation: EvalOptions | None = None,
        eval_env: Any = None,
    ) -> None:
        self.env_name = name_of(env)
        self.skeleton = Skeleton((env, policy, eval_env))
        self._deterministic = deterministic
        self._lanes = lanes
        self._prepared: tuple[CompiledSource, PreparedRollout] | None = None
        self.evaluation: Evaluation | None = None
        with jax.default_device(host_device()):
            if records:
                self._prepared = _prepared(env, policy, deterministic, lanes)
            if evaluation is not None:
                place = env if eval_env is None else eval_env
                self.evaluation = Evaluation(place, policy, evaluation, _source_of(place))

    def snapshot(self, arrays: Any, seed: int, step: int) -> "Snapshot":
        """Return a snapshot of the environment and the policy with these arrays."""
        return Snapshot(self, arrays, seed, step)

    def replays(
        self, source: Source, env: Any, policy: Any, steps: int, seed: int
    ) -> Iterator[list[Replay]]:
        """Yield rollouts of environment and policy in parts, compiled once for all recordings."""
        key, lanes = jr.key(seed), self._lanes
        if self._prepared is not None and self._prepared[0] == source:
            known, rollout = self._prepared
            chunks = rollout.chunks(env, policy, steps=steps, key=key)
            return known.replays_from(env, chunks, lanes)
        return source.replays(
            env, policy, steps=steps, key=key, deterministic=self._deterministic, lanes=lanes
        )


@dataclass(frozen=True)
class Snapshot:
    """Environment and policy at one moment of the training.

    Attributes:
        template: What does not change in them.
        arrays: The arrays of both, on the host's device.
        seed: Seed of the rollout.
        step: Environment steps that the training has taken.
    """

    template: Template
    arrays: Any
    seed: int
    step: int

    @property
    def num_bytes(self) -> int:
        """What its arrays take."""
        return sum(array.nbytes for array in self.arrays)


def host_device() -> jax.Device:
    """Return the device that JAX puts on what it hands to callbacks."""
    return jax.local_devices(backend="cpu")[0]


def _prepared(
    env: Any, policy: Any, deterministic: bool, lanes: int | None
) -> tuple[CompiledSource, PreparedRollout] | None:
    """Lower the rollout where the kind of environment shows without the values of its arrays."""
    source = _source_of(env)
    if not isinstance(source, CompiledSource):
        return None
    try:
        rollout = PreparedRollout(
            env,
            policy,
            capture=source.traced_capture,
            deterministic=deterministic,
            lanes=lanes,
        )
        return source, rollout
    except Exception:
        # The worker finds out with concrete arrays, or reports why it cannot.
        return None


def _source_of(env: Any) -> Source | None:
    """Return the source of an environment, where that shows without the values of its arrays."""
    arrays, static = eqx.partition(env, eqx.is_array)
    found: list[Source] = []

    def look(arrays: Any) -> None:
        # Arithmetic on constants, such as a renderer's transform, gives constants.
        with jax.ensure_compile_time_eval():
            found.append(find_source(eqx.combine(arrays, static)))

    try:
        # In a trace of its own, which leaves nothing in the trace of `learn`.
        jax.eval_shape(look, arrays)
    except Exception:
        # The worker finds out with concrete arrays, or reports why it cannot.
        return None
    return found[0]
