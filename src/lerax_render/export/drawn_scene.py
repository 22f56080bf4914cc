"""2D scenes in a file: which commands there are, which of them a step draws, and their numbers."""

import dataclasses
import itertools
from pathlib import Path
from typing import Any, get_args

import msgspec
import numpy as np

from ..errors import RenderError
from ..paint2d import Command, DrawList, Kind, Layout, Scene2D, single_frames
from ..settings import checked
from ..trees import row
from .archive import MAX_TEXT, Archive, ArchiveWriter
from .contents import Scene, Tree, steps_of

_KINDS: tuple[Kind, ...] = get_args(Kind.__value__)
_MOST_POINTS = 10**6
# Each is an object in Python, which takes ten times the memory that it has in the file.
_MOST_COMMANDS = 10**7
_POINTS = {"clear": 0, "line": 2}
_AT_LEAST = {"polygon": 3, "polyline": 2}


def put_scene(archive: ArchiveWriter, scene: Scene2D, beside: Path | None = None) -> Scene:
    """Describe a scene, which is small enough to be in each file."""
    return Scene("2d", layout=dataclasses.asdict(scene.layout))


def put_captured(archive: ArchiveWriter, name: str, captured: DrawList | np.ndarray) -> Tree:
    """Add what was drawn.

    `commands` is `int32 (C, 3)`: the place of each command's kind in `kinds`, its number of points,
    and the place of its text in `texts`. `layouts` is `int32 (L, 3)`: the first command of each,
    the one after its last, and whether the picture is cleared first. `layout` is `int32 (T,)`. The
    `numbers` of all steps lie one after the other; where all have one layout, as `(T, n)`.
    """
    frames = [captured] if isinstance(captured, DrawList) else single_frames(captured)
    texts: dict[str, int] = {}
    layouts: dict[Any, int] = {}
    places = [layouts.setdefault((f.commands, f.cleared), len(layouts)) for f in frames]
    kinds = {kind: place for place, kind in enumerate(_KINDS)}
    commands = [
        (kinds[command.kind], command.num_points, texts.setdefault(command.text, len(texts)))
        for listed, _ in layouts
        for command in listed
    ]
    if len(commands) > _MOST_COMMANDS:
        raise RenderError(
            f"a replay whose steps draw more than {_MOST_COMMANDS:,} different commands cannot be "
            "saved: save parts of it, replay[a:b]"
        )
    ends = list(itertools.accumulate((len(listed) for listed, _ in layouts), initial=0))
    bounds = [
        (start, stop, cleared)
        for (start, stop), (_, cleared) in zip(itertools.pairwise(ends), layouts, strict=True)
    ]
    if isinstance(captured, DrawList):
        numbers = np.asarray(captured.numbers, np.float32)
        places = places * len(numbers)
    else:
        numbers = np.concatenate([np.asarray(f.numbers, np.float32) for f in frames])
    return {
        "kinds": list(_KINDS),
        "texts": archive.add(f"{name}/texts.json", msgspec.json.encode(list(texts))),
        "commands": archive.add_array(
            f"{name}/commands", np.array(commands, np.int32).reshape(-1, 3)
        ),
        "layouts": archive.add_array(f"{name}/layouts", np.array(bounds, np.int32)),
        "layout": archive.add_array(f"{name}/layout", np.array(places, np.int32)),
        "numbers": archive.add_array(f"{name}/numbers", numbers),
    }


def take_scene(archive: Archive, scene: Scene) -> Scene2D:
    """Return the scene that is described.

    Raises:
        RenderError: It is none.
    """
    try:
        layout = msgspec.convert(scene.layout, _Layout)
        given = msgspec.structs.asdict(layout)
        made = Layout(**given)
        if not (0 < made.zoom < 1e6 and min(made.inner[2:]) > 0):
            raise ValueError("its zoom or its clip is none")
        numbers = np.array([*made.offset, *made.corner, *made.background, *made.inner])
        if not np.isfinite(numbers).all():
            raise ValueError("a number in it is not finite")
        for side in made.transform_size or ():
            checked("transform_size", int, side)
    except (msgspec.ValidationError, ValueError, TypeError, OverflowError) as error:
        raise archive.error(f"has no layout that can be drawn: {str(error)[:200]}") from error
    return Scene2D(made)


def take_captured(
    archive: Archive, scene: Scene2D, named: Tree, steps: int
) -> tuple[DrawList | np.ndarray, int]:
    """Return what was drawn, and in how many steps something in it is not finite.

    Raises:
        RenderError: It does not fit together.
    """
    try:
        parts = msgspec.convert(named, _Captured)
        texts = msgspec.json.decode(archive.read(parts.texts, MAX_TEXT), type=list[str])
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise archive.error(f"has no drawings: {str(error)[:200]}") from error
    table, bounds, numbers = map(archive.array, (parts.commands, parts.layouts, parts.numbers))
    layout = steps_of(archive, steps)(parts.layout)
    shapes = (table.shape[1:], bounds.shape[1:], layout.shape[1:]) == ((3,), (3,), ())
    whole = all(array.dtype.kind in "iub" for array in (table, bounds, layout))
    limits = (len(parts.kinds), _MOST_POINTS, len(texts))
    if (
        not (shapes and whole and set(parts.kinds) <= set(_KINDS))
        or numbers.dtype != np.float32
        or not all(_within(column, limit) for column, limit in zip(table.T, limits, strict=True))
        or not _within(bounds[:, :2], len(table) + 1)
        or not _within(layout, len(bounds))
        # Commands that no step draws, or that overlap, could outgrow any memory.
        or len(table) > _MOST_COMMANDS
        or len(bounds) > steps
        or bounds[:, 0].tolist() != [0, *bounds[:-1, 1].tolist()]
        or len(table) != bounds[-1, 1]
    ):
        raise archive.error("has drawings that do not fit together")
    commands = [
        Command(parts.kinds[kind], points, texts[text]) for kind, points, text in table.tolist()
    ]
    if not all(
        command.num_points >= _AT_LEAST[command.kind]
        if command.kind in _AT_LEAST
        else command.num_points == _POINTS.get(command.kind, 1)
        for command in commands
    ):
        raise archive.error("has shapes without the points that they need")
    listed = [(tuple(commands[start:stop]), bool(c)) for start, stop, c in bounds.tolist()]
    counts = [sum(command.num_numbers for command in each) for each, _ in listed]
    if numbers.ndim == 2:
        if len(listed) != 1 or numbers.shape != (steps, counts[0]):
            raise archive.error("has drawings with numbers that are not those of their commands")
        lacking = steps - int(np.isfinite(numbers).all(axis=1).sum())
        return DrawList(numbers, *listed[0]), lacking
    stops = np.cumsum(np.array(counts, np.int64)[layout])
    if numbers.ndim != 1 or len(numbers) != stops[-1]:
        raise archive.error("has drawings with numbers that are not those of their commands")
    each = np.split(numbers, stops[:-1])
    lacking = sum(not np.isfinite(frame).all() for frame in each)
    frames = [DrawList(n, *listed[place]) for n, place in zip(each, layout.tolist(), strict=True)]
    return row(frames), lacking


def count_lacking(captured: DrawList | np.ndarray) -> int:
    """Return in how many steps something that is drawn is not finite."""
    return sum(not np.isfinite(frame.numbers).all() for frame in single_frames(captured))


def _within(numbers: np.ndarray, limit: int) -> bool:
    return bool(((numbers >= 0) & (numbers < limit)).all())


class _Layout(msgspec.Struct):
    width: int
    height: int
    scale: float
    offset: tuple[float, float]
    y_up: bool
    background: tuple[float, float, float]
    zoom: float
    corner: tuple[float, float]
    clip: tuple[int, int, int, int] | None
    transform_size: tuple[int, int] | None


class _Captured(msgspec.Struct):
    kinds: list[str]
    texts: str
    commands: str
    layouts: str
    layout: str
    numbers: str
