"""Many clips at once, one of which does not work."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from lerax_render.clips import Clip
from lerax_render.rendering import Job, render_clips, render_job, write_still

SMALL = {"steps": 5, "width": 64, "height": 48}


def jobs(folder, *envs) -> list[Job]:
    return [
        Job(Clip(env=env, seed=i, **SMALL), folder / f"{i}.mp4", folder / f"{i}.webp")
        for i, env in enumerate(envs)
    ]


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
    outcomes = dict(render_clips(work, executor, progress))
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
        assert outcome.seconds > 0
    assert steps >= 10
    assert not set(seen) - {0, 1, 2}
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "0.mp4", "0.webp", "2.mp4", "2.webp"
    ]  # fmt: skip


def test_a_still_is_the_first_frame_in_its_own_colours(tmp_path):
    clip = Clip(env="Acrobot", steps=3, width=320, height=240)
    job = Job(clip, tmp_path / "a.mp4", tmp_path / "a.webp")
    outcome = render_job(job)

    still = np.asarray(Image.open(job.still).convert("RGB")).astype(int)
    first = outcome.video.frames()[0]
    assert still.shape == first.shape
    assert np.abs(still - first).mean() < 2
    # The wrong matrix would make the arms' cyan 24 greener.
    coloured = np.ptp(first, axis=2) > 100
    assert coloured.sum() > 20
    assert np.abs(still[coloured].mean(axis=0) - first[coloured].mean(axis=0)).max() < 8


@pytest.mark.parametrize("format", ["gif", "apng", "webm", "webp"])
def test_every_format_has_a_still(tmp_path, format):
    job = Job(Clip(env="Pendulum", **SMALL), tmp_path / f"a.{format}", tmp_path / "a.still.webp")
    assert render_job(job).error is None
    assert np.asarray(Image.open(job.still).convert("RGB")).std() > 20


def test_what_an_environment_does_to_its_process_is_an_outcome(tmp_path):
    (tmp_path / "leaves.py").write_text("import sys\nsys.exit('no licence')")
    (tmp_path / "breaks.py").write_text("1 / 0")
    leaves, breaks = (
        render_job(Job(Clip(env=f"{tmp_path}/{name}.py:Env", **SMALL), tmp_path / "a.mp4"))
        for name in ("leaves", "breaks")
    )
    assert leaves.error == "SystemExit: no licence"
    assert breaks.error.endswith("ZeroDivisionError: division by zero")


def test_what_is_no_clip_has_no_still(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"nothing")
    with pytest.raises(Exception, match="ffmpeg"):
        write_still(tmp_path / "a.mp4", tmp_path / "a.webp")
