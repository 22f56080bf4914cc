"""Which format a clip has, by the place that it goes to or by name."""

import os
import re
from pathlib import Path
from typing import BinaryIO

from ..output import EXPORTS, Export
from .formats import ALL_FORMATS, FORMATS, Format

type DestinationLike = str | os.PathLike[str] | BinaryIO | None
"""Where a clip may go: a path, an open binary file, or None for memory."""

SEQUENCE_FIELD = re.compile(r"%(?:0(\d+))?d")
"""The frame's number in the pattern of a PNG sequence: %d or, with leading zeros, %05d."""


def resolve_format(place: DestinationLike, format: str | None = None) -> Format:
    """The format of a video, from its name or from the suffix of its path.

    Memory, open files and devices have no suffix: without a name they get MP4.

    Args:
        place: where the clip goes, or comes from.
        format: a key of `FORMATS`, in any case, with or without a leading dot; None: by suffix.

    Raises:
        ValueError: the name or the suffix is unknown or no video's, they contradict each other, or
            a PNG sequence's path is neither a pattern with one %d field nor a folder.
    """
    row = _resolved(place, format)
    if isinstance(row, Export):
        raise ValueError(f"{row.name} is no video: record(..., format={row.name!r}) makes it")
    return row


def find_export(place: DestinationLike, format: str | None = None) -> Export | None:
    """The format that is no video, where the name or the suffix asks for one.

    Raises:
        ValueError: They contradict each other.
    """
    suffixes = {row.suffix for row in EXPORTS.values() if not row.is_sequence}
    named = isinstance(place, str | os.PathLike) and Path(place).suffix.lower() in suffixes
    if format in EXPORTS or (format is None and named):
        row = _resolved(place, format)
        return row if isinstance(row, Export) else None
    return None


def _resolved(place: DestinationLike, format: str | None) -> Format | Export:
    wanted = None
    if format is not None:
        wanted = ALL_FORMATS.get(str(format).lower().removeprefix("."))
        if wanted is None:
            raise ValueError(f"unknown format {format!r}; accepted are {', '.join(FORMATS)}")
    if not isinstance(place, str | os.PathLike):
        if wanted is not None and wanted.is_sequence:
            raise ValueError(
                "a PNG sequence is many files: give a folder or a pattern such as "
                "'frames/%05d.png'"
                + (", or use format='apng' for one file" if isinstance(wanted, Format) else "")
            )
        return wanted or FORMATS["mp4"]
    path = Path(place)
    suffix = path.suffix.lower()
    named = next((row for row in ALL_FORMATS.values() if row.suffix == suffix), None)
    if wanted is None and named is None:
        if path.is_char_device():
            return FORMATS["mp4"]
        problem = f"no format has the suffix {suffix!r} of" if suffix else "there is no suffix in"
        raise ValueError(
            f"{problem} {str(path)!r}; accepted are "
            f"{', '.join({row.suffix: None for row in ALL_FORMATS.values()})}, or give format, too"
        )
    if wanted and named and wanted.suffix != named.suffix:
        raise ValueError(
            f"{str(path)!r} ends with {named.suffix}, but format is {wanted.name!r}; change one"
        )
    row = wanted or named
    assert row is not None
    if row.is_sequence:
        _check_sequence(path, is_file=named is not None)
    return row


def _check_sequence(path: Path, is_file: bool) -> None:
    fields = len(SEQUENCE_FIELD.findall(path.name))
    example = f"{path.stem}_%05d.png" if fields == 0 else "frame_%05d.png"
    if is_file and fields == 0:
        raise ValueError(
            f"{str(path)!r} names one picture, but a clip has many: use the suffix '.apng' for one "
            f"animated PNG, or a pattern such as {example!r} for one file a frame"
        )
    if fields > 1 or (fields == 1 and not is_file):
        raise ValueError(
            f"{str(path)!r} is no pattern for a PNG sequence: it needs one %d or %05d field, and "
            f"the suffix '.png', such as {example!r}"
        )
