"""Replay or states in, frames out: the public verb."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .making import Ghosts, aim, captured_first, check_not_traced, parts_of, warn_if_incomplete
from .naming import given_env
from .replay import Replay
from .settings import LightName, ModalityName, Picture, QualityName, Settings, ShownName
from .sources import find_source

if TYPE_CHECKING:
    from .acting import PyTree

# So many states are looked at before the first is painted, where the camera is left open.
_STEPS_AHEAD = 1024


def render(
    env: Any,
    states: "PyTree" = None,
    *,
    width: int | None = None,
    height: int | None = None,
    camera: Any | None = None,
    inset: bool = False,
    modality: Sequence[ModalityName] = ("color",),
    max_depth: float | None = None,
    quality: QualityName = "auto",
    background: str | None = None,
    light: LightName | None = None,
    show: Sequence[ShownName] = (),
    hide: Sequence[ShownName] = (),
    color: Mapping[str, str] | None = None,
    trail: Sequence[str | int] = (),
    ghost: Any = (),
    decorate: Callable[[Any, int], None] | None = None,
    workers: int = 1,
) -> Iterator[np.ndarray]:
    """Paint a replay, or states that you already have.

    Args:
        env: A `Replay`; or the environment that the states belong to.
        states: As for `capture`; a replay has none.
        width: As for `record`.
        height: As for `record`.
        camera: As for `record`.
        inset: As for `record`.
        modality: As for `record`.
        max_depth: As for `record`.
        quality: As for `record`.
        background: As for `record`.
        light: As for `record`.
        show: As for `record`.
        hide: As for `record`.
        color: As for `record`.
        trail: As for `record`.
        ghost: As for `record`.
        decorate: As for `record`.
        workers: As for `record`.

    Returns:
        An iterator of frames, `uint8 (H, W, 3)` RGB with row 0 on top, one a step; `(H, W, 4)` RGBA
        with straight alpha where the background is transparent. Close it, or use it up, to free the
        painter.

    Raises:
        ValueError, TypeError: An argument is wrong.
        UnsupportedEnvError: Nothing here can draw this environment from its states.
        BackendUnavailableError: No GL platform works, or a package is missing.
    """
    env = given_env("render", env)
    check_not_traced("render", env)
    picture = Picture(
        width=width,
        height=height,
        camera=camera,
        inset=inset,
        modality=modality,
        max_depth=max_depth,
        quality=quality,
        background=background,
        light=light,
        show=show,
        hide=hide,
        color=color,
        trail=trail,
        ghost=ghost,
        decorate=decorate,
    )
    workers = Settings(workers=workers).workers
    parts: Iterator[Replay]
    if isinstance(env, Replay):
        if states is not None:
            raise TypeError("a replay has its states captured: leave states out")
        scene, parts = env.scene, (part[0] for part in parts_of([env]))
    else:
        if states is None:
            raise TypeError("states is missing: give render(env, states), or a Replay")
        source = find_source(env)
        scene, parts = source.scene(env), source.replays_of(env, states)
    ghosts = Ghosts(picture.ghosts)
    picture = dataclasses.replace(picture, ghost=())
    if isinstance(env, Replay):
        ghosts.check(env.seconds_per_step)
    scene = ghosts.scene(scene)

    def frames() -> Iterator[np.ndarray]:
        painted = 0
        with scene.painter(picture, workers=workers) as painter:
            lanes = ghosts.in_parts([part] for part in parts)
            looks_ahead = scene.looks_ahead(picture)
            held, lanes = captured_first(lanes, _STEPS_AHEAD if looks_ahead else 0)
            if looks_ahead:
                aim([painter], [scene], picture, held)
            # Each part goes when it is painted.
            del held
            yield np.empty(0)
            for (part,) in lanes:
                shown = painter.paint(part.captured)
                yield from map(_rgba, shown) if picture.is_transparent else shown
                painted += part.steps
        warn_if_incomplete([painter], painted)

    # Started here, so that wrong arguments are reported now and not with the first frame, and so
    # that the painter is closed even if no frame is ever asked for.
    iterator = frames()
    next(iterator)
    return iterator


def _rgba(frame: np.ndarray) -> np.ndarray:
    """Return B G R A as R G B A."""
    turned = frame.copy()
    # A list of channels would take five times as long.
    turned[..., 0], turned[..., 2] = frame[..., 2], frame[..., 0]
    return turned
