"""Recordings of a training that nobody had the time to paint."""

import os
from collections.abc import Callable
from pathlib import Path

from .errors import RenderError
from .export import load_replays
from .making import film_recording, parts_of, view_over
from .runs import Recording, RunFolder, place_of
from .settings import from_written


def find_unpainted(run_dir: str | os.PathLike[str]) -> list[Recording]:
    """Return the recordings of a run that have a replay and no clip.

    Raises:
        ValueError: It is no run's folder.
    """
    run = RunFolder(run_dir)
    run.check_there()
    recordings = run.recordings()
    if not recordings:
        raise ValueError(
            f"no recordings in {str(run.path)!r}: expected are replays such as "
            "replays/step_000012288.replay, which lerax_log's LoggingCallback keeps of a run"
        )
    return [each for each in recordings if "replay" in each.files and "video" not in each.files]


def paint_run(
    run_dir: str | os.PathLike[str], progress: Callable[[], None] = lambda: None
) -> list[Path]:
    """Paint the recordings of a run that have no clip, as the training would have.

    Args:
        run_dir: The run's folder.
        progress: Called when another one is painted.

    Returns:
        The clips.

    Raises:
        ValueError: It is no run's folder.
        RenderError: As for `record`.
    """
    run, waiting = RunFolder(run_dir), find_unpainted(run_dir)
    if not waiting:
        return []
    try:
        settings = from_written(run.facts.clip)
    except (ValueError, TypeError) as error:
        raise RenderError(f"{run.path}: its clips' settings cannot be used: {error}") from error
    every = [each.files["replay"] for each in run.recordings() if "replay" in each.files]
    replays = {file: load_replays(file) for file in every}
    view = view_over(list(replays.values()), settings)
    painted = []
    for each in waiting:
        lanes = replays[each.files["replay"]]
        target = place_of(run.path, "video", each.step)
        scenes = [lane.scene for lane in lanes]
        film_recording(scenes, parts_of(lanes), each.step, settings, {"mp4": target}, before=view)
        painted.append(target)
        progress()
    return painted
