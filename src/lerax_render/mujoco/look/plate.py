"""Painting only what moves.

MuJoCo paints whole pictures. Where camera and lights stand, all that stands is painted once,
without what moves: film calls that a clean plate. Into it goes the rectangle that what moves, its
shadows and its mirror images touch (`reach`); MuJoCo paints that alone when its camera's frustum is
a part of the whole one. A picture so depends on its state alone, and not on those before.
"""

from collections.abc import Callable

import mujoco
import numpy as np

from .reach import part_of_view, part_that_moves
from .seen import Seen

type Update = Callable[[mujoco.MjvScene, int], None]
type Draw = Callable[[mujoco.MjvScene, mujoco.MjrRect, np.ndarray], None]


class Plate:
    """Paints one scene again and again.

    Args:
        model: The model.
        scene: Its scene.
        whole: The picture.
    """

    def __init__(
        self, model: mujoco.MjModel, scene: mujoco.MjvScene, whole: mujoco.MjrRect
    ) -> None:
        self._model = model
        self._scene = scene
        self._whole = whole
        self._seen: Seen | None = None
        self._standing: Seen | None = None
        self._still: mujoco.MjvScene | None = None

    def paint(
        self, pixels: np.ndarray, drawing: mujoco.MjrContext, update: Update | None, draw: Draw
    ) -> None:
        """Paint the scene as it is now.

        Args:
            pixels: The picture painted last, and then this one: `uint8 (H, W, 3)`, row 0 below.
            drawing: What draws.
            update: Updates a scene from the state that is painted, with the shapes of some of
                MuJoCo's categories; `None` where camera or lights do not stand.
            draw: Paints a part of a scene's picture, as `pixels`.
        """
        seen = Seen.of(self._scene, drawing)
        if seen == self._seen:
            return
        # Painting can fail.
        self._seen = None
        part = (
            part_that_moves(seen, self._scene, drawing, self._whole) if update is not None else None
        )
        if (
            part is None
            or update is None
            or not self._is_there(seen.standing(), drawing, update, draw)
        ):
            draw(self._scene, self._whole, pixels)
        else:
            pixels[:] = self._pixels
            if part.width * part.height:
                moving = np.empty((part.height, part.width, 3), np.uint8)
                with part_of_view(self._scene, self._whole, part):
                    draw(self._scene, part, moving)
                rows = slice(part.bottom, part.bottom + part.height)
                pixels[rows, part.left : part.left + part.width] = moving
        self._seen = seen

    def _is_there(
        self, standing: Seen, drawing: mujoco.MjrContext, update: Update, draw: Draw
    ) -> bool:
        """Paint what stands, unless that is done; False where MuJoCo has it otherwise."""
        if standing == self._standing:
            return True
        self._standing = None
        if self._still is None:
            self._still = mujoco.MjvScene(self._model, maxgeom=self._scene.maxgeom)
            self._pixels = np.empty((self._whole.height, self._whole.width, 3), np.uint8)
        self._still.flags[:] = self._scene.flags
        update(self._still, mujoco.mjtCatBit.mjCAT_STATIC.value)
        if Seen.of(self._still, drawing).standing() != standing:
            return False
        draw(self._still, self._whole, self._pixels)
        self._standing = standing
        return True
