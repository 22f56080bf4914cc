import os
import sys
from pathlib import Path

import pytest

from lerax_log.backends import MlflowBackend
from lerax_log.testing import HPARAMS, make_clip
from lerax_render.errors import BackendUnavailableError
from support.read_logs import read_mlflow

mlflow = pytest.importorskip("mlflow")


@pytest.fixture
def backend(tmp_path: Path) -> MlflowBackend:
    return MlflowBackend("tests", tmp_path / "mlruns", tags={"team": "legs"})


def test_a_run_is_found_by_mlflows_own_client(backend: MlflowBackend, tmp_path: Path) -> None:
    backend.group = "seeds"
    backend.open("seeds_0")
    backend.log_hparams(HPARAMS)
    # MLflow refuses another value of a parameter, as another `learn` of the run has it.
    backend.log_hparams(HPARAMS | {"total_timesteps": 20_000, "note": "more"})
    backend.log_scalars({"episode/return": 1.5, "reward (mean)": 2.0}, 100)
    backend.log_video("eval/video", make_clip("mp4"), 100)
    backend.log_video("eval/video", make_clip("mp4", tmp_path / "step_000000200.mp4"), 200)
    backend.close()
    os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
    try:
        client = mlflow.tracking.MlflowClient(tracking_uri=str(tmp_path / "mlruns"))
        experiment = client.get_experiment_by_name("tests")
        (run,) = client.search_runs([experiment.experiment_id])
    finally:
        del os.environ["MLFLOW_ALLOW_FILE_STORE"]
    assert run.info.run_name == "seeds_0"
    assert run.info.status == "FINISHED"
    assert run.data.tags.items() >= {"team": "legs", "group": "seeds"}.items()
    assert run.data.params["algorithm.gamma"] == "0.99"
    assert run.data.params["total_timesteps"] == "10000"
    assert run.data.params["note"] == "more"
    assert run.data.metrics == {"episode/return": 1.5, "reward -mean-": 2.0}
    clips = sorted((backend.run_dir / "artifacts" / "eval" / "video").iterdir())
    assert [clip.name for clip in clips] == ["step_000000100.mp4", "step_000000200.mp4"]
    assert clips[0].read_bytes() == clips[1].read_bytes() == make_clip("mp4").data


def test_values_are_sent_together_and_flush_sends_what_waits(backend: MlflowBackend) -> None:
    backend.open("run")
    for step in range(50):
        backend.log_scalars({"train/loss": float(step)}, step)
    assert len(read_mlflow(backend.run_dir)["train/loss"]) < 50
    backend.flush()
    assert len(read_mlflow(backend.run_dir)["train/loss"]) == 50
    backend.close()


def test_a_database_is_a_store_as_well(tmp_path: Path) -> None:
    pytest.importorskip("sqlalchemy")
    pytest.importorskip("alembic")
    backend = MlflowBackend("tests", f"sqlite:///{tmp_path}/mlflow.db")
    backend.open("run")
    backend.log_scalars({"train/loss": 1.0}, 10)
    backend.close()
    assert (tmp_path / "mlflow.db").stat().st_size > 0


def test_what_cannot_be_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TypeError, match="experiment"):
        MlflowBackend("")
    with pytest.raises(TypeError, match="tags"):
        MlflowBackend(tags="legs")  # type: ignore[arg-type]
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(BackendUnavailableError, match=r"pip install 'lerax-render\[mlflow\]'"):
        MlflowBackend()
