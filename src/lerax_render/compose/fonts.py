"""Which font has a character: pygame's own, one that a package brings, or one of the system's."""

import shutil
import subprocess
from collections.abc import Iterable
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

# Of a font file with all weights: Bold, counted from 1, where FreeType expects it.
_BOLD = {"NotoSans[wght].ttf": 4, "NotoSansSymbols[wght].ttf": 4, "NotoEmoji[wght].ttf": 3}
_BOLD_CJK = 6
# One file for all, since the same characters are drawn otherwise in each language.
_CJK = {"ja": 0, "ko": 1, "zh": 2}
# Debian's fonts-noto-cjk and fonts-dejavu-core, for machines without fontconfig.
_USUAL = (
    ("/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf", False),
    ("/usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc", True),
)
_BEYOND_LATIN = "\u0250"
_ADVICE = "pip install 'lerax-render[fonts]', or on Debian apt-get install fonts-noto-cjk"
_NAMED = 10


class Face(NamedTuple):
    """A font in a file.

    Attributes:
        path: The file; `None` is the font that pygame brings, FreeSans Bold.
        number: Which of those in the file, as FreeType counts them.
    """

    path: str | None
    number: int = 0


PYGAMES = Face(None)


def language_of(text: str) -> str:
    """Return `"ja"`, `"ko"` or `"zh"`: in which language Han characters are drawn in a text."""
    if any("\u3040" <= each <= "\u30ff" for each in text):
        return "ja"
    return "ko" if any("\uac00" <= each <= "\ud7a3" for each in text) else "zh"


@lru_cache(maxsize=4096)
def face_of(characters: str, language: str) -> Face | None:
    """Return the first font that has all of some characters, or `None`.

    Args:
        characters: One, and marks on it.
        language: As `language_of` has it.
    """
    packaged = _from_packages(language)
    # Small Greek and Cyrillic letters of pygame's font run into their accents.
    first = (PYGAMES, *packaged) if characters[0] < _BEYOND_LATIN else (*packaged, PYGAMES)
    for face in (*first, *_found[language]):
        if _has(face, characters):
            return face
    found = _asked(characters[0], language)
    if found is None or not _has(found, characters):
        return None
    _found[language].append(found)
    return found


def named(characters: Iterable[str]) -> str:
    """Say that no font here has some characters, and what to install."""
    each = list(dict.fromkeys(characters))
    shown = ", ".join(f"{c} (U+{ord(c):04X})" for c in each[:_NAMED])
    more = f" and {len(each) - _NAMED} more" if len(each) > _NAMED else ""
    return f"no font here has {shown}{more}, shown as boxes: {_ADVICE}"


def opened(face: Face, pixels: int) -> Any:
    """Open a font.

    Args:
        face: The font.
        pixels: Its em in pixels.
    """
    # First, since it keeps pygame from greeting.
    from ..paint2d import pygame  # noqa: F401  # isort: skip
    from pygame import freetype

    # The program may have ended pygame meanwhile.
    if not freetype.get_init():
        freetype.init()
    font = freetype.Font(face.path, pixels, font_index=face.number)
    font.antialiased = True
    return font


# So that a text of a hundred characters asks fontconfig once.
_found: dict[str, list[Face]] = {language: [] for language in _CJK}


@lru_cache(maxsize=4096)
def _has(face: Face, characters: str) -> bool:
    try:
        font = opened(face, 20)
    except (OSError, RuntimeError):
        return False
    # Pictures of a fixed size, such as coloured emoji, fit no text.
    return bool(font.scalable) and None not in font.get_metrics(characters)


@cache
def _from_packages(language: str) -> tuple[Face, ...]:
    faces = [(_file_of("manimgx_fonts", name), number << 16) for name, number in _BOLD.items()]
    cjk = _file_of("manimgx_fonts_cjk", "NotoSansCJK-VF.otf.ttc")
    faces.insert(1, (cjk, _BOLD_CJK << 16 | _CJK[language]))
    # Many have Matplotlib, and it brings DejaVu.
    faces.append((_file_of("matplotlib", "mpl-data/fonts/ttf/DejaVuSans-Bold.ttf"), 0))
    return tuple(Face(str(path), index) for path, index in faces if path is not None)


def _file_of(package: str, name: str) -> Path | None:
    spec = find_spec(package)
    for folder in (spec and spec.submodule_search_locations) or ():
        if (path := Path(folder, name)).is_file():
            return path
    return None


def _asked(character: str, language: str) -> Face | None:
    """Ask the system for a bold font with a character."""
    if shutil.which("fc-match") is None:
        usual = (Face(p, _CJK[language] * is_cjk) for p, is_cjk in _USUAL if Path(p).is_file())
        return next((face for face in usual if _has(face, character)), None)
    wanted = f"sans:bold:scalable=true:lang={language}:charset={ord(character):x}"
    try:
        told = subprocess.run(
            ["fc-match", "-f", "%{file}\n%{index}", wanted],
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        ).stdout.splitlines()
        return Face(told[0], int(told[1]))
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return None
