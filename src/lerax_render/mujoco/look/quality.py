"""How carefully MuJoCo draws: a table of what its time goes into."""

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # Not at run time: what is asked here before any work must not need MuJoCo to be importable.
    import mujoco


@dataclass(frozen=True)
class Quality:
    """Limits on the settings of MuJoCo's renderer that cost time.

    Attributes:
        samples: Antialiasing samples a pixel (`offsamples`).
        shadow_size: Side of the shadow map, in texels (`shadowsize`).
        slices: Corners of a round shape's outline (`numslices`).
        stacks: Rings along a round shape (`numstacks`).
        at_least: Whether the numbers are the least rather than the most of each. What the model
            switches off, with a zero, stays off.
        without: Drawing passes left out, as names of `mujoco.mjtRndFlag`.
    """

    samples: int
    shadow_size: int
    slices: int
    stacks: int
    at_least: bool = False
    without: tuple[str, ...] = ()


# With llvmpipe at 640x480, on gymnasium's Ant, Humanoid and HalfCheetah, and against MuJoCo's own
# defaults: draft is 10 to 14 times as fast, and standard 4.7 to 5.5 times, at 42 to 45 dB (PSNR).
# Antialiasing and shadows cost most; the small shadow map suffices because of `Shadows`.
QUALITIES = {
    "draft": Quality(0, 0, 12, 8, without=("mjRND_SHADOW", "mjRND_REFLECTION")),
    "standard": Quality(0, 1024, 20, 12),
    "high": Quality(4, 4096, 28, 16, at_least=True),
}
NAMES = ("auto", *QUALITIES)
# Drawn by another renderer altogether: see `filament_renderer`.
CINEMATIC = "cinematic"


def choose(name: str, *, software: bool) -> str:
    """The row of `QUALITIES` that `name` stands for: `auto` asks what draws."""
    if name != "auto":
        return name
    return "standard" if software else "high"


def check_name(name: str, *further: str) -> None:
    """Raise ValueError unless `name` is one of `NAMES`, or of those further ones."""
    names = (*NAMES, *further)
    if name not in names:
        raise ValueError(f"quality must be one of {', '.join(names)}, got {name!r}")


def adapt(model: "mujoco.MjModel", quality: Quality, width: int, height: int) -> "mujoco.MjModel":
    """A copy of the model to make a drawing context from, at this quality and size.

    A copy, since MuJoCo reads these settings from the model, and the model is the user's: another
    thread may be reading it at this moment.
    """
    model = copy.copy(model)
    model.vis.global_.offwidth = width
    model.vis.global_.offheight = height
    settings = model.vis.quality
    limit = max if quality.at_least else min
    for name, value in (
        ("offsamples", quality.samples),
        ("shadowsize", quality.shadow_size),
        ("numslices", quality.slices),
        ("numstacks", quality.stacks),
    ):
        own = getattr(settings, name)
        setattr(settings, name, limit(own, value) if own else 0)
    return model
