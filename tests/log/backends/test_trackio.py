import sys
from pathlib import Path

import pytest

from lerax_log.backends import TrackioBackend
from lerax_log.testing import HPARAMS, make_clip
from lerax_render.errors import BackendUnavailableError
from support.read_logs import read_trackio

pytestmark = pytest.mark.usefixtures("trackio_folder")


def test_a_run_is_read_back(trackio_folder: Path, tmp_path: Path) -> None:
    backend = TrackioBackend("readable", config={"algorithm.gamma": 0.5})
    backend.group = "seeds"
    backend.open("seeds_0")
    backend.log_hparams(HPARAMS)
    backend.log_scalars({"episode/return": 1.5}, 100)
    backend.log_scalars({"eval/return": 212.0}, 50)
    backend.log_video("eval/video", make_clip("mp4"), 50)
    backend.log_scalars({"episode/return": float("nan")}, 200)
    backend.close()
    rows = read_trackio("readable", "seeds_0")
    assert [row["step"] for row in rows] == [100, 50, 50, 200]
    assert rows[0]["episode/return"] == 1.5
    assert rows[3]["episode/return"] != rows[3]["episode/return"]
    video = rows[2]["eval/video"]
    assert video["caption"] == "step 50 · return 212"
    (file,) = (trackio_folder / "media" / "readable").rglob("*.mp4")
    assert file.read_bytes() == make_clip("mp4").data
    from trackio.sqlite_storage import SQLiteStorage

    config = SQLiteStorage.get_run_config("readable", "seeds_0")
    assert config["algorithm.gamma"] == 0.5
    assert config["total_timesteps"] == 10_000
    assert config["_Group"] == "seeds"


def test_a_users_own_run_goes_on(trackio_folder: Path) -> None:
    import trackio

    own = trackio.init(project="own", name="mine", embed=False)
    backend = TrackioBackend("tests")
    backend.open("run")
    trackio.log({"a": 1.0})
    backend.log_scalars({"b": 2.0}, 5)
    backend.close()
    trackio.log({"a": 2.0})
    trackio.finish()
    assert own.name == "mine"
    assert [row["a"] for row in read_trackio("own", "mine")] == [1.0, 2.0]


def test_what_cannot_be_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TypeError, match="project"):
        TrackioBackend("")
    with pytest.raises(ValueError, match="the callback names the run"):
        TrackioBackend(name="mine")
    monkeypatch.setitem(sys.modules, "trackio", None)
    with pytest.raises(BackendUnavailableError, match=r"pip install 'lerax-render\[trackio\]'"):
        TrackioBackend()
