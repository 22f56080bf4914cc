"""What a long clip takes in memory beside a short one."""

import tempfile
from collections.abc import Iterator

from report import Section
from timing import costs, peak_memory

CODE = (
    "from lerax.env.classic_control import CartPole; import lerax_render as lr; "
    "lr.record(CartPole(), path='{path}', steps={steps}, width=320, height=240)"
)
SHORT, LONG = 1_000, 10_000


def sections() -> Iterator[Section]:
    with tempfile.TemporaryDirectory() as folder:
        short, long = (
            peak_memory(CODE.format(path=f"{folder}/{steps}.mp4", steps=steps))
            for steps in (SHORT, LONG)
        )
    yield Section(
        "Memory",
        "Peak resident memory of a Python process that records CartPole, 320×240, into an MP4 "
        "file. ffmpeg, a process of its own, is not in it.",
        [costs(f"{LONG:,} steps / {SHORT:,} steps", long, short, 1.15, "MB")],
    )
