"""Lerax's own examples on a machine without a display: one line of each is another one.

They are not part of this project, and lie beside the wheel or in the folder that LERAX names.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lerax_render import Clip, VideoReader
from support.paths import ROOT

# With them, each takes seconds.
SHORTER = {"2**16": "2**13", "2**20": "2**14", "1024": "64", "total=500": "total=2"}
LOGGING = {"from lerax.callback import": "from lerax_log import"}


def example(name: str) -> str:
    """Return the text of an example, with less to do."""
    lerax = Path(ROOT, os.environ.get("LERAX", ""))
    path = (lerax if lerax.is_dir() else lerax.parent) / f"examples/{name}.py"
    if not path.exists() or path.is_relative_to(ROOT):
        pytest.skip("no examples of Lerax's beside LERAX")
    text = path.read_text()
    for long, short in SHORTER.items():
        text = text.replace(long, short)
    return text


def changed(text: str, changes: dict[str, str]) -> str:
    for old, new in changes.items():
        assert text.count(old) == 1, f"the example no longer has {old}"
        text = text.replace(old, new)
    return text


def run(text: str, folder: Path) -> str:
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER", "MUJOCO_GL")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    found = subprocess.run(
        [sys.executable, "-c", text],
        cwd=folder,
        env=environment,
        text=True,
        capture_output=True,
        timeout=280,
    )
    assert found.returncode == 0, found.stderr
    return found.stdout


def check_clip(path: Path) -> None:
    with VideoReader(path) as reader:
        frames = np.stack([*reader])
    assert len(frames) == 64
    assert all(frame.std() > 10 for frame in frames)
    assert (frames[0] != frames[-1]).any()


def test_record(tmp_path):
    renderer = """VideoRenderer(
    inner=env.default_renderer(),
    output_path="cartpole.mp4",
    fps=60.0,
)"""
    changes = {
        "from lerax.render import VideoRenderer": "from lerax_render import headless_renderer",
        renderer: 'headless_renderer(env, "cartpole.mp4", fps=60.0)',
    }
    run(changed(example("record"), changes), tmp_path)
    check_clip(tmp_path / "cartpole.mp4")


def test_render(tmp_path):
    changes = {
        "import CartPole\n": "import CartPole\nfrom lerax_render import headless_renderer\n",
        "(env_states, dt": '(env_states, headless_renderer(env, "cartpole.mp4"), dt',
    }
    run(changed(example("render"), changes), tmp_path)
    check_clip(tmp_path / "cartpole.mp4")


def test_saving_and_loading(tmp_path):
    run(example("saving_and_loading"), tmp_path)
    size = {"width": 64, "height": 48}
    clip = Clip(env="CartPole", policy=("model.eqx",), folder=tmp_path, steps=4, **size)
    assert clip.record().frames().std() > 10


@pytest.mark.parametrize("name", ["gym_environment", "gymnax_environment"])
def test_trainings(tmp_path, name):
    printed = run(changed(example(name), LOGGING), tmp_path)
    assert "8,192" in printed
    assert [*tmp_path.glob("logs/PPO_*/events.out.tfevents.*")]


def test_curriculum(tmp_path):
    line = "from lerax.callback import CallbackList, ConsoleBackend, LoggingCallback"
    ours = "from lerax.callback import CallbackList\nfrom lerax_log import ConsoleBackend, "
    printed = run(changed(example("curriculum"), {line: ours + "LoggingCallback"}), tmp_path)
    assert "16,384" in printed
    assert "Final mass: 2.0" in printed
