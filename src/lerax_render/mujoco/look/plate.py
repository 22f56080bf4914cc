"""Painting only what there is to see, where GL draws on the CPU.

MuJoCo paints whole pictures, and paints each of them several times: for mirror images, for what is
seen, and once more for each light that casts shadows. Two things spare most of that.

Where camera and lights stand, all that stands is painted once, without what moves: film calls that
a clean plate. Into it goes the rectangle that what moves, its shadows and its mirror images touch
(`reach`); MuJoCo paints that alone when its camera's frustum is a part of the whole one.

Where they do not, ground and sky are painted alone, which takes one pass (`empty`), and the
rectangle that all else touches on top.

A picture so depends on its state alone, and not on those before.
"""

from collections.abc import Sequence

import mujoco
import numpy as np

from .canvas import Canvas
from .empty import EmptyScene, Update
from .reach import part_of_view, part_touched
from .seen import Seen, Shape

# Where a larger share of the picture is to be painted on what stands, or on ground and sky, the
# picture is painted as a whole.
_MOST_ON_PLATE, _MOST_ON_EMPTY = 0.6, 0.4


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
        self._empty = EmptyScene(model, scene)

    def paint(self, pixels: np.ndarray, canvas: Canvas, update: Update, *, stands: bool) -> None:
        """Paint the scene as it is now.

        Args:
            pixels: The picture painted last, and then this one: `uint8 (H, W, 3)`, row 0 below.
            canvas: Where it is drawn.
            update: Updates a scene from the state that is painted, with the shapes of some of
                MuJoCo's categories.
            stands: Whether camera and lights do.
        """
        seen = Seen.of(self._scene, canvas.drawing)
        if seen == self._seen:
            return
        # Painting can fail.
        self._seen = None
        shadow_size = canvas.drawing.shadowSize
        with canvas.current():
            paint = self._paint_on_plate if stands else self._paint_on_empty
            if not paint(seen, pixels, canvas, update):
                # A scene without what was added, which has other lights, has changed it.
                canvas.drawing.shadowSize = shadow_size
                canvas.draw(self._scene, self._whole)
                canvas.read(self._whole, pixels)
        self._seen = seen

    def _paint_on_plate(
        self, seen: Seen, pixels: np.ndarray, canvas: Canvas, update: Update
    ) -> bool:
        """Paint what moves, or return False."""
        part = self._part(seen.moving(), seen, canvas, _MOST_ON_PLATE)
        if part is None or not self._is_there(seen.standing(), canvas, update):
            return False
        pixels[:] = self._pixels
        if part.width * part.height:
            moving = np.empty((part.height, part.width, 3), np.uint8)
            self._draw_part(part, canvas)
            canvas.read(part, moving)
            rows = slice(part.bottom, part.bottom + part.height)
            pixels[rows, part.left : part.left + part.width] = moving
        return True

    def _paint_on_empty(
        self, seen: Seen, pixels: np.ndarray, canvas: Canvas, update: Update
    ) -> bool:
        """Paint ground and sky, and then all else, or return False."""
        if not (canvas.can_add_light and self._empty.is_enough(seen, self._scene)):
            return False
        part = self._part(seen.bodies(), seen, canvas, _MOST_ON_EMPTY)
        if part is None or not self._empty.update(seen, self._scene, canvas, update):
            return False
        self._empty.draw(canvas, self._whole)
        if part.width * part.height:
            self._draw_part(part, canvas)
        canvas.read(self._whole, pixels)
        return True

    def _part(
        self, shapes: Sequence[Shape], seen: Seen, canvas: Canvas, most: float
    ) -> mujoco.MjrRect | None:
        return part_touched(shapes, seen, self._scene, canvas.drawing, self._whole, most)

    def _draw_part(self, part: mujoco.MjrRect, canvas: Canvas) -> None:
        with part_of_view(self._scene, self._whole, part):
            canvas.draw(self._scene, part)

    def _is_there(self, standing: Seen, canvas: Canvas, update: Update) -> bool:
        """Paint what stands, unless that is done; False where MuJoCo has it otherwise."""
        if standing == self._standing:
            return True
        self._standing = None
        if self._still is None:
            self._still = mujoco.MjvScene(self._model, maxgeom=self._scene.maxgeom)
            self._pixels = np.empty((self._whole.height, self._whole.width, 3), np.uint8)
        self._still.flags[:] = self._scene.flags
        update(self._still, mujoco.mjtCatBit.mjCAT_STATIC.value)
        if Seen.of(self._still, canvas.drawing).standing() != standing:
            return False
        canvas.draw(self._still, self._whole)
        canvas.read(self._whole, self._pixels)
        self._standing = standing
        return True
