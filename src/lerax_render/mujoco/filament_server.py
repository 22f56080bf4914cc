"""The process behind `filament_renderer`: states in, pixels out, until the connection ends.

    python -m lerax_render.mujoco.filament_server FILE_DESCRIPTOR

Filament aborts its whole process where there is no Vulkan or something goes wrong, writes to
stdout, and must be ended on the thread that began it: so it has a process of its own.
"""

import sys
from multiprocessing.connection import Connection
from typing import Any

import mujoco
import numpy as np
from mujoco import mjrf

# Importing it registers where Filament finds its materials and the light of the sky.
from mujoco.studio import window

from .pose import PoseLoader

# Lux, as MuJoCo's own viewer has it (`ModelScene.get_headlight_intensity` in mujoco.studio).
_HEADLIGHT = 40_000.0

__all__ = ["main", "window"]


class Stage:
    """One model, ready to be drawn.

    Args:
        model: The model.
        width: Of the picture in pixels.
        height: Of the picture in pixels.
    """

    def __init__(self, model: mujoco.MjModel, width: int, height: int) -> None:
        options = mujoco.MjvOption()
        self._loader = PoseLoader(model, options)
        self._context = mjrf.Context(
            mjrf.ContextConfig(graphics_api=mjrf.GraphicsApi.GRAPHICS_API_VULKAN)
        )
        self._resources = mjrf.ModelResources(self._context, model)
        scene = self._context.create_scene(mjrf.SceneParams())
        scene.configure_from_model(model)
        self._lights = mjrf.ModelLights(scene, self._resources)
        self._shapes = mjrf.ModelRenderables(scene, self._resources)
        self._shapes.set_options(options)
        self.pixels = np.zeros((height, width, 3), np.uint8)
        target = self._context.create_render_target(
            mjrf.RenderTargetConfig(
                width=width, height=height, color_format=mjrf.PixelFormat.PIXEL_FORMAT_RGB8
            )
        )
        # Requests do not keep alive what they name.
        self._named = scene, target
        self._read = mjrf.ReadRequest(target=target)
        self._read.set_buffer(self.pixels)
        self._request = request = mjrf.RenderRequest()
        request.scene, request.target = scene, target
        request.viewport.left = request.viewport.bottom = 0
        request.viewport.width, request.viewport.height = width, height
        # MuJoCo 4.0.0 draws reflections upside down through Vulkan.
        request.reflections = False
        request.headlight = bool(model.vis.headlight.active)
        request.headlight_color = model.vis.headlight.diffuse
        request.headlight_intensity = _HEADLIGHT

    def draw(self, pose: Any, camera: dict[str, Any]) -> np.ndarray:
        """Draw a pose as a camera sees it, given as fields of `mujoco.MjvGLCamera`.

        Returns:
            RGB, `uint8 (H, W, 3)`, row 0 on top; the next picture overwrites it.
        """
        self._loader.load(pose)
        self._lights.update(self._loader.data)
        self._shapes.update(self._loader.data)
        self._request.camera = mjrf.Camera(**camera)
        self._context.wait_for_frame(self._context.render([self._request], [self._read]))
        return self.pixels


def main(descriptor: int) -> None:
    """Serve the other end of a connection: a stage's arguments first, then what it draws."""
    with Connection(descriptor) as connection:
        stage = Stage(*connection.recv())
        connection.send(None)
        while True:
            try:
                asked = connection.recv()
            except EOFError:
                return
            connection.send_bytes(stage.draw(*asked).reshape(-1))


if __name__ == "__main__":
    main(int(sys.argv[1]))
