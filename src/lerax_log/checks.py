"""Checks of arguments, whose errors say what was received and what is accepted."""

import numpy as np


def check_whole(name: str, value: object, least: int) -> None:
    """Refuse what is not a whole number, `least` or more.

    Raises:
        TypeError: It is not a whole number.
        ValueError: It is too small.
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name} must be a whole number, got {value!r}")
    if value < least:
        raise ValueError(f"{name} must be at least {least}, got {value}")


def check_share(name: str, value: object) -> None:
    """Refuse what is not a number above 0 and at most 1.

    Raises:
        TypeError: It is not a number.
        ValueError: It is out of range, or NaN.
    """
    if not 0 < _number(name, value, "a number") <= 1:
        raise ValueError(f"{name} must be above 0 and at most 1, got {value!r}")


def check_seconds(name: str, value: object) -> None:
    """Refuse what is neither a number of seconds above 0 nor `None`.

    Raises:
        TypeError: It is not a number.
        ValueError: It is 0 or less, or NaN.
    """
    if value is not None and not _number(name, value, "a number of seconds or None") > 0:
        raise ValueError(f"{name} must be above 0 seconds or None, got {value!r}")


def check_text(name: str, value: object) -> None:
    """Refuse what is neither a non-empty string nor `None`.

    Raises:
        TypeError: It is not a string.
        ValueError: It is empty.
    """
    if value is not None and not isinstance(value, str):
        raise TypeError(f"{name} must be a string or None, got {value!r}")
    if value == "":
        raise ValueError(f"{name} must be a non-empty string or None, got ''")


def _number(name: str, value: object, wanted: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise TypeError(f"{name} must be {wanted}, got {value!r}")
    return float(value)
