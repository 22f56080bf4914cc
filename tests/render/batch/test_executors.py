"""Worker processes and a Dask cluster that are real, and of which some die."""

import dataclasses
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import BinaryIO

import jax
import pytest
from distributed import Client
from lerax.env.classic_control import CartPole
from lerax.policy import MLPActorCriticPolicy

from lerax_render import BackendUnavailableError, Clip, Job, render_clips
from lerax_render.batch import executors
from lerax_render.batch.executors import WorkerProcesses, dask_cluster, shares_of_cores
from lerax_render.cli import commands as cli
from lerax_render.video import work_folder as work_folders
from support import in_worker

# Many processes are started here, each of which loads JAX.
pytestmark = pytest.mark.timeout(900)

SMALL = {"steps": 5, "width": 64, "height": 48}
PATIENCE = 240.0

# Nothing heavy is imported before it is needed: processes die often here.
ENVS = """
import os, signal, time
from pathlib import Path

def mark(folder):
    # One file for each call, named after the process.
    Path(folder, f"{os.getpid()}-{time.monotonic_ns()}").touch()
    return len(os.listdir(folder))

def dies(folder, times):
    if mark(folder) <= times:
        os.kill(os.getpid(), signal.SIGKILL)
    from lerax.env.classic_control import CartPole
    return CartPole()

def fails(folder):
    mark(folder)
    raise RuntimeError("no such luck")

def hangs(folder):
    mark(folder)
    time.sleep(1000)

def hangs_in_render(folder):
    from support.environments import Counting

    class Stuck(Counting):
        def render(self, state, renderer):
            if mark(folder) == 1:
                time.sleep(1000)
            super().render(state, renderer)

    return Stuck()
"""


@pytest.fixture
def envs(tmp_path) -> Path:
    """A file with environments that do their process harm."""
    path = tmp_path / "envs.py"
    path.write_text(ENVS)
    return path


def until(condition: Callable[[], object], what: str) -> None:
    """Wait for what other processes do."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"{what} did not come about in {PATIENCE:g} s"
        time.sleep(0.05)


def marks(folder: Path) -> list[int]:
    """The processes that the environments of a folder were loaded in, in no order."""
    return [int(name.partition("-")[0]) for name in os.listdir(folder)]


def is_running(process: int) -> bool:
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize(
    ("cores", "workers", "shares"),
    [
        (8, 2, [4, 4]),
        (8, 3, [2, 3, 3]),
        (2, 5, [1, 1, 1, 1, 1]),
        (1, 1, [1]),
    ],
)
def test_cores_are_divided(monkeypatch, cores, workers, shares):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(10, 10 + cores)))
    monkeypatch.setattr("loky.cpu_count", lambda: 100)
    divided = shares_of_cores(workers)
    assert [len(share) for share in divided] == shares
    assert set.union(*divided) == set(range(10, 10 + cores))
    # And evenly, where there are too few.
    loads = [sum(core in share for share in divided) for core in range(10, 10 + cores)]
    assert max(loads) - min(loads) <= 1


def test_no_more_cores_than_a_containers_quota(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(64)))
    monkeypatch.setattr("loky.cpu_count", lambda: 4)
    assert len(set.union(*shares_of_cores(2))) == 4
    assert len({frozenset(share) for _ in range(20) for share in shares_of_cores(2)}) > 2


def test_workers_keep_to_their_cores():
    with WorkerProcesses(2) as executor:
        shares = [executor.submit(in_worker.cores) for _ in range(2)]
        threads = executor.submit(in_worker.threads_beside_a_clip).result(PATIENCE)
        share = shares[0].result(PATIENCE)
    assert share in shares_of_cores(2)
    assert threads["tf_XLAEigen"] == len(share)
    assert sum(count for name, count in threads.items() if name.startswith("llvmpipe")) <= len(
        share
    )


def test_a_process_that_dies_is_replaced_and_harms_no_other(tmp_path):
    with WorkerProcesses(2) as executor:
        slow = executor.submit(in_worker.wait_for, tmp_path / "end")
        dead = executor.submit(in_worker.die)
        with pytest.raises(BrokenExecutor):
            dead.result(PATIENCE)
        assert not slow.done()
        assert executor.submit(in_worker.cores).result(PATIENCE)
        (tmp_path / "end").touch()
        assert slow.result(PATIENCE) is None


def test_no_message_is_larger_than_a_pipe_takes_whole(tmp_path):
    assert isinstance(executors._answer(partial(bytes, 10), tmp_path), bytes)
    assert isinstance(executors._answer(partial(bytes, 10**6), tmp_path), Path)
    before = set(Path(tempfile.gettempdir()).iterdir())
    with WorkerProcesses(1) as pool:
        assert pool.submit(bytes, 10**6).result() == bytes(10**6)
        assert pool.submit(int).result() == 0
    assert not [
        path
        for path in set(Path(tempfile.gettempdir()).iterdir()) - before
        if path.name.startswith(work_folders.PREFIX)
    ]


@pytest.mark.slow
def test_clips_are_tried_again_when_their_process_dies(tmp_path, envs):
    for name in ("once", "always", "fails"):
        (tmp_path / name).mkdir()

    def harmful(attribute: str, folder: str, **arguments: int) -> Clip:
        arguments = {"folder": str(tmp_path / folder), **arguments}
        return Clip(env=f"{envs}:{attribute}", env_args=arguments, **SMALL)

    good = Clip(env="CartPole", format="apng", **SMALL)
    clips = [
        harmful("dies", "always", times=100),
        Job(good, tmp_path / "good.apng", still=True),
        harmful("dies", "once", times=1),
        harmful("fails", "fails"),
        good,
    ]
    with WorkerProcesses(2) as executor:
        outcomes = list(render_clips(clips, executor, retries=2))
    numbers = [number for number, _ in outcomes]
    always, inside, once, fails, again = (
        outcome for _, outcome in sorted(outcomes, key=itemgetter(0))
    )

    assert sorted(numbers) == [0, 1, 2, 3, 4]
    assert always.error.startswith("the process that rendered it was ended, 3 times,")
    assert (always.deaths, len(marks(tmp_path / "always"))) == (3, 3)
    assert (once.error, once.deaths, len(marks(tmp_path / "once"))) == (None, 1, 2)
    # It failed by itself, which it would do again.
    assert (fails.error, fails.deaths) == ("RuntimeError: no such luck", 0)
    assert len(marks(tmp_path / "fails")) == 1
    assert (inside.deaths, again.deaths) == (0, 0)
    assert inside.video.path == tmp_path / "good.apng"
    assert inside.video.data == again.video.content == good.record().content
    assert not any(
        is_running(process)
        for folder in ("always", "once", "fails")
        for process in marks(tmp_path / folder)
    )


@pytest.mark.parametrize("ending", ["SIGINT", "SIGTERM", "SIGKILL"])
def test_no_process_is_left_when_the_command_is_ended(tmp_path, envs, ending):
    (tmp_path / "marks").mkdir()
    entry = f'env = "envs.py:hangs"\nenv_args = {{ folder = "{tmp_path}/marks" }}'
    manifest = tmp_path / "gallery.toml"
    manifest.write_text("".join(f'[[clips]]\nname = "c{n}"\n{entry}\n' for n in range(3)))
    command = [sys.executable, "-m", "lerax_render", "gallery", manifest, "-o", tmp_path / "out"]
    with subprocess.Popen(
        [*command, "--workers", "2", "--no-cache"], stderr=subprocess.PIPE, process_group=0
    ) as child:
        until(lambda: len(marks(tmp_path / "marks")) == 2, "two clips at once")
        # Ctrl-C at a terminal is sent to all processes.
        (os.killpg if ending == "SIGINT" else os.kill)(child.pid, getattr(signal, ending))
        child.wait(PATIENCE)
        workers = marks(tmp_path / "marks")
        until(lambda: not any(map(is_running, workers)), "the end of the workers")
        errors = child.stderr.read().decode()
    assert len(workers) == 2
    assert child.returncode == {"SIGINT": 130, "SIGTERM": 143, "SIGKILL": -9}[ending]
    assert "Traceback" not in errors
    if ending != "SIGKILL":
        assert {path.name for path in (tmp_path / "out").iterdir()} == {"index.html", "gallery.md"}


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextmanager
def dask(*arguments: object, log: BinaryIO) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command of Dask's until the block ends."""
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(sys.path),
        "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1",
        "DASK_LOGGING__DISTRIBUTED": "warning",
    }
    command = [sys.executable, "-m", "dask", *map(str, arguments)]
    child = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    try:
        yield child
    finally:
        child.kill()
        child.wait()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory) -> Iterator[str]:
    """The address of a scheduler with three workers, each a process of its own."""
    folder = tmp_path_factory.mktemp("dask")
    address = f"tcp://127.0.0.1:{free_port()}"
    port = address.rpartition(":")[2]
    alone = ["--host", "127.0.0.1", "--no-dashboard"]
    worker = ["--nthreads", 1, "--no-nanny", "--memory-limit", 0, "--local-directory", folder]
    with ExitStack() as stack:
        log = stack.enter_context(open(folder / "log", "wb"))
        stack.enter_context(dask("scheduler", *alone, "--port", port, log=log))
        children = [
            stack.enter_context(dask("worker", address, *alone, *worker, log=log)) for _ in range(3)
        ]
        with Client(address, timeout=PATIENCE, set_as_default=False) as client:
            client.wait_for_workers(3, PATIENCE)
        yield address
    assert not any(is_running(child.pid) for child in children)


@pytest.mark.slow
def test_a_cluster_that_loses_a_worker(cluster, tmp_path, envs):
    (tmp_path / "marks").mkdir()
    policy = MLPActorCriticPolicy(CartPole(), feature_size=4, key=jax.random.key(0))
    policy.serialize(tmp_path / "policy.eqx")
    jax.effects_barrier()
    trained = Clip(
        env="CartPole",
        policy=("policy.eqx",),
        policy_args={"feature_size": 4},
        folder=tmp_path,
        **SMALL,
    ).with_policies()
    (tmp_path / "policy.eqx").unlink()
    clips = [dataclasses.replace(trained, seed=seed) for seed in range(24)]
    arguments = {"folder": str(tmp_path / "marks")}
    clips[7] = Clip(env=f"{envs}:hangs_in_render", env_args=arguments, **SMALL)

    def kill_who_is_stuck() -> None:
        until(lambda: marks(tmp_path / "marks"), "a worker that is stuck")
        os.kill(marks(tmp_path / "marks")[0], signal.SIGKILL)

    with dask_cluster(cluster) as executor, ThreadPoolExecutor(1) as killer:
        killed = killer.submit(kill_who_is_stuck)
        outcomes = list(render_clips(clips, executor))
    killed.result()

    assert sorted(number for number, _ in outcomes) == list(range(24))
    assert [outcome.error for _, outcome in outcomes] == [None] * 24
    assert len(set(marks(tmp_path / "marks"))) == 2
    for number, outcome in outcomes:
        assert outcome.video.content == clips[number].record().content, number
    # Different starts; some look the same in so small a picture.
    assert len({outcome.video.content for _, outcome in outcomes}) > 12


def test_a_gallery_is_made_on_a_cluster(cluster, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("gallery.toml").write_text(
        "[defaults]\nsteps = 3\nwidth = 64\nheight = 48\n"
        '[[clips]]\nenv = "CartPole"\n'
        '[[clips]]\nname = "lost"\nenv = "CartPole"\npolicy = "lost.eqx"\n'
    )
    Path("lost.eqx").write_text("no policy")
    where = {"here": ["--no-cache"], "sent": ["--dask", cluster]}
    where["shared"] = [*where["sent"], "--shared"]
    made = {}
    for name, options in where.items():
        with pytest.raises(SystemExit):
            cli.main(["gallery", "gallery.toml", "-o", name, *options])
        output = capsys.readouterr()
        assert f"{name}/index.html: 1 made, 0 unchanged, 1 failed" in output.out
        assert re.search(r"lost could not be made: .* does not hold the parameters", output.err)
        made[name] = {
            path.name: path.read_bytes()
            for path in Path(name).iterdir()
            if path.name != ".gallery.json"
        }
    assert made["here"].keys() > {"CartPole.mp4", "CartPole.still.webp"}
    assert made["sent"] == made["shared"] == made["here"]


def leave() -> None:
    sys.exit("no licence here")


def test_an_initializer_that_fails_is_named():
    with WorkerProcesses(1, leave) as executor:
        [(_, outcome)] = render_clips([Clip(env="CartPole")], executor)
    assert outcome.error == "the worker's initializer failed: SystemExit: no licence here"
    assert outcome.deaths == 0


# The last one with the cluster: few workers survive it.
def test_a_clip_that_kills_the_workers_of_a_cluster_is_given_up(cluster, tmp_path, envs):
    (tmp_path / "marks").mkdir()
    arguments = {"folder": str(tmp_path / "marks"), "times": 100}
    with dask_cluster(cluster) as executor:
        [(_, outcome)] = render_clips([Clip(env=f"{envs}:dies", env_args=arguments)], executor)
    assert outcome.error.startswith("the process that rendered it was ended, 2 times,")
    assert (outcome.deaths, len(set(marks(tmp_path / "marks")))) == (2, 2)


def test_where_no_scheduler_is_the_error_comes_soon():
    started = time.monotonic()
    with (
        pytest.raises(BackendUnavailableError, match=r"no Dask scheduler answers at 'tcp://127"),
        dask_cluster(f"tcp://127.0.0.1:{free_port()}", timeout=0.5),
    ):
        pass
    assert time.monotonic() - started < 20
    with (
        pytest.raises(BackendUnavailableError, match="no Dask scheduler answers at 'nonsense://x'"),
        dask_cluster("nonsense://x"),
    ):
        pass
    # Nor is there a client that complains once more when it is deleted.
    command = (
        "from lerax_render.batch.executors import dask_cluster; dask_cluster('foo').__enter__()"
    )
    ended = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True)
    assert "BackendUnavailableError: no Dask scheduler answers at 'foo'" in ended.stderr
    assert "Exception ignored" not in ended.stderr


def test_clips_are_given_up_where_the_scheduler_is_gone():
    address = f"tcp://127.0.0.1:{free_port()}"
    options = ["--host", "127.0.0.1", "--no-dashboard", "--port", address.rpartition(":")[2]]
    with ExitStack() as stack:
        scheduler = stack.enter_context(dask("scheduler", *options, log=subprocess.DEVNULL))
        # Connects anew for as long as this.
        executor = stack.enter_context(dask_cluster(address, timeout=20.0))
        executor._client._timeout = 0.5
        # More than the scheduler is given at once: it would take the others, and never do them.
        outcomes = render_clips([Clip(env="CartPole", **SMALL)] * 5, executor, at_once=2)
        scheduler.kill()
        errors = [outcome.error for _, outcome in outcomes]
    assert len(errors) == 5
    assert all("the connection to it broke" in error for error in errors)


def test_mistakes_of_worker_processes():
    with pytest.raises(TypeError, match=r"workers must be a whole number, .*, got '2'"):
        WorkerProcesses("2")


def test_without_dask_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with (
        pytest.raises(BackendUnavailableError, match=r"pip install 'lerax-render\[cluster\]'"),
        dask_cluster("tcp://127.0.0.1:1"),
    ):
        pass


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--workers", "2", "--dask", "tcp://127.0.0.1:1"], "--workers and --dask exclude each"),
        (["--shared"], "--shared is about the workers of a cluster"),
        (["--workers", "0"], "workers must be at least 1, got 0"),
    ],
)
def test_mistakes_on_the_command_line(tmp_path, capsys, options, message):
    with pytest.raises(SystemExit):
        cli.main(["gallery", "gallery.toml", "-o", str(tmp_path / "out"), "--no-cache", *options])
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
