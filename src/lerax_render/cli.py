"""The command `lerax-render`."""

import ast
import io
import os
import re
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Annotated, Any, Literal

import platformdirs
import tyro
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeRemainingColumn,
)
from tyro.conf import Positional, UseAppendAction, arg

from .errors import RenderError

type Assignments = UseAppendAction[tuple[str, ...]]


def clip(
    env: Annotated[Positional[str], arg(metavar="ENV")],
    /,
    output: Annotated[Path | None, arg(aliases=["-o"])] = None,
    policy: Path | None = None,
    policy_class: str = "MLPActorCriticPolicy",
    policy_arg: Annotated[Assignments, arg(metavar="NAME=VALUE")] = (),
    env_arg: Annotated[Assignments, arg(metavar="NAME=VALUE")] = (),
    steps: int = 256,
    seed: int = 0,
    width: int = 640,
    height: int = 480,
    fps: float | None = None,
    camera: str | None = None,
    quality: Literal["auto", "draft", "standard", "high"] = "auto",
    format: Literal["mp4", "webm", "gif", "webp", "apng", "png"] | None = None,
    deterministic: bool = False,
    grid: Annotated[str | None, arg(metavar="ROWSxCOLUMNS")] = None,
    overlay: Annotated[tuple[str, ...], arg(metavar="LINE")] = (),
    cache: bool = True,
) -> None:
    """Record an environment as a video, GIF or picture sequence.

    Args:
        env: A Lerax class name (CartPole, Humanoid, ...), module:attribute,
            path/to/file.py:attribute, gym:ID, gymnax:ID, or an MJCF file (*.xml).
        output: File to write; its suffix chooses the format. ENV's name with .mp4 by default.
        policy: Parameters of a trained policy (*.eqx, as policy.serialize writes them). Without
            it, actions are sampled.
        policy_class: The policy's class: a name in lerax.policy, module:Class or file.py:Class.
        policy_arg: Argument of the policy's class; may be repeated.
        env_arg: Argument of the environment's constructor; may be repeated. For an MJCF file:
            controls=passive or sampled, frame_skip=N.
        steps: Number of frames, one a step.
        seed: Of the random key.
        width: Of the picture, in pixels.
        height: Of the picture, in pixels.
        fps: Frames a second; real time by default.
        camera: MuJoCo: a camera's name or number, or settings of the tracking camera such as
            azimuth=90,elevation=-20,distance=4.
        quality: MuJoCo: how much to spend on a frame.
        format: Overrides the suffix of the output.
        deterministic: Let the policy take its most likely action.
        grid: Several environments in one picture, such as 2x3.
        overlay: Text on the frames: any of step, time, reward, return, episode.
        cache: Keep compiled rollouts in the user's cache folder.
    """
    started = time.perf_counter()
    # MJX asks for 64 bits all over and is content with 32; that helps nobody here.
    warnings.filterwarnings("ignore", message="Explicitly requested dtype")
    if cache:
        keep_compilations()
    # Here and not above: it takes seconds to load, and --help needs none of it.
    import jax

    from .recorder import record
    from .specs import load_env, load_policy

    with _output_to_stderr():
        environment = load_env(env, assignments(env_arg))
    loaded = policy and load_policy(policy, policy_class, environment, assignments(policy_arg))
    target = output or Path(default_name(env, format))
    with progress_bar(f"{env} → {target}", steps) as advance:
        video = record(
            environment,
            loaded,
            target,
            num_steps=steps,
            key=jax.random.key(seed),
            width=width,
            height=height,
            fps=fps,
            camera=parsed_camera(camera),
            quality=quality,
            format=format,
            deterministic=deterministic,
            overlay=overlay,
            grid=parsed_grid(grid),
            progress=advance,
        )
    print(
        f"{target}: {human_size(video.num_bytes)}, {video.num_frames} frames, "
        f"{video.width}x{video.height}, {video.fps:g} fps, {time.perf_counter() - started:.1f} s"
    )


def doctor() -> None:
    """Say what can render here, and how to mend what cannot."""
    from .doctor import examine, report

    findings = examine()
    report(findings)
    if not findings.usable:
        raise SystemExit(1)


COMMANDS: dict[str, Callable[..., None]] = {"clip": clip, "doctor": doctor}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; errors that a user can mend are one line on stderr, and exit code 1."""
    try:
        tyro.extras.subcommand_cli_from_dict(
            COMMANDS,
            prog="lerax-render",
            description="Videos of Lerax environments and policies, on machines without a display.",
            args=arguments,
        )
    except (RenderError, ValueError, TypeError, OSError) as error:
        if os.environ.get("LERAX_RENDER_TRACEBACK"):
            raise
        print(f"lerax-render: {error}", file=sys.stderr)
        print("(LERAX_RENDER_TRACEBACK=1 shows where this came from)", file=sys.stderr)
        raise SystemExit(1) from None


def keep_compilations() -> None:
    """Let JAX keep compiled programs in the user's cache folder, unless it keeps them already."""
    import jax

    if jax.config.jax_compilation_cache_dir is not None:
        return
    folder = platformdirs.user_cache_path("lerax-render") / "jax"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return
    if os.access(folder, os.W_OK):
        jax.config.update("jax_compilation_cache_dir", str(folder))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)


@contextmanager
def _output_to_stderr() -> Iterator[None]:
    """Keep what an environment prints while it is loaded out of the command's own output.

    What MJX prints when it is imported, that it has no warp, is nobody's concern.
    """
    printed = io.StringIO()
    try:
        with redirect_stdout(printed):
            yield
    finally:
        for line in printed.getvalue().splitlines():
            if not line.startswith("Failed to import"):
                print(line, file=sys.stderr)


@contextmanager
def progress_bar(description: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show a progress bar on a terminal, and nothing anywhere else.

    Yields:
        A function that takes how many more are done.
    """
    console = Console(stderr=True)
    # Not console.is_terminal: FORCE_COLOR makes that true of a pipe.
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not sys.stderr.isatty(),
    ) as progress:
        task = progress.add_task(description, total=total)
        yield lambda count: progress.advance(task, count)


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
    from .mujoco_renderer import Camera

    # Commas inside parentheses belong to a value, such as lookat=(0,0,1).
    settings = assignments(re.split(r",(?![^()]*\))", text))
    try:
        return Camera(**settings)
    except TypeError as error:
        raise ValueError(f"camera {text!r}: {error}") from error


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
    stem = Path(env).stem if env.endswith(".xml") else env.rpartition(":")[2]
    stem = "".join(c if c.isalnum() or c in "-_" else "_" for c in stem)
    if format == "png":
        return f"{stem}_%05d.png"
    return f"{stem}.{format or 'mp4'}"


def human_size(num_bytes: int) -> str:
    """Return a number of bytes as text with three digits."""
    size = float(num_bytes)
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} GB"
