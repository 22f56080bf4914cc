"""Whole clips, next to Lerax's recorder, Gymnasium's RecordVideo, mediapy and ffmpeg alone.

RecordVideo, which encodes with moviepy, and mediapy are no dependencies of the project: they are
measured where they can be imported.
"""

import importlib.util
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jax import random as jr
from lerax.env.classic_control import CartPole, MountainCar
from lerax.render import VideoRenderer
from lerax.utils import unstack_pytree
from report import Section, number
from scenes import gymnasium_mjcf
from timing import Row, best_of, costs, cpu_time, faster, known, psnr, quietly

from lerax_render import Replay, VideoWriter, capture, record, render, rollout
from lerax_render.paint2d.offscreen import offscreen_display
from lerax_render.settings.picture import Picture
from lerax_render.sources.simulation import Simulation
from lerax_render.video import Encoding, VideoReader
from lerax_render.video.ffmpeg import find_ffmpeg
from lerax_render.video.formats import FORMATS

STEPS = 256
FEW_STEPS = 64
MISSING = "Not measured in this run: {} is not installed."


def sections() -> Iterator[Section]:
    yield Section(
        "2D clips",
        f"`record`, warm, {STEPS} steps of 800×448 into an MP4 file: next to ffmpeg alone, which "
        "gets the same raw frames from a file and the same options, and next to Lerax's own "
        "`VideoRenderer`.",
        [row for env in (CartPole(), MountainCar()) for row in whole_2d(env)],
    )
    title = "Clips next to Gymnasium's `RecordVideo`"
    if is_installed("moviepy"):
        prose = f"Whole MP4 clips, warm: CartPole of {STEPS} steps, Ant's MJCF of {FEW_STEPS}."
        yield Section(title, prose, record_video())
    else:
        yield Section(title, MISSING.format("moviepy, with which it encodes,"))
    title = "Encoding next to mediapy"
    if is_installed("mediapy"):
        yield next_to_mediapy(title)
    else:
        yield Section(title, MISSING.format("mediapy"))


def is_installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def write_frames(raw: Path, replay: Replay, width: int, height: int) -> None:
    """Paint a replay into a file of raw frames, four bytes a pixel."""
    picture = Picture(width=width, height=height)
    with raw.open("wb") as file, replay.scene.painter(picture, pixel_format="bgr0") as painter:
        for frame in painter.paint(replay.captured):
            file.write(frame.tobytes())


def encoding_of(raw: Path, width: int, height: int) -> list[str]:
    """Return the command that makes an MP4 of raw frames as `VideoWriter` does, in its folder."""
    source = f"-v error -y -f rawvideo -pix_fmt bgr0 -s {width}x{height} -r 50 -i {raw}"
    output = FORMATS["mp4"].arguments(width, height, encoding=Encoding(drawn=True))
    return [find_ffmpeg(), *source.split(), *output]


def whole_2d(env: Any) -> list[Row]:
    width, height = 800, 448
    name = type(env).__name__
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / "frames.raw"
        write_frames(raw, capture(env, steps=STEPS), width, height)

        def ours() -> None:
            path = f"{folder}/ours.mp4"
            record(env, path=path, steps=STEPS, width=width, height=height, fps=50)

        def ffmpeg() -> None:
            subprocess.run(encoding_of(raw, width, height), check=True, cwd=folder)

        @quietly
        def lerax() -> None:
            with offscreen_display():
                states = rollout(env, steps=FEW_STEPS, key=jr.key(0)).states
                states = unstack_pytree(jax.tree.map(jax.numpy.asarray, states))
                renderer = VideoRenderer(env.default_renderer(), f"{folder}/lerax.mp4", 50)
                env.render_states(states, renderer)

        for warm_up in (ours, ffmpeg, lerax):
            warm_up()
        mine, alone = best_of(ours, ffmpeg, rounds=5)
        cpu = best_of(ours, ffmpeg, rounds=5, clock=cpu_time)
        (upstream,) = best_of(lerax, rounds=2)
    return [
        costs(f"{name}: `record` / ffmpeg alone", mine, alone, 1.15),
        costs(f"{name}: `record` / ffmpeg alone, CPU time", *cpu, 1.15),
        faster(f"{name}: `record` / `VideoRenderer`", STEPS / mine, FEW_STEPS / upstream, 1),
    ]


def record_video() -> list[Row]:
    import gymnasium

    def gym(name: str, steps: int, **options: Any) -> Callable[[], None]:
        @quietly
        def run() -> None:
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
        cartpole, ant = CartPole(), Simulation(gymnasium_mjcf("ant"))

        def ours() -> None:
            record(cartpole, path=f"{folder}/c.mp4", steps=STEPS, width=600, height=400)

        def our_ant() -> None:
            record(ant, path=f"{folder}/a.mp4", steps=FEW_STEPS, width=640, height=480)

        theirs = gym("CartPole-v1", STEPS)
        their_ant = gym("Ant-v5", FEW_STEPS, width=640, height=480)
        for warm_up in (ours, theirs, our_ant, their_ant):
            warm_up()
        mine, other = best_of(ours, theirs)
        mine_ant, other_ant = best_of(our_ant, their_ant, rounds=2)
    return [
        faster("CartPole 600×400: `record` / `RecordVideo`", STEPS / mine, STEPS / other, 1),
        faster(
            "Ant 640×480: `record` / `RecordVideo`",
            FEW_STEPS / mine_ant,
            FEW_STEPS / other_ant,
            2,
        ),
    ]


def next_to_mediapy(title: str) -> Section:
    import mediapy

    mediapy.set_ffmpeg(find_ffmpeg())
    width, height = 640, 480
    env = CartPole()
    states = rollout(env, steps=STEPS, key=jr.key(0)).states
    frames = list(render(env, states, width=width, height=height))
    rows, table = [], [("", "ours, kB", "mediapy, kB", "ours, dB", "mediapy, dB")]
    with tempfile.TemporaryDirectory() as folder:
        for format, codec in (("mp4", "h264"), ("gif", "gif")):
            paths = [Path(folder, f"{who}.{format}") for who in ("ours", "theirs")]

            def ours(path: Path = paths[0]) -> None:
                with VideoWriter(path, 50) as writer:
                    for frame in frames:
                        writer.write(frame)

            def theirs(path: Path = paths[1], codec: str = codec) -> None:
                mediapy.write_video(path, frames, codec=codec, fps=50)

            name = f"{format.upper()}: `VideoWriter` / `mediapy.write_video`"
            for clock, suffix in ((time.perf_counter, ""), (cpu_time, ", by CPU time")):
                mine, other = best_of(ours, theirs, rounds=5, clock=clock)
                rows.append(faster(name + suffix, STEPS / mine, STEPS / other, 1))
            pictures = []
            for path in paths:
                with VideoReader(path) as reader:
                    pictures.append(np.stack(list(reader)))
            table.append(
                (
                    format.upper(),
                    *(number(path.stat().st_size / 1000) for path in paths),
                    *(number(psnr(np.stack(frames), each)) for each in pictures),
                )
            )
    rows.append(repeats(frames))
    return Section(
        title,
        f"The same {STEPS} RGB frames of CartPole, {width}×{height}, through the same ffmpeg, each "
        "with its own defaults: the time, and the size and the PSNR of what comes out.",
        rows,
        table,
        "The palette of a GIF holds all of CartPole's few colours. Of the two MP4 files only ours "
        "says which colour space it is in; a browser guesses the other's by its size.",
    )


def repeats(frames: list[np.ndarray]) -> Row:
    def encode(shown: list[np.ndarray]) -> None:
        with VideoWriter(None, 50, format="mp4") as writer:
            for frame in shown:
                writer.write(frame)

    repeated = [frames[0]] * len(frames)
    same, fresh = best_of(
        lambda: encode(repeated), lambda: encode(frames), rounds=5, clock=cpu_time
    )
    return known("MP4: frames that repeat / that differ, CPU time", same, fresh, "s")
