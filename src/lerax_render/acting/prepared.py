"""A rollout that is lowered in one place, compiled in another, and run in a third."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import equinox as eqx
import jax
from jax import numpy as jnp
from jax import random as jr

from .compiling import compiles_now
from .rollouts import in_chunks, until_over
from .scan import blank, scan, scan_tiles
from .step import Capture, Carry, PyTree, Rollout, is_shape, restart, shapes


class PreparedRollout:
    """A rollout whose stages are taken one by one, for programs that do something else meanwhile.

    Making one traces and lowers the rollout, which is Python's work and holds up every other thread
    for as long (12 seconds for a humanoid). Compiling it, which takes longer still, does not, and
    is put off until the first chunk is asked for.

    Args:
        env: A Lerax environment; its arrays may be traced, only their shapes are looked at.
        policy: A Lerax policy; likewise.
        capture: As for `rollout`.
        deterministic: As for `rollout`.
        lanes: As for `rollout_chunks`.
        limit: After how many actions an episode is cut short; `None` for never.
    """

    def __init__(
        self,
        env: Any,
        policy: Any | None,
        *,
        capture: Capture,
        deterministic: bool = False,
        lanes: int | None = None,
        limit: int | None = None,
    ) -> None:
        arrays, static = eqx.partition((env, policy), eqx.is_array)
        self._lanes = lanes
        self._limit = limit
        self._start = eqx.filter_eval_shape(restart, env, policy, jr.key(0))
        carry = eqx.filter_eval_shape(lambda: self._blank(jr.key(0)))
        carry_shapes, carry_static = eqx.partition(carry, is_shape)

        chunk_static: Any = None

        def run(arrays: PyTree, carry_arrays: PyTree) -> tuple[PyTree, Rollout]:
            env, policy = eqx.combine(arrays, static)
            carry = eqx.combine(carry_arrays, carry_static)
            if lanes is None:
                carry, chunk = scan(env, policy, carry, capture, deterministic)
            else:
                carry, chunk = scan_tiles(env, policy, carry, capture, deterministic, False)
            nonlocal chunk_static
            chunk, chunk_static = eqx.partition(chunk, eqx.is_array)
            return eqx.filter(carry, eqx.is_array), chunk

        traced = jax.jit(run).trace(shapes(arrays), carry_shapes)
        begin = time.perf_counter()
        self._lowered: Any = traced.lower()
        self._lowering = time.perf_counter() - begin
        self._compiled: Any = None
        self._carry_static, self._chunk_static = carry_static, chunk_static
        self._lock = threading.Lock()

    def chunks(
        self, env: Any, policy: Any | None, *, steps: int, key: jax.Array
    ) -> Iterator[Rollout]:
        """Like `rollout_chunks`, for an environment and a policy that differ only in values."""
        return in_chunks(self._scan(env, policy), self._blank(key), steps)

    def episode_chunks(
        self, env: Any, policy: Any | None, *, episodes: int, key: jax.Array
    ) -> Iterator[Rollout]:
        """Like the function of this name, likewise; it has lanes and a limit."""
        assert self._lanes is not None
        return until_over(self._scan(env, policy), self._blank(key), episodes, self._lanes)

    def _scan(self, env: Any, policy: Any | None) -> Callable[[Carry], tuple[Carry, Rollout]]:
        with self._lock:
            if self._compiled is None:
                compiles_now(self._lowering)
                self._compiled, self._lowered = self._lowered.compile(), None
        arrays = eqx.filter((env, policy), eqx.is_array)

        def scan_compiled(carry: Carry) -> tuple[Carry, Rollout]:
            carry, chunk = self._compiled(arrays, eqx.filter(carry, eqx.is_array))
            return (
                eqx.combine(carry, self._carry_static),
                eqx.combine(chunk, self._chunk_static),
            )

        return scan_compiled

    def _blank(self, key: jax.Array) -> Carry:
        limit = None if self._limit is None else jnp.asarray(self._limit, jnp.int32)
        if self._lanes is None:
            return blank(self._start, key, limit)
        carry: Carry = eqx.filter_vmap(
            lambda key: blank(self._start, key, limit), out_axes=eqx.if_array(0)
        )(jr.split(key, self._lanes))
        return carry
