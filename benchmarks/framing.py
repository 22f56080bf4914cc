"""How well the default camera shows what moves, and what it takes to find out."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

from report import Section
from timing import Row, at_least, costs

import lerax_render as lr
from lerax_render.mujoco.aim import frame

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "tests"))

from support.framing_measure import measure  # noqa: E402

STEPS = 256


def sections() -> Iterator[Section]:
    import gymnasium.envs.mujoco as envs

    models = sorted((Path(envs.__file__).parent / "assets").glob("*.xml"))
    # It does not move by itself.
    models = [model for model in models if model.stem != "point"]
    models += sorted((ROOT / "assets/scenes").glob("*.xml"))
    right = framing = painting = 0.0
    wrong = []
    for path in models:
        replay = lr.capture(lr.Simulation(path), steps=STEPS)
        begun = time.process_time()
        view = frame(replay.scene.model, replay.captured, None, 4 / 3)
        framing += time.process_time() - begun
        begun = time.process_time()
        for _ in lr.render(replay[:STEPS], width=640, height=480):
            pass
        painting += time.process_time() - begun
        if measure(replay, view, stride=8).is_right:
            right += 1
        else:
            wrong.append(path.stem)
    rows: list[Row] = [
        at_least("models that are shown right", right, round(len(models) * 0.95), "models"),
        costs("framing / painting 256 frames", framing, painting, 0.05),
    ]
    yield Section(
        "Framing",
        "The default camera on Gymnasium's MuJoCo models and ours, with sampled controls. Right "
        "means, in pixels: 98 % of the frames hold 90 % of each mover's silhouette, movers touch "
        "the rim in 2 % at most, and are large enough and not hidden "
        "(`tests/support/framing_measure.py`).",
        rows,
        note=f"Not right: {', '.join(wrong)}." if wrong else "",
    )
