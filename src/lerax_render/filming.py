"""Captured steps in, clips out: paint each frame once, and encode it with every writer."""

import contextlib
import dataclasses
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence

from .compose import Composition
from .errors import warn
from .painter import Painter
from .replay import PART, Replay
from .scene import Scene
from .settings import Picture, PixelFormat
from .trees import count_bytes
from .video import VideoWriter

CAPTURED_FIRST = 64_000_000
"""Bytes. So much of a clip is captured before it is painted, where its camera looks ahead."""


def film(
    scenes: Sequence[Scene],
    parts: Iterable[Sequence[Replay]],
    writers: Sequence[VideoWriter],
    composition: Composition,
    picture: Picture,
    *,
    workers: int = 1,
    on_part: Callable[[Sequence[Replay]], None] | None = None,
) -> None:
    """Paint each frame of a clip once, and encode it with every writer.

    Args:
        scenes: One for each lane.
        parts: The next steps of each lane, part by part.
        writers: Not entered yet, all in one pixel format; they are closed afterwards. If anything
            fails, none of them leaves a clip.
        composition: Of the frames; it has as many tiles as there are lanes, or more.
        picture: What the frames look like; their size is the composition's tiles'.
        workers: As for `record`.
        on_part: Called with each part when its frames are done.

    Raises:
        BackendUnavailableError, EncodeError, ValueError: As for `record`.
    """
    # No more than a picture, whatever was given: it travels to the processes that paint.
    seen = {field.name: getattr(picture, field.name) for field in dataclasses.fields(Picture)}
    size = {"width": composition.tile_width, "height": composition.tile_height}
    tile = Picture(**{**seen, **size})
    num_frames = 0
    with contextlib.ExitStack() as stack:
        painters = _open_painters(stack, scenes, tile, writers[0].pixel_format, workers)
        for writer in writers:
            stack.enter_context(writer)
        if any(scene.looks_ahead(tile) for scene in scenes):
            parts = _captured_first(parts)
        for part in parts:
            for frame in composition.frames(painters, part):
                for writer in writers:
                    writer.write(frame)
                num_frames += 1
            if on_part is not None:
                on_part(part)
    pictures = num_frames * len(scenes)
    warn_if_incomplete(painters, pictures)


def parts_of(replays: Sequence[Replay]) -> Iterator[list[Replay]]:
    """Yield replays of equal length in parts of at most `PART` steps."""
    for start in range(0, replays[0].steps, PART):
        # Not replay[a:b], which begins anew: these are painted one after the other.
        yield [_next_steps(replay, start) for replay in replays]


def _next_steps(replay: Replay, start: int) -> Replay:
    return replay.mapped(lambda array: array[start : start + PART])


def _open_painters(
    stack: contextlib.ExitStack,
    scenes: Sequence[Scene],
    picture: Picture,
    pixel_format: PixelFormat,
    workers: int,
) -> list[Painter]:
    """Open a painter for each lane, or one for several where their scene allows that."""
    shared: dict[int, Painter] = {}
    painters = []
    for scene in scenes:
        painter = shared.get(id(scene))
        if painter is not None:
            painter.lanes += 1
        else:
            painter = stack.enter_context(
                scene.painter(picture, pixel_format=pixel_format, workers=workers)
            )
        if scene.shares_painter:
            shared[id(scene)] = painter
        painters.append(painter)
    return painters


def _captured_first(parts: Iterable[Sequence[Replay]]) -> Iterator[Sequence[Replay]]:
    """Yield the same, with all of a clip, or `CAPTURED_FIRST` bytes of it, captured beforehand."""
    remaining = iter(parts)
    held: deque[Sequence[Replay]] = deque()
    size = 0
    for part in remaining:
        held.append(part)
        size += sum(
            count_bytes([replay.captured, replay.actions, replay.observations]) for replay in part
        )
        if size > CAPTURED_FIRST:
            break
    while held:
        yield held.popleft()
    yield from remaining


def warn_if_incomplete(painters: Iterable[Painter], num_frames: int) -> None:
    """Issue a `RenderWarning` where painters had to leave something out."""
    lacking = [painter for painter in set(painters) if painter.incomplete]
    if lacking:
        count = sum(painter.incomplete for painter in lacking)
        warn(f"{count} of {num_frames} frames are incomplete: {lacking[0].why_incomplete}")
