"""Clips, whether their length is a number of steps or of whole episodes, or some are picked."""

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..acting import compilation_said
from ..compose import DEFAULT_LINES
from ..errors import warn
from ..naming import given_env
from ..output import Export, Output
from ..replay import Replay, joined
from ..settings import Settings, check_room
from ..sources import find_source
from ..video import find_export
from .choosing import (
    USUAL_LIMIT,
    Picked,
    check_one,
    first_episodes,
    pick_episodes,
    pick_from,
    picked_lines,
    whole_episodes,
)
from .clips import Place, record_steps, rehearse
from .exporting import idle_in
from .given import Given, check_not_traced, cut_replays, given_replays, name_of, only_path
from .moments import step_of

if TYPE_CHECKING:
    from ..acting import Key


def record_clip(
    env: Any,
    policy: Any | None,
    path: Place,
    settings: Settings,
    *,
    key: "Key" = None,
    progress: Callable[[int], None] | None = None,
    still: bool = False,
) -> Output:
    """Record as `record` does, with its settings in one.

    Args:
        still: Whether `Output.still` is wanted of what is no video.
    """
    env = given_env("record", env)
    check_not_traced("record", env)
    replays = given_replays(env)
    if replays is not None:
        policy, path = only_path(policy, path)
    with compilation_said(name_of(env), getattr(progress, "say", None)):
        return _recorded(Given(env, replays, policy, key), path, settings, progress, still)


def _recorded(
    given: Given,
    path: Place,
    settings: Settings,
    progress: Callable[[int], None] | None,
    still: bool,
) -> Output:
    if not settings.pick and settings.episodes is None:
        return record_steps(given, path, settings, progress=progress, still=still)
    env, replays, policy, key = given
    row = find_export(path, settings.format)
    _check(settings, policy, row)
    wanted = dataclasses.replace(settings, episodes=None, pick=(), of=None, max_steps=None)
    if replays is not None:
        cut_replays(replays, None, key, settings.deterministic)
        for name in ("of", "max_steps"):
            if getattr(settings, name) is not None:
                raise ValueError(f"a replay has its episodes already: leave {name} out")
    else:
        _check_start(env, settings, row)
        # Before any episode is run. What happens in it, and so how long it is, makes no difference.
        trial = dataclasses.replace(wanted, start=None, stop=None, captions=())
        if settings.pick:
            trial = dataclasses.replace(trial, labels=())
        rehearse(given, path, trial)
    acting: dict[str, Any] = {
        "key": key,
        "deterministic": settings.deterministic,
        "max_steps": settings.max_steps,
    }
    wanted = dataclasses.replace(wanted, deterministic=False)
    if settings.episodes is not None:
        if replays is not None:
            shown = first_episodes(replays, settings.episodes)
        else:
            lanes = None if settings.grid is None else math.prod(settings.grid)
            shown = whole_episodes(env, policy, settings.episodes, lanes=lanes, **acting)
            # There, lanes lie side by side by themselves.
            wanted = wanted if row is None else dataclasses.replace(wanted, grid=None)
        wanted = _within(wanted, shown)
        return record_steps(Given(env, shown), path, wanted, progress=progress, still=still)
    found = (
        pick_episodes(env, policy, settings.pick, of=settings.of, **acting)
        if replays is None
        else pick_from(replays, settings.pick)
    )
    shown, wanted = _arranged(found, wanted, row)
    wanted = _within(wanted, shown)
    made = record_steps(Given(env, shown), path, wanted, progress=progress, still=still)
    return dataclasses.replace(made, episodes=found.episodes)


def _check(settings: Settings, policy: Any, row: Export | None) -> None:
    """Raise `ValueError` where settings make no sense together, as far as that shows already."""
    if row is not None and (idle := idle_in(row, vars(settings))):
        raise ValueError(idle[1])
    if not settings.pick:
        return
    check_one(policy)
    if row is not None and settings.grid is not None:
        raise ValueError(f"episodes that are picked have no grid in {row.noun}: leave grid out")
    if not callable(settings.pick):
        _check_counts(settings, len(settings.pick))


def _check_counts(settings: Settings, count: int) -> None:
    check_room(settings.grid, count, "episodes that are picked")
    if settings.labels and len(settings.labels) != count:
        raise ValueError(
            f"labels must be one for each of {count} episodes that are picked, got "
            f"{len(settings.labels)}"
        )


def _check_start(env: Any, settings: Settings, row: Export | None) -> None:
    """Raise `ValueError` where a clip begins later than its episodes can be long."""
    if settings.start is None:
        return
    start = step_of("start", settings.start, find_source(env).seconds_per_step(env))
    # A state for each action, and the first one.
    most = 1 + (USUAL_LIMIT if settings.max_steps is None else settings.max_steps)
    if settings.episodes is not None:
        most *= settings.episodes
    elif callable(settings.pick):
        return
    elif settings.grid is None and row is None:
        most *= len(settings.pick)
    if start >= most:
        raise ValueError(
            f"start is step {start}, and what is shown has {most} steps at most: begin "
            "earlier, or raise max_steps"
        )


def _within(wanted: Settings, shown: Sequence[Replay]) -> Settings:
    """Return settings of a clip that ends where its episodes do, with a warning where it has to."""
    longest = max(replay.steps for replay in shown)
    if wanted.stop is None or step_of("stop", wanted.stop, shown[0].seconds_per_step) <= longest:
        return wanted
    warn(f"what is shown has {longest} steps, fewer than stop says: the clip ends with them")
    return dataclasses.replace(wanted, stop=None)


def _arranged(found: Picked, wanted: Settings, row: Export | None) -> tuple[list[Replay], Settings]:
    """Return what is shown, and how: side by side, or one after the other, with labels."""
    _check_counts(wanted, len(found.replays))
    is_joined = row is None and wanted.grid is None
    separator = "\n" if is_joined else ", "
    labels = wanted.labels or [separator.join(lines) for lines in picked_lines(found.episodes)]
    if not is_joined and (row is None or "labels" in row.settings):
        return found.replays, dataclasses.replace(wanted, labels=labels)
    if row is not None and row.holds_several:
        return found.replays, wanted
    if len({id(replay.scene) for replay in found.replays}) > 1:
        raise ValueError(
            "the episodes that are picked are of replays with different scenes, which cannot be "
            "shown one after the other: give a grid"
        )
    if row is None:
        lines = DEFAULT_LINES if wanted.overlay is True else wanted.overlay or ()
        overlay = (lambda info: labels[info.episode - 1], *lines)
        wanted = dataclasses.replace(wanted, labels=(), overlay=overlay)
    return [joined(found.replays)], wanted
