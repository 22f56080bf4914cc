"""The page that a training keeps."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from lerax_log import LoggingCallback, PageBackend, TensorBoardBackend
from lerax_log.backends import MlflowBackend, TrackioBackend, WandbBackend
from lerax_log.backends import page as page_module
from lerax_render import RenderWarning
from lerax_render.cli import main
from lerax_render.runpage import RUNS
from lerax_render.runs import RunFolder
from support.read_logs import read_trackio, read_wandb, wandb_history
from support.run_folders import write_run
from support.trainings import TOTAL_STEPS


def data_of(run: Path, name: str = "run") -> Any:
    """Read what a script of the page hands over."""
    script = (run / f"page/{name}.js").read_text()
    return json.loads(json.loads(script.removeprefix("received(").removesuffix(")\n")))


def test_a_training_leaves_a_page_with_all_that_it_has_logged(training, tmp_path):
    size = {"video_num_steps": 12, "video_width": 96, "video_height": 64}
    with LoggingCallback(
        [TensorBoardBackend(tmp_path / "runs"), PageBackend()], name="run", video_interval=3, **size
    ) as callback:
        training(callback)
    folder = tmp_path / "runs/run"
    run, data = RunFolder(folder), data_of(folder)
    assert (data["name"], data["outcome"]) == ("run", "finished")
    assert dict(data["hparams"]) == run.facts.hparams
    assert [tag["tag"] for tag in data["tags"]] == list(run.scalars())
    for number, (tag, points) in enumerate(run.scalars().items()):
        curve = data_of(folder, f"curve_{number}")
        steps, values = zip(*points, strict=True)
        assert tuple(curve["steps"]) == steps, tag
        assert curve["values"] == pytest.approx(values, rel=1e-6), tag
    assert [each["step"] for each in data["recordings"]] == [each.step for each in run.recordings()]
    for each in data["recordings"]:
        assert "<title>run · training step" in (folder / each["player"]).read_text()
        assert (folder / each["still"]).read_bytes()[8:12] == b"WEBP"
        assert (folder / each["video"]).is_file()
    assert (folder / "index.html").is_file()
    assert not (tmp_path / "logs").exists()


def test_its_title_is_the_whole_name_of_the_run_from_the_beginning(tmp_path):
    backend = PageBackend(tmp_path)
    backend.open("CartPole/lr=0.1/3")
    assert "<h1>CartPole/lr=0.1/3</h1>" in (backend.run_dir / "index.html").read_text()
    backend.close()


def test_it_is_written_while_the_training_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(page_module, "PERIOD", 0.05)
    backend = PageBackend(tmp_path)
    backend.open("run")
    backend.log_scalars({"a": 1.5}, 10)
    backend.flush()
    assert data_of(tmp_path / "run")["outcome"] == "running"
    assert data_of(tmp_path / "run", "curve_0") == {"steps": [10], "values": [1.5]}
    before = data_of(tmp_path / "run")["written"]
    backend.log_scalars({"a": 2.5}, 20)
    for _ in range(200):
        if data_of(tmp_path / "run", "curve_0")["values"] == [1.5, 2.5]:
            break
        page_module.time.sleep(0.05)
    assert data_of(tmp_path / "run")["written"] > before
    backend.close()
    assert data_of(tmp_path / "run")["outcome"] == "finished"


def test_a_page_of_somebody_elses_is_left_alone(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run/index.html").write_text("mine")
    backend = PageBackend(tmp_path)
    with pytest.raises(ValueError, match="is no page of runs"):
        backend.open("run")
    backend.close()


def runs_of(folder: Path) -> list[str]:
    script = (folder / RUNS).read_text()
    return json.loads(json.loads(script.removeprefix("received(").removesuffix(")\n")))


def test_other_backends_get_the_page_when_the_run_is_over(training, tmp_path, trackio_folder):
    wandb = WandbBackend("tests", dir=tmp_path, mode="offline", settings={"silent": True})
    mlflow = MlflowBackend("tests", tmp_path / "mlruns")
    size = {"video_num_steps": 12, "video_width": 96, "video_height": 64}
    with LoggingCallback(
        [wandb, mlflow, TrackioBackend("page"), PageBackend()],
        name="run",
        video_interval=6,
        **size,
    ) as callback:
        training(callback)
    (row,) = [r for r in wandb_history(read_wandb(wandb.run_dir)) if "run/page/path" in r]
    assert (row["run/page/_type"], row["global_step"]) == ("html-file", TOTAL_STEPS)
    (logged,) = [r for r in read_trackio("page", "run") if "run/page" in r]
    assert logged["step"] == TOTAL_STEPS
    (of_trackio,) = (trackio_folder / "media" / "page").rglob("*.html")
    pages = [
        wandb.run_dir / "files" / row["run/page/path"],
        mlflow.run_dir / "artifacts/run/page" / f"step_{TOTAL_STEPS:09d}.html",
        of_trackio,
    ]
    texts = {page.read_text() for page in pages}
    (text,) = texts
    # All of it is in there, as it was when it had ended.
    given = json.loads(text.partition('id="given">')[2].partition("</script>")[0])
    names = {name.removeprefix("0/page/") for name in given["files"]}
    steps = [each.step for each in RunFolder("logs/run").recordings()]
    assert {f"step_{step:09d}.{kind}" for step in steps for kind in ("html", "webp")} <= names
    assert json.loads(given["files"]["0/page/run.js"])["outcome"] == "finished"


def test_a_page_of_a_folder_grows_with_the_trainings_that_begin_in_it(tmp_path):
    write_run(tmp_path / "logs/first", recordings=0)
    main(["page", str(tmp_path / "logs")])
    assert runs_of(tmp_path / "logs") == ["first/"]
    backends = [PageBackend(tmp_path / "logs") for _ in range(6)]
    threads = [
        threading.Thread(target=backend.open, args=(f"env/{number}",))
        for number, backend in enumerate(backends)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for backend in backends:
        backend.close()
    found = runs_of(tmp_path / "logs")
    assert found[0] == "first/"
    assert sorted(found[1:]) == [f"env/{number}/" for number in range(6)]
    # Made anew, it has the same runs, and no others that were removed.
    (tmp_path / "logs/env/0/metrics.jsonl").unlink(missing_ok=True)
    (tmp_path / "logs/env/1/run.json").write_text("{}")
    main(["page", str(tmp_path / "logs")])
    assert sorted(runs_of(tmp_path / "logs")) == ["env/1/", "first/"]


def test_a_run_has_its_page_where_that_of_its_folder_cannot_be_written(tmp_path, monkeypatch):
    def fails(run: Path) -> None:
        raise PermissionError(f"{run.parent} is somebody else's")

    monkeypatch.setattr("lerax_render.runpage.add_run", fails)
    backend = PageBackend(tmp_path)
    with pytest.warns(RenderWarning, match="does not show this run: .* is somebody else's"):
        backend.open("run")
    backend.log_scalars({"a": 1.5}, 10)
    backend.close()
    assert data_of(tmp_path / "run", "curve_0")["values"] == [1.5]


def test_a_page_says_that_its_training_goes_on_however_long_writing_takes(tmp_path, monkeypatch):
    monkeypatch.setattr(page_module, "LONGEST", 0.05)
    monkeypatch.setattr(page_module, "SHARE", 1e-9)
    backend = PageBackend(tmp_path)
    backend.open("run")
    written = data_of(tmp_path / "run")["written"]
    for _ in range(200):
        if data_of(tmp_path / "run")["written"] > written:
            break
        page_module.time.sleep(0.05)
    assert data_of(tmp_path / "run")["written"] > written
    backend.close()


def test_a_page_of_chosen_runs_stays_one_of_them(tmp_path):
    runs = [write_run(tmp_path / f"logs/{name}", recordings=0) for name in "ab"]
    main(["page", *map(str, runs)])
    backend = PageBackend(tmp_path / "logs")
    backend.open("c")
    backend.close()
    assert not (tmp_path / "logs" / RUNS).exists()
    assert not (tmp_path / RUNS).exists()
