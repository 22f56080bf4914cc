"""Whole episodes, counted as they end, and kept on disk as long as they may be picked."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..replay import Episodes, Replay
from ..settings import RankName, shown
from ..sources import Batch, EpisodeRun, Piece
from .spool import Spool

type Choice = Sequence[RankName | int] | Callable[[Episodes], Sequence[int]]


def number_at(rank: RankName, count: int) -> int:
    """Return where a rank lies among so many episodes, the best first: from 0.

    Of two in the middle, the better one is the median.
    """
    return {"best": 0, "median": (count - 1) // 2, "worst": count - 1}[rank]


class Candidates:
    """Runs episodes, and keeps those that may be picked.

    Memory holds a few numbers of each episode. What was captured of them lies on disk.

    Args:
        run: Runs them.
        count: How many there are.
        pick: As in `Settings`.
        spool: Keeps what was captured.

    Attributes:
        episodes: What they earned.
    """

    def __init__(self, run: EpisodeRun, count: int, pick: Choice, spool: Spool) -> None:
        self._run, self._count, self._pick, self._spool = run, count, pick, spool
        lanes = run.lanes
        self._returns = np.zeros(count)
        self._truncated = np.zeros(count, bool)
        # In the steps of their lane; 0 is where none of them ends.
        self._starts, self._stops = np.zeros((2, count), np.int64)
        # Of the episode under way in each lane: its number, its first step, what it has earned.
        self._numbers = np.arange(lanes)
        self._begun = np.zeros(lanes, np.int64)
        self._earned = np.zeros(lanes)
        # Where each batch begins, and the last one ends.
        self._edges = [0]
        for batch in run.batches:
            spool.put(batch.content)
            if self._add(batch):
                self._drop()
        self.episodes = Episodes(self._returns, self._stops - self._starts - 1, self._truncated)

    def replay(self, number: int) -> Replay:
        """Return an episode that may be picked: exactly what was counted."""
        start, stop = self._starts[number], self._stops[number]
        pieces = []
        for batch in range(bisect_right(self._edges, start) - 1, len(self._edges) - 1):
            begin, end = self._edges[batch : batch + 2]
            if begin >= stop:
                break
            part = slice(max(start, begin) - begin, min(stop, end) - begin)
            pieces.append(Piece(self._spool.get(batch), number % self._run.lanes, part))
        return self._run.replay_of(pieces)

    def _add(self, batch: Batch) -> bool:
        """Count a batch, and return whether an episode has ended in it."""
        length, lanes = batch.rewards.shape
        begin = self._edges[-1]
        self._edges.append(begin + length)
        # One lane after the other, in segments that end with an episode or with the batch.
        ends = (batch.terminated | batch.truncated).T.ravel()
        rewards = batch.rewards.T.astype(np.float64).ravel()
        is_edge = np.append(True, ends)
        is_edge[::length] = True
        edges = np.flatnonzero(is_edge)
        firsts, stops = edges[:-1], edges[1:]
        earned = np.add.reduceat(rewards, firsts)
        lane = firsts // length
        starts = firsts - lane * length + begin
        goes_on = firsts % length == 0
        earned[goes_on] += self._earned
        starts[goes_on] = self._begun
        # Which of its lane's episodes in this batch each segment is of.
        nth = np.arange(len(lane)) - np.flatnonzero(goes_on)[lane]
        numbers = self._numbers[lane] + nth * lanes
        is_over = ends[stops - 1]

        counted = is_over & (numbers < self._count)
        number = numbers[counted]
        self._returns[number] = earned[counted]
        self._starts[number] = starts[counted]
        self._stops[number] = (stops - lane * length + begin)[counted]
        self._truncated[number] = batch.truncated.T.ravel()[stops - 1][counted]

        self._numbers = self._numbers + np.bincount(lane[is_over], minlength=lanes) * lanes
        self._begun = np.full(lanes, begin + length)
        self._earned = np.zeros(lanes)
        self._begun[lane[~is_over]] = starts[~is_over]
        self._earned[lane[~is_over]] = earned[~is_over]
        return bool(counted.any())

    def _drop(self) -> None:
        """Let go of what can no longer be picked."""
        kept = self._may_be_picked()
        starts, stops = self._starts[kept], self._stops[kept]
        under_way = self._begun[self._numbers < self._count]
        edges = np.array(self._edges)
        # How many of those kept have begun before a batch is over, and how many have ended before
        # it begins.
        begun = np.searchsorted(np.sort(starts), edges[1:], "left")
        ended = np.searchsorted(np.sort(stops), edges[:-1], "right")
        is_needed = begun > ended
        if len(under_way):
            is_needed |= edges[1:] > under_way.min()
        for batch in np.flatnonzero(~is_needed).tolist():
            self._spool.drop(batch)

    def _may_be_picked(self) -> np.ndarray:
        """Return which of the episodes that are over may still be picked, `bool (count,)`."""
        is_over = self._stops > 0
        if callable(self._pick):
            return is_over
        kept = np.zeros(self._count, bool)
        over = np.flatnonzero(is_over)
        # Each that is to come may move all of them down by one, or none.
        order = np.argsort(-self._returns[over], kind="stable")
        places = np.empty(len(over), np.int64)
        places[order] = np.arange(len(over))
        for wanted in self._pick:
            if isinstance(wanted, int):
                kept[wanted] = is_over[wanted]
                continue
            place = number_at(wanted, self._count)
            low, high = places, places + self._count - len(over)
            kept[over[(low <= place) & (place <= high)]] = True
        return kept


def picked(episodes: Episodes, pick: Choice) -> tuple[int, ...]:
    """Return the numbers of the episodes that a choice is of.

    Raises:
        ValueError: A rule of the user's returned no such numbers.
    """
    count = len(episodes)
    if not callable(pick):
        by_rank = np.argsort(episodes.ranks)
        return tuple(
            each if isinstance(each, int) else int(by_rank[number_at(each, count)]) for each in pick
        )
    said: Any = pick(episodes)
    numbers = np.asarray(said)
    is_whole = numbers.ndim == 1 and numbers.size > 0 and numbers.dtype.kind in "iu"
    if not is_whole or numbers.min() < 0 or numbers.max() >= count:
        raise ValueError(
            f"pick must return a list of episodes' numbers, 0 to {count - 1}, got {shown(said)}"
        )
    return tuple(numbers.tolist())
