"""Where JAX cannot compute, that is said at once: in a forked child, on a device that is not there.

Each in a process of its own, since JAX starts once.
"""

import os
import subprocess
import sys

import pytest

FORK = """
import os, sys
from support.environments import Counting

env = Counting()
if "late" not in sys.argv:
    import lerax_render as lr
if "before" in sys.argv:
    lr.record(env, steps=2, width=32, height=32)
sys.stdout.flush()
child = os.fork()
if child == 0:
    import lerax_render as lr
    if "busy" in sys.argv:
        import threading
        threading.Thread(target=threading.Event().wait, daemon=True).start()
    for verb in (lr.record, lr.capture, lr.rollout, lambda env, steps: lr.record("CartPole")):
        try:
            verb(env, steps=2)
        except lr.BackendUnavailableError as error:
            print(error)
    sys.stdout.flush()
    os._exit(0)
os.waitpid(child, 0)
"""


def run(script: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    tests = os.path.dirname(os.path.dirname(__file__))
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([tests, *sys.path]), **variables},
        capture_output=True,
        text=True,
        timeout=100,
    )


@pytest.mark.parametrize("how", ["before", "busy", "late"])
def test_a_forked_child_is_told_at_once_that_jax_hangs_in_it(how):
    done = run(FORK, how)
    told = done.stdout.splitlines()
    assert len(told) == 4, done.stderr
    assert all(line.startswith("JAX was used before this process was forked") for line in told)
    assert all('multiprocessing.get_context("spawn")' in line for line in told)


MAIN = "import sys; from lerax_render.cli.commands import main; main(sys.argv[1:])"
SMALL = ("--steps", "2", "--width", "32", "--height", "32")


def test_a_device_that_is_not_there_is_one_line(tmp_path):
    done = run(MAIN, "clip", "CartPole", "-o", f"{tmp_path}/c.gif", *SMALL, JAX_PLATFORMS="cuda")
    assert done.returncode == 1
    line, hint = done.stderr.splitlines()
    assert line.startswith("lerax-render: JAX cannot start with JAX_PLATFORMS=cuda: ")
    assert "Unset the variable" in line
    assert "LERAX_RENDER_TRACEBACK" in hint


def test_a_clip_that_needs_no_jax_starts_none(tmp_path):
    model = tmp_path / "box.xml"
    model.write_text('<mujoco><worldbody><geom size="1 1 1" type="box"/></worldbody></mujoco>')
    done = run(MAIN, "clip", str(model), "-o", f"{tmp_path}/c.gif", *SMALL, JAX_PLATFORMS="cuda")
    assert done.returncode == 0, done.stderr


def test_the_doctor_tries_jax():
    done = run(MAIN, "doctor", JAX_PLATFORMS="cuda")
    assert done.returncode == 1
    assert "no   computing with JAX" in done.stdout
    assert "computing with JAX: unset JAX_PLATFORMS" in done.stdout
    assert "cannot make every kind of clip" in done.stdout
