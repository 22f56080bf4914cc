"""Many clips: what they cost beside encoding, what they share, and what a Dask cluster adds."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import jax
from clips import cpu_of, dask
from lerax.env.classic_control import CartPole
from lerax.policy import MLPActorCriticPolicy
from recorders import encoding_of, write_frames
from report import Section
from timing import Row, at_most, costs, cpu_time, known

from lerax_render import Clip, capture, render_clips
from lerax_render.batch.executors import WorkerProcesses, dask_cluster

ROOT = Path(__file__).parents[1]
CLIPS, STEPS = 12, 1024
WIDTH, HEIGHT = 640, 480
SHORT_CLIPS, SHORT_STEPS, SHORT_SIZE = 1000, 64, {"width": 320, "height": 240}


def sections() -> Iterator[Section]:
    yield Section(
        "Many clips in one process",
        f"{CLIPS} CartPole clips of {STEPS:,} steps, {WIDTH}×{HEIGHT}, made one after the other, "
        f"each followed by ffmpeg alone on the raw frames of one of them. CPU time is that of all "
        "processes.",
        one_process(),
    )
    yield Section(
        "What clips share",
        "Programs that are compiled for a second clip in the same process, and how often two "
        "workers that start at the same time compile the rollout of one MuJoCo environment.",
        [*further_programs(), in_two_workers()],
    )
    yield Section(
        "Dask",
        f"{SHORT_CLIPS:,} CartPole clips of {SHORT_STEPS} steps, "
        f"{SHORT_SIZE['width']}×{SHORT_SIZE['height']}, which take about a tenth of a usual one's "
        "time, on a local cluster whose workers have compiled already.",
        on_a_cluster(),
    )


def one_process() -> list[Row]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        raw = folder / "frames.raw"
        write_frames(raw, capture(CartPole(), steps=STEPS), WIDTH, HEIGHT)
        command = encoding_of(raw, WIDTH, HEIGHT)

        def ours(seed: int) -> None:
            Clip(env="CartPole", seed=seed, steps=STEPS).record(folder / f"{seed}.mp4")

        def alone(seed: int) -> None:
            subprocess.run(command, check=True, cwd=folder)

        used = {"cpu": [0.0, 0.0], "wall": [0.0, 0.0]}
        for seed in range(CLIPS):
            for who, make in enumerate((ours, alone)):
                wall, cpu = time.perf_counter(), cpu_time()
                make(seed)
                used["cpu"][who] += cpu_time() - cpu
                used["wall"][who] += time.perf_counter() - wall
    what = f"{CLIPS} clips / {CLIPS} times ffmpeg alone, "
    return [costs(what + f"{kind} time", *both, 1.1) for kind, both in used.items()]


def further_programs() -> Iterator[Row]:
    """Count what is compiled for a clip of another seed, policy and number in the environment."""
    compiled: list[str] = []

    def listen(event: str, seconds: float, **details: str | int) -> None:
        if event.endswith("backend_compile_duration"):
            compiled.append(str(details.get("fun_name")))

    with tempfile.TemporaryDirectory() as name:
        policies = [Path(name, f"{seed}.eqx") for seed in range(2)]
        for seed, path in enumerate(policies):
            MLPActorCriticPolicy(CartPole(), key=jax.random.key(seed)).serialize(path)
        jax.effects_barrier()
        jax.monitoring.register_event_duration_secs_listener(listen)
        for seed, path in enumerate(policies):
            compiled.clear()
            arguments = {"gravity": 9.8 - seed}
            clip = Clip(
                env="CartPole", env_args=arguments, policy=str(path), seed=seed, steps=SHORT_STEPS
            )
            clip.record()
    what = "another seed, policy, and gravity: programs compiled"
    yield at_most(what, len(compiled), 0, "programs")


def in_two_workers() -> Row:
    # The tests have a MuJoCo environment that compiles in seconds.
    sys.path.append(str(ROOT / "tests"))
    with WorkerProcesses(2) as executor:
        counts = [executor.submit(compilations) for _ in range(2)]
        total = sum(count.result() for count in counts)
    return at_most("two workers at once: the same rollout compiled", total, 1, "times")


def compilations() -> int:
    """Make a clip in a worker, and return how often that has compiled a rollout."""
    hits, requests = [], []

    def listen(event: str, seconds: float, **details: str | int) -> None:
        if event.endswith("compile_time_saved_sec"):
            hits.append(event)
        elif event.endswith("backend_compile_duration") and details.get("fun_name") == "jit(scan)":
            # Read from the cache or compiled: what comes before says which.
            requests.append(not hits)
            hits.clear()
        elif event.endswith("backend_compile_duration"):
            hits.clear()

    jax.monitoring.register_event_duration_secs_listener(listen)
    Clip(env="support.mjx_environments:Swing", steps=2, width=64, height=48).record()
    return sum(requests)


def on_a_cluster() -> list[Row]:
    gaps, milliseconds = {}, {}
    for workers in (1, 2):
        gaps[workers], milliseconds[workers] = cluster(workers)
    ours, theirs = sum(milliseconds[2][:2]), milliseconds[2][2]
    return [
        *(
            at_most(
                f"{workers} worker{'s' * (workers > 1)}: time between clips, of all time",
                100 * gaps[workers],
                5,
                "%",
            )
            for workers in (1, 2)
        ),
        known("CPU time of scheduler and client / of a worker, for a clip", ours, theirs, "ms"),
    ]


def cluster(workers: int) -> tuple[float, tuple[float, float, float]]:
    """Make the short clips on a cluster.

    Returns:
        Which part of the time its workers made no clip, and the CPU milliseconds that the
        scheduler, the client and the workers took for each.
    """
    cores = sorted(os.sched_getaffinity(0))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    arguments = ["--nthreads", "1", "--no-nanny", "--memory-limit", "0"]
    with ExitStack() as stack:
        scheduler = stack.enter_context(dask("scheduler", "--port", str(port)))
        each = [stack.enter_context(dask("worker", address, *arguments)) for _ in range(workers)]
        for number, worker in enumerate(each):
            os.sched_setaffinity(worker.pid, {cores[number % len(cores)]})
        executor = stack.enter_context(dask_cluster(address, timeout=60))

        def clip(seed: int) -> Clip:
            return Clip(env="CartPole", seed=seed, steps=SHORT_STEPS, **SHORT_SIZE)

        def used() -> tuple[float, float, float]:
            return (
                cpu_of(scheduler.pid),
                cpu_time(),
                sum(cpu_of(worker.pid, children=True) for worker in each),
            )

        # Each worker has compiled before the clock starts.
        for _ in render_clips(map(clip, range(4 * workers)), executor):
            pass
        before, started = used(), time.perf_counter()
        outcomes = [outcome for _, outcome in render_clips(map(clip, range(SHORT_CLIPS)), executor)]
        seconds, after = time.perf_counter() - started, used()
    assert not any(outcome.error for outcome in outcomes)
    busy = sum(outcome.seconds for outcome in outcomes) / workers
    a, b, c = (1e3 * (end - begin) / SHORT_CLIPS for begin, end in zip(before, after, strict=True))
    return 1 - busy / seconds, (a, b, c)
