import json
import os
import pty
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from wandb.proto.wandb_internal_pb2 import Record

from lerax_log import LoggingCallback
from lerax_log.backends import WandbBackend
from lerax_log.testing import HPARAMS, make_clip
from lerax_render.runs import RunFolder
from support.read_logs import read_wandb, wandb_history
from support.trainings import ITERATIONS, STEPS_AN_ITERATION, TOTAL_STEPS, Training


def offline(folder: Path, **arguments: Any) -> WandbBackend:
    settings = {"silent": True}
    return WandbBackend("tests", dir=folder, mode="offline", settings=settings, **arguments)


def folder_of(backend: WandbBackend) -> Path:
    assert backend.run_dir is not None
    return backend.run_dir


def config(records: list[Record]) -> dict[str, Any]:
    """The run's configuration after all updates."""
    updates = [record.run.config for record in records if record.HasField("run")]
    updates += [record.config for record in records if record.HasField("config")]
    values = {
        "/".join(item.nested_key) or item.key: json.loads(item.value_json)
        for update in updates
        for item in update.update
    }
    return {name: value for name, value in values.items() if name != "_wandb"}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clip") / "clip.mp4"


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory, clip: Path) -> Path:
    backend = offline(tmp_path_factory.mktemp("wandb"), config={"seed": 3, "algorithm.gamma": 0.9})
    backend.group = "seeds"
    backend.open("ppo")
    backend.log_hparams(HPARAMS)
    backend.log_scalars({"episode/return": 1.0}, 100)
    backend.log_scalars({"episode/return": 2.0}, 200)
    backend.log_video("eval/video", make_clip("mp4"), 100)
    backend.log_scalars({"eval/return": 212.34}, 150)
    backend.log_video("eval/video", make_clip("mp4", clip), 150)
    backend.log_scalars({"episode/return": 3.0}, 300)
    backend.close()
    return folder_of(backend)


@pytest.fixture(scope="module")
def records(run_dir: Path) -> list[Record]:
    return read_wandb(run_dir)


def test_the_run_has_its_name_and_project(records: list[Record]) -> None:
    (run,) = [record.run for record in records if record.HasField("run")]
    assert (run.display_name, run.project, run.run_group) == ("ppo", "tests", "seeds")


def test_a_run_that_goes_on_is_the_same_one(tmp_path: Path) -> None:
    training, ids, steps = Training(), [], []
    for number in range(2):
        backend = offline(tmp_path / str(number))
        with LoggingCallback(
            backend, name="run", log_dir=tmp_path / "logs", resume=True
        ) as callback:
            training(callback)
        records = read_wandb(folder_of(backend))
        ids += [record.run.run_id for record in records if record.HasField("run")]
        steps += [row["global_step"] for row in wandb_history(records) if "train/loss" in row]
        assert RunFolder(tmp_path / "logs/run").facts.ids == {"wandb": ids[0]}
    assert len(ids) == 2
    assert len(set(ids)) == 1
    assert steps == [STEPS_AN_ITERATION * (i + 1) for i in range(2 * ITERATIONS)]
    # Another run is another one in W&B.
    with LoggingCallback(backend, name="other", log_dir=tmp_path / "logs") as callback:
        training(callback)
    assert RunFolder(tmp_path / "logs/other").facts.ids["wandb"] != ids[0]


def test_every_chart_has_the_environment_steps_as_its_x_axis(records: list[Record]) -> None:
    (metric,) = [record.metric for record in records if record.HasField("metric")]
    assert (metric.glob_name, metric.step_metric) == ("*", "global_step")


def test_late_videos_are_kept_at_their_own_step(records: list[Record], run_dir: Path) -> None:
    rows = wandb_history(records)
    assert [row["global_step"] for row in rows] == [100, 200, 100, 150, 150, 300]
    assert [row["_step"] for row in rows] == [0, 1, 2, 3, 4, 5]
    videos = [row for row in rows if row.get("eval/video/_type") == "video-file"]
    assert [row["global_step"] for row in videos] == [100, 150]
    captions = [row["eval/video/caption"] for row in videos]
    assert captions == ["step 100", "step 150 · return 212.3"]
    for row in videos:
        file = run_dir / "files" / row["eval/video/path"]
        assert file.read_bytes() == make_clip("mp4").data


def test_a_kept_clip_stays_where_it_is(clip: Path, run_dir: Path) -> None:
    assert clip.read_bytes() == make_clip("mp4").data


def test_hyperparameters_join_the_configuration_and_what_the_user_gave_stays(
    records: list[Record],
) -> None:
    expected = {name.replace(".", "/"): value for name, value in HPARAMS.items()}
    del expected["algorithm/gamma"]
    expected |= {"seed": 3, "algorithm.gamma": 0.9}
    assert config(records) == expected


def test_a_recording_is_a_page_to_look_around_in(tmp_path: Path) -> None:
    backend = offline(tmp_path, pages=True)
    options = {"video_num_steps": 12, "video_width": 96, "video_height": 64}
    with LoggingCallback(backend, video_interval=6, log_dir=tmp_path, **options) as callback:
        Training()(callback)
    rows = wandb_history(read_wandb(folder_of(backend)))
    pages = [row for row in rows if row.get("eval/page/_type") == "html-file"]
    assert [row["global_step"] for row in pages] == [0, TOTAL_STEPS]
    page = (folder_of(backend) / "files" / pages[0]["eval/page/path"]).read_text()
    assert page.startswith("<!doctype html>")
    # Nothing in it may be fetched, and W&B adds none of its own styles.
    assert "default-src 'none'" in page
    assert "wandb" not in page


def test_a_clip_of_a_few_bytes_leaves_no_temporary_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    backend = offline(tmp_path)
    backend.open("run")
    backend.log_video("eval/video", make_clip("mp4"), 0)
    assert not list(folder.rglob("*.mp4"))
    backend.close()


def test_the_module_has_no_run_and_a_users_own_run_goes_on(tmp_path: Path) -> None:
    import wandb

    backend = offline(tmp_path)
    backend.open("alone")
    assert wandb.run is None
    backend.close()
    own = wandb.init(dir=tmp_path, mode="offline", settings={"silent": True})
    backend.open("beside")
    backend.log_scalars({"episode/return": 1.0}, 10)
    backend.close()
    assert wandb.run is own
    own.log({"mine": 1.0})
    own_dir = Path(own.dir).parent
    own.finish()
    assert [
        set(row) & {"mine", "episode/return"} for row in wandb_history(read_wandb(own_dir))
    ] == [{"mine"}]


def test_the_settings_of_the_caller_are_not_changed(tmp_path: Path) -> None:
    import wandb

    settings = wandb.Settings(silent=True)
    backend = WandbBackend("tests", dir=tmp_path, mode="offline", settings=settings)
    for name in ("first", "second"):
        backend.open(name)
        backend.close()
    assert settings.model_fields_set == {"silent"}


# No key, no network.

OPEN_ONLINE = """
import sys, time, warnings
from pathlib import Path
from lerax_log import LoggingCallback
from lerax_log.backends import WandbBackend
backend = WandbBackend("tests", dir=sys.argv[1], settings={"init_timeout": 1})
start = time.monotonic()
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    backend.open("run")
print("SECONDS", time.monotonic() - start)
backend.log_scalars({"episode/return": 1.5}, 10)
backend.close()
print("FOLDER", backend.run_dir)
for warning in caught:
    if warning.category.__name__ == "RenderWarning":
        print("WARNING", str(warning.message).replace("\\n", " / "))
"""


def open_online(folder: Path, **environment: str) -> dict[str, str]:
    """What a program prints that opens an online run, in a terminal, with a home of its own."""
    base = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("WANDB_") and not name.lower().endswith("_proxy")
    }
    home = {"HOME": str(folder), "NETRC": str(folder / "netrc"), "TERM": "xterm"}
    terminal, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", OPEN_ONLINE, str(folder)],
        env=base | home | environment,
        stdin=slave,
        stdout=subprocess.PIPE,
        stderr=slave,
        text=True,
    )
    os.close(slave)
    shown = threading.Thread(target=_drain, args=(terminal,))
    shown.start()
    try:
        output, _ = process.communicate(timeout=60)
    finally:
        process.kill()
        shown.join()
        os.close(terminal)
    assert process.returncode == 0
    lines = [line.partition(" ") for line in output.splitlines()]
    return {word: rest for word, _, rest in lines}


def _drain(terminal: int) -> None:
    with suppress(OSError):  # the end of a terminal
        while os.read(terminal, 65536):
            pass


class Forbidding(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(403)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def forbidding_server() -> Iterator[str]:
    """Address of a server that lets nobody in."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Forbidding) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(
    ("key", "reachable", "cause"),
    [
        pytest.param("0" * 40, False, "127.0.0.1 cannot be reached", id="no network"),
        pytest.param("0" * 40, True, "Error: ", id="wrong key"),
        pytest.param("", True, "no API key is configured", id="no key"),
    ],
)
def test_a_run_that_cannot_be_online_is_kept_offline_after_a_short_time(
    key: str, reachable: bool, cause: str, tmp_path: Path, forbidding_server: str
) -> None:
    printed = open_online(
        tmp_path,
        WANDB_API_KEY=key,
        WANDB_BASE_URL=forbidding_server if reachable else "http://127.0.0.1:9",
        # Else W&B asks several times whose key it is, for messages only.
        WANDB_X_DISABLE_VIEWER="true",
    )
    assert cause in printed["WARNING"]
    assert printed["WARNING"].endswith(f"wandb sync {printed['FOLDER']}")
    # On a busy machine; W&B itself takes more than 90.
    assert float(printed["SECONDS"]) < 30
    (row,) = wandb_history(read_wandb(Path(printed["FOLDER"])))
    assert (row["episode/return"], row["global_step"]) == (1.5, 10)


# Mistakes, and a library that is not there.


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"project": 3}, TypeError, "project must be"),
        ({"config": ["seed"]}, TypeError, "config must be"),
        ({"name": "mine"}, ValueError, "LoggingCallback"),
        ({"reinit": True}, ValueError, "reinit"),
    ],
)
def test_arguments_that_cannot_work_are_refused_at_once(
    arguments: dict[str, Any], error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        WandbBackend(**arguments)


def test_a_mistake_in_the_arguments_of_init_is_not_taken_for_a_missing_network(
    tmp_path: Path,
) -> None:
    backend = WandbBackend("a/b", dir=tmp_path, mode="offline", settings={"silent": True})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(Exception, match="project"):
            backend.open("run")
    backend.close()


def test_a_clip_in_another_format_is_refused(tmp_path: Path) -> None:
    backend = offline(tmp_path)
    backend.open("run")
    with pytest.raises(ValueError, match="mp4, not gif"):
        backend.log_video("eval/video", make_clip("gif"), 0)
    backend.close()


@pytest.mark.parametrize(
    "module", ["None", "ModuleType('wandb')"], ids=["missing", "a folder of earlier runs"]
)
def test_a_missing_library_names_the_command_that_installs_it(module: str, tmp_path: Path) -> None:
    source = f"""
import sys
from types import ModuleType
sys.modules["wandb"] = {module}
from lerax_log import LoggingCallback
from lerax_log.backends import WandbBackend
WandbBackend(dir=sys.argv[1])
"""
    result = subprocess.run(
        [sys.executable, "-c", source, str(tmp_path)], capture_output=True, text=True, check=False
    )
    last = result.stderr.splitlines()[-1]
    assert last.startswith("lerax_render.errors.BackendUnavailableError: WandbBackend needs")
    assert "pip install 'lerax-render[wandb]'" in last
