"""Where nodes are, and how they move: glTF's translations, rotations and scales."""

import mujoco
import numpy as np

from .document import Glb

# Of a step by which a jump is over: between two keys a reader interpolates.
_JUMP = 0.01


class Motion:
    """Moves nodes in real time.

    Args:
        glb: Gets the animation.
        steps: Number of steps.
        seconds: Between two steps.
        starts: Steps to which nothing moves: what was before stays until shortly before them.
    """

    def __init__(self, glb: Glb, steps: int, seconds: float, starts: np.ndarray) -> None:
        self._glb = glb
        starts = starts[starts > 0]
        times = np.concatenate([np.arange(steps, dtype=float), starts - _JUMP])
        order = np.argsort(times)
        self._times = (times[order] * seconds).astype(np.float32)
        self._rows = np.concatenate([np.arange(steps), starts - 1])[order]

    def place(
        self,
        node: int,
        *,
        translation: np.ndarray | None = None,
        rotation: np.ndarray | None = None,
        scale: np.ndarray | None = None,
    ) -> None:
        """Put a node where it is at each step.

        Args:
            node: Its number.
            translation: `float (T, 3)`.
            rotation: Quaternions w, x, y, z, `float (T, 4)`.
            scale: `float (T, 3)`.
        """
        if translation is not None:
            tolerance = 1e-6 * (1 + float(np.abs(translation).max()))
            self._set(node, "translation", translation, tolerance)
        if rotation is not None:
            self._set(node, "rotation", _continuous(rotation), 2e-6)
        if scale is not None:
            self._set(node, "scale", scale, 0)

    def _set(self, node: int, path: str, values: np.ndarray, tolerance: float) -> None:
        values = values.astype(np.float32)
        self._glb.set_node(node, **{path: values[0].tolist()})
        if float(np.ptp(values, axis=0).max()) > tolerance:
            self._glb.animate(node, path, self._times, values[self._rows])


def relative(
    positions: np.ndarray, turns: np.ndarray, origin: np.ndarray, axes: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return places `(T, 3)` and quaternions `(T, 4)` as they are seen from a frame likewise."""
    back = axes * np.array([1, -1, -1, -1])
    way = np.concatenate([np.zeros((len(positions), 1)), positions - origin], axis=1)
    return product(product(back, way), axes)[:, 1:], product(back, turns)


def product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Multiply quaternions w, x, y, z, `(T, 4)`."""
    real = a[:, :1] * b[:, :1] - (a[:, 1:] * b[:, 1:]).sum(axis=1, keepdims=True)
    rest = a[:, :1] * b[:, 1:] + b[:, :1] * a[:, 1:] + np.cross(a[:, 1:], b[:, 1:])
    return np.concatenate([real, rest], axis=1)


def pointing(directions: np.ndarray, from_: int = 1) -> np.ndarray:
    """Return quaternions w, x, y, z that turn the z axis to directions, `(T, 3)`.

    Args:
        directions: Where to.
        from_: -1 turns the negative z axis.
    """
    z = np.array([0.0, 0.0, from_])
    directions = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    real = 1 + directions @ z
    quaternions = np.concatenate([real[:, None], np.cross(z, directions)], axis=1)
    # Half a turn may be around any axis across.
    quaternions[real < 1e-9] = [0, 1, 0, 0]
    units: np.ndarray = quaternions / np.linalg.norm(quaternions, axis=1, keepdims=True)
    return units


def quaternions_of(axes: np.ndarray) -> np.ndarray:
    """Return quaternions w, x, y, z of axes that are columns, `(T, 3, 3)`."""
    quaternions = np.zeros((len(axes), 4))
    for quaternion, matrix in zip(quaternions, axes.astype(float), strict=True):
        mujoco.mju_mat2Quat(quaternion, matrix.ravel())
    return quaternions


def _continuous(quaternions: np.ndarray) -> np.ndarray:
    """Order them as x, y, z, w, of length 1, with the signs by which neighbours are alike."""
    flips = (quaternions[1:] * quaternions[:-1]).sum(axis=1) < 0
    signs = np.where(np.cumsum(np.concatenate([[False], flips])) % 2, -1, 1)[:, None]
    lengths = np.linalg.norm(quaternions, axis=1, keepdims=True)
    ordered: np.ndarray = np.roll(quaternions * signs / lengths, -1, axis=1)
    return ordered
