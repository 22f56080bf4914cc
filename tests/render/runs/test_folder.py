"""Reading the folder of a run, whatever became of it."""

import math
import os
import subprocess
import sys
import tracemalloc

import pytest

from lerax_render.errors import RenderError
from lerax_render.runs import Facts, RunFolder, hold, place_of


def test_a_folder_without_anything_is_an_empty_run(tmp_path):
    run = RunFolder(tmp_path / "old")
    assert run.facts == Facts("old")
    assert run.scalars() == {}
    assert run.recordings() == []
    assert run.last_step() == 0
    assert not run.is_running


def test_torn_and_foreign_lines_are_left_out(tmp_path):
    lines = [
        b'{"step":16,"time":1.0,"a":1,"b":"NaN","text":"no number","is":true}',
        b'{"step":32,"time":2.0,"a":"-Infinity"',
        b'\xff{"step":33}',
        b"[1]",
        b'{"a":5}',
        b"",
        b'{"step":48,"time":3.0,"a":2.5}',
        b'{"step":47,"a":1' + b"0" * 400 + b"}",
        b'{"step":1' + b"0" * 400 + b',"a":1}',
        b'{"step":-1,"a":1}',
        b'{"step":64,"ti',
    ]
    (tmp_path / "metrics.jsonl").write_bytes(b"\n".join(lines))
    run = RunFolder(tmp_path)
    scalars = run.scalars()
    assert scalars["a"] == [(16, 1.0), (48, 2.5)]
    ((step, value),) = scalars["b"]
    assert step == 16
    assert math.isnan(value)
    assert scalars.keys() == {"a", "b"}
    assert run.last_step() == 48


def test_a_line_that_never_ends_does_not_fill_the_memory(tmp_path):
    with (tmp_path / "metrics.jsonl").open("wb") as file:
        file.write(b'{"step":16,"a":1}\n')
        file.truncate(2**31)
    tracemalloc.start()
    try:
        assert RunFolder(tmp_path).scalars() == {"a": [(16, 1.0)]}
        assert tracemalloc.get_traced_memory()[1] < 2**27
    finally:
        tracemalloc.stop()


def test_recordings_are_the_files_that_are_there(tmp_path):
    for kind, step in [("video", 64), ("replay", 64), ("replay", 1_000_000_000), ("policy", 0)]:
        file = place_of(tmp_path, kind, step)
        file.parent.mkdir(exist_ok=True)
        file.touch()
    (tmp_path / "videos/step_x.mp4").touch()
    (tmp_path / "metrics.jsonl").write_bytes(
        b'{"step":64,"recording":{"return":1.5,"video":null}}\n'
        b'{"step":64,"recording":{"video":"videos/step_000000064.mp4"}}\n'
        b'{"step":96,"recording":{"return":1.5}}\n'
    )
    run = RunFolder(tmp_path)
    first, middle, last = run.recordings()
    assert (first.step, set(first.files)) == (0, {"policy"})
    assert (middle.step, set(middle.files)) == (64, {"video", "replay"})
    assert middle.said == {"return": 1.5, "video": "videos/step_000000064.mp4"}
    assert middle.label == "training step 64"
    assert last.step == run.last_step() == 1_000_000_000


def test_what_is_no_runs_is_one_line(tmp_path):
    (tmp_path / "run.json").write_text('{"format": 2}')
    with pytest.raises(RenderError, match=r"version 2 of a run's folder, and this .* reads 1"):
        _ = RunFolder(tmp_path).facts
    (tmp_path / "run.json").write_text('{"name": 3}')
    with pytest.raises(RenderError, match=r"run\.json is no run's: Expected `str`, got `int`"):
        _ = RunFolder(tmp_path).facts


def test_a_run_is_running_until_the_process_that_holds_it_ends(tmp_path):
    (tmp_path / "run.json").write_text('{"outcome": "running"}')
    run = RunFolder(tmp_path)
    assert not run.is_running
    code = (
        "import sys; from pathlib import Path; from lerax_render.runs import hold\n"
        "held = hold(Path('.')); print('held', flush=True); sys.stdin.read()"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    assert run.is_running
    with pytest.raises(BlockingIOError):
        hold(tmp_path)
    child.kill()
    child.communicate()
    assert not run.is_running
    held = hold(tmp_path)
    assert held is not None
    os.close(held)
