"""`scripts/setup` on a small project of the same shape, made on the spot; needs no network."""

import ast
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from support.paths import ROOT

READY = "setup: .venv is ready\n"

METADATA = "Metadata-Version: 2.1\nName: {}\nVersion: {}\n"
WHEEL = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
BACKEND = f"""
import pathlib, zipfile

def build_editable(folder, config_settings=None, metadata_directory=None):
    with zipfile.ZipFile(pathlib.Path(folder, "lerax_render-0-py3-none-any.whl"), "w") as wheel:
        wheel.writestr("lerax_render.pth", str(pathlib.Path("src").resolve()))
        wheel.writestr("lerax_render-0.dist-info/METADATA", {METADATA.format("lerax-render", 0)!r})
        wheel.writestr("lerax_render-0.dist-info/WHEEL", {WHEEL!r})
        wheel.writestr("lerax_render-0.dist-info/RECORD", "")
    return "lerax_render-0-py3-none-any.whl"
"""
PYPROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "lerax-render"
version = "0"
"""


def write_wheel(folder: Path, name: str, version: str, *needs: str) -> Path:
    """Put the wheel of a package with one empty module into `folder`."""
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    information = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr(f"{name}.py", "")
        metadata = METADATA.format(name, version) + "".join(f"Requires-Dist: {n}\n" for n in needs)
        file.writestr(f"{information}/METADATA", metadata)
        file.writestr(f"{information}/WHEEL", WHEEL)
        file.writestr(f"{information}/RECORD", "")
    return wheel


def locked(wheel: Path) -> str:
    """Return a wheel's line in a lock."""
    name, version = wheel.name.split("-")[:2]
    return f"{name}=={version} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"


def write_program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


class Checkout:
    """A checkout in a folder with a space in its name, and a machine without Python, uv and apt.

    What a test writes into `bin` is on the PATH, before the machine's own programs.
    """

    def __init__(self, folder: Path, machine: Path):
        self.path = folder / "a checkout"
        self.venv = self.path / ".venv"
        self.bin = folder / "bin"
        self.home = folder / "home"
        wheels = folder / "wheels"
        for new in (
            self.path / "scripts",
            self.path / "src/lerax_render",
            self.bin,
            self.home,
            wheels,
        ):
            new.mkdir(parents=True)
        shutil.copy2(ROOT / "scripts/setup", self.path / "scripts/setup")
        (self.path / "src/lerax_render/__init__.py").touch()
        (self.path / "backend.py").write_text(BACKEND)
        (self.path / "pyproject.toml").write_text(PYPROJECT)
        self.wheels = wheels
        self.lock.write_text(locked(write_wheel(wheels, "leaf", "1.0")))
        (self.bin / "uv").symlink_to(machine / "uv")
        (self.bin / "python3.13").symlink_to(sys._base_executable)
        self.env = {
            "PATH": f"{self.bin}:{machine / 'bin'}",
            "HOME": str(self.home),
            "UV_CACHE_DIR": str(machine / "cache"),
            "UV_FIND_LINKS": str(wheels),
            "UV_NO_INDEX": "1",
            "UV_OFFLINE": "1",
            "UV_PYTHON_DOWNLOADS": "never",
        }

    @property
    def lock(self) -> Path:
        return self.path / "requirements.lock"

    def start(self, *arguments: str, **env: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [self.path / "scripts/setup", *arguments],
            env=self.env | env,
            cwd=self.path,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def setup(self, *arguments: str, **env: str) -> tuple[int, str]:
        process = self.start(*arguments, **env)
        stdout, stderr = process.communicate(timeout=60)
        assert stdout == ""
        return process.returncode, stderr

    def assert_whole(self) -> None:
        script = "import leaf, lerax_render; print(lerax_render.__file__)"
        found = subprocess.check_output([self.venv / "bin/python", "-c", script], text=True)
        assert found == f"{self.path}/src/lerax_render/__init__.py\n"

    def without_gl(self) -> dict[str, str]:
        """The environment of a machine whose libEGL cannot be loaded."""
        libraries = self.home / "libraries"
        libraries.mkdir()
        (libraries / "libEGL.so.1").touch()
        return {"LD_LIBRARY_PATH": str(libraries)}


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("machine")
    (folder / "bin").mkdir()
    for program in Path("/usr/bin").iterdir():
        if not program.name.startswith(("python", "pip", "pyenv", "uv", "apt", "sudo")):
            (folder / "bin" / program.name).symlink_to(program)
    uv = subprocess.check_output([ROOT / "scripts/setup", "--uv"], text=True)
    (folder / "uv").symlink_to(uv.strip())
    return folder


@pytest.fixture
def checkout(tmp_path: Path, machine: Path) -> Checkout:
    return Checkout(tmp_path, machine)


def test_first_run_installs_and_second_run_only_checks(checkout: Checkout) -> None:
    code, output = checkout.setup()
    assert (code, output.splitlines()[-1] + "\n") == (0, READY)
    checkout.assert_whole()
    before = checkout.venv.stat()

    (checkout.bin / "uv").unlink()
    assert checkout.setup() == (0, READY)
    assert checkout.venv.stat() == before


def test_stale_or_broken_environment_is_made_again(checkout: Checkout) -> None:
    def add_line(name: str) -> None:
        with (checkout.path / name).open("a") as file:
            file.write("\n# one more line\n")

    def move() -> None:
        new = checkout.path.with_name("another place")
        checkout.path.rename(new)
        checkout.path, checkout.venv = new, new / ".venv"

    checkout.setup()
    for damage in (
        lambda: add_line("requirements.lock"),
        lambda: add_line("pyproject.toml"),
        lambda: add_line("scripts/setup"),
        lambda: (checkout.venv / "bin/python").unlink(),
        move,
    ):
        (checkout.venv / "left over").touch()
        damage()
        assert checkout.setup()[0] == 0
        assert not (checkout.venv / "left over").exists()
        checkout.assert_whole()


def test_what_is_imported_is_compiled_at_set_up(checkout: Checkout) -> None:
    kept = {"PYTHONDONTWRITEBYTECODE": "1"}

    def origins() -> set[str]:
        """Where the code of the two modules comes from."""
        command = [checkout.venv / "bin/python", "-v", "-c", "import leaf, lerax_render"]
        told = subprocess.run(command, capture_output=True, text=True, check=True, env=kept).stderr
        paths = re.findall(r"^# code object from '?(.+?)'?$", told, re.M)
        return {Path(path).suffix for path in paths if "leaf" in path or "lerax_render" in path}

    checkout.setup(**kept)
    assert origins() == {".pyc"}

    changed = checkout.path / "src/lerax_render/__init__.py"
    changed.write_text("changed = True\n")
    # What changes twice in a second is compiled once.
    os.utime(changed, (later := time.time() + 2, later))
    assert origins() == {".pyc", ".py"}
    assert checkout.setup(**kept) == (0, READY)
    assert origins() == {".pyc"}


def installed(venv: Path) -> dict[str, str]:
    """The versions of all packages in a virtual environment."""
    script = """if 1:
        from importlib.metadata import distributions
        print({found.name: found.version for found in distributions()})
    """
    found = subprocess.check_output([venv / "bin/python", "-c", script], text=True)
    versions: dict[str, str] = ast.literal_eval(found)
    return versions


def test_a_second_environment_has_another_lerax_and_is_else_the_same(checkout: Checkout) -> None:
    with checkout.lock.open("a") as lock:
        lock.write(locked(write_wheel(checkout.wheels, "lerax", "1.0")))
    write_wheel(checkout.wheels, "leaf", "3.0")
    write_wheel(checkout.wheels, "twig", "1.0")
    assert checkout.setup()[0] == 0
    first = {"leaf": "1.0", "lerax": "1.0", "lerax-render": "0"}
    assert installed(checkout.venv) == first

    # What it needs beyond the lock is found, and moviepy, which is nowhere here, is left out.
    given = write_wheel(checkout.home, "lerax", "2.0", "leaf>=1", "twig", "moviepy>=2")
    wanted = ("--lerax", os.path.relpath(given, checkout.path))
    code, output = checkout.setup(*wanted)
    assert (code, output.splitlines()[-1]) == (0, "setup: .venv-lerax is ready")
    second = checkout.path / ".venv-lerax"
    assert installed(second) == {**first, "lerax": "2.0", "twig": "1.0"}
    assert installed(checkout.venv) == first
    assert checkout.setup(*wanted) == (0, "setup: .venv-lerax is ready\n")

    # Another wheel of the same name.
    write_wheel(checkout.home, "lerax", "2.0", "leaf>=1")
    assert checkout.setup(*wanted)[0] == 0
    assert "twig" not in installed(second)


def test_a_lerax_that_is_not_there_is_said_before_anything_is_made(checkout: Checkout) -> None:
    code, output = checkout.setup("--lerax", "../lerax-main.whl")
    assert code == 1
    assert output.startswith("setup: no Lerax at '../lerax-main.whl': give a wheel, a folder or a")
    assert not (checkout.path / ".venv-lerax").exists()
    code, output = checkout.setup("--leraks", "x")
    assert (code, output) == (
        1,
        "setup: unknown argument '--leraks'; there are --lerax VALUE and --uv\n",
    )


def test_interrupted_set_up_is_not_taken_for_a_whole_one(checkout: Checkout, machine: Path) -> None:
    (checkout.bin / "uv").unlink()
    write_program(
        checkout.bin / "uv", f'[ "$2" = sync ] && kill -9 "$PPID"\nexec "{machine}/uv" "$@"'
    )
    assert checkout.setup()[0] == -9
    assert (checkout.venv / "bin/python").exists()

    (checkout.bin / "uv").unlink()
    (checkout.bin / "uv").symlink_to(machine / "uv")
    assert checkout.setup()[0] == 0
    checkout.assert_whole()


def test_package_that_is_not_the_locked_one_is_refused(checkout: Checkout) -> None:
    good = checkout.lock.read_text()
    checkout.lock.write_text(good[:-9] + "00000000\n")
    code, output = checkout.setup()
    assert code != 0
    assert "Hash mismatch" in output
    assert READY not in output

    checkout.lock.write_text(good)
    assert checkout.setup()[0] == 0
    checkout.assert_whole()


def test_two_runs_at_once_make_one_environment(checkout: Checkout) -> None:
    runs = [checkout.start(), checkout.start()]
    outputs = [run.communicate(timeout=60)[1] for run in runs]
    assert [run.returncode for run in runs] == [0, 0]
    assert "".join(outputs).count("making .venv") == 1
    checkout.assert_whole()


def test_uses_pyenvs_python_behind_a_shim_that_answers_127(checkout: Checkout) -> None:
    (checkout.bin / "python3.13").unlink()
    write_program(checkout.bin / "python3.13", "exit 127")
    version = checkout.home / ".pyenv/versions/3.13.0/bin/python3"
    version.parent.mkdir(parents=True)
    version.symlink_to(sys._base_executable)
    assert checkout.setup()[0] == 0
    checkout.assert_whole()


def test_without_a_python_says_how_to_get_one(checkout: Checkout) -> None:
    (checkout.bin / "python3.13").unlink()
    write_program(checkout.bin / "python3", "exit 1")
    code, output = checkout.setup()
    assert code == 1
    assert "needs Python 3.13 or newer" in output
    assert "pyenv install 3.13" in output
    assert not checkout.venv.exists()


def test_without_uv_and_pip_says_how_to_get_them(checkout: Checkout) -> None:
    (checkout.bin / "uv").unlink()
    write_program(checkout.bin / "python3", "exit 1")
    code, output = checkout.setup()
    assert code == 1
    assert "sudo apt-get update && sudo apt-get install -y python3-venv" in output


def test_without_gl_goes_on_and_names_the_command(checkout: Checkout) -> None:
    write_program(checkout.bin / "apt-get", "echo should not run; exit 1")
    write_program(checkout.bin / "id", "echo 1000")
    code, output = checkout.setup(**checkout.without_gl())
    assert code == 0
    assert "sudo apt-get update && sudo apt-get install -y libegl1 libopengl0" in output
    assert output.endswith(READY)
    assert not (checkout.path / ".tools/apt.log").exists()
    checkout.assert_whole()


@pytest.mark.parametrize("user", ["root", "a user with sudo"])
def test_installs_gl_where_it_may(checkout: Checkout, user: str) -> None:
    calls = checkout.home / "calls"
    write_program(checkout.bin / "apt-get", f'echo "$SUDO apt-get $*" >>"{calls}"')
    write_program(checkout.bin / "sudo", 'shift; SUDO=sudo exec "$@"')
    write_program(checkout.bin / "id", f"echo {0 if user == 'root' else 1000}")
    assert checkout.setup(**checkout.without_gl())[0] == 0
    update, install = calls.read_text().splitlines()
    prefix = "" if user == "root" else "sudo"
    assert update.startswith(f"{prefix} apt-get update")
    assert install.startswith(f"{prefix} apt-get install -y")
    assert install.endswith(" libegl1 libopengl0")


def test_help_lists_every_target() -> None:
    phony = next(line for line in (ROOT / "Makefile").read_text().splitlines() if ".PHONY" in line)
    shown = subprocess.check_output(
        ["make", "-C", ROOT, "--no-print-directory"], text=True, env=os.environ
    )
    assert [line.split()[1] for line in shown.splitlines()] == phony.split()[1:]
