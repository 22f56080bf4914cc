"""Rendering, next to Lerax's own recorder, Gymnasium's RecordVideo, bare MuJoCo and bare ffmpeg.

    python benchmarks/render.py [2d] [mujoco] [record] [memory]

All of it by default. Everything is warm: compiled and opened once before it is timed. RecordVideo
encodes with moviepy, which nothing here depends on: its rows appear where moviepy is installed.
"""

import contextlib
import importlib.util
import io
import logging
import os
import subprocess
import sys
import tempfile
import warnings
from collections import deque
from collections.abc import Callable
from pathlib import Path

import jax
import mujoco
import numpy as np
from jax import random as jr
from lerax.env import Acrobot, CartPole, MountainCar, Pendulum
from lerax.env.mujoco import Humanoid
from lerax.render import VideoRenderer
from lerax.utils import unstack_pytree
from timing import Row, best_of, costs, faster, peak_memory, show

from lerax_render import HeadlessMujocoRenderer, VideoWriter, record, render, rollout
from lerax_render.display import offscreen_display
from lerax_render.ffmpeg import find_ffmpeg
from lerax_render.formats import FORMATS
from lerax_render.sources import find_source
from lerax_render.sources.mjcf import MujocoScene

STEPS = 256
ENVS_2D = {
    "CartPole": CartPole,
    "Acrobot": Acrobot,
    "Pendulum": Pendulum,
    "MountainCar": MountainCar,
}


def gymnasium_mjcf(name: str) -> str:
    import gymnasium

    return str(Path(gymnasium.__file__).parent / "envs/mujoco/assets" / f"{name}.xml")


def humanoid() -> Humanoid:
    """Lerax's Humanoid on Gymnasium's MJCF, with a solver that MJX has."""
    with tempfile.NamedTemporaryFile("w", suffix=".xml") as file:
        file.write(Path(gymnasium_mjcf("humanoid")).read_text().replace('"PGS"', '"Newton"'))
        file.flush()
        return Humanoid(xml_file=file.name)


def exhaust(iterator) -> None:
    deque(iterator, maxlen=0)


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    error = np.mean((one.astype(float) - other.astype(float)) ** 2)
    return float("inf") if error == 0 else 10 * np.log10(255**2 / error)


def stages(name: str, env, width: int, height: int) -> None:
    """Frames a second of capture, paint and encode, each by itself."""
    source = find_source(env)
    drive = dict(num_steps=STEPS, key=jr.key(0), deterministic=False)

    def capture():
        return list(source.chunks(env, None, **drive))

    chunks = capture()
    options = dict(camera=None, quality="auto", pixel_format=source.pixel_format)
    with source.painter(env, width, height, **options) as painter:

        def paint():
            for chunk in chunks:
                exhaust(painter.paint(chunk.states))

        frames = [frame.copy() for chunk in chunks for frame in painter.paint(chunk.states)]

        def encode():
            with VideoWriter(None, 50, format="mp4", pixel_format=source.pixel_format) as writer:
                for frame in frames:
                    writer.write(frame)

        times = best_of(capture, paint, encode)
    rates = [f"{STEPS / seconds:>10,.0f}" for seconds in times]
    stage_rates = f"capture {rates[0]}  paint {rates[1]}  encode {rates[2]}  frames/s"
    print(f"{name:<12}{width}x{height}  {stage_rates}")


def paint_2d(name: str, env) -> Row:
    """RGB arrays out of `render`, next to Lerax's renderer called with each state."""
    states = rollout(env, num_steps=STEPS, key=jr.key(0)).states
    with offscreen_display():
        renderer = env.default_renderer()
        few = unstack_pytree(jax.tree.map(lambda x: jax.numpy.asarray(x[:24]), states))
        width, height = renderer.width, renderer.height

        def theirs():
            for state in few:
                env.render(state, renderer)
                renderer.as_array()

        def ours():
            exhaust(render(env, states, width=width, height=height))

        theirs(), ours()
        mine, upstream = best_of(ours, theirs)
    return faster(f"{name} {width}x{height}: render -> RGB", STEPS / mine, 24 / upstream, 40)


def whole_2d(name: str, env) -> list[Row]:
    """`record` next to ffmpeg alone on the same frames, and next to Lerax's VideoRenderer."""
    width, height = 800, 448
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / "frames.raw"
        source = find_source(env)
        painter = source.painter(
            env, width, height, camera=None, quality="auto", pixel_format=source.pixel_format
        )
        chunks = source.chunks(env, None, num_steps=STEPS, key=jr.key(0), deterministic=False)
        with raw.open("wb") as file:
            for chunk in chunks:
                for frame in painter.paint(chunk.states):
                    file.write(frame.tobytes())

        def ours():
            record(
                env, path=f"{folder}/ours.mp4", num_steps=STEPS, width=width, height=height, fps=50
            )

        def ffmpeg():
            command = [find_ffmpeg(), "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "bgr0"]
            command += [
                "-s",
                f"{width}x{height}",
                "-r",
                "50",
                "-i",
                str(raw),
            ]
            # What VideoWriter asks of ffmpeg, so that both do the same work.
            command += FORMATS["mp4"].arguments(width, height)
            subprocess.run(command, check=True, cwd=folder)

        def lerax():
            with offscreen_display():
                states = rollout(env, num_steps=STEPS // 4, key=jr.key(0)).states
                states = unstack_pytree(jax.tree.map(jax.numpy.asarray, states))
                env.render_states(
                    states, VideoRenderer(env.default_renderer(), f"{folder}/lerax.mp4", 50)
                )

        ours(), ffmpeg(), quietly(lerax)
        mine, bare = best_of(ours, ffmpeg, rounds=5)
        (upstream,) = best_of(lambda: quietly(lerax), rounds=1)
    return [
        costs(f"{name}: record / ffmpeg alone", mine, bare, 1.25),
        faster(f"{name}: record / Lerax's VideoRenderer", STEPS / mine, STEPS // 4 / upstream, 1),
    ]


def quietly(function: Callable[[], object]) -> None:
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.getLogger("imageio_ffmpeg").setLevel(logging.ERROR)
        function()


def paint_mujoco(name: str) -> list[Row]:
    """A frame of ours next to the bare loop at the same quality, and next to MuJoCo's defaults."""
    model = mujoco.MjModel.from_xml_path(gymnasium_mjcf(name))
    data = mujoco.MjData(model)
    poses = []
    for _ in range(24):
        mujoco.mj_step(model, data, 5)
        poses.append(data.qpos.copy())

    def loop(show: Callable[[], object]) -> Callable[[], None]:
        def run():
            for qpos in poses:
                data.qpos[:] = qpos
                mujoco.mj_forward(model, data)
                show()

        return run

    camera = mujoco.MjvCamera()
    mujoco.mjv_defaultFreeCamera(model, camera)
    rows = []
    with (
        HeadlessMujocoRenderer(model, 640, 480, camera=camera) as ours,
        HeadlessMujocoRenderer(model, 640, 480, camera=camera, quality="high") as high,
        mujoco.Renderer(model, 480, 640) as bare,
    ):
        model_quality = psnr(high.render(data), _bare(bare, data, camera))
        fidelity = psnr(ours.render(data), _bare(bare, data, camera))
        auto, at_high, theirs = best_of(
            loop(lambda: ours.render(data)),
            loop(lambda: high.render(data)),
            loop(lambda: _bare(bare, data, camera)),
        )
    frames = len(poses)
    rows.append(costs(f"{name}: high / bare loop ({model_quality:.0f} dB)", at_high, theirs, 1.1))
    rows.append(
        faster(
            f"{name}: auto / mujoco.Renderer ({fidelity:.1f} dB)",
            frames / auto,
            frames / theirs,
            2.5,
        )
    )
    return rows


def _bare(renderer: mujoco.Renderer, data: mujoco.MjData, camera) -> np.ndarray:
    renderer.update_scene(data, camera)
    return renderer.render()


def record_video() -> list[Row]:
    """`record` next to Gymnasium's RecordVideo."""
    if importlib.util.find_spec("moviepy") is None:
        print("RecordVideo: not measured, moviepy is not installed\n")
        return []
    import gymnasium

    def gym(name: str, steps: int, **options) -> Callable[[], None]:
        def run():
            with tempfile.TemporaryDirectory() as folder:
                env = gymnasium.make(name, render_mode="rgb_array", **options)
                env = gymnasium.wrappers.RecordVideo(
                    env,
                    folder,
                    episode_trigger=lambda n: n == 0,
                    video_length=steps,
                    disable_logger=True,
                )
                env.reset(seed=0)
                env.action_space.seed(0)
                for _ in range(steps):
                    _, _, terminated, truncated, _ = env.step(env.action_space.sample())
                    if terminated or truncated:
                        env.reset()
                env.close()

        return run

    with tempfile.TemporaryDirectory() as folder:
        cartpole, ant = CartPole(), MujocoScene(gymnasium_mjcf("ant"))

        def ours():
            record(cartpole, path=f"{folder}/c.mp4", num_steps=STEPS, width=600, height=400)

        def our_ant():
            record(ant, path=f"{folder}/a.mp4", num_steps=64, width=640, height=480)

        theirs, their_ant = gym("CartPole-v1", STEPS), gym("Ant-v5", 64, width=640, height=480)
        ours(), our_ant(), quietly(theirs), quietly(their_ant)
        mine, other = best_of(ours, lambda: quietly(theirs))
        mine_ant, other_ant = best_of(our_ant, lambda: quietly(their_ant), rounds=2)
    return [
        faster("CartPole 600x400, MP4", STEPS / mine, STEPS / other, 1),
        faster("Ant MJCF 640x480, MP4", 64 / mine_ant, 64 / other_ant, 2),
    ]


def memory() -> list[Row]:
    """Peak memory of a long clip next to that of a short one."""
    code = (
        "from lerax.env import CartPole; import lerax_render as lr; "
        "lr.record(CartPole(), path='{path}', num_steps={steps}, width=320, height=240)"
    )
    with tempfile.TemporaryDirectory() as folder:
        short, long = (
            peak_memory(code.format(path=f"{folder}/{steps}.mp4", steps=steps))
            for steps in (1_000, 10_000)
        )
    return [costs("CartPole: 10,000 / 1,000 steps", long, short, 1.15, "MB")]


def main(parts: list[str]) -> None:
    parts = parts or ["2d", "mujoco", "record", "memory"]
    if "2d" in parts:
        for name in ("CartPole", "Pendulum", "MountainCar"):
            stages(name, ENVS_2D[name](), 640, 480)
        print()
        show("2D paint", [paint_2d(name, env()) for name, env in ENVS_2D.items()])
        show(
            "2D clips",
            [row for n in ("CartPole", "MountainCar") for row in whole_2d(n, ENVS_2D[n]())],
        )
    if "mujoco" in parts:
        stages("Humanoid", humanoid(), 640, 480)
        print()
        names = ("ant", "humanoid", "half_cheetah")
        show("MuJoCo paint, 640x480", [row for name in names for row in paint_mujoco(name)])
    if "record" in parts:
        show("Whole clips next to RecordVideo", record_video())
    if "memory" in parts:
        show("Peak memory", memory())


if __name__ == "__main__":
    if "MUJOCO_GL" not in os.environ:
        # mujoco.Renderer and Gymnasium need it, from before mujoco is imported; we do not.
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, "MUJOCO_GL": "egl"})
    main(sys.argv[1:])
