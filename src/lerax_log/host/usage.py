"""What a training has taken so far, as far as this process can tell."""

import resource
import sys

import jax

# Linux counts in KiB, macOS in bytes.
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024


def peaks() -> dict[str, float]:
    """Return the most memory that this process and one of its devices have held, in MB.

    A device without an account of its memory, as CPUs are, is left out.
    """
    kept = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT
    found = {"memory/process_peak": kept / 1e6}
    held = [(device.memory_stats() or {}).get("peak_bytes_in_use") for device in _devices()]
    known = [float(size) for size in held if size is not None]
    return found | ({"memory/device_peak": max(known) / 1e6} if known else {})


def _devices() -> list[jax.Device]:
    return [device for device in jax.local_devices() if device.platform != "cpu"]
