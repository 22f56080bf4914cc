"""One thread that makes recordings beside the training."""

import threading
from collections.abc import Callable, Hashable
from typing import NamedTuple


class _Work(NamedTuple):
    owner: Hashable
    do: Callable[[], None]


class VideoWorker:
    """Does work one after another on one thread of its own, which owns whatever the work makes.

    Promises:

    - Work is done in the order of its submission, and never two at a time.
    - Of each owner at most `limit` pieces wait. One more drops the oldest of them, or, with
      `block`, is waited with until one of them is done.
    - `close` returns when everything that waits is done. A worker that was closed can be given
      new work, and closed again.
    - The thread does not keep the interpreter alive: a program that ends without `close` loses
      what waits.
    - Work must not raise; what it raises nevertheless goes to `threading.excepthook`, and what
      waits behind it is done.

    Args:
        limit: Pieces of one owner that may wait.
        block: Whether `submit` waits for room rather than makes it.
    """

    def __init__(self, limit: int = 2, *, block: bool = False) -> None:
        self._limit = limit
        self._block = block
        self._waiting: list[_Work] = []
        self._thread: threading.Thread | None = None
        self._changed = threading.Condition()

    def submit(self, owner: Hashable, do: Callable[[], None]) -> bool:
        """Have `do` called on the thread.

        Args:
            owner: On whose behalf; `None` has no limit.
            do: Keeps what it refers to alive until it is done or dropped.

        Returns:
            Whether older work of the owner was dropped for it.
        """
        with self._changed:
            dropped = False
            while owner is not None and self._count(owner) >= self._limit:
                if not self._block:
                    self._waiting.remove(next(w for w in self._waiting if w.owner == owner))
                    dropped = True
                else:
                    self._changed.wait()
            self._waiting.append(_Work(owner, do))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="lerax-log", daemon=True)
                self._thread.start()
            return dropped

    def discard(self) -> None:
        """Forget what waits; what is being done is finished."""
        with self._changed:
            self._waiting.clear()
            self._changed.notify_all()

    def close(self) -> None:
        """Wait until everything is done."""
        with self._changed:
            thread = self._thread
        if thread is not None:
            thread.join()

    def _count(self, owner: Hashable) -> int:
        return sum(work.owner == owner for work in self._waiting)

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._waiting:
                    # Ends with its work: there is nothing to stop, and nothing idles.
                    self._thread = None
                    return
                work = self._waiting.pop(0)
                self._changed.notify_all()
            try:
                work.do()
            except Exception as error:
                threading.excepthook(
                    threading.ExceptHookArgs((type(error), error, error.__traceback__, None))
                )
            del work
