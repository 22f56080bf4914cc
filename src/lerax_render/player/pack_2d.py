"""Replays of 2D environments for the page: draw commands as `drawn.js` takes them."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..paint2d import Command, DrawList, Scene2D, pygame, render_text, to_rgb
from ..settings import Picture
from .blob import Blob

# The pictures of letters are larger than they are shown, so that they stay sharp on finer screens.
_FINER = 2.5
_SMALLEST_FONT, _LARGEST_FONT = 16, 256
# What follows is outside of any picture.
_LONGEST_LINE = 2000
# Around each letter, so that smoothing takes in nothing of its neighbours.
_GAP = 4


def pack_scene(blob: Blob, scene: Scene2D, picture: Picture, view: None) -> dict[str, Any]:
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
    blob: Blob, scene: Scene2D, captured: DrawList | np.ndarray, picture: Picture
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
    shown_at = scene.layout.fitted(*picture.size).zoom
    largest = max((layout.largest_text for layout in layouts.values()), default=0.0)
    return {
        "layouts": [layout.packed(blob) for layout in layouts.values()],
        "layoutOf": blob.add(np.array(layout_of, np.uint32), over_time=True),
        **_pack_texts(blob, list(texts), largest * shown_at),
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

    @property
    def largest_text(self) -> float:
        """The largest height of a text that is a number, in pixels of the layout's own size."""
        numbers, largest, at = np.concatenate(self.numbers), 0.0, 0
        for kind, points, count in self.commands:
            size = Command(kind, points).num_numbers  # type: ignore[arg-type]
            if kind == "text":
                heights = numbers[:, at : at + count * size].reshape(-1, size)[:, 2]
                largest = max(largest, *heights[np.isfinite(heights)].tolist())
            at += count * size
        return largest

    def packed(self, blob: Blob) -> dict[str, Any]:
        texts = np.array(self.texts, np.uint32).reshape(len(self.texts), -1)
        return {
            "cleared": self.cleared,
            "commands": self.commands,
            "numbers": blob.add(np.concatenate(self.numbers), over_time=True),
            "texts": blob.add(texts, over_time=True),
        }


def _pack_texts(blob: Blob, texts: Sequence[str], height: float) -> dict[str, Any]:
    """Describe how texts look, as pictures of their letters.

    Browsers have fonts of their own, and a page that brings one along would need its licence.

    Args:
        blob: For the pictures.
        texts: All texts.
        height: Of the largest font in which the picture shows one, in pixels.

    Returns:
        `texts`: for each, where its letters stand, as (letter, x, y) in pixels of `letters.font`;
        `letters`: their font's height, the pictures' widths and places, and all side by side.
    """
    if not texts:
        return {"texts": []}
    font_height = round(min(max(height * _FINER, _SMALLEST_FONT), _LARGEST_FONT))
    if not pygame.font.get_init():
        pygame.font.init()
    font = pygame.font.Font(None, font_height)
    letters: dict[str, int] = {}
    placed = []
    for text in texts:
        places: list[tuple[int, int, int]] = []
        for number, line in enumerate(text.split("\n")):
            line = line[:_LONGEST_LINE]
            # Nothing is shown of a line that pygame refuses.
            if render_text(font, line, (255, 255, 255)).get_width() == 0:
                continue
            shown = "".join(c if c.isprintable() else " " for c in line)
            for i, letter in enumerate(shown):
                if not letter.isspace():
                    place = letters.setdefault(letter, len(letters))
                    places.append((place, font.size(shown[:i])[0], number * font.get_linesize()))
        placed.append(places)
    masks = [_mask(font, letter) for letter in letters]
    widths = [mask.shape[1] for mask in masks]
    sheet = np.zeros(
        (max((mask.shape[0] for mask in masks), default=1), sum(widths) + _GAP * (len(masks) + 1)),
        np.uint8,
    )
    at = _GAP
    lefts = []
    for mask in masks:
        sheet[: mask.shape[0], at : at + mask.shape[1]] = mask
        lefts.append(at)
        at += mask.shape[1] + _GAP
    return {
        "texts": placed,
        "letters": {
            "font": font_height,
            "lefts": lefts,
            "widths": widths,
            "opacity": blob.add(sheet),
        },
    }


def _mask(font: pygame.font.Font, letter: str) -> np.ndarray:
    """Return the opacity `uint8 (H, W)` of a letter."""
    picture = render_text(font, letter, (255, 255, 255))
    width, height = picture.get_size()
    pixels = np.frombuffer(pygame.image.tobytes(picture, "RGBA"), np.uint8)
    return pixels.reshape(height, width, 4)[..., 3]
