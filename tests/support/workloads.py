"""What is done many times, each called in a process of its own."""

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import mujoco
import numpy as np
from lerax.render import Color

from lerax_log import AbstractLoggingBackend, LoggingCallback
from lerax_render import HeadlessPygameRenderer, VideoWriter, record
from lerax_render.mujoco.filament import FilamentRenderer
from lerax_render.mujoco.renderer import HeadlessMujocoRenderer
from support.environments import Counting
from support.meter import assert_no_growth
from support.trainings import ITERATIONS, Training

SCENE = """
<mujoco>
  <asset>
    <texture name="checks" type="2d" builtin="checker" width="64" height="64" rgb1="1 0 0"/>
    <material name="checks" texture="checks"/>
  </asset>
  <worldbody>
    <light pos="0 0 3"/>
    <geom type="plane" size="1 1 .1" material="checks"/>
    <geom size=".2"/>
  </worldbody>
</mujoco>
"""


def in_folder(folder: str, workload: Callable[..., None], *arguments: Any) -> None:
    """Call a workload with a folder of its own for what is temporary."""
    tempfile.tempdir = folder
    workload(*arguments)


def mujoco_renderers(platform: str, rounds: int, warm_up: int, slope: int) -> None:
    """Create, paint and close; in a process for each GL platform, since MuJoCo keeps to one."""
    model = mujoco.MjModel.from_xml_string(SCENE)
    data = mujoco.MjData(model)

    def once(_: int) -> None:
        with HeadlessMujocoRenderer(model, 32, 24, gl=platform, quality="draft") as renderer:
            assert renderer.render(data).any()

    assert_no_growth(f"MuJoCo, {platform}", once, rounds, warm_up=warm_up, slope=slope)


def pygame_renderers(rounds: int, warm_up: int, slope: int) -> None:
    """Create, draw and close."""

    def once(_: int) -> None:
        renderer = HeadlessPygameRenderer(320, 240)
        renderer.clear()
        renderer.draw_circle((160, 120), 50, Color(0.2, 0.4, 0.6))
        renderer.draw_text((160, 120), "soak", Color(1.0, 1.0, 1.0), 20)
        assert (renderer.as_array() != 255).any()
        renderer.close()

    assert_no_growth("pygame", once, rounds, warm_up=warm_up, slope=slope)


def filament_renderers(rounds: int, warm_up: int, slope: int) -> None:
    """Create, paint and close, with a process for each."""
    model = mujoco.MjModel.from_xml_string(SCENE)
    data = mujoco.MjData(model)

    def once(_: int) -> None:
        renderer = FilamentRenderer(model, 32, 24)
        assert renderer.render(data).any()
        renderer.close()

    assert_no_growth("Filament", once, rounds, warm_up=warm_up, slope=slope)


def clips(folder: str, rounds: int, warm_up: int, slope: int) -> None:
    """`record` to files of all kinds, and a writer whose block ends with an error."""
    env = Counting()
    targets = ["clip.mp4", "clip.gif", "clip.webp", "clip.apng", "frames_%d.png", None]

    def once(number: int) -> None:
        target = targets[number % len(targets)]
        path = None if target is None else Path(folder) / target
        assert record(env, path=path, steps=2, width=16, height=12).num_frames == 2
        if number % 10 == 0:
            try:
                with VideoWriter(path, 20, format=None if path else "gif") as writer:
                    writer.write(np.zeros((12, 16, 3), np.uint8))
                    raise InterruptedError
            except InterruptedError:
                pass

    assert_no_growth("clips", once, rounds, warm_up=warm_up, slope=slope)


class Counted(AbstractLoggingBackend):
    """Wants clips, and keeps none."""

    video_formats = ("mp4",)
    clips = 0

    def open(self, name: str) -> None:
        pass

    def log_scalars(self, scalars: Mapping[str, float], step: int) -> None:
        pass

    def log_video(self, tag: str, video: Any, step: int) -> None:
        Counted.clips += 1

    def close(self) -> None:
        pass


def recordings(rounds: int, warm_up: int, slope: int) -> None:
    """Trainings, one after the other, each of whose iterations is recorded."""
    training = Training()
    callback = LoggingCallback(
        Counted(),
        video_interval=1,
        video_num_steps=2,
        video_width=16,
        video_height=12,
        video_keep=False,
        video_mode="block",
    )

    def once(number: int) -> None:
        training(callback, seed=number)
        callback.close()
        # The untrained policy's, too.
        assert Counted.clips == (number + 1) * (ITERATIONS + 1)

    assert_no_growth(
        f"trainings with {ITERATIONS} recordings each",
        once,
        rounds,
        warm_up=warm_up,
        slope=slope,
    )
