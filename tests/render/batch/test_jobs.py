"""Many clips at once, one of which does not work."""

import contextlib
import io
from concurrent.futures import BrokenExecutor, Executor, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import jax
import numpy as np
import pytest
from PIL import Image

from lerax_render import Clip, EncodeError, Job, Video, render_clips
from lerax_render.acting import compiling
from lerax_render.batch.jobs import make_still, render_job

SMALL = {"steps": 5, "width": 64, "height": 48}


def jobs(folder, *envs) -> list[Job]:
    return [
        Job(Clip(env=env, seed=i, **SMALL), folder / f"{i}.mp4", still=True)
        for i, env in enumerate(envs)
    ]


def picture(still: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(still)).convert("RGB")).astype(int)


@pytest.mark.parametrize("threads", [None, 2])
def test_one_that_fails_does_not_stop_the_others(tmp_path, threads):
    work = jobs(tmp_path, "CartPole", "nowhere:Env", "Pendulum")
    seen: list[int] = []
    steps = 0

    def progress(running, more) -> None:
        nonlocal steps
        seen.extend(running)
        steps += more

    executor = None if threads is None else ThreadPoolExecutor(threads)
    outcomes = dict(render_clips(work, executor, progress=progress))
    if executor is not None:
        executor.shutdown()

    assert sorted(outcomes) == [0, 1, 2]
    assert "no module named 'nowhere'" in outcomes[1].error
    assert outcomes[1].video is None
    for number in (0, 2):
        outcome = outcomes[number]
        assert outcome.error is None
        assert outcome.num_bytes == (tmp_path / f"{number}.mp4").stat().st_size
        assert outcome.video.num_frames == 5
        assert picture(outcome.still).shape == (48, 64, 3)
        assert outcome.seconds > 0
    assert steps >= 10
    assert not set(seen) - {0, 1, 2}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.mp4", "2.mp4"]


def test_a_still_is_the_first_frame_in_its_own_colours(tmp_path):
    clip = Clip(env="Acrobot", steps=3, width=320, height=240)
    outcome = render_job(Job(clip, tmp_path / "a.mp4", still=True))

    still = picture(outcome.still)
    first = outcome.video.frames()[0]
    assert still.shape == first.shape
    assert np.abs(still - first).mean() < 2
    # The wrong matrix would make the arms' cyan 24 greener.
    coloured = np.ptp(first, axis=2) > 100
    assert coloured.sum() > 20
    assert np.abs(still[coloured].mean(axis=0) - first[coloured].mean(axis=0)).max() < 8


@pytest.mark.parametrize("format", ["gif", "apng", "webm", "webp"])
def test_every_format_has_a_still(tmp_path, format):
    outcome = render_job(Job(Clip(env="Pendulum", format=format, **SMALL), still=True))
    assert outcome.error is None
    assert picture(outcome.still).std() > 20
    (tmp_path / "a").write_bytes(outcome.video.data)
    assert make_still(replace(outcome.video, path=tmp_path / "a", content=None)) == outcome.still


def test_what_an_environment_does_to_its_process_is_an_outcome(tmp_path):
    (tmp_path / "leaves.py").write_text("import sys\nsys.exit('no licence')")
    (tmp_path / "breaks.py").write_text("1 / 0")
    leaves, breaks = (
        render_job(Job(Clip(env=f"{tmp_path}/{name}.py:Env", **SMALL), tmp_path / "a.mp4"))
        for name in ("leaves", "breaks")
    )
    assert leaves.error.endswith("line 2, `sys.exit('no licence')`: SystemExit: no licence")
    assert breaks.error.endswith("ZeroDivisionError: division by zero")


def test_where_a_clip_goes_may_be_a_text(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ((_, outcome),) = render_clips([Job(Clip(env="CartPole", **SMALL), "clip.gif")])
    assert outcome.error is None
    assert (tmp_path / "clip.gif").stat().st_size == outcome.num_bytes
    assert Job(Clip(env="CartPole"), "clip.gif") == Job(Clip(env="CartPole"), Path("clip.gif"))


def test_what_nobody_foresaw_is_logged_with_its_traceback(tmp_path, caplog):
    (tmp_path / "envs.py").write_text("class Env:\n    def __init__(self):\n        1 / 0\n")
    clip = Clip(env="envs.py:Env", folder=tmp_path, **SMALL)
    assert render_job(Job(clip)).error == "ZeroDivisionError: division by zero"
    assert "1 / 0" in caplog.text
    caplog.clear()
    assert "no module named" in render_job(Job(Clip(env="nowhere:Env"))).error
    assert caplog.text == ""


def test_what_is_no_clip_has_no_still():
    with pytest.raises(EncodeError, match="ffmpeg"):
        make_still(Video("mp4", 50.0, 1, 64, 48, content=b"nothing"))


def test_clips_come_back_in_memory_and_from_any_folder(tmp_path, monkeypatch):
    (tmp_path / "envs.py").write_text("from lerax.env.classic_control import CartPole as Env")
    monkeypatch.chdir(tmp_path)
    clips = [Clip(env="envs.py:Env", seed=seed, **SMALL) for seed in (1, 2)]
    with ThreadPoolExecutor(1) as executor:
        outcomes = render_clips(clips, executor)
        first = next(outcomes)
        monkeypatch.chdir("/")
        second = next(outcomes)
    monkeypatch.chdir(tmp_path)
    contents = {}
    for number, outcome in (first, second):
        assert outcome.error is None
        assert outcome.still is None
        assert outcome.num_bytes == len(outcome.video.content)
        contents[number] = outcome.video.content
    assert contents[0] == clips[0].record().content
    assert contents[0] != contents[1]


class Told:
    """A progress that hears what takes long."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def __call__(self, running, more) -> None:
        pass

    def say(self, text: str) -> None:
        self.heard.append(text)


def test_what_takes_long_is_said_to_the_progress(monkeypatch):
    monkeypatch.setattr(compiling, "SAID_FROM", 0.0)
    monkeypatch.setattr(compiling, "_FROM_CACHE", 0.0)
    jax.clear_caches()
    told = Told()
    ((_, outcome),) = render_clips([Clip(env="CartPole", **SMALL)], progress=told)
    assert outcome.error is None
    assert any(text.startswith("compiling CartPole, about ") for text in told.heard)
    assert told.heard[-1] == ""


def test_an_iterator_of_clips_is_asked_when_there_is_room():
    asked = 0

    def clips():
        nonlocal asked
        while True:
            asked += 1
            yield Clip(env="nowhere:Env")

    with ThreadPoolExecutor(2) as executor:
        outcomes = render_clips(clips(), executor, at_once=5)
        numbers = {next(outcomes)[0] for _ in range(12)}
        outcomes.close()
    # One of two threads may overtake the other.
    assert len(numbers) == 12
    assert max(numbers) < asked <= 12 + 5


def test_an_executor_that_was_shut_down_takes_no_more_clips():
    executor = ThreadPoolExecutor(1)
    outcomes = render_clips([Clip(env="nowhere:Env")] * 4, executor, at_once=1)
    assert "no module" in next(outcomes)[1].error
    executor.shutdown()
    rest = dict(outcomes)
    assert sorted(rest) == [1, 2, 3]
    assert "it was given up: the executor takes no more clips: cannot" in rest[3].error


def test_an_executor_that_was_shut_down_gives_clips_up():
    executor = ThreadPoolExecutor(1)
    # The others take longer than it takes to shut it down.
    clips = [Clip(env="nowhere:Env"), *[Clip(env="CartPole", **SMALL)] * 49]
    outcomes = render_clips(clips, executor)
    assert "no module" in next(outcomes)[1].error
    executor.shutdown(cancel_futures=True)
    rest = dict(outcomes)
    assert len(rest) == 49
    assert "it was given up: the executor was shut down" in rest[49].error


@pytest.mark.parametrize("threads", [None, 1])
def test_of_clips_that_go_to_one_file_the_first_is_made(tmp_path, threads):
    clips = [Clip(env="CartPole", seed=seed, **SMALL) for seed in (0, 1, 2)]
    paths = [tmp_path / "a.mp4", tmp_path / "b" / ".." / "a.mp4", tmp_path / "c.mp4"]
    with contextlib.ExitStack() as stack:
        executor = None if threads is None else stack.enter_context(ThreadPoolExecutor(threads))
        outcomes = dict(render_clips(map(Job, clips, paths), executor))

    assert (outcomes[0].error, outcomes[2].error) == (None, None)
    assert "would replace clip 0" in outcomes[1].error
    assert (tmp_path / "a.mp4").stat().st_size == outcomes[0].num_bytes


class Broken(Executor):
    """One that lost its processes before the first clip came."""

    def submit(self, *_, **__):
        raise BrokenExecutor("its processes are gone")


def test_an_executor_that_is_broken_from_the_start_says_so():
    for _, outcome in render_clips([Clip(env="CartPole")] * 2, Broken()):
        assert outcome.error.startswith("the executor is broken, and takes no more clips: its proc")
        assert outcome.deaths == 0


@pytest.mark.parametrize(
    ("clips", "options", "error"),
    [
        ([], {"retries": -1}, "retries must be a whole number, at least 0, got -1"),
        ([], {"at_once": 0}, "at_once must be a whole number, at least 1, got 0"),
        ([], {"at_once": 2.5}, "at_once must be a whole number, at least 1, got 2.5"),
        (["CartPole"], {}, "expected a Clip or a Job, got 'CartPole'"),
        (Clip(env="CartPole"), {}, "clips must be a list or an iterator of Clips and Jobs, got Cl"),
        ("CartPole", {}, "clips must be a list or an iterator of Clips and Jobs, got 'CartPole'"),
        ([], {"executor": ThreadPoolExecutor}, "executor must be an executor, .*, got <class"),
        ([], {"executor": 4}, "executor must be an executor, such as .*, or None, got 4"),
    ],
)
def test_mistakes(clips, options, error):
    with pytest.raises((ValueError, TypeError), match=error):
        list(render_clips(clips, **options))


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("CartPole",), "clip must be a Clip, got 'CartPole'"),
        ((Clip(env="CartPole"), 3), "path must be .*, got 3"),
    ],
)
def test_what_is_no_job_is_refused_before_the_batch_begins(arguments, error):
    with pytest.raises(TypeError, match=error):
        Job(*arguments)
