"""What several cameras and plots cost, next to one camera and to a clip without."""

from collections.abc import Iterator

from lerax.env.classic_control import CartPole
from report import Section
from scenes import gymnasium_mjcf
from timing import Row, best_of, costs, cpu_time, exhaust

from lerax_render import Camera, Replay, Simulation, capture, record
from lerax_render.mujoco.tiles import looks_of
from lerax_render.settings import Picture

STEPS, POSES = 512, 16
# Each takes a fraction of a second, and other work on the machine more than what is measured.
ROUNDS = 9
DIRECTIONS = (90.0, 0.0, 45.0, 135.0)


def sections() -> Iterator[Section]:
    replay = capture(CartPole(), steps=STEPS)
    yield Section(
        "Plots in a clip",
        "A clip of a replay with curves below its picture, next to one of the same size without. "
        "CPU time.",
        [
            with_plots(replay, 320, 240, ("return",)),
            with_plots(replay, 640, 480, ("return",)),
            with_plots(replay, 640, 480, ("return", "obs")),
        ],
    )
    replay = capture(Simulation(gymnasium_mjcf("half_cheetah")), steps=POSES)
    yield Section(
        "Several cameras in one picture",
        "Painting of 640×480 pictures, next to that of each of their tiles by itself. CPU time.",
        [with_cameras(replay, count) for count in (2, 4)],
    )


def with_plots(replay: Replay, width: int, height: int, plots: tuple[str, ...]) -> Row:
    def plain() -> None:
        record(replay, width=width, height=height)

    def plotted() -> None:
        record(replay, width=width, height=height, plot=plots)

    seconds, without = best_of(plotted, plain, rounds=ROUNDS, clock=cpu_time)
    what = f"CartPole, {width}×{height}: with {' and '.join(plots)} / without"
    return costs(what, seconds, without, 1.1)


def with_cameras(replay: Replay, count: int) -> Row:
    cameras = [Camera(azimuth=each, elevation=-20, distance=4) for each in DIRECTIONS[:count]]
    picture = Picture(width=640, height=480, camera=cameras)
    looks = looks_of(replay.scene.model, picture)
    together = replay.scene.painter(picture)
    alone = [replay.scene.painter(look.picture) for look in looks]

    def one_by_one() -> None:
        for painter in alone:
            exhaust(painter.paint(replay.captured))

    seconds, apart = best_of(
        lambda: exhaust(together.paint(replay.captured)), one_by_one, rounds=ROUNDS, clock=cpu_time
    )
    for painter in (together, *alone):
        painter.close()
    return costs(f"HalfCheetah: {count} cameras / {count} × one", seconds, apart, 1.02)
