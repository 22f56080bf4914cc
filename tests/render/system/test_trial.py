"""Programs that are tried: what they said, and that none outlives its time."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lerax_render.system import Trial
from support.processes import is_running

HANGS = """
import os, signal, subprocess, sys, time
if {deaf}:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
# It inherits the outputs, and keeps them open.
other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
open("started", "w").write(f"{{os.getpid()}} {{other.pid}}")
time.sleep(1000)
"""


def test_what_a_program_said():
    script = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"
    with Trial([sys.executable, "-c", script], 60, {"PATH": ""}) as trial:
        done = trial.result()
    assert (done.returncode, done.stdout, done.stderr) == (3, "out\n", "err\n")


def test_one_that_does_not_start():
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(FileNotFoundError), Trial(["/no/such/program"], 60):
        pass
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize("deaf", [False, True])
def test_one_that_hangs_ends_with_all_that_it_started(tmp_path, monkeypatch, deaf):
    monkeypatch.chdir(tmp_path)
    started = Path("started")
    begun = time.monotonic()
    before = len(os.listdir("/proc/self/fd"))
    with Trial([sys.executable, "-c", HANGS.format(deaf=deaf)], 1) as trial:
        while not started.exists() or not started.read_text():
            time.sleep(0.05)
        with pytest.raises(subprocess.TimeoutExpired) as error:
            trial.result()
    assert error.value.timeout == 1
    assert time.monotonic() - begun < 15
    assert len(os.listdir("/proc/self/fd")) == before
    for process in map(int, started.read_text().split()):
        # What is nobody's child any more is init's to bury.
        for _ in range(100):
            if not is_running(process):
                break
            time.sleep(0.05)
        assert not is_running(process)


def test_one_that_is_not_waited_for_ends_too():
    with Trial([sys.executable, "-c", "import time; time.sleep(1000)"], 1000) as trial:
        process = trial._child.pid
        assert is_running(process)
    assert not is_running(process)
