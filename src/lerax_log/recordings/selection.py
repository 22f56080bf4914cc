"""Which of the recordings that are due are made."""

import threading
from collections.abc import Mapping

from .options import RecordWhen


class Selection:
    """Decides for each recording that is due whether it is made.

    With `"best"`, a recording that waits or is under way counts until it is settled, so that no
    worse one is made in the meantime. One that is not made counts no longer: it must not stand in
    the way of the next.

    Args:
        record_when: The user's choice.
    """

    def __init__(self, record_when: RecordWhen) -> None:
        self._record_when = record_when
        self._best = -float("inf")
        self._claimed: dict[int, float] = {}
        self._lock = threading.Lock()

    def claim(self, step: int, scalars: Mapping[str, float]) -> bool:
        """Whether to make the recording of a step; if so, `settle` must follow.

        Args:
            step: The step that is to be recorded.
            scalars: What its iteration reports.

        Raises:
            Exception: The user's function raised it.
        """
        if callable(self._record_when):
            return bool(self._record_when(dict(scalars)))
        if self._record_when == "always":
            return True
        score = scalars.get("episode/return", float("nan"))
        with self._lock:
            if not score > max(self._best, *self._claimed.values(), -float("inf")):
                return False
            self._claimed[step] = score
            return True

    def settle(self, step: int, *, made: bool) -> None:
        """Take note of whether the recording of a step was made; nothing the second time."""
        with self._lock:
            score = self._claimed.pop(step, -float("inf"))
            if made:
                self._best = max(self._best, score)
