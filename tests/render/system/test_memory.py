"""Memory that is given back."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest

from lerax_render.system import give_back_memory


def resident() -> int:
    """Return the kilobytes of this process."""
    found = re.search(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1])


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's heaps")
def test_what_was_freed_below_what_is_used_is_given_back():
    # Too small to be mapped one by one.
    blocks = [np.ones(100_000, np.uint8) for _ in range(1000)]
    last = np.ones(100_000, np.uint8)
    del blocks
    before = resident()
    give_back_memory()
    assert before - resident() > 60_000
    assert last.all()
