"""Whole episodes of a policy, run beside its training and counted."""

import copy
from typing import Any, override

import jax
import numpy as np
from jax import numpy as jnp
from jax import random as jr

from lerax_render.acting import PreparedRollout
from lerax_render.errors import UnsupportedEnvError
from lerax_render.making import Picked, lanes_for, origin_of, picked_of
from lerax_render.replay import Episodes
from lerax_render.scene import Scene
from lerax_render.sources import CompiledSource, HostSource, Source, find_source

from .options import EvalOptions


class Evaluation:
    """How a policy is evaluated, lowered; see `Template`.

    Args:
        env: The environment; its arrays may be traced.
        policy: The policy; likewise.
        options: The user's.
        source: Of the environment, where that shows already.
    """

    def __init__(self, env: Any, policy: Any, options: EvalOptions, source: Source | None) -> None:
        self._options = options
        self._lanes = lanes_for(options.episodes)
        self._prepared: tuple[CompiledSource, PreparedRollout] | None = None
        captured = source if options.pick else _Uncaptured()
        if isinstance(source, HostSource) or not isinstance(captured, CompiledSource):
            return
        try:
            rollout = PreparedRollout(
                env,
                policy,
                capture=captured.traced_capture,
                deterministic=options.deterministic,
                lanes=self._lanes,
                limit=options.max_steps,
            )
        except Exception:
            # The worker finds out with concrete arrays, or reports why it cannot.
            return
        self._prepared = captured, rollout

    def run(self, env: Any, policy: Any, seed: int) -> Picked:
        """Run the episodes.

        Args:
            env: The environment.
            policy: The policy.
            seed: Of this moment.

        Raises:
            RenderError: As `lerax_render.capture`.
        """
        options = self._options
        key = jr.key(seed if options.seed is None else options.seed)
        source = self._source(env)
        if self._prepared is not None and self._prepared[0] == source:
            source, rollout = self._prepared
            chunks = rollout.episode_chunks(env, policy, episodes=options.episodes, key=key)
            run = source.episodes_from(env, chunks, self._lanes)
        else:
            if isinstance(source, HostSource):
                # Stepping the environment itself would move it under the training's feet.
                env = copy.deepcopy(env)
            run = source.episodes(
                env,
                policy,
                count=options.episodes,
                lanes=self._lanes,
                limit=options.max_steps,
                key=key,
                deterministic=options.deterministic,
            )
        return picked_of(run, options.episodes, options.pick, origin_of(env, policy, key))

    def _source(self, env: Any) -> Source:
        try:
            source = find_source(env)
        except UnsupportedEnvError:
            if self._options.pick:
                raise
            return _Uncaptured()
        return source if self._options.pick or isinstance(source, HostSource) else _Uncaptured()


def scores_of(episodes: Episodes) -> dict[str, float]:
    """Return what is logged of an evaluation, by tag."""
    scores: dict[str, float] = {}
    for tag, values in (("eval/return", episodes.returns), ("eval/length", episodes.lengths)):
        scores |= {
            tag: float(np.mean(values)),
            f"{tag}_std": float(np.std(values)),
            f"{tag}_min": float(np.min(values)),
            f"{tag}_max": float(np.max(values)),
        }
    return {**scores, "eval/truncated": float(np.mean(episodes.truncated))}


class _Uncaptured(CompiledSource):
    """Any environment whose pictures nobody wants."""

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self)

    def __hash__(self) -> int:
        return hash(type(self))

    @override
    def scene(self, env: Any) -> Scene:
        raise NotImplementedError

    @override
    def capture(self, env: Any, state: Any) -> jax.Array:
        return jnp.zeros(())
