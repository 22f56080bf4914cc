"""What every fault is put through, and what is looked at afterwards."""

import contextlib
import gc
import os
import re
import signal
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lerax_log import LoggingCallback, TensorBoardBackend
from lerax_log.backends import AbstractLoggingBackend
from lerax_render import HeadlessPygameRenderer, RenderWarning, Video
from lerax_render.mujoco.gl.context import Context
from lerax_render.sources import find_source
from lerax_render.sources.custom import Custom
from lerax_render.video.work_folder import PREFIX
from support.environments import Counting
from support.processes import children, ffmpegs
from support.read_logs import read_event_files
from support.trainings import ITERATIONS, STEPS_AN_ITERATION, Training, arrays

SECONDS = 120
WIDTH, HEIGHT, FRAMES = 64, 48, 12
RECORDED = [0, 2 * STEPS_AN_ITERATION, 4 * STEPS_AN_ITERATION, 6 * STEPS_AN_ITERATION]
LOGGED = [STEPS_AN_ITERATION * (i + 1) for i in range(ITERATIONS)]
"""Steps of the recordings, and of the iterations, of every training here."""

OPTIONS: dict[str, Any] = {
    "video_interval": 2,
    "video_mode": "block",
    "video_width": WIDTH,
    "video_height": HEIGHT,
    "video_overlay": False,
}


class Stage:
    """Calls `act` when frame number `frame` of recording number `recording` is drawn.

    Recording 0 is that of the untrained policy.
    """

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.recording = -1
        self._cues: dict[tuple[int, int], Callable[[], None]] = {}

    def at(self, recording: int, frame: int, act: Callable[[], None]) -> None:
        self._cues[recording, frame] = act

    def draw(self, frame: int) -> None:
        self.recording += frame == 0
        if act := self._cues.pop((self.recording, frame), None):
            act()


STAGE = Stage()


class OwnCanvas(HeadlessPygameRenderer):
    """A renderer of the environment's own: frames are painted one by one as they are encoded."""


class Staged(Counting):
    """Counting that paints itself state by state, where anything may happen meanwhile."""

    def __init__(self) -> None:
        super().__init__(1000)

    def default_renderer(self) -> Any:
        usual = super().default_renderer()
        return OwnCanvas(usual.width, usual.height, usual.background_color, usual.transform)

    def render(self, state: Any, renderer: Any) -> None:
        STAGE.draw(int(state.count))
        super().render(state, renderer)


def staged() -> Training:
    """Return a training in it, with nothing drawn so far."""
    training = Training(Staged())
    assert isinstance(find_source(training.env), Custom)
    STAGE.clear()
    return training


def same_bits(one: Any, other: Any) -> bool:
    """Whether policies are equal bit for bit, NaN included."""
    return [np.asarray(a).tobytes() for a in arrays(one)] == [
        np.asarray(b).tobytes() for b in arrays(other)
    ]


def contexts() -> int:
    """How many GL contexts of ours there are."""
    gc.collect()
    return sum(
        isinstance(one, Context) and getattr(one, "_handle", None) is not None
        for one in gc.get_objects()
    )


def wait_for(condition: Callable[[], Any], seconds: float = SECONDS) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


@contextlib.contextmanager
def nothing_stays(*folders: Path) -> Iterator[None]:
    """Fail if a child, a thread, a descriptor, a GL context or a temporary file is left behind.

    Args:
        folders: Where hidden work folders are looked for, besides that of temporary files.
    """

    def held() -> dict[str, Any]:
        hidden = [path for folder in folders for path in folder.rglob(PREFIX + "*")]
        return {
            "children": children(),
            "threads": {thread.name for thread in threading.enumerate()},
            "descriptors": len(os.listdir("/proc/self/fd")),
            "temporary files": sorted([*Path(tempfile.gettempdir()).rglob("*"), *hidden]),
        }

    before, contexts_before = held(), contexts()
    yield
    # W&B's and JAX's own threads may take a moment to end.
    with contextlib.suppress(AssertionError):
        wait_for(lambda: held() == before, 10)
    for what, now in held().items():
        assert now == before[what], f"{what}: {before[what]} before, {now} afterwards"
    assert contexts() == contexts_before


def assert_readable(run_dir: Path, steps: list[int], recorded: list[int], frames: int) -> None:
    """Fail unless TensorBoard reads these values and clips, and a browser would show the clips."""
    events = read_event_files(run_dir)
    assert [event.step for event in events.Scalars("train/loss")] == steps
    images = events.Images("eval/video") if "eval/video" in events.Tags()["images"] else []
    assert [image.step for image in images] == recorded
    for image in images:
        assert_shows_the_square(image.encoded_image_string, "gif", frames)


def assert_kept(folder: Path, recorded: list[int], frames: int) -> None:
    """Fail unless the folder holds the clips of these steps, whole, and nothing else."""
    kept = sorted(folder.iterdir()) if folder.exists() else []
    assert [path.name for path in kept] == [f"step_{step:09d}.mp4" for step in recorded]
    for path in kept:
        assert_shows_the_square(path.read_bytes(), "mp4", frames)


def assert_shows_the_square(clip: bytes, format: str, frames: int) -> None:
    video = Video(format, 50.0, frames, WIDTH, HEIGHT, content=clip)
    pictures = video.frames().astype(int)
    # Counting's red square on white, which walks out of the picture.
    first = pictures[0, 10:]
    assert ((first[..., 0] > 180) & (first[..., 1] < 90)).sum() > 5
    assert (first.min(-1) > 230).sum() > 300


@dataclass
class Ordeal:
    """Puts faults under whole trainings, and looks at all that was promised of each."""

    training: Training
    folder: Path
    stderr: Callable[[], str]

    def __call__(
        self,
        *backends: AbstractLoggingBackend,
        says: Sequence[str],
        training: Training | None = None,
        recorded: list[int] = RECORDED,
        kept: list[int] | None = None,
        kept_in: Path | None = None,
        after: Callable[[], None] = lambda: None,
        frames: int = FRAMES,
        **options: Any,
    ) -> None:
        """Train with TensorBoard, and with `backends` besides.

        Args:
            backends: Further ones.
            says: Patterns of the warnings, all there are.
            training: Another than the usual one.
            recorded: Steps whose clips are in TensorBoard afterwards.
            kept: Steps whose clips are there as files afterwards, where others.
            kept_in: Where they are, where not in the run's folder in `logs`.
            after: Called when the callback is closed, before anything is looked at.
            frames: In a clip.
            options: Of the callback.
        """
        training = training or self.training
        logs = self.folder / "logs"
        expected = training()
        with nothing_stays(self.folder), warnings.catch_warnings(record=True) as caught:
            # As users see them.
            warnings.simplefilter("default")
            all_backends = [*backends, TensorBoardBackend(logs)]
            options = {**OPTIONS, "log_dir": logs, "video_num_steps": frames, **options}
            with LoggingCallback(all_backends, name="run", **options) as callback:
                policy = training(callback)
            after()
        assert same_bits(policy, expected), "the fault has changed what was learned"
        ours = [str(w.message) for w in caught if issubclass(w.category, RenderWarning)]
        assert len(ours) == len(says), ours
        for message, pattern in zip(ours, says, strict=True):
            assert re.search(pattern, message, re.S), message
        assert "Traceback" not in self.stderr()
        assert_readable(logs / "run", LOGGED, recorded, frames)
        assert_kept(kept_in or logs / "run/videos", recorded if kept is None else kept, frames)


def fill(disk: Path) -> Callable[[], None]:
    """Return what fills a disk to the last byte."""

    def fill_now() -> None:
        with (disk / "others").open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))

    return fill_now


def send(number: signal.Signals) -> Callable[[], None]:
    """Return what sends a signal to every ffmpeg of this process."""

    def send_now() -> None:
        running = ffmpegs()
        assert running, "there is no ffmpeg to send a signal to"
        for process in running:
            os.kill(process, number)

    return send_now
