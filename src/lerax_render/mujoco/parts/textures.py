"""The textures of a MuJoCo model as images."""

from dataclasses import dataclass

import mujoco
import numpy as np


@dataclass(frozen=True)
class Texture:
    """An image, or the six of a cube.

    Attributes:
        pixels: `uint8 (N, H, W, C)`, row 0 at v = 0. `N` is 1 or 6; of a cube, the faces are those
            towards x, -x, y, -y, z and -z, as GL has them. `C` is 3 or 4.
        is_cube: Whether it is a cube's.
        is_srgb: Whether it is taken to linear light before it is used, as the model says.
    """

    pixels: np.ndarray
    is_cube: bool
    is_srgb: bool


def texture_of(model: mujoco.MjModel, number: int) -> Texture | None:
    """Return a texture as MuJoCo gives it to GL; `None` if it is no picture."""
    width, height = int(model.tex_width[number]), int(model.tex_height[number])
    channels, start = int(model.tex_nchannel[number]), int(model.tex_adr[number])
    if channels not in (3, 4):
        return None
    data = model.tex_data[start : start + width * height * channels]
    is_cube = bool(model.tex_type[number] != mujoco.mjtTexture.mjTEXTURE_2D)
    # Older versions of MuJoCo know of no colour spaces.
    spaces = getattr(model, "tex_colorspace", None)
    srgb = spaces is not None and spaces[number] == mujoco.mjtColorSpace.mjCOLORSPACE_SRGB
    if not is_cube:
        return Texture(data.reshape(1, height, width, channels), False, bool(srgb))
    # MuJoCo takes a square picture for each of a cube's faces, and cubes have no alpha.
    faces = data.reshape(-1, width, width, channels)
    faces = np.broadcast_to(faces, (6, *faces.shape[1:])) if len(faces) == 1 else faces[:6]
    return Texture(faces, True, False)


def halved(texture: Texture) -> Texture:
    """Return a texture of half the width and height, rounded down, and 1 at least."""
    pixels = texture.pixels
    for axis in (1, 2):
        half = pixels.shape[axis] // 2
        if half:
            first = np.take(pixels, np.arange(half) * 2, axis).astype(np.uint16)
            second = np.take(pixels, np.arange(half) * 2 + 1, axis)
            pixels = ((first + second + 1) // 2).astype(np.uint8)
    return Texture(pixels, texture.is_cube, texture.is_srgb)
