import os
import subprocess
import sys

PROGRAM = """
import os
before = dict(os.environ)
from lerax_render.paint2d.pygame_import import pygame
assert dict(os.environ) == before
assert not pygame.get_init()
pygame.Surface((2, 2))
"""


def test_it_is_silent_and_changes_nothing():
    environment = {k: v for k, v in os.environ.items() if k != "PYGAME_HIDE_SUPPORT_PROMPT"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_missing_pygame_is_an_error_with_the_remedy():
    program = """
import sys
sys.modules["pygame"] = None
from lerax_render.errors import BackendUnavailableError
try:
    import lerax_render.paint2d.pygame_import
except BackendUnavailableError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60
    )
    assert "pip install pygame" in done.stdout, done.stderr
