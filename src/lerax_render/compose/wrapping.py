"""Texts broken into lines, and these as one picture."""

import unicodedata
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from .fonts import language_of
from .text import clusters, text_mask

# Categories of Unicode: closing and opening marks. Chinese and Japanese begin or end no line
# with them, nor with small kana and signs that lengthen or repeat.
_NOT_FIRST, _NOT_LAST = {"Pe", "Pf", "Po"}, {"Ps", "Pi"}
_SMALL = set("ー々ゝゞヽヾぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ")


def wrapped(text: str, width: int, width_of: Callable[[str], int]) -> list[str]:
    """Return a text's lines, no more than it needs and of about the same length.

    It is broken at its own line breaks, at spaces, after hyphens, and between the characters of
    Chinese and Japanese; and within a word that is longer than a line.

    Args:
        text: The text.
        width: That a line has at most.
        width_of: Tells the width of a text.
    """
    lines: list[str] = []
    for paragraph in text.split("\n"):
        pieces = [part for piece in _pieces(paragraph) for part in _cut(piece, width, width_of)]
        filled = _filled(pieces, width, width_of)
        low, high = 1, width
        # The narrowest that takes as few lines.
        while low < high:
            middle = (low + high) // 2
            if len(_filled(pieces, middle, width_of)) <= len(filled):
                high = middle
            else:
                low = middle + 1
        lines += _filled(pieces, high, width_of)
    return lines


def block_mask(lines: Sequence[tuple[str, int]], language: str | None = None) -> np.ndarray:
    """Return lines below one another, each in the middle, as coverage `float32 (h, w)` in 0..1.

    Args:
        lines: Each with its font's size in pixels.
        language: As for `text_mask`; by default that of them all.
    """
    language = language or language_of("".join(line for line, _ in lines))
    masks = [text_mask(line, pixels, language) for line, pixels in lines]
    width = max(mask.shape[1] for mask in masks)
    return np.vstack([_centred(mask, width) for mask in masks])


def _centred(mask: np.ndarray, width: int) -> np.ndarray:
    left = (width - mask.shape[1]) // 2
    return np.pad(mask, ((0, 0), (left, width - mask.shape[1] - left)))


def _pieces(text: str) -> Iterator[str]:
    """Yield what is not broken, each with the spaces that follow it."""
    piece = ""
    for each in clusters(text):
        if piece and _may_break(piece, each):
            yield piece
            piece = ""
        piece += each
    if piece:
        yield piece


def _may_break(before: str, after: str) -> bool:
    last, first = before[-1], after[0]
    if first == " " or last == " ":
        return first != " "
    if last in "-–—":
        return True
    category = unicodedata.category
    if category(first) in _NOT_FIRST or first in _SMALL or category(last) in _NOT_LAST:
        return False
    return _is_ideograph(last) or _is_ideograph(first)


def _is_ideograph(character: str) -> bool:
    # Korean is wide, too, and written in words.
    is_wide = unicodedata.east_asian_width(character) in "WF"
    return is_wide and not "\uac00" <= character <= "\ud7a3"


def _cut(piece: str, width: int, width_of: Callable[[str], int]) -> Iterator[str]:
    """Yield the parts of a piece that is longer than a line."""
    if width_of(piece.rstrip()) <= width:
        yield piece
        return
    part = ""
    for each in clusters(piece):
        if part and width_of(part + each) > width:
            yield part
            part = ""
        part += each
    yield part


def _filled(pieces: Sequence[str], width: int, width_of: Callable[[str], int]) -> list[str]:
    lines = [""]
    for piece in pieces:
        if lines[-1] and width_of((lines[-1] + piece).rstrip()) > width:
            lines.append("")
        lines[-1] += piece
    return [line.rstrip() for line in lines]
