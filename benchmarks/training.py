"""What logging costs a training, next to Lerax's own callbacks.

Lerax's main branch (0.0.6) has a LoggingCallback of its own. Where that is not installed, a
callback that sends what it sends (the scalars, and the environment and the policy, in every
iteration, in order) stands in for it.
"""

import tempfile
import time
from collections.abc import Iterator
from typing import Any

import jax
import lerax.callback
from jax import random as jr
from lerax.algorithm import PPO
from lerax.callback import AbstractIterationCallback
from lerax.callback.base_callback import EmptyCallbackState
from lerax.env.classic_control import CartPole
from lerax.policy import MLPActorCriticPolicy
from lerax.utils import callback_with_numpy_wrapper, callback_wrapper
from report import Section, number
from timing import Row, at_most, costs

from lerax_log import AbstractLoggingBackend, LoggingCallback, TensorBoardBackend

ROUNDS = 4
ITERATIONS = 400
NONE, SCALARS, NOT_DUE = "none", "scalars", "scalars, videos that are not due"
SELDOM = "scalars, `log_interval=10`"
LERAX_MAIN = "what Lerax main's `LoggingCallback` sends"


def sections() -> Iterator[Section]:
    env = CartPole()
    policy = MLPActorCriticPolicy(env, key=jr.key(0))
    parameters = sum(x.size for x in jax.tree.leaves(policy) if hasattr(x, "size"))
    with tempfile.TemporaryDirectory() as folder:
        times = milliseconds_per_iteration(env, policy, folder)
    none = times[NONE]
    yield Section(
        "Training with callbacks",
        f"PPO on CartPole with {number(parameters)} parameters and iterations as short as they "
        "come, so that what a callback costs shows. `scalars` goes to a backend that keeps "
        "nothing, so that it is the callback that is timed; the videos are recorded beside the "
        "training, on the same cores.",
        [*comparisons(times)],
        [
            ("callback", "ms an iteration", "next to none", "adds, ms"),
            *(
                (name, number(each), number(each / none), number(each - none))
                for name, each in times.items()
            ),
        ],
    )


def comparisons(times: dict[str, float]) -> Iterator[Row]:
    none, scalars = times[NONE], times[SCALARS]
    theirs = times[LERAX_MAIN] - none
    yield costs("added by scalars / by what Lerax main sends", scalars - none, theirs, 0.12, "ms")
    yield at_most("added by scalars with `log_interval=10`", times[SELDOM] - none, 0.05, "ms")
    yield costs("videos that are not due / scalars", times[NOT_DUE], scalars, 1.01, "ms")


class Nothing(AbstractLoggingBackend):
    """Takes everything and keeps nothing."""

    video_formats = ("gif",)

    def open(self, name: str) -> None:
        pass

    def log_scalars(self, scalars: Any, step: int) -> None:
        pass

    def close(self) -> None:
        pass


class LikeLeraxMain(AbstractIterationCallback[EmptyCallbackState]):
    """Sends what the LoggingCallback of Lerax's main branch sends, to nobody."""

    def reset(self, ctx: Any, *, key: Any) -> EmptyCallbackState:
        return EmptyCallbackState()

    def on_iteration(self, ctx: Any, *, key: Any) -> EmptyCallbackState:
        scalars = {name: value for name, value in ctx.training_log.items()}
        scalars |= {"return": scalars["loss"], "length": scalars["loss"]}
        callback_with_numpy_wrapper(lambda scalars, step: None, ordered=True)(
            scalars, ctx.iteration_count
        )
        callback_wrapper(lambda *arguments: None, ordered=True)(ctx.env, ctx.policy, key)
        return ctx.state

    def apply_curriculum(self, state: Any, callback_state: Any) -> Any:
        return state, callback_state


def lerax_main_callback(folder: str) -> Any:
    if hasattr(lerax.callback, "LoggingCallback"):
        backend = lerax.callback.TensorBoardBackend(folder)
        # Its interval is never reached, and its transfers are made all the same.
        return lerax.callback.LoggingCallback(backend, video_interval=10**9)
    return LikeLeraxMain()


def milliseconds_per_iteration(env: Any, policy: Any, folder: str) -> dict[str, float]:
    """Return the time of an iteration in the fastest round, by callback."""
    algorithm = PPO(num_envs=4, num_steps=64, num_epochs=1, num_batches=4)
    steps = ITERATIONS * algorithm.num_envs * algorithm.num_steps
    callbacks: dict[str, Any] = {
        NONE: None,
        SCALARS: LoggingCallback(Nothing()),
        SELDOM: LoggingCallback(Nothing(), log_interval=10),
        NOT_DUE: LoggingCallback(
            Nothing(), video_interval=10**9, record_when=lambda scalars: False
        ),
        "scalars to TensorBoard": LoggingCallback(TensorBoardBackend(folder)),
        "scalars and two videos to TensorBoard": LoggingCallback(
            TensorBoardBackend(folder), video_interval=ITERATIONS // 2
        ),
        LERAX_MAIN: lerax_main_callback(folder),
    }
    if hasattr(lerax.callback, "TensorBoardCallback"):
        callbacks["Lerax 0.0.5's `TensorBoardCallback`"] = lerax.callback.TensorBoardCallback(
            "lerax", log_dir=folder
        )
    best = dict.fromkeys(callbacks, float("inf"))
    # The first round compiles.
    for round_ in range(ROUNDS + 1):
        for name, callback in callbacks.items():
            start = time.perf_counter()
            trained = algorithm.learn(env, policy, steps, key=jr.key(round_), callback=callback)
            jax.block_until_ready(jax.tree.leaves(trained)[0])
            seconds = time.perf_counter() - start
            # What is still being recorded must not fall on the next one; and where no video is due,
            # the untrained policy is recorded in the first round alone.
            if isinstance(callback, LoggingCallback) and name != NOT_DUE:
                callback.close()
            if round_ > 0:
                best[name] = min(best[name], 1000 * seconds / ITERATIONS)
    return best
