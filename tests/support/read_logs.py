"""Reading back what the logging backends have written."""

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import wandb
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from wandb.proto.wandb_internal_pb2 import Record


def read_event_files(run_dir: Path) -> EventAccumulator:
    """A run's event files, read whole by TensorBoard's own reader."""
    accumulator = EventAccumulator(str(run_dir), size_guidance={"scalars": 0, "images": 0})
    accumulator.Reload()
    return accumulator


def read_wandb(run_dir: Path) -> list[Record]:
    """The records of a run's `.wandb` file, once W&B's process has written all of them."""
    wandb.teardown()
    (file,) = run_dir.glob("run-*.wandb")
    return [Record.FromString(data) for data in _log_records(file.read_bytes())]


def wandb_history(records: list[Record]) -> list[dict[str, Any]]:
    """What was logged, one dictionary per call; what a value is made of by `key/part`."""
    return [
        {"/".join(item.nested_key) or item.key: json.loads(item.value_json) for item in row.item}
        for record in records
        if record.HasField("history")
        for row in [record.history]
    ]


def read_mlflow(run_dir: Path) -> dict[str, list[tuple[int, float]]]:
    """Steps and values by tag, from MLflow's folder of a run."""
    folder = run_dir / "metrics"
    scalars = {}
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        rows = [line.split() for line in file.read_text().splitlines()]
        scalars[str(file.relative_to(folder))] = [(int(row[2]), float(row[1])) for row in rows]
    return scalars


def read_trackio(project: str, name: str) -> list[dict[str, Any]]:
    """What was logged, one dictionary per call, and the run's configuration in the first."""
    from trackio.sqlite_storage import SQLiteStorage

    return list(SQLiteStorage.get_logs(project, name))


def _log_records(data: bytes) -> Iterator[bytes]:
    """Payloads of a LevelDB log: 32 KiB blocks of chunks with checksum, size and kind.

    https://github.com/google/leveldb/blob/main/doc/log_format.md, after a header of 7 bytes.
    """
    position, parts = 7, []
    while position + 7 <= len(data):
        room = 32768 - position % 32768
        if room < 7:
            position += room
            continue
        _, size, kind = struct.unpack_from("<IHB", data, position)
        parts.append(data[position + 7 : position + 7 + size])
        position += 7 + size
        if kind in (1, 4):  # a whole record, or the last part of one
            yield b"".join(parts)
            parts = []
