"""The commands for what a training leaves behind: its run's folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from rich.filesize import decimal
from tyro.conf import Positional, arg

from ..settings import Picture, Settings, settings_of
from .options import OUTPUT, PLAIN, given, options_of
from .process import shows

_RUN_DIRS = arg(metavar="RUN_DIR ...", help_behavior_hint="")

_TIMELAPSE = ("grid", "fps", "preset", "max_size", *settings_of(Picture))
_AS_RECORDED = dict.fromkeys(("fps", "width", "height"), "the recordings'")


def timelapse(
    run_dirs: Annotated[Positional[tuple[Path, ...]], _RUN_DIRS],
    settings: Annotated[
        Any, arg(name="", constructor_factory=options_of(Settings, _TIMELAPSE, _AS_RECORDED))
    ],
    output: Annotated[Path, OUTPUT],
    frames: Annotated[int | None, PLAIN] = None,
    ghosts: Annotated[bool, PLAIN] = False,
) -> None:
    """Join the recordings of training runs into one clip, with the training step written on each.

    They play one after the other or, with a grid, side by side: then as many as there are tiles,
    spread evenly over the training. Several runs play side by side, by training step. With options
    of the picture, such as --camera, the recordings are painted anew.

    Args:
        run_dirs: Folders of runs, with videos/ and replays/ in them; folders with such folders in
            them; or folders of step_*.mp4 or step_*.replay files.
        settings: Those of a clip that this has, too.
        output: File to write; its suffix chooses the format.
        frames: Number of frames of each clip at most (default: all).
        ghosts: Show the recording before, translucent, behind each one.
    """
    wanted = Settings(**given(settings, Settings))
    if not run_dirs:
        raise ValueError("timelapse needs the folder of a run, such as logs/RUN")
    from ..making import as_picture
    from ..timelapse import count_recordings, make_timelapse
    from .progress import progress_bar

    run_dirs = _recorded(run_dirs)
    count, shown = count_recordings(run_dirs, wanted.grid)
    with progress_bar(f"{run_dirs[0]} → {output}", shown) as advance:
        video = make_timelapse(
            run_dirs,
            output,
            frames=frames,
            ghosts=ghosts,
            progress=lambda: advance(1),
            look=as_picture(wanted),
            **{
                name: getattr(wanted, name)
                for name in ("grid", "fps", "width", "height", "preset", "max_size")
            },
        )
    print(
        f"{output}: {decimal(video.num_bytes)}, {min(shown, count)} of {count} recordings, "
        f"{shows(video)}"
    )


def paint(run_dirs: Annotated[Positional[tuple[Path, ...]], _RUN_DIRS]) -> None:
    """Paint the recordings that a training had no time to paint, into the videos/ of its run.

    Args:
        run_dirs: Folders of runs, with replays/ in them, or folders with such folders in them.
    """
    if not run_dirs:
        raise ValueError("paint needs the folder of a run, such as logs/RUN")
    from ..repainting import find_unpainted, paint_run
    from .progress import progress_bar

    counts = {run_dir: len(find_unpainted(run_dir)) for run_dir in _recorded(run_dirs)}
    for run_dir, count in counts.items():
        with progress_bar(f"{run_dir}", count) as advance:
            painted = paint_run(run_dir, lambda advance=advance: advance(1))  # type: ignore[misc]
        print(f"{run_dir}: {len(painted)} clip{'s' * (len(painted) != 1)} painted")


def page(
    run_dirs: Annotated[Positional[tuple[Path, ...]], _RUN_DIRS],
    share: Annotated[Path | None, arg(metavar="FILE.html", help_behavior_hint="")] = None,
) -> None:
    """Make a web page of training runs: curves, recordings to look around in, hyperparameters.

    It is index.html in the folder of the run, or of several runs in the folder that holds them all,
    and opens in any browser. While a training logs to a PageBackend, the page grows by itself, and
    the page of a folder also gets the runs that begin there. Call this again to update any other.

    Args:
        run_dirs: Folders of runs, or folders with such folders in them.
        share: Make a single file with the curves and the newest recordings instead.
    """
    if not run_dirs:
        raise ValueError("page needs the folder of a run, such as logs/RUN")
    if share is not None and share.suffix != ".html":
        raise ValueError(
            f"--share makes a page: name a file that ends in .html, not {str(share)!r}"
        )
    from ..runpage import (
        aside,
        check_writable,
        find_runs,
        make_run_page,
        place_page,
        share_run_page,
    )
    from ..video import write_whole

    runs = find_runs(run_dirs)
    count = f"{len(runs)} run{'s' * (len(runs) != 1)}"
    if share is None:
        target = place_page(run_dirs)
        check_writable([*runs, target.parent])
        _update(runs, target)
        # A folder stands for the runs that will be in it, too.
        make_run_page(runs, target, grows=len(run_dirs) == 1 and target.parent not in runs)
        print(f"{target}: {count}")
        return
    with aside(runs) as copies:
        _update(copies, share)
        text, players = share_run_page(copies)
    write_whole(share, text)
    size = decimal(share.stat().st_size)
    print(f"{share}: {size}, {count}, {players} recording{'s' * (players != 1)} to look at")


def _update(runs: Sequence[Path], target: Path) -> None:
    """Bring what pages have of runs up to date."""
    from ..errors import RenderError, warn
    from ..runpage import make_moment, moments_without, update
    from .progress import progress_bar

    waiting = [(data, each) for data in map(update, runs) for each in moments_without(data.run)]
    with progress_bar(str(target), len(waiting)) as advance:
        for data, each in waiting:
            try:
                make_moment(data.run, each)
            except RenderError as error:
                warn(f"{data.run.path.name}, {each.label} cannot be played: {error}")
            data.write()
            advance(1)


def _recorded(folders: Sequence[Path]) -> tuple[Path, ...]:
    """Return the folders with recordings; a folder of runs stands for the runs in it with some.

    Each comes once. A run without any is left out, such as that of all lanes of a training, which a
    shell's wildcard names with the others. If nothing remains, the folders are returned as they
    are, to be refused.
    """
    from ..errors import warn
    from ..runs import RUN, RunFolder

    kept: list[Path] = []
    without: list[Path] = []
    for folder in folders:
        if RunFolder(folder).recordings():
            kept.append(folder)
        elif (folder / RUN).is_file():
            without.append(folder)
        else:
            below = [file.parent for file in sorted(folder.glob(f"*/**/{RUN}"))]
            kept += [run for run in below if RunFolder(run).recordings()] or [folder]
    if kept:
        for folder in without:
            warn(f"{folder} is left out: there are no recordings in it")
    return tuple(dict.fromkeys(kept or folders))
