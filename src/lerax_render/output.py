"""What was made: a file of any format, on disk or in memory."""

import base64
import html
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Literal, override

from rich.filesize import decimal

from .replay import Episodes

LARGEST_SHOWN = 20_000_000
"""Bytes. What is larger is not put into a notebook."""


@dataclass(frozen=True)
class FileFormat:
    """A kind of file that something is recorded as.

    Attributes:
        name: what a user calls it.
        suffix: how its files end.
        mime: its MIME type.
        element: the HTML element that shows it in a notebook; None shows a note instead.
    """

    name: str
    suffix: str
    mime: str
    element: Literal["video", "img", "iframe"] | None

    @property
    def file_name(self) -> str:
        """The finished file in the folder that it is made in."""
        return f"made{self.suffix}"

    @property
    def is_sequence(self) -> bool:
        """Whether it is a file for each frame."""
        return False


@dataclass(frozen=True)
class Export(FileFormat):
    """A format that is no video: it is made of whole replays, and is no sequence of frames.

    Attributes:
        noun: what such a file is called in messages.
        settings: the settings of pictures that make a difference in it.
        holds_several: whether it has room for several replays.
        is_pattern: whether it is a file for each frame.
    """

    noun: str
    settings: tuple[str, ...] = ()
    holds_several: bool = True
    is_pattern: bool = False

    @property
    @override
    def file_name(self) -> str:
        """The finished file, or the pattern of all files, in the folder that they are made in."""
        return f"%d{self.suffix}" if self.is_pattern else super().file_name

    @property
    @override
    def is_sequence(self) -> bool:
        """Whether it is a file for each frame."""
        return self.is_pattern


_PICTURE_OF_ONE = ("width", "height", "camera", "background")
_PICTURE = (*_PICTURE_OF_ONE, "quality", "labels")
_MEASURED = (*_PICTURE_OF_ONE, "modality", "quality", "light", "show", "hide", "color")

# Their names are also in `settings.clip.FormatName`; `exporting` has what makes each.
EXPORTS: dict[str, Export] = {
    row.name: row
    for row in (
        Export("html", ".html", "text/html", "iframe", "a page", (*_PICTURE, "title", "captions")),
        Export("glb", ".glb", "model/gltf-binary", None, "a glTF file", _PICTURE_OF_ONE, False),
        Export("replay", ".replay", "application/zip", None, "a replay"),
        Export("npz", ".npz", "application/zip", None, "a file of arrays", _MEASURED, False),
        Export(
            "png16",
            ".png",
            "image/png",
            None,
            "a sequence of 16-bit PNGs",
            ("width", "height", "camera", "modality", "show", "hide"),
            holds_several=False,
            is_pattern=True,
        ),
    )
}
"""The formats that are no videos, by name."""

FIGURES: dict[str, FileFormat] = {
    row.name: row
    for row in (
        FileFormat("png", ".png", "image/png", "img"),
        FileFormat("pdf", ".pdf", "application/pdf", None),
        FileFormat("svg", ".svg", "image/svg+xml", "img"),
    )
}
"""The formats of figures, by name."""


@dataclass(frozen=True)
class Output:
    """A finished file, on disk or in memory.

    Attributes:
        format: its format, as `record` names it.
        path: absolute path of the file, or of a sequence the pattern of all files; None where it is
            in memory.
        content: its bytes where it is in memory.
        steps: how many steps it shows, where it is no video.
        seconds: how long it plays, where it is no video and has a time.
        still: its first picture as a WebP, where that was asked for and it is no video.
        sequence: the files where there are many and it is no video.
        episodes: what all episodes earned, where some of them were picked.
    """

    format: str
    path: Path | None = field(default=None, kw_only=True)
    content: bytes | None = field(default=None, kw_only=True, repr=False)
    steps: int | None = field(default=None, kw_only=True)
    seconds: float | None = field(default=None, kw_only=True)
    still: bytes | None = field(default=None, kw_only=True, repr=False, compare=False)
    sequence: tuple[Path, ...] = field(default=(), kw_only=True, repr=False)
    episodes: Episodes | None = field(default=None, kw_only=True, repr=False, compare=False)

    def __post_init__(self) -> None:
        if (self.path is None) == (self.content is None):
            raise ValueError(f"{type(self).__name__} takes either a path or content")

    @property
    def data(self) -> bytes:
        """The bytes of the file, read from `path` on every use where there is one.

        Raises:
            ValueError: it is a sequence of files.
            OSError: the file at `path` is gone or not readable.
        """
        if self.content is not None:
            return self.content
        if self.sequence:
            raise ValueError("a sequence is no single file; read those in `sequence` instead")
        assert self.path is not None
        return self.path.read_bytes()

    @property
    def num_bytes(self) -> int:
        """Size in bytes."""
        if self.content is not None:
            return len(self.content)
        assert self.path is not None
        return sum(file.stat().st_size for file in self.sequence or (self.path,))

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write it, as it is, to another file; an older one there is replaced when whole.

        Args:
            path: a file in a folder that exists, with the suffix of this format or one of no
                format.

        Returns:
            The new file.

        Raises:
            ValueError: the suffix belongs to another format, or the path cannot be written; or it
                is a sequence of files.
            EncodeError: the disk refused it.
            OSError: the file at `self.path` is gone or not readable.
        """
        # What writes files lies above: an output is data.
        saved: Path = import_module(".video", __package__).save_output(self, path)
        return saved

    def _repr_html_(self) -> str:
        name = f"{self._noun} in memory" if self.path is None else str(self.path)
        try:
            size = self.num_bytes
        except FileNotFoundError:
            return f"<p><code>{html.escape(name)}</code> is no longer there</p>"
        return self._shown(name, size)

    @property
    def _noun(self) -> str:
        return EXPORTS[self.format].noun

    def _shown(self, name: str, size: int) -> str:
        """Return HTML for a file that exists."""
        if EXPORTS[self.format].element != "iframe" or size > LARGEST_SHOWN:
            return f"<p><code>{html.escape(name)}</code>, {decimal(size)}</p>"
        return framed(self.data.decode())


@dataclass(frozen=True)
class Figure(Output):
    """A finished figure, on disk or in memory.

    Attributes:
        width: in print, in millimetres.
        height: in print, in millimetres.
        dpi: dots an inch.
        moments: the steps that it shows.
    """

    width: float
    height: float
    dpi: float
    moments: tuple[int, ...]

    @property
    @override
    def _noun(self) -> str:
        return "a figure"

    @override
    def _shown(self, name: str, size: int) -> str:
        row = FIGURES[self.format]
        if row.element is None or size > LARGEST_SHOWN:
            return f"<p><code>{html.escape(name)}</code>, {decimal(size)}</p>"
        url = f"data:{row.mime};base64,{base64.b64encode(self.data).decode()}"
        return f'<img src="{url}" style="width: {self.width:g}mm" alt="{html.escape(name)}">'


def figure_format(place: object, format: str | None) -> FileFormat:
    """Return the format of a figure, by its name or the suffix of its file; else PNG.

    Raises:
        ValueError: There is no such format, or name and suffix contradict each other.
    """
    if format is not None and format not in FIGURES:
        raise ValueError(f"a figure is {_or(FIGURES)}, got format={format!r}")
    wanted = None if format is None else FIGURES[format]
    if not isinstance(place, str | os.PathLike):
        return wanted or FIGURES["png"]
    suffix = Path(place).suffix.lower()
    named = next((row for row in FIGURES.values() if row.suffix == suffix), None)
    if named is None and (wanted is None or suffix):
        raise ValueError(
            f"a figure's file ends in {_or(row.suffix for row in FIGURES.values())}, "
            f"got {str(place)!r}"
        )
    if wanted is not None and named is not None and wanted is not named:
        raise ValueError(f"{str(place)!r} ends in {suffix}, but format is {format!r}; change one")
    return wanted or named or FIGURES["png"]


def _or(words: Iterable[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} or {last}"


def framed(page: str) -> str:
    """Return the HTML that shows a whole page within another."""
    return (
        f'<iframe srcdoc="{html.escape(page)}" sandbox="allow-scripts allow-downloads" '
        'allow="fullscreen" style="width: 100%; height: 640px; border: 0"></iframe>'
    )
