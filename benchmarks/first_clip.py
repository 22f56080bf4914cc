"""From the command to a first clip: in processes of their own, by CPU and by wall time."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from lerax.env.classic_control import CartPole
from recorders import encoding_of, write_frames
from report import Section
from timing import Row, at_most, best_of, costs, cpu_time, known

from lerax_render import capture, record
from lerax_render.naming.loading import lerax_env_classes

WIDTH, HEIGHT = 640, 480
STEPS = 256
# Of what takes long to paint.
FEW_STEPS = 64
ROUNDS = 5
IMPORTS = [sys.executable, "-c", "import jax, lerax.env, pygame"]
WRONG_USAGE = 2
TOOL = [sys.executable, "-m", "lerax_render"]
# Lerax 0.0.5 has no Hopper.
MUJOCO = next(name for name in ("Hopper", "Humanoid") if name in lerax_env_classes())
AGAIN = """
import sys
import lerax_render as lr
replay = lr.Replay.load(sys.argv[1])
lr.record(replay, sys.argv[2])
"""


class Taken(NamedTuple):
    """Seconds that commands took, those that they started included."""

    cpu: float
    wall: float


def sections() -> Iterator[Section]:
    yield Section(
        "First clip",
        f"`lerax-render clip CartPole`, {STEPS} steps of {WIDTH}×{HEIGHT}, in a new process, next "
        "to the sum of `import jax, lerax.env, pygame` in one and of ffmpeg alone, which gets the "
        f"same raw frames from a file; all in turn, the least of {ROUNDS} rounds.",
        drawn(),
    )
    yield Section(
        "Second clip in the same process",
        "`record` of the same CartPole again, next to painting and encoding a replay of it.",
        [again()],
    )
    yield Section(
        "Second clip of a MuJoCo environment",
        f"`lerax-render clip {MUJOCO}`, {FEW_STEPS} steps in a new process, which reads its "
        "compiled program from the cache: without painting and encoding, which are measured by "
        f"themselves, next to a clip of CartPole with {STEPS} steps. One round.",
        posed(),
    )


def drawn() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder, "frames.raw")
        write_frames(raw, capture(CartPole(), steps=STEPS), WIDTH, HEIGHT)
        clip = [*TOOL, "clip", "CartPole", "-o", f"{folder}/clip.mp4"]
        commands = [
            clip,
            [*clip, "--no-cache"],
            IMPORTS,
            encoding_of(raw, WIDTH, HEIGHT),
            [*TOOL, "--help"],
            [*TOOL, "clip", "CartPole", "--heigth", "1"],
        ]
        cached, empty, imports, ffmpeg, help, wrong = in_turn(commands, Path(folder))
    cpu, wall = imports.cpu + ffmpeg.cpu, imports.wall + ffmpeg.wall
    return [
        costs("cached: the clip / imports and ffmpeg, CPU", cached.cpu, cpu, 1.35),
        known("cached: the clip / imports and ffmpeg, wall", cached.wall, wall, "s"),
        known("without a cache: the clip / imports and ffmpeg, CPU", empty.cpu, cpu, "s"),
        known("without a cache: the clip / imports and ffmpeg, wall", empty.wall, wall, "s"),
        at_most("`lerax-render --help`, CPU", help.cpu, 0.4, "s"),
        at_most("a wrong option, CPU", wrong.cpu, 0.4, "s"),
    ]


def again() -> Row:
    """A second clip in the same process, above painting and encoding."""
    env = CartPole()
    replay = capture(env, steps=STEPS)
    record(env)
    clip, alone = best_of(lambda: record(env), lambda: record(replay), rounds=9, clock=cpu_time)
    return at_most("CartPole: above painting and encoding, CPU", clip - alone, 0.05, "s")


def posed() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder)
        replay, clip = f"{folder}/clip.replay", [*TOOL, "clip", MUJOCO, "-n", str(FEW_STEPS)]
        plain = [*TOOL, "clip", "CartPole", "-o", f"{folder}/drawn.mp4"]
        # The first ones fill the cache.
        in_turn([[*clip, "-o", replay], plain], where, rounds=1)
        commands = [
            [*clip, "-o", f"{folder}/posed.mp4"],
            plain,
            [sys.executable, "-c", AGAIN, replay, f"{folder}/again.mp4"],
            [sys.executable, "-c", "import numpy, lerax_render, mujoco"],
        ]
        posed, drawn, painted, started = in_turn(commands, where, rounds=1)
    painting = painted.cpu - started.cpu
    return [
        costs(
            f"{MUJOCO} without painting and encoding / CartPole, CPU",
            posed.cpu - painting,
            drawn.cpu,
            1.5,
        )
    ]


def in_turn(commands: Sequence[Sequence[str]], cache: Path, rounds: int = ROUNDS) -> list[Taken]:
    """Run commands in turn, once before it counts, and return the least that each took.

    Args:
        commands: What to run.
        cache: A folder for compiled programs, and for what they write.
        rounds: How often it counts; with 1, that is the only time.
    """
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    for name in ("JAX_COMPILATION_CACHE_DIR", "PYTHONDONTWRITEBYTECODE"):
        environment.pop(name, None)
    turns = [
        [taken(command, cache, environment) for command in commands]
        for _ in range(rounds + (rounds > 1))
    ]
    counted = zip(*turns[rounds > 1 :], strict=True)
    return [Taken(*map(min, zip(*each, strict=True))) for each in counted]


def taken(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Taken:
    cpu, wall = cpu_time(), time.perf_counter()
    ended = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if ended.returncode not in (0, WRONG_USAGE):
        raise RuntimeError(f"{command} failed: {ended.stderr}")
    return Taken(cpu_time() - cpu, time.perf_counter() - wall)
