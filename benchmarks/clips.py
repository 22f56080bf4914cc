"""What one clip of many costs: to start a worker, to compile, to render; and to hand it out.

    python benchmarks/clips.py [clips] [workers] [dask]

All by default, in about five minutes on two cores. Times are CPU seconds of all processes involved,
which other work on the machine changes little. docs/scale.md counts with them.
"""

import importlib.util
import json
import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from lerax_render import Clip, render_clips
from lerax_render.batch.executors import WorkerProcesses, dask_cluster, shares_of_cores

STEPS = 256
FURTHER = 2
TASKS = 2000
BYTES = 37_000


def kinds() -> dict[str, Clip]:
    """The clips whose costs are measured."""
    gymnasium = importlib.util.find_spec("gymnasium")
    assert gymnasium is not None
    assert gymnasium.origin is not None
    mjcf = Path(gymnasium.origin).parent / "envs/mujoco/assets"
    return {
        "CartPole": Clip(env="CartPole", steps=STEPS),
        "Ant, Gymnasium's MJCF": Clip(env=str(mjcf / "ant.xml"), steps=STEPS),
        "Humanoid, in MJX": Clip(env="Humanoid", steps=STEPS),
    }


def cpu_seconds() -> float:
    """CPU time of this process, and of those that it has waited for, such as ffmpeg."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)


def in_worker(kind: str, count: str) -> None:
    """What a fresh worker process does, with a core of its own; prints what each part took."""
    os.sched_setaffinity(0, shares_of_cores(os.cpu_count() or 1)[0])
    import lerax.env  # noqa: F401

    import lerax_render.recording  # noqa: F401

    times = [cpu_seconds()]
    clip = kinds()[kind]
    for _ in range(int(count)):
        size = clip.record().num_bytes
        times.append(cpu_seconds())
    status = Path("/proc/self/status").read_text()
    memory = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    print(json.dumps({"times": times, "bytes": size, "memory": memory}))


def clip_costs(kind: str) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--in-worker", kind]
        environment = {
            **os.environ,
            "JAX_COMPILATION_CACHE_DIR": f"{folder}/cache",
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.2",
        }
        # The first one fills the cache.
        outputs = [
            subprocess.run(
                [*command, str(count)],
                env=environment,
                check=True,
                stdout=subprocess.PIPE,
                text=True,
            )
            for count in (1, 1 + FURTHER)
        ]
        cold, warm = (json.loads(output.stdout.splitlines()[-1]) for output in outputs)
    start, first, *_, last = warm["times"]
    costs = [
        kind,
        f"{start:.1f}",
        f"{cold['times'][1] - cold['times'][0]:.1f}",
        f"{first - start:.1f}",
        f"{(last - first) / FURTHER:.2f}",
        f"{warm['bytes'] / 1e3:.0f}",
        f"{max(cold['memory'], warm['memory']):.0f}",
    ]
    print(*costs, sep="  ", file=sys.stderr)
    return costs


def show(title: str, headings: list[str], rows: list[list[str]]) -> None:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for heading in headings:
        table.add_column(heading, justify="right" if heading else "left")
    for row in rows:
        table.add_row(*row)
    Console(width=110).print(table, "")


def clips() -> None:
    show(
        f"A clip of {STEPS} steps, 640x480, MP4, on one core; CPU seconds",
        ["", "start", "first, to compile", "first, cached", "each further", "kB", "MB at most"],
        [clip_costs(kind) for kind in kinds()],
    )


def workers() -> None:
    """The same clips with one process and with one a core, wall time, processes running already."""
    cores = len(os.sched_getaffinity(0))
    work = [Clip(env="CartPole", steps=STEPS, seed=seed) for seed in range(12 * cores)]
    rows = []
    for count in sorted({1, cores}):
        with WorkerProcesses(count) as executor:
            # Each process has compiled before the clock starts.
            deque(render_clips(work[: 4 * count], executor), maxlen=0)
            started = time.perf_counter()
            outcomes = dict(render_clips(work, executor))
            seconds = time.perf_counter() - started
        assert not any(outcome.error for outcome in outcomes.values())
        rows.append([f"{count} of {cores} cores", f"{len(work) / seconds:.2f}"])
    show(f"CartPole clips of {STEPS} steps a second", ["", "clips/s"], rows)


@contextmanager
def dask(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        [sys.executable, "-m", "dask", *arguments, "--host", "127.0.0.1", "--no-dashboard"],
        stderr=subprocess.DEVNULL,
    ) as child:
        try:
            yield child
        finally:
            child.kill()


def cpu_of(process: int, *, children: bool = False) -> float:
    """CPU time of another process, and of those that it has waited for."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11 : 15 if children else 13])) / os.sysconf("SC_CLK_TCK")


def handing_out() -> None:
    """What scheduler and client do for a clip, whose rendering is left out."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
    worker = ["worker", address, "--nthreads", "1", "--no-nanny", "--memory-limit", "0"]
    with (
        dask("scheduler", "--port", address.rpartition(":")[2]) as scheduler,
        dask(*worker),
        dask_cluster(address, timeout=60) as executor,
    ):
        executor.submit(int).result()
        rows = []
        for what, size in (("its path comes back", 100), (f"{BYTES // 1000} kB come back", BYTES)):
            before = cpu_of(scheduler.pid), cpu_seconds()
            deque(executor.map(bytes, [size] * TASKS), maxlen=0)
            used = cpu_of(scheduler.pid) - before[0], cpu_seconds() - before[1]
            rows.append([what, *(f"{1e3 * each / TASKS:.2f}" for each in used)])
    show("Dask, CPU milliseconds a clip", ["", "scheduler", "client"], rows)


def main(parts: list[str]) -> None:
    if parts[:1] == ["--in-worker"]:
        in_worker(*parts[1:])
        return
    for name, part in (("clips", clips), ("workers", workers), ("dask", handing_out)):
        if not parts or name in parts:
            part()


if __name__ == "__main__":
    main(sys.argv[1:])
