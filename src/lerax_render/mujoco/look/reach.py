"""How far in a picture that reaches what moves: the shapes, their shadows, their mirror images."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import mujoco
import numpy as np

from .seen import FLOATS, NUMBERS, Seen, Shape
from .shadows import is_directional

_PLANE, _SPHERE, _CAPSULE, _BOX, _MESH = (
    getattr(mujoco.mjtGeom, f"mjGEOM_{name}").value
    for name in ("PLANE", "SPHERE", "CAPSULE", "BOX", "MESH")
)
_DECOR = mujoco.mjtCatBit.mjCAT_DECOR.value
_SHADOW = mujoco.mjtRndFlag.mjRND_SHADOW.value
_REFLECTION = mujoco.mjtRndFlag.mjRND_REFLECTION.value
# Drawn for what is measured in it, or of edges, which lie elsewhere in a part and in each pass.
_WHOLE = [
    getattr(mujoco.mjtRndFlag, f"mjRND_{name}").value
    for name in ("SEGMENT", "IDCOLOR", "DEPTH", "WIREFRAME")
    if hasattr(mujoco.mjtRndFlag, f"mjRND_{name}")
]
_CORNERS = np.array(np.meshgrid(*[(-1.0, 1.0)] * 3)).reshape(3, -1).T
# Pixels around what is new, for antialiasing and rounding; texels around what casts a shadow, whose
# edge is blurred.
_MARGIN, _BLUR = 2, 3
# The cosine of a slope that does not count as one.
_LEVEL = 0.9999


def part_touched(
    shapes: Sequence[Shape],
    seen: Seen,
    scene: mujoco.MjvScene,
    drawing: mujoco.MjrContext,
    whole: mujoco.MjrRect,
    most: float,
) -> mujoco.MjrRect | None:
    """Return the part of a picture outside of which some shapes show, cast and mirror nothing.

    Args:
        shapes: Which.
        seen: Of this scene.
        scene: What is to be painted.
        drawing: What will draw it.
        whole: The whole picture.
        most: The share of it that the part may be.

    Returns:
        In pixels; `None` where that is not known, or more.
    """
    if any(scene.flags[flag] for flag in _WHOLE):
        return None
    points = _reach(_Shapes(shapes), _Shapes(seen.shapes), scene, drawing)
    pixels = None if points is None else _projected(points, scene, whole)
    if pixels is None:
        return None
    if not len(pixels):
        return mujoco.MjrRect(0, 0, 0, 0)
    sides = (whole.width, whole.height)
    low = np.clip(np.floor(pixels.min(axis=0)) - _MARGIN, 0, sides)
    high = np.clip(np.ceil(pixels.max(axis=0)) + _MARGIN, 0, sides)
    left, bottom = low.astype(int).tolist()
    width, height = (high - low).astype(int).tolist()
    if width * height > most * whole.width * whole.height:
        return None
    return mujoco.MjrRect(left, bottom, width, height)


@contextmanager
def part_of_view(
    scene: mujoco.MjvScene, whole: mujoco.MjrRect, part: mujoco.MjrRect
) -> Iterator[None]:
    """Have a scene's cameras see a part of their picture, for the time of the context."""
    saved = []
    for camera in scene.camera:
        left, right, bottom, top = _frustum(camera, whole)
        across, up = (right - left) / whole.width, (top - bottom) / whole.height
        names = ("frustum_center", "frustum_width", "frustum_bottom", "frustum_top")
        saved.append((camera, {name: getattr(camera, name) for name in names}))
        camera.frustum_center = left + across * (part.left + part.width / 2)
        camera.frustum_width = across * part.width / 2
        camera.frustum_bottom = bottom + up * part.bottom
        camera.frustum_top = bottom + up * (part.bottom + part.height)
    try:
        yield
    finally:
        for camera, values in saved:
            for name, value in values.items():
                setattr(camera, name, value)


class _Shapes:
    """Several, as arrays."""

    def __init__(self, shapes: Sequence[Shape]) -> None:
        numbers = zip(*(each.numbers for each in shapes), strict=True)
        columns = dict(zip(NUMBERS, numbers, strict=bool(shapes)))
        self.kind = np.array(columns.get("type", ()), int)
        self.casts = np.array(columns.get("category", ()), int) != _DECOR
        self.reflectance = np.array(columns.get("reflectance", ()), float)
        self.radius = np.array(columns.get("modelrbound", ()), float)
        self.has_label = any(columns.get("label", ()))
        floats = np.frombuffer(b"".join(each.floats for each in shapes), FLOATS)
        self.size, self.pos, self.mat = (
            floats[name].astype(float) for name in ("size", "pos", "mat")
        )

    def __len__(self) -> int:
        return len(self.kind)

    def are_bounded(self, *, planes: bool = False) -> bool:
        """Whether it is known how far all of them reach."""
        bounded = (self.kind >= _SPHERE) & (self.kind <= _BOX)
        # For meshes and height fields MuJoCo notes a radius.
        bounded |= (self.kind > _PLANE) & (self.kind <= _MESH) & (self.radius > 0)
        if planes:
            bounded |= self.kind == _PLANE
        return bool(bounded.all())

    def have_endless_slopes(self) -> bool:
        """Whether there is a plane that falls without end."""
        endless = (self.kind == _PLANE) & (self.size[:, :2] <= 0).any(axis=1)
        return bool((endless & (np.abs(self.mat[:, 2, 2]) < _LEVEL)).any())

    def corners(self, margin: np.ndarray | float = 0.0) -> np.ndarray:
        """Return the corners of boxes around them in metres, `(N, 8, 3)`.

        Args:
            margin: How far away from them at least, in metres, `(N,)` or for all.
        """
        half = self.size.copy()
        half[:, 2] += np.where(self.kind == _CAPSULE, half[:, 0], 0)
        flat = self.kind == _PLANE
        half[flat, 2] = 0
        rest = ~flat & ((self.kind < _SPHERE) | (self.kind > _BOX))
        half[rest] = self.radius[rest, None]
        half += np.reshape(margin, (-1, 1))
        corners: np.ndarray = self.pos[:, None] + (
            (_CORNERS * half[:, None]) @ self.mat.transpose(0, 2, 1)
        )
        return corners


def _reach(
    movers: _Shapes, shapes: _Shapes, scene: mujoco.MjvScene, drawing: mujoco.MjrContext
) -> np.ndarray | None:
    """Return points in whose convex hull all lies that movers show, cast or mirror.

    Args:
        movers: Some of the shapes.
        shapes: All that there are.
        scene: Them, with lights and flags.
        drawing: What will draw them.

    Returns:
        In metres, `(N, 3)`; `None` where that is not known.
    """
    reflects = bool(scene.flags[_REFLECTION])
    mirrors: list[int] = np.flatnonzero(reflects & (shapes.reflectance > 0)).tolist()
    if (
        scene.nflex
        or scene.nskin
        or scene.stereo
        or scene.enabletransform
        or scene.framewidth
        or movers.has_label
        or not movers.are_bounded()
        or (movers.reflectance > 0).any()
        or shapes.have_endless_slopes()
    ):
        return None
    points = [movers.corners().reshape(-1, 3)]
    lights = [light for light in scene.lights[: scene.nlight] if light.castshadow]
    if scene.flags[_SHADOW] and drawing.shadowSize and movers.casts.any() and lights:
        if not shapes.are_bounded(planes=True):
            return None
        ground = float(shapes.corners()[..., 2].min())
        for light in lights:
            shadow = _shadow(movers, light, ground, drawing)
            if shadow is None:
                return None
            points.append(shadow)
    seen = np.concatenate(points)
    return np.concatenate([seen, *(_mirrored(seen, shapes, mirror) for mirror in mirrors)])


def _shadow(
    movers: _Shapes, light: mujoco.MjvLight, ground: float, drawing: mujoco.MjrContext
) -> np.ndarray | None:
    """Return where the shadows of shapes fall at the height of what lies lowest."""
    # What casts is larger by some texels of the map.
    if is_directional(light):
        around = movers.corners(_BLUR * 2 * drawing.shadowClip / drawing.shadowSize)
        around = around[movers.casts]
        rays = np.broadcast_to(light.dir.astype(float), around.shape)
    else:
        angle = np.deg2rad(min(light.cutoff * drawing.shadowScale, 80.0))
        distances = np.linalg.norm(movers.corners() - light.pos, axis=2).max(axis=1, initial=0)
        around = movers.corners(_BLUR * 2 * distances * np.tan(angle) / drawing.shadowSize)
        around = around[movers.casts]
        rays = around - light.pos
    if (rays[..., 2] >= 0).any():
        return None
    ways = np.maximum(around[..., 2] - ground, 0) / -rays[..., 2]
    ends = around + ways[..., None] * rays
    return np.concatenate([around.reshape(-1, 3), ends.reshape(-1, 3)])


def _mirrored(points: np.ndarray, shapes: _Shapes, mirror: int) -> np.ndarray:
    """Return the mirror images of points; a box mirrors with its upper side."""
    normal, centre = shapes.mat[mirror, :, 2], shapes.pos[mirror]
    if shapes.kind[mirror] != _PLANE:
        centre = centre + normal * shapes.size[mirror, 2]
    images: np.ndarray = points - 2 * ((points - centre) @ normal)[:, None] * normal
    return images


def _frustum(
    camera: mujoco.MjvGLCamera, whole: mujoco.MjrRect
) -> tuple[float, float, float, float]:
    """Return what a camera sees at its near plane: left, right, bottom, top, in metres."""
    bottom, top = float(camera.frustum_bottom), float(camera.frustum_top)
    half = float(camera.frustum_width) or (top - bottom) * whole.width / whole.height / 2
    centre = float(camera.frustum_center)
    return centre - half, centre + half, bottom, top


def _projected(
    points: np.ndarray, scene: mujoco.MjvScene, whole: mujoco.MjrRect
) -> np.ndarray | None:
    """Return where points are in the picture, in pixels from the lower left, `(N, 2)`.

    `None` where one is not before the camera.
    """
    # MuJoCo draws from between its two cameras.
    one, other = scene.camera
    forward = (one.forward + other.forward).astype(float)
    forward /= np.linalg.norm(forward)
    up = (one.up + other.up).astype(float)
    up /= np.linalg.norm(up)
    off = points - (one.pos + other.pos).astype(float) / 2
    ahead = off @ forward
    near = float(one.frustum_near)
    left, right, bottom, top = np.mean([_frustum(one, whole), _frustum(other, whole)], axis=0)
    if one.orthographic:
        scale = np.ones_like(ahead)
    elif (ahead < near).any():
        return None
    else:
        scale = near / ahead
    across, upwards = off @ np.cross(forward, up) * scale, off @ up * scale
    return np.stack(
        [
            (across - left) / (right - left) * whole.width,
            (upwards - bottom) / (top - bottom) * whole.height,
        ],
        axis=1,
    )
