"""The ffmpeg program: where it is, what it can do, and one run of it.

`imageio_ffmpeg.write_frames` is not used: it ignores ffmpeg's exit status, so that a full disk or a
killed child looks like success, and its `preexec_fn` runs JAX's at-fork handler, which warns.
"""

import contextlib
import errno
import fcntl
import importlib.resources
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from ..errors import BackendUnavailableError, EncodeError
from ..system import Trial

STALL_SECONDS = 60.0
"""Seconds without any CPU time used after which an ffmpeg that is waited for counts as stalled."""

# Measured at 640x480: smaller costs wake-ups, larger no longer fits the processor's cache.
_PIPE_BYTES = 256 * 1024
_LAST_LINES = 8
_PROGRESS_LINE = re.compile(r"\w+= *\S*")


def find_ffmpeg() -> str:
    """Path of the ffmpeg program.

    In this order: the variable `IMAGEIO_FFMPEG_EXE`, the binary inside imageio-ffmpeg's wheel, a
    conda package's, the system's.

    Raises:
        BackendUnavailableError: there is none; the message says what to install.
    """
    if chosen := os.environ.get("IMAGEIO_FFMPEG_EXE"):
        return chosen
    # Not imageio_ffmpeg.get_ffmpeg_exe(), which tries what it finds, with a preexec_fn (see above)
    # and without a limit on its time.
    try:
        for entry in (importlib.resources.files("imageio_ffmpeg") / "binaries").iterdir():
            if entry.name.startswith("ffmpeg") and os.access(str(entry), os.X_OK):
                return str(entry)
        reason = "imageio-ffmpeg has none for this machine, and there is none on PATH"
    except ImportError as error:
        reason = f"{error}, and there is none on PATH"
    folders = (os.path.join(sys.prefix, "bin"), os.environ.get("PATH", os.defpath))
    found = shutil.which("ffmpeg", path=os.pathsep.join(folders))
    if found is None:
        raise BackendUnavailableError(
            f"no ffmpeg found ({reason}); install one with `pip install imageio-ffmpeg`, or set "
            "IMAGEIO_FFMPEG_EXE to the path of an ffmpeg program"
        )
    return found


def version() -> str:
    """ffmpeg's version, e.g. "7.0.2-static".

    Raises:
        BackendUnavailableError: there is no ffmpeg, or it does not start.
    """
    found = re.search(r"version (\S+)", _query("-version"))
    return found[1] if found else "unknown"


def encoders() -> set[str]:
    """Names of the encoders that this ffmpeg has, e.g. "libx264".

    Raises:
        BackendUnavailableError: there is no ffmpeg, or it does not start.
    """
    return _names(_query("-encoders"))


def demuxers() -> set[str]:
    """Names of the file formats that this ffmpeg reads, e.g. "gif".

    Raises:
        BackendUnavailableError: there is no ffmpeg, or it does not start.
    """
    return _names(_query("-demuxers"))


def _query(option: str) -> str:
    program = find_ffmpeg()
    try:
        with Trial([program, "-hide_banner", option], STALL_SECONDS) as trial:
            done = trial.result()
        done.check_returncode()
    except (OSError, subprocess.SubprocessError) as error:
        raise _unusable(program, error) from error
    return done.stdout


def _names(listing: str) -> set[str]:
    """The second column below the ruler of dashes; a demuxer may have several names."""
    _, _, rows = listing.partition("\n ---")
    columns = (row.split() for row in rows.splitlines()[1:])
    return {name for column in columns if len(column) > 1 for name in column[1].split(",")}


def _unusable(program: str, error: Exception) -> BackendUnavailableError:
    return BackendUnavailableError(
        f"ffmpeg at {program!r} does not run: {error}; {_remedy(program)}"
    )


def _is_ffmpeg() -> bool:
    try:
        return version() != "unknown"
    except BackendUnavailableError:
        return False


def _remedy(program: str) -> str:
    if program == os.environ.get("IMAGEIO_FFMPEG_EXE"):
        return (
            "IMAGEIO_FFMPEG_EXE names it: set that to an ffmpeg program, or unset it and `pip "
            "install imageio-ffmpeg`"
        )
    return (
        "reinstall it with `pip install --force-reinstall imageio-ffmpeg`, or set "
        "IMAGEIO_FFMPEG_EXE to one that does"
    )


class Ffmpeg:
    """One run of ffmpeg: bytes in through its stdin, bytes out through its stdout, an honest end.

    The run is a success only when `finish` returns. Every method that fails has already ended the
    child. One thread at a time may use an instance, but for `abort`. A forked child of this process
    has no part in the run.
    """

    def __init__(self, arguments: Sequence[str], cwd: Path) -> None:
        """Start ffmpeg.

        Args:
            arguments: inputs, outputs and their options. "pipe:0" is what `send` sends, "pipe:1" is
                what `receive` receives. File names relative to `cwd` need no quoting, whatever
                characters the path of `cwd` has.
            cwd: the folder that ffmpeg runs in.

        Raises:
            BackendUnavailableError: there is no ffmpeg, or it does not start.
        """
        self._cwd = cwd
        program = find_ffmpeg()
        # In memory, so that "No space left on device" can be reported from a full disk.
        self._log = os.memfd_create("ffmpeg-log")
        command = [program, "-hide_banner", "-loglevel", "error", "-nostats", "-nostdin", "-y"]
        try:
            self._child = subprocess.Popen(
                [*command, "-progress", "pipe:2", *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
                bufsize=0,
                cwd=cwd,
                # Ctrl-C at the terminal reaches this program alone, which then ends ffmpeg itself.
                process_group=0,
            )
        except OSError as error:
            os.close(self._log)
            raise _unusable(program, error) from error
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._input: IO[bytes] = self._child.stdin
        self._output: IO[bytes] = self._child.stdout
        self._closed = False
        _open.add(self)
        for pipe in (self._input, self._output):
            os.set_blocking(pipe.fileno(), False)
            # Refused when the user's pipes already hold more than the kernel's limit.
            with contextlib.suppress(OSError):
                fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)

    def send(self, data: memoryview) -> None:
        """Send all of `data`, a one-dimensional view of bytes; it may be reused on return.

        Raises:
            EncodeError: ffmpeg ended early or stalled.
        """
        while data:
            try:
                data = data[os.write(self._input.fileno(), data) :]
            except BlockingIOError:
                self._wait(self._input, select.POLLOUT)
            except BrokenPipeError:
                raise self._failure("ended before it had all frames") from None

    def receive(self, buffer: memoryview) -> int:
        """Fill `buffer`, a one-dimensional view of bytes; fewer only when ffmpeg sends no more.

        Returns:
            How many bytes were received.

        Raises:
            EncodeError: ffmpeg stalled.
        """
        received = 0
        while received < len(buffer):
            try:
                count = os.readv(self._output.fileno(), [buffer[received:]])
            except BlockingIOError:
                self._wait(self._output, select.POLLIN)
                continue
            if count == 0:
                break
            received += count
        return received

    def finish(self) -> int:
        """Close ffmpeg's input and wait for its end.

        Returns:
            How many frames (strictly: packets) the first output has.

        Raises:
            EncodeError: ffmpeg failed, was killed or stalled.
        """
        self._input.close()
        # Its stdout ends when ffmpeg does; polling for the child would cost up to 50 ms.
        scratch = memoryview(bytearray(65536))
        while self.receive(scratch):
            pass
        status = self._child.wait()
        frames = re.findall(r"^frame= *(\d+)", self._read_log(), re.MULTILINE)
        if status != 0 or "progress=end" not in self._read_log() or not frames:
            raise self._failure("failed")
        self.kill()
        return int(frames[-1])

    def kill(self) -> None:
        """End ffmpeg, whatever it does, and free what this run holds. May be called twice."""
        if self._closed:
            return
        self.abort()
        self.disown()

    def abort(self) -> None:
        """End ffmpeg, from any thread; the next call of the one that uses this run fails."""
        # Nothing is closed: the number of a closed pipe may soon be that of somebody else's file.
        self._child.kill()
        self._child.wait()

    def disown(self) -> None:
        """Free what a fork has copied, and leave ffmpeg to the process that started it."""
        if self._closed:
            return
        self._closed = True
        self._input.close()
        self._output.close()
        os.close(self._log)

    def _wait(self, pipe: IO[bytes], event: int) -> None:
        """Wait until `pipe` is ready, or fail when ffmpeg has done nothing for STALL_SECONDS."""
        poll = select.poll()
        poll.register(pipe.fileno(), event)
        used, since = -1, time.monotonic()
        while not poll.poll(1000 * min(1.0, STALL_SECONDS / 4)):
            # Pipes alone do not tell: the second run for a GIF is silent for as long as it works.
            used, before = self._cpu_ticks(), used
            if used != before:
                since = time.monotonic()
            elif time.monotonic() - since > STALL_SECONDS:
                what = (
                    f"did nothing for {STALL_SECONDS:g} s: something stopped it, or its disk hangs"
                )
                raise self._failure(what, grace=0.0)

    def _cpu_ticks(self) -> int:
        """Clock ticks of CPU time that all threads of ffmpeg have used (proc(5), utime + stime)."""
        try:
            stat = Path(f"/proc/{self._child.pid}/stat").read_text()
        except OSError:
            return 0
        fields = stat.rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    def _failure(self, what: str, grace: float = 5.0) -> EncodeError:
        status: int | None = None
        with contextlib.suppress(subprocess.TimeoutExpired):
            # A child that closed its input is about to end, and its status says why.
            status = self._child.wait(grace)
        lines = [
            line
            for line in self._read_log().splitlines()
            if line.strip() and not _PROGRESS_LINE.fullmatch(line.strip())
        ][-_LAST_LINES:]
        self.kill()
        if status is not None and status < 0:
            what += f" (signal {-status}, {signal.strsignal(-status)})"
        elif status:
            what += f" (exit status {status})"
        if status == -signal.SIGKILL:
            what += ", as the system does when memory runs out: record fewer or smaller frames"
        elif os.strerror(errno.ENOSPC) in "".join(lines):
            # What it says of that itself is five lines, with addresses in memory.
            what += ", since the disk is full: make room, or choose a folder on another disk"
            return EncodeError(f"ffmpeg {what}")
        elif not self._cwd.exists():
            what += f", since {str(self._cwd)!r} was removed while it worked there: record it again"
        if (chosen := os.environ.get("IMAGEIO_FFMPEG_EXE")) and not _is_ffmpeg():
            what += f"; IMAGEIO_FFMPEG_EXE is {chosen!r}, which is no ffmpeg: unset it"
        said = ["its last lines:", *lines] if lines else ["it printed no message"]
        return EncodeError(f"ffmpeg {what}; {'\n'.join(said)}")

    def _read_log(self) -> str:
        return os.pread(self._log, os.fstat(self._log).st_size, 0).decode(errors="replace")


_open: weakref.WeakSet[Ffmpeg] = weakref.WeakSet()


def _disown_all() -> None:
    # As long as a forked child holds the other end of its input, ffmpeg waits for more frames.
    for run in list(_open):
        run.disown()


os.register_at_fork(after_in_child=_disown_all)
