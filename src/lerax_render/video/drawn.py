"""The clip of a renderer that is told to draw, as Lerax's `env.render` tells it."""

from collections.abc import Callable
from types import TracebackType

import numpy as np

from .writer import VideoWriter


class DrawnVideo:
    """Writes a frame for each `draw` of a renderer; without a writer, it does nothing."""

    def __init__(self, writer: VideoWriter | None) -> None:
        self._writer = writer
        self._begun = self._finished = False

    def open(self) -> None:
        """Begin the clip, unless it has begun.

        Raises:
            RuntimeError: It is finished already.
        """
        if self._writer is None or self._begun:
            return
        if self._finished:
            raise RuntimeError("this renderer has written its clip; make a new one for another")
        self._writer.__enter__()
        self._begun = True

    def write(self, picture: Callable[[], np.ndarray]) -> None:
        """Append a picture, which is asked for only where there is a clip."""
        if self._writer is not None:
            self.open()
            self._writer.write(picture())

    def close(self) -> None:
        """Finish the clip. May be called twice.

        Raises:
            ValueError, EncodeError: As `VideoWriter.close`.
        """
        self.end(None, None, None)

    def end(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Finish the clip, or drop it where a `with` block has ended with an error."""
        if self._writer is not None and self._begun:
            self._begun, self._finished = False, True
            self._writer.__exit__(kind, error, traceback)
