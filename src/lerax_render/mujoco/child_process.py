"""Processes of our own that do one thing for this one, at the other end of a pipe.

Each has a pipe to itself: where several share a queue, as in a process pool, one that is killed
while it sends leaves half a message behind, for which the others' reader waits for ever.
"""

import os
import subprocess
import sys
import time
import weakref
from collections.abc import Mapping
from multiprocessing.connection import Connection, Pipe
from typing import Any

# The first frame takes ten seconds where shaders are compiled for a processor, once a machine.
_STALL_SECONDS = 180.0
_LAST_LINES = 4


class ChildEnded(Exception):
    """The process is gone, by itself or because it stalled; the message has its last words."""


class Child:
    """A process that runs one of this package's modules with the number of its end of a pipe.

    Args:
        module: Name of the module in this package.
        variables: Environment variables that it has besides this process's own.
    """

    def __init__(self, module: str, variables: Mapping[str, str] | None = None) -> None:
        self._connection, theirs = Pipe()
        self._log = os.memfd_create(f"{module}-log")
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", f"{__package__}.{module}", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env={**os.environ, **(variables or {})},
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
                # Ctrl-C at the terminal reaches this program alone, which then ends the process.
                process_group=0,
            )
        self._release = weakref.finalize(
            self, _end, self._process, self._connection, self._log, os.getpid()
        )

    @property
    def is_open(self) -> bool:
        """Whether it has been neither closed nor found to have ended."""
        return self._release.alive

    def send(self, message: Any) -> None:
        """Send anything that can be pickled.

        Raises:
            ChildEnded: It has ended; it is closed then.
        """
        try:
            self._connection.send(message)
        except OSError as error:
            raise self._ended() from error

    def receive(self) -> Any:
        """Wait for an answer and return it.

        Raises:
            ChildEnded: It has ended or stalled; it is closed then.
            Exception: The answer is an exception.
        """
        try:
            self._wait()
            answer = self._connection.recv()
        except (EOFError, OSError) as error:
            raise self._ended() from error
        if isinstance(answer, Exception):
            raise answer
        return answer

    def receive_into(self, buffer: memoryview) -> None:
        """Wait for bytes that were sent as such, as many as `buffer` has.

        Raises:
            ChildEnded: It has ended or stalled; it is closed then.
        """
        try:
            self._wait()
            self._connection.recv_bytes_into(buffer)
        except (EOFError, OSError) as error:
            raise self._ended() from error

    def close(self) -> None:
        """End the process. May be called twice."""
        self._release()

    def _wait(self) -> None:
        since = time.monotonic()
        while not self._connection.poll(1.0):
            if time.monotonic() - since > _STALL_SECONDS:
                self._process.kill()

    def _ended(self) -> ChildEnded:
        self._process.kill()
        self._process.wait()
        log = os.pread(self._log, os.fstat(self._log).st_size, 0).decode(errors="replace")
        self.close()
        lines = [line.strip() for line in log.splitlines() if line.strip()]
        return ChildEnded("; ".join(lines[-_LAST_LINES:]) or "it said nothing")


def _end(process: subprocess.Popen[bytes], connection: Connection, log: int, pid: int) -> None:
    if os.getpid() != pid:
        return  # a forked child owns neither
    process.kill()
    process.wait()
    connection.close()
    os.close(log)
