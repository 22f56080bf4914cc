"""Numbers of bytes as text, and back."""

import re

from rich.filesize import decimal

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


def human_size(num_bytes: int) -> str:
    """Return a number of bytes as text, such as "2.34 MB"."""
    return decimal(num_bytes, precision=2)
