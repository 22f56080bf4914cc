"""What of training runs is shown side by side or in turn, and where its frames come from."""

import contextlib
import dataclasses
import math
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np

from .making import Ghosts, ReplayReader, as_picture, frames_per_second, seen_alike
from .replay import Replay
from .runs import Recording, RunFolder
from .settings import Picture, Settings, check_room, from_written
from .video import VideoReader, check_fps


def find_recordings(run_dir: str | os.PathLike[str]) -> list[Recording]:
    """Return the recordings of a run, from the first training step to the last.

    Args:
        run_dir: The run's folder, with what `LoggingCallback` kept; or a folder of files such as
            `step_000012288.mp4` or `step_000012288.replay`.

    Raises:
        ValueError: There are none that can be shown, or no such folder.
    """
    run = RunFolder(run_dir)
    run.check_there()
    found = [each for each in run.recordings() if each.files.keys() & {"video", "replay"}]
    if not found:
        raise ValueError(
            f"no recordings in {str(run.path)!r}: expected are files such as "
            "videos/step_000012288.mp4, which lerax_log's LoggingCallback keeps of a run where its "
            "video_interval is above 0, or replays such as replays/step_000012288.replay"
        )
    return found


@dataclass(frozen=True)
class ShownRun:
    """A run that is shown.

    Attributes:
        name: The last part of its name.
        recordings: Of it, by training step.
        clip: How they were painted.
        fps: Frames a second of its clips, where that is known.
        says_step: Whether its clips have the training step on them.
    """

    name: str
    recordings: Sequence[Recording]
    clip: Settings
    fps: float | Fraction | None
    says_step: bool

    @classmethod
    def of(cls, run_dir: str | os.PathLike[str]) -> Self:
        """Return what is there of a run; see `find_recordings`."""
        found, facts = find_recordings(run_dir), RunFolder(run_dir).facts
        clip = from_written(facts.clip)
        return cls(Path(run_dir).resolve().name, found, clip, clip.fps, bool(clip.overlay))


@dataclass(frozen=True)
class Tile:
    """A recording in its place.

    Attributes:
        run: The run.
        recording: What is shown of it.
        label: What is written on it.
        rest: What of that is written where its clip says the training step.
    """

    run: ShownRun
    recording: Recording
    label: str
    rest: str = ""


def scenes_of(runs: Sequence[ShownRun], grid: tuple[int, int] | None) -> list[list[Tile]]:
    """Return what is shown side by side, one scene after the other.

    Raises:
        ValueError: There is no room for it.
    """
    if len(runs) == 1:
        (run,) = runs
        tiles = [Tile(run, each, each.label) for each in run.recordings]
        return [[tile] for tile in tiles] if grid is None else [_spread(tiles, math.prod(grid))]
    check_room(grid, len(runs), "runs side by side")
    moments = sorted({each.step for run in runs for each in run.recordings})
    scenes = []
    for moment in moments:
        latest = [
            max(
                (each for each in run.recordings if each.step <= moment),
                key=lambda each: each.step,
                default=run.recordings[0],
            )
            for run in runs
        ]
        scenes.append(
            [
                Tile(run, each, f"{run.name} · {each.step:,}", run.name)
                for run, each in zip(runs, latest, strict=True)
            ]
        )
    return scenes


def named(run_dirs: Sequence[str | os.PathLike[str]]) -> list[ShownRun]:
    """Return runs, those of one name, which lie in different folders, with numbers.

    Raises:
        ValueError: There are no recordings in one of them.
    """
    runs = [ShownRun.of(each) for each in run_dirs]
    names = [run.name for run in runs]
    if len(set(names)) == len(names):
        return runs
    return [
        dataclasses.replace(run, name=f"{number}: {run.name}") for number, run in enumerate(runs, 1)
    ]


class Frames(Protocol):
    """What is common to the readers of clips and of replays."""

    def read(self) -> np.ndarray | None:
        """Return the next frame, `None` after the last."""

    def __iter__(self) -> Iterator[np.ndarray]: ...


@dataclass(frozen=True)
class Source:
    """Where the frames of recordings come from.

    Attributes:
        size: Width and height in pixels, of the first one.
        fps: Frames a second, of the first one.
        open: Opens a recording for frames of a width and height.
        is_anew: Whether they are painted, so that nothing is written on them yet.
    """

    size: tuple[int, int]
    fps: Fraction
    open: Callable[[Tile, tuple[int, int]], contextlib.AbstractContextManager[Frames]]
    is_anew: bool

    def label(self, tile: Tile) -> str:
        """Return what is still to be written on a recording."""
        return tile.label if self.is_anew or not tile.run.says_step else tile.rest


def source_of(
    runs: Sequence[ShownRun],
    scenes: Sequence[Sequence[Tile]],
    look: Picture | None,
    ghosts: bool,
    limit: int | None,
) -> Source:
    """Return where the frames come from: clips, or replays that are painted.

    Args:
        runs: The runs.
        scenes: What is shown of them.
        look: As for `make_timelapse`.
        ghosts: Likewise.
        limit: Frames of each recording at most.

    Raises:
        ValueError: There is neither, or no replay of what is to be painted anew.
    """
    shown = [tile for scene in scenes for tile in scene]
    changes = {} if look is None else _changes(look)
    are_clips = all("video" in tile.recording.files for tile in shown)
    without = [tile.recording.step for tile in shown if "replay" not in tile.recording.files]
    asked = [*changes, *(["ghosts"] if ghosts else [])]
    if (are_clips or without) and not asked:
        return _of_clips(shown, limit)
    if without:
        raise ValueError(
            f"{', '.join(asked)}: this paints recordings anew, which needs their replays, and "
            f"there is none of training step {without[0]:,}"
        )
    return _of_replays(runs[0], shown, changes, ghosts, limit)


def _of_clips(shown: Sequence[Tile], limit: int | None) -> Source:
    missing = [tile.recording.step for tile in shown if "video" not in tile.recording.files]
    if missing:
        raise ValueError(
            f"there is neither a clip nor, of all, a replay: training step {missing[0]:,} has no "
            "clip; lerax-render paint makes those that replays are there of"
        )
    with VideoReader(shown[0].recording.files["video"]) as first:
        size, fps = (first.width, first.height), first.fps
    return Source(
        size,
        fps,
        lambda tile, fit: VideoReader(
            tile.recording.files["video"], fit=fit, fps=fps, max_frames=limit
        ),
        is_anew=False,
    )


def _of_replays(
    run: ShownRun,
    shown: Sequence[Tile],
    changes: dict[str, Any],
    ghosts: bool,
    limit: int | None,
) -> Source:
    replays: dict[Path, Replay] = {}
    for tile in shown:
        file = tile.recording.files["replay"]
        if file not in replays:
            loaded = Replay.load(file)
            # Of several lanes the first.
            replays[file] = loaded[0] if isinstance(loaded, list) else loaded
    seconds = {replay.seconds_per_step for replay in replays.values()}
    if len(seconds) > 1:
        raise ValueError(
            f"the replays have steps of different lengths, {sorted(s or 0 for s in seconds)} "
            "seconds: a time-lapse is of one environment"
        )
    if ghosts:
        replays = _haunted(shown, replays)
    picture = dataclasses.replace(as_picture(run.clip), **changes)
    views: dict[tuple[int, int], dict[Path, Any]] = {}

    def opened(tile: Tile, fit: tuple[int, int]) -> ReplayReader:
        sized, file = (
            dataclasses.replace(picture, width=fit[0], height=fit[1]),
            tile.recording.files["replay"],
        )
        if fit not in views:
            views[fit] = dict(zip(replays, seen_alike(list(replays.values()), sized), strict=True))
        return ReplayReader(replays[file], sized, views[fit][file], limit)

    fps = frames_per_second(seconds.pop()) if run.fps is None else check_fps(run.fps)
    return Source(picture.size, fps, opened, is_anew=True)


def _haunted(shown: Sequence[Tile], replays: dict[Path, Replay]) -> dict[Path, Replay]:
    """Return replays, each with the one before of its run in it."""
    found, before = {}, dict[str, Replay]()
    for tile in shown:
        file = tile.recording.files["replay"]
        if file not in found:
            ghost = before.get(tile.run.name)
            found[file] = Ghosts([] if ghost is None else [ghost]).in_replay(replays[file])
            before[tile.run.name] = replays[file]
    return found


def _changes(look: Picture) -> dict[str, Any]:
    """Return what is said of a picture, apart from its size."""
    return {
        field.name: getattr(look, field.name)
        for field in dataclasses.fields(Picture)
        if field.name not in ("width", "height") and getattr(look, field.name) != field.default
    }


def _spread(tiles: list[Tile], count: int) -> list[Tile]:
    """As many recordings as tiles, the first and the last among them, or all there are."""
    if count >= len(tiles):
        return tiles
    chosen = np.linspace(0, len(tiles) - 1, count).round().astype(int)
    return [tiles[i] for i in chosen.tolist()]
