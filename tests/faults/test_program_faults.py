"""What takes a whole program to break."""

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lerax_render import VideoWriter
from support.faults import (
    FRAMES,
    LOGGED,
    RECORDED,
    SECONDS,
    assert_kept,
    assert_readable,
    wait_for,
)
from support.paths import TESTS
from support.processes import is_running
from support.read_logs import read_event_files
from support.trainings import STEPS_AN_ITERATION

PRELUDE = f"""
import os, signal, sys
sys.path[:0] = [{str(TESTS)!r}]
from pathlib import Path
from lerax_log import LoggingCallback, TensorBoardBackend
from support.faults import *
from support.processes import ffmpegs
from support.trainings import Training
"""

TRAIN = """
callback = LoggingCallback(
    TensorBoardBackend("logs"), name="run", video_num_steps=FRAMES, **OPTIONS
)
training = staged()
"""


def program(code: str, folder: Path, *wrapper: str, **variables: str) -> tuple[int, str, str]:
    """Run a program in a folder; return how it ended, and what it wrote to stdout and stderr."""
    done = subprocess.run(
        [*wrapper, sys.executable, "-c", PRELUDE + code],
        cwd=folder,
        env={**os.environ, "TMPDIR": str(folder / "temporary"), **variables},
        capture_output=True,
        text=True,
        timeout=2 * SECONDS,
    )
    return done.returncode, done.stdout, done.stderr


def hidden(folder: Path) -> list[Path]:
    return list(folder.rglob(".lerax-render-*"))


def without_osmesa() -> list[str]:
    """Words to put before a command so that it finds no OSMesa; none where there is none."""
    ld = subprocess.run(["ldconfig", "-p"], capture_output=True, text=True).stdout
    libraries = {line.rpartition("=> ")[2] for line in ld.splitlines() if "libOSMesa" in line}
    hide = "".join(f"mount --bind /dev/null {shlex.quote(one)} && " for one in libraries)
    wrapper = ["unshare", "--mount", "sh", "-c", hide + 'exec "$@"', "sh"] if libraries else []
    if subprocess.run([*wrapper, "true"], capture_output=True).returncode != 0:
        pytest.skip("hiding libOSMesa from a program is not allowed here")
    return wrapper


def test_neither_egl_nor_osmesa(tmp_path: Path) -> None:
    code = """
import mujoco
from support.environments import CountState, Invisible
from mujoco import mjx

class SlidingState(CountState):
    data: mjx.Data

class Sliding(Invisible):
    # Of MuJoCo's kind, with next to nothing to compile, and no picture of its own.
    mujoco_model: mujoco.MjModel

    def __init__(self):
        super().__init__()
        body = "<body><joint type='slide'/><geom size='1'/></body>"
        xml = f"<mujoco><worldbody>{body}</worldbody></mujoco>"
        self.mujoco_model = mujoco.MjModel.from_xml_string(xml)

    def initial(self, *, key):
        state = super().initial(key=key)
        data = mjx.put_data(self.mujoco_model, mujoco.MjData(self.mujoco_model))
        return SlidingState(state.count, state.start, data)

    def transition(self, state, action, *, key):
        data = state.data.replace(qpos=state.data.qpos + 0.1)
        return SlidingState(state.count + 1, state.start, data)

says = [
    "run run: videos were asked for but cannot be made: BackendUnavailableError: .*"
    "egl: .*no device.*apt-get install.*osmesa: .*apt-get install -y libosmesa6.*tried again",
    "BackendUnavailableError.*painting pauses until the next learn",
    "run run: recordings that are not painted, but kept as replays: 4.* paint .*logs/run",
]
Ordeal(Training(Sliding()), Path("."), lambda: "")(says=says, recorded=[])
print("done")
"""
    empty = tmp_path / "vendors"
    empty.mkdir()
    vendors = {"__EGL_VENDOR_LIBRARY_DIRS": str(empty), "MUJOCO_GL": ""}
    status, output, errors = program(code, tmp_path, *without_osmesa(), **vendors)
    # MuJoCo's own packages say what they cannot import.
    assert (status, output.splitlines()[-1:]) == (0, ["done"]), errors
    assert "Traceback" not in errors


def test_the_trainer_is_killed_while_a_clip_is_made(tmp_path: Path) -> None:
    code = """
def die():
    print(*ffmpegs(), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

STAGE.at(2, 5, die)
training(callback)
"""
    status, output, _ = program(TRAIN + code + "callback.close()", tmp_path)
    assert status == -signal.SIGKILL
    videos = tmp_path / "logs/run/videos"
    assert len(hidden(videos)) == len(hidden(tmp_path / "temporary")) == 1
    assert len(output.split()) == 2
    for process in output.split():
        wait_for(lambda process=process: not is_running(int(process)))
    # Even where the clip was to be written to, once the next is made there.
    for folder in (videos, tmp_path / "temporary"):
        with VideoWriter(folder / "next.mp4", 50) as writer:
            writer.write(np.zeros((8, 8, 3), np.uint8))
        (folder / "next.mp4").unlink()
        assert not hidden(folder)
    assert_readable(tmp_path / "logs/run", LOGGED, RECORDED[:2], FRAMES)
    assert_kept(videos, RECORDED[:2], FRAMES)


@pytest.mark.parametrize(
    ("handler", "number", "status"),
    [
        pytest.param("", "SIGINT", -signal.SIGINT, id="Ctrl-C"),
        pytest.param(
            "signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))",
            "SIGTERM",
            143,
            id="SIGTERM with a handler",
        ),
    ],
)
def test_a_signal_that_ends_the_program_loses_nothing(
    tmp_path: Path, handler: str, number: str, status: int
) -> None:
    code = f"""
{handler}
# As in a program that somebody has started at a terminal.
if {not handler}:
    signal.signal(signal.SIGINT, signal.default_int_handler)
STAGE.at(2, 5, lambda: os.kill(os.getpid(), signal.{number}))
while True:
    training(callback)
"""
    ended, _, errors = program(TRAIN + code, tmp_path)
    # JAX makes an error of its own of what is raised while one of its callbacks runs.
    assert ended in (status, 1), errors
    assert "RenderWarning" not in errors
    events = read_event_files(tmp_path / "logs/run")
    steps = [event.step for event in events.Scalars("train/loss")]
    assert steps == [STEPS_AN_ITERATION * (i + 1) for i in range(len(steps))]
    assert steps[-1] >= RECORDED[2]
    # The one that was being made, and those that waited, too.
    recorded = [image.step for image in events.Images("eval/video")]
    due = [step for step in (0, *steps) if step % RECORDED[1] == 0]
    assert recorded == due[: len(recorded)]
    assert len(recorded) >= 3
    assert_kept(tmp_path / "logs/run/videos", recorded, FRAMES)
    assert not hidden(tmp_path)
    assert list((tmp_path / "temporary").iterdir()) == []


def test_forks_leave_the_run_to_the_parent(tmp_path: Path) -> None:
    code = """
import atexit
import multiprocessing

def child_ended(child):
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

expected = training(seed=2)
training(callback)
if not (child := os.fork()):
    # What its exit would do; behind that, JAX crashes in any forked child.
    atexit._run_exitfuncs()
    os._exit(3)
assert child_ended(child) == 3
process = multiprocessing.get_context("fork").Process(target=os.getpid)
process.start()
process.join()
assert process.exitcode == 0
with callback:
    policy = training(callback, seed=2)
    if not (child := os.fork()):
        callback.close()
        os._exit(4)
    assert child_ended(child) == 4
assert same_bits(policy, expected)
print("done")
"""
    status, output, errors = program(TRAIN + code, tmp_path)
    assert (status, output) == (0, "done\n"), errors
    assert "Traceback" not in errors
    steps = [*LOGGED, *(LOGGED[-1] + step for step in LOGGED)]
    recorded = [*RECORDED, *(LOGGED[-1] + step for step in RECORDED[1:])]
    assert_readable(tmp_path / "logs/run", steps, recorded, FRAMES)
    assert_kept(tmp_path / "logs/run/videos", recorded, FRAMES)
    assert not hidden(tmp_path)
