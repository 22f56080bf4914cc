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
    } & (image.keys() - {"pillow", "tensorboard", "trimesh"})


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


PACKAGE = ROOT / "src/lerax_render"
MOST_MODULES = 15
TOP, GROUND = "top", "ground"


def wings() -> dict[str, list[str]]:
    """Read the table of wings in docs/architecture.md: the modules of each, both in order."""
    text = (ROOT / "docs/architecture.md").read_text()
    rows = text[text.index("| wing | rooms |") :].split("\n\n")[0].splitlines()[2:]
    cells = [[cell.strip() for cell in row.split("|")[1:3]] for row in rows]
    return {wing.strip("`/"): re.findall(r"`(\w+)`", modules) for wing, modules in cells}


def wing_of(module: tuple[str, ...]) -> str:
    """Return the wing of a module, whose names from `lerax_render` downwards are given."""
    if len(module) > 1:
        return "/".join(module[:-1])
    return next(wing for wing in (TOP, GROUND) if module[0] in wings()[wing])


def imports(path: Path) -> Iterator[tuple[tuple[str, ...], str]]:
    """List what a module imports from the package: a module or a wing, and the name in it."""
    here = path.relative_to(PACKAGE).parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = here[: len(here) - node.level]
            where = (*base, *(node.module.split(".") if node.module else ()))
            for alias in node.names:
                inner = (*where, alias.name)
                is_module = PACKAGE.joinpath(*inner).with_suffix(".py").exists()
                is_wing = (PACKAGE.joinpath(*inner) / "__init__.py").exists()
                yield (inner, "") if is_module or is_wing else (where, alias.name)


def test_the_table_of_wings_lists_every_module_and_no_other() -> None:
    listed = {
        (*(() if wing in (TOP, GROUND) else wing.split("/")), module)
        for wing, modules in wings().items()
        for module in modules
    }
    there = {path.relative_to(PACKAGE).with_suffix("").parts for path in PACKAGE.rglob("*.py")}
    assert listed == {module for module in there if not module[-1].startswith("__")}


def test_no_wing_holds_more_modules_than_a_reader_can_choose_from() -> None:
    for package in (PACKAGE, ROOT / "src/lerax_log"):
        for folder in (package, *(path.parent for path in package.rglob("__init__.py"))):
            assert len(list(folder.glob("*.py"))) <= MOST_MODULES, folder


def test_imports_point_downwards_only_and_enter_wings_through_their_face() -> None:
    table = wings()
    order = list(table)
    for path in sorted(PACKAGE.rglob("*.py")):
        module = path.relative_to(PACKAGE).with_suffix("").parts
        if module[-1].startswith("__"):
            continue
        wing, room = wing_of(module), module[-1]
        for target, name in imports(path):
            what = f"{'.'.join(module)} imports {'.'.join(target)} {name}"
            if PACKAGE.joinpath(*target).with_suffix(".py").exists():
                theirs = wing_of(target)
                if theirs == wing:
                    assert table[wing].index(room) < table[wing].index(target[-1]), what
                    continue
                is_shown = any((target, "") == found for found in imports_of_face(target[:-1]))
                assert theirs in (TOP, GROUND) or is_shown, f"{what}, which its wing does not show"
            else:
                theirs = "/".join(target)
                if not target:
                    continue  # the package itself, for what is public
            assert order.index(wing) < order.index(theirs), what


def imports_of_face(wing: tuple[str, ...]) -> set[tuple[tuple[str, ...], str]]:
    return set(imports(PACKAGE.joinpath(*wing) / "__init__.pyi"))


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
