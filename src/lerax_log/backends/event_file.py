"""TensorBoard's event files, written so that nothing is lost.

A file is a sequence of records: length (uint64), masked CRC-32C of the length, payload, masked
CRC-32C of the payload, all little endian; the payload is a serialized `Event`. Format:
https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details

tensorboardX's own writer is not used. When the process is killed, its worker thread loses what it
has not written; when the disk is full, the thread dies, and `add_*` then blocks for ever; and it
names files by the second, so that two runs that start in the same second overwrite each other's.
"""

import math
import os
import socket
import struct
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from crc32c import crc32c
from tensorboardX import summary as summaries
from tensorboardX.proto.event_pb2 import Event
from tensorboardX.proto.summary_pb2 import Summary

from .base import HParam, check_there


def masked_crc32c(data: bytes) -> int:
    """Return the checksum that records have: CRC-32C, rotated right by 15 bits, plus 0xa282ead8."""
    crc: int = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


class EventFile:
    """One event file, open for appending; steps are environment steps.

    Each record goes to the operating system in the call that adds it. Once `add` has returned, the
    record survives the death of the process; there is no buffer and no thread to wait for. Calls
    may come from any thread.
    """

    def __init__(self, folder: Path) -> None:
        """Create the folder, in it a file with a name of its own, and the first record.

        Raises:
            OSError: The folder or the file cannot be made.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._path, self._fd = _create_unique(folder)
        self._size = 0
        self._lock = threading.Lock()
        try:
            self.add(Event(wall_time=time.time(), file_version="brain.Event:2"))
        except BaseException:
            os.close(self._fd)
            self._path.unlink(missing_ok=True)
            raise

    def add(self, event: Event) -> None:
        """Append one event.

        Raises:
            OSError: The event could not be written whole. Earlier ones stay readable, and later
                ones can be added once there is room again.
            FileNotFoundError: The file has been removed.
        """
        payload = event.SerializeToString()
        length = struct.pack("<Q", len(payload))
        record = b"".join(
            (
                length,
                struct.pack("<I", masked_crc32c(length)),
                payload,
                struct.pack("<I", masked_crc32c(payload)),
            )
        )
        with self._lock:
            check_there(self._fd, self._path)
            try:
                written = 0
                while written < len(record):
                    written += os.write(self._fd, record[written:])
                self._size += len(record)
            except BaseException:
                # Readers stop for good at a torn record with others behind it.
                os.ftruncate(self._fd, self._size)
                raise

    def add_scalars(self, scalars: Mapping[str, float], step: int) -> None:
        """Append one event with all of `scalars`, by tag, as float32."""
        values = [
            Summary.Value(tag=tag, simple_value=float(value)) for tag, value in scalars.items()
        ]
        self._add_summary(Summary(value=values), step)

    def add_gif(self, tag: str, gif: bytes, width: int, height: int, step: int) -> None:
        """Append a GIF file of `width` by `height` pixels as an image."""
        image = Summary.Image(height=height, width=width, colorspace=3, encoded_image_string=gif)
        self._add_summary(Summary(value=[Summary.Value(tag=tag, image=image)]), step)

    def add_text(self, tag: str, text: str) -> None:
        """Append a text in Markdown, for the Text tab."""
        self._add_summary(summaries.text(tag, text), 0)

    def add_session_start(self, hparams: Mapping[str, HParam]) -> None:
        """Append what the HPARAMS tab shows of the run; only the first call of a run counts."""
        # A single number that JSON cannot write would empty the whole tab.
        plain = {
            name: str(value) if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in hparams.items()
        }
        # Left out: the experiment's description. TensorBoard takes the columns of the whole tab
        # from the first run that has one, and gathers them from all runs where none has.
        _, start, _ = summaries.hparams(plain, {})
        self._add_summary(start, 0)

    def add_session_end(self) -> None:
        """Append the mark of a run that was closed."""
        _, _, end = summaries.hparams({}, {})
        self._add_summary(end, 0)

    def _add_summary(self, summary: Summary, step: int) -> None:
        self.add(Event(wall_time=time.time(), step=int(step), summary=summary))

    def sync(self) -> None:
        """Have the operating system write everything to the disk, in case the power fails.

        Raises:
            OSError: The disk failed.
        """
        os.fsync(self._fd)

    def close(self) -> None:
        """Write everything to the disk and close the file.

        Raises:
            OSError: The disk failed; the file is closed all the same.
        """
        try:
            self.sync()
        finally:
            os.close(self._fd)


def _create_unique(folder: Path) -> tuple[Path, int]:
    # TensorBoard reads the files of a run in the order of their names and never goes back. So the
    # counter comes after the time, and has a fixed width.
    start = f"events.out.tfevents.{int(time.time()):010d}.{socket.gethostname()}.{os.getpid()}"
    count = 0
    while True:
        path = folder / f"{start}.{count:04d}"
        try:
            return path, os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o666)
        except FileExistsError:
            count += 1
