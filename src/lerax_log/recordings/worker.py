"""One thread that makes recordings beside the training, and one that watches it.

Promises:

- **Order.** Work is done in the order of its submission, and never two at a time. What is `late`
  is done when nothing else waits, and what is `next` before all else.
- **Bounds.** At most `limit` pieces of an owner wait, besides the one that is being done.
- **What is dropped.** One more drops one of that owner's that wait, and `submit` calls its `drop`:
  the one whose loss leaves the others most evenly spread over their places, or the oldest where
  they have none. With `block`, `submit` waits for room instead, and nothing is dropped. Work of
  nobody (owner `None`) has no bound, and is never dropped.
- **Time limit.** Work that can be given up is given up after `time_limit`: its `give_up` is called
  on the watching thread, and another thread goes on with what waits. The thread that hangs cannot
  be ended from outside. If it comes back to life, `settle` tells it that its result is not wanted
  any more; it frees what it holds, and ends.
- **Flush.** `close` returns when everything that waits is done or given up, and never waits for a
  thread that hangs. It may give late work so many seconds, and drops the rest. A closed worker can
  be given new work, and be closed again.
- **Errors.** Work must not raise. If it does, the error goes to `threading.excepthook`, and what
  waits behind it is done.
- **Exit.** No thread here keeps the interpreter alive: a program that ends without `close` loses
  what waits.

Work that hangs in C, in a GL driver or a compiler, is given up like any other if it has released
Python's lock there. If it holds that lock, the whole program hangs.
"""

import itertools
import sys
import sysconfig
import threading
import traceback
from collections.abc import Callable, Hashable
from pathlib import Path

from .spread import most_crowded

type GiveUp = Callable[[str | None], None]

_TICK = 1.0
_CLEANING_SECONDS = 30.0


class _Work:
    def __init__(
        self,
        owner: Hashable,
        do: Callable[[], None],
        give_up: GiveUp | None,
        drop: Callable[[], None],
        place: float | None,
        late: bool,
    ) -> None:
        self.owner = owner
        self.do = do
        self.give_up = give_up
        self.drop = drop
        self.place = place
        self.late = late
        self.settled = threading.Event()


class VideoWorker:
    """Does one piece of work after another on a thread of its own, which owns what the work makes.

    The module's docstring says what it promises.

    Args:
        limit: Number of pieces of an owner that may wait, where `submit` is not told.
        block: Whether `submit` waits for room instead of making it.
        time_limit: Seconds that a piece may take; infinite for no limit. Time in which the whole
            program is stopped, by Ctrl-Z or a batch system, does not count.
    """

    def __init__(
        self, limit: int = 2, *, block: bool = False, time_limit: float = float("inf")
    ) -> None:
        self._limit = limit
        self._block = block
        self._time_limit = time_limit
        self._waiting: list[_Work] = []
        self._thread: threading.Thread | None = None
        self._doing: _Work | None = None
        self._ended: threading.Thread | None = None
        self._cleaning: set[threading.Thread] = set()
        self._changed = threading.Condition()

    def submit(
        self,
        owner: Hashable,
        do: Callable[[], None],
        *,
        give_up: GiveUp | None = None,
        drop: Callable[[], None] = lambda: None,
        limit: float | None = None,
        place: float | None = None,
        late: bool = False,
        next: bool = False,
    ) -> None:
        """Have `do` called on the thread.

        Args:
            owner: Whose work it is; `None` has no limit.
            do: The work. What it refers to is kept alive until it is done or dropped.
            give_up: Frees what the thread of `do` cannot. It is called with the place in the code
                where `do` hangs, on another thread, when it takes too long; or with `None`, on the
                thread of `cancel`. Work without it is never given up.
            drop: Called if the work is dropped, on the thread that submits what takes its place, or
                on that of `close`.
            limit: Number of pieces of this owner that may wait, `late` ones or others.
            place: Where it lies among the owner's, which ascend.
            late: Whether it is done only when nothing else waits.
            next: Whether it is done before all that waits.
        """
        dropped: list[_Work] = []
        new = _Work(owner, do, give_up, drop, place, late)
        with self._changed:
            most = self._limit if limit is None else limit
            while owner is not None and len(rivals := self._rivals(new)) >= most:
                if self._block:
                    self._changed.wait()
                    continue
                # The new one is the last, which stays.
                places = [work.place for work in (*rivals, new) if work.place is not None]
                is_placed = len(places) == len(rivals) + 1
                chosen = rivals[most_crowded(places) if is_placed else 0]
                self._waiting.remove(chosen)
                dropped.append(chosen)
            self._waiting.insert(0 if next else len(self._waiting), new)
            self._ensure_thread()
        for work in dropped:
            work.drop()

    def count(self, owner: Hashable) -> int:
        """Return how many pieces of an owner are not done, but for one whose thread asks."""
        with self._changed:
            found = self._unfinished()
            if threading.current_thread() is self._thread:
                found = list(self._waiting)
            return sum(work.owner == owner for work in found)

    def settle(self) -> bool:
        """Say, from within the work, that the part that may take too long is over.

        Returns:
            Whether the result is wanted; `False` if the work has been given up.
        """
        with self._changed:
            if threading.current_thread() is not self._thread:
                return False
            if self._doing is not None:
                self._doing.settled.set()
            return True

    def cancel(self) -> None:
        """Forget what waits, and give up what is being done if that can be given up."""
        with self._changed:
            self._waiting.clear()
            work, thread = self._doing, self._thread
            self._changed.notify_all()
        if work is not None and thread is not None:
            self._give_up(work, thread, None)

    def close(self, late_seconds: float = float("inf")) -> None:
        """Wait until everything is done or given up.

        Args:
            late_seconds: How long late work is waited for when all else is done. What then waits is
                dropped, unless it is nobody's, and what is under way is given up.
        """
        with self._changed:
            self._changed.wait_for(lambda: all(work.late for work in self._unfinished()))
            limit = None if late_seconds == float("inf") else late_seconds
            if not self._changed.wait_for(lambda: self._thread is None, limit):
                dropped = [work for work in self._waiting if work.late and work.owner is not None]
                self._waiting = [work for work in self._waiting if work not in dropped]
                work, thread = self._doing, self._thread
            else:
                dropped, work, thread = [], None, None
        for each in dropped:
            each.drop()
        if work is not None and thread is not None and work.late:
            self._give_up(work, thread, None)
        with self._changed:
            self._changed.wait_for(lambda: self._thread is None)
            ended, cleaning = self._ended, list(self._cleaning)
        if ended is not None:
            ended.join()
        for thread in cleaning:
            # What is cleaned up may hang as well, on a disk that does not answer.
            thread.join(_CLEANING_SECONDS)

    def _rivals(self, new: _Work) -> list[_Work]:
        return [w for w in self._waiting if w.owner == new.owner and w.late == new.late]

    def _unfinished(self) -> list[_Work]:
        return self._waiting if self._doing is None else [self._doing, *self._waiting]

    def _ensure_thread(self) -> None:
        if self._thread is None and self._waiting:
            self._thread = threading.Thread(target=self._run, name="lerax-log", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        thread = threading.current_thread()
        while True:
            with self._changed:
                if not self._waiting:
                    # Ends with its work: there is nothing to stop, and nothing idles.
                    self._thread, self._ended = None, thread
                    self._changed.notify_all()
                    return
                number = next((n for n, w in enumerate(self._waiting) if not w.late), 0)
                work = self._doing = self._waiting.pop(number)
                self._changed.notify_all()
            watcher = self._watched(work, thread)
            try:
                work.do()
            # A user's code that calls `sys.exit` would end this thread, and nobody would know.
            except BaseException as error:
                threading.excepthook(
                    threading.ExceptHookArgs((type(error), error, error.__traceback__, None))
                )
            with self._changed:
                if self._thread is not thread:
                    return
                work.settled.set()
                self._doing = None
                self._changed.notify_all()
            if watcher is not None:
                watcher.join()
            del work

    def _watched(self, work: _Work, thread: threading.Thread) -> threading.Thread | None:
        if work.give_up is None or self._time_limit == float("inf"):
            return None
        watcher = threading.Thread(
            target=self._watch, args=(work, thread), name="lerax-log-watch", daemon=True
        )
        watcher.start()
        return watcher

    def _watch(self, work: _Work, thread: threading.Thread) -> None:
        # Seconds that were waited for, rather than those of a clock: a program that was stopped
        # for an hour and goes on has not hung.
        tick = min(_TICK, self._time_limit)
        for number in itertools.count(1):
            if work.settled.wait(tick):
                return
            if number * tick >= self._time_limit:
                break
        self._give_up(work, thread, _place(thread))

    def _give_up(self, work: _Work, thread: threading.Thread, place: str | None) -> None:
        with self._changed:
            if self._doing is not work or work.settled.is_set() or work.give_up is None:
                return
            work.settled.set()
            self._doing = self._thread = None
            self._cleaning.add(threading.current_thread())
            # First of all, since cleaning up may hang as well.
            self._ensure_thread()
            self._changed.notify_all()
        try:
            work.give_up(place)
        finally:
            with self._changed:
                self._cleaning.discard(threading.current_thread())


def _place(thread: threading.Thread) -> str:
    """Say where in the code a thread is, apart from Python's own library."""
    frame = sys._current_frames().get(thread.ident or 0)
    stack = traceback.extract_stack(frame)
    place = next((p for p in reversed(stack) if not _is_pythons_own(p.filename)), stack[-1])
    return f"{place.name} ({place.filename}, line {place.lineno})"


def _is_pythons_own(file: str) -> bool:
    library = Path(sysconfig.get_path("stdlib"))
    # Installed packages lie within the library's folder.
    return Path(file).is_relative_to(library) and "site-packages" not in file
