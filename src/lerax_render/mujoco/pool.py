"""MuJoCo poses painted by several processes, each with a GL context of its own.

Without a GPU, a clip of a MuJoCo scene takes as long as its painting, and one GL context does not
fill many cores: Mesa spreads the pixels over them, but not what comes before the pixels.
"""

import contextlib
import itertools
import os
from collections import deque
from collections.abc import Iterable, Iterator

import mujoco
import numpy as np

from ..errors import RenderError
from ..settings import Picture
from .aim import View
from .child_process import Child, ChildEnded
from .look import Decorate
from .pool_worker import open_renderer
from .pose import Pose

# So many poses travel together that their pictures fit into a pipe, which holds 200 kB: a process
# with more to send waits until it is its turn to be heard, and all of them paint as fast as one.
_BATCH_BYTES = 100_000


class PoseProcesses:
    """Paints poses of one model in processes that run side by side.

    Args:
        workers: How many processes; each takes its share of the cores.
        model: As for `open_renderer`.
        picture: Likewise. It travels to the processes, so its camera may not be a
            `mujoco.MjvCamera`, which also could not be followed there as it changes.

    Raises:
        ValueError, TypeError, BackendUnavailableError: As for `open_renderer`.
    """

    def __init__(
        self,
        workers: int,
        model: mujoco.MjModel,
        picture: Picture,
    ) -> None:
        if isinstance(picture.camera, mujoco.MjvCamera):
            raise TypeError(
                "camera is a mujoco.MjvCamera, which cannot be sent to other processes; with "
                f"workers={workers} give a Camera, or a name or number of the model's own"
            )
        if picture.decorate is not None:
            raise ValueError(
                "decorate is called in this process, and workers="
                f"{workers} paint in others: leave workers out with it"
            )
        width, height = picture.size
        self._shape = (height, width, 3)
        self._batch = max(1, _BATCH_BYTES // (width * height * 3))
        arguments = (model, picture)
        # Else each would have Mesa start a thread a core.
        share = max(1, len(os.sched_getaffinity(0)) // workers)
        with contextlib.ExitStack() as stack:
            # They start while the caller computes what is to be painted.
            self._children = [
                Child("pool_worker", {"LP_NUM_THREADS": str(share)}) for _ in range(workers)
            ]
            stack.callback(self.close)
            # What is wrong is found out here and now, and not with the first picture.
            open_renderer(*arguments).close()
            for child in self._children:
                child.send(arguments)
            stack.pop_all()

    def render(self, poses: Iterable[tuple[Pose, Decorate | None]]) -> Iterator[np.ndarray]:
        """Paint poses, of which no more are under way than a batch a process.

        Args:
            poses: Finite ones, each with what is added to the scene.

        Yields:
            Their pictures in the same order: RGB, `uint8 (H, W, 3)`, row 0 on top, each an array of
            its own. One that is not used up closes the processes.

        Raises:
            RenderError: One of the processes was ended.
            BackendUnavailableError: One of them cannot draw.
        """
        batches = itertools.batched(poses, self._batch, strict=False)
        busy: deque[tuple[Child, int]] = deque()

        def begin(child: Child) -> None:
            # It is idle: two that both send to each other could wait for ever.
            if batch := next(batches, None):
                child.send(batch)
                busy.append((child, len(batch)))

        try:
            for child in self._children:
                begin(child)
            while busy:
                child, count = busy.popleft()
                pictures = [self._picture(child) for _ in range(count)]
                begin(child)
                yield from pictures
        except ChildEnded as error:
            self.close()
            raise RenderError(
                f"a process that paints was ended ({error}), by itself or by the system, which "
                "happens when memory runs out; try fewer workers"
            ) from error
        except GeneratorExit:
            # Not used up: what is under way would be taken for the answers to what comes next. Who
            # asked for just as many pictures as there are poses has used it up all the same.
            if busy:
                self.close()
            raise
        except BaseException:
            self.close()
            raise

    def aim(self, view: View) -> None:
        """Take this view for what is rendered from now on."""
        for child in self._children:
            child.send(view)

    def _picture(self, child: Child) -> np.ndarray:
        child.receive()
        picture = np.empty(self._shape, np.uint8)
        child.receive_into(memoryview(picture).cast("B"))
        return picture

    def close(self) -> None:
        """End the processes. May be called twice."""
        for child in self._children:
            child.close()
