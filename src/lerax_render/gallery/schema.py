"""What each key of a gallery's manifest accepts."""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..compose import LINES
from ..mujoco import CINEMATIC, NAMES
from ..video import FORMATS, PRESETS, parsed_size

type Rules = dict[str, tuple[str, Callable[[Any], Any]]]
"""For each key what it accepts, in words and as a function that returns the value to use."""

_LONGEST_SIDE = 16_384
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_GRID = re.compile(r"(\d{1,3})x(\d{1,3})")
# A PNG sequence is no file that a page could show.
_FORMATS = tuple(name for name in FORMATS if name != "png")


class Unfit(Exception):
    """A value is not what a key accepts; the message, where there is one, says why."""


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise Unfit
    return value


def _name(value: Any) -> str:
    if not isinstance(value, str) or not NAME.fullmatch(value):
        raise Unfit
    return value


def _whole(least: int, most: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise Unfit
        return value

    return read


def _number(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise Unfit
    return value


def _rate(value: Any) -> float:
    if not 0.01 <= _number(value) <= 1000:
        raise Unfit
    return float(value)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Unfit
    return value


def _or_false(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Accept false, too, for a key that a clip may want to be without: it becomes `None`."""
    return lambda value: None if value is False else read(value)


def _choice(*names: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if value not in names:
            raise Unfit
        return str(value)

    return read


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise Unfit
    return tuple(_text(each) for each in value)


def _text_or_texts(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) and value else _texts(value)


def _table(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise Unfit
    return value


def _point(value: Any) -> tuple[float, ...]:
    if not isinstance(value, list) or len(value) != 3:
        raise Unfit
    return tuple(_number(each) for each in value)


def _name_or_number(value: Any) -> str | int:
    return _text(value) if isinstance(value, str) else _whole(0, 10**6)(value)


def _camera(value: Any) -> Any:
    if not isinstance(value, dict):
        return _name_or_number(value)
    if not value or not value.keys() <= _CAMERA.keys():
        raise Unfit
    settings = {key: _CAMERA[key](each) for key, each in value.items()}
    # Here and not above: it loads MuJoCo.
    from ..mujoco import Camera

    try:
        Camera(**settings)
    except ValueError as error:
        raise Unfit(str(error)) from error
    return settings


def _overlay(value: Any) -> bool | tuple[str, ...]:
    if isinstance(value, bool):
        return value
    lines = _texts(value)
    if not set(lines) <= set(LINES):
        raise Unfit
    return lines


def _grid(value: Any) -> tuple[int, int]:
    found = _GRID.fullmatch(value) if isinstance(value, str) else None
    pair = [int(found[1]), int(found[2])] if found else value
    if not isinstance(pair, list) or len(pair) != 2:
        raise Unfit
    rows, columns = (_whole(1, 100)(number) for number in pair)
    return rows, columns


def _size(value: Any) -> int:
    try:
        return parsed_size(value) if isinstance(value, str) else _whole(1, 10**12)(value)
    except ValueError as error:
        raise Unfit from error


_CAMERA: dict[str, Callable[[Any], Any]] = {
    "azimuth": _number,
    "elevation": _number,
    "distance": _number,
    "lookat": _point,
    "track": _name_or_number,
}


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


_SIDE = (f"a whole number of pixels, 1 to {_LONGEST_SIDE}", _whole(1, _LONGEST_SIDE))
_LABELS = ("a list of texts", _texts)
_ARGUMENTS = ("a table of arguments, such as { dt = 0.1 }", _table)

_PAGE_KEYS: Rules = {
    "name": ("up to 100 letters a-z, digits, - and _, beginning with a letter or digit", _name),
    "caption": ("a text", _text),
    "tags": _LABELS,
}
CLIP_KEYS: Rules = {
    "env": ("the text that `lerax-render clip` takes as ENV", _text),
    "env_args": _ARGUMENTS,
    "policy": ("a file's path, or a list of them, one a tile of the grid", _text_or_texts),
    "policy_class": ("a text: a name in lerax.policy, module:Class or file.py:Class", _text),
    "policy_args": _ARGUMENTS,
    "steps": ("a whole number, 1 to 1000000", _whole(1, 10**6)),
    "seed": ("a whole number, 0 to 4294967295", _whole(0, 2**32 - 1)),
    "width": _SIDE,
    "height": _SIDE,
    "fps": ("a number of frames a second, 0.01 to 1000", _rate),
    "camera": (
        "a camera's name or number, or a table with some of " + ", ".join(_CAMERA),
        _camera,
    ),
    "quality": (_listed((*NAMES, CINEMATIC)), _choice(*NAMES, CINEMATIC)),
    "format": (_listed(_FORMATS), _choice(*_FORMATS)),
    "deterministic": ("true or false", _flag),
    "overlay": (f"true, false, or a list of some of {_listed(LINES)}", _overlay),
    "grid": ('rows and columns, "2x3" or [2, 3], or false', _or_false(_grid)),
    "labels": _LABELS,
    "preset": (f"{_listed(PRESETS)}, or false", _or_false(_choice(*PRESETS))),
    "max_size": ('a size, such as "10MB", a number of bytes, or false', _or_false(_size)),
}
ENTRY_KEYS: Rules = _PAGE_KEYS | CLIP_KEYS
DEFAULTS_KEYS: Rules = {key: rule for key, rule in ENTRY_KEYS.items() if key != "name"}
GALLERY_KEYS: Rules = {"title": ("a text", _text), "description": ("a text", _text)}
