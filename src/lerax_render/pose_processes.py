"""MuJoCo poses painted by several processes, each with a GL context of its own.

Without a GPU, a clip of a MuJoCo scene takes as long as its painting, and one GL context does not
fill many cores: Mesa spreads the pixels over them, but not what comes before the pixels.
"""

import itertools
import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import BrokenExecutor, Future
from typing import Any

import mujoco
import numpy as np

from .camera import CameraLike
from .errors import RenderError
from .filament_renderer import FilamentRenderer
from .mujoco_renderer import HeadlessMujocoRenderer
from .pose import Pose
from .quality import CINEMATIC

# So many poses travel together that their pictures have about so many bytes: the fewer, the sooner
# all processes are busy and the sooner the last is done; the more, the rarer they are waited for.
_BATCH_BYTES = 4_000_000
# Batches a process has before it, the one that it paints included: none waits for its next.
_AHEAD = 2


def open_renderer(
    model: mujoco.MjModel, width: int, height: int, camera: CameraLike, quality: str
) -> FilamentRenderer | HeadlessMujocoRenderer:
    """Return the renderer for a quality.

    Args:
        model: The model.
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


class PoseProcesses:
    """Paints poses of one model in processes that run side by side.

    Args:
        workers: How many processes; each takes its share of the cores.
        model: As for `open_renderer`, like the rest. `camera` travels to the processes, so it may
            not be a `mujoco.MjvCamera`, which also could not be followed there as it changes.

    Raises:
        ValueError, TypeError, BackendUnavailableError: As for `open_renderer`.
    """

    def __init__(
        self,
        workers: int,
        model: mujoco.MjModel,
        width: int,
        height: int,
        camera: CameraLike,
        quality: str,
    ) -> None:
        if isinstance(camera, mujoco.MjvCamera):
            raise TypeError(
                "camera is a mujoco.MjvCamera, which cannot be sent to other processes; with "
                f"workers={workers} give a Camera, or a name or number of the model's own"
            )
        # Here and not above: whoever paints in one process has no need of it.
        from loky import ProcessPoolExecutor

        arguments = (model, width, height, camera, quality)
        share = max(1, len(os.sched_getaffinity(0)) // workers)
        self._batch = max(1, _BATCH_BYTES // (width * height * 3))
        self._limit = _AHEAD * workers
        self._executor = ProcessPoolExecutor(
            workers,
            initializer=_begin,
            initargs=arguments,
            # Else each would have Mesa start a thread a core.
            env={"LP_NUM_THREADS": str(share)},
        )
        try:
            for _ in range(workers):
                # They start while the caller computes what is to be painted.
                self._executor.submit(_nothing)
            # What is wrong is found out here and now, and not with the first picture.
            open_renderer(*arguments).close()
        except BaseException:
            self.close()
            raise

    def render(self, poses: Iterable[Pose]) -> Iterator[np.ndarray]:
        """Paint poses, of which a bounded number is under way at any moment.

        Args:
            poses: Finite ones.

        Yields:
            Their pictures in the same order: RGB, `uint8 (H, W, 3)`, row 0 on top, each an array of
            its own.

        Raises:
            RenderError: One of the processes was ended.
        """
        waiting: deque[Future[np.ndarray]] = deque()
        try:
            for batch in itertools.batched(poses, self._batch, strict=False):
                waiting.append(self._executor.submit(_paint, batch))
                if len(waiting) == self._limit:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        except BrokenExecutor as error:
            raise RenderError(
                "a process that paints was ended, by itself or by the system, which happens when "
                "memory runs out; try fewer workers"
            ) from error

    def close(self) -> None:
        """End the processes. May be called twice."""
        self._executor.shutdown(kill_workers=True)


_arguments: Any = None
_renderer: FilamentRenderer | HeadlessMujocoRenderer | None = None


def _begin(*arguments: Any) -> None:
    # The renderer is made with the first picture: what an initializer raises does not get through.
    global _arguments
    _arguments = arguments


def _nothing() -> None:
    pass


def _paint(poses: tuple[Pose, ...]) -> np.ndarray:
    global _renderer
    if _renderer is None:
        _renderer = open_renderer(*_arguments)
    return np.stack([_renderer.render(pose) for pose in poses])
