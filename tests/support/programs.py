"""Programs that train, each in an interpreter of its own."""

import os
import subprocess
import sys
from pathlib import Path

from .paths import TESTS

SECONDS = 120


def program(code: str, folder: Path, **variables: str) -> subprocess.Popen[str]:
    """Start a program in a folder; what it writes to stdout and stderr is one text."""
    return subprocess.Popen(
        [sys.executable, "-c", f"import sys\nsys.path.insert(0, {str(TESTS)!r})\n{code}"],
        cwd=folder,
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finished(process: subprocess.Popen[str]) -> str:
    """Wait for a program that must succeed, and return what it has written."""
    output, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, output
    return output
