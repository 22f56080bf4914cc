"""A renderer for Lerax's own way: `env.render(state, renderer)`, and a clip of what is drawn."""

import os
from fractions import Fraction
from typing import TYPE_CHECKING, Any, BinaryIO

from .making import frames_per_second
from .settings import FormatName, Picture, QualityName
from .sources import find_source
from .video import VideoWriter

if TYPE_CHECKING:
    from .mujoco import HeadlessMujocoRenderer
    from .paint2d import HeadlessPygameRenderer


def headless_renderer(
    env: Any,
    path: str | os.PathLike[str] | BinaryIO | None = None,
    *,
    fps: float | Fraction | None = None,
    width: int | None = None,
    height: int | None = None,
    camera: Any | None = None,
    quality: QualityName = "auto",
    background: str | None = None,
    format: FormatName | None = None,
) -> "HeadlessPygameRenderer | HeadlessMujocoRenderer":
    """Make a renderer that `env.render` takes in the place of Lerax's, and that needs no display.

        renderer = lr.headless_renderer(env)  # for env.default_renderer()
        env.render(state, renderer)
        frame = renderer.as_array()

        renderer = lr.headless_renderer(env, "clip.mp4")  # for VideoRenderer, MujocoVideoRenderer
        env.render_stacked(states, renderer)

    Args:
        env: A Lerax environment that is drawn in 2D or by MuJoCo, wrapped or not.
        path: Where a clip of all that is drawn goes, as for `record`: whole when the renderer is
            closed, as `env.render_stacked` and `env.render_states` do. `None` makes no clip.
        fps: Of the clip, as for `record`.
        width: MuJoCo only, as for `record`; in 2D the picture is as large as that of
            `env.default_renderer()`.
        height: Likewise.
        camera: As for `record`.
        quality: As for `record`, but for `"cinematic"`.
        background: As for `record`.
        format: Of the clip, as for `record`.

    Returns:
        A `HeadlessPygameRenderer` or a `HeadlessMujocoRenderer`, open.

    Raises:
        ValueError, TypeError: An argument is wrong.
        UnsupportedEnvError: The environment is drawn in another way.
        BackendUnavailableError: No GL platform works.
    """
    picture = Picture(
        width=width, height=height, camera=camera, quality=quality, background=background
    )
    source = find_source(env)
    video = None
    if path is not None:
        rate = frames_per_second(source.seconds_per_step(env)) if fps is None else fps
        video = VideoWriter(path, rate, format=format)
    made: HeadlessPygameRenderer | HeadlessMujocoRenderer
    made = source.scene(env).renderer(picture, video)
    return made
