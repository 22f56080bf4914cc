"""A process to try things in that may crash it, hang, or take all memory."""

import multiprocessing
import resource
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

_CONTEXT = multiprocessing.get_context("spawn")
_BYTES = 4 << 30


class Sandbox:
    """Calls functions in a process of its own, which is replaced when it dies.

    Args:
        seconds: That a call may take.
    """

    def __init__(self, seconds: float = 60) -> None:
        self._seconds = seconds
        self._child: Any = None

    def __call__(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Return what the function returns.

        Args:
            function: Of a module.
            arguments: For it.

        Raises:
            AssertionError: It raised, crashed its process or did not end; the message says which.
        """
        if self._child is None:
            self._pipe, other = _CONTEXT.Pipe()
            # Not a daemon, which could have no processes of its own.
            self._child = _CONTEXT.Process(target=_serve, args=(other,))
            self._child.start()
            other.close()
        self._pipe.send((function, arguments))
        try:
            if not self._pipe.poll(self._seconds):
                raise AssertionError(f"not done after {self._seconds} s")
            error, result = self._pipe.recv()
        except (EOFError, ConnectionResetError):
            self._child.join()
            code = self._child.exitcode
            self.close()
            raise AssertionError(f"the process crashed, exit code {code}") from None
        except AssertionError:
            self.close()
            raise
        if error is not None:
            raise AssertionError(error)
        return result

    def close(self) -> None:
        """End the process."""
        if self._child is not None:
            self._child.kill()
            self._child.join()
            self._pipe.close()
            self._child = None


def _serve(pipe: Connection) -> None:
    import traceback

    # More than anything here needs, less than the machine has.
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    soft = _BYTES + pages * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_DATA, (soft, soft))
    while True:
        try:
            function, arguments = pipe.recv()
        except EOFError:
            return
        try:
            pipe.send((None, function(*arguments)))
        except BaseException:
            pipe.send((traceback.format_exc(), None))
