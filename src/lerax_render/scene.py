"""What stays the same over an episode and a painter needs."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np

from .errors import UnsupportedEnvError
from .painter import Painter
from .settings import Picture, PixelFormat
from .trees import count_steps, map_arrays


class Scene(ABC):
    """All that a painter needs besides the captured steps; a painter never sees an environment.

    It pickles, and opens painters in any process that has the libraries they draw with.

    Attributes:
        pixel_format: The format that this scene's painters are fastest in.
        has_steps: Whether what is captured for it can be painted later and elsewhere. Pictures that
            an environment paints itself cannot.
        shares_painter: Whether one painter can paint all rollouts of a grid in turn, since no frame
            builds on the one before.
    """

    pixel_format: ClassVar[PixelFormat] = "rgb24"
    has_steps: ClassVar[bool] = True
    shares_painter: ClassVar[bool] = False

    @abstractmethod
    def painter(
        self, picture: Picture, *, pixel_format: PixelFormat = "rgb24", workers: int = 1
    ) -> Painter:
        """Open a painter.

        Args:
            picture: What the frames look like.
            pixel_format: Of the frames, see `Painter.paint`.
            workers: Number of processes that paint, where painting is what a clip takes its time
                for.

        Raises:
            ValueError, TypeError: `picture` does not fit this kind of scene.
            BackendUnavailableError: What the painter needs does not work here.
        """

    def renderer(self, picture: Picture, video: Any | None) -> Any:
        """Open a renderer that the environment's own `render` draws on.

        Args:
            picture: What the frames look like.
            video: A `VideoWriter` that gets a frame for each `draw`, or `None`.

        Raises:
            ValueError, TypeError: `picture` does not fit this kind of scene.
            UnsupportedEnvError: The environment paints by itself.
            BackendUnavailableError: What the renderer needs does not work here.
        """
        raise UnsupportedEnvError(
            "this environment paints by itself, on no renderer of Lerax's or ours: take "
            "record(env, policy), or capture(env, states=states)"
        )

    def kept(self) -> "Scene":
        """Return a scene that stays as this one is now, for a replay to keep."""
        return self

    def builds_up(self, captured: "Captured") -> bool:
        """Whether frames of these steps show what was drawn in the steps before them, too."""
        return False

    def cut(self, captured: "Captured", start: int, stop: int) -> "Captured":
        """Return what was captured of a part, so that its frames look as they do in the whole."""
        return map_arrays(lambda array: array[start:stop], captured)

    def held(self, captured: "Captured", steps: int) -> "Captured":
        """Return the same, followed by so many steps that look as its last one does."""
        count = count_steps(captured)
        chosen = np.minimum(np.arange(count + steps), count - 1)
        return map_arrays(lambda array: array[chosen], captured)

    def looks_ahead(self, picture: Picture) -> bool:
        """Whether this picture depends on what happens later in the clip, as framing does."""
        return False

    def aimed(
        self,
        picture: Picture,
        captured: "Captured",
        *,
        before: Any | None = None,
        goes_on: bool = False,
        stands: bool = False,
    ) -> Any:
        """Return the view from which a scene that looks ahead is best seen, for `Painter.aim`.

        Args:
            picture: What the frames look like; their size is that of a tile.
            captured: What was captured of a rollout.
            before: The view of other rollouts, with which this one is compared.
            goes_on: Whether there are more steps than these.
            stands: Whether the camera keeps its place, however far something gets.

        Raises:
            NotImplementedError: This scene does not look ahead.
        """
        raise NotImplementedError


type Captured = Any
"""What a source captures of steps: a pytree of NumPy arrays with a leading axis `T`."""
