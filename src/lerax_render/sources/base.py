"""What a kind of environment has to provide to be recorded: capture and paint."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar, Literal, Self

import jax
import numpy as np

from ..acting import PyTree, Rollout, rollout_chunks
from ..errors import UnsupportedEnvError

type PixelFormat = Literal["rgb24", "bgr0"]


class Painter(ABC):
    """Turns what a source captured into frames, on the thread that made it.

    Attributes:
        incomplete: How many frames so far lack something because a number in them was NaN or
            infinite.
    """

    incomplete: int = 0

    @abstractmethod
    def paint(self, captured: PyTree) -> Iterator[np.ndarray]:
        """Paint consecutive states.

        Args:
            captured: What `Source.capture` returned, on the host, with `T` as the leading axis of
                every array.

        Yields:
            `T` frames in the painter's pixel format: `uint8 (H, W, 3)`, R G B, for `"rgb24"`, each
            an array of its own; `uint8 (H, W, 4)`, B G R and an unused byte, for `"bgr0"`, each
            valid until the next is asked for.
        """

    def close(self) -> None:  # noqa: B027
        """Free what the painter holds. May be called twice."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class Source(ABC):
    """A kind of environment. Equal sources capture alike, so that compiled rollouts are reused.

    Attributes:
        pixel_format: The format that this source's painters are fastest in.
    """

    pixel_format: ClassVar[PixelFormat] = "rgb24"

    @abstractmethod
    def capture(self, env: Any, state: PyTree) -> PyTree:
        """Select from a state what its picture needs. Runs inside the compiled rollout."""

    @abstractmethod
    def painter(
        self,
        env: Any,
        width: int,
        height: int,
        *,
        camera: Any | None,
        quality: str,
        pixel_format: PixelFormat,
        workers: int = 1,
    ) -> Painter:
        """Return a painter of `width` x `height` pixels.

        With `workers`, a kind whose painting is what a clip takes its time for may paint in so many
        processes.

        Raises:
            ValueError: `camera` or `quality` does not fit this kind of environment.
            BackendUnavailableError: What the painter needs does not work here.
        """

    def chunks(
        self,
        env: Any,
        policy: Any | None,
        *,
        steps: int,
        key: jax.Array | None,
        deterministic: bool,
        tiles: int | None = None,
    ) -> Iterator[Rollout]:
        """Yield a rollout in parts whose `states` are what `capture` returns.

        Raises:
            UnsupportedEnvError: `tiles` rollouts were asked for, of an environment that cannot be
                vmapped.
        """
        return rollout_chunks(
            env,
            policy,
            steps=steps,
            key=key,
            # Unlike a bound method, it compares equal when the sources do.
            capture=jax.tree_util.Partial(type(self).capture, self),
            deterministic=deterministic,
            tiles=tiles,
        )

    def seconds_per_step(self, env: Any) -> float | None:
        """Return the simulated seconds between two states, or `None` where time has no unit."""
        for candidate in (env, getattr(env, "unwrapped", env)):
            try:
                # Through its shortest decimal: 0.02 in single precision is 0.0199999996, and
                # 50.0000011 frames a second are nobody's intention.
                dt = float(str(np.asarray(candidate.dt)))
            except (AttributeError, TypeError, ValueError):
                continue
            if np.isfinite(dt) and dt > 0:
                return dt
        return None


def reject_camera(camera: Any | None, kind: str) -> None:
    """Raise `ValueError` where a camera was asked for in a picture that has none."""
    if camera is not None:
        raise ValueError(
            f"camera={camera!r} was given, but {kind} has no camera to choose; leave camera=None"
        )


def reject_tiles(tiles: int | None, kind: str) -> None:
    """Raise `UnsupportedEnvError` where several rollouts at once were asked for."""
    if tiles is not None:
        raise UnsupportedEnvError(
            f"a grid needs rollouts that are compiled together, and {kind} is stepped on the host: "
            "leave the grid away, and record one clip a seed"
        )
