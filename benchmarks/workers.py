"""One MuJoCo clip painted by several processes: what they bring, against cores."""

import os
from collections.abc import Iterator
from contextlib import closing

from report import Section
from scenes import gymnasium_mjcf
from timing import Row, best_of, exhaust, known

from lerax_render import capture, record
from lerax_render.mujoco.pool import PoseProcesses
from lerax_render.mujoco.pose import poses
from lerax_render.settings.picture import Picture
from lerax_render.sources.simulation import Simulation

FRAMES = 48
CLIP_STEPS = 256
WIDTH, HEIGHT = 640, 480


def sections() -> Iterator[Section]:
    cores = sorted(os.sched_getaffinity(0))
    counts = sorted({1, 2, 4, 8, 16, len(cores)} & set(range(1, len(cores) + 1)))
    yield Section(
        "One clip, several processes",
        f"Painting Ant at {WIDTH}×{HEIGHT}, `auto`, by as many processes as cores, next to one "
        "process on the same cores; all of them started. Then whole clips of "
        f"{CLIP_STEPS} steps, starting included.",
        [*painting(cores, counts), *clips(counts)],
        note="Mesa's software GL spreads the pixels of one picture over all cores, but not what "
        "comes before the pixels; processes spread that, too.",
    )


def painting(cores: list[int], counts: list[int]) -> Iterator[Row]:
    scene = Simulation(gymnasium_mjcf("ant"))
    states = [(pose, None) for pose in poses(capture(scene, steps=FRAMES).captured)]
    try:
        for count in counts:
            # Processes inherit it, and Mesa asks for it when it starts its threads.
            os.sched_setaffinity(0, cores[:count])
            arguments = (scene.model, Picture(width=WIDTH, height=HEIGHT))
            with (
                closing(PoseProcesses(count, *arguments)) as many,
                closing(PoseProcesses(1, *arguments)) as one,
            ):
                exhaust(many.render(states[: 8 * count]))
                exhaust(one.render(states[:8]))
                ours, theirs = best_of(
                    lambda p=many: exhaust(p.render(states)),
                    lambda p=one: exhaust(p.render(states)),
                )
            what = f"{count} core{'s' * (count > 1)}: {count} process{'es' * (count > 1)} / 1"
            yield known(what, FRAMES / ours, FRAMES / theirs, "frames/s")
    finally:
        os.sched_setaffinity(0, cores)


def clips(counts: list[int]) -> Iterator[Row]:
    scene = Simulation(gymnasium_mjcf("ant"))

    def clip(workers: int) -> None:
        record(scene, steps=CLIP_STEPS, width=WIDTH, height=HEIGHT, workers=workers)

    ours, theirs = best_of(lambda: clip(counts[-1]), lambda: clip(1), rounds=2)
    what = f"a whole clip: {counts[-1]} processes / 1"
    yield known(what, CLIP_STEPS / ours, CLIP_STEPS / theirs, "frames/s")
