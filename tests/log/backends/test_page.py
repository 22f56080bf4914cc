"""The page that a training keeps."""

import json
from pathlib import Path
from typing import Any

import pytest

from lerax_log import LoggingCallback, PageBackend, TensorBoardBackend
from lerax_log.backends import page as page_module
from lerax_render.runs import RunFolder


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
