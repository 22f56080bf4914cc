"""Whole episodes in, replays out: a number of them, or those that are picked out of many."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..replay import Episodes, Origin, Replay, joined
from ..settings import check_picks, check_policy, check_seed
from ..sources import EpisodeRun, find_source
from .counting import Candidates, Choice, picked
from .given import each_policy, origin_of
from .spool import Spool

if TYPE_CHECKING:
    from ..acting import Key

USUAL_COUNT = 100
"""Number of episodes that some are picked out of, where nobody says otherwise."""

USUAL_LIMIT = 1000
"""Number of actions after which an episode is cut short, where nobody says otherwise."""

_MOST_LANES = 256


class Picked(NamedTuple):
    """Episodes that were picked.

    Attributes:
        replays: One for each, in the order in which they were asked for.
        episodes: What all of them earned.
    """

    replays: list[Replay]
    episodes: Episodes


def picked_lines(episodes: Episodes) -> list[list[str]]:
    """Return what is written on each episode that was picked, line by line."""
    ranks = episodes.ranks

    def length(number: int) -> str:
        count, is_cut = int(episodes.lengths[number]), bool(episodes.truncated[number])
        return f"{count:,} step{'s' * (count != 1)}{', cut short' * is_cut}"

    return [
        [
            f"return {episodes.returns[number]:.5g}",
            f"rank {ranks[number]:,} of {len(ranks):,}",
            length(number),
        ]
        for number in episodes.picked
    ]


def pick_episodes(
    env: Any,
    policy: Any | None,
    pick: Choice,
    *,
    of: int | None,
    max_steps: int | None,
    key: "Key",
    deterministic: bool,
) -> Picked:
    """Run episodes, and return some of them: exactly what was counted.

    Running them again by their keys would show other ones: the same key in another compiled program
    is another episode.

    Args:
        env: The environment itself.
        policy: As for `record`, one.
        pick: As for `record`.
        of: As for `record`.
        max_steps: As for `record`.
        key: As for `record`.
        deterministic: As for `record`.

    Raises:
        ValueError, TypeError, UnsupportedEnvError: As for `record`; nothing was run.
    """
    count = USUAL_COUNT if of is None else of
    check_picks(pick, count)
    check_one(policy)
    lanes = lanes_for(count)
    run = _run(env, policy, count, lanes, max_steps, key, deterministic)
    return picked_of(run, count, pick, origin_of(env, policy, key))


def lanes_for(count: int) -> int:
    """Return how many lanes run a number of episodes, each equally many."""
    rounds = -(-count // _MOST_LANES)
    return -(-count // rounds)


def picked_of(run: EpisodeRun, count: int, pick: Choice, origin: Origin) -> Picked:
    """Run episodes, and return what they earned, and a replay of each that is picked.

    Args:
        run: Runs them.
        count: How many there are.
        pick: As for `record`; nothing picks none.
        origin: Of the replays.
    """
    with Spool() as spool:
        candidates = Candidates(run, count, pick, spool)
        numbers = picked(candidates.episodes, pick)
        replays = [candidates.replay(number) for number in numbers]
    # One for all, as it is now.
    scenes = [replay.scene.kept() for replay in replays[:1]]
    replays = [replace(each, scene=scenes[0], origin=origin) for each in replays]
    return Picked(replays, replace(candidates.episodes, picked=numbers))


def check_one(policy: Any) -> None:
    """Raise `ValueError` where several policies were given to pick episodes of."""
    if isinstance(policy, list | tuple):
        raise ValueError(
            f"pick chooses among the episodes of one policy, and {len(policy)} were given"
        )


def whole_episodes(
    env: Any,
    policy: Any | None,
    count: int,
    *,
    lanes: int | None,
    max_steps: int | None,
    key: "Key",
    deterministic: bool,
) -> list[Replay]:
    """Run a number of whole episodes in each lane, and return a replay for each lane.

    Args:
        env: The environment itself.
        policy: As for `record`.
        count: Number of episodes in each lane.
        lanes: Number of lanes; one by itself where `None`.
        max_steps: As for `record`.
        key: As for `record`.
        deterministic: As for `record`.

    Raises:
        ValueError, TypeError, UnsupportedEnvError: As for `record`; nothing was run.
    """
    each_policy(policy, lanes, "lanes")
    width = lanes or 1
    total = count * width
    run = _run(env, policy, total, width, max_steps, key, deterministic)
    replays = picked_of(run, total, range(total), origin_of(env, policy, key)).replays
    return [joined(replays[lane::width]) for lane in range(width)]


def pick_from(replays: Sequence[Replay], pick: Choice) -> Picked:
    """Return some of the whole episodes in replays.

    Raises:
        ValueError: There are none, or too few.
    """
    found = [part for replay in replays for part in _whole_ones(replay)]
    check_picks(pick, len(found))
    told = [part.episodes[0] for part in found]
    episodes = Episodes(
        np.array([each.episode_return for each in told]),
        np.array([each.length for each in told]),
        np.array([bool(part.truncated[-1]) for part in found if part.truncated is not None]),
    )
    numbers = picked(episodes, pick)
    return Picked([found[number] for number in numbers], replace(episodes, picked=numbers))


def first_episodes(replays: Sequence[Replay], count: int) -> list[Replay]:
    """Return the part of each replay with its first whole episodes.

    Raises:
        ValueError: One has fewer.
    """
    parts = []
    for replay in replays:
        whole = [episode for episode in replay.episodes if episode.is_whole]
        if len(whole) < count:
            raise ValueError(
                f"episodes is {count}, and the replay has {len(whole)} whole ones: capture it with "
                "episodes, too"
            )
        parts.append(replay[whole[0].start : whole[count - 1].stop])
    return parts


def _whole_ones(replay: Replay) -> list[Replay]:
    whole = [replay[each.start : each.stop] for each in replay.episodes if each.is_whole]
    if not whole:
        raise ValueError(
            "the replay has no whole episode to pick: capture it with episodes=, or for more steps"
        )
    return whole


def _run(
    env: Any,
    policy: Any | None,
    count: int,
    lanes: int,
    max_steps: int | None,
    key: "Key",
    deterministic: bool,
) -> EpisodeRun:
    for each in policy if isinstance(policy, list | tuple) else [policy]:
        check_policy(env, each)
    return find_source(env).episodes(
        env,
        policy,
        count=count,
        lanes=lanes,
        limit=USUAL_LIMIT if max_steps is None else max_steps,
        key=check_seed(key),
        deterministic=deterministic,
    )
