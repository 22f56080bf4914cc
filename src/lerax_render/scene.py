"""What stays the same over an episode and a painter needs."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

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
        is_drawn: Whether its pictures are drawings, flat colours with edges.
        has_steps: Whether what is captured for it can be painted later and elsewhere. Pictures that
            an environment paints itself cannot.
        shares_painter: Whether one painter can paint all rollouts of a grid in turn, since no frame
            builds on the one before.
    """

    pixel_format: ClassVar[PixelFormat] = "rgb24"
    is_drawn: ClassVar[bool] = False
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

    def painter_with(
        self,
        ghosts: "Sequence[Scene]",
        picture: Picture,
        *,
        pixel_format: PixelFormat = "rgb24",
        workers: int = 1,
    ) -> Painter:
        """Open a painter that shows other replays, too, translucent.

        Args:
            ghosts: Their scenes.
            picture: As for `painter`.
            pixel_format: As for `painter`.
            workers: As for `painter`.

        Returns:
            A painter of tuples: what was captured for this scene, and for each of the ghosts.

        Raises:
            ValueError: These are not seen in one picture.
        """
        raise ValueError(
            "a ghost is for pictures of MuJoCo and in 2D, and this environment paints its own: "
            "leave ghost out"
        )

    def measuring(self, picture: Picture) -> Painter:
        """Open what measures instead of painting.

        Args:
            picture: What is measured, its only modality: depth or segmentation.

        Returns:
            A painter that yields `float32 (H, W)`, metres from the camera's plane, infinite where
            nothing is; or `int32 (H, W)`, the numbers of `things`.

        Raises:
            ValueError, BackendUnavailableError: As for `painter`; or there is nothing to measure.
        """
        picture.check_not_mujoco("this environment")
        raise ValueError("this environment has nothing to measure")

    def things(self) -> "Things":
        """Return what segmentation tells apart, number 0 being nothing.

        Raises:
            ValueError: There is nothing.
        """
        raise ValueError("this environment has nothing to tell apart")

    @property
    def state_sizes(self) -> Mapping[str, int]:
        """How many numbers of the state itself are captured at each step, by name."""
        return {}

    def state(self, captured: "Captured", name: str) -> np.ndarray:
        """Return those of a name, `(T, n)`."""
        raise KeyError(name)

    def kept(self) -> "Scene":
        """Return a scene that stays as this one is now, for a replay to keep."""
        return self

    def builds_up(self, captured: "Captured") -> bool:
        """Whether frames of these steps show what was drawn in the steps before them, too."""
        return False

    def cut(self, captured: "Captured", start: int, stop: int) -> "Captured":
        """Return what was captured of a part, so that its frames look as they do in the whole."""
        return map_arrays(lambda array: array[start:stop], captured)

    def picked(self, captured: "Captured", which: np.ndarray) -> "Captured":
        """Return what was captured of some steps in any order, each to be painted by itself."""
        return map_arrays(lambda array: array[which], captured)

    def held(self, captured: "Captured", steps: int) -> "Captured":
        """Return the same, followed by so many steps that look as its last one does."""
        count = count_steps(captured)
        chosen = np.minimum(np.arange(count + steps), count - 1)
        return map_arrays(lambda array: array[chosen], captured)

    def between(
        self, captured: "Captured", places: np.ndarray, starts: np.ndarray | None
    ) -> "Captured":
        """Return what is seen between steps; here, that is the step before.

        Args:
            captured: What was captured of `T` steps.
            places: `float (n,)`, rising, from 0 to `T - 1`: where between them.
            starts: `bool (T,)`, which of them begins an episode: what lies before it is the last of
                the episode before. `None` where nothing is known of episodes.

        Returns:
            What is captured of `n` moments.
        """
        steps = np.floor(places).astype(int)
        return map_arrays(lambda array: array[steps], captured)

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


class Things(NamedTuple):
    """What segmentation tells apart, each in the place of its number.

    Attributes:
        types: As in `mujoco.mjtObj`; -1 for nothing.
        ids: The number that a thing has among those of its type; -1 for nothing.
        names: Such as `geom:torso`, or `geom:3` where it has no name; empty for nothing.
    """

    types: Sequence[int]
    ids: Sequence[int]
    names: Sequence[str]


type Captured = Any
"""What a source captures of steps: a pytree of NumPy arrays with a leading axis `T`."""
