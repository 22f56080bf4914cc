"""Replays of 2D environments for the page: draw commands as `drawn.js` takes them."""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..paint2d import Command, DrawList, Layout, Scene2D, pygame, render_text, to_rgb
from ..settings import Picture
from .blob import Blob

# The pictures of letters are larger than they are shown, so that they stay sharp on finer screens.
_FINER = 2.5
_LARGEST_FONT = 256
_WHITE = (255, 255, 255)
# What follows is outside of any picture.
_LONGEST_LINE = 2000
# Different letters on a page: more than any writing needs, too few to fill memory.
_MOST_LETTERS = 2**13
# Around each letter, so that smoothing takes in nothing of its neighbours.
_GAP = 4
# Width of all pictures of letters in pixels, and about their height at most: browsers have limits.
_SHEET = 8192


def identity(scene: Scene2D) -> Layout:
    """Say which scenes are one: those that are laid out alike."""
    return scene.layout


def pack_scene(blob: Blob, scene: Scene2D, picture: Picture) -> dict[str, Any]:
    """Describe what stays the same: the layout, which the script fits into its canvas.

    Returns:
        For JSON; lengths are in pixels, colours are 0 to 255.
    """
    layout = scene.layout
    return {
        "kind": "2d",
        "width": layout.width,
        "height": layout.height,
        "view": layout.own_numbers[0].tolist(),
        "yUp": layout.y_up,
        "background": to_rgb(np.array(layout.background)).tolist(),
        "zoom": layout.zoom,
        "corner": list(layout.corner),
        "clip": list(layout.inner),
    }


def pack_lane(
    blob: Blob,
    scene: Scene2D,
    packed_scene: dict[str, Any],
    captured: DrawList | np.ndarray,
    picture: Picture,
    view: None = None,
) -> dict[str, Any]:
    """Describe what is drawn in each step.

    Steps that differ in numbers and texts only have a layout in common, a list of commands. A step
    says which one it has, and its numbers are the next row of those of its layout.

    Returns:
        For JSON: `layouts`, `layoutOf` (T,), `texts`, and `letters`.
    """
    texts: dict[str, int] = {}
    layouts: dict[Any, _Layout] = {}
    places: dict[int, int] = {}
    layout_of: list[int] = []
    for drawn in [captured] if isinstance(captured, DrawList) else captured:
        said = [texts.setdefault(c.text, len(texts)) for c in drawn.commands if c.kind == "text"]
        commands = _counted(drawn.commands)
        layout = layouts.setdefault((commands, drawn.cleared), _Layout(commands, drawn.cleared))
        numbers = np.atleast_2d(np.asarray(drawn.numbers, np.float32))
        layout.numbers.append(numbers)
        layout.texts += [said] * len(numbers)
        place = places.setdefault(id(layout), len(places))
        layout_of += [place] * len(numbers)
    heights = np.zeros(len(texts))
    for layout in layouts.values():
        layout.note_heights(heights)
    heights *= scene.layout.fitted(*picture.size).zoom
    return {
        "layouts": [layout.packed(blob) for layout in layouts.values()],
        "layoutOf": blob.add(np.array(layout_of, np.uint32), over_time=True),
        **_pack_texts(blob, list(texts), heights),
    }


type _Commands = tuple[tuple[str, int, int], ...]
"""Kind, number of points, and how many of such commands follow one another."""


def _counted(commands: Sequence[Command]) -> _Commands:
    kinds = itertools.groupby(commands, key=lambda command: (command.kind, command.num_points))
    return tuple((*kind, sum(1 for _ in alike)) for kind, alike in kinds)


@dataclass
class _Layout:
    """What several steps draw.

    Attributes:
        commands: In order.
        cleared: Whether the picture is cleared first.
        numbers: float32 (t, n) each, which are the next steps'.
        texts: For each step, which texts it writes.
    """

    commands: _Commands
    cleared: bool
    numbers: list[np.ndarray] = field(default_factory=list)
    texts: list[list[int]] = field(default_factory=list)

    def note_heights(self, heights: np.ndarray) -> None:
        """Raise the heights (n,) of texts to the largest there are, in pixels of the layout's."""
        numbers, at, text = np.concatenate(self.numbers), 0, 0
        texts = np.array(self.texts, np.int64)
        for kind, points, count in self.commands:
            size = Command(kind, points).num_numbers  # type: ignore[arg-type]
            if kind == "text":
                own = numbers[:, at : at + count * size].reshape(-1, count, size)[..., 2]
                own = np.where(np.isfinite(own), own, 0)
                np.maximum.at(heights, texts[:, text : text + count], own)
                text += count
            at += count * size

    def packed(self, blob: Blob) -> dict[str, Any]:
        """Describe it: of a world of tiles, only what moves is there for each step."""
        numbers = np.concatenate(self.numbers)
        bits = numbers.view(np.uint32)
        moves = np.flatnonzero((bits != bits[0]).any(axis=0))
        texts = np.array(self.texts, np.uint32).reshape(len(self.texts), -1)
        return {
            "cleared": self.cleared,
            "commands": self.commands,
            "fixed": blob.add(numbers[0]),
            "moves": blob.add(moves.astype(np.uint32), over_time=True),
            "numbers": blob.add(numbers[:, moves], over_time=True),
            "texts": blob.add(texts, over_time=True),
        }


def _pack_texts(blob: Blob, texts: Sequence[str], heights: np.ndarray) -> dict[str, Any]:
    """Describe how texts look, as pictures of their letters.

    Browsers have fonts of their own, and a page that brings one along would need its licence.

    Args:
        blob: For the pictures.
        texts: All texts.
        heights: (n,), of their fonts, in pixels of the picture.

    Returns:
        `texts`: for each, its font's `height`, and where on its lines its letters stand, as
        (letter, x, y); `letters`: the larger font of their pictures, where in each is what stands
        there (`origins`), the pictures' `places` (x, y), `widths` and `tall`, their height, and all
        in rows.
    """
    if not texts:
        return {"texts": []}
    letters: dict[str, int] = {}
    fonts: dict[int, pygame.font.Font] = {}
    placed = []
    for text, height in zip(texts, heights.tolist(), strict=True):
        height = min(max(round(height), 1), _LARGEST_FONT)
        font = fonts.get(height) or fonts.setdefault(height, _font(height))
        places = [
            (letters.setdefault(letter, len(letters)), x, y)
            for letter, x, y in _letters_of(text, font)
            if letter in letters or len(letters) < _MOST_LETTERS
        ]
        placed.append({"height": height, "letters": places})
    fits = _SHEET / math.sqrt(max(1, len(letters)))
    height = round(min(max(fonts) * _FINER, _LARGEST_FONT, fits))
    font = _font(height)
    masks = [_mask(font, letter) for letter in letters]
    widths = [mask.shape[1] for mask in masks]
    tall = max((mask.shape[0] for mask in masks), default=1)
    corners = []
    left, top, right = _GAP, 0, _GAP
    for width in widths:
        if left + width > _SHEET:
            left, top = _GAP, top + tall + _GAP
        corners.append((left, top))
        left += width + _GAP
        right = max(right, left)
    sheet = np.zeros((top + tall, right), np.uint8)
    for mask, (left, top) in zip(masks, corners, strict=True):
        sheet[top : top + mask.shape[0], left : left + mask.shape[1]] = mask
    return {
        "texts": placed,
        "letters": {
            "height": height,
            "origins": [_origin(font, letter) for letter in letters],
            "places": corners,
            "widths": widths,
            "tall": tall,
            "opacity": blob.add(sheet),
        },
    }


def _font(height: int) -> pygame.font.Font:
    if not pygame.font.get_init():
        pygame.font.init()
    return pygame.font.Font(None, height)


def _letters_of(text: str, font: pygame.font.Font) -> Iterator[tuple[str, int, int]]:
    """Yield each letter that is shown, and where it stands from the text's upper left corner."""
    for number, line in enumerate(text.split("\n")):
        line = line[:_LONGEST_LINE]
        # Nothing is shown of a line that pygame refuses.
        if render_text(font, line, _WHITE).get_width() == 0:
            continue
        shown = "".join(c if c.isprintable() else " " for c in line)
        left = _origin(font, shown[0])[0]
        lowest = max(_origin(font, letter)[1] for letter in set(shown))
        for i, letter in enumerate(shown):
            if not letter.isspace():
                yield letter, left + font.size(shown[:i])[0], lowest + number * font.get_linesize()


def _origin(font: pygame.font.Font, letter: str) -> tuple[int, int]:
    """Where in a picture of one letter the line begins that it stands on, in pixels."""
    found = font.metrics(letter)
    left, _, _, top, _ = (found and found[0]) or (0, 0, 0, 0, 0)
    # The picture begins where the line does and is as high as the font, or larger as need be.
    return max(0, -left), max(font.get_ascent(), top)


def _mask(font: pygame.font.Font, letter: str) -> np.ndarray:
    """Return the opacity `uint8 (H, W)` of a letter."""
    picture = render_text(font, letter, _WHITE)
    width, height = picture.get_size()
    pixels = np.frombuffer(pygame.image.tobytes(picture, "RGBA"), np.uint8)
    return pixels.reshape(height, width, 4)[..., 3]
