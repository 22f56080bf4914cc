"""What a policy learned, in one clip: the recordings of training runs, as the training went."""

import contextlib
import math
import os
from collections.abc import Callable, Generator, Sequence
from fractions import Fraction

import numpy as np

from .compose import Grid, text_mask, write_label
from .moments import Source, Tile, named, scenes_of, source_of
from .settings import Picture, nearly_square
from .video import Video, check_fps, find_preset, is_shown, open_writer

# A grid's own width, unless its clips are smaller: more than this no page shows.
_GRID_WIDTH = 1280
_LABEL_HEIGHT = 1 / 20
_LEAST_LABEL = 11


def make_timelapse(
    run_dirs: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    path: str | os.PathLike[str] | None = None,
    *,
    grid: tuple[int, int] | None = None,
    frames: int | None = None,
    fps: float | Fraction | None = None,
    width: int | None = None,
    height: int | None = None,
    look: Picture | None = None,
    ghosts: bool = False,
    format: str | None = None,
    preset: str | None = None,
    max_size: int | None = None,
    progress: Callable[[], None] | None = None,
) -> Video:
    """Join the recordings of training runs, with the training step written on each.

    The clips that a run has are taken as they are. Where something is said of the picture, or where
    there are replays that were not painted, all are painted anew, from one direction and distance.

    Several runs are side by side: each shows, at every training step that one of them was recorded
    at, its own latest recording by then.

    Args:
        run_dirs: As for `find_recordings`; one, or several.
        path: Where the clip goes; `None` keeps it in memory.
        grid: Rows and columns. Of one run, instead of one after the other, as many recordings side
            by side, spread evenly over the training; the last frame of those that are over stays.
            Tiles that nothing is left for are empty.
        frames: Of each recording at most; all where `None`.
        fps: Frames a second; the first recording's own where `None`. Recordings of other rates
            keep their own pace.
        width: In pixels; where `None` the preset's, or the recordings' own, and at most 1280 for a
            grid.
        height: In pixels; in proportion to the width where `None`.
        look: What the pictures look like, apart from their size; what it leaves open is as in the
            run's own clips.
        ghosts: Whether each shows the one before of its run, too, translucent. That takes replays.
        format: As for `record`.
        preset: As for `record`, but that the height is in proportion.
        max_size: As for `record`.
        progress: Called when another recording is done.

    Returns:
        The clip.

    Raises:
        ValueError: There are no recordings, or no replays of what is to be painted anew; the grid
            has no room for the runs; or an option is out of range or contradicts the preset.
        EncodeError: A recording cannot be read, or the clip not be written.
        BackendUnavailableError: There is no ffmpeg.
    """
    chosen = find_preset(preset)
    folders = [run_dirs] if isinstance(run_dirs, str | os.PathLike) else run_dirs
    runs = named(folders)
    if frames is not None and frames < 1:
        raise ValueError(f"frames must be at least 1, got {frames}")
    scenes = scenes_of(runs, grid)
    shape = grid if len(runs) == 1 else grid or nearly_square(len(runs))
    source = source_of(runs, scenes, look, ghosts, frames)
    (own_width, own_height), own_fps = source.size, source.fps
    if shape is not None:
        own_width, own_height = _grid_size(shape, own_width, own_height)
    if width is None and height is None and chosen is not None:
        width = chosen.width
    if width is None:
        width = own_width if height is None else round(own_width * height / own_height)
    if height is None:
        height = round(own_height * width / own_width)
    pictures = (
        _in_turn(scenes, source, width, height, progress)
        if shape is None
        else _side_by_side(scenes, source, shape, width, height, progress)
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


def count_recordings(
    run_dirs: Sequence[str | os.PathLike[str]], grid: tuple[int, int] | None
) -> tuple[int, int]:
    """Return how many recordings there are, and how many a time-lapse shows.

    Raises:
        ValueError: As for `make_timelapse`.
    """
    runs = named(run_dirs)
    return sum(len(run.recordings) for run in runs), sum(map(len, scenes_of(runs, grid)))


type _Progress = Callable[[], None] | None


def _in_turn(
    scenes: Sequence[Sequence[Tile]],
    source: Source,
    width: int,
    height: int,
    progress: _Progress,
) -> Generator[np.ndarray]:
    for (tile,) in scenes:
        text = source.label(tile)
        label = text_mask(text, max(_LEAST_LABEL, round(height * _LABEL_HEIGHT))) if text else None
        with source.open(tile, (width, height)) as reader:
            for frame in reader:
                if label is not None:
                    write_label(frame, label)
                yield frame
        if progress is not None:
            progress()


def _side_by_side(
    scenes: Sequence[Sequence[Tile]],
    source: Source,
    shape: tuple[int, int],
    width: int,
    height: int,
    progress: _Progress,
) -> Generator[np.ndarray]:
    for scene in scenes:
        labels = [source.label(tile) for tile in scene] + [""] * (math.prod(shape) - len(scene))
        grid = Grid(shape, width, height, labels if any(labels) else ())
        picture = grid.empty(3)
        fit = grid.tile_width, grid.tile_height
        with contextlib.ExitStack() as stack:
            running = {
                number: stack.enter_context(source.open(tile, fit))
                for number, tile in enumerate(scene)
            }
            while running:
                for number, reader in list(running.items()):
                    frame = reader.read()
                    if frame is None:
                        del running[number]
                        if progress is not None:
                            progress()
                    else:
                        grid.place(picture, number, frame)
                if running:
                    yield picture


def _grid_size(grid: tuple[int, int], width: int, height: int) -> tuple[int, int]:
    rows, columns = grid
    tile_width = min(width, _GRID_WIDTH // columns)
    return columns * tile_width, rows * round(tile_width * height / width)
