"""What `meta.json` says is in a replay's file; docs/replay-format.md describes it for others."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from ..errors import RenderError
from .archive import MAX_TEXT, META, Archive, ArchiveWriter

FORMAT, VERSION = "lerax-render replay", 1

MAX_STEPS = 10**7
"""Limit for all lanes together: Python needs more memory for a step than the file has bytes."""

type Tree = Any
"""Names of arrays in lists and objects, as the arrays lie in tuples and dicts; `null` for none."""


class Scene(msgspec.Struct, omit_defaults=True):
    """What stays the same.

    Attributes:
        kind: `"mujoco"` or `"2d"`.
        file: MuJoCo: the compiled model in this file.
        path: MuJoCo: instead, the name of a file beside this one that has it.
        sha256: MuJoCo: of the compiled model, in hexadecimal.
        mujoco: MuJoCo: the version that reads it.
        layout: 2D: how the world lies on the picture, the fields of `paint2d.Layout`.
    """

    kind: str
    file: str | None = None
    path: str | None = None
    sha256: str | None = None
    mujoco: str | None = None
    layout: dict[str, Any] | None = None


class Origin(msgspec.Struct):
    """Where a lane comes from, see `Origin` in `replay.py`."""

    env: str | None = None
    policy: str | None = None
    seed: list[int] | None = None
    training_step: int | None = None
    versions: dict[str, str] = {}


class Whole(msgspec.Struct):
    """What was captured of the replay that a lane is a part of."""

    steps: int
    captured: Tree


class Lane(msgspec.Struct):
    """One replay, see `Replay`; the names are those of its attributes.

    Attributes:
        steps: Number of steps.
        not_finite: In how many of them something that is shown is NaN or infinite.
        whole: The replay that this is a part of, where its camera needs that.
    """

    steps: int
    captured: Tree
    not_finite: int = 0
    seconds_per_step: float | None = None
    rewards: str | None = None
    terminated: str | None = None
    truncated: str | None = None
    episode_starts: str | None = None
    actions: Tree = None
    observations: Tree = None
    whole: Whole | None = None
    origin: Origin = msgspec.field(default_factory=Origin)


class Contents(msgspec.Struct):
    """All of `meta.json`."""

    scene: Scene
    lanes: list[Lane]
    sha256: dict[str, str]
    format: str = FORMAT
    version: int = VERSION


class _Version(msgspec.Struct):
    format: str = ""
    version: int = 0


def wholes_in(lanes: Sequence[Lane]) -> dict[bytes, Whole]:
    """Return what lanes are parts of, once each, however many are of one."""
    return {whole_key(lane.whole): lane.whole for lane in lanes if lane.whole is not None}


def whole_key(whole: Whole) -> bytes:
    """Return what tells two apart."""
    return msgspec.json.encode(whole)


def step_counts(lanes: Sequence[Lane]) -> list[int]:
    """Return the numbers of steps of lanes, and of what they are parts of."""
    wholes = wholes_in(lanes).values()
    return [*(lane.steps for lane in lanes), *(whole.steps for whole in wholes)]


def read_contents(archive: Archive) -> Contents:
    """Return what is in a file, and have its checksums looked at from here on.

    Raises:
        RenderError: It is not a replay's, has too many steps, or is of another version of the
            format.
    """
    text = archive.read(META, MAX_TEXT)
    try:
        said = msgspec.json.decode(text, type=_Version)
        if said.format != FORMAT:
            raise archive.error(f"is no replay: {META} says that it is {said.format[:80]!r}")
        if said.version != VERSION:
            raise archive.error(
                f"has version {said.version} of the format, and this lerax-render reads "
                f"{VERSION}: open it with the lerax-render that wrote it, or a newer one"
            )
        contents = msgspec.json.decode(text, type=Contents)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise archive.error(f"has a {META} that is none: {str(error)[:200]}") from error
    counts = step_counts(contents.lanes)
    if not counts or min(counts) < 1:
        raise archive.error("has no steps in it")
    if (steps := sum(counts)) > MAX_STEPS:
        raise archive.error(f"has {steps} steps in it, and {MAX_STEPS:,} is the limit")
    archive.sha256 = contents.sha256
    return contents


def put_tree(archive: ArchiveWriter, name: str, tree: Any, narrow: bool = False) -> Tree:
    """Add the arrays of a tree, as `map_arrays` knows it, and return their names likewise.

    Args:
        archive: Where they go.
        name: Of the array, or what those of its arrays begin with.
        tree: The tree. Named tuples and dataclasses become objects.
        narrow: Whether `float64` becomes `float32`.
    """
    if tree is None or isinstance(tree, str):
        return None
    if isinstance(tree, np.ndarray):
        is_wide = narrow and tree.dtype == np.float64
        return archive.add_array(name, tree.astype(np.float32) if is_wide else tree)
    if dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        tree = {field.name: getattr(tree, field.name) for field in dataclasses.fields(tree)}
    if hasattr(tree, "_fields"):
        tree = tree._asdict()
    if isinstance(tree, Mapping):
        return {
            str(key): put_tree(archive, f"{name}/{number}", part, narrow)
            for number, (key, part) in enumerate(tree.items())
        }
    return [put_tree(archive, f"{name}/{number}", part, narrow) for number, part in enumerate(tree)]


def taken_tree(tree: Tree, take: Callable[[str], np.ndarray]) -> Any:
    """Return a tree of arrays, from one of their names; lists become tuples.

    Raises:
        RenderError: There is something else in it.
    """
    if tree is None:
        return None
    if isinstance(tree, str):
        return take(tree)
    if isinstance(tree, dict):
        return {key: taken_tree(part, take) for key, part in tree.items()}
    if isinstance(tree, list):
        return tuple(taken_tree(part, take) for part in tree)
    raise RenderError(f"{META} names {str(tree)[:80]!r} as an array")


def steps_of(archive: Archive, steps: int) -> Callable[[Any], np.ndarray]:
    """Return what takes arrays out of a file and insists on their number of steps."""

    def take(name: Any) -> np.ndarray:
        array = archive.array(name)
        if array.ndim < 1 or len(array) != steps:
            raise archive.error(f"has {array.shape} in {name}, where there are {steps} steps")
        return array

    return take
