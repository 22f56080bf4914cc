"""What the callback relies on, whatever a backend does with what it is given."""

import copy
import math
import os
import signal
import sys
import threading
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lerax_render.video import FORMATS, Video, VideoWriter

from ..backends import AbstractLoggingBackend, HParam

CLIP_FRAMES = 12
"""Frames of `make_clip`."""

HPARAMS: dict[str, HParam] = {
    "algorithm": "PPO",
    "algorithm.num_envs": 4,
    "algorithm.gamma": 0.99,
    "algorithm.max_grad_norm": math.inf,
    "algorithm.normalize": True,
    "total_timesteps": 10_000,
}
"""Hyperparameters of every kind."""

FACTS: dict[str, Any] = {
    "name": "run",
    "command": "python train.py | tee `log`",
    "git": {"commit": "0123abcd", "dirty": True},
    "versions": {"lerax": "0.0.6"},
    "seed": 1,
    "resumed": [{"time": "2026-02-20T12:00:00+00:00", "step": 96, "command": None}],
}
"""What a run is."""

RECORDING: dict[str, Any] = {
    "replay": "replays/step_000000150.replay",
    "video": None,
    "return": math.nan,
    "length": 12.5,
}
"""What is said of a recording."""


@cache
def make_clip(format: str, path: Path | None = None) -> Video:
    """Return a clip of a white square that crosses a blue picture, 64 by 48 pixels, 12 frames.

    Args:
        format: Such as `"gif"`.
        path: The file to write; `None` keeps the clip in memory.
    """
    with VideoWriter(path, 20, format=format) as writer:
        for index in range(CLIP_FRAMES):
            frame = np.full((48, 64, 3), (20, 60, 200), np.uint8)
            frame[16:32, 4 * index : 4 * index + 16] = 255
            writer.write(frame)
    return writer.video


class BackendContract:
    """Tests for every backend: derive a test class, and define the fixture `backend`."""

    own_variables: frozenset[str] = frozenset()
    """Environment variables that the backend's library sets for itself."""

    @pytest.fixture
    def backend(self, tmp_path: Path) -> AbstractLoggingBackend:
        """Return a new backend that is not open."""
        raise NotImplementedError("define the fixture `backend`: a new backend that is not open")

    def test_it_takes_formats_that_exist(self, backend: AbstractLoggingBackend) -> None:
        """`video_formats` names formats that clips can have."""
        assert isinstance(backend.video_formats, tuple)
        assert set(backend.video_formats) <= set(FORMATS)

    def test_logging_needs_an_open_run(self, backend: AbstractLoggingBackend) -> None:
        """Before `open`, every method that logs raises a `RuntimeError` that says so."""
        for use in _uses(backend):
            with pytest.raises(RuntimeError, match="open"):
                use()

    def test_close_needs_no_run_and_may_come_twice(self, backend: AbstractLoggingBackend) -> None:
        """`close` does nothing where no run is open."""
        backend.close()
        backend.open("run")
        backend.close()
        backend.close()
        for use in _uses(backend):
            with pytest.raises(RuntimeError, match="open"):
                use()

    def test_a_whole_run(self, backend: AbstractLoggingBackend, tmp_path: Path) -> None:
        """Everything that a training logs is taken."""
        backend.open("run")
        assert backend.run_dir is None or isinstance(backend.run_dir, Path)
        backend.log_run(FACTS)
        backend.log_hparams(HPARAMS)
        backend.log_hparams({})
        backend.log_scalars({}, 0)
        backend.log_scalars({"episode/return": 1.5, "train/learning_rate": math.nan}, 100)
        backend.log_scalars({"train/loss": math.inf, "train/kl": 0.25}, 200)
        for format in backend.video_formats:
            # Late: recordings are made beside the training.
            backend.log_video("eval/video", make_clip(format), 100)
            backend.log_video("eval/video", make_clip(format, tmp_path / f"clip.{format}"), 150)
        backend.log_recording(RECORDING, 150)
        backend.flush()
        backend.log_hparams(HPARAMS)
        backend.log_scalars({"episode/return": 2.5}, 300)
        backend.close()

    def test_a_second_open_is_refused(self, backend: AbstractLoggingBackend) -> None:
        """`open` raises where a run is open, and that run goes on."""
        backend.open("first")
        with pytest.raises(RuntimeError, match="close"):
            backend.open("second")
        backend.log_scalars({"episode/return": 1.0}, 10)
        backend.close()

    def test_a_clip_of_another_format_is_refused(self, backend: AbstractLoggingBackend) -> None:
        """`log_video` raises a `ValueError` for a format that is not in `video_formats`."""
        others = {"gif", "mp4", "webm"} - set(backend.video_formats)
        backend.open("run")
        for other in others if backend.video_formats else ():
            with pytest.raises(ValueError, match=other):
                backend.log_video("eval/video", make_clip(other), 10)
        backend.close()

    def test_runs_follow_one_another(self, backend: AbstractLoggingBackend) -> None:
        """After `close`, `open` starts another run, in a folder of its own."""
        folders = []
        for name in ("first", "second"):
            backend.open(name)
            backend.log_scalars({"episode/return": 1.0}, 10)
            folders.append(backend.run_dir)
            backend.close()
        assert folders == [None, None] or folders[0] != folders[1]

    def test_copies_are_open_side_by_side(self, backend: AbstractLoggingBackend) -> None:
        """A copy is another backend, and closing one leaves the other open."""
        other = copy.copy(backend)
        backend.open("run_0")
        other.open("run_1")
        backend.log_scalars({"episode/return": 1.0}, 10)
        other.log_scalars({"episode/return": 2.0}, 10)
        backend.close()
        other.log_scalars({"episode/return": 3.0}, 20)
        other.close()

    def test_calls_come_from_several_threads(self, backend: AbstractLoggingBackend) -> None:
        """`open` and logging may happen on different threads."""
        _in_thread(lambda: backend.open("run"))
        _in_thread(lambda: backend.log_scalars({"episode/return": 1.0}, 10))
        for format in backend.video_formats:
            _in_thread(partial(backend.log_video, "eval/video", make_clip(format), 5))
        backend.log_scalars({"episode/return": 2.0}, 20)
        backend.close()

    def test_the_program_is_left_as_it_was(self, backend: AbstractLoggingBackend) -> None:
        """A run changes no variable, folder, stream, hook or signal handler."""
        before = _surroundings(self.own_variables)
        backend.open("run")
        backend.log_scalars({"episode/return": 1.0}, 10)
        backend.close()
        assert _surroundings(self.own_variables) == before


class ReadableBackendContract(BackendContract):
    """Tests for a backend whose data can be read back: it is all there, and where it belongs."""

    def read_scalars(self, run_dir: Path) -> dict[str, list[tuple[int, float]]]:
        """Return steps and values of a closed run by tag, in the order of logging."""
        raise NotImplementedError("define `read_scalars`: what a closed run's folder holds")

    def test_what_was_logged_is_read_back(self, backend: AbstractLoggingBackend) -> None:
        """Everything that was logged is there, in its order."""
        backend.open("run")
        logged: dict[str, list[tuple[int, float]]] = {"episode/return": [], "train/loss": []}
        for step in range(0, 5000, 10):
            backend.log_scalars({"episode/return": step / 4, "train/loss": -step}, step)
            logged["episode/return"].append((step, step / 4))
            logged["train/loss"].append((step, -step))
        backend.close()
        assert backend.run_dir is not None
        assert self.read_scalars(backend.run_dir) == logged

    def test_nan_and_infinities_are_kept(self, backend: AbstractLoggingBackend) -> None:
        """Values that are not finite are kept as they are."""
        backend.open("run")
        for step, value in enumerate((math.nan, math.inf, -math.inf, 1.0)):
            backend.log_scalars({"train/loss": value}, step)
        backend.close()
        assert backend.run_dir is not None
        steps, values = zip(*self.read_scalars(backend.run_dir)["train/loss"], strict=True)
        assert steps == (0, 1, 2, 3)
        np.testing.assert_array_equal(values, (math.nan, math.inf, -math.inf, 1.0))

    def test_runs_do_not_mix(self, backend: AbstractLoggingBackend) -> None:
        """Runs that are open side by side and one after another hold what is theirs."""
        backends = [backend, copy.copy(backend)]
        for index, one in enumerate(backends):
            one.open(f"run_{index}")
        for index, one in enumerate(backends):
            one.log_scalars({"episode/return": float(index)}, 10)
        folders = [one.run_dir for one in backends]
        for one in backends:
            one.close()
        backend.open("run_2")
        backend.log_scalars({"episode/return": 2.0}, 20)
        folders.append(backend.run_dir)
        backend.close()
        read = [self.read_scalars(folder)["episode/return"] for folder in folders if folder]
        assert read == [[(10, 0.0)], [(10, 1.0)], [(20, 2.0)]]


def _uses(backend: AbstractLoggingBackend) -> list[Callable[[], None]]:
    """Return calls that need an open run, of the methods that the backend defines."""
    calls: dict[str, Callable[[], None]] = {
        "log_scalars": lambda: backend.log_scalars({"episode/return": 1.0}, 10),
        "log_hparams": lambda: backend.log_hparams({"gamma": 0.99}),
        "log_run": lambda: backend.log_run(FACTS),
        "log_recording": lambda: backend.log_recording(RECORDING, 10),
        "flush": backend.flush,
    }
    if backend.video_formats:
        clip = make_clip(backend.video_formats[0])
        calls["log_video"] = lambda: backend.log_video("eval/video", clip, 10)
    return [
        call
        for name, call in calls.items()
        if getattr(type(backend), name) is not getattr(AbstractLoggingBackend, name)
    ]


def _in_thread(call: Callable[[], None]) -> None:
    errors: list[BaseException] = []

    def run() -> None:
        try:
            call()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]


def _surroundings(own_variables: frozenset[str]) -> dict[str, object]:
    return {
        "environment": {k: v for k, v in os.environ.items() if k not in own_variables},
        "folder": os.getcwd(),
        "streams": (sys.stdout, sys.stderr, sys.stdin),
        "hooks": (sys.excepthook, threading.excepthook),
        "signals": {number: signal.getsignal(number) for number in signal.valid_signals()},
    }
