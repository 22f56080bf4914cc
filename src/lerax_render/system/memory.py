"""Memory that this process has freed, given back to the system."""

import ctypes
import sys
from functools import cache
from typing import Any


def give_back_memory() -> None:
    """Have glibc give back what is free in its heaps; elsewhere, this does nothing.

    Each thread has a heap, and what compiling leaves free in one is of no use to the others.
    """
    trim = _trim()
    if trim is not None:
        trim(0)


@cache
def _trim() -> Any:
    # Windows has no library of this name.
    process = ctypes.CDLL(None) if sys.platform.startswith("linux") else None
    return getattr(process, "malloc_trim", None)
