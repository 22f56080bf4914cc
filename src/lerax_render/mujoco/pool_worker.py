"""One of the processes behind `PoseProcesses`: poses in, pixels out, until the connection ends.

python -m lerax_render.mujoco.pool_worker FILE_DESCRIPTOR
"""

import sys
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from ..settings import Picture
from .aim import View
from .filament import FilamentRenderer
from .look import CINEMATIC, drawn_as
from .modality import DepthRenderer, SegmentationRenderer
from .renderer import HeadlessMujocoRenderer

if TYPE_CHECKING:
    import mujoco

type Renderer = FilamentRenderer | HeadlessMujocoRenderer | DepthRenderer | SegmentationRenderer


def open_renderer(model: "mujoco.MjModel", picture: Picture) -> Renderer:
    """Return the renderer for a picture's quality.

    Args:
        model: The model.
        picture: What the frames look like.

    Raises:
        ValueError, TypeError, BackendUnavailableError: As for the renderers.
    """
    drawn = drawn_as(model, picture)
    if picture.quality == CINEMATIC:
        usual = Picture()
        for name in ("show", "hide", "trail", "decorate", "modality", "light"):
            given = getattr(picture, name)
            if given != getattr(usual, name):
                raise ValueError(
                    f"{name}={given!r} was given, but quality='cinematic' draws what it draws: "
                    f"leave {name} out, or take another quality"
                )
        return FilamentRenderer(drawn.model, *picture.size, camera=picture.camera)
    (modality,) = picture.modality
    renderer = HeadlessMujocoRenderer(
        drawn.model,
        *picture.size,
        camera=picture.camera,
        # What is measured is drawn in its own way, after the picture.
        quality=picture.quality if modality == "color" else "draft",
        background=picture.background,
        light=picture.light,
        visual_options=drawn.options,
        drawing_passes=drawn.passes,
    )
    if modality == "depth":
        return DepthRenderer(renderer, picture.max_depth)
    return SegmentationRenderer(renderer) if modality == "segmentation" else renderer


def main(descriptor: int) -> None:
    """Serve the other end of a connection: a renderer's arguments first, then views
    and batches of poses."""
    with Connection(descriptor) as connection:
        try:
            with open_renderer(*connection.recv()) as renderer:
                while True:
                    message = connection.recv()
                    if isinstance(message, View):
                        renderer.aim(message)
                        continue
                    for pose, decorate in message:
                        frame = renderer.render(pose, decorate)
                        connection.send(None)
                        connection.send_bytes(memoryview(frame).cast("B"))
        except EOFError:
            return
        except Exception as error:
            connection.send(error)


if __name__ == "__main__":
    main(int(sys.argv[1]))
