"""What breaks while a clip is made, under a whole training."""

import os
import shutil
import signal
import subprocess
import threading
from pathlib import Path

import pytest

from lerax_render import RenderWarning, Simulation, record, try_record
from lerax_render.compose.overlay import StepInfo
from lerax_render.video import ffmpeg
from lerax_render.video.work_folder import sweep
from support.faults import (
    RECORDED,
    STAGE,
    Ordeal,
    contexts,
    fill,
    nothing_stays,
    send,
    wait_for,
)
from support.paths import ROOT
from support.processes import children
from support.trainings import Mp4Memory

SCENE = ROOT / "assets/scenes/hopper.xml"
START, FIRST, SECOND, THIRD = RECORDED
GOES_ON = ".* The training goes on; the next recording will be tried$"


def failed(step: int, cause: str) -> str:
    return f"^run run: the recording at step {step} failed: {cause}{GOES_ON}"


@pytest.mark.parametrize("frame", [1, 60], ids=["at the start", "in the middle"])
def test_ffmpeg_is_killed(ordeal: Ordeal, frame: int) -> None:
    STAGE.at(2, frame, send(signal.SIGKILL))
    cause = r"EncodeError: ffmpeg .*\(signal 9, Killed\), as the system does when memory runs out"
    ordeal(says=[failed(SECOND, cause)], recorded=[START, FIRST, THIRD], frames=104)


def test_ffmpeg_is_killed_after_the_last_frame(
    ordeal: Ordeal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "ffmpeg"
    program.write_text(f'#!/bin/sh\n"{ffmpeg.find_ffmpeg()}" "$@"\nkill -KILL $$\n')
    program.chmod(0o755)
    STAGE.at(2, 0, lambda: monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(program)))
    STAGE.at(3, 0, lambda: monkeypatch.delenv("IMAGEIO_FFMPEG_EXE"))
    cause = r"EncodeError: ffmpeg failed \(signal 9, Killed\)"
    ordeal(says=[failed(SECOND, cause)], recorded=[START, FIRST, THIRD])


def test_ffmpeg_is_stopped_for_ever(ordeal: Ordeal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ffmpeg, "STALL_SECONDS", 1.0)
    STAGE.at(2, 5, send(signal.SIGSTOP))
    cause = "EncodeError: ffmpeg did nothing for 1 s: something stopped it, or its disk hangs"
    ordeal(says=[failed(SECOND, cause)], recorded=[START, FIRST, THIRD])


def test_there_is_no_ffmpeg(ordeal: Ordeal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", "/nonexistent/ffmpeg")
    cause = "BackendUnavailableError: ffmpeg at '/nonexistent/ffmpeg' does not run.*pip install"
    ordeal(
        says=[
            f"run run: videos were asked for but cannot be made: {cause}.*tried again",
            f"{cause}.*recording pauses until the next learn",
        ],
        recorded=[],
    )


@pytest.mark.parametrize("frame", [60, 103], ids=["in the middle", "at the very end"])
def test_the_disk_of_the_clips_is_full(ordeal: Ordeal, small_disk: Path, frame: int) -> None:
    STAGE.at(3, frame, fill(small_disk))
    ordeal(
        Mp4Memory(),
        says=[failed(THIRD, "EncodeError: .*the disk is full: make room.*on another disk")],
        recorded=[START, FIRST, SECOND],
        log_dir=small_disk,
        metrics_file=False,
        kept_in=small_disk / "run/videos",
        frames=104,
    )


def test_the_folder_of_the_clips_is_removed(ordeal: Ordeal, tmp_path: Path) -> None:
    folder = tmp_path / "logs/run/videos"
    STAGE.at(2, 5, lambda: shutil.rmtree(folder))
    cause = "EncodeError: .*was removed while .*: record it again"
    ordeal(says=[failed(SECOND, cause)], recorded=[START, FIRST, THIRD], kept=[THIRD])


def test_the_folder_of_the_clips_becomes_read_only(ordeal: Ordeal, small_disk: Path) -> None:
    def protect() -> None:
        # Over itself: a file system that is being written to cannot be made read-only.
        disk = str(small_disk)
        subprocess.run(["mount", "--bind", disk, disk], check=True)
        subprocess.run(["mount", "-o", "remount,ro,bind", disk], check=True)

    def writable_again() -> None:
        subprocess.run(["umount", "--lazy", str(small_disk)], check=True)
        # What could not be removed before is removed by the next recording.
        assert list(small_disk.rglob(".lerax*"))
        sweep(small_disk / "run/videos")

    STAGE.at(3, 5, protect)
    ordeal(
        Mp4Memory(),
        says=[
            failed(THIRD, "EncodeError: .*Read-only file system.*make the folder writable"),
            "run.json could not be written: .*Read-only file system.* The training goes on",
        ],
        log_dir=small_disk,
        metrics_file=False,
        recorded=[START, FIRST, SECOND],
        kept_in=small_disk / "run/videos",
        after=writable_again,
    )


@pytest.mark.parametrize(("frame", "kind"), [(0, LookupError), (100, LookupError), (5, SystemExit)])
def test_the_environments_render_raises(
    ordeal: Ordeal, frame: int, kind: type[BaseException]
) -> None:
    def fail() -> None:
        raise kind(f"no picture of frame {frame}")

    STAGE.at(2, frame, fail)
    cause = f".*{kind.__name__}: no picture of frame {frame}, in .*, line .*"
    ordeal(says=[failed(SECOND, cause)], recorded=[START, FIRST, THIRD], frames=104)


def test_the_renderer_hangs(ordeal: Ordeal, tmp_path: Path) -> None:
    hangs, go = threading.Event(), threading.Event()
    hanging: list[threading.Thread] = []

    def hang() -> None:
        hanging.append(threading.current_thread())
        hangs.set()
        go.wait()

    def come_back_to_life() -> None:
        # Nobody waits for it, and nothing of it is left but its thread.
        assert hangs.is_set()
        assert hanging[0].is_alive()
        assert not children()
        assert not list(tmp_path.rglob(".lerax*"))
        go.set()
        wait_for(lambda: not hanging[0].is_alive())

    STAGE.at(2, 5, hang)
    cause = rf"TimeoutError: it was given up after 5 s, at hang \({__file__}, line \d+\)\. "
    ordeal(
        says=[failed(SECOND, cause + ".*raise video_time_limit")],
        recorded=[START, FIRST, THIRD],
        after=come_back_to_life,
        video_time_limit=5,
    )


def test_a_child_is_forked_while_a_clip_is_made(ordeal: Ordeal) -> None:
    """Were ffmpeg's input open in the child, it would wait there for the end of the clip."""
    forked: list[int] = []

    def fork() -> None:
        child = os.fork()
        if not child:
            signal.pause()
            os._exit(0)
        forked.append(child)

    def end() -> None:
        os.kill(forked[0], signal.SIGKILL)
        os.waitpid(forked[0], 0)

    STAGE.at(2, 5, fork)
    ordeal(says=[], after=end)


def test_what_raises_in_a_mujoco_clip_frees_its_context(tmp_path: Path) -> None:
    scene, target = Simulation(SCENE), tmp_path / "clip.mp4"
    size = {"steps": 8, "width": 64, "height": 48}
    # The driver keeps files open from its first use on.
    record(scene, path=target, **size)
    whole = target.read_bytes()
    seen: list[int] = []

    def caption(step: StepInfo) -> str:
        if step.step == 3:
            seen.append(contexts())
            raise LookupError("no caption")
        return "caption"

    with nothing_stays(tmp_path):
        with pytest.raises(LookupError):
            record(scene, path=target, overlay=[caption], **size)
        with pytest.warns(RenderWarning, match="no video of hopper: LookupError: no caption"):
            assert try_record(scene, path=target, overlay=[caption], **size) is None
    assert min(seen) > 0
    assert target.read_bytes() == whole
