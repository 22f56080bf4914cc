"""What a policy learned, in one clip: the recordings of a training run, one after the other."""

import contextlib
import itertools
import os
import re
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from .compose import Grid, text_mask, write_label
from .making import Ghosts, ReplayReader, frames_per_second, seen_alike
from .replay import Replay
from .settings import Picture
from .video import Video, VideoReader, check_fps, find_preset, is_shown, open_writer

_FILE = re.compile(r"step_(\d+)\.(?:mp4|replay)")
# A grid's own width, unless its clips are smaller: more than this no page shows.
_GRID_WIDTH = 1280
_LABEL_HEIGHT = 1 / 20
_LEAST_LABEL = 11


@dataclass(frozen=True)
class Recording:
    """A clip of a training run, or the replay that it can be painted from.

    Attributes:
        path: Its file.
        step: The training step that it was made at.
    """

    path: Path
    step: int

    @property
    def label(self) -> str:
        """What is written on it."""
        return f"training step {self.step:,}"


def find_recordings(
    run_dir: str | os.PathLike[str], *, replays_first: bool = False
) -> list[Recording]:
    """Return the recordings of a run, from the first training step to the last.

    Args:
        run_dir: The run's folder, with the clips that `LoggingCallback` kept, or with replays, in
            `videos/`; or a folder of such files. Replays count where there are no clips.
        replays_first: Whether clips count where there are no replays instead.

    Raises:
        ValueError: There are none.
    """
    folder = Path(run_dir)
    patterns = ["step_*.mp4", "step_*.replay"]
    if replays_first:
        patterns.reverse()
    for pattern, place in itertools.product(patterns, (folder / "videos", folder)):
        found = [
            Recording(path, int(match[1]))
            for path in place.glob(pattern)
            if (match := _FILE.fullmatch(path.name))
        ]
        if found:
            return sorted(found, key=lambda recording: recording.step)
    raise ValueError(
        f"no recordings in {str(folder)!r}: expected are files such as videos/step_000012288.mp4, "
        "which lerax_log's LoggingCallback keeps of a run where its video_interval is above 0, or "
        "replays such as step_000012288.replay"
    )


def make_timelapse(
    run_dir: str | os.PathLike[str],
    path: str | os.PathLike[str] | None = None,
    *,
    grid: tuple[int, int] | None = None,
    frames: int | None = None,
    fps: float | Fraction | None = None,
    width: int | None = None,
    height: int | None = None,
    format: str | None = None,
    preset: str | None = None,
    max_size: int | None = None,
    ghosts: bool = False,
    progress: Callable[[], None] | None = None,
) -> Video:
    """Join the recordings of a training run, with the training step written on each.

    Replays are painted, all from one direction and distance.

    Args:
        run_dir: As for `find_recordings`.
        path: Where the clip goes; `None` keeps it in memory.
        grid: Rows and columns: instead of one after the other, as many recordings side by side,
            spread evenly over the training; the last frame of those that are over stays.
        frames: Of each recording at most; all where `None`.
        fps: Frames a second; the first recording's own where `None`. Recordings of other rates
            keep their own pace.
        width: In pixels; where `None` the preset's, or the recordings' own, and at most 1280 for a
            grid.
        height: In pixels; in proportion to the width where `None`.
        format: As for `record`.
        preset: As for `record`, but that the height is in proportion.
        max_size: As for `record`.
        ghosts: Whether each shows the one before, too, translucent. That takes replays.
        progress: Called when another recording is done.

    Returns:
        The clip.

    Raises:
        ValueError: There are no recordings, or fewer than tiles; or an option is out of range or
            contradicts the preset; or there are ghosts of clips.
        EncodeError: A recording cannot be read, or the clip not be written.
        BackendUnavailableError: There is no ffmpeg.
    """
    chosen = find_preset(preset)
    recordings = find_recordings(run_dir, replays_first=ghosts)
    if frames is not None and frames < 1:
        raise ValueError(f"frames must be at least 1, got {frames}")
    if grid is not None:
        recordings = _spread(recordings, grid)
    source = _source_of(recordings, frames, ghosts)
    (own_width, own_height), own_fps = source.size, source.fps
    if grid is not None:
        own_width, own_height = _grid_size(grid, own_width, own_height)
    if width is None and height is None and chosen is not None:
        width = chosen.width
    if width is None:
        width = own_width if height is None else round(own_width * height / own_height)
    if height is None:
        height = round(own_height * width / own_width)
    pictures = (
        _in_turn(recordings, source, width, height, progress)
        if grid is None
        else _side_by_side(recordings, source, grid, width, height, progress)
    )
    rate = check_fps(own_fps if fps is None else fps)
    shown_rate = min(rate, Fraction(chosen.max_fps)) if chosen else rate
    writer = open_writer(
        chosen,
        path,
        shown_rate,
        format=format,
        width=width,
        height=height,
        pixel_format="rgb24",
        max_size=max_size,
    )
    with writer, contextlib.closing(pictures):
        for number, picture in enumerate(pictures):
            if is_shown(number, shown_rate / rate):
                writer.write(picture)
    return writer.video


type _Progress = Callable[[], None] | None


class _Frames(Protocol):
    """What is common to the readers of clips and of replays."""

    def read(self) -> np.ndarray | None: ...

    def __iter__(self) -> Iterator[np.ndarray]: ...


@dataclass(frozen=True)
class _Source:
    """Where the frames of recordings come from.

    Attributes:
        size: Width and height in pixels, of the first one.
        fps: Frames a second, of the first one.
        open: Opens a recording for frames of a width and height.
    """

    size: tuple[int, int]
    fps: Fraction
    open: Callable[[Recording, tuple[int, int]], contextlib.AbstractContextManager[_Frames]]


def _source_of(recordings: Sequence[Recording], limit: int | None, ghosts: bool) -> _Source:
    if recordings[0].path.suffix != ".replay":
        if ghosts:
            raise ValueError(
                f"a ghost is a replay, and {recordings[0].path.name} is a clip: leave ghosts away, "
                "or take a run that has kept replays"
            )
        with VideoReader(recordings[0].path) as first:
            size, fps = (first.width, first.height), first.fps
        return _Source(
            size,
            fps,
            lambda recording, fit: VideoReader(recording.path, fit=fit, fps=fps, max_frames=limit),
        )
    replays = []
    for recording in recordings:
        loaded = Replay.load(recording.path)
        # Of several lanes the first.
        replays.append(loaded[0] if isinstance(loaded, list) else loaded)
    seconds = {replay.seconds_per_step for replay in replays}
    if len(seconds) > 1:
        raise ValueError(
            f"the replays have steps of different lengths, {sorted(s or 0 for s in seconds)} "
            "seconds: a time-lapse is of one environment"
        )
    if ghosts:
        pairs = itertools.pairwise(replays)
        replays[1:] = [Ghosts([before]).in_replay(replay) for before, replay in pairs]
    views: dict[tuple[int, int], list[Any]] = {}

    def opened(recording: Recording, fit: tuple[int, int]) -> ReplayReader:
        picture, number = Picture(width=fit[0], height=fit[1]), recordings.index(recording)
        if fit not in views:
            views[fit] = seen_alike(replays, picture)
        return ReplayReader(replays[number], picture, views[fit][number], limit)

    return _Source(Picture().size, frames_per_second(seconds.pop()), opened)


def _in_turn(
    recordings: Sequence[Recording],
    source: _Source,
    width: int,
    height: int,
    progress: _Progress,
) -> Generator[np.ndarray]:
    for recording in recordings:
        label = text_mask(recording.label, max(_LEAST_LABEL, round(height * _LABEL_HEIGHT)))
        with source.open(recording, (width, height)) as reader:
            for frame in reader:
                write_label(frame, label)
                yield frame
        if progress is not None:
            progress()


def _side_by_side(
    recordings: Sequence[Recording],
    source: _Source,
    shape: tuple[int, int],
    width: int,
    height: int,
    progress: _Progress,
) -> Generator[np.ndarray]:
    grid = Grid(shape, width, height, [recording.label for recording in recordings])
    picture = grid.empty(3)
    fit = grid.tile_width, grid.tile_height
    with contextlib.ExitStack() as stack:
        running = {
            number: stack.enter_context(source.open(recording, fit))
            for number, recording in enumerate(recordings)
        }
        while True:
            for number, reader in list(running.items()):
                frame = reader.read()
                if frame is not None:
                    grid.place(picture, number, frame)
                    continue
                del running[number]
                if progress is not None:
                    progress()
            if not running:
                return
            yield picture


def _spread(recordings: list[Recording], grid: tuple[int, int]) -> list[Recording]:
    """As many recordings as tiles, the first and the last among them."""
    tiles = grid[0] * grid[1]
    if tiles > len(recordings):
        raise ValueError(
            f"a grid of {grid[0]}x{grid[1]} needs {tiles} recordings, and there are "
            f"{len(recordings)}"
        )
    chosen = np.linspace(0, len(recordings) - 1, tiles).round().astype(int)
    return [recordings[i] for i in chosen.tolist()]


def _grid_size(grid: tuple[int, int], width: int, height: int) -> tuple[int, int]:
    rows, columns = grid
    tile_width = min(width, _GRID_WIDTH // columns)
    return columns * tile_width, rows * round(tile_width * height / width)
