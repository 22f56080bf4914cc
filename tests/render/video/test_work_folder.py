import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lerax_render import VideoWriter
from lerax_render.video import work_folder as work_folders
from lerax_render.video.work_folder import PREFIX, WorkFolder, sweep, write_whole
from support.processes import is_running, state

HOLD = """
import sys, time
from pathlib import Path
from lerax_render.video.work_folder import WorkFolder
folder = WorkFolder(Path(sys.argv[1]))
(folder.path / "clip.mp4").write_bytes(b"half a clip")
print(folder.path, flush=True)
sys.stdin.read()
"""


def hidden(parent: Path) -> list[Path]:
    return sorted(parent.glob(PREFIX + "*"))


@pytest.fixture
def other(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds a work folder in `tmp_path`."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == str(hidden(tmp_path)[0])
        yield process
        process.kill()


def age(folder: Path, seconds: float) -> None:
    then = time.time() - seconds
    for path in (*folder.iterdir(), folder):
        os.utime(path, (then, then))


def test_a_folder_is_gone_when_the_block_ends_in_any_way(tmp_path):
    with WorkFolder(tmp_path) as folder:
        (folder / "inner").mkdir()
        (folder / "inner" / "file").write_text("x")
        assert hidden(tmp_path) == [folder]
        assert folder.stat().st_mode & 0o777 == 0o700
    with pytest.raises(KeyError), WorkFolder(tmp_path):
        raise KeyError
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_leaves_is_swept_by_the_next_recording(tmp_path, other):
    (orphan,) = hidden(tmp_path)
    other.kill()
    other.wait()
    assert (orphan / "clip.mp4").exists()
    with VideoWriter(tmp_path / "clip.gif", 50) as writer:
        assert orphan not in hidden(tmp_path)
        writer.write(np.zeros((8, 8, 3), np.uint8))
    assert list(tmp_path.iterdir()) == [tmp_path / "clip.gif"]


def test_what_another_process_works_in_stays_however_old(tmp_path, other):
    (live,) = hidden(tmp_path)
    age(live, 10 * work_folders.ABANDONED_SECONDS)
    sweep(tmp_path)
    assert (live / "clip.mp4").exists()
    other.communicate("")
    assert hidden(tmp_path) == []


def test_writers_of_one_process_do_not_sweep_each_other(tmp_path):
    with WorkFolder(tmp_path) as first, WorkFolder(tmp_path) as second:
        sweep(tmp_path)
        assert hidden(tmp_path) == sorted([first, second])


def test_folders_without_a_lock_are_swept_after_a_day(tmp_path):
    young, old, foreign = (tmp_path / f"{PREFIX}{name}" for name in ("young", "old", "foreign"))
    for folder in (young, old, foreign):
        folder.mkdir()
        (folder / "clip.mp4").write_text("x")
    # As another machine's on a network disk, whose lock may not be seen here.
    (foreign / "lock-of-another-machine").touch()
    age(old, work_folders.ABANDONED_SECONDS + 100)
    age(young, work_folders.ABANDONED_SECONDS + 100)
    (young / "clip.mp4").write_text("y")
    sweep(tmp_path)
    assert hidden(tmp_path) == [foreign, young]


def test_what_is_not_ours_is_left_alone(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("x")
    link = tmp_path / f"{PREFIX}link"
    link.symlink_to(outside)
    file = tmp_path / f"{PREFIX}file"
    file.write_text("x")
    sweep(tmp_path)
    assert (outside / "precious").exists()
    assert link.is_symlink()
    assert file.exists()
    sweep(tmp_path / "nowhere")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make folders of other users")
def test_folders_of_other_users_are_left_alone(tmp_path):
    folder = tmp_path / f"{PREFIX}theirs"
    folder.mkdir()
    os.chown(folder, 12345, 12345)
    age(folder, work_folders.ABANDONED_SECONDS + 100)
    sweep(tmp_path)
    assert folder.exists()


def test_a_disk_without_locks_still_has_folders(tmp_path, monkeypatch):
    def refused(*arguments: object) -> None:
        raise OSError("no locks available")

    monkeypatch.setattr(fcntl, "flock", refused)
    with WorkFolder(tmp_path) as folder, WorkFolder(tmp_path) as other:
        assert hidden(tmp_path) == sorted([folder, other])
    assert hidden(tmp_path) == []


def test_ffmpeg_does_not_hold_the_lock_of_a_killed_trainer(tmp_path):
    code = """
import os, sys
import numpy as np
from lerax_render import VideoWriter
with VideoWriter(sys.argv[1], 50) as writer:
    writer.write(np.zeros((64, 64, 3), np.uint8))
    print(writer._ffmpeg._child.pid, flush=True)
    sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "clip.mp4")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as trainer:
        assert trainer.stdout is not None
        ffmpeg = int(trainer.stdout.readline())
        # It still lives when the folder is swept, and ends by itself when it goes on.
        os.kill(ffmpeg, signal.SIGSTOP)
        end = time.monotonic() + 30
        while state(ffmpeg) != "T":
            assert time.monotonic() < end
        trainer.kill()
        trainer.wait()
    sweep(tmp_path)
    assert hidden(tmp_path) == []
    os.kill(ffmpeg, signal.SIGCONT)
    while is_running(ffmpeg):
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_forked_child_that_exits_leaves_its_parents_clip_alone(tmp_path):
    code = """
import os, sys
import numpy as np
from lerax_render import VideoWriter
frame = np.zeros((64, 64, 3), np.uint8)
with VideoWriter(sys.argv[1], 50) as writer:
    writer.write(frame)
    if os.fork() == 0:
        raise SystemExit
    os.wait()
    if os.fork() == 0:
        # Lives on, and holds what it has inherited.
        sys.stdin.read()
        os._exit(0)
    writer.write(frame)
print(writer.video.num_frames, flush=True)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "clip.mp4")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process.stdin, process.stdout:
        # Were ffmpeg's input still open in the second child, it would stall for a minute.
        start = time.monotonic()
        assert process.stdout.readline() == "2\n"
        assert time.monotonic() - start < 30
        assert list(tmp_path.iterdir()) == [tmp_path / "clip.mp4"]
    process.wait(30)


def test_where_none_can_be_made_the_error_names_the_folder_that_was_given(tmp_path):
    with pytest.raises(FileNotFoundError) as raised:
        write_whole(tmp_path / "gone" / "page.html", "text")
    assert raised.value.filename == str(tmp_path / "gone")
