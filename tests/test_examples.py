"""The examples that train nothing run as a user runs them; tests/log has those that train."""

import subprocess
import sys
from pathlib import Path

import imageio_ffmpeg
import numpy as np

from support.paths import ROOT

EXAMPLES = ROOT / "examples"


def run(name: str, target: Path, steps: int) -> str:
    """Run an example from another folder and return what it printed."""
    command = [sys.executable, EXAMPLES / name, "-o", target, "--steps", str(steps)]
    return subprocess.check_output(command, text=True, cwd=target.parent, timeout=120)


def frames(path: Path) -> np.ndarray:
    """Decode a clip without help from what is tested: uint8 (T, H, W, 3)."""
    reader = imageio_ffmpeg.read_frames(str(path))
    width, height = next(reader)["size"]
    return np.stack([np.frombuffer(f, np.uint8).reshape(height, width, 3) for f in reader])


def test_there_are_short_examples():
    examples = sorted(EXAMPLES.glob("*.py"))
    assert len(examples) >= 5
    for example in examples:
        assert len(example.read_text().splitlines()) <= 160, example.name


def test_render_my_states(tmp_path):
    printed = run("render_my_states.py", tmp_path / "fall.gif", 70)
    assert "70 frames" in printed
    clip = frames(tmp_path / "fall.gif").astype(int)
    assert clip.shape == (70, 360, 640, 3)
    # The pole, the only thing that is neither black, white nor grey, has tipped.
    poles = [np.argwhere(np.ptp(frame, axis=2) > 40) for frame in (clip[0], clip[-1])]
    width = [np.ptp(pole[:, 1]) for pole in poles]
    assert width[0] < 30 < width[1]


def test_custom_environment(tmp_path):
    run("custom_environment.py", tmp_path / "orbit.mp4", 40)
    clip = frames(tmp_path / "orbit.mp4").astype(int)
    assert clip.shape == (40, 480, 720, 3)
    for row in range(2):
        for column in range(3):
            tile = clip[-1, row * 240 : row * 240 + 240, column * 240 : column * 240 + 240]
            # In the middle of each tile there is the planet.
            assert np.abs(tile[120, 120] - (69, 135, 191)).max() < 12
    assert len({clip[-1, r : r + 240, c : c + 240].sum() for r in (0, 240) for c in (0, 240)}) == 4


def test_mujoco_cameras(tmp_path):
    run("mujoco_cameras.py", tmp_path / "cameras.mp4", 6)
    clip = frames(tmp_path / "cameras.mp4").astype(int)
    assert clip.shape == (6, 640, 640, 3)
    pictures = [clip[:, :320, :320], clip[:, :320, 320:], clip[:, 320:, :320], clip[:, 320:, 320:]]
    assert all(picture.std() > 20 for picture in pictures)
    colourful = [np.ptp(picture, axis=-1).mean() for picture in pictures]
    assert min(colourful[:3]) > 5 > colourful[3]
    assert np.abs(clip[-1] - clip[0]).mean() > 0.5


def test_look_again(tmp_path):
    command = [sys.executable, EXAMPLES / "look_again.py", "-o", "eight.mp4", "--steps", "40"]
    printed = subprocess.check_output(command, text=True, cwd=tmp_path, timeout=120)
    assert "40 frames" in printed
    tiles = frames(tmp_path / "eight.mp4")
    assert tiles.shape == (40, 480, 640, 3)
    best = frames(tmp_path / "best.gif")
    actions = int(printed.split(" actions")[0].split()[-1])
    assert best.shape == (actions + 1, 240, 320, 3)
    assert best.std() > 20
