"""The folder of compiled programs, and how large it gets."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

_KEEP = (
    "import os, pathlib; from lerax_render.system import keep_compilations; "
    "keep_compilations(pathlib.Path('kept'), 2500); print(os.environ['JAX_COMPILATION_CACHE_DIR'])"
)


def keep(folder: Path, chosen: str | None = None) -> str:
    """Keep programs below `folder`, in a process of its own, and return where they are kept."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("JAX_")}
    if chosen is not None:
        environment["JAX_COMPILATION_CACHE_DIR"] = chosen
    command = [sys.executable, "-c", _KEEP]
    return subprocess.run(
        command, cwd=folder, env=environment, check=True, stdout=subprocess.PIPE, text=True
    ).stdout.strip()


def fill(folder: Path) -> None:
    folder.mkdir()
    # The first one was used last, though it is the oldest.
    for number, used in enumerate([40, 10, 20, 30]):
        file = folder / f"jit_scan-{number}-cache"
        file.write_bytes(bytes(1000))
        os.utime(file, (1e9 + used, 1e9 + number))
    (folder / ".lerax-render.lock").write_bytes(bytes(5000))
    os.utime(folder / ".lerax-render.lock", (1e9, 1e9))


def left(folder: Path) -> str:
    return "".join(sorted(path.name[9] for path in folder.glob("*-cache")))


# The second is a day to come.
@pytest.mark.parametrize("looked", [1e9, 9e9])
def test_programs_that_were_not_used_for_long_make_room_once_a_day(tmp_path, looked):
    kept = tmp_path / "kept"
    fill(kept)
    assert keep(tmp_path) == "kept"
    assert left(kept) == "03"
    assert (kept / ".lerax-render.lock").exists()

    (kept / "jit_scan-4-cache").write_bytes(bytes(2000))
    keep(tmp_path)
    assert left(kept) == "034"
    os.utime(kept / ".lerax-render.looked", (looked, looked))
    keep(tmp_path)
    assert left(kept) == "4"


def test_a_folder_that_the_user_chose_is_theirs(tmp_path):
    for folder in ("kept", "theirs"):
        fill(tmp_path / folder)
    assert keep(tmp_path, "theirs") == "theirs"
    assert left(tmp_path / "kept") == left(tmp_path / "theirs") == "0123"


def test_a_new_folder_is_made(tmp_path):
    assert keep(tmp_path) == "kept"
    assert (tmp_path / "kept").is_dir()
