"""Text in pixels."""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ..errors import warn
from .fonts import PYGAMES, Face, face_of, language_of, named, opened

LEAST_PIXELS = 11
"""Smaller text cannot be read."""

# Light text on a dark veil can be read on any picture, and the picture can still be seen behind it.
# On white, this leaves a contrast of 8.6 to 1.
_VEIL = 0.7
# Joiners, fillers and selectors of variants; others have a category of their own.
_UNSEEN = {"\u034f", "\u115f", "\u1160", "\u3164", "\uffa0", *map(chr, range(0xFE00, 0xFE10))}
# Where letters join or change places, in blocks of Unicode: Hebrew to Arabic, the scripts of India,
# Tibet and Myanmar, Khmer, and Arabic's forms.
_NOT_LAID_OUT = (
    *((0x0590, 0x08FF), (0x0900, 0x0DFF), (0x0F00, 0x109F), (0x1780, 0x17FF)),
    *((0xFB1D, 0xFDFF), (0xFE70, 0xFEFF)),
)


def darken(area: np.ndarray) -> None:
    """Put a dark veil on `uint8 (H, W, C)`, in place, also where it is transparent."""
    area[..., :3] = area[..., :3] * (1 - _VEIL)
    area[..., 3:] = 255 - (255 - area[..., 3:]) * (1 - _VEIL)


def write(area: np.ndarray, mask: np.ndarray, colour: Sequence[int] = (255, 255, 255)) -> None:
    """Write a line of text into the upper left corner of `uint8 (H, W, C)`, in place.

    What does not fit in is cut off. Likewise for any other mask.
    """
    area = area[: mask.shape[0], : mask.shape[1]]
    mask = mask[: area.shape[0], : area.shape[1], None]
    ink = np.array((*colour, 255)[: area.shape[2]], np.float32)
    area[:] = area + (ink - area) * mask


def fitting_mask(text: str, pixels: int, width: int) -> np.ndarray:
    """Return `text_mask` of a smaller font where the line would be wider than a picture.

    Args:
        text: The line.
        pixels: The font's size where there is room.
        width: Of the picture in pixels.
    """
    mask = text_mask(text, pixels)
    while mask.shape[1] > width and pixels > LEAST_PIXELS:
        pixels = max(LEAST_PIXELS, min(pixels - 1, pixels * width // mask.shape[1]))
        mask = text_mask(text, pixels)
    return mask


@lru_cache(maxsize=512)
def text_mask(text: str, pixels: int, language: str | None = None) -> np.ndarray:
    """Return a line of text as coverage, `float32 (h, w)` in 0..1; `h` depends on `pixels` alone.

    Args:
        text: The line.
        pixels: The font's size.
        language: In which Han characters are drawn, as `language_of` has it; by default the line's.
    """
    # From single characters: numbers change with every frame, and to open the font, which cannot be
    # kept (see `_pygames_glyph`), takes longer than to paint a whole frame.
    language = language or language_of(text)
    return np.hstack([_glyph(each, pixels, language) for each in clusters(text) or [" "]])


def clusters(text: str) -> list[str]:
    """Return the characters of a text, each with the marks on it; without what has no picture."""
    parts: list[str] = []
    for each in unicodedata.normalize("NFC", text):
        if each in _UNSEEN or unicodedata.category(each) == "Cf":
            continue
        if parts and unicodedata.category(each) in ("Mn", "Me"):
            parts[-1] += each
        else:
            parts.append(each if each.isprintable() else " ")
    return parts


def check_text(what: str, text: str) -> None:
    """Raise `ValueError` where a text is in a script that is not laid out here.

    Args:
        what: What it is, for the error.
        text: The text.
    """
    for each in text:
        if any(first <= ord(each) <= last for first, last in _NOT_LAID_OUT):
            script = unicodedata.name(each, "").split(" ")[0].capitalize()
            raise ValueError(
                f"{what} {text!r} has {script} letters, which join or run from right to left and "
                "are not laid out here: write it in another script"
            )


def warn_of_missing(texts: Iterable[str]) -> None:
    """Issue a `RenderWarning` that names the characters that no font here has."""
    missing = [
        character
        for text in texts
        for cluster in clusters(text)
        for part, face in _parts(cluster, language_of(text))
        if face is None
        for character in part
    ]
    if missing:
        warn(named(missing))


def _parts(cluster: str, language: str) -> Iterator[tuple[str, Face | None]]:
    """Yield what is drawn for a character, each part with the font that has it."""
    if cluster.isascii():
        yield cluster, PYGAMES
        return
    face = face_of(cluster, language)
    plain = unicodedata.normalize("NFKC", cluster)
    if face is not None or (len(cluster) == 1 and plain == cluster):
        yield cluster, face
        return
    # A mark that this font lacks, or a letter in a style that none has.
    for each in plain if plain != cluster else cluster:
        yield each, face_of(each, language)


@lru_cache(maxsize=2048)
def _glyph(cluster: str, pixels: int, language: str) -> np.ndarray:
    """Return the picture of a character, `float32 (h, w)` in 0..1."""
    drawn = []
    for part, face in _parts(cluster, language):
        if face == PYGAMES and len(part) == 1:
            drawn.append(_pygames_glyph(part, pixels))
        else:
            drawn.append(_glyph_of(part, face, pixels))
    return np.hstack(drawn)


def _pygames_font(pixels: int) -> Any:
    # Here and not above: most clips have no text on them.
    from ..paint2d import pygame

    # Only the picture is kept: using a font after the program's next `pygame.quit()` is a crash.
    if not pygame.font.get_init():
        pygame.font.init()
    return pygame.font.Font(None, round(pixels * 1.4))


def _headroom(pixels: int) -> int:
    return max(1, pixels // 7)


def _pygames_glyph(character: str, pixels: int) -> np.ndarray:
    from ..paint2d import pygame, render_text

    font, headroom = _pygames_font(pixels), _headroom(pixels)
    surface = render_text(font, character, (255, 255, 255))
    mask = pygame.surfarray.array_alpha(surface).T.astype(np.float32) / 255.0
    # Each picture is as high as its letter: "g" reaches below the height that the font claims, and
    # "Ä" above, which moves all of it down.
    metrics = font.metrics(character)[0]
    rise = max(0, metrics[3] - font.get_ascent()) if metrics else 0
    mask = mask[max(0, rise - headroom) :]
    top = max(0, headroom - rise)
    glyph = np.zeros((headroom + font.get_linesize(), mask.shape[1]), np.float32)
    glyph[top : top + len(mask)] = mask[: len(glyph) - top]
    return glyph


def _glyph_of(cluster: str, face: Face | None, pixels: int) -> np.ndarray:
    """Draw a character of another font on the line of pygame's."""
    usual, headroom = _pygames_font(pixels), _headroom(pixels)
    base = headroom + usual.get_ascent()
    height = headroom + usual.get_linesize()
    # As large as pygame makes its own.
    em = max(1, int(round(pixels * 1.4) * 0.6875))
    if face is None:
        return _box(base, height, em)
    from ..paint2d import pygame

    font = opened(face, em)
    widths, left, right, top = [], 0, 0, 0
    pictures = []
    for number, character in enumerate(cluster):
        surface, place = font.render(character, fgcolor=(255, 255, 255))
        mask = pygame.surfarray.array_alpha(surface).T.astype(np.float32) / 255.0
        x, y = place.x, place.y
        if number == 0:
            widths = [round(font.get_metrics(character)[0][4]), x + mask.shape[1]]
            left, right, top = x, x + mask.shape[1], y
        else:
            # On the middle of its letter; and above it, where it is a tall one and there is room.
            x = (left + right - mask.shape[1]) // 2
            if y - len(mask) > 0:
                y = min(max(y, top + len(mask) + 1), base)
                top = y
        pictures.append((mask, x, y))
    shift = max(0, -min(x for _, x, _ in pictures))
    width = max(1, *widths, *(x + mask.shape[1] for mask, x, _ in pictures)) + shift
    glyph = np.zeros((height, width), np.float32)
    for mask, x, y in pictures:
        row = base - y
        mask = mask[max(0, -row) :]
        row = max(0, row)
        area = glyph[row : row + len(mask), x + shift : x + shift + mask.shape[1]]
        np.maximum(area, mask[: len(area), : area.shape[1]], out=area)
    return glyph


def _box(base: int, height: int, em: int) -> np.ndarray:
    """Draw what stands for a character that there is no picture of."""
    line, side = max(1, em // 14), max(3, round(em * 0.55))
    glyph = np.zeros((height, side + 2 * line), np.float32)
    box = glyph[max(0, base - round(em * 0.72)) : base, line : line + side]
    box[:] = 1
    box[line:-line, line:-line] = 0
    return glyph
