"""A program that is only tried, and may crash, hang, or be held by a driver."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Self

_GRACE_SECONDS = 2.0


class Trial:
    """One run of a program, with a limit on its time. When the block ends, so does the program.

        with Trial(["ffmpeg", "-version"], seconds=60) as trial:
            done = trial.result()

    `subprocess.run(timeout=...)` would still wait for ever where the program has started another
    one that keeps its output open, or where a driver does not let it be killed.

    Args:
        command: The program and its arguments.
        seconds: That it may take from now on.
        variables: Its environment; this process's own where `None`.

    Raises:
        OSError: It does not start.
    """

    def __init__(
        self, command: Sequence[str], seconds: float, variables: Mapping[str, str] | None = None
    ) -> None:
        self._seconds = seconds
        self._until = time.monotonic() + seconds
        self._outputs = [os.memfd_create(name) for name in ("stdout", "stderr")]
        try:
            self._child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=self._outputs[0],
                stderr=self._outputs[1],
                env=variables,
                # So that all that it starts can be ended with it.
                process_group=0,
            )
        except OSError:
            self._close()
            raise

    def result(self) -> subprocess.CompletedProcess[str]:
        """Wait for its end, and return its exit status and what it wrote.

        Raises:
            subprocess.TimeoutExpired: Its time is over.
        """
        try:
            status = self._child.wait(max(0.0, self._until - time.monotonic()))
        except subprocess.TimeoutExpired as error:
            raise subprocess.TimeoutExpired(self._child.args, self._seconds) from error
        texts = (
            os.pread(file, os.fstat(file).st_size, 0).decode(errors="replace")
            for file in self._outputs
        )
        return subprocess.CompletedProcess(self._child.args, status, *texts)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        # Python first gets a chance to end what it has started itself.
        for number in (signal.SIGINT, signal.SIGKILL):
            if self._child.poll() is None:
                os.killpg(self._child.pid, number)
                with suppress(subprocess.TimeoutExpired):
                    self._child.wait(_GRACE_SECONDS)
        self._close()

    def _close(self) -> None:
        for file in self._outputs:
            os.close(file)
