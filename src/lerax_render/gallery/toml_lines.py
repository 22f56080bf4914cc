"""Where in a TOML file a key stands, which neither `tomllib` nor `tomlkit` tells."""

import tomllib
from collections import Counter
from collections.abc import Iterator
from typing import Any

type Place = tuple[str | int, ...]
"""Keys and, in an array of tables, numbers from 0: `("clips", 2, "env")`."""


def key_lines(text: str) -> dict[Place, int]:
    """Find the line of each key and table header of a valid TOML document.

    Values inside arrays and inline tables are not entered.

    Args:
        text: The document.

    Returns:
        Lines from 1, by path.
    """
    lines: dict[Place, int] = {}
    tables: Counter[Place] = Counter()
    table: Place = ()
    for line, statement in _statements(text):
        parsed = tomllib.loads(statement)
        if not statement.lstrip().startswith("["):
            for path in _paths(parsed):
                lines.setdefault(table + path, line)
            continue
        table, is_array = (), False
        while parsed:
            ((key, parsed),) = parsed.items()
            table += (key,)
            is_array = isinstance(parsed, list)
            if is_array:
                tables[table] += 1
                parsed = parsed[0]
            if table in tables:
                table += (tables[table] - 1,)
        lines.setdefault(table, line)
    return lines


def line_of(lines: dict[Place, int], path: Place) -> int:
    """Return the line of a path, or of the nearest that it lies in; 1 where there is none."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Split a document into its headers and assignments, each with its first line's number."""
    rows = text.replace("\r\n", "\n").split("\n")
    start = 0
    for end in range(1, len(rows) + 1):
        statement = "\n".join(rows[start:end])
        try:
            # The shortest text that is valid by itself: TOML cannot go on after that.
            parsed = tomllib.loads(statement)
        except tomllib.TOMLDecodeError:
            continue
        if parsed:
            yield start + 1, statement
        start = end


def _paths(parsed: dict[str, Any]) -> Iterator[Place]:
    """List the keys of an assignment: several where they are dotted."""
    for key, value in parsed.items():
        yield (key,)
        if isinstance(value, dict):
            for path in _paths(value):
                yield key, *path
