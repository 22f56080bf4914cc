import io
import json
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageSequence

from lerax_log.backends import TensorBoardBackend
from lerax_log.testing import CLIP_FRAMES, FACTS, HPARAMS, make_clip
from support.read_logs import read_event_files


def scalars(run_dir: Path, tag: str) -> list[tuple[int, float]]:
    return [(event.step, event.value) for event in read_event_files(run_dir).Scalars(tag)]


def run_python(source: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", source, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


# What TensorBoard serves.


@pytest.fixture(scope="module")
def log_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs with different hyperparameters, one of them with a clip."""
    log_dir = tmp_path_factory.mktemp("logs")
    backend = TensorBoardBackend(log_dir)
    backend.open("ppo")
    backend.log_run(FACTS)
    backend.log_hparams(HPARAMS)
    for step in range(0, 100, 10):
        backend.log_scalars({"episode/return": step / 4, "train/loss": -step}, step)
    backend.log_video("eval/video", make_clip("gif"), 90)
    backend.close()
    backend.open("dqn")
    backend.log_hparams({"algorithm": "DQN", "algorithm.epsilon": 0.1})
    backend.log_scalars({"episode/return": 7.0}, 10)
    backend.close()
    return log_dir


@pytest.fixture(scope="module")
def get(
    log_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., tuple[str, bytes]]]:
    """Asks a running TensorBoard for a page; returns its content type and its bytes."""
    output = tmp_path_factory.mktemp("tensorboard") / "output.txt"
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(log_dir)]
    with output.open("w") as file:
        process = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", "0"],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
        )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        address = _wait_for(lambda: re.search(r"http://127\.0\.0\.1:\d+/", output.read_text()))[0]

        def get(path: str, body: object = None) -> tuple[str, bytes]:
            data = None if body is None else json.dumps(body).encode()
            request = urllib.request.Request(
                address + path, data, {"Content-Type": "application/json"}
            )
            with opener.open(request, timeout=30) as answer:
                return answer.headers.get_content_type(), answer.read()

        _wait_for(lambda: sorted(json.loads(get("data/runs")[1])) == ["dqn", "ppo"])
        yield get
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_for[T](probe: Callable[[], T | None], seconds: float = 60) -> T:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := probe():
            return found
        time.sleep(0.2)
    raise TimeoutError("TensorBoard did not come up or does not show the runs")


def test_tensorboard_serves_the_scalars(get: Callable[..., tuple[str, bytes]]) -> None:
    _, body = get("data/plugin/scalars/scalars?run=ppo&tag=episode%2Freturn")
    points = [(step, value) for _, step, value in json.loads(body)]
    assert points == [(step, step / 4) for step in range(0, 100, 10)]


def test_tensorboard_serves_the_clip_as_an_animated_gif(
    get: Callable[..., tuple[str, bytes]],
) -> None:
    _, body = get("data/plugin/images/images?run=ppo&tag=eval%2Fvideo&sample=0")
    (entry,) = json.loads(body)
    assert entry["step"] == 90
    kind, gif = get("data/plugin/images/individualImage?" + entry["query"])
    assert kind == "image/gif"
    with Image.open(io.BytesIO(gif)) as image:
        frames = [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(image)]
    assert len(frames) == CLIP_FRAMES
    # The white square has crossed the blue picture.
    for frame, white, blue in ((frames[0], 8, 30), (frames[-1], 52, 8)):
        assert frame[24, white].min() > 240
        assert np.abs(frame[24, blue].astype(int) - (20, 60, 200)).max() < 16


def test_the_text_tab_says_what_the_run_is(get: Callable[..., tuple[str, bytes]]) -> None:
    _, page = get("/data/plugin/text/text?run=ppo&tag=run/text_summary")
    (entry,) = json.loads(page)
    assert entry["step"] == 0
    # As TensorBoard shows it, without what could be more than text.
    assert "<td><code>python train.py | tee 'log'</code></td>" in entry["text"]
    assert "<code>commit 0123abcd, dirty True</code>" in entry["text"]


def test_the_text_tab_has_hyperparameters_with_a_line_above_what_few_compare(
    tmp_path: Path,
) -> None:
    backend = TensorBoardBackend(tmp_path)
    backend.open("run")
    backend.log_hparams({"note": "a|b", "algorithm.gamma": 0.9, "env.dt": 0.1})
    backend.close()
    events = read_event_files(tmp_path / "run")
    (event,) = events.Tensors("hyperparameters/text_summary")
    (text,) = event.tensor_proto.string_val
    assert text.decode().splitlines()[2:] == [
        "| note | `a|b` |",
        "| algorithm.gamma | `0.9` |",
        "| — | `—` |",
        "| env.dt | `0.1` |",
    ]


def test_the_hparams_tab_has_a_row_for_each_run_with_the_columns_of_all(
    get: Callable[..., tuple[str, bytes]],
) -> None:
    _, body = get("data/plugin/hparams/experiment", {"experimentName": ""})
    columns = {info["name"] for info in json.loads(body)["hparamInfos"]}
    assert columns == {*HPARAMS, "algorithm.epsilon"}
    question = {
        "experimentName": "",
        "allowedStatuses": ["STATUS_SUCCESS"],
        "colParams": [{"metric": {"tag": "episode/return"}}],
        "startIndex": 0,
        "sliceSize": 10,
    }
    _, body = get("data/plugin/hparams/session_groups", question)
    rows: dict[str, Any] = {row["name"]: row for row in json.loads(body)["sessionGroups"]}
    assert rows.keys() == {"ppo", "dqn"}
    assert rows["ppo"]["hparams"] == HPARAMS | {"algorithm.max_grad_norm": "inf"}
    returns = {name: row["metricValues"][0]["value"] for name, row in rows.items()}
    assert returns == {"ppo": 22.5, "dqn": 7.0}


# What is on the disk, and when.


def test_the_clip_is_stored_byte_for_byte(log_dir: Path) -> None:
    (image,) = read_event_files(log_dir / "ppo").Images("eval/video")
    assert image.encoded_image_string == make_clip("gif").data
    assert (image.step, image.width, image.height) == (90, 64, 48)


def test_all_that_was_logged_survives_sigkill(tmp_path: Path) -> None:
    source = """
import sys
from lerax_log.backends import TensorBoardBackend
backend = TensorBoardBackend(sys.argv[1])
backend.open("run")
step = 0
while True:
    backend.log_scalars({"train/loss": step / 2}, step)
    print(step, flush=True)
    step += 1
"""
    with subprocess.Popen(
        [sys.executable, "-c", source, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if int(line) == 500:
                process.kill()
                break
        logged = 500 + len(process.stdout.read().splitlines())
    read = scalars(tmp_path / "run", "train/loss")
    # The one call that was under way may be there or not.
    assert len(read) in (logged + 1, logged + 2)
    assert read == [(step, step / 2) for step in range(len(read))]


def test_a_full_disk_raises_at_once_and_spoils_nothing(tmp_path: Path) -> None:
    # A limit on the file's size: writes are cut short, then refused, as on a full disk.
    source = """
import resource, sys
from lerax_log.backends import TensorBoardBackend
backend = TensorBoardBackend(sys.argv[1])
backend.open("run")
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
refused = []
for step in range(1000):
    if step == 900:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    try:
        backend.log_scalars({"train/loss": step / 2}, step)
    except OSError:
        refused.append(step)
backend.close()
print(*refused)
"""
    result = run_python(source, tmp_path)
    assert result.returncode == 0, result.stderr
    refused = {int(step) for step in result.stdout.split()}
    assert max(refused) == 899
    assert 0 < min(refused) < 400
    kept = [(step, step / 2) for step in range(1000) if step not in refused]
    assert scalars(tmp_path / "run", "train/loss") == kept


def test_values_are_readable_while_the_run_goes_on(tmp_path: Path) -> None:
    backend = TensorBoardBackend(tmp_path)
    backend.open("run")
    backend.log_scalars({"train/loss": 0.5}, 1)
    assert scalars(tmp_path / "run", "train/loss") == [(1, 0.5)]
    backend.close()


def test_one_call_is_one_event(tmp_path: Path) -> None:
    backend = TensorBoardBackend(tmp_path)
    backend.open("run")
    backend.log_scalars({"train/loss": 0.5, "train/kl": 0.1}, 1)
    backend.close()
    events = read_event_files(tmp_path / "run")
    times = {event.wall_time for tag in ("train/loss", "train/kl") for event in events.Scalars(tag)}
    assert len(times) == 1


def test_a_run_opened_again_in_the_same_second_keeps_both_parts(tmp_path: Path) -> None:
    backend = TensorBoardBackend(tmp_path)
    for part in range(3):
        backend.open("run")
        backend.log_scalars({"train/loss": part / 2}, part)
        backend.close()
    assert len(list((tmp_path / "run").iterdir())) == 3
    assert scalars(tmp_path / "run", "train/loss") == [(0, 0.0), (1, 0.5), (2, 1.0)]


def test_a_run_may_lie_in_folders_within_the_log_dir(tmp_path: Path) -> None:
    backend = TensorBoardBackend(tmp_path / "new" / "logs")
    backend.open("sweep/first run")
    backend.close()
    assert backend.run_dir == tmp_path / "new" / "logs" / "sweep" / "first run"
    assert len(list(backend.run_dir.iterdir())) == 1


# Mistakes, and a library that is not there.


@pytest.mark.parametrize("name", ["..", "../elsewhere", "a/../../b", "/elsewhere", "", "."])
def test_a_run_cannot_leave_the_log_dir(name: str, tmp_path: Path) -> None:
    backend = TensorBoardBackend(tmp_path / "logs")
    with pytest.raises(ValueError, match="must be that of a folder in"):
        backend.open(name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("log_dir", "error", "match"),
    [
        (3, TypeError, "log_dir must be a string or a path, not 3"),
        (b"logs", TypeError, "log_dir must be"),
        ("gs://bucket/logs", ValueError, "local folder"),
        (__file__, ValueError, "is a file"),
    ],
)
def test_a_log_dir_that_cannot_work_is_refused_at_once(
    log_dir: Any, error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        TensorBoardBackend(log_dir)


def test_nothing_is_made_before_open(tmp_path: Path) -> None:
    TensorBoardBackend(tmp_path / "logs")
    assert list(tmp_path.iterdir()) == []


def test_a_clip_in_another_format_is_refused(tmp_path: Path) -> None:
    backend = TensorBoardBackend(tmp_path)
    backend.open("run")
    with pytest.raises(ValueError, match="gif, not mp4"):
        backend.log_video("eval/video", make_clip("mp4"), 0)
    backend.close()


@pytest.mark.parametrize("library", ["tensorboardX", "crc32c"])
def test_a_missing_library_names_the_command_that_installs_it(library: str, tmp_path: Path) -> None:
    source = f"""
import sys
sys.modules[{library!r}] = None
from lerax_log.backends import TensorBoardBackend
TensorBoardBackend(sys.argv[1])
"""
    result = run_python(source, tmp_path)
    last = result.stderr.splitlines()[-1]
    assert last.startswith("lerax_render.errors.BackendUnavailableError: TensorBoardBackend needs")
    assert "pip install 'lerax-render[tensorboard]'" in last
    assert list(tmp_path.iterdir()) == []


def test_no_library_is_loaded_before_open() -> None:
    source = """
import sys
from lerax_log.backends import ConsoleBackend, TensorBoardBackend, WandbBackend
ConsoleBackend(), TensorBoardBackend(), WandbBackend()
print(*{name.partition(".")[0] for name in sys.modules})
"""
    loaded = set(run_python(source).stdout.split())
    assert "lerax_log" in loaded
    assert not loaded & {"tensorboardX", "crc32c", "wandb", "rich", "jax", "mujoco", "pygame"}
