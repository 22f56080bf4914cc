"""What can go wrong.

    RenderError                     the base: catch this to catch everything below
    ├── UnsupportedEnvError         nothing here knows how to draw this environment
    ├── BackendUnavailableError     a library, GL platform or cluster that is needed does not work
    └── EncodeError                 ffmpeg, the disk or a closed pipe ended the encoding

    RenderWarning                   a recording failed or is incomplete, and the program goes on

Wrong arguments are `ValueError` and `TypeError`, as everywhere in Python, raised before any work is
done.
"""

import dis
import logging
import re
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

_log = logging.getLogger("lerax_render")

# Lines of a traceback as a text.
_FRAME = re.compile(r'\s+File "(.+)", line (\d+), in (.+)')
_RAISED = re.compile(r"[A-Za-z_][\w.]*(: |$)")


class RenderError(Exception):
    """Base of all errors that `lerax_render` raises while it makes a clip."""


class UnsupportedEnvError(RenderError):
    """No source can draw this environment; the message lists what was looked for."""


class BackendUnavailableError(RenderError):
    """A library, a GL platform or a cluster is missing or broken; the message says what to do."""


class EncodeError(RenderError):
    """Encoding ended before the clip was whole; the message ends with ffmpeg's last lines."""


class RenderWarning(UserWarning):
    """A recording failed or is incomplete; the message names the cause and the remedy."""


def is_for_users(error: BaseException) -> bool:
    """Whether an error says what its reader can mend, rather than that this code is wrong.

    Errors of this toolkit and of the system do. A `ValueError` or `TypeError` does where a `raise`
    in this toolkit raised it; one that Python or a library raised was not foreseen.
    """
    if isinstance(error, RenderError | OSError):
        return True
    trace = error.__traceback__
    if trace is None or not isinstance(error, ValueError | TypeError):
        return False
    while trace.tb_next is not None:
        trace = trace.tb_next
    package = trace.tb_frame.f_globals.get("__name__", "").partition(".")[0]
    instruction = trace.tb_frame.f_code.co_code[trace.tb_lasti]
    return package in ("lerax_render", "lerax_log") and instruction == dis.opmap["RAISE_VARARGS"]


LIBRARIES = ("lerax_render", "lerax_log", "jax", "jaxlib", "equinox", "jaxtyping", "numpy")
"""Packages whose lines say little to who called them with something wrong."""


@contextmanager
def named(env: Any, method: str) -> Iterator[None]:
    """Have what a method of an environment raises name the method, and the line it comes from.

    Raises:
        RenderError: With the error as its cause. A `NotImplementedError`, and what this
            toolkit raises, is left as it is.
    """
    try:
        yield
    except (NotImplementedError, RenderError):
        raise
    except Exception as error:
        who = f"{type(getattr(env, 'unwrapped', env)).__name__}.{method}"
        raise RenderError(f"{who} raised {described(error)}") from error


def described(error: BaseException) -> str:
    """Return an error as its type, what it says at first, and the line of the user's code."""
    if called_back := raised_in_callback(error):
        return called_back
    # What JAX says of tracers goes on for pages.
    said = " ".join(str(error).strip().partition("\n\n")[0].split())
    said = f"{type(error).__name__}: {said}".rstrip(".: ")
    place = place_of(error)
    return f"{said}, in {place}" if place else said


def raised_in_callback(error: BaseException) -> str:
    """Return what a function that JAX has called back raised, and where; empty if none did.

    XLA passes on the text of its traceback, and nothing else.
    """
    lines = str(error).partition("Traceback (most recent call last):")[2].splitlines()
    place, said = "", ""
    for line in lines:
        if found := _FRAME.match(line):
            said = ""
            if not set(Path(found[1]).parts) & set(LIBRARIES):
                place = f"{found[3]} ({found[1]}, line {found[2]})"
        elif not said and _RAISED.match(line):
            said = line.strip()
    return f"{said}, in {place}" if said and place else said


def place_of(error: BaseException) -> str:
    """Say in which line of a user's code an error was raised, or in which of a library it called.

    Returns:
        A text such as `Pong.render (pong.py, line 12)`, empty where there is no such line.
    """
    place = ""
    for frame, line in traceback.walk_tb(error.__traceback__):
        if frame.f_globals.get("__name__", "").partition(".")[0] not in LIBRARIES:
            place = place_in(frame, line)
    return place


def place_in(frame: FrameType, line: int) -> str:
    """Return the name of what runs in a frame, its file and the line, as text."""
    return f"{frame.f_code.co_qualname} ({frame.f_code.co_filename}, line {line})"


def warn(message: str) -> None:
    """Issue a `RenderWarning`, or log it where the user's filters turn warnings into exceptions.

    Whoever calls this promised that the program goes on.
    """
    try:
        warnings.warn(message, RenderWarning, stacklevel=3)
    except RenderWarning:
        _log.warning(message)
