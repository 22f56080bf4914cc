"""The texts that the console shows of a run: numbers, one line of progress, one line of all."""

import math
from collections.abc import Iterator, Sequence

from .training_state import RETURN_TAG, Snapshot

LINE_WIDTH = 120
"""Longest line in a file or a pipe, in characters."""

FIRST_TAGS = (RETURN_TAG, "eval/return", "eval/clip_return", "episode/length", "eval/length")
"""Metrics that a line has before others, in this order."""

_NAME_WIDTH = 20


def format_value(value: float) -> str:
    """Return a metric with four digits: `0.0003`, `187.3`, `12,345`, `1.20e-07`, `nan`."""
    value = float(value)
    size = abs(value)
    if not math.isfinite(value) or value == 0:
        return f"{value:g}"
    if size >= 1e7 or size < 1e-4:
        return f"{value:.2e}"
    if size >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def format_seconds(seconds: float) -> str:
    """Return a duration as `m:ss` or `h:mm:ss`."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def shortened(text: str, width: int) -> str:
    """Return `text` in at most `width` characters, without its middle if it is longer."""
    if len(text) <= width:
        return text
    end = max(width - 1, 0) * 2 // 3
    return text[: max(width - 1 - end, 0)] + "…" + text[len(text) - end :]


def progress_line(run: Snapshot, width: int, separator: str = " · ") -> str:
    """Return what the training is doing, and how far it is, in at most `width` characters.

    Where there is not room for all, the time left stays, then the iterations, then the steps.
    """
    for parts in _progress(run):
        line = separator.join(part for part in parts if part)
        if len(line) <= width:
            return line
    return shortened(line, width)


def plain_line(run: Snapshot, width: int = LINE_WIDTH) -> str:
    """Return the run in one line of text, for files and pipes."""
    line = f"{line_head(run.name)}{progress_line(run, 50, ', ')}"
    separator = " | "
    tags = [tag for tag in FIRST_TAGS if tag in run.metrics]
    for tag in dict.fromkeys([*tags, *run.metrics]):
        at = f"@{run.older[tag]:,}" if tag in run.older else ""
        text = f"{separator}{tag}={format_value(run.metrics[tag])}{at}"
        if len(line) + len(text) <= width:
            line, separator = line + text, " "
    return line


def line_head(name: str) -> str:
    """Return what a line of the run `name` begins with."""
    return f"[{shortened(name, _NAME_WIDTH)}] "


def _progress(run: Snapshot) -> Iterator[Sequence[str]]:
    """Yield the parts of a line of progress, fewer and fewer."""
    if run.stage in ("tracing", "compiling"):
        yield [f"{run.stage} `learn`… {format_seconds(run.stage_seconds)}"]
        return
    steps = f"{run.step:,} steps"
    if run.stage == "done":
        recordings = "1 recording" if run.waiting == 1 else f"{run.waiting} recordings"
        painting = f"painting {recordings}" if run.waiting else ""
        done = f"training done in {format_seconds(run.trained_seconds)}"
        yield [done, painting, steps, _speed(run)]
        yield [done, painting, steps]
        yield [done, painting]
        yield ["training done", painting]
        return
    if not run.step:
        yield ["waiting for the first iteration"]
        return
    iterations = f"{run.iteration}/{run.iterations} iterations" if run.iterations else ""
    all_steps = f"{run.step:,} / {run.total_steps:,} steps" if run.total_steps else steps
    left = "" if run.seconds_left is None else f"{format_seconds(run.seconds_left)} left"
    yield [iterations, all_steps, _speed(run), left]
    yield [iterations, steps, _speed(run), left]
    yield [iterations, steps, left]
    yield [iterations or steps, left]
    if left:
        yield [left]


def _speed(run: Snapshot) -> str:
    return "" if run.steps_per_second is None else f"{run.steps_per_second:,.0f} steps/s"
