"""Command-line options derived from settings: their names, types, defaults and help."""

import dataclasses
import itertools
import re
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Annotated, Any

import docstring_parser
from tyro.conf import Positional, UseAppendAction, arg
from tyro.constructors import PrimitiveConstructorSpec

from ..settings import Kind, Picture, Setting, assignments, settings_of, shown

SHORT = {
    "camera": "-c",
    "captions": "--caption",
    "format": "-f",
    "grid": "-g",
    "output": "-o",
    "policy": "-p",
    "quality": "-q",
    "seed": "-s",
    "start": "--from",
    "steps": "-n",
    "stop": "--to",
}
"""What a hand types instead of the names that Python can have."""

BOXES = {
    "rollout": (
        *("env", "env_args", "untrusted", "policy", "policy_class", "policy_args"),
        *("deterministic", "seed"),
    ),
    "time": (
        *("steps", "start", "stop", "episodes", "pick", "of", "max_steps", "at", "times"),
        *("speed", "fps", "bounce", "freeze_end"),
    ),
    "figure": ("kind", "columns", "follow", "color_by"),
    "picture": (*settings_of(Picture), "workers"),
    "layout": ("grid", "labels", "overlay", "plot", "title", "captions"),
    "file": (
        *("format", "preset", "max_size", "print_width", "print_height", "dpi", "codec", "crf"),
        *("lossless", "pixel_format", "loop", "poster"),
    ),
}
"""Which settings stand together in a box of the help, in this order; what is new, under "other"."""

_BOX_OF = {name: box for box, names in BOXES.items() for name in names}

OUTPUT = arg(aliases=[SHORT["output"]], help_behavior_hint="")
"""The file that a command writes."""

PLAIN = arg(help_behavior_hint="")
"""An option of a command itself, whose help says what it is by default."""


def options_of(
    cls: type, names: Iterable[str] | None = None, defaults: Mapping[str, str] | None = None
) -> Callable[[], Any]:
    """Return what makes a dataclass that tyro makes options of: one for each setting of a class.

    Its fields are the boxes of the help, each a dataclass of settings. It is made when it is first
    asked for, and once.

    Args:
        cls: The class of settings. Those without a default become positional arguments.
        names: The settings; all that a command line may have where `None`.
        defaults: What those are that are not given, in words, where it is not what `cls` says.
    """

    @cache
    def made() -> Any:
        settings, helps = settings_of(cls), _helps(cls)
        wanted = {name for name in names or settings if settings[name].is_written}
        boxes: dict[str, list[Any]] = {}
        for name in filter(wanted.__contains__, dict.fromkeys([*_BOX_OF, *settings])):
            help = _help(helps.get(name, ""), settings[name], (defaults or {}).get(name))
            option = _option(settings[name], help)
            boxes.setdefault(_BOX_OF.get(name, "other"), []).append(option)
        fields = [
            (box, Annotated[_dataclass(box, options), arg(name=box, help="")])
            for box, options in boxes.items()
        ]
        return _dataclass(f"{cls.__name__}Options", fields)

    return made


def given(options: Any, cls: type) -> dict[str, Any]:
    """Return the settings that a command line gave.

    Args:
        options: What tyro made of a class from `options_of`.
        cls: The class of settings.

    Raises:
        ValueError: An argument is not of the form `name=value`.
    """
    values: dict[str, Any] = {}
    boxes = [vars(box).items() for box in vars(options).values()]
    for name, value in itertools.chain.from_iterable(boxes):
        kind = settings_of(cls)[name].kind
        if value is None or value == ():
            continue
        try:
            values[name] = _joined(kind, value) if _takes_words(kind) else value
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    return values


def _dataclass(name: str, fields: list[Any]) -> Any:
    # What dataclasses make besides, a docstring above all, takes longer than the class itself.
    namespace = {"__doc__": f"The options {name}."}
    return dataclasses.make_dataclass(
        name, fields, kw_only=True, repr=False, eq=False, namespace=namespace
    )


def _option(setting: Setting, help: str) -> tuple[str, Any, Any]:
    kind = setting.kind
    # Where an option is not given, the class of settings knows its default.
    annotation: Any = Annotated[Any, _spec(kind)]
    default: Any = None
    if kind.base is bool:
        annotation, default = bool, setting.default
    elif _takes_words(kind):
        annotation, default = UseAppendAction[tuple[annotation, ...]], ()
    elif setting.is_required:
        annotation, default = Positional[annotation], dataclasses.MISSING  # type: ignore[misc]
    short = [SHORT[setting.name]] if setting.name in SHORT else []
    option = arg(help=help, help_behavior_hint="", aliases=short, prefix_name=False)
    return setting.name, Annotated[annotation, option], dataclasses.field(default=default)


def _inside(kind: Kind) -> list[Kind]:
    """Return a kind, and all that its unions and sequences are made of."""
    parts = kind.parts if kind.base in (typing.Union, Sequence) else ()
    return [kind, *(each for part in parts for each in _inside(part))]


def _takes_words(kind: Kind) -> bool:
    return any(each.base in (Sequence, Mapping) for each in _inside(kind))


def _joined(kind: Kind, lists: Sequence[Sequence[str]]) -> Any:
    """Make one value of an option's words; an option may be given several times."""
    words = [word for words in lists for word in words]
    inside = _inside(kind)
    if any(each.base is Mapping for each in inside):
        return assignments(words)
    if any(each.choices for each in inside):
        words = [part for word in words for part in word.split(",") if part]
    if not words and any(each.base is bool for each in inside):
        return True
    written = next((each.text for each in inside if each.text is not None), None)
    if written is None:
        return words
    values = [written.parse(word) for word in words]
    has_single = not all(part.base is Sequence or part.is_object for part in kind.parts)
    return values[0] if len(values) == 1 and has_single else values


def _choices(kind: Kind) -> tuple[Any, ...]:
    """Return what a value has to be one of; nothing, where it may be something else, too."""
    first, *others = [each for each in _inside(kind) if each.base is not typing.Union]
    return () if others else first.choices


def _form(kind: Kind) -> str:
    """Return a word for a value in help texts."""
    forms = {int: "NUMBER", float: "NUMBER", Mapping: "NAME=VALUE"}
    for each in _inside(kind):
        if each.text is not None:
            return each.text.form
        if each.choices:
            return f"{{{','.join(map(str, each.choices))}}}"
        if each.base in forms:
            return forms[each.base]
    return "TEXT"


def _parse(kind: Kind, text: str) -> Any:
    for each in _inside(kind):
        if each.text is not None:
            return each.text.parse(text)
        if each.base in (int, float):
            try:
                return each.base(text)
            except ValueError:
                raise ValueError(f"expected {kind.accepted()}, got {shown(text)}") from None
    return text


def _spec(kind: Kind) -> PrimitiveConstructorSpec[Any]:
    """Tell tyro how a value is written."""
    several, form = _takes_words(kind), _form(kind)
    return PrimitiveConstructorSpec(
        nargs="*" if several else 1,
        metavar=f"{form} ..." if several else form,
        instance_from_str=list if several else lambda words: _parse(kind, words[0]),
        # These two are about defaults, which tyro is not told.
        is_instance=lambda _: True,
        str_from_instance=lambda _: [],
        choices=_choices(kind) or None,
    )


def _help(text: str, setting: Setting, default: str | None) -> str:
    """Return a setting's docstring as help, with its default."""
    if default is not None:
        return re.sub(r"\(default.*?\)", f"(default: {default})", text)
    shows_default = "(default" in text or isinstance(setting.default, bool)
    if not shows_default and isinstance(setting.default, str | int):
        text = f"{text.removesuffix('.')} (default {setting.default})."
    return text


def _helps(cls: type) -> dict[str, str]:
    """Return the docstrings of a class's fields."""
    return {
        parameter.arg_name: " ".join((parameter.description or "").split())
        for each in reversed(cls.__mro__[:-1])
        for parameter in docstring_parser.parse_from_object(each).params
    }
