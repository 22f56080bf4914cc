"""Clips for backends that want files, and what is said of them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lerax_render.video import WorkFolder

if TYPE_CHECKING:
    from lerax_render.video import Video


@contextmanager
def as_file(video: "Video", name: str | None = None) -> Iterator[Path]:
    """Give the clip's file, or one that exists within the context.

    Args:
        video: The clip.
        name: The file's name without its suffix; `None` takes any.
    """
    if video.path is not None and name in (None, Path(video.path).stem):
        yield Path(video.path)
        return
    with WorkFolder() as folder:
        file = folder / f"{name or 'clip'}.{video.format}"
        file.write_bytes(video.data)
        yield file


class Captions:
    """What stands below a clip: its training step, and the return of what it shows."""

    def __init__(self) -> None:
        self._returns: dict[tuple[str, int], float] = {}

    def note(self, scalars: Mapping[str, float], step: int) -> None:
        """Take in scalars, of which returns of recordings come before their clips."""
        for tag in scalars.keys() & {"eval/return", "eval/clip_return"}:
            self._returns = {(tag, step): scalars[tag], **self._returns}
            while len(self._returns) > 64:
                self._returns.popitem()

    def of(self, step: int) -> str:
        """Return the caption of a clip of a step."""
        for tag in ("eval/return", "eval/clip_return"):
            if (tag, step) in self._returns:
                return f"step {step:,} · return {self._returns[tag, step]:.4g}"
        return f"step {step:,}"
