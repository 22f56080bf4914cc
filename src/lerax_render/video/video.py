"""An encoded clip, and how a notebook shows it."""

import base64
import html
import os
import shutil
from collections.abc import Generator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import cast, override

import numpy as np
from rich.filesize import decimal

from ..errors import EncodeError
from ..output import LARGEST_SHOWN, Output
from .destination import numbered, open_destination
from .formats import ALL_FORMATS, FORMATS
from .places import resolve_format
from .reader import VideoReader


@dataclass(frozen=True)
class Video(Output):
    """A finished clip, in a file or in memory.

    Attributes:
        format: its format, a key of `lerax_render.video.FORMATS`.
        fps: frames per second at which the file plays; GIF, WebP and APNG cannot play every rate.
        num_frames: how many frames were recorded.
        width: width of the file in pixels; one more than the frames' where MP4 needs it even.
        height: height of the file in pixels, likewise.
        path: absolute path of the file, of a PNG sequence the pattern of all files; None for a clip
            in memory.
        content: the bytes of a clip in memory.
        has_alpha: whether it has an alpha channel.
    """

    fps: float
    num_frames: int
    width: int
    height: int
    has_alpha: bool = field(default=False, kw_only=True)
    _made: tuple[int, int] | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "_made", self._state())

    @override
    def __repr__(self) -> str:
        where = "in memory" if self.path is None else str(self.path)
        frames = f"{self.num_frames} frame{'s' * (self.num_frames != 1)}"
        return (
            f"Video({self.format}, {frames}, {self.width}x{self.height}, {self.fps:g} fps, {where})"
        )

    @property
    @override
    def data(self) -> bytes:
        """The bytes of the file, read from `path` on every use where there is one.

        Raises:
            ValueError: the clip is a PNG sequence, which is no single file.
            OSError: the file at `path` is gone or not readable.
        """
        if self.content is not None:
            return self.content
        if FORMATS[self.format].is_sequence:
            raise ValueError("a PNG sequence is no single file; read `files` instead")
        return self.files[0].read_bytes()

    @property
    def files(self) -> tuple[Path, ...]:
        """The files of the clip: none in memory, one a frame for a PNG sequence, else one."""
        if self.path is None:
            return ()
        if FORMATS[self.format].is_sequence:
            return tuple(numbered(self.path, number) for number in range(self.num_frames))
        return (self.path,)

    @property
    @override
    def num_bytes(self) -> int:
        """Size of the clip in bytes, of all files together."""
        if self.content is not None:
            return len(self.content)
        return sum(file.stat().st_size for file in self.files)

    @override
    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the clip to another file; an older one there is replaced when whole.

        It is written as it is, or converted where the suffix is that of another format.

        Args:
            path: as for `VideoWriter`, with the suffix of a format or one of no format.

        Returns:
            The new file; of a PNG sequence the pattern of its files.

        Raises:
            ValueError: the suffix is that of a format that is no video, or the path cannot be
                written.
            EncodeError: the disk refused it.
            OSError: the file at `self.path` is gone or not readable.
        """
        if not isinstance(path, str | os.PathLike):
            raise TypeError(f"path must be a path, got {type(path).__name__}; write `data` to it")
        if _is_of_another_format(path, self.format):
            # What writes videos knows what a video is.
            return cast(Path, import_module(".writer", __package__).convert(self, path))
        row = resolve_format(path, self.format)
        destination = open_destination(path, row)
        with destination.work_folder() as work:
            clip = work / row.file_name
            if self.content is not None:
                clip.write_bytes(self.content)
            for number, file in enumerate(self.files):
                shutil.copyfile(file, numbered(clip, number))
            saved, _ = destination.deliver(clip, self.num_frames)
        assert saved is not None
        if saved == self.path:
            object.__setattr__(self, "_made", self._state())
        return saved

    def frames(self) -> np.ndarray:
        """The frames as a viewer sees them, decoded by ffmpeg.

        Returns:
            uint8 (num_frames, height, width, 3), RGB, row 0 on top; (..., 4), RGBA with straight
            alpha, where the clip has an alpha channel.

        Raises:
            BackendUnavailableError: there is no ffmpeg; for WebP: it is too old, and no Pillow.
            EncodeError: the file is gone or damaged, or is not this clip.
        """
        shape = (self.num_frames, self.height, self.width, 4 if self.has_alpha else 3)
        frames = np.empty(shape, np.uint8)
        for number, frame in enumerate(self.stream()):
            frames[number] = frame
        return frames

    def stream(self) -> Generator[np.ndarray]:
        """The frames one after the other, so that they are never in memory as a whole.

        Yields:
            uint8 (height, width, 3), RGB, or (height, width, 4), RGBA, as `frames` has them.

        Raises:
            BackendUnavailableError, EncodeError: as `frames`.
        """
        self._check_unchanged()
        row, size = FORMATS[self.format], (self.width, self.height)
        # Where equal frames that follow each other are one, its time says how many they were.
        fps, limit = (self.fps, self.num_frames) if row.merges_repeats else (None, None)
        source = self.content if self.path is None else self.path
        assert source is not None
        count = 0
        frame = None
        with VideoReader(
            source,
            format=self.format,
            size=size,
            fps=fps,
            max_frames=limit,
            alpha=self.has_alpha,
        ) as reader:
            while count < self.num_frames and (read := reader.read()) is not None:
                yield (frame := read)
                count += 1
            surplus = reader.read()
        if row.merges_repeats and frame is not None:
            # A last frame without duration, or a picture that never changed.
            for _ in range(self.num_frames - count):
                yield frame
            count = self.num_frames
        if count < self.num_frames or surplus is not None:
            raise EncodeError(
                f"the {self.format} does not hold {self.num_frames} frames of "
                f"{self.width}x{self.height} pixels"
            )

    def _check_unchanged(self) -> None:
        """Raise `EncodeError` where there is another file by now."""
        state = self._state()
        if state is not None and self._made is not None and state != self._made:
            raise EncodeError(
                f"{str(self.path)!r} has been overwritten since this clip was made: its frames are "
                "gone. Give each clip a name of its own, or read its frames before the next"
            )

    def _state(self) -> tuple[int, int] | None:
        """When the file, or the first of several, was last written, and its size in bytes."""
        try:
            found = self.files[0].stat()
        except (IndexError, OSError):
            return None
        return found.st_mtime_ns, found.st_size

    @property
    @override
    def _noun(self) -> str:
        return "a clip"

    @override
    def _shown(self, name: str, size: int) -> str:
        row = FORMATS[self.format]
        label = html.escape(
            f"{name}: {self.num_frames} frames of {self.width}x{self.height} at {self.fps:g} fps, "
            f"{decimal(size)}",
        )
        if row.element is None or size > LARGEST_SHOWN:
            hint = "use save() and open the file" if self.path is None else "open it in a viewer"
            return f"<p><code>{label}</code> (not shown in the notebook; {hint})</p>"
        url = f"data:{row.mime};base64,{base64.b64encode(self.data).decode()}"
        shape = f'width="{self.width}" style="max-width: 100%; height: auto"'
        if row.element == "img":
            return f'<img src="{url}" {shape} alt="{label}">'
        return (
            f'<video src="{url}" {shape} title="{label}" controls loop muted playsinline></video>'
        )


def _is_of_another_format(path: str | os.PathLike[str], format: str) -> bool:
    suffix = Path(path).suffix.lower()
    # Sequences of PNGs may be two things.
    others = {row.suffix for row in ALL_FORMATS.values()} - {FORMATS[format].suffix}
    return suffix in others
