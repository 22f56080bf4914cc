"""Several looks at the same steps in one picture: cameras, and what is measured, side by side."""

import dataclasses
import itertools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, override

import mujoco
import numpy as np

from ..painter import JoinedPainter, Painter
from ..settings import ALL_CAMERAS, ModalityName, Picture, nearly_square

# Of an inset in the corner, against the whole: a third as wide, and a margin of a fortieth.
_INSET, _MARGIN = 3, 40


class Look(NamedTuple):
    """A part of a picture with a camera of its own.

    Attributes:
        picture: What is seen there; its size is that of the part.
        left: Pixels from the whole picture's left edge.
        top: Pixels from its upper edge.
    """

    picture: Picture
    left: int = 0
    top: int = 0


def looks_of(model: mujoco.MjModel, picture: Picture) -> list[Look]:
    """Return the parts of a picture, row by row: each camera, once for each modality.

    Raises:
        ValueError: All of the model's cameras were asked for, and it has none; or the parts would
            be smaller than a pixel.
    """
    cameras = tuple(
        itertools.chain.from_iterable(_cameras(model, camera) for camera in picture.cameras)
    )
    wanted = list(itertools.product(cameras, picture.modality))
    count, (width, height) = len(wanted), picture.size
    if picture.inset and count > 1:
        margin = max(1, width // _MARGIN)
        small = max(1, width // _INSET), max(1, height // _INSET)
        places = [(0, 0, width, height)]
        for number in range(1, count):
            top = height - number * (small[1] + margin)
            places.append((width - small[0] - margin, max(0, top), *small))
    else:
        rows, columns = nearly_square(count)
        places = [
            _cell(number, columns, rows, width, height, last=count - 1) for number in range(count)
        ]
    if min(min(place[2:]) for place in places) < 1:
        raise ValueError(f"a picture of {width}x{height} pixels has no room for {count} cameras")
    return [
        Look(_single(picture, camera, modality, place[2:]), *place[:2])
        for (camera, modality), place in zip(wanted, places, strict=True)
    ]


def _cameras(model: mujoco.MjModel, camera: Any) -> Sequence[Any]:
    """Return one camera, or all that the model has, by name where they have one."""
    kind = mujoco.mjtObj.mjOBJ_CAMERA.value
    if camera != ALL_CAMERAS or mujoco.mj_name2id(model, kind, ALL_CAMERAS) >= 0:
        return (camera,)
    if not model.ncam:
        raise ValueError(f"camera={ALL_CAMERAS} is all of the model's cameras, and it has none")
    return [mujoco.mj_id2name(model, kind, number) or number for number in range(model.ncam)]


def _cell(
    number: int, columns: int, rows: int, width: int, height: int, *, last: int
) -> tuple[int, int, int, int]:
    """Return left, top, width and height of a cell; those of a row fill it."""
    row, column = divmod(number, columns)
    in_row = columns if row < rows - 1 else last - row * columns + 1
    left, right = (width * edge // in_row for edge in (column, column + 1))
    top, bottom = (height * edge // rows for edge in (row, row + 1))
    return left, top, right - left, bottom - top


def _single(
    picture: Picture, camera: Any, modality: ModalityName, size: tuple[int, int]
) -> Picture:
    return dataclasses.replace(
        picture,
        width=size[0],
        height=size[1],
        camera=camera,
        modality=(modality,),
        inset=False,
    )


class TiledPainter(JoinedPainter):
    """Paints each step once a look, from the same poses, into one picture.

    Args:
        painters: One for each look; they are closed with this one.
        looks: Where each lies.
        size: Width and height of the whole picture in pixels.
    """

    def __init__(
        self, painters: Sequence[Painter], looks: Sequence[Look], size: tuple[int, int]
    ) -> None:
        super().__init__(painters)
        self._looks = looks
        self._size = size

    @override
    def paint(self, captured: Any) -> Iterator[np.ndarray]:
        width, height = self._size
        for parts in zip(*(painter.paint(captured) for painter in self._painters), strict=True):
            frame = np.zeros((height, width, parts[0].shape[2]), np.uint8)
            for look, part in zip(self._looks, parts, strict=True):
                rows, columns = part.shape[:2]
                frame[look.top : look.top + rows, look.left : look.left + columns] = part
            yield frame

    @override
    def aim(self, view: Any) -> None:
        """Take a view for each look, `None` where its camera was given."""
        for painter, each in zip(self._painters, view, strict=True):
            if each is not None:
                painter.aim(each)
