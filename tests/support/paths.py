"""Where the project lies."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"
SCENES = ROOT / "assets" / "scenes"
