"""What was made: a file of any format, on disk or in memory."""

import html
import os
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Literal, override

from rich.filesize import decimal

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
        is_pattern: whether it is a file for each frame.
    """

    noun: str
    settings: tuple[str, ...] = ()
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

# Their names are also in `settings.picture.FormatName`; `exporting` has what makes each.
EXPORTS: dict[str, Export] = {
    row.name: row
    for row in (
        Export("html", ".html", "text/html", "iframe", "a page", (*_PICTURE, "title")),
        Export("glb", ".glb", "model/gltf-binary", None, "a glTF file", _PICTURE_OF_ONE),
        Export("replay", ".replay", "application/zip", None, "a replay"),
        Export("npz", ".npz", "application/zip", None, "a file of arrays", _MEASURED),
        Export(
            "png16",
            ".png",
            "image/png",
            None,
            "a sequence of 16-bit PNGs",
            ("width", "height", "camera", "modality", "show", "hide"),
            is_pattern=True,
        ),
    )
}
"""The formats that are no videos, by name."""


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
    """

    format: str
    path: Path | None = field(default=None, kw_only=True)
    content: bytes | None = field(default=None, kw_only=True, repr=False)
    steps: int | None = field(default=None, kw_only=True)
    seconds: float | None = field(default=None, kw_only=True)
    still: bytes | None = field(default=None, kw_only=True, repr=False, compare=False)
    sequence: tuple[Path, ...] = field(default=(), kw_only=True, repr=False)

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
        row = EXPORTS[self.format]
        name = f"{row.noun} in memory" if self.path is None else str(self.path)
        try:
            size = self.num_bytes
        except FileNotFoundError:
            return f"<p><code>{html.escape(name)}</code> is no longer there</p>"
        if row.element != "iframe" or size > LARGEST_SHOWN:
            return f"<p><code>{html.escape(name)}</code>, {decimal(size)}</p>"
        return framed(self.data.decode())


def framed(page: str) -> str:
    """Return the HTML that shows a whole page within another."""
    return (
        f'<iframe srcdoc="{html.escape(page)}" sandbox="allow-scripts allow-downloads" '
        'allow="fullscreen" style="width: 100%; height: 640px; border: 0"></iframe>'
    )
