"""What was measured, as numbers instead of colours: depth in metres, and which thing is where."""

import contextlib
import dataclasses
import json
from collections.abc import Generator
from pathlib import Path

import numpy as np

from ..export import ArraysWriter
from ..replay import Replay
from ..settings import ModalityName, Picture
from ..video import numbered, png_of
from .filming import seen_alike

_DEEPEST = 65_535
_MILLIMETRES = 1000


def make_npz(file: Path, replay: Replay, picture: Picture) -> None:
    """Write colours, depth and segmentation as arrays, of which none is in memory as a whole."""
    with ArraysWriter(file) as writer:
        for modality in picture.modality:
            with contextlib.closing(_measured(replay, picture, modality)) as frames:
                writer.stream(modality, replay.steps, frames)
        if replay.seconds_per_step is not None:
            writer.add("time", np.arange(replay.steps) * replay.seconds_per_step)
        if "segmentation" in picture.modality:
            things = replay.scene.things()
            writer.add("object_id", np.array(things.ids, np.int32))
            writer.add("object_type", np.array(things.types, np.int32))
            writer.add("object_name", np.array(things.names))


def make_png16(pattern: Path, replay: Replay, picture: Picture) -> None:
    """Write depth in millimetres, or segmentation, as grey PNGs of 16 bits."""
    (modality,) = picture.modality
    if modality == "depth":
        said = {"unit": "millimetre", "nothing": "0"}
    else:
        things = replay.scene.things()
        said = {"objects": json.dumps(things.names)}
        if len(things.names) > _DEEPEST:
            raise ValueError(
                f"the model has {len(things.names)} things, more than 16 bits can number: take "
                "format='npz'"
            )
    with contextlib.closing(_measured(replay, picture, modality)) as frames:
        for number, frame in enumerate(frames):
            if modality == "depth":
                with np.errstate(invalid="ignore"):
                    frame = np.rint(frame * _MILLIMETRES)
                frame = np.where(frame <= _DEEPEST, frame, 0)
            numbered(pattern, number).write_bytes(png_of(frame.astype(np.uint16), said))


def _measured(replay: Replay, picture: Picture, modality: ModalityName) -> Generator[np.ndarray]:
    picture = dataclasses.replace(picture, modality=(modality,))
    scene = replay.scene
    (view,) = seen_alike([replay], picture)
    opened = scene.painter(picture) if modality == "color" else scene.measuring(picture)
    with opened as painter:
        if view is not None:
            painter.aim(view)
        yield from painter.paint(replay.captured)
