"""Captured steps in, clips out: paint each frame once, and encode it with every writer."""

import contextlib
import dataclasses
import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..compose import Composition
from ..errors import warn
from ..painter import Painter
from ..replay import PART, Replay, bytes_of, joined
from ..scene import Scene
from ..settings import Picture, PixelFormat
from ..video import VideoWriter

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
    before: Any | None = None,
) -> Any:
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
        before: The view of earlier clips, with which this one is compared.

    Returns:
        The view of this clip, for later ones, where its scenes look ahead.

    Raises:
        BackendUnavailableError, EncodeError, ValueError: As for `record`.
    """
    tile = tile_picture(picture, composition)
    num_frames = 0
    with contextlib.ExitStack() as stack:
        painters = open_painters(stack, scenes, tile, writers[0].pixel_format, workers)
        for writer in writers:
            stack.enter_context(writer)
        looks_ahead = any(scene.looks_ahead(tile) for scene in scenes)
        if looks_ahead or composition.looks_ahead:
            held, parts = captured_first(parts)
            composition.look_ahead(held.parts)
            if looks_ahead:
                before = aim(painters, scenes, tile, held, before)
            # Each part goes when it is painted.
            del held

        def write(frames: Iterable[np.ndarray]) -> int:
            count = 0
            for frame in frames:
                for writer in writers:
                    writer.write(frame)
                count += 1
            return count

        for part in parts:
            num_frames += write(composition.frames(painters, part))
            if on_part is not None:
                on_part(part)
        num_frames += write(composition.backwards(painters))
    pictures = num_frames * len(scenes)
    warn_if_incomplete(painters, pictures)
    return before


def tile_picture(settings: Picture, composition: Composition) -> Picture:
    """Return what a tile of a composition looks like.

    No more than that, whatever was given: it travels to the processes that paint.
    """
    return dataclasses.replace(
        as_picture(settings), width=composition.tile_width, height=composition.tile_height
    )


def as_picture(settings: Picture) -> Picture:
    """Return no more of settings than what a picture looks like."""
    names = [field.name for field in dataclasses.fields(Picture)]
    return Picture(**{name: getattr(settings, name) for name in names})


def parts_of(replays: Sequence[Replay]) -> Iterator[list[Replay]]:
    """Yield replays of equal length in parts of at most `PART` steps."""
    for start in range(0, replays[0].steps, PART):
        # Not replay[a:b], which begins anew: these are painted one after the other.
        yield [_next_steps(replay, start) for replay in replays]


def _next_steps(replay: Replay, start: int) -> Replay:
    part = replay.mapped(lambda array: array[start : start + PART])
    return dataclasses.replace(part, whole=replay.whole or replay)


def open_painters(
    stack: contextlib.ExitStack,
    scenes: Sequence[Scene],
    picture: Picture,
    pixel_format: PixelFormat = "rgb24",
    workers: int = 1,
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


def shared_pixel_format(scenes: Sequence[Scene]) -> PixelFormat:
    """Return the pixel format of opaque frames in which several scenes may be side by side."""
    formats = {scene.pixel_format for scene in scenes}
    return formats.pop() if len(formats) == 1 else "rgb24"


def drawn_in(scenes: Sequence[Scene]) -> bool | None:
    """Return what `Encoding.drawn` is of frames with these scenes side by side."""
    return True if all(scene.is_drawn for scene in scenes) else None


class Held(NamedTuple):
    """What was captured of a clip before it is painted.

    Attributes:
        parts: The first steps of each lane, part by part.
        goes_on: Whether there are more.
    """

    parts: Sequence[Sequence[Replay]]
    goes_on: bool


def captured_first(
    parts: Iterable[Sequence[Replay]], most_steps: float = math.inf
) -> tuple[Held, Iterator[Sequence[Replay]]]:
    """Capture all of a clip, or `CAPTURED_FIRST` bytes of it, before the rest is gone through.

    Args:
        parts: The next steps of each lane, part by part.
        most_steps: So many steps are enough.

    Returns:
        What was captured, and all parts.
    """
    remaining = iter(parts)
    held: deque[Sequence[Replay]] = deque()
    size = steps = 0
    goes_on = False
    for part in remaining:
        goes_on = size > CAPTURED_FIRST or steps >= most_steps
        held.append(part)
        if goes_on:
            break
        steps += part[0].steps
        size += sum(map(bytes_of, part))

    def all_parts() -> Iterator[Sequence[Replay]]:
        while held:
            yield held.popleft()
        yield from remaining

    return Held(list(held), goes_on), all_parts()


def aim(
    painters: Sequence[Painter],
    scenes: Sequence[Scene],
    picture: Picture,
    held: Held,
    before: Any | None = None,
) -> Any:
    """Let painters look at what happens in a clip: all in one direction and from one distance.

    Returns:
        The view that shows all of it.
    """
    views, before = views_of(scenes, picture, held, before)
    for painter, view in zip(painters, views, strict=True):
        if view is not None:
            painter.aim(view)
    return before


def views_of(
    scenes: Sequence[Scene], picture: Picture, held: Held, before: Any | None = None
) -> tuple[list[Any], Any]:
    """Choose from where a clip is seen.

    Returns:
        A view for each lane, `None` where its scene does not look ahead; and the one that shows
        all of it.
    """
    goes_on = held.goes_on and held.parts[0][0].whole is None
    open_lanes = [lane for lane, scene in enumerate(scenes) if scene.looks_ahead(picture)]
    rollouts = {
        lane: held.parts[0][lane].whole or joined([part[lane] for part in held.parts])
        for lane in open_lanes
    }
    views = {}
    # One after the other, each is aimed so that the ones before are in the picture, too; where
    # there are several scenes, those then follow what is in them.
    rounds = 1 if len({id(scenes[lane]) for lane in open_lanes}) == 1 else 2
    for lane in open_lanes * rounds:
        before = views[id(scenes[lane])] = scenes[lane].aimed(
            picture, rollouts[lane].captured, before=before, goes_on=goes_on
        )
    return [views.get(id(scene)) for scene in scenes], before


def seen_alike(replays: Sequence[Replay], picture: Picture) -> list[Any]:
    """Return a view for each replay, all in one direction and from one distance."""
    scenes = [replay.scene for replay in replays]
    return views_of(scenes, picture, Held([list(replays)], False))[0]


def warn_if_incomplete(painters: Iterable[Painter], num_frames: int) -> None:
    """Issue a `RenderWarning` where painters had to leave something out."""
    lacking = [painter for painter in set(painters) if painter.incomplete]
    if lacking:
        count = sum(painter.incomplete for painter in lacking)
        warn(f"{count} of {num_frames} frames are incomplete: {lacking[0].why_incomplete}")
