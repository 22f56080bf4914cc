"""Text in pixels."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

# Light text on a dark veil can be read on any picture, and the picture can still be seen behind it.
# On white, this leaves a contrast of 8.6 to 1.
_VEIL = 0.7


def darken(area: np.ndarray) -> None:
    """Put a dark veil on `uint8 (H, W, 3)`, in place."""
    area[:] = area * (1 - _VEIL)


def write(area: np.ndarray, mask: np.ndarray, colour: Sequence[int] = (255, 255, 255)) -> None:
    """Write a line of text into the upper left corner of `uint8 (H, W, 3)`, in place.

    What does not fit in is cut off. Likewise for any other mask.
    """
    area = area[: mask.shape[0], : mask.shape[1]]
    mask = mask[: area.shape[0], : area.shape[1], None]
    area[:] = area + (np.array(colour, np.float32) - area) * mask


@lru_cache(maxsize=512)
def text_mask(text: str, pixels: int) -> np.ndarray:
    """Return a line of text as coverage, `float32 (h, w)` in 0..1; `h` depends on `pixels` alone.

    Args:
        text: The line.
        pixels: The font's size.
    """
    # From single characters: numbers change with every frame, and to open the font, which cannot be
    # kept (see `_glyph`), takes longer than to paint a whole frame.
    return np.hstack([_glyph(character, pixels) for character in text or " "])


@lru_cache(maxsize=1024)
def _glyph(character: str, pixels: int) -> np.ndarray:
    # Here and not above: most clips have no text on them.
    from ..paint2d import pygame, render_text

    # Only the picture is kept: using a font after the program's next `pygame.quit()` is a crash.
    if not pygame.font.get_init():
        pygame.font.init()
    font = pygame.font.Font(None, round(pixels * 1.4))
    surface = render_text(font, character, (255, 255, 255))
    mask = pygame.surfarray.array_alpha(surface).T.astype(np.float32) / 255.0
    # Each picture is as high as its letter: "g" reaches below the height that the font claims, and
    # "Ä" above, which moves all of it down.
    headroom = max(1, pixels // 7)
    metrics = font.metrics(character if character.isprintable() else " ")[0]
    rise = max(0, metrics[3] - font.get_ascent()) if metrics else 0
    mask = mask[max(0, rise - headroom) :]
    top = max(0, headroom - rise)
    glyph = np.zeros((headroom + font.get_linesize(), mask.shape[1]), np.float32)
    glyph[top : top + len(mask)] = mask[: len(glyph) - top]
    return glyph
