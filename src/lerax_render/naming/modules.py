"""Modules that a user names, by name or by file, and what to say where one does not run.

A file runs once, and again only when it, or what it imported from its own folder, has changed: a
class made anew for each clip would be compiled anew, and JAX never forgets a class. Imports look in
the file's own folder first, as when Python runs a script. But neither that folder nor the names in
it go where all of Python looks, since the `helpers.py` of one folder would be taken for another's
there: instead, each folder is a package with a name of its own.
"""

import builtins
import difflib
import hashlib
import importlib
import importlib.util
import itertools
import os
import re
import sys
import threading
import traceback
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from importlib.machinery import (
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    BuiltinImporter,
    ExtensionFileLoader,
    FileFinder,
    FrozenImporter,
    ModuleSpec,
    PathFinder,
    SourceFileLoader,
)
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

_PACKAGE = "_lerax_render_folder_"

_lock = threading.Lock()
_numbers = itertools.count()
# By path, as they are now; and by the package's name, with those from before a change, which may be
# in use still: imports in their functions are yet to come.
_folders: dict[str, "_Folder"] = {}
_packages: dict[str, "_Folder"] = {}


class ModuleMissing(ValueError):
    """There is no module of that name."""


def module_named(name: str) -> ModuleType:
    """Import a module.

    Raises:
        ModuleMissing: There is none of that name.
        ValueError: It is there, and does not run; the message says which line of which file failed.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if f"{name}.".startswith(f"{error.name}.") and _place_of(error) is None:
            raise ModuleMissing(f"no module named {name!r}") from error
        raise ValueError(failure(f"importing {name}", error)) from error
    except (Exception, SystemExit) as error:
        raise ValueError(failure(f"importing {name}", error)) from error


def module_in(file: str | os.PathLike[str]) -> ModuleType:
    """Return a Python file as a module: the same one until it, or what it imported, has changed.

    Only files in its folder and below count as what it imported.

    Raises:
        ValueError: There is no such file, or it does not run; the message says which line of which
            file failed.
    """
    if not os.path.isfile(file):
        raise ValueError(f"there is no file {os.fspath(file)!r}")
    path = Path(os.path.realpath(file))
    with _lock:
        folder = _folders.get(str(path.parent))
        if folder is None or folder.has_changed():
            folder = _folders[str(path.parent)] = _Folder(str(path.parent))
    try:
        return folder.load(path)
    except (Exception, SystemExit) as error:
        raise ValueError(failure(f"running {os.fspath(file)}", error)) from error


def search_current_folder() -> None:
    """Let modules of the current folder be imported by name, as `python -m` does."""
    if "" not in sys.path and os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())


def failure(what: str, error: BaseException) -> str:
    """Say what failed, in which line of which file, and in the error's own words."""
    place = _place_of(error)
    words = re.sub(rf"{_PACKAGE}\d+\.", "", f"{type(error).__name__}: {error}")
    return f"{what} failed{f' in {place}' if place else ''}: {words}"


def unknown(
    kind: str, name: str, known: Iterable[str], where: str = "", meant: str | None = None
) -> str:
    """Say that nothing has that name, and which names there are.

    Args:
        kind: What was looked for.
        name: What it was called.
        known: All names that there are.
        where: Where it was looked for, after a space.
        meant: What was meant; the most similar of `known` where `None`.
    """
    names = sorted(n for n in known if not n.startswith("_"))
    close = [meant] if meant else difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]}? " if close else ""
    return f"no {kind} named {name!r}{where}: {hint}there are {', '.join(names)}"


def _place_of(error: BaseException) -> str | None:
    """Return the file, line and code at which a module failed; `None` if none had begun to run."""
    if isinstance(error, SyntaxError) and error.filename:
        return _place(error.filename, error.lineno, error.text)
    own = (__file__, importlib.__file__)
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename not in own and not frame.filename.startswith("<frozen ")
    ]
    if not isinstance(error, ImportError):
        # The line of a module, and not of a library that it called.
        frames = [frame for frame in frames if frame.name == "<module>"] or frames
    return _place(frames[-1].filename, frames[-1].lineno, frames[-1].line) if frames else None


def _place(file: str, line: int | None, code: str | None) -> str:
    return f"{file}, line {line}" + (f", `{code.strip()}`" if code and code.strip() else "")


class _Folder:
    """The Python files of a folder as one package, in which they find each other by their names.

    Args:
        path: The folder, without symbolic links.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._name = f"{_PACKAGE}{next(_numbers)}"
        self._files: dict[str, str] = {}
        self._digests: dict[str, bytes] = {}
        self._has: dict[str, bool] = {}
        self._loaders: Any = (
            (ExtensionFileLoader, EXTENSION_SUFFIXES),
            (partial(_Loader, self), SOURCE_SUFFIXES),
        )
        spec = ModuleSpec(self._name, None, is_package=True)
        spec.submodule_search_locations = [path]
        sys.modules[self._name] = importlib.util.module_from_spec(spec)
        _packages[self._name] = self
        if _Finder not in sys.meta_path:
            # Before Python's own, which would find these files, too.
            sys.meta_path.insert(0, _Finder)

    def load(self, file: Path) -> ModuleType:
        """Import a file of this folder, unless it has been."""
        # A stem with a dot in it would name a module of a package. No file's name has a slash.
        name = f"{self._name}.{file.stem.replace('.', '/')}"
        self._files[name] = str(file)
        return importlib.import_module(name)

    def has_changed(self) -> bool:
        """Whether any file that was run is no longer what it was."""
        return any(_digest(path) != digest for path, digest in list(self._digests.items()))

    def note(self, path: str, source: bytes) -> None:
        """Remember what is about to be run."""
        self._digests[path] = hashlib.sha256(source).digest()

    def find(self, name: str, path: Sequence[str]) -> ModuleSpec | None:
        """Find a module of this package, in folders."""
        if name in self._files:
            file = self._files[name]
            loader = _Loader(self, name, file)
            return importlib.util.spec_from_file_location(name, file, loader=loader)
        found = (FileFinder(folder, *self._loaders).find_spec(name) for folder in path)
        return next((spec for spec in found if spec is not None), None)

    def import_(
        self,
        name: str,
        globals: Mapping[str, Any] | None = None,
        locals: Mapping[str, Any] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        """Import for the files of this folder, in the place of Python's `__import__`."""
        first = name.partition(".")[0]
        importer = (globals or {}).get("__name__")
        # A file cartpole.py that imports cartpole means another one.
        if level or importer == f"{self._name}.{first}" or not self._has_module(first):
            return builtins.__import__(name, globals, locals, fromlist or (), level)
        if fromlist:
            return builtins.__import__(f"{self._name}.{name}", globals, locals, fromlist)
        importlib.import_module(f"{self._name}.{name}")
        return sys.modules[f"{self._name}.{first}"]

    def _has_module(self, name: str) -> bool:
        if name not in self._has:
            self._has[name] = self._looked_for(name)
        return self._has[name]

    def _looked_for(self, name: str) -> bool:
        if BuiltinImporter.find_spec(name) or FrozenImporter.find_spec(name):
            return False
        here = self.find(f"{self._name}.{name}", [self._path])
        if here is None:
            return False
        elsewhere = _found_by_python(name)
        if elsewhere is None:
            return True
        # An installed library whose folder this is must not be there twice; and a folder without
        # __init__.py, such as wandb/ or data/, is a package only where there is no other.
        return here.loader is not None and not _same_file(here.origin, elsewhere.origin)


class _Finder:
    """Finds the modules of all folders, for Python's import."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        folder = _packages.get(name.partition(".")[0])
        return None if folder is None or path is None else folder.find(name, path)


def _found_by_python(name: str) -> ModuleSpec | None:
    """Find a module without the current folder, which may be on the path or not."""
    here = os.path.realpath(os.curdir)
    path = [folder for folder in sys.path if os.path.realpath(folder or os.curdir) != here]
    for finder in sys.meta_path:
        spec = finder.find_spec(name, path if finder is PathFinder else None)
        if spec is not None:
            return spec
    return None


def _same_file(one: str | None, other: str | None) -> bool:
    return None not in (one, other) and os.path.realpath(one or "") == os.path.realpath(other or "")


class _Loader(SourceFileLoader):
    """Runs a file of a folder, whose imports look there first."""

    def __init__(self, folder: _Folder, name: str, path: str) -> None:
        super().__init__(name, path)
        self._folder = folder

    def get_code(self, fullname: str) -> CodeType:
        """Compile the file as it is now: Python's bytecode is told to be old only by the second."""
        path = self.get_filename(fullname)
        source = self.get_data(path)
        self._folder.note(path, source)
        return self.source_to_code(source, path)

    def exec_module(self, module: ModuleType) -> None:
        vars(module)["__builtins__"] = {**vars(builtins), "__import__": self._folder.import_}
        super().exec_module(module)


def _digest(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError:
        return None
