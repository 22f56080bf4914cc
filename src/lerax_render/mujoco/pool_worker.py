"""One of the processes behind `pose_processes`: poses in, pixels out, until the connection ends.

python -m lerax_render.mujoco.pool_worker FILE_DESCRIPTOR
"""

import sys
from multiprocessing.connection import Connection
from typing import Any

from .filament import FilamentRenderer
from .quality import CINEMATIC
from .renderer import HeadlessMujocoRenderer

type Renderer = FilamentRenderer | HeadlessMujocoRenderer


def open_renderer(model: Any, width: int, height: int, camera: Any, quality: str) -> Renderer:
    """Return the renderer for a quality.

    Args:
        model: A `mujoco.MjModel`.
        width: In pixels.
        height: In pixels.
        camera: As for `HeadlessMujocoRenderer`.
        quality: As for `HeadlessMujocoRenderer`, or `"cinematic"`.

    Raises:
        ValueError, TypeError, BackendUnavailableError: As for the renderers.
    """
    if quality == CINEMATIC:
        return FilamentRenderer(model, width, height, camera=camera)
    return HeadlessMujocoRenderer(model, width, height, camera=camera, quality=quality)


def main(descriptor: int) -> None:
    """Serve the other end of a connection: a renderer's arguments first, then batches of poses."""
    with Connection(descriptor) as connection:
        try:
            with open_renderer(*connection.recv()) as renderer:
                while True:
                    for pose in connection.recv():
                        frame = renderer.render(pose)
                        connection.send(None)
                        connection.send_bytes(memoryview(frame).cast("B"))
        except EOFError:
            return
        except Exception as error:
            connection.send(error)


if __name__ == "__main__":
    main(int(sys.argv[1]))
