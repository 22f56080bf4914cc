"""Videos of Lerax environments and policies, on machines without a display.

    import lerax_render as lr

    video = lr.record(env, policy, "clip.mp4", num_steps=256)

Importing this package loads none of JAX, MuJoCo, pygame or GL: each public name below imports its
module when it is first used.
"""

import importlib
from typing import TYPE_CHECKING

from .errors import (
    BackendUnavailableError,
    EncodeError,
    RenderError,
    RenderWarning,
    UnsupportedEnvError,
)

if TYPE_CHECKING:
    from .clips import Clip
    from .encode import VideoWriter
    from .mujoco_renderer import Camera, HeadlessMujocoRenderer
    from .pygame_renderer import HeadlessPygameRenderer
    from .recorder import record, render, try_record
    from .rendering import Job, Outcome, render_clips
    from .rollouts import Rollout, rollout
    from .sources.mjcf import MujocoScene
    from .video import Video

__version__ = "0.1.0"

__all__ = [
    "BackendUnavailableError",
    "Camera",
    "Clip",
    "EncodeError",
    "HeadlessMujocoRenderer",
    "HeadlessPygameRenderer",
    "Job",
    "MujocoScene",
    "Outcome",
    "RenderError",
    "RenderWarning",
    "Rollout",
    "UnsupportedEnvError",
    "Video",
    "VideoWriter",
    "record",
    "render",
    "render_clips",
    "rollout",
    "try_record",
]

# No module may bear the name of a public function: importing it would put the module in the
# function's place, which is why `record` lives in `recorder` and `rollout` in `rollouts`.
_HOMES = {
    "Camera": "mujoco_renderer",
    "Clip": "clips",
    "HeadlessMujocoRenderer": "mujoco_renderer",
    "HeadlessPygameRenderer": "pygame_renderer",
    "Job": "rendering",
    "MujocoScene": "sources.mjcf",
    "Outcome": "rendering",
    "Rollout": "rollouts",
    "Video": "video",
    "VideoWriter": "encode",
    "record": "recorder",
    "render": "recorder",
    "render_clips": "rendering",
    "rollout": "rollouts",
    "try_record": "recorder",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
