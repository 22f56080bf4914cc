"""The command as a process whose standard files are closed, broken, full, or know ASCII alone."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.paths import ROOT

COMMAND = [sys.executable, "-m", "lerax_render"]
# A scene, which needs no JAX: a process makes it in a fifth of the time.
SCENES = ROOT / "assets/scenes"
SCENE = str(SCENES / "arm.xml")
CLIP = [*COMMAND, "clip", SCENE, "--width", "64", "--height", "48", "-n", "5", "-o"]
LOST = "lerax-render: the files are made; what was printed is lost: "


@pytest.fixture
def broken_pipe() -> Iterator[int]:
    """Open the writing end of a pipe that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


def run(command: list[str], folder: Path, **options) -> subprocess.CompletedProcess[bytes]:
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    return subprocess.run(command, cwd=folder, check=False, timeout=120, **options)


@pytest.mark.parametrize(("env", "code"), [(SCENE, 0), ("CartPole", 0), ("Cartpole", 1)])
def test_with_all_standard_files_closed(tmp_path, env, code):
    clip = [word if word != SCENE else env for word in [*CLIP, "clip.gif"]]
    without = ["sh", "-c", 'exec "$0" "$@" <&- >&- 2>&-', *clip]
    assert run(without, tmp_path).returncode == code
    assert (tmp_path / "clip.gif").exists() == (code == 0)


def test_a_warning_is_one_line(tmp_path):
    (tmp_path / "empty.xml").write_text(
        '<mujoco><worldbody><body><freejoint/><geom size="1" rgba="0 0 0 0"/></body></worldbody>'
        "</mujoco>"
    )
    done = run([word if word != SCENE else "empty.xml" for word in [*CLIP, "a.gif"]], tmp_path)
    assert done.returncode == 0
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith("lerax-render: warning: the model has nothing to draw")


def test_output_that_nobody_reads(tmp_path, broken_pipe):
    done = run([*CLIP, "clip.gif"], tmp_path, stdout=broken_pipe)
    assert done.returncode == 0
    assert (tmp_path / "clip.gif").read_bytes().startswith(b"GIF89a")
    assert done.stderr.decode() == f"{LOST}[Errno 32] Broken pipe\n"


def test_a_full_device(tmp_path):
    with open("/dev/full", "w") as full:
        done = run([*CLIP, "clip.gif"], tmp_path, stdout=full)
        assert done.returncode == 0
        assert (tmp_path / "clip.gif").read_bytes().startswith(b"GIF89a")
        assert done.stderr.decode() == f"{LOST}[Errno 28] No space left on device\n"

        assert run([*CLIP, "clip.gif"], tmp_path, stdout=full, stderr=full).returncode == 0
        assert run([*CLIP, "clip.avi"], tmp_path, stdout=full, stderr=full).returncode == 1


def test_a_gallery_is_made_to_its_end_though_nobody_reads_what_it_says(tmp_path, broken_pipe):
    scenes = (SCENES / "arm.xml", SCENES / "hopper.xml")
    clips = "".join(f'[[clips]]\nenv = "{env}"\n' for env in (*scenes, "nowhere:A"))
    defaults = '[defaults]\nwidth = 64\nheight = 48\nsteps = 3\nformat = "gif"\n'
    (tmp_path / "gallery.toml").write_text(defaults + clips)
    gallery = [*COMMAND, "gallery", "gallery.toml", "-o", "out"]
    done = run(gallery, tmp_path, stdout=broken_pipe)
    assert done.returncode == 1
    assert b"lerax-render: A could not be made" in done.stderr
    made = {path.name for path in (tmp_path / "out").glob("*.gif")}
    assert made == {"arm.gif", "hopper.gif"}


@pytest.mark.parametrize(
    ("variables", "printed"),
    [
        ({"PYTHONIOENCODING": "ascii"}, rb"vid\xe9o.gif: "),
        # Names of files pass through as they are.
        ({"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}, "vidéo.gif: ".encode()),
    ],
)
def test_an_output_that_knows_ascii_alone(tmp_path, variables, printed):
    done = run([*CLIP, "vidéo.gif"], tmp_path, env={**os.environ, **variables})
    assert done.returncode == 0
    assert done.stdout.startswith(printed)
    assert done.stderr == b""
    assert (tmp_path / "vidéo.gif").read_bytes().startswith(b"GIF89a")


def test_what_is_only_said_fails_where_it_cannot_be(tmp_path, broken_pipe):
    with open("/dev/full", "w") as full:
        done = run([*COMMAND, "--version"], tmp_path, stdout=full)
    assert done.returncode == 1
    assert b"what was printed is lost: [Errno 28]" in done.stderr
    # As `lerax-render --help | head -1`.
    done = run([*COMMAND, "--help"], tmp_path, stdout=broken_pipe)
    assert (done.returncode, done.stderr) == (0, b"")
