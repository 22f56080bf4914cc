"""Other replays in the same picture, translucent: what happened there at the same step."""

import dataclasses
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, override

import numpy as np

from ..painter import Painter
from ..replay import Replay, lengthened
from ..scene import Captured, Scene
from ..settings import Picture, PixelFormat
from ..trees import map_arrays


class HauntedScene(Scene):
    """A scene with others of its kind in it.

    What is captured of a step is a tuple: that of the scene, and that of each ghost.

    Args:
        scene: The scene.
        ghosts: Those that are seen besides.
    """

    def __init__(self, scene: Scene, ghosts: Sequence[Scene]) -> None:
        self._scene = scene
        self._ghosts = tuple(ghosts)
        self.pixel_format = scene.pixel_format  # type: ignore[misc]
        self.is_drawn = scene.is_drawn  # type: ignore[misc]
        self.has_steps = scene.has_steps  # type: ignore[misc]
        self.shares_painter = scene.shares_painter  # type: ignore[misc]

    @property
    def _scenes(self) -> tuple[Scene, ...]:
        return (self._scene, *self._ghosts)

    @override
    def painter(
        self, picture: Picture, *, pixel_format: PixelFormat = "rgb24", workers: int = 1
    ) -> Painter:
        return self._scene.painter_with(
            self._ghosts, picture, pixel_format=pixel_format, workers=workers
        )

    @property
    @override
    def state_sizes(self) -> Mapping[str, int]:
        return self._scene.state_sizes

    @override
    def state(self, captured: Captured, name: str) -> np.ndarray:
        return self._scene.state(captured[0], name)

    @override
    def builds_up(self, captured: Captured) -> bool:
        pairs = zip(self._scenes, captured, strict=True)
        return any(scene.builds_up(own) for scene, own in pairs)

    @override
    def cut(self, captured: Captured, start: int, stop: int) -> Captured:
        pairs = zip(self._scenes, captured, strict=True)
        return tuple(scene.cut(own, start, stop) for scene, own in pairs)

    @override
    def held(self, captured: Captured, steps: int) -> Captured:
        pairs = zip(self._scenes, captured, strict=True)
        return tuple(scene.held(own, steps) for scene, own in pairs)

    @override
    def picked(self, captured: Captured, which: np.ndarray) -> Captured:
        pairs = zip(self._scenes, captured, strict=True)
        return tuple(scene.picked(own, which) for scene, own in pairs)

    @override
    def between(
        self, captured: Captured, places: np.ndarray, starts: np.ndarray | None
    ) -> Captured:
        # Nobody knows where the ghosts' episodes start.
        return tuple(
            scene.between(own, places, starts if scene is self._scene else None)
            for scene, own in zip(self._scenes, captured, strict=True)
        )

    @override
    def looks_ahead(self, picture: Picture) -> bool:
        return self._scene.looks_ahead(picture)

    @override
    def aimed(
        self,
        picture: Picture,
        captured: Captured,
        *,
        before: Any | None = None,
        goes_on: bool = False,
        stands: bool = False,
    ) -> Any:
        """Return a view of the scene in which the ghosts are to be seen, too."""
        # What follows once more follows the scene's own.
        pairs = [*zip(self._scenes, captured, strict=True), (self._scene, captured[0])]
        for scene, steps in pairs:
            before = scene.aimed(picture, steps, before=before, goes_on=goes_on, stands=stands)
        return before


class Ghosts:
    """Replays that are seen in others; one that is over stays as it was at its last step.

    Args:
        given: The replays, or their files.

    Raises:
        RenderError: A file is no replay's, or damaged.
        OSError: It cannot be read.
    """

    def __init__(self, given: Sequence[Any]) -> None:
        self._replays: list[Replay] = []
        for each in given:
            loaded = Replay.load(each) if isinstance(each, str | os.PathLike) else each
            self._replays += loaded if isinstance(loaded, list) else [loaded]
        self._haunted: dict[int, Any] = {}

    def __bool__(self) -> bool:
        return bool(self._replays)

    def check(self, seconds: float | None) -> None:
        """Raise `ValueError` where steps are not as long as those of the ghosts."""
        for ghost in self._replays:
            theirs = ghost.seconds_per_step
            if None not in (seconds, theirs) and not np.isclose(seconds or 0, theirs or 0, 1e-3):
                raise ValueError(
                    f"a step of the ghost takes {theirs:g} s, and one of the clip {seconds:g} s: "
                    "capture both with steps of one length"
                )

    def scene(self, scene: Scene) -> Scene:
        """Return a scene with the ghosts in it."""
        return HauntedScene(scene, [ghost.scene for ghost in self._replays]) if self else scene

    def in_replay(self, replay: Replay) -> Replay:
        """Return a replay with the ghosts in it, from its first step on."""
        return self._in_part(replay, 0) if self else replay

    def in_parts(self, parts: Iterator[Sequence[Replay]]) -> Iterator[Sequence[Replay]]:
        """Yield parts, each of the next steps of several lanes, with the ghosts in them."""
        begun = 0
        for lanes in parts:
            yield [self._in_part(lane, begun) for lane in lanes] if self else lanes
            begun += lanes[0].steps

    def _in_part(self, part: Replay, begun: int) -> Replay:
        stop = begun + part.steps
        for number, ghost in enumerate(self._replays):
            if ghost.steps < stop:
                # By more than is needed: the next part follows.
                self._replays[number] = lengthened(ghost, max(stop, 2 * ghost.steps))
        others = [
            map_arrays(lambda array: array[begun:stop], ghost.captured) for ghost in self._replays
        ]
        whole = part.whole
        if whole is not None:
            whole = self._once(whole, partial(self._in_part, whole, 0))
        scene = self._once(part.scene, partial(self.scene, part.scene))
        captured = (part.captured, *others)
        return dataclasses.replace(part, scene=scene, captured=captured, whole=whole)

    def _once(self, thing: Any, haunt: Callable[[], Any]) -> Any:
        """Return a thing with the ghosts in it, the same one each time."""
        if id(thing) not in self._haunted:
            # With the thing itself, so that no other gets its number.
            self._haunted[id(thing)] = thing, haunt()
        return self._haunted[id(thing)][1]
