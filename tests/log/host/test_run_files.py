"""Folders of runs: nobody else gets one, and what it says of its run."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from lerax_log import LoggingCallback, host
from lerax_log.backends import FanOut, JsonLinesBackend
from lerax_log.host import Session, Start
from lerax_log.host.run_files import claim
from lerax_log.traced import SEED
from lerax_render.errors import RenderWarning
from lerax_render.runs import Facts, RunFolder
from support.trainings import ITERATIONS, Memory

START = Start("PPO", "MLPActorCriticPolicy", "CartPole-v1", {"gamma": 0.99}, (SEED,), None)
KEYS = np.array([[0, 7], [0, 8]], np.uint32)


def make_session(folder: Path, *backends: Memory, **options) -> Session:
    every = [JsonLinesBackend(folder), *backends]
    options = {"videos": None, "hparams": {}} | options
    return Session(FanOut(every), log_dir=folder, **options)


def begin(session: Session, lanes: int = 1) -> np.ndarray:
    sizes = () if lanes == 1 else (lanes,)
    keys = KEYS[0] if lanes == 1 else KEYS[:lanes]
    return host.open_learns(START, sizes, 1, np.int32(0), [keys], (np.int32(session.number), []))


def test_a_folder_says_what_its_run_is_and_how_it_ended(tmp_path):
    session = make_session(tmp_path, name="a/{env}_{seed}", hparams={"mine": np.float64("nan")})
    learn = begin(session)
    run = RunFolder(tmp_path / "a/CartPole-v1_7")
    assert run.is_running
    facts = run.facts
    assert (facts.name, facts.env, facts.algorithm) == ("a/CartPole-v1_7", "CartPole-v1", "PPO")
    assert (facts.seed, facts.outcome, facts.ended, facts.lane) == (7, "running", None, None)
    assert facts.hparams == {"gamma": 0.99, "mine": "nan", "seed": 7}
    assert facts.pid == os.getpid()
    assert "python" in (facts.command or "")
    assert facts.versions["lerax-render"]
    assert facts.device == "cpu"
    host.end(learn)
    session.close()
    assert not run.is_running
    assert run.facts.outcome == "finished"
    assert run.facts.ended >= run.facts.started
    assert sorted(path.name for path in run.path.iterdir()) == ["metrics.jsonl", "run.json"]


def test_lines_elsewhere_are_a_second_file(tmp_path, training):
    for elsewhere, files in ((tmp_path / "elsewhere", 2), (tmp_path / "logs", 1)):
        backend = JsonLinesBackend(elsewhere)
        name = elsewhere.name
        with LoggingCallback(backend, name=name, log_dir=tmp_path / "logs") as callback:
            training(callback)
        found = sorted(tmp_path.rglob(f"{name}/metrics.jsonl"))
        assert len(found) == files
        assert {file.read_text().count("train/loss") for file in found} == {ITERATIONS}


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (None, "interrupted"),
        (KeyboardInterrupt(), "interrupted"),
        (RuntimeError("in a callback: KeyboardInterrupt"), "interrupted"),
        (ValueError("no\nfurther"), "failed: ValueError: no"),
    ],
)
def test_a_training_that_did_not_come_to_its_end_says_why(tmp_path, error, outcome):
    session = make_session(tmp_path, name="run")
    begin(session)
    session.close(error)
    assert RunFolder(tmp_path / "run").facts.outcome == outcome


def test_a_name_used_again_is_another_run(tmp_path):
    for name in ("run", "run-2", "run-3"):
        session = make_session(tmp_path, name="run")
        if name == "run":
            begin(session)
        else:
            with pytest.warns(
                RenderWarning, match=f"run {name}: there is a run 'run' in .* resume"
            ):
                begin(session)
        assert session.run_names == (name,)
        session.close()
    # What is new each time needs no warning.
    for _ in range(2):
        session = make_session(tmp_path, name="{time}")
        begin(session)
        session.close()
    assert len(list(tmp_path.iterdir())) == 5


def test_lanes_get_a_folder_each_and_all_of_one_name(tmp_path):
    (tmp_path / "sweep_1").mkdir()
    session = make_session(tmp_path, name="sweep")
    with pytest.warns(RenderWarning, match="run sweep-2"):
        begin(session, 2)
    assert session.run_names == ("sweep-2_0", "sweep-2_1")
    facts = [RunFolder(tmp_path / name).facts for name in session.run_names]
    assert [(fact.lane, fact.seed) for fact in facts] == [(0, 7), (1, 8)]
    assert not (tmp_path / "sweep_0").exists()
    session.close()


def test_programs_that_start_at_once_get_folders_of_their_own(tmp_path):
    script = (
        "import sys, time; from pathlib import Path; from lerax_log.host.run_files import claim\n"
        "while time.time() < float(sys.argv[1]): pass\n"
        "print(claim(Path('.'), 'race', 1, False)[0])"
    )
    at = str(time.time() + 4)
    children = [
        subprocess.Popen(
            [sys.executable, "-c", script, at], stdout=subprocess.PIPE, text=True, cwd=tmp_path
        )
        for _ in range(4)
    ]
    names = sorted(child.communicate()[0].strip() for child in children)
    assert names == ["race", "race-2", "race-3", "race-4"]


def test_resuming_goes_on_and_says_so(tmp_path):
    memory = Memory()
    for number in range(2):
        session = make_session(tmp_path, memory, name="run", resume=True)
        host.end(begin(session))
        with session._runs[0].lock:
            session._runs[0].backend.log_scalars({"loss": number}, session._runs[0].step + 32)
        session.close()
    assert memory.scalars("loss") == [(32, 0), (64, 1)]
    run = RunFolder(tmp_path / "run")
    assert run.scalars() == {"loss": [(32, 0), (64, 1)]}
    (again,) = run.facts.resumed
    assert again.step == 32
    assert run.facts.started <= again.time


def test_a_run_that_another_program_logs_to_is_not_resumed(tmp_path):
    name, (files,) = claim(tmp_path, "run", 1, True)
    files.describe(Facts(name))
    session = make_session(tmp_path, name="run", resume=True)
    with pytest.warns(RenderWarning, match="run run-2: .*; another program logs to it"):
        begin(session)
    session.close()
    files.end("finished")
    files.release()


def test_where_no_folder_can_be_made_the_training_goes_on(tmp_path):
    (tmp_path / "logs").write_text("a file")
    memory = Memory()
    session = Session(
        FanOut(memory),
        name="run",
        videos=None,
        hparams={},
        log_dir=tmp_path / "logs/in",
    )
    with pytest.warns(RenderWarning, match="run run: it has no folder in .*nothing of it is kept"):
        begin(session)
    session.close()
    assert memory.names() == ["run"]
