"""Reading text back from pixels, by comparing them with the font's own letters."""

import string
from functools import cache

import numpy as np
import pygame
import pygame.font

_LETTERS = string.ascii_lowercase + string.digits + " .,-"
_MOST_HEADROOM = 6


def read_line(area: np.ndarray, pixels: int) -> str:
    """Read white text on a uniform, darker ground.

    Args:
        area: `uint8 (H, W, 3)`: one line of text, which begins at the left edge and at most a few
            pixels below the upper one.
        pixels: The size of the font, as `overlay.text_mask` takes it.
    """
    brightness = area.astype(np.float64).mean(axis=2)
    ground = np.median(brightness)
    ink = np.clip((brightness - ground) / (255 - ground), 0, 1)
    readings = [_read(ink[top:], _letters(pixels)) for top in range(_MOST_HEADROOM)]
    return min(readings)[1]


def _read(ink: np.ndarray, letters: dict[str, np.ndarray]) -> tuple[float, str]:
    """The text that explains all ink with the least error: up to each column, and then on."""
    height, width = letters[" "].shape[0], ink.shape[1]
    ink = np.pad(ink, ((0, max(0, height - len(ink))), (0, 0)))[:height]
    least = np.full(width + 1, np.inf)
    least[0] = 0.0
    texts = [""] * (width + 1)
    for column in range(width):
        for letter, mask in letters.items():
            end = column + mask.shape[1]
            if end <= width:
                error = least[column] + np.square(ink[:, column:end] - mask).sum()
                if error < least[end]:
                    least[end], texts[end] = error, texts[column] + letter
    whole = [float(least[end] + np.square(ink[:, end:]).sum()) for end in range(width + 1)]
    end = int(np.argmin(whole))
    return whole[end], " ".join(texts[end].split())


@cache
def _letters(pixels: int) -> dict[str, np.ndarray]:
    pygame.font.init()
    font = pygame.font.Font(None, round(pixels * 1.4))
    letters = {}
    for letter in _LETTERS:
        picture = pygame.surfarray.array_alpha(font.render(letter, True, (255, 255, 255))).T / 255
        letters[letter] = np.pad(picture, ((0, font.get_linesize() - len(picture)), (0, 0)))
    return letters
