"""Environment and policy in, clip out: the one place where capture, paint and encode meet."""

import contextlib
import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Any, BinaryIO

import jax
import numpy as np
from jax import numpy as jnp

from .acting import PyTree, Rollout, captured_batches, check_policy, check_steps, check_whole
from .compose import Composition, Line
from .errors import RenderError, warn
from .mujoco import CINEMATIC, check_name
from .sources import Painter, Source, find_source
from .video import Preset, Video, VideoWriter, check_fps, find_preset, open_writer

DEFAULT_FPS = 50.0
"""Frames a second of an environment that does not say how much time a step takes."""

DEFAULT_WIDTH, DEFAULT_HEIGHT = 640, 480
"""Of a picture in pixels."""


def record(
    env: Any,
    policy: Any | None = None,
    path: str | os.PathLike[str] | BinaryIO | None = None,
    *,
    steps: int = 256,
    key: jax.Array | None = None,
    width: int | None = None,
    height: int | None = None,
    fps: float | Fraction | None = None,
    camera: Any | None = None,
    quality: str = "auto",
    format: str | None = None,
    deterministic: bool = False,
    overlay: bool | Sequence[Line] = False,
    grid: tuple[int, int] | None = None,
    labels: Sequence[str] = (),
    preset: str | None = None,
    max_size: int | None = None,
    workers: int = 1,
    progress: Callable[[int], None] | None = None,
) -> Video:
    """Record a policy in an environment as a video.

    One frame a step, the first and the terminal state of each episode included; when an episode
    ends, the next frame is the first of the next episode.

    Args:
        env: A Lerax environment, wrapped or not, Gymnasium's and Gymnax's in Lerax's wrappers
            included; or a `MujocoScene`.
        policy: A Lerax policy. `None` samples actions from the action space. With a grid, it may be
            a sequence of policies that differ only in their parameters, one a tile.
        path: Where the clip goes: a file, a pattern such as `frame_%05d.png`, or a binary buffer.
            `None` keeps it in memory. A file that is there already is replaced once the new one is
            whole, and stays as it was if anything fails.
        steps: Number of frames.
        key: JAX PRNG key; `jax.random.key(0)` where `None`.
        width: Of the picture in pixels, 1 to 16384; where `None`, 640 or the preset's.
        height: Of the picture in pixels, 1 to 16384; where `None`, 480 or the preset's.
        fps: Frames a second; where `None`, real time: one over the environment's `dt` in seconds,
            or 50 where it has none.
        camera: MuJoCo only: a camera's name or number, a `Camera`, or a `mujoco.MjvCamera`. `None`
            follows the robot.
        quality: MuJoCo only: `"auto"`, `"draft"`, `"standard"`, `"high"`, or `"cinematic"`, which
            MuJoCo's Filament renderer draws through Vulkan; without a GPU, a few frames a second.
        format: `"mp4"`, `"webm"`, `"gif"`, `"webp"`, `"apng"` or `"png"` (a sequence). `None` takes
            it from the path's suffix, and MP4 where there is no path.
        deterministic: Whether the policy takes its most likely action instead of a sampled one.
        overlay: Text on the frames: `True`, or what to write, top to bottom, out of `"step"`,
            `"time"`, `"reward"`, `"return"`, `"episode"` and functions from `overlay.StepInfo` to
            text. A thin line at the upper edge marks the end of an episode.
        grid: Rows and columns of a picture with that many rollouts in it, which advance together in
            one compiled, vmapped scan. Each has a key of its own and restarts on its own.
        labels: A text for each tile of the grid, row by row.
        preset: Settings for a place that clips are shown in: `"docs"` and `"readme"`, GIFs that
            keep to a size, or `"social"`; see `video.PRESETS`. Of steps that come faster
            than its frames some are left out, so that the clip still plays in real time.
        max_size: Bytes at most, instead of the preset's own limit.
        workers: MuJoCo only: how many processes paint, each with a GL context of its own; with 1,
            this process does. The pictures are the same. It is for many cores without a GPU: on
            two, Mesa's software GL fills both by itself, and two processes are slower.
        progress: Called with the number of frames that have become ready since the last call.

    Returns:
        The clip.

    Raises:
        ValueError, TypeError: An argument is wrong; nothing was computed or written.
        UnsupportedEnvError: Nothing here can draw this environment.
        BackendUnavailableError: No GL backend works, or a package is missing.
        EncodeError: ffmpeg or the disk failed; no partial file is left.
    """
    _check_not_traced("record")
    check_steps(steps)
    check_name(quality, CINEMATIC)
    workers = _check_workers(workers)
    chosen = find_preset(preset, max_size)
    width, height = picture_size(chosen, width, height)
    width, height = check_whole("width", width), check_whole("height", height)
    source = find_source(env)
    if fps is None:
        fps = frames_per_second(source.seconds_per_step(env))
    fps = check_fps(fps)
    composition = Composition(
        width, height, fps, overlay, grid, labels, max_fps=chosen.max_fps if chosen else None
    )
    for each in _policies(policy, composition.tiles):
        check_policy(env, each)
    writer = open_writer(
        chosen,
        path,
        composition.fps,
        format=format,
        width=width,
        height=height,
        pixel_format=source.pixel_format,
        max_size=max_size,
    )
    film(
        source,
        env,
        source.chunks(
            env,
            policy,
            steps=steps,
            key=key,
            deterministic=deterministic,
            tiles=composition.tiles,
        ),
        [writer],
        composition,
        camera=camera,
        quality=quality,
        workers=workers,
        on_chunk=None if progress is None else lambda chunk: progress(len(chunk.rewards)),
    )
    return writer.video


def film(
    source: Source,
    env: Any,
    chunks: Iterable[Rollout],
    writers: Sequence[VideoWriter],
    composition: Composition,
    *,
    camera: Any | None = None,
    quality: str = "auto",
    workers: int = 1,
    on_chunk: Callable[[Rollout], None] | None = None,
) -> None:
    """Paint each frame of a rollout once, and encode it with every writer.

    Args:
        source: Of the environment.
        env: The environment.
        chunks: The rollout in parts, with what `source` captured as states.
        writers: Not entered yet, in the source's pixel format; they are closed afterwards. If
            anything fails, none of them leaves a clip.
        composition: Of the frames; its `tiles` are those of the rollout.
        camera: As for `record`.
        quality: As for `record`.
        workers: As for `record`.
        on_chunk: Called with each part when its frames are done.

    Raises:
        BackendUnavailableError, EncodeError, ValueError: As for `record`.
    """
    num_frames = 0
    with contextlib.ExitStack() as stack:
        painter = stack.enter_context(
            source.painter(
                env,
                composition.tile_width,
                composition.tile_height,
                camera=camera,
                quality=quality,
                pixel_format=source.pixel_format,
                workers=workers,
            )
        )
        for writer in writers:
            stack.enter_context(writer)
        for chunk in chunks:
            for frame in composition.frames(painter, chunk):
                for writer in writers:
                    writer.write(frame)
                num_frames += 1
            if on_chunk is not None:
                on_chunk(chunk)
    _warn_if_incomplete(painter, num_frames)


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
        warn(f"no video of {_name(env)}: {type(error).__name__}: {error}{remedy}")
        return None


def render(
    env: Any,
    states: PyTree,
    *,
    width: int = DEFAULT_WIDTH,
    height: int = DEFAULT_HEIGHT,
    camera: Any | None = None,
    quality: str = "auto",
    workers: int = 1,
) -> Iterator[np.ndarray]:
    """Paint states that are there already.

    Args:
        env: The environment that the states belong to.
        states: A pytree of states stacked along a leading axis, as `lax.scan` and `jax.vmap` give;
            or any iterable of single states; or a `Rollout` of whole states.
        width: As for `record`.
        height: As for `record`.
        camera: As for `record`.
        quality: As for `record`.
        workers: As for `record`.

    Returns:
        An iterator of frames, `uint8 (H, W, 3)` RGB with row 0 on top, one a state. Close it, or
        use it up, to free the renderer.

    Raises:
        ValueError, TypeError: An argument is wrong.
        UnsupportedEnvError: Nothing here can draw this environment from its states.
        BackendUnavailableError: No GL backend works, or a package is missing.
    """
    _check_not_traced("render")
    width, height = check_whole("width", width), check_whole("height", height)
    check_name(quality, CINEMATIC)
    workers = _check_workers(workers)
    source = find_source(env)
    batches = captured_batches(source, env, states)

    def frames() -> Iterator[np.ndarray]:
        painted = 0
        with source.painter(
            env,
            width,
            height,
            camera=camera,
            quality=quality,
            pixel_format="rgb24",
            workers=workers,
        ) as painter:
            first = next(batches)
            yield np.empty(0)
            for captured, length in itertools.chain([first], batches):
                yield from painter.paint(jax.tree.map(lambda x, n=length: x[-n:], captured))
                painted += length
        _warn_if_incomplete(painter, painted)

    # Started here, so that wrong arguments are reported now and not with the first frame, and so
    # that the painter is closed even if no frame is ever asked for.
    iterator = frames()
    next(iterator)
    return iterator


def picture_size(
    preset: Preset | None, width: int | None = None, height: int | None = None
) -> tuple[int, int]:
    """Return the width and height of a picture in pixels; `None` is what was not asked for."""
    usual = (preset.width, preset.height) if preset else (DEFAULT_WIDTH, DEFAULT_HEIGHT)
    return usual[0] if width is None else width, usual[1] if height is None else height


def frames_per_second(seconds_per_step: float | None) -> Fraction:
    """Return the frame rate that shows steps of this length in real time, or `DEFAULT_FPS`."""
    return Fraction(1 / seconds_per_step if seconds_per_step else DEFAULT_FPS).limit_denominator(
        1000
    )


def _warn_if_incomplete(painter: Painter, num_frames: int) -> None:
    if painter.incomplete:
        warn(
            f"{painter.incomplete} of {num_frames} frames are incomplete: the state has NaN or "
            "infinite numbers in it, and what depends on them was left out"
        )


def _policies(policy: Any, tiles: int | None) -> Sequence[Any]:
    if not isinstance(policy, list | tuple):
        return [policy]
    if len(policy) != tiles:
        raise ValueError(
            f"{len(policy)} policies were given, which needs a grid of as many tiles, got "
            f"{tiles or 'no grid'}"
        )
    return policy


def _check_workers(workers: int) -> int:
    if check_whole("workers", workers) < 1:
        raise ValueError(f"workers must be at least 1, got {workers}")
    return int(workers)


def _check_not_traced(what: str) -> None:
    if isinstance(jnp.zeros(()) + 1, jax.core.Tracer):
        raise RuntimeError(
            f"{what} was called in a function that JAX is tracing, where there are no numbers to "
            "make pictures of: call it outside of jax.jit, or from a jax.debug.callback"
        )


def _name(env: Any) -> str:
    try:
        name = env.name
    except Exception:
        name = None
    return name if isinstance(name, str) else type(env).__name__
