"""The recordings of a training as clips, painted beside it or after it."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from ..compose import Composition, Line
from ..replay import Replay
from ..scene import Scene
from ..settings import Settings
from ..video import Encoding, Video, VideoWriter
from .filming import Held, drawn_in, film, shared_pixel_format, views_of

GIF_WIDTH = 480
"""Widest GIF in pixels: TensorBoard's panels are about 350 wide, and every GIF is loaded whole."""


def film_recording(
    scenes: Sequence[Scene],
    parts: Iterable[Sequence[Replay]],
    step: int,
    settings: Settings,
    targets: Mapping[str, Path | None],
    *,
    on_writers: Callable[[Iterable[VideoWriter]], None] = lambda writers: None,
    on_part: Callable[[Sequence[Replay]], None] | None = None,
    before: Any | None = None,
) -> tuple[dict[str, Video], Any | None]:
    """Paint what was captured at one moment of a training once, for all formats.

    Args:
        scenes: One for each lane.
        parts: The next steps of each lane, part by part.
        step: Environment steps of the training, which the overlay says.
        settings: What the clip looks like; `overlay` is all or nothing. With `pick`, these episodes
            follow each other, or lie in a grid's tiles.
        targets: File to write by format; `None` keeps the clip in memory. Folders are made.
        on_writers: Is given the writers before they write.
        on_part: As for `film`.
        before: The view of the recordings before, so that all of a run can be compared.

    Returns:
        The clips by format, and where the camera stood.

    Raises:
        RenderError, ValueError: As for `record`.
    """
    for path in targets.values():
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
    width, height = settings.size
    fps = Fraction(settings.fps or 50).limit_denominator(100_000)
    title = f"training step {step:,}"
    names = _names_of(settings)
    episode: Line = (lambda info: names[info.episode - 1]) if names else "episode"
    lines: list[Line] = [lambda _: title, "return"]
    labels: Sequence[str] = ()
    if names and settings.grid is not None and settings.overlay:
        labels = [*names, *[""] * (math.prod(settings.grid) - len(names))]
    else:
        lines.append(episode)
    writers = {
        format: VideoWriter(
            target,
            fps,
            format=format,
            width=width,
            height=height,
            pixel_format=shared_pixel_format(scenes),
            max_width=GIF_WIDTH if format == "gif" else None,
            encoding=Encoding(drawn=drawn_in(scenes)),
        )
        for format, target in targets.items()
    }
    on_writers(writers.values())
    view = film(
        scenes,
        parts,
        list(writers.values()),
        Composition(width, height, fps, lines if settings.overlay else (), settings.grid, labels),
        settings,
        on_part=on_part,
        before=before,
    )
    return {format: writer.video for format, writer in writers.items()}, view


def view_over(recordings: Sequence[Sequence[Replay]], settings: Settings) -> Any:
    """Return what has all of several recordings in the picture, as `before` for each of them."""
    replays = [replay for lanes in recordings for replay in lanes]
    scenes = [replay.scene for replay in replays]
    return views_of(scenes, settings, Held([replays], False))[1]


def _names_of(settings: Settings) -> list[str]:
    """Return what is written on each episode that was picked; nothing where none was."""
    if callable(settings.pick):
        return []
    out_of = "" if settings.of is None else f" of {settings.of:,}"
    return [
        f"episode {each}" if isinstance(each, int) else f"{each}{out_of}" for each in settings.pick
    ]
