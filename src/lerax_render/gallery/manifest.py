"""A gallery's manifest: a TOML file that lists clips, read and checked as a whole."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ..batch import Clip, idle_with_replay
from ..compose import Grid
from ..making import idle_in
from ..naming import file_in, is_model, stem
from ..output import EXPORTS
from ..settings import Picture, Setting, check_episodes, checked, settings_of, shown, unknown
from ..video import FORMATS, Encoding, Preset, find_preset
from .schema import About, Caption
from .toml_lines import Place, key_lines, line_of

type Keys = Mapping[str, Setting]

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
            line, the clip, the key, what is accepted and what was given.
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
        self._mistakes: list[tuple[int, str, str]] = []
        self._clip = ""
        settings = settings_of(Clip)
        self._clip_keys = {name: key for name, key in settings.items() if key.is_written}
        self._entry_keys = {**settings_of(Caption), **self._clip_keys}

    def read(self, document: dict[str, Any]) -> Manifest:
        for key in document.keys() - set(_TABLES):
            self._mistake((key,), f"there is no key {key} outside of {_tables()}")
        # Two clips cannot have one name.
        shared = {name: key for name, key in self._entry_keys.items() if name != "name"}
        about = self._values(("gallery",), document.get("gallery", {}), settings_of(About))
        defaults = self._values(("defaults",), document.get("defaults", {}), shared)
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
            self._clip = _called(table, number)
            values = defaults | self._values(place, table, self._entry_keys)
            if before == len(self._mistakes):
                self._check_together(place, values)
            if before == len(self._mistakes):
                self._add_entry(place, values, entries)
        if self._mistakes:
            raise ValueError("\n".join(self._said(len(tables))))
        return Manifest(about.get("title", "Gallery"), about.get("description", ""), tuple(entries))

    def _values(self, place: Place, table: Any, keys: Keys) -> dict[str, Any]:
        """Return the values of a table whose keys and values are accepted."""
        if not isinstance(table, dict):
            self._mistake(place, f"{place[0]} must be a table, got {shown(table)}")
            return {}
        values = {}
        for key, value in table.items():
            try:
                if key not in keys:
                    raise ValueError(unknown("key", key, keys))
                values[key] = checked(key, keys[key].kind, value, written=True)
            except (ValueError, TypeError) as error:
                self._mistake((*place, key), str(error))
        return values

    def _check_together(self, place: Place, values: dict[str, Any]) -> None:
        """Check what depends on more than one key."""
        if "env" not in values:
            accepted = self._clip_keys["env"].kind.accepted(written=True)
            self._mistake(place, f"env is missing; it must be {accepted}")
            return
        self._check_files(place, values)
        if acted := idle_with_replay(values):
            self._mistake(place, acted)
            return
        lengths = {name: values.get(name) for name in ("max_steps", "pick", "of", "episodes")}
        try:
            check_episodes(steps=values.get("steps"), **lengths)
        except ValueError as error:
            key = next(name for name, given in lengths.items() if given)
            self._mistake(self._place(place, key), str(error))
            return
        preset, format = values.get("preset"), values.get("format")
        chosen = find_preset(preset)
        made = format or (chosen.format if chosen else "mp4")
        if chosen is not None and format is not None and format not in chosen.formats:
            makes = " or ".join(chosen.formats)
            text = f"format must be {makes} with preset {preset}, got {format!r}"
            self._mistake(self._place(place, "format"), text)
        elif made in EXPORTS and not EXPORTS[made].is_sequence:
            if idle := idle_in(EXPORTS[made], values):
                self._mistake(self._place(place, idle[0]), idle[1])
                return
        elif made in EXPORTS or FORMATS[made].element is None:
            key = "preset" if format is None else "format"
            text = f"{key} must be one that a page can show, got {values[key]!r}"
            self._mistake(self._place(place, key), text)
        else:
            try:
                FORMATS[made].check(Encoding.of(values))
            except ValueError as error:
                names = [field.name for field in fields(Encoding)]
                key = next((name for name in names if values.get(name)), "background")
                self._mistake(self._place(place, key), str(error))
        if values.get("poster") is not None:
            text = "a gallery has stills of its own: leave poster out"
            self._mistake(self._place(place, "poster"), text)
        self._check_grid(place, values, chosen)

    def _check_grid(self, place: Place, values: dict[str, Any], preset: Preset | None) -> None:
        grid = values.get("grid")
        rows, columns = grid or (0, 0)
        for key, most in (("policy", 1), ("labels", 0)):
            count = len(values.get(key, ()))
            if key == "labels" and values.get("pick"):
                # One for each episode; how many a rule picks is not known yet.
                continue
            if count > most and count != rows * columns:
                tiles = f"the grid has {rows * columns} tiles" if rows else "there is no grid"
                self._mistake(self._place(place, key), f"{key} lists {count}, and {tiles}")
        if grid is None:
            return
        env = values["env"]
        if env.startswith("gym:") or is_model(env):
            self._mistake(
                self._place(place, "grid"),
                f"grid must be false with {env}, got {rows}x{columns}: Gymnasium and models' files "
                "are stepped by themselves; make a clip for each seed",
            )
            return
        try:
            width, height = (preset.width, preset.height) if preset else Picture().size
            Grid(grid, values.get("width") or width, values.get("height") or height)
        except ValueError as error:
            self._mistake(self._place(place, "grid"), str(error))

    def _check_files(self, place: Place, values: dict[str, Any]) -> None:
        for key in ("env", "policy", "policy_class", "ghost"):
            named = values.get(key, ())
            for file in [file_in(named)] if isinstance(named, str) else named:
                if file and not (self._path.parent / file).is_file():
                    self._mistake(
                        self._place(place, key),
                        f"{key} names {file!r}, and there is no file {self._path.parent / file}",
                    )

    def _add_entry(self, place: Place, values: dict[str, Any], entries: list[Entry]) -> None:
        name = values.get("name") or stem(values["env"])
        for other in entries:
            if other.name.casefold() == name.casefold():
                self._mistake(
                    (*place, "name"),
                    f"the clip in line {other.line} is named {name}, too; give one of them a name",
                )
        settings = {key: value for key, value in values.items() if key in self._clip_keys}
        try:
            clip = Clip(**settings, folder=self._path.parent)
        # What is accepted alone, and not together with other keys.
        except (ValueError, TypeError) as error:
            first = str(error).split(maxsplit=1)[0].partition("=")[0]
            where = self._place(place, first) if first in settings else place
            self._mistake(where, str(error))
            return
        caption, tags = values.get("caption", ""), values.get("tags", ())
        entries.append(Entry(name, clip, caption, tags, line_of(self._lines, place)))

    def _place(self, place: Place, key: str) -> Place:
        """Return where a clip's key stands: with the clip, or in `[defaults]`."""
        default: Place = ("defaults", key)
        own = (*place, key)
        return default if own not in self._lines and default in self._lines else own

    def _mistake(self, place: Place, text: str) -> None:
        self._mistakes.append((line_of(self._lines, place), text, self._clip))

    def _said(self, count: int) -> list[str]:
        """Return the mistakes in so many clips, a line each."""
        found: dict[tuple[int, str], list[str]] = {}
        # One in [defaults] is found again with every clip that it concerns.
        for line, text, clip in sorted(self._mistakes, key=lambda each: each[:2]):
            found.setdefault((line, text), []).append(clip)
        lines = []
        for (line, text), (clip, *others) in found.items():
            is_of_all = 0 < len(others) == count - 1
            more = f" and {len(others)} more" if others else ""
            whose = f", clip {clip}{more}" if clip and not is_of_all else ""
            lines.append(f"{self._path}, line {line}{whose}: {text}")
        return lines


def _tables() -> str:
    gallery, defaults, clips = _TABLES
    return f"[{gallery}], [{defaults}] and [[{clips}]]"


def _called(table: Any, number: int) -> str:
    """Return what an error calls a clip: its name, its environment's, or its number from 1."""
    given = table if isinstance(table, dict) else {}
    names = [name for key in ("name", "env") if isinstance(name := given.get(key), str) and name]
    return shown(names[0]) if names else str(number + 1)
