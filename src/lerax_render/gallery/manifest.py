"""A gallery's manifest: a TOML file that lists clips, read and checked as a whole."""

import difflib
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..batch import Clip, file_in, stem
from ..compose import Grid
from ..recording import picture_size
from ..video import Preset, find_preset
from .schema import CLIP_KEYS, DEFAULTS_KEYS, ENTRY_KEYS, GALLERY_KEYS, Rules, Unfit
from .toml_lines import Place, key_lines, line_of

_TABLES = ("gallery", "defaults", "clips")


@dataclass(frozen=True)
class Entry:
    """One clip of a gallery.

    Attributes:
        name: Its files' name without suffix; safe as one, and the only one of the manifest even
            where case makes no difference.
        clip: What is in it.
        caption: A line of text; may be empty.
        tags: Words that it can be found by.
        line: Of the manifest where it begins.
    """

    name: str
    clip: Clip
    caption: str
    tags: tuple[str, ...]
    line: int


@dataclass(frozen=True)
class Manifest:
    """A gallery.

    Attributes:
        title: Of its page.
        description: A text below the title; may be empty.
        entries: Its clips, in order.
    """

    title: str
    description: str
    entries: tuple[Entry, ...]


def read_manifest(path: Path) -> Manifest:
    """Read a manifest; paths in it are relative to its own folder.

    Raises:
        ValueError: It is no TOML, or not a valid manifest: the message names, for each mistake, the
            line, the key, what was given and what is accepted.
        OSError: The file cannot be read.
    """
    try:
        text = path.read_text("utf-8-sig")
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not valid TOML: {error}") from error
    return _Reader(path, text).read(document)


class _Reader:
    """Reads one manifest and collects what is wrong with it.

    Args:
        path: Of the manifest.
        text: Of the manifest, valid TOML.
    """

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._lines = key_lines(text)
        self._mistakes: list[tuple[int, str]] = []

    def read(self, document: dict[str, Any]) -> Manifest:
        for key in document.keys() - set(_TABLES):
            self._mistake((key,), f"there is no key {key} outside of {_tables()}")
        about = self._values(("gallery",), document.get("gallery", {}), GALLERY_KEYS)
        defaults = self._values(("defaults",), document.get("defaults", {}), DEFAULTS_KEYS)
        tables = document.get("clips")
        if isinstance(tables, dict):
            self._mistake(
                ("clips",), "clips is one table, and there may be several: write [[clips]]"
            )
            tables = []
        elif not isinstance(tables, list) or not tables:
            self._mistake(("clips",), "there are no clips; each begins with a line [[clips]]")
            tables = []
        entries: list[Entry] = []
        for number, table in enumerate(tables):
            place: Place = ("clips", number)
            before = len(self._mistakes)
            values = defaults | self._values(place, table, ENTRY_KEYS)
            if before == len(self._mistakes):
                self._check_together(place, values)
            if before == len(self._mistakes):
                entries.append(self._entry(place, values, entries))
        if self._mistakes:
            # One in [defaults] is found again with every clip.
            mistakes = sorted(set(self._mistakes))
            lines = [f"{self._path}, line {line}: {text}" for line, text in mistakes]
            raise ValueError("\n".join(lines))
        return Manifest(about.get("title", "Gallery"), about.get("description", ""), tuple(entries))

    def _values(self, place: Place, table: Any, rules: Rules) -> dict[str, Any]:
        """Return the values of a table whose keys and values are accepted."""
        if not isinstance(table, dict):
            self._mistake(place, f"{place[0]} is {table!r}, accepted is a table")
            return {}
        values = {}
        for key, value in table.items():
            if key not in rules:
                self._mistake((*place, key), f"there is no key {key}{_hint(key, rules)}")
                continue
            accepted, read = rules[key]
            try:
                values[key] = read(value)
            except Unfit as error:
                why = f"; {error}" if str(error) else ""
                self._mistake((*place, key), f"{key} is {value!r}, accepted is {accepted}{why}")
        return values

    def _check_together(self, place: Place, values: dict[str, Any]) -> None:
        """Check what depends on more than one key."""
        if "env" not in values:
            self._mistake(place, f"env is missing, accepted is {ENTRY_KEYS['env'][0]}")
            return
        self._check_files(place, values)
        preset = values.get("preset")
        try:
            chosen = find_preset(preset, values.get("max_size"))
        except ValueError as error:
            self._mistake(self._place(place, "max_size"), str(error))
            return
        if chosen is not None and values.get("format", chosen.format) != chosen.format:
            self._mistake(
                self._place(place, "format"),
                f"format is {values['format']!r}, accepted with preset {preset!r} is "
                f"{chosen.format!r}",
            )
        self._check_grid(place, values, chosen)

    def _check_grid(self, place: Place, values: dict[str, Any], preset: Preset | None) -> None:
        grid = values.get("grid")
        rows, columns = grid or (0, 0)
        for key, most in (("policy", 1), ("labels", 0)):
            count = len(values.get(key, ()))
            if count > most and count != rows * columns:
                tiles = f"the grid has {rows * columns} tiles" if rows else "there is no grid"
                self._mistake(self._place(place, key), f"{key} lists {count}, and {tiles}")
        if grid is None:
            return
        env = values["env"]
        if env.startswith("gym:") or env.lower().endswith(".xml"):
            self._mistake(
                self._place(place, "grid"),
                f"grid is {rows}x{columns}, accepted with {env} is none: Gymnasium and MJCF files "
                "are stepped by themselves; make a clip for each seed, or write grid = false",
            )
            return
        try:
            Grid(grid, *picture_size(preset, values.get("width"), values.get("height")))
        except ValueError as error:
            self._mistake(self._place(place, "grid"), str(error))

    def _check_files(self, place: Place, values: dict[str, Any]) -> None:
        for key in ("env", "policy", "policy_class"):
            named = values.get(key, ())
            for file in [file_in(named)] if isinstance(named, str) else named:
                if file and not (self._path.parent / file).is_file():
                    self._mistake(
                        self._place(place, key),
                        f"{key} names {file!r}, and there is no file {self._path.parent / file}",
                    )

    def _entry(self, place: Place, values: dict[str, Any], others: list[Entry]) -> Entry:
        name = values.get("name") or stem(values["env"])
        for other in others:
            if other.name.casefold() == name.casefold():
                self._mistake(
                    (*place, "name"),
                    f"the clip in line {other.line} is named {name}, too; give one of them a name",
                )
        settings = {key: value for key, value in values.items() if key in CLIP_KEYS}
        return Entry(
            name,
            Clip(**settings, folder=self._path.parent),
            values.get("caption", ""),
            values.get("tags", ()),
            line_of(self._lines, place),
        )

    def _place(self, place: Place, key: str) -> Place:
        """Return where a clip's key stands: with the clip, or in `[defaults]`."""
        default: Place = ("defaults", key)
        own = (*place, key)
        return default if own not in self._lines and default in self._lines else own

    def _mistake(self, place: Place, text: str) -> None:
        self._mistakes.append((line_of(self._lines, place), text))


def _tables() -> str:
    gallery, defaults, clips = _TABLES
    return f"[{gallery}], [{defaults}] and [[{clips}]]"


def _hint(key: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(key, known, n=1)
    return f"; did you mean {close[0]}?" if close else f"; there are {', '.join(known)}"
