"""Values written as text, as a command line and a manifest have them."""

import ast
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

STUDIO, AS_IS, TRANSPARENT = "studio", "as-is", "transparent"

# Of CSS, the sixteen that every list of colours has.
_COLOURS = {
    "aqua": "#00ffff",
    "black": "#000000",
    "blue": "#0000ff",
    "fuchsia": "#ff00ff",
    "gray": "#808080",
    "green": "#008000",
    "lime": "#00ff00",
    "maroon": "#800000",
    "navy": "#000080",
    "olive": "#808000",
    "purple": "#800080",
    "red": "#ff0000",
    "silver": "#c0c0c0",
    "teal": "#008080",
    "white": "#ffffff",
    "yellow": "#ffff00",
}
_HEXADECIMAL = "#[0-9a-fA-F]{6}"
BACKGROUND = f"^({'|'.join([STUDIO, AS_IS, _HEXADECIMAL, *_COLOURS])})$"
"""The pattern of a background's text."""

_LENGTHS = {"": 1.0, "mm": 1.0, "cm": 10.0, "in": 25.4}
_DASH = "[-–—]"
_STEPS = re.compile(rf"steps?\s*(\d{{1,9}})?\s*{_DASH}\s*(\d{{1,9}})?", re.IGNORECASE)
_SECONDS = re.compile(
    rf"(\d{{1,9}}(?:\.\d{{1,9}})?)?\s?s?\s*{_DASH}\s*(\d{{1,9}}(?:\.\d{{1,9}})?)?\s?s"
    rf"|(\d{{1,9}}(?:\.\d{{1,9}})?)\s?s\s*{_DASH}"
)
_MEANT_AS_RANGE = re.compile(
    rf"steps?\s*[\d–—-]|[\d.]+\s?s?\s*{_DASH}|{_DASH}\s*[\d.]", re.IGNORECASE
)

_UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9}


def parsed_size(text: str) -> int:
    """Turn a size such as `"10MB"`, `"500 kB"` or `"1.5mb"` into bytes; 1 MB is 10^6 bytes.

    Raises:
        ValueError: The text is no such size.
    """
    found = re.fullmatch(r"(\d{1,30}(?:\.\d+)?)\s*([a-zA-Z]*)", text.strip())
    unit = _UNITS.get(found[2].lower()) if found else None
    if found is None or unit is None or round(float(found[1]) * unit) < 1:
        raise ValueError(f"expected a size such as 10MB or 500kB, got {text!r}")
    return round(float(found[1]) * unit)


def parsed_length(text: str) -> float:
    """Turn a length such as `"85mm"`, `"8.5 cm"` or `"3.3in"` into millimetres.

    Raises:
        ValueError: The text is no such length.
    """
    found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)\s*([a-z]*)", text.strip(), re.ASCII)
    unit = _LENGTHS.get(found[2]) if found else None
    if found is None or unit is None:
        raise ValueError(f"expected a length such as 85mm or 3.3in, got {text!r}")
    return float(found[1]) * unit


def parsed_colour(text: str) -> tuple[float, float, float]:
    """Turn `"#ffc080"` or a name such as `"white"` into red, green and blue, 0 to 1 each.

    Raises:
        ValueError: The text is no such colour.
    """
    digits = _COLOURS.get(text, text)
    if re.fullmatch(_HEXADECIMAL, digits) is None:
        raise ValueError(
            f"expected a colour such as #ffc080 or {', '.join(_COLOURS)}, got {text!r}"
        )
    red, green, blue = (byte / 255 for byte in bytes.fromhex(digits[1:]))
    return red, green, blue


def parsed_grid(text: str) -> tuple[int, int]:
    """Turn `"2x3"` into rows and columns.

    Raises:
        ValueError: The text is not of this form.
    """
    found = re.fullmatch(r"(\d{1,9})x(\d{1,9})", text, re.ASCII)
    if found is None:
        raise ValueError(f"expected ROWSxCOLUMNS, such as 2x3, got {text!r}")
    return int(found[1]), int(found[2])


def parsed_camera(text: str) -> Any:
    """Turn a camera's text into its number, its name, or settings by name.

    Raises:
        ValueError: A part of the settings is not of the form `name=value`.
    """
    if "=" in text:
        # Commas inside parentheses belong to a value, such as lookat=(0,0,1).
        return assignments(re.split(r",(?![^()]*\))", text))
    return parsed_body(text)


def parsed_body(text: str) -> int | str:
    """Turn the number of a body into a number, and leave its name as it is."""
    return int(text) if re.fullmatch(r"\d{1,9}", text, re.ASCII) else text


def parsed_pick(text: str) -> int | str:
    """Turn `"17"` into the number of an episode; other texts stay."""
    return int(text) if re.fullmatch(r"\d{1,9}", text, re.ASCII) else text


def parsed_moment(text: str) -> int | float:
    """Turn `"50"` into a step, and `"1.5s"` into seconds.

    Raises:
        ValueError: The text is neither.
    """
    if re.fullmatch(r"\d{1,9}", text, re.ASCII):
        return int(text)
    found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)\s?s", text, re.ASCII)
    if found is None:
        raise ValueError(f"expected a step such as 50, or seconds such as 1.5s, got {text!r}")
    return float(found[1])


def parsed_lines(text: str) -> str:
    """Make line breaks of `\\n`, which no command line has by itself."""
    return text.replace("\\n", "\n")


def parsed_seconds(text: str) -> float:
    """Turn `"1.5s"` or `"1.5"` into seconds.

    Raises:
        ValueError: The text is neither.
    """
    found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)\s?s?", text, re.ASCII)
    if found is None:
        raise ValueError(f"expected seconds such as 1.5s, got {text!r}")
    return float(found[1])


class Caption(NamedTuple):
    """A text, and when it is shown.

    Attributes:
        text: What is written.
        start: The first step, an `int`, or its time in seconds, a `float`; `None`: the clip's.
        stop: The step or the time before which it ends, likewise.
    """

    text: str
    start: int | float | None = None
    stop: int | float | None = None


def parsed_caption(text: str) -> Caption:
    """Take the range off a caption's text, such as `"step 0–50: reaching"`.

    Raises:
        ValueError: It begins like a range and is none, its range is empty, or it has no text.
    """
    head, colon, rest = text.partition(":")
    head = head.strip()
    caption = Caption(text.strip())
    if colon and _MEANT_AS_RANGE.match(head):
        caption = Caption(rest.strip(), *_range_of(head, text))
    if not caption.text:
        raise ValueError(f"a caption needs a text, got {text!r}")
    return caption


def _range_of(head: str, text: str) -> tuple[int | float | None, int | float | None]:
    start: int | float | None
    stop: int | float | None
    if found := _STEPS.fullmatch(head):
        start, stop = (None if each is None else int(each) for each in found.groups())
    elif found := _SECONDS.fullmatch(head):
        first, last, only = (None if each is None else float(each) for each in found.groups())
        start, stop = (first if only is None else only), last
    else:
        raise ValueError(
            "a caption's range is steps or seconds, such as 'step 0–50: reaching', 'step 50–: "
            f"there' or '1s–2.5s: reaching', got {text!r}"
        )
    if start is not None and stop is not None and start >= stop:
        raise ValueError(f"a caption's range begins before it ends, got {text!r}")
    return start, stop


def assignments(texts: Iterable[str]) -> dict[str, Any]:
    """Turn `name=value` texts into a mapping; values are Python literals, or else plain text.

    Raises:
        ValueError: A text has no `=` or no valid name.
    """
    parsed = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.isidentifier():
            raise ValueError(f"expected name=value, got {text!r}")
        try:
            parsed[name] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            parsed[name] = value
    return parsed
