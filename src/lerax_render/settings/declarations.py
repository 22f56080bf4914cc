"""What a setting accepts, said once by its type: for Python, manifests and the command line.

A type is one that msgspec knows, with its limits (`between`), its words (`described`) and how it is
written as text (`Text`); a class or a function, which Python alone has; or a sequence or a union of
those.
"""

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import msgspec


class Text(NamedTuple):
    """How values of a type are written on a command line, and in a manifest where that has a text.

    Attributes:
        form: A word for it in a command's help, such as `ROWSxCOLUMNS`.
        parse: From the text to the value. Raises `ValueError` where it is none.
        example: Such a text, for errors.
    """

    form: str
    parse: Callable[[str], Any] = str
    example: str = ""


def between(least: float, most: float | None = None, unit: str = "") -> msgspec.Meta:
    """Limit a number, both limits included, and name its unit."""
    return msgspec.Meta(ge=least, le=most, extra={"unit": unit})


def described(words: str) -> msgspec.Meta:
    """Say in words what a type accepts, where those for its parts would not do."""
    return msgspec.Meta(description=words)


class Kind(NamedTuple):
    """A type taken apart.

    Attributes:
        base: The class; for a union, a sequence and so on its origin.
        parts: A union's members except `None`, a sequence's item, a tuple's items.
        choices: What a `Literal` lists.
        metas: Limits and words.
        text: How it is written.
        is_optional: Whether it is a union with `None`.
    """

    base: Any
    parts: tuple["Kind", ...] = ()
    choices: tuple[Any, ...] = ()
    metas: tuple[msgspec.Meta, ...] = ()
    text: Text | None = None
    is_optional: bool = False

    @property
    def is_object(self) -> bool:
        """Whether it is a class or a function, which no text stands for."""
        is_class = isinstance(self.base, type) and not typing.get_args(self.base)
        return is_class and self.base not in (bool, int, float, str, tuple, Sequence, Any)

    @property
    def is_table(self) -> bool:
        """Whether it has settings of its own."""
        return dataclasses.is_dataclass(self.base)

    @property
    def may_be_false(self) -> bool:
        """Whether a manifest writes `false` for the `None` that TOML lacks."""
        return self.is_optional and not any(part.base is bool for part in self.parts)

    def accepted(self, written: bool = False) -> str:
        """Say in words what it accepts: in Python, or as a manifest writes it."""
        words = next((meta.description for meta in self.metas if meta.description), None)
        words = words or self._words(written)
        if written and self.text is not None and self.text.example:
            words += f", or a text such as {self.text.example}"
        return f"{words}, or false" if written and self.may_be_false else words

    def _words(self, written: bool) -> str:
        parts = [part.accepted(written) for part in self.parts]
        if self.base is typing.Union:
            return _listed([part for part in parts if part])
        if self.base is Literal:
            return f"one of {', '.join(map(str, self.choices))}"
        if self.base is Sequence:
            least = max((meta.min_length or 0 for meta in self.metas), default=0)
            return f"a list{f' of {least} or more' if least else ''}, each item {parts[0]}"
        if self.base is tuple:
            return f"a list of {len(parts)}, each {parts[0]}"
        if self.base is Mapping:
            return "a table"
        if self.is_table:
            return f"some of {', '.join(settings_of(self.base))}"
        if self.is_object:
            # No text stands for it.
            name = "function" if self.base is Callable else self.base.__name__
            return "" if written else f"a {name}"
        if self.base in (int, float):
            return _number(self)
        return {str: "a text", bool: "true or false"}.get(self.base, str(self.base))


class Setting(NamedTuple):
    """A field of a class of settings.

    Attributes:
        name: Its name.
        kind: What it accepts.
        default: Its default, if it is a plain value; else `dataclasses.MISSING`.
        is_required: Whether it has none.
        is_written: Whether manifests and command lines have it. They do not where the field has
            `metadata={"written": False}`.
    """

    name: str
    kind: Kind
    default: Any
    is_required: bool
    is_written: bool


@cache
def settings_of(cls: Any) -> Mapping[str, Setting]:
    """Return the fields of a dataclass by name."""
    hints = typing.get_type_hints(cls, include_extras=True)
    return {
        each.name: Setting(
            each.name,
            kind_of(hints[each.name]),
            each.default,
            each.default is each.default_factory is dataclasses.MISSING,
            each.metadata.get("written", True),
        )
        for each in dataclasses.fields(cls)
    }


def kind_of(annotation: Any) -> Kind:
    """Take a type apart."""
    notes: list[Any] = []
    while True:
        if isinstance(annotation, typing.TypeAliasType):
            annotation = annotation.__value__
        elif typing.get_origin(annotation) is Annotated:
            notes += annotation.__metadata__
            annotation = annotation.__origin__
        else:
            break
    base, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    metas = tuple(note for note in notes if isinstance(note, msgspec.Meta))
    text = next((note for note in notes if isinstance(note, Text)), None)
    if base in (typing.Union, types.UnionType):
        # A limit of a union is one of each member.
        limits = [meta for meta in metas if meta.description is None]
        kinds = [Annotated[each, *limits] if limits else each for each in arguments]
        parts = [kind_of(each) for each in kinds if each is not types.NoneType]
        # A fraction is a number, and a path a text: type checkers alone need to be told.
        bases = {part.base for part in parts}
        told = {other for base, other in ((float, Fraction), (str, Path)) if base in bases}
        parts = [part for part in parts if part.base not in told]
        is_optional = types.NoneType in arguments
        return Kind(typing.Union, tuple(parts), (), metas, text, is_optional)
    if base is Literal:
        return Kind(Literal, (), arguments, metas, text)
    if base in (Sequence, tuple):
        return Kind(base, tuple(map(kind_of, arguments)), (), metas, text)
    return Kind(base if base in (Callable, Mapping) else annotation, (), (), metas, text)


def _listed(words: list[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last


def _number(kind: Kind) -> str:
    is_limited = any(meta.le is not None for meta in kind.metas)
    words = (
        "a whole number" if kind.base is int else "a number" if is_limited else "a finite number"
    )
    for meta in kind.metas:
        if unit := (meta.extra or {}).get("unit"):
            words += f" of {unit}"
        if meta.gt is not None:
            words += f" above {meta.gt}"
        elif meta.ge is not None:
            words += f", at least {meta.ge}" if meta.le is None else f", {meta.ge} to {meta.le}"
    return words
