"""However a program ends: what it has logged stays, can be used, and can be gone on with."""

import signal
import subprocess
import time
from pathlib import Path

import pytest

from lerax_render import Replay
from lerax_render.repainting import find_unpainted, paint_run
from lerax_render.runs import RunFolder
from lerax_render.timelapse import make_timelapse
from support.programs import SECONDS, finished, program
from support.read_logs import read_event_files
from support.trainings import ITERATIONS, STEPS_AN_ITERATION, TOTAL_STEPS

TRAIN = """
from support.trainings import *
from lerax_log import *
size = dict(video_num_steps=12, video_width=96, video_height=64)
training = Training()
with LoggingCallback(
    TensorBoardBackend("logs"), name="run", resume=True, video_interval=3, **size
) as callback:
    for number in range(TRAININGS):
        training(callback, seed=number)
        print("trained", flush=True)
        # As long as a training that is worth killing.
        time.sleep(PAUSE)
"""


def train(folder: Path, trainings: int, pause: float = 0) -> subprocess.Popen[str]:
    code = f"import time\nTRAININGS, PAUSE = {trainings}, {pause}\n{TRAIN}"
    return program(code, folder)


@pytest.mark.parametrize(
    ("number", "outcome"),
    [(signal.SIGINT, "interrupted"), (signal.SIGTERM, "running"), (signal.SIGKILL, "running")],
    ids=lambda value: getattr(value, "name", ""),
)
def test_what_is_there_can_be_used_and_gone_on_with(tmp_path, number, outcome):
    process = train(tmp_path, trainings=100, pause=0.2)
    assert process.stdout is not None
    folder = tmp_path / "logs/run"
    end = time.monotonic() + SECONDS
    while len(list(folder.glob("videos/*.mp4"))) < 2 or len(list(folder.glob("replays/*"))) < 4:
        assert time.monotonic() < end
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.05)
    run = RunFolder(folder)
    assert run.is_running
    process.send_signal(number)
    output, _ = process.communicate(timeout=SECONDS)
    assert process.returncode != 0, output

    assert run.facts.outcome == outcome
    assert not run.is_running
    trained = output.count("trained") + 1
    steps = [step for step, _ in run.scalars()["train/loss"]]
    assert len(steps) >= (trained - 1) * ITERATIONS
    assert steps == [STEPS_AN_ITERATION * (i + 1) for i in range(len(steps))]
    recordings = run.recordings()
    assert [each.step for each in recordings] == list(range(0, 48 * len(recordings), 48))
    for each in recordings:
        assert Replay.load(each.files["replay"]).steps == 12
    before = {path: path.read_bytes() for path in folder.glob("*/step_*")}
    waiting = find_unpainted(folder)
    assert len(paint_run(folder)) == len(waiting)
    clip = make_timelapse(folder, frames=2)
    assert clip.num_frames == 2 * len(recordings)

    finished(train(tmp_path, trainings=1))
    assert run.facts.outcome == "finished"
    (again,) = run.facts.resumed
    last = max(steps[-1], recordings[-1].step)
    assert again.step == last
    steps += [last + STEPS_AN_ITERATION * (i + 1) for i in range(ITERATIONS)]
    assert [step for step, _ in run.scalars()["train/loss"]] == steps
    # One curve, of which TensorBoard leaves nothing out.
    assert [event.step for event in read_event_files(folder).Scalars("train/loss")] == steps
    assert run.recordings()[-1].step == last + TOTAL_STEPS
    for path, content in before.items():
        assert path.read_bytes() == content
    assert not list(folder.rglob(".lerax-render-*"))
