"""The command `lerax-render`."""

import difflib
import itertools
import os
import re
import shlex
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, cast

import tyro
from rich.filesize import decimal
from tyro.conf import DisallowNone, Positional, arg

from .. import __version__
from ..batch import Clip
from ..errors import is_for_users
from ..naming import is_replay, stem
from ..settings import FigureSettings, settings_of, shown
from .options import BOXES, OUTPUT, PLAIN, given, options_of
from .process import (
    Output,
    Terminated,
    in_words,
    open_standard_files,
    prepare_process,
    printable,
    show_warnings_as_lines,
    shows,
    sigterm_as_ctrl_c,
)
from .runs import page, paint, timelapse

if TYPE_CHECKING:
    from ..output import Output as Made

_ACTED = (*BOXES["rollout"], "steps")

# A figure has no ghosts, and says so where it is called.
_DRAWN = tuple(name for name in settings_of(FigureSettings) if name != "ghost")


def clip(
    settings: Annotated[Any, arg(name="", constructor_factory=options_of(Clip))],
    output: Annotated[Path | None, OUTPUT] = None,
    cache: bool = True,
) -> None:
    """Record an environment, or a replay, as a video, GIF, picture sequence, page or replay.

    Args:
        settings: All of a clip's settings.
        output: File to write; its suffix chooses the format (default: ENV's name with .mp4, or
            with the preset's suffix). - is standard output, an MP4 without --format.
        cache: Keep compiled programs in the user's cache folder, for later clips.
    """
    started = time.perf_counter()
    # First, so that a mistake is told before seconds are spent on loading.
    wanted = Clip(**given(settings, Clip))
    prepare_process(cache)
    # Here and not above: --help needs none of it.
    from ..export import describe
    from ..video import find_preset
    from .progress import progress_bar

    chosen = find_preset(wanted.preset)
    made = wanted.format or (chosen.format if chosen else None)
    target = output or Path(default_name(wanted.env, made))
    stream = _standard_output() if str(target) == "-" else None
    length = None if wanted.pick or wanted.episodes else wanted.length
    if length is not None and is_replay(wanted.env) and wanted.steps is None:
        length = describe(wanted.env).steps
    with progress_bar(f"{wanted.env} → {target}", length) as advance:
        video = wanted.record(target if stream is None else stream, advance)
    print(
        f"{target}: {decimal(video.num_bytes)}, {shows(video)}, "
        f"{time.perf_counter() - started:.1f} s",
        file=None if stream is None else sys.stderr,
    )
    for line in _picked(video):
        print(line, file=None if stream is None else sys.stderr)


def _picked(made: "Made") -> list[str]:
    """Say which episodes were picked, a line for each."""
    if made.episodes is None:
        return []
    from ..making import picked_lines

    labels = zip(made.episodes.picked, picked_lines(made.episodes), strict=True)
    return [f"  episode {number}: {', '.join(lines)}" for number, lines in labels]


def _standard_output() -> BinaryIO:
    """Return standard output for a clip's bytes; what is printed about it goes elsewhere."""
    assert sys.__stdout__ is not None
    if sys.__stdout__.isatty():
        raise ValueError(
            "-o - writes the clip to standard output, which is a terminal: redirect it"
        )
    return cast(BinaryIO, sys.__stdout__.buffer)


def gallery(
    manifest: Annotated[Positional[Path], arg(metavar="MANIFEST")],
    output: Annotated[Path, OUTPUT],
    workers: Annotated[int | None, PLAIN] = None,
    dask: Annotated[str | None, arg(metavar="ADDRESS", help_behavior_hint="")] = None,
    shared: Annotated[bool, PLAIN] = False,
    force: Annotated[bool, PLAIN] = False,
    cache: bool = True,
) -> None:
    """Make the clips of a manifest, and a page with them; only what changed is made again.

    Args:
        manifest: A TOML file: [defaults], and [[clips]] with env, caption, tags and so on.
        output: Folder for the clips, index.html and gallery.md. Nothing is written elsewhere.
        workers: Number of processes that render, each on its share of the cores (default 1).
        dask: Address of a Dask cluster's scheduler, such as tcp://127.0.0.1:8786, to render there.
        shared: With --dask: the workers write into OUTPUT, which they have under the same name.
            Without it, clips are sent back through the scheduler.
        force: Make all clips again, and replace files that no gallery has made.
        cache: Keep compiled rollouts in the user's cache folder; on this machine, not on a cluster.
    """
    if dask is not None and workers is not None:
        raise ValueError("--workers and --dask exclude each other: a cluster has its own workers")
    if shared and dask is None:
        raise ValueError("--shared is about the workers of a cluster: it needs --dask ADDRESS")
    prepare_process(cache)
    from ..batch import dask_cluster
    from ..gallery import PAGE, make_gallery
    from .progress import ClipsBar

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


def figure(
    rollout: Annotated[Any, arg(name="", constructor_factory=options_of(Clip, _ACTED))],
    settings: Annotated[Any, arg(name="", constructor_factory=options_of(FigureSettings, _DRAWN))],
    output: Annotated[Path | None, OUTPUT] = None,
    cache: bool = True,
) -> None:
    """Draw moments of an environment, or of a replay, for print: a strobe, a strip or a trajectory.

    Args:
        rollout: Who acts in which environment.
        settings: All of a figure's settings.
        output: File to write, *.png, *.pdf or *.svg (default: ENV's name with .png); - is standard
            output.
        cache: Keep compiled programs in the user's cache folder, for later clips.
    """
    started = time.perf_counter()
    acted, wanted = Clip(**given(rollout, Clip)), FigureSettings(**given(settings, FigureSettings))
    prepare_process(cache)
    from ..figures import draft
    from .progress import progress_bar

    target = output or Path(default_name(acted.env, wanted.format or "png", several=False))
    stream = _standard_output() if str(target) == "-" else None
    env, policy, key = acted.load()
    # In a replay somebody has acted already, and that is what takes steps.
    bar = progress_bar(f"{acted.env} → {target}", 0 if is_replay(acted.env) else acted.length)
    with bar as advance:
        made = draft(
            env,
            policy,
            target if stream is None else stream,
            wanted,
            steps=acted.steps,
            key=key,
            deterministic=acted.deterministic,
            progress=advance,
        )
    count = len(made.moments)
    print(
        f"{target}: {decimal(made.num_bytes)}, {made.width:.0f} x {made.height:.0f} mm at "
        f"{made.dpi:g} dpi, {count} moment{'s' * (count != 1)}, "
        f"{time.perf_counter() - started:.1f} s",
        file=None if stream is None else sys.stderr,
    )


def info(file: Annotated[Positional[Path], arg(metavar="FILE")]) -> None:
    """Say what is in a replay's file. This needs neither MuJoCo nor JAX.

    Args:
        file: A *.replay.
    """
    from .info import report

    report(file)


def doctor() -> None:
    """Say what can render here, and how to mend what cannot."""
    from .doctor import examine, report

    findings = examine()
    report(findings)
    raise SystemExit(0 if findings.usable else 1)


COMMANDS: dict[str, Callable[..., None]] = {
    command.__name__: command
    for command in (clip, gallery, timelapse, paint, figure, page, info, doctor)
}
for _command in COMMANDS.values():
    # tyro keeps line breaks in the description of an argument.
    _command.__doc__ = re.sub(r"\n {8}(?=\S)", " ", _command.__doc__ or "")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line.

    What its user can mend is one line on stderr and exit code 1; wrong usage is exit code 2. Any
    other error is raised, with a request to report it.
    """
    open_standard_files()
    output = Output(sys.stdout)
    with redirect_stderr(Output(sys.stderr)):
        with redirect_stdout(output):
            status = _run(sys.argv[1:] if arguments is None else list(arguments))
            output.flush()
        if output.error is not None:
            status = _status_without_output(status, output.error)
    if status is not None:
        raise SystemExit(status)


def _status_without_output(status: int | None, error: OSError) -> int | None:
    """Say that a command's output is lost, and return its exit status with that in mind."""
    if status is None:
        print(
            f"lerax-render: the files are made; what was printed is lost: {error}", file=sys.stderr
        )
        return None
    # The reader of a help text may have seen enough of it.
    if status != 0 or isinstance(error, BrokenPipeError):
        return status
    print(f"lerax-render: what was printed is lost: {error}", file=sys.stderr)
    return 1


def _run(arguments: list[str]) -> int | None:
    """Run a command, and return the exit status of one that does not make files or fails."""
    if arguments == ["--version"]:
        print(f"lerax-render {__version__}")
        return 0
    if complaint := _no_command(arguments) or _too_many(arguments):
        print(printable(f"lerax-render: {complaint}"), file=sys.stderr)
        return 2
    show_warnings_as_lines()
    try:
        with sigterm_as_ctrl_c():
            _obey(arguments)
    except SystemExit as exit:
        return exit.code if isinstance(exit.code, int) else 1
    except KeyboardInterrupt as interrupt:
        ended = signal.SIGTERM if isinstance(interrupt, Terminated) else signal.SIGINT
        print(f"lerax-render: ended by {ended.name}; nothing is half made", file=sys.stderr)
        return 128 + ended
    except Exception as error:
        if os.environ.get("LERAX_RENDER_TRACEBACK"):
            raise
        if not is_for_users(error):
            error.add_note(
                "This error was not foreseen. If it is not one of your environment or policy, "
                "please report it, with all of this text and what `lerax-render doctor` prints."
            )
            raise
        print(printable(f"lerax-render: {in_words(error)}"), file=sys.stderr)
        print("(LERAX_RENDER_TRACEBACK=1 shows where this came from)", file=sys.stderr)
        return 1
    return None


def _obey(arguments: list[str]) -> None:
    """Call the command that arguments name, or say what is wrong with them."""
    command = COMMANDS.get(arguments[0]) if arguments else None
    if command is not None:
        # Without the others, whose options take as long to make as its own.
        prog = f"lerax-render {arguments[0]}"
        tyro.cli(command, prog=prog, args=arguments[1:], config=(DisallowNone,))
        return
    tyro.extras.subcommand_cli_from_dict(
        COMMANDS,
        prog="lerax-render",
        description="Videos of Lerax environments and policies, without a display.",
        args=arguments,
        config=(DisallowNone,),
    )


def _no_command(arguments: Sequence[str]) -> str | None:
    """Say that there is no command of that name; `None` if there is, or if an option is first."""
    first = next(iter(arguments), "-")
    if first in COMMANDS or first.startswith("-"):
        return None
    close = difflib.get_close_matches(first, COMMANDS, n=1)
    meant = close[0] if close else "--help" if first == "help" else shlex.join(["clip", first])
    return (
        f"there is no command {shown(first)}: did you mean `lerax-render {meant}`? "
        f"The commands are {', '.join(COMMANDS)}"
    )


def _too_many(arguments: Sequence[str]) -> str | None:
    """Say that a command that takes one environment was given several; `None` where it was not."""
    command, *rest = arguments or [""]
    if command not in ("clip", "figure"):
        return None
    given = list(itertools.takewhile(lambda word: not word.startswith("-"), rest))
    if len(given) < 2:
        return None
    return (
        f"{command} takes one environment, model or replay, got {' and '.join(map(shown, given))}: "
        "run it for each, name the file to write with --output, or show a replay within another "
        "one's clip with --ghost"
    )


def default_name(env: str, format: str | None, *, several: bool = True) -> str:
    """Return the file that a clip of `env` goes to where none was named.

    Args:
        env: The environment's name.
        format: The format that was asked for.
        several: Whether PNGs are one for each frame.
    """
    if format == "png" and several:
        return f"{stem(env)}_%05d.png"
    return f"{stem(env)}.{format or 'mp4'}"
