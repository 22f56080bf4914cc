import logging
import math
import os
import pty
import re
import subprocess
import sys
import time
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from lerax_log.backends import ConsoleBackend, Progress
from lerax_log.backends.console.texts import (
    LINE_WIDTH,
    format_seconds,
    format_value,
    plain_line,
    progress_line,
    shortened,
)
from lerax_log.backends.console.training_state import (
    HISTORY_LENGTH,
    History,
    Snapshot,
    TrainingState,
)
from lerax_log.backends.console.view import TrainingView
from lerax_log.testing import make_clip

METRICS = {
    "episode/return": 187.25,
    "episode/length": 187.25,
    "train/learning_rate": 3e-4,
    "train/policy_loss": -0.0021234,
    "train/value_loss": 12345.6,
    "train/explained_variance_of_the_critic": math.nan,
    "time/steps_per_second": 12310.2,
    "eval/return": 212.0,
    "seed": 3.0,
}
RUN = Snapshot(
    name="PPO_CartPole-v1",
    elapsed=71.4,
    step=614_400,
    total_steps=1_000_000,
    steps_per_second=12_310.2,
    metrics=METRICS,
    returns=(20.0, 30.0, 60.0, 120.0, 187.25),
)


def terminal(height: int = 40) -> Console:
    return Console(
        file=StringIO(), record=True, force_terminal=True, width=60, height=height, _environ={}
    )


def drawn(view: TrainingView, console: Console) -> list[str]:
    console.print(view)
    return console.export_text().splitlines()


class Screen:
    """What a terminal shows after the output it was sent: the control codes that rich uses."""

    CODES = re.compile(r"\x1b\[\??(\d*)(?:;[\d;]*)?([A-Za-z])|\x1b\]8;.*?\x1b\\|\x1b.")

    def __init__(self, output: str, width: int, height: int) -> None:
        self.lines = [""]
        self.cursor_hidden = False
        self._width, self._height = width, height
        self._row = self._column = 0
        position = 0
        while position < len(output):
            if code := self.CODES.match(output, position):
                self._control(code[2], int(code[1] or 1))
                position = code.end()
            else:
                self._put(output[position])
                position += 1

    def _control(self, letter: str, count: int) -> None:
        if letter == "A":
            top = max(0, len(self.lines) - self._height)
            self._row = max(top, self._row - count)
        elif letter == "K":
            self.lines[self._row] = ""
        elif letter in "hl" and count == 25:
            self.cursor_hidden = letter == "l"
        else:
            assert letter == "m", f"a control code this screen does not know: {letter!r}"

    def _put(self, character: str) -> None:
        if character == "\r":
            self._column = 0
        elif character == "\n":
            self._row, self._column = self._row + 1, 0
        else:
            if self._column == self._width:
                self._row, self._column = self._row + 1, 0
            self._extend()
            line = self.lines[self._row].ljust(self._column)
            self.lines[self._row] = line[: self._column] + character + line[self._column + 1 :]
            self._column += 1
        self._extend()

    def _extend(self) -> None:
        self.lines += [""] * (self._row + 1 - len(self.lines))


# The panel.


def test_the_panel() -> None:
    assert drawn(TrainingView(RUN), terminal()) == [
        "╭─ PPO_CartPole-v1 ────────────────────────────────────────╮",
        "│ ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╺━━━━━━━━━━━━━━━━━━━  61% │",
        "│ 614,400 / 1,000,000 steps · 12,310 steps/s · 0:31 left   │",
        "│                                                          │",
        "│ episode/return                                           │",
        "│ 187.2 ┤                                           ▁▃▄▅▇█ │",
        "│       ┤                                     ▂▃▄▆▇███████ │",
        "│       ┤                              ▁▂▄▅▆▇█████████████ │",
        "│       ┤                     ▁▁▂▂▃▅▆▇████████████████████ │",
        "│    20 ┤▁▁▁▂▂▂▂▂▃▃▃▃▃▄▄▅▆▆▇▇█████████████████████████████ │",
        "│                                                          │",
        "│ episode                     train                        │",
        "│   return             187.2    learning_rate       0.0003 │",
        "│   length             187.2    policy_loss      -0.002123 │",
        "│                               value_loss          12,346 │",
        "│ eval                          explained_varia…       nan │",
        "│   return               212                               │",
        "│                             time                         │",
        "│ seed                     3    steps_per_second    12,310 │",
        "╰─────────────────────────────────────────── 1:11 elapsed ─╯",
    ]


def test_the_panel_before_the_first_iteration() -> None:
    assert drawn(TrainingView(Snapshot("run", elapsed=3, total_steps=100)), terminal()) == [
        "╭─ run ────────────────────────────────────────────────────╮",
        "│ ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━   0% │",
        "│ waiting for the first iteration                          │",
        "╰─────────────────────────────────────────── 0:03 elapsed ─╯",
    ]


def test_the_panel_without_a_known_end() -> None:
    run = Snapshot("run", step=2048, metrics={"train/loss": -0.5}, steps_per_second=99.6)
    assert drawn(TrainingView(run), terminal()) == [
        "╭─ run ────────────────────────────────────────────────────╮",
        "│ 2,048 steps · 100 steps/s                                │",
        "│                                                          │",
        "│ train                                                    │",
        "│   loss                                              -0.5 │",
        "╰─────────────────────────────────────────── 0:00 elapsed ─╯",
    ]


def test_a_flat_return_is_a_flat_curve() -> None:
    run = Snapshot("run", metrics={"episode/return": 9.0}, returns=(9.0, 9.0))
    curve = drawn(TrainingView(run), terminal())[4:9]
    assert curve[-1] == "│ 9 ┤" + "▁" * 53 + " │"
    assert not any("▁" in line for line in curve[:-1])


@pytest.mark.parametrize("height", [7, 10, 14, 18, 22])
def test_on_a_low_terminal_the_panel_fits_and_says_what_it_leaves_out(height: int) -> None:
    metrics = {f"{group}/metric_{i}": i / 7 for group in ("a", "b", "c") for i in range(10)}
    run = Snapshot("run", step=5, total_steps=10, metrics=metrics, returns=RUN.returns)

    def shown(lines: list[str]) -> int:
        return sum(line.count("metric_") for line in lines)

    lines = drawn(TrainingView(run), terminal(height))
    # One line is left for the cursor.
    assert len(lines) <= height - 1
    assert "50%" in lines[1]
    left_out = sum(int(count) for line in lines for count in re.findall(r"… (\d+) more", line))
    assert shown(lines) == 30 - left_out < 30
    assert shown(drawn(TrainingView(run, whole=True), terminal(height))) == 30


def test_a_value_that_is_older_says_its_step() -> None:
    run = replace(RUN, older={"eval/return": 20_480, "seed": 0})
    lines = [line.strip("│ ") for line in drawn(TrainingView(run), terminal())]
    at = next(i for i, line in enumerate(lines) if line.startswith("eval · step 20,480"))
    assert re.match(r"return +212\b", lines[at + 1])
    assert any(re.search(r"\bstep 0\b", line) for line in lines)
    assert not any("step 20,480" in line for line in drawn(TrainingView(RUN), terminal()))


@pytest.mark.parametrize("width", [30, 48, 60, 100])
def test_what_matters_most_stays_on_a_narrow_terminal(width: int) -> None:
    console = terminal()
    console.width = width
    lines = drawn(TrainingView(replace(RUN, iteration=300, iterations=488)), console)
    assert max(map(len, lines)) <= width
    assert "0:31 left" in lines[2]
    assert any(re.search(r"return +187.2", line) for line in lines)


def test_a_line_of_progress_drops_what_matters_least() -> None:
    run = replace(RUN, iteration=300, iterations=488)
    assert [progress_line(run, width) for width in (80, 70, 56, 44, 10)] == [
        "300/488 iterations · 614,400 / 1,000,000 steps · 12,310 steps/s · 0:31 left",
        "300/488 iterations · 614,400 steps · 12,310 steps/s · 0:31 left",
        "300/488 iterations · 614,400 steps · 0:31 left",
        "300/488 iterations · 0:31 left",
        "0:31 left",
    ]
    done = replace(run, stage="done", trained_seconds=71, waiting=3)
    assert progress_line(done, 60) == "training done in 1:11 · painting 3 recordings"
    compiling = replace(run, stage="compiling", stage_seconds=21)
    assert progress_line(compiling, 60) == "compiling `learn`… 0:21"


@pytest.mark.parametrize(("width", "text"), [(30, "/a/long/folder/clip.mp4"), (12, "/a/l…lip.mp4")])
def test_a_text_loses_its_middle(width: int, text: str) -> None:
    assert shortened("/a/long/folder/clip.mp4", width) == text


# Numbers.


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (3.0, "3"),
        (-0.00212345, "-0.002123"),
        (0.0003, "0.0003"),
        (1.2e-7, "1.20e-07"),
        (999.94, "999.9"),
        (1234.5, "1,234"),
        (-123456.0, "-123,456"),
        (2.5e9, "2.50e+09"),
        (math.nan, "nan"),
        (-math.inf, "-inf"),
    ],
)
def test_a_value_has_four_significant_digits(value: float, text: str) -> None:
    assert format_value(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0:00"), (59.6, "1:00"), (3599, "59:59"), (36_061, "10:01:01")]
)
def test_a_duration(seconds: float, text: str) -> None:
    assert format_seconds(seconds) == text


def test_speed_and_time_left_are_those_of_late() -> None:
    state = TrainingState("run", now=0.0)
    state.expect(100_000)
    state.update({"train/loss": 1.0}, 1000, now=50.0)  # compilation took 50 seconds
    assert state.snapshot(50.0).steps_per_second is None
    for second in range(51, 100):
        state.update({"train/loss": 1.0}, 1000 * (second - 49), now=float(second))
    run = state.snapshot(100.0)
    assert run.steps_per_second == pytest.approx(1000)
    assert run.seconds_left == pytest.approx(50)
    assert run.elapsed == 100
    for second in range(100, 150):
        state.update({"train/loss": 1.0}, 50_000 + 100 * (second - 99), now=float(second))
    assert state.snapshot(150.0).steps_per_second == pytest.approx(100)


def test_a_value_that_comes_late_does_not_turn_the_progress_back() -> None:
    state = TrainingState("run", now=0.0)
    state.update({"train/loss": 1.0}, 5000, now=1.0)
    state.update({"eval/return": 200.0}, 3000, now=2.0)
    run = state.snapshot(2.0)
    assert run.step == 5000
    assert run.metrics == {"train/loss": 1.0, "eval/return": 200.0}


def test_late_recordings_do_not_slow_a_training_down() -> None:
    state = TrainingState("run", now=0.0)
    for second in range(1, 6):
        state.show(Progress("training", second, 5, 1000 * second), float(second))
        state.update({"train/loss": 1.0}, 1000 * second, float(second))
    state.show(Progress("done", 5, 5, 5000, waiting=1), 5.0)
    state.update({"eval/return": 1.0}, 5000, now=65.0)
    run = state.snapshot(66.0)
    assert run.steps_per_second == pytest.approx(1000)
    assert (run.share, run.trained_seconds, run.waiting) == (1.0, 5.0, 1)
    # Another `learn` has a speed of its own.
    state.show(Progress("training"), 100.0)
    for second in (101, 102):
        state.update({"train/loss": 1.0}, 5000 + 10 * (second - 100), float(second))
    assert state.snapshot(102.0).steps_per_second == pytest.approx(10)


def test_a_training_that_goes_on_has_a_later_end() -> None:
    state = TrainingState("run", now=0.0)
    state.expect(1000)
    state.update({"train/loss": 1.0}, 900, now=1.0)
    state.expect(1000)
    assert state.snapshot(1.0).total_steps == 1900


def test_a_run_that_was_resumed_ends_as_much_later() -> None:
    state = TrainingState("run", now=0.0)
    state.show(Progress("training", step=9000), 0.0)
    state.expect(1000)
    run = state.snapshot(0.0)
    assert (run.step, run.total_steps) == (9000, 10_000)


def test_a_long_history_keeps_its_shape_in_bounded_memory() -> None:
    history = History()
    for index in range(100_000):
        history.append(float(index))
    assert HISTORY_LENGTH / 2 <= len(history.points) < HISTORY_LENGTH
    steps = [b - a for a, b in zip(history.points, history.points[1:], strict=False)]
    assert max(steps) == min(steps)
    assert history.points[0] < 200
    assert history.points[-1] > 99_600


# On a terminal.

PROGRAM = """
import logging, sys, threading, time, warnings
logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
from lerax_log.testing import make_clip
from lerax_log.backends import ConsoleBackend, Progress
clip = make_clip("mp4", sys.argv[1] + "/clip.mp4")
warnings.formatwarning = lambda message, *rest: f"WARNED {message}\\n"
backend = ConsoleBackend()
backend.open("run")
backend.log_hparams({"total_timesteps": 3000})
other = threading.Thread(target=lambda: [(print("thread", i), time.sleep(0.1)) for i in range(10)])
other.start()
for step in range(0, 3001, 100):
    backend.log_scalars({"episode/return": step / 10, "train/loss": 1 - step / 6000}, step)
    if step == 1000:
        print("a line from print")
        warnings.warn("a warning")
        logging.info("a line from logging")
        backend.log_video("eval/video", clip, 900)
    if step == 2000:
        print("half a line", end="")
        print(" and the other half")
    time.sleep(0.05)
other.join()
backend.close()
print("after", file=sys.stderr)
"""


def test_other_output_stands_whole_above_the_panel(tmp_path: Path) -> None:
    width, height = 70, 20
    output = run_in_terminal(PROGRAM, width, height, tmp_path)
    screen = Screen(output, width, height)
    panel = next(i for i, line in enumerate(screen.lines) if line.startswith("╭"))
    above = screen.lines[:panel]
    expected = [
        *(f"thread {index}" for index in range(10)),
        "a line from print",
        "WARNED a warning",
        "INFO a line from logging",
        "half a line and the other half",
        "eval/video at step 900:",
    ]
    text = "".join(line.rstrip().ljust(1) for line in above)
    for line in expected:
        assert text.count(line) == 1, above
    assert "clip.mp4 (0.6 s)" in text
    assert sum(line.startswith("╭") for line in screen.lines) == 1, screen.lines
    assert screen.lines[panel + 1].endswith("100% │")
    assert "3,000 / 3,000 steps" in screen.lines[panel + 2]
    assert [line.rstrip() for line in screen.lines[-2:]] == ["after", ""]
    assert screen.lines[-3].startswith("╰")
    assert not screen.cursor_hidden


TRAINING = """
import sys
from jax import numpy as jnp
from lerax_log import ConsoleBackend, LoggingCallback
from support.trainings import Training

def scalars(context):
    if sys.argv[1] == "fails":
        raise ValueError("raised while JAX traces")
    return {"mine/value": jnp.ones(())}

name = "a-run-of-a-name-that-is-long"
with LoggingCallback(ConsoleBackend(), name=name, scalars=scalars) as callback:
    Training()(callback)
"""


def test_a_terminal_shows_what_learn_does_before_there_is_a_run() -> None:
    width, height = 48, 40
    output = run_in_terminal(TRAINING, width, height, "succeeds")
    assert re.findall(r"(tracing|compiling) `learn`… 0:0", output)
    assert output.index("tracing `learn`") < output.index("compiling `learn`")
    screen = Screen(output, width, height)
    lines = [line.rstrip() for line in screen.lines]
    # Nothing of it is left above the panel.
    assert lines[0].startswith("╭─ a-run-of-a-name")
    assert max(map(len, lines)) == width
    assert re.search(r"training done in 0:0\d · 96 steps", lines[2])
    assert re.search(r"compiled in 0:\d\d · 0:\d\d elapsed ─╯$", lines[-2])
    assert any(re.search(r"value +1 │$", line) for line in lines)
    assert not screen.cursor_hidden


def test_a_training_that_cannot_be_traced_gives_the_terminal_back() -> None:
    output = run_in_terminal(TRAINING, 80, 24, "fails", returncode=1)
    assert "tracing `learn`" in output
    screen = Screen(output, 80, 24)
    assert not screen.cursor_hidden
    assert any(line.startswith("ValueError: raised while JAX traces") for line in screen.lines)
    assert not any("`learn`…" in line for line in screen.lines)


def run_in_terminal(
    program: str, width: int, height: int, argument: str | Path, *, returncode: int = 0
) -> str:
    """What a program sends to a terminal of this size."""
    terminal, slave = pty.openpty()
    environment = os.environ | {
        "TERM": "xterm-256color",
        "COLUMNS": str(width),
        "LINES": str(height),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(argument)],
        env=environment,
        stdin=slave,
        stdout=slave,
        stderr=slave,
    )
    os.close(slave)
    parts = []
    try:
        while part := os.read(terminal, 65536):
            parts.append(part)
    except OSError:  # the end of a terminal
        pass
    os.close(terminal)
    assert process.wait(timeout=30) == returncode, b"".join(parts).decode()
    return b"".join(parts).decode()


def test_the_streams_and_handlers_are_given_back() -> None:
    handler = logging.StreamHandler(sys.stderr)
    logging.getLogger("some.module").addHandler(handler)
    streams = sys.stdout, sys.stderr
    try:
        backend = ConsoleBackend(console=terminal())
        backend.open("run")
        assert handler.stream is sys.stderr is not streams[1]
        backend.close()
        assert handler.stream is streams[1]
        assert (sys.stdout, sys.stderr) == streams
    finally:
        logging.getLogger("some.module").removeHandler(handler)


def test_a_second_run_on_the_same_terminal_prints_lines_above_the_first_ones_panel() -> None:
    console = terminal()
    first, second = ConsoleBackend(console=console), ConsoleBackend()
    first.open("run_0")
    second.open("run_1")
    first.log_scalars({"train/loss": 0.5}, 10)
    second.log_scalars({"train/loss": 0.25}, 10)
    second.close()
    first.close()
    screen = Screen(console.file.getvalue(), 60, 40)  # type: ignore[attr-defined]
    assert [re.sub("0:.. elapsed", "0:00 elapsed", line.rstrip()) for line in screen.lines] == [
        "[run_1] 10 steps | train/loss=0.25",
        "╭─ run_0 ──────────────────────────────────────────────────╮",
        "│ 10 steps                                                 │",
        "│                                                          │",
        "│ train                                                    │",
        "│   loss                                               0.5 │",
        "╰─────────────────────────────────────────── 0:00 elapsed ─╯",
        "",
    ]


def test_a_call_costs_little() -> None:
    backend = ConsoleBackend(console=terminal())
    backend.open("run")
    start = time.perf_counter()
    for step in range(5000):
        backend.log_scalars(METRICS, step)
    seconds = time.perf_counter() - start
    backend.close()
    assert seconds / 5000 < 200e-6


# Elsewhere.


def test_a_line_for_files_and_pipes() -> None:
    assert plain_line(RUN) == (
        "[PPO_CartPole-v1] 614,400 steps, 12,310 steps/s, 0:31 left |"
        " episode/return=187.2 eval/return=212 episode/length=187.2"
    )


def test_a_line_is_never_long_and_has_what_matters_most() -> None:
    metrics = {f"train/metric_{index}": index / 7 for index in range(100)} | METRICS
    run = replace(RUN, name="a-name/" * 20, metrics=metrics, older={"eval/return": 20_480})
    line = plain_line(run)
    assert 100 < len(line) <= LINE_WIDTH
    assert line.startswith("[a-name/…name/a-name/] ")
    assert "0:31 left" in line
    assert "episode/return=187.2 eval/return=212@20,480" in line


def test_in_a_pipe_the_first_line_comes_at_once_and_the_last_on_close(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # rich takes this for a terminal.
    monkeypatch.setenv("FORCE_COLOR", "1")
    backend = ConsoleBackend(line_interval=1000)
    backend.open("run")
    backend.log_hparams({"total_timesteps": 1000, "gamma": 0.9})
    backend.log_scalars({"train/loss": 0.5}, 10)
    assert capsys.readouterr().out == "[run] 10 / 1,000 steps | train/loss=0.5\n"
    for step in range(20, 110, 10):
        backend.log_scalars({"train/loss": step / 10}, step)
    assert capsys.readouterr().out == ""
    backend.close()
    assert capsys.readouterr().out == "[run] 100 / 1,000 steps | train/loss=10\n"


def test_in_a_pipe_a_line_comes_every_few_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    backend = ConsoleBackend(line_interval=0.2)
    backend.open("run")
    end = time.monotonic() + 1
    step = 0
    while time.monotonic() < end:
        step += 10
        backend.log_scalars({"train/loss": 0.5}, step)
        time.sleep(0.01)
    backend.close()
    assert 3 <= len(capsys.readouterr().out.splitlines()) <= 6


def test_nothing_is_said_twice(capsys: pytest.CaptureFixture[str]) -> None:
    backend = ConsoleBackend()
    backend.open("run")
    backend.log_scalars({"train/loss": 0.5}, 10)
    backend.flush()
    backend.close()
    assert capsys.readouterr().out == "[run] 10 steps | train/loss=0.5\n"


def test_what_a_recording_takes_long_for_has_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    backend = ConsoleBackend(line_interval=100)
    backend.open("run")
    note = "compiling Hopper, about a minute the first time"
    for iteration, said in enumerate(["", note, note, "", ""]):
        backend.show_progress(Progress("training", iteration, 8, 10 * iteration, note=said))
    backend.close()
    assert capsys.readouterr().out == f"[run] recording: {note}\n"


def test_what_is_logged_late_brings_no_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    backend = ConsoleBackend(line_interval=0)
    backend.open("run")
    backend.show_progress(Progress("training", 4, 4, 40))
    backend.log_scalars({"train/loss": 0.5}, 40)
    backend.show_progress(Progress("done", 4, 4, 40, waiting=2))
    backend.flush()
    for step in (20, 40):
        backend.log_scalars({"eval/return": step / 2}, step)
        backend.log_video("eval/video", make_clip("mp4"), step)
    backend.close()
    assert [line.partition(" (")[0] for line in capsys.readouterr().out.splitlines()] == [
        "[run] 4/4 iterations, 40 steps | train/loss=0.5",
        "[run] training done in 0:00, painting 2 recordings | train/loss=0.5",
        "[run] eval/video at step 20: not kept in a file",
        "[run] eval/video at step 40: not kept in a file",
        "[run] training done in 0:00, painting 2 recordings | eval/return=20 train/loss=0.5",
    ]


def test_a_long_path_loses_its_middle(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    clip = make_clip("mp4", folder / "step_000012288.mp4")
    backend = ConsoleBackend()
    backend.open("run")
    backend.log_video("eval/video", clip, 12_288)
    backend.close()
    (line,) = capsys.readouterr().out.splitlines()
    assert len(line) == LINE_WIDTH
    assert line.endswith("long/step_000012288.mp4 (0.6 s)")
    assert "…" in line


def test_a_video_is_a_line_with_the_path_of_its_file(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    backend = ConsoleBackend()
    backend.open("run")
    backend.log_video("eval/video", make_clip("mp4", tmp_path / "clip.mp4"), 12_288)
    backend.log_video("eval/video", make_clip("mp4"), 20_480)
    with pytest.raises(ValueError, match="mp4, not gif"):
        backend.log_video("eval/video", make_clip("gif"), 0)
    backend.close()
    assert capsys.readouterr().out.splitlines() == [
        "[run] eval/video at step 12,288: clip.mp4 (0.6 s)",
        "[run] eval/video at step 20,480: not kept in a file (0.6 s)",
    ]


def test_a_closed_pipe_is_an_error_and_not_the_end_of_the_program() -> None:
    program = """
import os, sys
from lerax_log.backends import ConsoleBackend, Progress
sys.stdin.readline()
backend = ConsoleBackend()
backend.open("run")
try:
    backend.log_scalars({"train/loss": 0.5}, 10)
except BrokenPipeError:
    os._exit(7)
"""
    reading, writing = os.pipe()
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=writing
    ) as process:
        os.close(writing)
        os.close(reading)
        process.communicate(b"go\n", timeout=30)
    assert process.returncode == 7


def test_an_interval_that_cannot_work_is_refused_at_once() -> None:
    for interval in (-1.0, math.nan):
        with pytest.raises(ValueError, match="line_interval"):
            ConsoleBackend(line_interval=interval)
