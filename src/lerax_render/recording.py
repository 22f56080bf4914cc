"""Environment and policy in, clip out: the one place where capture, paint and encode meet."""

import dataclasses
import itertools
import math
import os
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from .capturing import check_not_traced, each_policy, name_of
from .compose import Composition, Line, check_answers
from .errors import RenderError, warn
from .filming import aim, captured_first, film, parts_of, warn_if_incomplete
from .naming import given_env
from .replay import Replay, lengthened
from .settings import (
    FormatName,
    Picture,
    PresetName,
    QualityName,
    Settings,
    check_policy,
    check_seed,
    check_steps,
    proportional,
)
from .sources import find_source
from .video import Preset, Video, check_fps, find_preset, most_fps, open_writer

if TYPE_CHECKING:
    from .acting import Key, PyTree

DEFAULT_FPS = 50.0
"""Frames a second of an environment that does not say how much time a step takes."""

# So many states are looked at before the first is painted, where the camera is left open.
_STEPS_AHEAD = 1024


def record(
    env: Any,
    policy: Any | None = None,
    path: str | os.PathLike[str] | BinaryIO | None = None,
    *,
    steps: int | None = None,
    key: "Key" = None,
    width: int | None = None,
    height: int | None = None,
    fps: float | Fraction | None = None,
    camera: Any | None = None,
    quality: QualityName = "auto",
    background: str | None = None,
    format: FormatName | None = None,
    deterministic: bool = False,
    overlay: bool | Sequence[Line] = False,
    grid: tuple[int, int] | None = None,
    labels: Sequence[str] = (),
    preset: PresetName | None = None,
    max_size: int | None = None,
    workers: int = 1,
    progress: Callable[[int], None] | None = None,
) -> Video:
    """Record a policy in an environment, or a replay, as a video.

    One frame a step, the first and the terminal state of each episode included; when an episode
    ends, the next frame is the first of the next episode.

        lr.record(env, policy, "clip.mp4")
        lr.record(lr.capture(env, policy), "clip.mp4")  # the same frames
        lr.record([replay, other], "both.mp4", labels=("before", "after"))

    Args:
        env: A Lerax environment, wrapped or not, Gymnasium's and Gymnax's in Lerax's wrappers
            included; a Gymnasium environment, which is itself reset and stepped; a `Simulation`;
            the name of an environment, as the command line takes it (`"CartPole"`, `"robot.xml"`);
            a `Replay`, or several of them, which become tiles.
        policy: A Lerax policy. `None` samples actions from the action space. With a grid, it may be
            a sequence of policies that differ only in their parameters, one a tile. A replay has
            none: then the path comes second.
        path: Where the clip goes: a file, a pattern such as `frame_%05d.png`, or a binary buffer.
            `None` keeps it in memory. An existing file is replaced once the new one is whole, and
            stays as it was if anything fails.
        steps: Number of steps (default 256; of a replay, all).
        key: A JAX PRNG key, or a seed for one (default 0).
        width: Picture width in pixels, 1 to 16384 (default 640, or the preset's).
        height: Picture height in pixels, 1 to 16384 (default 480, or the preset's).
        fps: Frames a second (default: real time, one over the environment's `dt` in seconds, or 50
            where it has none).
        camera: MuJoCo only: a camera's name or number, a `Camera`, or a `mujoco.MjvCamera`
            (default: one that looks at what happens).
        quality: MuJoCo only: `"auto"`, `"draft"`, `"standard"`, `"high"`, or `"cinematic"`, which
            MuJoCo's Filament renderer draws through Vulkan; without a GPU, a few frames a second.
        background: MuJoCo only: `"studio"` (a sky, and a ground and a light where the model has
            none), a colour (`"white"`, `"#e0e8f0"`), or `"as-is"` (default: studio for a model with
            neither a light of its own nor a skybox, else as-is). `"cinematic"` has its own.
        format: `"mp4"`, `"webm"`, `"gif"`, `"webp"`, `"apng"` or `"png"` (a sequence). `None` takes
            it from the path's suffix, and MP4 where there is no path.
        deterministic: Whether the policy takes its most likely action instead of a sampled one.
        overlay: Text on the frames: `True`, or what to write, top to bottom, out of `"step"`,
            `"time"`, `"reward"`, `"return"`, `"episode"` and functions from `overlay.StepInfo` to
            text. A thin line at the upper edge marks the end of an episode.
        grid: Rows and columns of a picture with that many rollouts in it, which advance together in
            one compiled, vmapped scan; Gymnasium's environments and simulations one by one, with
            the seeds that follow. Each has a key of its own and restarts on its own. For several
            replays: nearly square where `None`.
        labels: A text for each tile of the grid, row by row.
        preset: Settings for a place that clips are shown in: `"docs"` and `"readme"`, GIFs that
            keep to a size, or `"social"`; see `video.PRESETS`. Of steps that come faster than its
            frames some are left out, so that the clip still plays in real time.
        max_size: Bytes at most, instead of the preset's own limit.
        workers: MuJoCo only: how many processes paint, each with a GL context of its own; with 1,
            this process does. The pictures are the same. It is for many cores without a GPU: on
            two, Mesa's software GL fills both by itself, and two processes are slower.
        progress: Called with the number of steps that are done since the last call.

    Returns:
        The clip.

    Raises:
        ValueError, TypeError: An argument is wrong; nothing was computed or written.
        UnsupportedEnvError: Nothing here can draw this environment.
        BackendUnavailableError: No GL platform works, or a package is missing.
        EncodeError: ffmpeg or the disk failed; no partial file is left.
    """
    settings = Settings(
        steps=steps,
        width=width,
        height=height,
        fps=fps,
        camera=camera,
        quality=quality,
        background=background,
        format=format,
        deterministic=deterministic,
        overlay=overlay,
        grid=grid,
        labels=labels,
        preset=preset,
        max_size=max_size,
        workers=workers,
    )
    return record_clip(env, policy, path, settings, key=key, progress=progress)


def record_clip(
    env: Any,
    policy: Any | None,
    path: str | os.PathLike[str] | BinaryIO | None,
    settings: Settings,
    *,
    key: "Key" = None,
    progress: Callable[[int], None] | None = None,
) -> Video:
    """Record as `record` does, with its settings in one."""
    env = given_env("record", env)
    check_not_traced("record", env)
    preset = find_preset(settings.preset, settings.max_size)
    settings = _sized(settings, preset)
    replays = _given_replays(env)
    if replays is not None:
        policy, path = _only_path(policy, path)
        settings, replays = _for_replays(settings, replays, key)
        scenes, seconds = [replay.scene for replay in replays], replays[0].seconds_per_step
    else:
        source = find_source(env)
        key = check_seed(key)
        steps = source.default_steps(env) if settings.steps is None else check_steps(settings.steps)
        seconds = source.seconds_per_step(env)
    fps = real_time(env, seconds) if settings.fps is None else check_fps(settings.fps)
    composition = Composition(
        *settings.size,
        fps,
        settings.overlay,
        settings.grid,
        settings.labels,
        max_fps=most_fps(preset, path, settings.format),
    )
    if replays is None:
        for each in each_policy(policy, composition.tiles, "tiles of a grid"):
            check_policy(env, each)
        # As it is now, also where a controller changes the model before it is painted.
        scenes = [source.scene(env).kept()] * (composition.tiles or 1)
    pixel_format = scenes[0].pixel_format if len({s.pixel_format for s in scenes}) == 1 else "rgb24"
    writer = open_writer(
        preset,
        path,
        composition.fps,
        format=settings.format,
        width=settings.size[0],
        height=settings.size[1],
        pixel_format=pixel_format,
        max_size=settings.max_size,
    )
    parts = (
        source.replays(
            env,
            policy,
            steps=steps,
            key=key,
            deterministic=settings.deterministic,
            lanes=composition.tiles,
        )
        if replays is None
        else parts_of(replays)
    )
    film(
        scenes,
        parts,
        [writer],
        composition,
        settings,
        workers=settings.workers,
        on_part=None if progress is None else lambda part: progress(part[0].steps),
    )
    return writer.video


def try_record(env: Any, *arguments: Any, **options: Any) -> Video | None:
    """Like `record`, but a failure is a warning, so that a program that records goes on.

    Returns:
        The clip, or `None` after one `RenderWarning` that names the cause and the remedy.
    """
    try:
        return record(env, *arguments, **options)
    except Exception as error:
        remedy = (
            ""
            if isinstance(error, RenderError | ValueError | TypeError)
            else (". record(...) with the same arguments raises it with its traceback")
        )
        warn(f"no video of {name_of(env)}: {type(error).__name__}: {error}{remedy}")
        return None


def render(
    env: Any,
    states: "PyTree" = None,
    *,
    width: int | None = None,
    height: int | None = None,
    camera: Any | None = None,
    quality: QualityName = "auto",
    background: str | None = None,
    workers: int = 1,
) -> Iterator[np.ndarray]:
    """Paint a replay, or states that you already have.

    Args:
        env: A `Replay`; or the environment that the states belong to.
        states: As for `capture`; a replay has none.
        width: As for `record`.
        height: As for `record`.
        camera: As for `record`.
        quality: As for `record`.
        background: As for `record`.
        workers: As for `record`.

    Returns:
        An iterator of frames, `uint8 (H, W, 3)` RGB with row 0 on top, one a step. Close it, or use
        it up, to free the painter.

    Raises:
        ValueError, TypeError: An argument is wrong.
        UnsupportedEnvError: Nothing here can draw this environment from its states.
        BackendUnavailableError: No GL platform works, or a package is missing.
    """
    env = given_env("render", env)
    check_not_traced("render", env)
    picture = Picture(
        width=width, height=height, camera=camera, quality=quality, background=background
    )
    workers = Settings(workers=workers).workers
    parts: Iterator[Replay]
    if isinstance(env, Replay):
        if states is not None:
            raise TypeError("a replay has its states captured: leave states away")
        scene, parts = env.scene, (part[0] for part in parts_of([env]))
    else:
        if states is None:
            raise TypeError("states is missing: give render(env, states), or a Replay")
        source = find_source(env)
        scene, parts = source.scene(env), source.replays_of(env, states)

    def frames() -> Iterator[np.ndarray]:
        painted = 0
        with scene.painter(picture, workers=workers) as painter:
            lanes: Iterator[Sequence[Replay]] = ([part] for part in parts)
            if scene.looks_ahead(picture):
                held, lanes = captured_first(lanes, _STEPS_AHEAD)
                aim([painter], [scene], picture, held)
                del held
            first = next(lanes)
            yield np.empty(0)
            for (part,) in itertools.chain([first], lanes):
                yield from painter.paint(part.captured)
                painted += part.steps
        warn_if_incomplete([painter], painted)

    # Started here, so that wrong arguments are reported now and not with the first frame, and so
    # that the painter is closed even if no frame is ever asked for.
    iterator = frames()
    next(iterator)
    return iterator


def real_time(env: Any, seconds_per_step: float | None) -> Fraction:
    """Return the frame rate of a clip in real time.

    Raises:
        ValueError: No clip has such a rate.
    """
    try:
        return check_fps(frames_per_second(seconds_per_step))
    except ValueError as error:
        raise ValueError(
            f"a step of {name_of(env)} takes {seconds_per_step:g} s by its dt, and a clip in real "
            f"time would have {1 / (seconds_per_step or 1):g} frames a second, where 0.01 to 1000 "
            "are possible: give fps=, or mend env.dt, which is in seconds"
        ) from error


def frames_per_second(seconds_per_step: float | None) -> Fraction:
    """Return the frame rate that shows steps of this length in real time, or `DEFAULT_FPS`."""
    return Fraction(1 / seconds_per_step if seconds_per_step else DEFAULT_FPS).limit_denominator(
        1000
    )


def picture_size(
    preset: Preset | None, width: int | None = None, height: int | None = None
) -> tuple[int, int]:
    """Return the width and height of a picture in pixels; `None` is what was not asked for."""
    if preset is None:
        return Picture(width=width, height=height).size
    return proportional(width, height, preset.width, preset.height)


def _sized(settings: Settings, preset: Preset | None) -> Settings:
    width, height = picture_size(preset, settings.width, settings.height)
    return dataclasses.replace(settings, width=width, height=height)


def _given_replays(env: Any) -> list[Replay] | None:
    """Return the replays that were given in the place of an environment, or `None`."""
    if isinstance(env, Replay):
        return [env]
    if not isinstance(env, list | tuple):
        return None
    if not env or not all(isinstance(each, Replay) for each in env):
        raise TypeError(
            "several things to record at once must be Replays, as capture(env, policy) gives them, "
            f"got {[type(each).__name__ for each in env]}"
        )
    return list(env)


def _only_path(policy: Any, path: Any) -> tuple[None, Any]:
    """Return the path of a clip of a replay, which may stand where a policy would."""
    if policy is None:
        return None, path
    is_path = isinstance(policy, str | os.PathLike) or callable(getattr(policy, "write", None))
    if path is not None or not is_path:
        raise TypeError(
            "a replay has been acted out already, so there is no place for a policy: "
            f"record(replay, path), got {type(policy).__name__}"
        )
    return None, policy


def _for_replays(
    settings: Settings, replays: list[Replay], key: Any
) -> tuple[Settings, list[Replay]]:
    """Return the settings of a clip of replays, and these as long as it is."""
    if key is not None or settings.deterministic:
        raise ValueError(
            "a replay has been acted out already: leave key and deterministic away with it"
        )
    for replay in replays:
        check_answers(settings.overlay, replay)
    seconds = {replay.seconds_per_step for replay in replays}
    if len(seconds) > 1 and settings.fps is None:
        raise ValueError(
            "the replays have steps of different lengths, "
            f"{sorted(s or 0 for s in seconds)} seconds: give fps, frames a second"
        )
    longest = max(replay.steps for replay in replays)
    steps = longest if settings.steps is None else check_steps(settings.steps)
    if steps > longest:
        raise ValueError(f"steps is {steps}, and the replay has {longest} steps")
    if (len(replays) > 1 or settings.labels) and settings.grid is None:
        columns = math.ceil(math.sqrt(len(replays)))
        settings = dataclasses.replace(settings, grid=(-(-len(replays) // columns), columns))
    elif settings.grid is not None and math.prod(settings.grid) < len(replays):
        raise ValueError(
            f"a grid of {settings.grid[0]}x{settings.grid[1]} has no room for {len(replays)} "
            "replays"
        )
    if settings.labels and len(settings.labels) == len(replays):
        empty = math.prod(settings.grid or (1, 1)) - len(replays)
        settings = dataclasses.replace(settings, labels=[*settings.labels, *[""] * empty])
    shown = [replay if replay.steps <= steps else replay[:steps] for replay in replays]
    return settings, [lengthened(replay, steps) for replay in shown]
