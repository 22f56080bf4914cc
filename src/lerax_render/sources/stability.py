"""Whether MuJoCo's numbers stay finite, said in a warning rather than in a file of MuJoCo's."""

import itertools
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..errors import RenderError, warn

_lock = threading.Lock()
_watching = 0


def watched[T](steps: Iterator[T], name: str, data: Any) -> Iterator[T]:
    """Yield steps as they are taken, and warn of the first that MuJoCo found no numbers for.

    MuJoCo then begins anew from its first state, and would say so on stderr and in a file
    MUJOCO_LOG.TXT in the current folder.

    Args:
        steps: Takes the next step when it is asked for it.
        name: What is simulated.
        data: The `mujoco.MjData` that is stepped; with anything else there is nothing to watch.

    Raises:
        RenderError: MuJoCo cannot go on, for want of memory, say.
    """
    mujoco = sys.modules.get("mujoco")
    if mujoco is None or not isinstance(data, mujoco.MjData):
        yield from steps
        return
    kinds = [
        mujoco.mjtWarning.mjWARN_BADQPOS.value,
        mujoco.mjtWarning.mjWARN_BADQVEL.value,
        mujoco.mjtWarning.mjWARN_BADQACC.value,
    ]
    is_stable = True
    for number in itertools.count():
        try:
            with without_log():
                step = next(steps, None)
        except mujoco.FatalError as error:
            said = " ".join(str(error).split())
            raise RenderError(f"MuJoCo gave {name} up at step {number}: {said}") from error
        if step is None:
            return
        if is_stable and data.warning.number[kinds].any():
            is_stable = False
            warn(
                f"{name} is unstable from step {number}: use a smaller timestep or weaker gains. "
                "Where its numbers are no longer finite, MuJoCo begins anew from its first state"
            )
        yield step


@contextmanager
def without_log() -> Iterator[None]:
    """Keep MuJoCo, of which a process has one, from writing its warnings into a file.

    They go to stderr, but for those that `watched` gives. A handler of the user's gets them all.
    If MuJoCo is not imported yet, this does nothing.
    """
    mujoco = sys.modules.get("mujoco")
    if mujoco is None:
        yield
        return
    global _watching
    with _lock:
        ours = _watching > 0 or mujoco.get_mju_user_warning() is None
        if ours:
            _watching += 1
            mujoco.set_mju_user_warning(_take)
    try:
        yield
    finally:
        if ours:
            with _lock:
                _watching -= 1
                if not _watching:
                    mujoco.set_mju_user_warning(None)


def _take(message: str) -> None:
    if not message.startswith("Nan, Inf"):
        print(f"WARNING: {message}", file=sys.stderr)
