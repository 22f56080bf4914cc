"""What logging costs a training, next to Lerax's own callbacks.

    python benchmarks/training.py [cost] [recording]

`cost` trains PPO with several callbacks in turn, so that whatever else the machine does falls on
all of them, and compares the time of an iteration. `recording` times one video into TensorBoard.

Lerax's main branch (0.0.6) has a LoggingCallback of its own. Where that is not installed, a
callback that sends what it sends (the scalars, and the environment and the policy, in every
iteration, in order) stands in for it.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import jax
import lerax.callback
from jax import random as jr
from lerax.algorithm import PPO
from lerax.callback import AbstractIterationCallback
from lerax.callback.base_callback import EmptyCallbackState
from lerax.env import CartPole
from lerax.policy import MLPActorCriticPolicy
from lerax.utils import callback_with_numpy_wrapper, callback_wrapper
from rich.console import Console
from rich.table import Table
from timing import costs, show

from lerax_log import AbstractLoggingBackend, LoggingCallback, TensorBoardBackend

ROUNDS = 7
# Networks of 13 thousand and of 10 million parameters.
POLICIES: dict[str, dict[str, int]] = {
    "small": {},
    "10 M parameters": {"feature_width": 3000, "value_width": 1024, "action_width": 1024},
}
ITERATIONS = {"small": 1000, "10 M parameters": 30}


class Nothing(AbstractLoggingBackend):
    """Takes everything and keeps nothing, so that the callback itself is what is timed."""

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


def seconds_per_iteration(policy: Any, iterations: int, folder: str) -> dict[str, list[float]]:
    """Return the time of an iteration in each round, by callback."""
    env = CartPole()
    algorithm = PPO(num_envs=4, num_steps=64, num_epochs=1, num_batches=4)
    steps = iterations * algorithm.num_envs * algorithm.num_steps
    callbacks: dict[str, Any] = {
        "none": None,
        "scalars": LoggingCallback(Nothing()),
        "scalars, log_interval=10": LoggingCallback(Nothing(), log_interval=10),
        "scalars, videos not due": LoggingCallback(
            Nothing(), video_interval=10**9, record_when=lambda scalars: False
        ),
        "scalars to TensorBoard": LoggingCallback(TensorBoardBackend(folder)),
        "scalars and 2 videos to TensorBoard": LoggingCallback(
            TensorBoardBackend(folder), video_interval=iterations // 2
        ),
        "Lerax main's way": lerax_main_callback(folder),
    }
    if hasattr(lerax.callback, "TensorBoardCallback"):
        callbacks["Lerax 0.0.5's TensorBoardCallback"] = lerax.callback.TensorBoardCallback(
            "lerax", log_dir=folder
        )
    times: dict[str, list[float]] = {name: [] for name in callbacks}
    for round_ in range(ROUNDS + 1):
        for name, callback in callbacks.items():
            start = time.perf_counter()
            trained = algorithm.learn(env, policy, steps, key=jr.key(round_), callback=callback)
            jax.block_until_ready(jax.tree.leaves(trained)[0])
            seconds = time.perf_counter() - start
            if isinstance(callback, LoggingCallback):
                # What is still being recorded must not fall on the next one.
                callback.close()
            if round_ > 0:
                times[name].append(seconds / iterations)
    return times


def compare_costs() -> None:
    for size, widths in POLICIES.items():
        policy = MLPActorCriticPolicy(CartPole(), key=jr.key(0), **widths)
        parameters = sum(x.size for x in jax.tree.leaves(policy) if hasattr(x, "size"))
        with tempfile.TemporaryDirectory() as folder:
            times = seconds_per_iteration(policy, ITERATIONS[size], folder)
        table = Table(title=f"PPO, {parameters:,} parameters", title_justify="left", box=None)
        for heading in ("callback", "ms an iteration", "ratio to none", "adds ms"):
            table.add_column(heading, justify="left" if heading == "callback" else "right")
        # The fewest of all rounds: whatever else the machine does only ever adds.
        best = {name: 1000 * min(seconds) for name, seconds in times.items()}
        for name, milliseconds in best.items():
            table.add_row(
                name,
                f"{milliseconds:.3f}",
                f"{milliseconds / best['none']:.3f}",
                f"{milliseconds - best['none']:.3f}",
            )
        Console(width=110).print(table, "")
        rows = [
            costs(
                "added by scalars, to what Lerax main adds",
                best["scalars"] - best["none"],
                best["Lerax main's way"] - best["none"],
                0.25,
                "ms",
            ),
            costs(
                "videos that are not due, to scalars only",
                best["scalars, videos not due"],
                best["scalars"],
                1.01,
                "ms",
            ),
        ]
        show(f"{size}: ours and theirs", rows)


RECORDING = """
import contextlib, io, json, os, sys, tempfile, threading, time
from pathlib import Path
from jax import random as jr
from lerax.algorithm import PPO
from lerax.env import CartPole
from lerax.policy import MLPActorCriticPolicy
from lerax_log import LoggingCallback, TensorBoardBackend, session

begun, done, peak, running = [], [], [0], [True]

class Timed(TensorBoardBackend):
    def log_video(self, tag, video, step):
        super().log_video(tag, video, step)
        self.flush()
        done.append(time.perf_counter())

def memory():
    # Pages that the processes share are counted once.
    processes, total = {"self"}, 0
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):
            processes |= set((task / "children").read_text().split())
    for process in processes:
        with contextlib.suppress(OSError):
            rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
            total += int(rollup.split("Pss:")[1].split()[0])
    return total * 1024 / 1e6

def watch():
    while running[0]:
        peak[0] = max(peak[0], memory())
        time.sleep(0.05)

record = session.record
session.record = lambda *a: (begun.append(time.perf_counter()), record(*a))
env = CartPole()
policy = MLPActorCriticPolicy(env, key=jr.key(0))
algorithm = PPO(num_envs=4, num_steps=64, num_epochs=1, num_batches=4)
threading.Thread(target=watch, daemon=True).start()
with tempfile.TemporaryDirectory() as folder:
    callback = LoggingCallback(Timed(folder), video_interval=10, video_num_steps=256)
    for seed in range(6):
        algorithm.learn(env, policy, 10 * 256, key=jr.key(seed), callback=callback)
        # One at a time: the next one must not wait for this one.
        while len(done) <= seed:
            time.sleep(0.01)
    callback.close()
running[0] = False
seconds = [b - a for a, b in zip(begun, done, strict=True)]
print(json.dumps([min(seconds[1:]), peak[0]]))
"""
# Of Lerax main's LoggingCallback, on two cores without a GPU, with nothing else running.
THEIR_RECORDING_SECONDS, THEIR_RECORDING_MB = 15.8, 3600.0


def time_a_recording() -> None:
    output = subprocess.run(
        [sys.executable, "-c", RECORDING], check=True, capture_output=True, text=True
    ).stdout
    seconds, megabytes = json.loads(output.splitlines()[-1])
    show(
        "256 CartPole frames into TensorBoard, warm, next to Lerax main",
        [
            costs("callback to flushed file", seconds, THEIR_RECORDING_SECONDS, 1 / 8, "s"),
            costs(
                "memory, ffmpeg included",
                megabytes,
                THEIR_RECORDING_MB,
                800 / THEIR_RECORDING_MB,
                "MB",
            ),
        ],
    )


if __name__ == "__main__":
    parts: dict[str, Callable[[], None]] = {"cost": compare_costs, "recording": time_a_recording}
    for part in sys.argv[1:] or parts:
        parts[part]()
