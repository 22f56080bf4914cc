"""Environment and policy in, clip out: which rollout, which format, which size."""

import contextlib
import dataclasses
import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import BinaryIO, NamedTuple

import numpy as np

from ..compose import Composition, Plots, check_plots, sizes_in
from ..output import Output
from ..replay import Replay, joined
from ..scene import Scene
from ..settings import (
    Picture,
    Settings,
    check_policy,
    check_seed,
    proportional,
)
from ..sources import find_source
from ..video import (
    Encoding,
    Video,
    VideoWriter,
    check_fps,
    find_export,
    find_preset,
    most_fps,
    open_destination,
    open_writer,
)
from .capturing import capture_lanes
from .exporting import Shown, check_scenes, check_settings, export, painters_for_stills
from .filming import (
    as_picture,
    drawn_in,
    film,
    open_painters,
    parts_of,
    shared_pixel_format,
    tile_picture,
)
from .ghosts import Ghosts
from .given import Given, cut_replays, each_policy, kept_scene, name_of, origin_of, side_by_side
from .moments import real_time, shown_steps, smooth_fps, timed, wanted_steps, within

type Place = str | os.PathLike[str] | BinaryIO | None


def record_steps(
    given: Given,
    path: Place,
    settings: Settings,
    *,
    progress: Callable[[int], None] | None = None,
    still: bool = False,
) -> Output:
    """Record an environment, or replays that were given in its place, for a number of steps.

    Args:
        given: What is recorded.
        path: As for `record`.
        settings: As for `record`, in one.
        progress: As for `record`.
        still: Whether `Output.still` is wanted of what is no video.
    """
    row = find_export(path, settings.format)
    if row is None:
        on_part = None if progress is None else lambda part: progress(part[0].steps)
        return _film(given, path, settings, on_part)
    env, replays, policy, key = given
    if replays is not None and settings.grid is not None:
        raise ValueError(f"replays have no grid in {row.noun}: leave grid out")
    lanes = None if settings.grid is None else math.prod(settings.grid)
    check_settings(row, settings, len(replays) if replays is not None else lanes or 1)
    destination = open_destination(path, row)
    is_pixels = False
    if replays is None:
        source = find_source(env)
        seconds = source.seconds_per_step(env)
        steps = wanted_steps(settings, source.default_steps(env), seconds)
        begin, last = shown_steps(settings, steps, seconds)
        scene = source.scene(env)
        is_pixels = row.name == "html" and not scene.has_steps
        scenes = [scene if is_pixels else kept_scene(env)] * (lanes or 1)
    else:
        scenes = [replay.scene for replay in replays]
        is_pixels = row.name == "html" and not any(scene.has_steps for scene in scenes)
        replays = cut_replays(replays, settings.steps, key, settings.deterministic)
        shortest, longest = (each(replay.steps for replay in replays) for each in (min, max))
        seconds = replays[0].seconds_per_step
        begin, last = shown_steps(settings, longest, seconds)
        if begin >= shortest:
            raise ValueError(
                f"start is step {begin}, and one of the replays has {shortest} steps: begin earlier"
            )
    captions = within(timed(settings.captions, begin, last, seconds), begin)
    check_scenes(row, scenes)
    if is_pixels:
        if replays is None:
            shown = _pixels(given, settings, progress)
        else:
            shown = _pixels_of(replays, settings)
        shown = dataclasses.replace(
            shown, replays=_parts(shown.replays, begin, last), captions=captions
        )
        return export(row, shown, destination, still=still)
    picture = as_picture(settings)
    with contextlib.ExitStack() as stack:
        painters = painters_for_stills(stack, scenes, picture) if row.settings or still else []
        if replays is None:
            replays = capture_lanes(
                env,
                policy,
                steps=last,
                key=key,
                deterministic=settings.deterministic,
                lanes=lanes,
                progress=progress,
            )
        replays = _parts(replays, begin, last)
        what = Shown(replays, picture, settings.labels, settings.title, captions, painters=painters)
        return export(row, what, destination, still=still)


def _parts(replays: Sequence[Replay], begin: int, last: int) -> list[Replay]:
    """Return what is shown of each replay; where that is all of it, the replay itself."""
    return [
        replay if begin == 0 and last >= replay.steps else replay[begin:last] for replay in replays
    ]


def _pixels(given: Given, settings: Settings, progress: Callable[[int], None] | None) -> Shown:
    """Record what paints itself as a video in memory, and keep what else happened."""
    parts = []

    def note(part: Sequence[Replay]) -> None:
        # Without the pictures, which are in the video.
        parts.append(dataclasses.replace(part[0], captured=np.zeros(part[0].steps)))
        if progress is not None:
            progress(part[0].steps)

    # The page's heading and captions, and neither a card nor captions in the video that is in it.
    title = settings.title
    settings = dataclasses.replace(settings, format="mp4", title=None, captions=())
    video = _film(given, None, settings, note)
    replay = joined(parts)
    if settings.grid is not None:
        replay = Replay(replay.scene, replay.captured, replay.seconds_per_step)
    replay = dataclasses.replace(replay, origin=origin_of(given.env, given.policy, given.key))
    return Shown([replay], as_picture(settings), title=title, videos=[video])


def _pixels_of(replays: Sequence[Replay], settings: Settings) -> Shown:
    """Make a video in memory of each replay of pixels."""
    plain = dataclasses.replace(settings, format="mp4", title=None, captions=(), labels=())
    return Shown(
        [dataclasses.replace(each, captured=np.zeros(each.steps)) for each in replays],
        as_picture(settings),
        settings.labels,
        title=settings.title,
        videos=[_film(Given(each, [each]), None, plain) for each in replays],
    )


def rehearse(given: Given, path: Place, settings: Settings) -> None:
    """Raise now what a clip would raise once its environment has acted: see `record_steps`."""
    row = find_export(path, settings.format)
    with contextlib.ExitStack() as stack:
        if row is None:
            plan = _planned(given, path, settings)
            picture = tile_picture(plan.picture, plan.composition)
            open_painters(stack, plan.scenes, picture, plan.writer.pixel_format)
            return
        lanes = 1 if settings.grid is None else math.prod(settings.grid)
        check_settings(row, settings, lanes)
        open_destination(path, row)
        scene = find_source(given.env).scene(given.env)
        if scene.has_steps or row.name != "html":
            check_scenes(row, [kept_scene(given.env)] * lanes)
            if row.settings:
                painters_for_stills(stack, [scene], as_picture(settings))
        else:
            rehearse(given, None, dataclasses.replace(settings, format="mp4"))


class _Plan(NamedTuple):
    """A video that is about to be made: nothing was computed, and nothing is written.

    Attributes:
        scenes: One for each lane.
        parts: Lets the policy act, and yields the next steps of each lane.
        writer: Of the file.
        composition: Of its frames.
        picture: What they look like.
    """

    scenes: Sequence[Scene]
    parts: Callable[[], Iterable[Sequence[Replay]]]
    writer: VideoWriter
    composition: Composition
    picture: Picture


def _film(
    given: Given,
    path: Place,
    settings: Settings,
    on_part: Callable[[Sequence[Replay]], None] | None = None,
) -> Video:
    """Make a video of an environment, or of replays that were given in its place."""
    plan = _planned(given, path, settings)
    film(
        plan.scenes,
        plan.parts(),
        [plan.writer],
        plan.composition,
        plan.picture,
        workers=settings.workers,
        on_part=on_part,
    )
    return plan.writer.video


def _planned(given: Given, path: Place, settings: Settings) -> _Plan:
    env, replays, policy, key = given
    preset = find_preset(settings.preset)
    width, height = (
        settings.size
        if preset is None
        else proportional(settings.width, settings.height, preset.width, preset.height)
    )
    settings = dataclasses.replace(settings, width=width, height=height)
    ghosts = Ghosts(settings.ghosts)
    settings = dataclasses.replace(settings, ghost=())
    if replays is not None:
        seconds = replays[0].seconds_per_step
        longest = max(replay.steps for replay in replays)
        steps = longest if settings.steps is None else settings.steps
        begin, last = shown_steps(settings, steps, seconds)
        replays = cut_replays(replays, last, key, settings.deterministic)
        settings, replays = side_by_side(settings, replays)
        replays = [ghosts.in_replay(replay) for replay in replays]
        scenes = [replay.scene for replay in replays]
    else:
        source = find_source(env)
        key = check_seed(key)
        seconds = source.seconds_per_step(env)
        steps = wanted_steps(settings, source.default_steps(env), seconds)
        begin, last = shown_steps(settings, steps, seconds)
        # As it is now, also where a controller changes the model before it is painted.
        scenes = [ghosts.scene(source.scene(env).kept())]
    ghosts.check(seconds)
    plots = None
    if settings.plot:
        sizes: Sequence[Mapping[str, int | None]] = (
            [{**source.num_values(env), **scenes[0].state_sizes}]
            if replays is None
            else [sizes_in(replay) for replay in replays]
        )
        plots = _plots(
            settings,
            sizes,
            begin,
            last,
            seconds,
            len(replays) if replays is not None else math.prod(settings.grid or (1,)),
        )
    fps = real_time(env, seconds) if settings.fps is None else check_fps(settings.fps)
    can_repaint = all(scene.has_steps for scene in scenes)
    if settings.bounce and not can_repaint:
        raise ValueError(
            f"bounce paints each step once more, backwards, and {name_of(env)} paints its pictures "
            "itself as it goes: leave bounce out"
        )
    composition = Composition(
        *settings.size,
        fps,
        settings.overlay,
        settings.grid,
        settings.labels,
        max_fps=most_fps(preset, path, settings.format),
        start=begin,
        speed=settings.speed,
        between=smooth_fps(settings, fps) if can_repaint else None,
        title=settings.title,
        captions=timed(settings.captions, begin, last, seconds),
        bounce=settings.bounce,
        plots=plots,
    )
    check_fps(composition.fps)
    if replays is None:
        for each in each_policy(policy, composition.tiles, "tiles of a grid"):
            check_policy(env, each)
        scenes *= composition.tiles or 1
    drawn = drawn_in(scenes)
    if drawn is None and settings.title is not None:
        # The card in front says nothing about the pictures after it.
        drawn = False
    encoding = dataclasses.replace(Encoding.of(vars(settings)), drawn=drawn)
    writer = open_writer(
        preset,
        path,
        composition.fps,
        format=settings.format,
        width=settings.size[0],
        height=settings.size[1],
        pixel_format="bgra" if settings.is_transparent else shared_pixel_format(scenes),
        max_size=settings.max_size,
        encoding=encoding,
        poster=settings.poster,
    )

    def parts() -> Iterable[Sequence[Replay]]:
        if replays is not None:
            return parts_of(replays)
        return ghosts.in_parts(
            source.replays(
                env,
                policy,
                steps=last,
                key=key,
                deterministic=settings.deterministic,
                lanes=composition.tiles,
            )
        )

    return _Plan(scenes, parts, writer, composition, settings)


def _plots(
    settings: Settings,
    sizes: Sequence[Mapping[str, int | None]],
    start: int,
    stop: int,
    seconds: float | None,
    lanes: int,
) -> Plots:
    """Return the plots beside a clip's picture.

    Args:
        settings: Of the clip.
        sizes: How many numbers there are of each name, in each replay or in all rollouts.
        start: The first step that is shown.
        stop: The one after the last.
        seconds: Between two steps.
        lanes: How many rollouts there are.

    Raises:
        ValueError: There are no such numbers, or is no room for them.
    """
    for each in sizes:
        check_plots(settings.plot, each, lanes)
    return Plots(
        settings.plot,
        *settings.size,
        start=start,
        stop=stop,
        seconds_per_step=seconds,
        lanes=lanes,
        labels=settings.labels,
    )
