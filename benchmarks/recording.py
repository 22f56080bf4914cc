"""One recording of a training by itself, and what recordings add to a training beside them."""

import contextlib
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jax
from jax import random as jr
from lerax.algorithm import PPO
from lerax.env.classic_control import CartPole
from lerax.policy import MLPActorCriticPolicy
from report import Section
from timing import Row, at_most, cpu_time, known

from lerax_log import LoggingCallback, TensorBoardBackend
from lerax_log.host import events

FRAMES = 256
INTERVAL = 10
# Measured once, with nothing else running on two cores: Lerax main is not to be had from PyPI.
LERAX_MAIN = "Lerax main's callback was once measured at 15.8 s and 3.6 GB on two quiet cores"


def sections() -> Iterator[Section]:
    alone = float(
        subprocess.run(
            [sys.executable, __file__, "alone"], check=True, stdout=subprocess.PIPE, text=True
        ).stdout
    )
    seconds, megabytes = one_recording()
    yield Section(
        "One recording",
        f"{FRAMES} frames of CartPole, 640×480, into TensorBoard and an MP4 file, warm: from the "
        f"callback to the flushed file, and the peak memory of the training's process and of "
        f"ffmpeg together. {LERAX_MAIN}, not in this run; a tenth of that time was aimed at.",
        [
            at_most("callback to flushed file", seconds, 15.8 / 10, "s"),
            at_most("memory, ffmpeg included", megabytes, 600, "MB"),
            known("the same / this training with scalars alone", megabytes, alone, "MB"),
        ],
    )
    algorithm = PPO(num_envs=16, num_steps=512, num_epochs=10, num_batches=16)
    comparison = Comparison(CartPole(), algorithm, iterations=3 * INTERVAL, rounds=2)
    comparison.run()
    yield Section(
        "Training beside recordings",
        f"PPO on CartPole for {comparison.iterations} iterations, with scalars to TensorBoard, "
        f"with and without a recording of {FRAMES} frames each {INTERVAL} iterations, in turn; "
        f"what is still recorded when the training ends is not in its time, but in the CPU time.",
        comparison.rows(),
        note="The training does not wait for a recording: the callback only hands over the arrays "
        "(the first row). What recordings add to its time here is that painting and encoding need "
        "cores, too: two cores have few to spare. More cores, a higher `video_interval`, or a "
        "training on a GPU make that part smaller.",
    )


class Timed(TensorBoardBackend):
    """Notes when a clip is where TensorBoard can read it."""

    def __init__(self, folder: str, done: list[float]) -> None:
        super().__init__(folder)
        self._done = done

    def log_video(self, tag: str, video: Any, step: int) -> None:
        super().log_video(tag, video, step)
        self.flush()
        self._done.append(time.perf_counter())


@contextlib.contextmanager
def watched(note: Callable[[float, float], object]) -> Iterator[None]:
    """Have `note` called with begin and end, in seconds, whenever a recording is handed over."""
    record = events.record

    def timed(*arguments: Any) -> None:
        begin = time.perf_counter()
        record(*arguments)
        note(begin, time.perf_counter())

    events.record = timed
    try:
        yield
    finally:
        events.record = record


def one_recording(count: int = 6) -> tuple[float, float]:
    """Return the fewest seconds of a recording, and the most megabytes meanwhile."""
    begun: list[float] = []
    done: list[float] = []
    train = short_training()
    with (
        tempfile.TemporaryDirectory() as folder,
        peak_of_family() as peak,
        watched(lambda begin, end: begun.append(begin)),
        LoggingCallback(
            Timed(folder, done), video_interval=INTERVAL, video_num_steps=FRAMES
        ) as callback,
    ):
        for seed in range(count):
            train(seed, callback)
            # One at a time: the next one must not wait for this one. Before the first training,
            # the policy is recorded as it is.
            while len(done) <= seed + 1:
                time.sleep(0.01)
    return min(b - a for a, b in zip(begun[1:], done[2:], strict=True)), peak[0]


def memory_alone(count: int = 6) -> float:
    """Return the most megabytes of the same trainings, of which nothing is recorded."""
    train = short_training()
    with (
        tempfile.TemporaryDirectory() as folder,
        peak_of_family() as peak,
        LoggingCallback(TensorBoardBackend(folder)) as callback,
    ):
        for seed in range(count):
            train(seed, callback)
    return peak[0]


def short_training() -> Callable[[int, LoggingCallback], None]:
    """Return a training of as many iterations as lie between two recordings."""
    env = CartPole()
    policy = MLPActorCriticPolicy(env, key=jr.key(0))
    algorithm = PPO(num_envs=4, num_steps=64, num_epochs=1, num_batches=4)
    steps = INTERVAL * algorithm.num_envs * algorithm.num_steps

    def train(seed: int, callback: LoggingCallback) -> None:
        trained = algorithm.learn(env, policy, steps, key=jr.key(seed), callback=callback)
        jax.block_until_ready(jax.tree.leaves(trained)[0])

    return train


@contextlib.contextmanager
def peak_of_family() -> Iterator[list[float]]:
    """Yield a list of the most megabytes of this process and its children in the meantime."""
    peak = [0.0]
    is_over = threading.Event()

    def watch() -> None:
        while not is_over.wait(0.05):
            peak[0] = max(peak[0], memory_of_family())

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield peak
    finally:
        is_over.set()
        watcher.join()


def memory_of_family() -> float:
    """Return megabytes of this process and its children; pages that they share count once."""
    processes, kilobytes = {"self"}, 0
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):
            processes |= set((task / "children").read_text().split())
    for process in processes:
        with contextlib.suppress(OSError):
            rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
            kilobytes += int(rollup.split("Pss:")[1].split()[0])
    return kilobytes * 1024 / 1e6


@dataclass
class Comparison:
    """The same training with and without recordings, in turn.

    Attributes:
        env: What is trained in.
        algorithm: What trains.
        iterations: Of each training.
        rounds: How often each is done, after one of each that compiles.
        seconds: Of the trainings, by whether they were recorded.
        cpu_seconds: Likewise, of this process and its children, until the last recording is done.
        held: Seconds that each callback that handed a recording over took.
        recorded: Recordings that were finished, in all rounds.
    """

    env: Any
    algorithm: Any
    iterations: int
    rounds: int
    seconds: dict[bool, list[float]] = field(default_factory=lambda: {True: [], False: []})
    cpu_seconds: dict[bool, list[float]] = field(default_factory=lambda: {True: [], False: []})
    held: list[float] = field(default_factory=list)
    recorded: int = 0

    def run(self) -> None:
        """Do all the trainings."""
        policy = MLPActorCriticPolicy(self.env, key=jr.key(0))
        steps = self.iterations * self.algorithm.num_envs * self.algorithm.num_steps
        done: list[float] = []
        with (
            tempfile.TemporaryDirectory() as folder,
            watched(lambda begin, end: self.held.append(end - begin)),
        ):
            callbacks = {
                False: LoggingCallback(TensorBoardBackend(folder)),
                True: LoggingCallback(
                    Timed(folder, done), video_interval=INTERVAL, video_num_steps=FRAMES
                ),
            }
            for round_ in range(self.rounds + 1):
                for recorded, callback in callbacks.items():
                    begun, cpu = time.perf_counter(), cpu_time()
                    trained = self.algorithm.learn(
                        self.env, policy, steps, key=jr.key(round_), callback=callback
                    )
                    jax.block_until_ready(jax.tree.leaves(trained)[0])
                    self.seconds[recorded].append(time.perf_counter() - begun)
                    callback.close()
                    self.cpu_seconds[recorded].append(cpu_time() - cpu)
                if round_ == 0:
                    for each in (*self.seconds.values(), *self.cpu_seconds.values()):
                        each.clear()
                    self.held.clear()
                    done.clear()
        self.recorded = len(done)

    def rows(self, limit: float | None = None) -> list[Row]:
        """Return the rows of a section; `limit` is what recordings may add, in percent."""
        on, off = min(self.seconds[True]), min(self.seconds[False])
        wait = 100 * sum(self.held) / self.rounds / off
        rows = [at_most("the training waits in callbacks that hand over", wait, 2, "%")]
        if limit is not None:
            added = 100 * (on / off - 1)
            rows.append(at_most("recordings add to the training's time", added, limit, "%"))
        # The untrained policy is recorded, too.
        due = self.rounds * (1 + self.iterations // INTERVAL)
        cpu = [min(self.cpu_seconds[recorded]) for recorded in (True, False)]
        return [
            *rows,
            known("training's time, with recordings / without", on, off, "s"),
            known("CPU time, with recordings / without", *cpu, "s"),
            known("recordings, finished / due", self.recorded, due, "clips"),
        ]


if __name__ == "__main__" and sys.argv[1:] == ["alone"]:
    print(memory_alone())
