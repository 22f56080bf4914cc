"""A clip's own words: captions on its frames, and a card with its title before them."""

import bisect
import math
from collections.abc import Sequence

import numpy as np

from ..settings import shown
from .fonts import language_of
from .text import check_text, darken, text_mask, warn_of_missing, write
from .wrapping import block_mask, wrapped

# Of the picture: how high letters are, and how much of it the words may fill.
_CAPTION_HEIGHT, _TITLE_HEIGHT = 1 / 18, 1 / 9
_MOST_CAPTION, _MOST_TITLE = 0.45, 0.5
_MOST_WIDTH = 0.92
_LEAST_PIXELS = 11
_SUBTITLE = 0.6
_CARD_COLOUR = 28
# A card stays for two seconds, or as long as fifteen characters a second take; subtitles do so.
_SHORTEST, _LONGEST, _READ_A_SECOND = 2.0, 8.0, 15

type Timed = tuple[str, int, int | None]
"""A text, the first step it is shown at, and the one before which it ends."""


class Captions:
    """Writes captions at the lower edge of the frames of one clip.

    Args:
        captions: Those that are there together stand below one another.
        width: Of the frames in pixels.
        height: Of the frames in pixels.
        above: Pixels at the lower edge that stay free.

    Raises:
        ValueError: One is too long for the picture, or in a script that is not laid out.
    """

    def __init__(self, captions: Sequence[Timed], width: int, height: int, above: int = 0) -> None:
        for text, _, _ in captions:
            check_text("caption", text)
        edges = {edge for _, *ends in captions for edge in ends if edge is not None}
        self._begins = sorted(edges | {0})
        self._blocks: list[np.ndarray | None] = []
        for step in self._begins:
            texts = [
                text
                for text, start, stop in captions
                if start <= step and (stop is None or step < stop)
            ]
            block = None
            if texts:
                pixels = max(_LEAST_PIXELS, round(height * _CAPTION_HEIGHT))
                most = round(height * _MOST_CAPTION) - above
                block = _fitted("caption", texts, pixels, width, most)
            self._blocks.append(block)
        self._above = above

    def draw(self, frame: np.ndarray, step: int) -> np.ndarray:
        """Return a frame with the captions of a step on it: a copy, where there are some.

        Args:
            frame: `uint8 (H, W, C)`, R G B or B G R X.
            step: Of the rollout, from 0.
        """
        block = self._blocks[bisect.bisect_right(self._begins, step) - 1]
        if block is None:
            return frame
        frame = frame.copy()
        height, width = frame.shape[:2]
        padding = max(2, height // 160)
        bottom = height - self._above - max(2, height // 40)
        top = max(0, bottom - block.shape[0] - 2 * padding)
        left = max(0, (width - block.shape[1]) // 2 - 3 * padding)
        box = frame[top:bottom, left : width - left]
        darken(box)
        write(box[padding:, (box.shape[1] - block.shape[1]) // 2 :], block)
        return frame


class Card:
    """A frame with a title on it, light on dark.

    Args:
        title: Its first line is large, and what follows a line break smaller.
        width: In pixels.
        height: In pixels.

    Attributes:
        seconds: How long it stays.

    Raises:
        ValueError: The title is too long for the picture, or in a script that is not laid out.
    """

    def __init__(self, title: str, width: int, height: int) -> None:
        check_text("title", title)
        self.seconds = min(max(_SHORTEST, len(title) / _READ_A_SECOND), _LONGEST)
        pixels = max(_LEAST_PIXELS, round(height * _TITLE_HEIGHT))
        self._block = _fitted(
            "title",
            title.strip().split("\n"),
            pixels,
            width,
            round(height * _MOST_TITLE),
            _SUBTITLE,
        )
        self._size = (height, width)

    def frame(self, channels: int) -> np.ndarray:
        """Return the picture, `uint8 (H, W, channels)`."""
        card = np.full((*self._size, channels), _CARD_COLOUR, np.uint8)
        height, width = self._block.shape
        top, left = (self._size[0] - height) // 2, (self._size[1] - width) // 2
        card[..., 3:] = 255
        write(card[top:, left:], self._block)
        return card


def check_words(title: str | None, captions: Sequence[Timed], labels: Sequence[str]) -> None:
    """Issue one `RenderWarning` for all characters of a clip's words that no font here has."""
    warn_of_missing([*filter(None, [title]), *(text for text, _, _ in captions), *labels])


def _fitted(
    what: str, texts: Sequence[str], pixels: int, width: int, height: int, smaller: float = 1
) -> np.ndarray:
    """Return texts below one another, as large as they are asked for if they have room.

    Args:
        what: What they are, for the error.
        texts: The texts.
        pixels: Size of the font.
        width: Of the picture.
        height: That they may have.
        smaller: How large the second and all later ones are, against the first.

    Raises:
        ValueError: They have no room in the smallest letters that can be read.
    """
    language = language_of("".join(texts))
    most = math.floor(width * _MOST_WIDTH)
    for size in range(pixels, _LEAST_PIXELS - 1, -1):
        lines = []
        for number, text in enumerate(texts):
            own = size if number == 0 else max(_LEAST_PIXELS, round(size * smaller))

            def width_of(line: str, own: int = own) -> int:
                return int(text_mask(line, own, language).shape[1])

            lines += [(line, own) for line in wrapped(text, most, width_of)]
        block = block_mask(lines, language)
        if block.shape[0] <= height and block.shape[1] <= most:
            return block
    raise ValueError(
        f"the {what} {shown(' / '.join(texts))} has no room in a picture {width} pixels wide: "
        "shorten it, or choose a larger width and height"
    )
