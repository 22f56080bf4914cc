"""The command `lerax-render`."""

import ast
import os
import re
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro
from tyro.conf import Positional, UseAppendAction, arg

from .. import __version__
from ..errors import RenderError
from ..video import human_size, parsed_size
from .progress import ClipsBar, progress_bar

type Repeated[T] = UseAppendAction[tuple[T, ...]]
type PresetName = Literal["docs", "readme", "social"]


def clip(
    env: Annotated[Positional[str], arg(metavar="ENV")],
    /,
    output: Annotated[Path | None, arg(aliases=["-o"])] = None,
    policy: Annotated[Repeated[Path], arg(metavar="FILE")] = (),
    policy_class: str = "MLPActorCriticPolicy",
    policy_arg: Annotated[Repeated[str], arg(metavar="NAME=VALUE")] = (),
    env_arg: Annotated[Repeated[str], arg(metavar="NAME=VALUE")] = (),
    steps: int = 256,
    seed: int = 0,
    width: int | None = None,
    height: int | None = None,
    fps: float | None = None,
    camera: str | None = None,
    quality: Literal["auto", "draft", "standard", "high", "cinematic"] = "auto",
    format: Literal["mp4", "webm", "gif", "webp", "apng", "png"] | None = None,
    deterministic: bool = False,
    grid: Annotated[str | None, arg(metavar="ROWSxCOLUMNS")] = None,
    label: Annotated[Repeated[str], arg(metavar="TEXT")] = (),
    overlay: Annotated[tuple[str, ...] | None, arg(metavar="[LINE ...]")] = None,
    preset: PresetName | None = None,
    max_size: str | None = None,
    workers: int = 1,
    cache: bool = True,
) -> None:
    """Record an environment as a video, GIF or picture sequence.

    Args:
        env: A Lerax class name (CartPole, Humanoid, ...), module:attribute,
            path/to/file.py:attribute, gym:ID, gymnax:ID, or an MJCF file (*.xml).
        output: File to write; its suffix chooses the format. ENV's name with .mp4 by default.
        policy: Parameters of a trained policy (*.eqx, as policy.serialize writes them). Without
            it, actions are sampled. With a grid, it may be repeated: one for each tile.
        policy_class: The policy's class: a name in lerax.policy, module:Class or file.py:Class.
        policy_arg: Argument of the policy's class; may be repeated.
        env_arg: Argument of the environment's constructor; may be repeated. For an MJCF file:
            controls=passive or sampled, frame_skip=N.
        steps: Number of frames, one a step.
        seed: Of the random key.
        width: Of the picture, in pixels; 640 by default.
        height: Of the picture, in pixels; 480 by default.
        fps: Frames a second; real time by default.
        camera: MuJoCo: a camera's name or number, or settings of the tracking camera such as
            azimuth=90,elevation=-20,distance=4.
        quality: MuJoCo: how much to spend on a frame. cinematic needs Vulkan.
        format: Overrides the suffix of the output.
        deterministic: Let the policy take its most likely action.
        grid: Several environments in one picture, such as 2x3.
        label: Text on a tile of the grid; to be repeated, one for each tile, row by row.
        overlay: Text on the frames: any of step, time, reward, return, episode; without any, step,
            return and episode. ENV has to stand before it.
        preset: docs: a GIF, 480 wide, 20 fps, up to 10 MB. readme: the same up to 1 MB. social: an
            MP4, 1280x720.
        max_size: Another limit for the preset's GIF, such as 5MB. Until it is met, the GIF gets
            fewer frames, then smaller, then fewer colours.
        workers: MuJoCo without a GPU: how many processes paint.
        cache: Keep compiled rollouts in the user's cache folder.
    """
    started = time.perf_counter()
    prepare_process(cache)
    # Here and not above: it takes seconds to load, and --help needs none of it.
    from ..batch import Clip
    from ..video import find_preset

    wanted = Clip(
        env=env,
        env_args=assignments(env_arg),
        policy=tuple(map(str, policy)),
        policy_class=policy_class,
        policy_args=assignments(policy_arg),
        steps=steps,
        seed=seed,
        width=width,
        height=height,
        fps=fps,
        camera=parsed_camera(camera),
        quality=quality,
        format=format,
        deterministic=deterministic,
        overlay=parsed_overlay(overlay),
        grid=parsed_grid(grid),
        labels=label,
        preset=preset,
        max_size=None if max_size is None else parsed_size(max_size),
        workers=workers,
    )
    chosen = find_preset(preset)
    suffix = chosen.format if chosen else format
    target = output or Path(default_name(env, suffix))
    with progress_bar(f"{env} → {target}", steps) as advance:
        video = wanted.record(target, advance)
    print(
        f"{target}: {human_size(video.num_bytes)}, {video.num_frames} frames, "
        f"{video.width}x{video.height}, {video.fps:g} fps, {time.perf_counter() - started:.1f} s"
    )


def gallery(
    manifest: Annotated[Positional[Path], arg(metavar="MANIFEST")],
    /,
    output: Annotated[Path, arg(aliases=["-o"])],
    workers: int | None = None,
    dask: Annotated[str | None, arg(metavar="ADDRESS")] = None,
    shared: bool = False,
    force: bool = False,
    cache: bool = True,
) -> None:
    """Make the clips of a manifest, and a page with them; only what changed is made again.

    Args:
        manifest: A TOML file: [defaults], and [[clips]] with env, caption, tags and so on.
        output: Folder for the clips, index.html and gallery.md. Nothing is written elsewhere.
        workers: How many processes render, each on its share of the cores; 1 by default.
        dask: Render on a Dask cluster instead; the address of its scheduler, such as
            tcp://127.0.0.1:8786.
        shared: With --dask: the workers write into OUTPUT, which they have under the same name.
            Without it, clips are sent back through the scheduler.
        force: Make all clips again, and replace files that no gallery has made.
        cache: Keep compiled rollouts in the user's cache folder; of this machine, not of a cluster.
    """
    if dask is not None and workers is not None:
        raise ValueError("--workers and --dask exclude each other: a cluster has its own workers")
    if shared and dask is None:
        raise ValueError("--shared is about the workers of a cluster: it needs --dask ADDRESS")
    prepare_process(cache)
    from ..batch import dask_cluster
    from ..gallery import PAGE, make_gallery

    with ExitStack() as stack:
        executor = None if dask is None else stack.enter_context(dask_cluster(dask))
        bar = stack.enter_context(ClipsBar())
        report = make_gallery(
            manifest,
            output,
            workers=1 if workers is None else workers,
            initializer=partial(prepare_process, cache),
            executor=executor,
            shared=shared,
            force=force,
            on_start=bar.start,
            on_outcome=bar.finish,
        )
    for file in report.removed:
        print(f"removed {file}")
    print(
        f"{output / PAGE}: {len(report.made)} made, {len(report.kept)} unchanged, "
        f"{len(report.failed)} failed"
    )
    for name, reason in report.failed.items():
        print(printable(f"lerax-render: {name} could not be made: {reason}"), file=sys.stderr)
    if report.failed:
        raise SystemExit(1)


def timelapse(
    run_dir: Annotated[Positional[Path], arg(metavar="RUN_DIR")],
    /,
    output: Annotated[Path, arg(aliases=["-o"])],
    grid: Annotated[str | None, arg(metavar="ROWSxCOLUMNS")] = None,
    frames: int | None = None,
    fps: float | None = None,
    width: int | None = None,
    height: int | None = None,
    preset: PresetName | None = None,
    max_size: str | None = None,
) -> None:
    """Join the clips that a training run recorded, with the training step written on each.

    Args:
        run_dir: Folder of the run, with its clips in videos/step_*.mp4.
        output: File to write; its suffix chooses the format.
        grid: Side by side instead of one after the other, such as 2x3: as many clips, spread
            evenly over the training.
        frames: Of each clip at most; all by default.
        fps: Frames a second; the clips' own by default.
        width: Of the picture, in pixels; the clips' own by default.
        height: Of the picture, in pixels; the clips' own by default.
        preset: docs: a GIF, 480 wide, 20 fps, up to 10 MB. readme: the same up to 1 MB. social: an
            MP4, 1280 wide.
        max_size: Another limit for the preset's GIF, such as 5MB.
    """
    from ..timelapse import find_recordings, make_timelapse

    count = len(find_recordings(run_dir))
    shape = parsed_grid(grid)
    tiles = count if shape is None else shape[0] * shape[1]
    with progress_bar(f"{run_dir} → {output}", tiles) as advance:
        video = make_timelapse(
            run_dir,
            output,
            grid=shape,
            frames=frames,
            fps=fps,
            width=width,
            height=height,
            preset=preset,
            max_size=None if max_size is None else parsed_size(max_size),
            progress=lambda: advance(1),
        )
    print(
        f"{output}: {human_size(video.num_bytes)}, {tiles} of {count} recordings, "
        f"{video.num_frames} frames, {video.width}x{video.height}, {video.fps:g} fps"
    )


def doctor() -> None:
    """Say what can render here, and how to mend what cannot."""
    from .doctor import examine, report

    findings = examine()
    report(findings)
    if not findings.usable:
        raise SystemExit(1)


COMMANDS: dict[str, Callable[..., None]] = {
    "clip": clip,
    "gallery": gallery,
    "timelapse": timelapse,
    "doctor": doctor,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; errors that a user can mend are one line on stderr, and exit code 1."""
    if (sys.argv[1:] if arguments is None else list(arguments)) == ["--version"]:
        print(f"lerax-render {__version__}")
        return
    try:
        with sigterm_as_ctrl_c():
            tyro.extras.subcommand_cli_from_dict(
                COMMANDS,
                prog="lerax-render",
                description="Videos of Lerax environments and policies, without a display.",
                args=arguments,
            )
    except KeyboardInterrupt as interrupt:
        ended = signal.SIGTERM if isinstance(interrupt, Terminated) else signal.SIGINT
        print(f"lerax-render: ended by {ended.name}; nothing is half made", file=sys.stderr)
        raise SystemExit(128 + ended) from None
    except (RenderError, ValueError, TypeError, OverflowError, OSError) as error:
        if os.environ.get("LERAX_RENDER_TRACEBACK"):
            raise
        print(printable(f"lerax-render: {error}"), file=sys.stderr)
        print("(LERAX_RENDER_TRACEBACK=1 shows where this came from)", file=sys.stderr)
        raise SystemExit(1) from None


class Terminated(KeyboardInterrupt):
    """SIGTERM has come. Not a `SystemExit`, which users' scripts raise, too."""


@contextmanager
def sigterm_as_ctrl_c() -> Iterator[None]:
    """Have SIGTERM unwind the block, so that nothing is left half made."""

    def end(*_: object) -> None:
        raise Terminated

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def prepare_process(cache: bool) -> None:
    """Make a process of this command ready to render.

    Args:
        cache: Whether compiled rollouts are kept in the user's cache folder.
    """
    # MJX asks for 64 bits all over and is content with 32; that helps nobody here.
    warnings.filterwarnings("ignore", message="Explicitly requested dtype")
    if cache:
        from .compilations import keep_compilations

        keep_compilations()


def printable(text: str) -> str:
    """Return a text without what a terminal would obey instead of show, written as in Python.

    A manifest or a model may come from anywhere, and errors quote them.
    """
    return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text)


def assignments(texts: Sequence[str]) -> dict[str, Any]:
    """Turn `name=value` texts into arguments; values are Python literals, or else plain text.

    Raises:
        ValueError: A text has no `=` or no valid name.
    """
    parsed = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.isidentifier():
            raise ValueError(f"expected name=value, got {text!r}")
        try:
            parsed[name] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            parsed[name] = value
    return parsed


def parsed_camera(text: str | None) -> Any:
    """Turn a camera's text into what `record` takes: a number, a name or a `Camera`."""
    if text is None or "=" not in text:
        return int(text) if text and text.isdecimal() else text
    from ..mujoco import Camera

    # Commas inside parentheses belong to a value, such as lookat=(0,0,1).
    settings = assignments(re.split(r",(?![^()]*\))", text))
    try:
        return Camera(**settings)
    except TypeError as error:
        raise ValueError(f"camera {text!r}: {error}") from error


def parsed_overlay(words: Sequence[str] | None) -> bool | tuple[str, ...]:
    """Turn what follows `--overlay`, `None` where that is not given, into what `record` takes."""
    lines = tuple(line for word in words or () for line in word.split(",") if line)
    return lines or words is not None


def parsed_grid(text: str | None) -> tuple[int, int] | None:
    """Turn `"2x3"` into rows and columns."""
    if text is None:
        return None
    rows, _, columns = text.partition("x")
    if not (rows.isdecimal() and columns.isdecimal()):
        raise ValueError(f"grid: expected ROWSxCOLUMNS, such as 2x3, got {text!r}")
    return int(rows), int(columns)


def default_name(env: str, format: str | None) -> str:
    """Return the file that a clip of `env` goes to where none was named."""
    from ..batch import stem

    if format == "png":
        return f"{stem(env)}_%05d.png"
    return f"{stem(env)}.{format or 'mp4'}"
