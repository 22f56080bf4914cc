"""What an MJCF file from a stranger asks for, found out before MuJoCo reads it.

MuJoCo builds whatever a file asks for: ten lines can take all memory, or a day. And what it
includes may lie anywhere on the machine. Here a file is only read, with those that it includes and
attaches; how large its model would become is counted, and the count ends at its limit.
"""

import html
import json
import math
import os
import re
import shlex
import struct
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

MAX_PARTS = 10_000
"""Elements of a model, each as often as it is replicated; a picture shows as many shapes."""

MAX_BYTES = 2**30
"""Memory for textures, meshes, height fields and the like, as far as it can be told beforehand."""

MAX_STEPS = 100_000
"""Simulation steps that compiling a model may take, to find out how long actuators are."""

INSIDE = "inside"

_MAX_FILES = 200
# Memory for a byte of XML, for one of a mesh's file, and for a vertex of a mesh without a file.
_BYTES_OF_TEXT, _BYTES_OF_A_FILE, _BYTES_OF_A_VERTEX = 32, 4, 400
# tinyxml2's grammar, which MuJoCo reads with. A stricter parser refuses comments that people write,
# and any other may see elements where MuJoCo sees a text, and the other way round.
_NAME = r"[A-Za-z_:\x80-\U0010ffff][\w:.\x80-\U0010ffff-]*+"
_ATTRIBUTE = rf"""\s*+({_NAME})\s*+=\s*+("[^"]*+"|'[^']*+')"""
_ATTRIBUTES = re.compile(_ATTRIBUTE, re.ASCII)
_TOKEN = re.compile(
    rf"<(?:!--.*?-->|!\[CDATA\[.*?\]\]>|\?.*?\?>|(?P<end>/)[^>]*+>"
    rf"|(?P<name>{_NAME})(?P<attributes>(?:{_ATTRIBUTE})*+)\s*+(?P<empty>/?)>)",
    re.ASCII | re.DOTALL,
)

type _Attributes = Mapping[str, str]


def check_mjcf(path: str | os.PathLike[str], assets: str | os.PathLike[str] = INSIDE) -> None:
    """Raise unless an MJCF file is of a size that can be built, and what it refers to is allowed.

    What is wrong with it otherwise is MuJoCo's to say.

    Args:
        path: The file.
        assets: Where included files, meshes and textures may lie: `"inside"` the file's own folder,
            or a folder.

    Raises:
        ValueError: The file is no XML, too large a model, or refers to files outside; or `assets`
            is no folder.
        OSError: It cannot be read.
    """
    path = Path(path)
    if path.suffix.lower() == ".mjb":
        raise ValueError(
            f"{path} is compiled, so it cannot be checked before MuJoCo reads it; take the MJCF "
            f"that it was made from. {_WAY_OUT}"
        )
    allowed = path.parent if assets == INSIDE else Path(assets)
    if not allowed.is_dir():
        raise ValueError(
            f"assets must be {INSIDE!r} or a folder, got {os.fspath(assets)!r}, which is no folder"
        )
    budget = _Budget()
    try:
        _Model(path, budget, allowed).read()
    except (ValueError, OSError):
        # It may be of a file outside, of which nothing must be told.
        if not budget.outside:
            raise
    if budget.outside:
        raise ValueError(_refusal(budget.outside, Path(os.path.realpath(allowed)), allowed))


def _refusal(outside: Mapping[str, tuple[Path, Path]], place: Path, allowed: Path) -> str:
    """Say what lies outside, and which folder would hold it all."""
    by, file = next(iter(outside.values()))
    others = len(outside) - 1
    also = f", and to {others} more there" if others else ""
    folder = os.path.commonpath([place, *map(os.path.dirname, outside)])
    return (
        f"{by} refers to {str(file)!r}, which is outside of {str(allowed)!r}{also}. If you trust "
        f"that, allow {folder!r}: --env-args {shlex.quote(f'assets={folder}')} on the command "
        f"line, env_args = {{ assets = {json.dumps(folder, ensure_ascii=False)} }} in a manifest, "
        f"assets={folder!r} in Python"
    )


class _Budget:
    """What a model and those that it attaches have taken together.

    Attributes:
        num_bytes: Of memory.
        attached: How many parts each attached model has.
        outside: By their real paths, files that are not allowed: who refers to it, and as what.
    """

    def __init__(self) -> None:
        self.outside: dict[str, tuple[Path, Path]] = {}
        self.num_bytes = 0.0
        self.attached: dict[Path, float | None] = {}

    def take(self, num_bytes: float, path: Path, what: str) -> None:
        self.num_bytes += max(0.0, num_bytes)
        if self.num_bytes > MAX_BYTES:
            raise ValueError(
                f"{path} asks for more than {MAX_BYTES / 2**30:g} GiB of memory, the last of it "
                f"for {what}. {_WAY_OUT}"
            )


class _Model:
    """One model: a file, and what it includes.

    Args:
        path: Of the file.
        budget: What it may take.
        allowed: The folder that it may refer to files in.
    """

    def __init__(self, path: Path, budget: _Budget, allowed: Path) -> None:
        self._path = path
        self._budget = budget
        self._allowed = Path(os.path.realpath(allowed))
        self._entered: set[Path] = set()
        self._num_parts = 0.0
        self._folders = {""}
        self._bases = {path.parent}
        self._files: list[str] = []
        self._strips: set[bool] = set()
        self._models: dict[str, float] = {}
        self._attached: list[tuple[str, float]] = []

    def read(self) -> float:
        """Check the model and return how many parts it has."""
        self._enter(self._path, 1)
        for name, factor in self._attached:
            # Named by the model itself where the file does not say.
            parts = self._models.get(name, max(self._models.values(), default=0))
            self._add(factor * parts)
        for file in self._files:
            self._check_asset(file)
        return self._num_parts

    def _enter(self, path: Path, factor: float) -> None:
        """Go through a file whose elements there are `factor` times."""
        if (place := Path(os.path.realpath(path))) in self._entered:
            # MuJoCo says so: it includes no file twice.
            return
        self._entered.add(place)
        if len(self._entered) > _MAX_FILES:
            raise ValueError(f"{self._path} includes more than {_MAX_FILES} files. {_WAY_OUT}")
        self._bases.add(path.parent)
        self._budget.take(_BYTES_OF_TEXT * path.stat().st_size, path, "its text")
        factors = [factor]
        for name, attributes in _elements(path):
            if name is None:
                # One end too many is an error, which MuJoCo reports.
                factors = factors[:-1] or [factor]
                continue
            count = max(1.0, math.prod(_numbers(attributes.get("count"))))
            factors.append(factors[-1] * count)
            self._add(factors[-1])
            self._look(name, attributes, factors[-1], path)

    def _look(self, name: str, attributes: _Attributes, factor: float, path: Path) -> None:
        if name == "include" and "file" in attributes:
            self._enter(self._included(attributes["file"], path), factor)
        elif name == "model" and "file" in attributes:
            file = self._included(attributes["file"], path)
            self._models[attributes.get("name", file.stem)] = self._parts_of(file)
        elif name == "attach":
            self._attached.append((attributes.get("model", ""), factor))
        elif name == "robot":
            # URDF's default is another than MJCF's, by MuJoCo's documentation.
            self._strips |= {True, False}
        elif name == "compiler":
            self._folders |= {attributes[key] for key in _FOLDERS if key in attributes}
            if "strippath" in attributes:
                self._strips.add(attributes["strippath"] == "true")
        else:
            self._files += [attributes[key] for key in _FILES if key in attributes]
        if name in _BYTES:
            num_bytes = _BYTES[name](attributes)
            self._budget.take(factor * num_bytes, path, f"a <{name}>")
        self._budget.take(64 * _most(attributes, "nsample"), path, f"the samples of a <{name}>")
        if name == "lengthrange" and _num_steps(attributes) > MAX_STEPS:
            raise ValueError(
                f"{path}: <lengthrange> asks for more than {MAX_STEPS} steps of simulation before "
                f"the model is ready: let its inttotal be less or its timestep longer. {_WAY_OUT}"
            )

    def _parts_of(self, file: Path) -> float:
        """Check a model that this one attaches, once for all that do, and count its parts."""
        place, attached = Path(os.path.realpath(file)), self._budget.attached
        if place not in attached:
            if len(attached) >= _MAX_FILES:
                raise ValueError(f"{self._path} attaches more than {_MAX_FILES} models. {_WAY_OUT}")
            attached[place] = None
            attached[place] = _Model(file, self._budget, self._allowed).read()
        parts = attached[place]
        if parts is None:
            raise ValueError(f"{self._path} attaches {file}, which attaches itself")
        return parts

    def _add(self, num_parts: float) -> None:
        self._num_parts += num_parts
        if self._num_parts > MAX_PARTS:
            raise ValueError(
                f"{self._path} has more than {MAX_PARTS} parts, counted as often as they are "
                f"replicated. {_WAY_OUT}"
            )

    def _included(self, file: str, by: Path) -> Path:
        """Where MuJoCo finds an included file: from the model's folder, or from the includer's."""
        file = file.replace("\\", "/")
        for folder in (self._path.parent, by.parent):
            if (folder / file).is_file():
                # Gone through all the same: what else is outside is to be said at once.
                self._is_allowed(folder / file, by)
                return folder / file
        raise ValueError(f"{by} refers to {file!r}: there is no such file")

    def _check_asset(self, file: str) -> None:
        file = file.replace("\\", "/")
        names = {file}
        if True in self._strips:
            stripped = file.rpartition("/")[2]
            names = {stripped} if self._strips == {True} else {file, stripped}
        for base in self._bases:
            for folder in self._folders:
                for name in names:
                    found = base / folder.replace("\\", "/") / name
                    if found.is_file() and self._is_allowed(found, self._path):
                        self._budget.take(_file_bytes(found), self._path, found.name)

    def _is_allowed(self, file: Path, by: Path) -> bool:
        place = os.path.realpath(file)
        if Path(place).is_relative_to(self._allowed):
            return True
        self._budget.outside.setdefault(place, (by, file))
        return False


_WAY_OUT = (
    "If you trust it, load it without limits: without --untrusted on the command line, with "
    "untrusted = false in a manifest, with assets=None in Python"
)
_FOLDERS = ("meshdir", "texturedir", "assetdir")
_FILES = (
    "file",
    "filename",
    *(f"file{side}" for side in ("back", "down", "front", "left", "right", "up")),
)


def _texture_bytes(attributes: _Attributes) -> float:
    faces = 1 if attributes.get("type") == "2d" else 6
    return 3 * faces * _most(attributes, "width") * _most(attributes, "height")


def _size_bytes(attributes: _Attributes) -> float:
    for_each_part = sum(_most(attributes, key) for key in attributes if key.startswith("nuser_"))
    return 8 * (
        _most(attributes, "nuserdata") + MAX_PARTS * for_each_part + 100 * _most(attributes, "nkey")
    )


def _quality_bytes(attributes: _Attributes) -> float:
    sides = [_most(attributes, key) for key in ("numslices", "numstacks", "numquads", "shadowsize")]
    return 4 * max(sides) ** 2


# Elements that a few characters make large: how many bytes.
_BYTES: dict[str, Callable[[_Attributes], float]] = {
    "texture": _texture_bytes,
    "hfield": lambda a: 8 * _most(a, "nrow") * _most(a, "ncol"),
    "mesh": lambda a: _BYTES_OF_A_VERTEX * _most(a, "params") ** 2,
    # A rangefinder may take one measurement a pixel.
    "camera": lambda a: 8 * math.prod(_numbers(a.get("resolution"))),
    "user": lambda a: 8 * _most(a, "dim"),
    "contact": lambda a: 200 * _most(a, "num"),
    "size": _size_bytes,
    "quality": _quality_bytes,
}


def _num_steps(lengthrange: _Attributes) -> float:
    (total,) = _numbers(lengthrange.get("inttotal"))[:1] or [10.0]
    (timestep,) = _numbers(lengthrange.get("timestep"))[:1] or [0.01]
    return total / timestep if timestep > 0 else 0.0


def _elements(path: Path) -> Iterator[tuple[str | None, _Attributes]]:
    """Yield a name and attributes where an element begins, and `None` where one ends."""
    text = path.read_bytes().decode("utf-8", "surrogateescape")
    position = text.find("<")
    if position < 0:
        raise ValueError(f"{path} is no MJCF: there is not a single element in it")
    while position >= 0:
        token = _TOKEN.match(text, position)
        if token is None:
            line = text.count("\n", 0, position) + 1
            raise ValueError(
                f"{path}, line {line}: this is no XML that MJCF can be in: "
                f"{text[position : position + 40]!r}"
            )
        if token["name"]:
            yield token["name"], _attributes(token["attributes"])
        if token["end"] or token["empty"]:
            yield None, {}
        position = text.find("<", token.end())


def _attributes(text: str) -> _Attributes:
    return {key: html.unescape(value[1:-1]) for key, value in _ATTRIBUTES.findall(text)}


def _numbers(text: str | None) -> list[float]:
    """The numbers of an attribute; none where MuJoCo will say that they are no numbers."""
    try:
        numbers = [float(word) for word in (text or "").split()]
    except ValueError:
        return []
    return [number for number in numbers if not math.isnan(number)]


def _most(attributes: _Attributes, key: str) -> float:
    return max(_numbers(attributes.get(key)), default=0.0)


def _file_bytes(path: Path) -> float:
    """Memory that a file takes when it is loaded."""
    with open(path, "rb") as file:
        head = file.read(24)
    if head.startswith(b"\x89PNG") and len(head) == 24:
        # A picture of one colour has a thousandth of its pixels' size.
        width, height = struct.unpack(">II", head[16:])
        return float(3 * width * height)
    return float(_BYTES_OF_A_FILE * path.stat().st_size)
