"""What must stay true between files: locks, metadata, image."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import lerax_render
from support.paths import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = (
    "requirements.lock",
    "requirements-bench.lock",
    "requirements-docker.lock",
    "requirements-uv.lock",
)


def locked(name: str) -> dict[str, tuple[Requirement, frozenset[str]]]:
    """Read a lock: for each package its pinned requirement and its hashes."""
    entries = re.findall(
        r"^([\w.-]+==[^\\\n]+)\\\n((?: +--hash=\S+(?: \\)?\n)+)", (ROOT / name).read_text(), re.M
    )
    return {
        canonicalize_name(Requirement(pin).name): (
            Requirement(pin),
            frozenset(re.findall(r"sha256:[0-9a-f]{64}", hashes)),
        )
        for pin, hashes in entries
    }


@pytest.mark.parametrize("name", LOCKS)
def test_locks_hash_everything_and_name_no_place(name: str) -> None:
    text = (ROOT / name).read_text()
    pins = re.findall(r"^[^\s#].*", text, re.M)
    assert len(locked(name)) == len(pins) > 0
    assert all(hashes for _, hashes in locked(name).values())
    assert not re.search(r"://|--(extra-)?index|--find-links|^\s*#.*/(?!$)\w+/", text, re.M)


def test_lock_holds_every_declared_dependency_in_the_declared_range() -> None:
    lock = locked("requirements.lock")
    declared = [
        *PROJECT["project"]["dependencies"],
        *(
            line
            for name, lines in PROJECT["project"]["optional-dependencies"].items()
            if name != "all"
            for line in lines
        ),
        *PROJECT["dependency-groups"]["dev"],
    ]
    for line in declared:
        requirement = Requirement(line)
        pin = next(iter(lock[canonicalize_name(requirement.name)][0].specifier)).version
        assert requirement.specifier.contains(pin, prereleases=True), (line, pin)


def test_only_one_distribution_provides_pygame() -> None:
    for version in ("3.13", "3.14"):
        environment = {"python_version": version, "python_full_version": f"{version}.0"}
        found = [
            requirement.name
            for requirement, _ in locked("requirements.lock").values()
            if requirement.name.startswith("pygame")
            and (requirement.marker is None or requirement.marker.evaluate(environment))
        ]
        assert len(found) == 1, found


def test_image_holds_the_locked_packages_and_no_development_tools() -> None:
    lock, image = locked("requirements.lock"), locked("requirements-docker.lock")
    assert image.items() <= lock.items()
    assert not {
        canonicalize_name(Requirement(line).name) for line in PROJECT["dependency-groups"]["dev"]
    } & (image.keys() - {"pillow", "tensorboard"})


def test_image_and_set_up_install_the_same_gl_libraries() -> None:
    packages = re.search(r"GL_PACKAGES=\((.*)\)", (ROOT / "scripts/setup").read_text())
    assert packages is not None
    assert f"--no-install-recommends {packages[1]} " in (ROOT / "Dockerfile").read_text()


def test_version_is_stated_once_and_the_same() -> None:
    assert lerax_render.__version__ == PROJECT["project"]["version"]
    assert "__version__" in dir(lerax_render)


def test_import_loads_nothing_heavy() -> None:
    script = "import sys, lerax_render, lerax_render.errors; print(*sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-c", script], text=True).split()
    heavy = {
        "jax",
        "jaxlib",
        "equinox",
        "lerax",
        "mujoco",
        "pygame",
        "OpenGL",
        "imageio_ffmpeg",
        "numpy",
    }
    assert "lerax_render" in loaded
    assert not heavy & set(loaded)


def rooms() -> dict[str, int]:
    """Read the table of rooms in docs/architecture.md: each module or package and its row."""
    text = (ROOT / "docs/architecture.md").read_text()
    rows = text[text.index("| room |") :].split("\n\n")[0].splitlines()[2:]
    return {
        name: number
        for number, row in enumerate(rows)
        for name in re.findall(r"`(\w+)(?:\.py|/)`", row.split("|")[1])
    }


def imported_rooms(path: Path, package: str) -> Iterator[str]:
    """List the modules and packages directly below `package` that the file imports from."""
    here = path.relative_to(ROOT / "src").with_suffix("").parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            targets = [alias.name.split(".") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = [*here[: -node.level]] if node.level else []
            base += node.module.split(".") if node.module else []
            targets = [[*base, alias.name] for alias in node.names]
        else:
            continue
        for target in targets:
            if target[0] == package and len(target) > 1:
                yield target[1]


def test_every_module_has_a_room_and_imports_point_downwards() -> None:
    order = rooms()
    package = ROOT / "src/lerax_render"
    for path in sorted(package.rglob("*.py")):
        room = path.relative_to(package).with_suffix("").parts[0]
        if room in ("__init__", "__main__"):
            continue
        assert room in order, f"docs/architecture.md does not say what {room} is"
        for other in imported_rooms(path, "lerax_render"):
            assert order.get(other, len(order)) >= order[room], f"{path.name} imports {other}"


def test_core_does_not_know_the_logging() -> None:
    for path in (ROOT / "src/lerax_render").rglob("*.py"):
        assert not re.search(r"^\s*(from|import) lerax_log", path.read_text(), re.M), path


def test_rooms_of_the_logging_import_downwards_only() -> None:
    package = ROOT / "src/lerax_log"
    table = re.search(
        r"The rooms.*?:\n\n(.*?)\n\"\"\"", (package / "__init__.py").read_text(), re.S
    )
    assert table is not None
    order = re.findall(r"^    (\w+)  +\w", table[1], re.M)
    rooms = {path.stem for path in package.iterdir() if path.suffix in (".py", "")}
    assert set(order) == rooms - {"__init__", "__pycache__", "py"}
    imports = {
        ".".join(path.relative_to(package).with_suffix("").parts): set(imported(path, package))
        for path in sorted(package.rglob("*.py"))
    }
    for module, others in imports.items():
        room = module.split(".")[0]
        for other in others:
            if room == other.split(".")[0]:
                assert other != f"{room}.__init__", f"{module} imports its own room's face"
            elif room != "__init__":
                assert order.index(room) < order.index(other.split(".")[0]), f"{module}: {other}"
                assert other.endswith("__init__") or "." not in other, f"{module}: {other}"
    # Inside a room likewise: there is an order in which each comes after what it imports.
    tuple(TopologicalSorter(imports).static_order())


def imported(path: Path, package: Path) -> Iterator[str]:
    """List the modules of the package that a file imports, late ones and for annotations too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = path.parents[node.level - 1].joinpath(*(node.module or "").split("."))
            for alias in node.names:
                # A module, a name in a module, a room, or a name that a room shows.
                options = (base / alias.name, base, base / alias.name / "__init__")
                found = (o for o in options if o.with_suffix(".py").exists())
                yield ".".join(next(found, base / "__init__").relative_to(package).parts)
