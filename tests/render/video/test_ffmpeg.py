import os
import sys
import time

import pytest

from lerax_render import BackendUnavailableError, EncodeError
from lerax_render.video import ffmpeg
from lerax_render.video.ffmpeg import Ffmpeg
from support.processes import ffmpegs


@pytest.fixture
def pretend(tmp_path, monkeypatch):
    """Put a Python script in ffmpeg's place."""

    def install(body: str) -> None:
        program = tmp_path / "ffmpeg"
        program.write_text(f"#!{sys.executable}\nimport os, signal, sys, time\n{body}\n")
        program.chmod(0o755)
        monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(program))

    return install


def test_the_program_and_what_it_has():
    assert os.access(ffmpeg.find_ffmpeg(), os.X_OK)
    assert ffmpeg.version()[:1].isalnum()
    assert {"libx264", "libx264rgb", "gif", "apng", "png"} <= ffmpeg.encoders()
    assert {"gif", "apng", "mov", "matroska", "webm"} <= ffmpeg.demuxers()


def test_the_users_choice_wins(monkeypatch):
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", "/some/where/ffmpeg")
    assert ffmpeg.find_ffmpeg() == "/some/where/ffmpeg"


def test_a_program_that_does_not_start_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", "/some/where/ffmpeg")
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(BackendUnavailableError, match=r"/some/where/ffmpeg.*pip install"):
        Ffmpeg(["-version"], tmp_path)
    with pytest.raises(BackendUnavailableError, match=r"/some/where/ffmpeg.*pip install"):
        ffmpeg.encoders()
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_missing_package_is_named_and_the_systems_program_taken(pretend, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    monkeypatch.setattr(sys, "prefix", "/nowhere")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(BackendUnavailableError, match="pip install imageio-ffmpeg"):
        ffmpeg.find_ffmpeg()
    # One that hangs is found at once: nothing is tried.
    pretend("time.sleep(1000)")
    monkeypatch.delenv("IMAGEIO_FFMPEG_EXE")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert ffmpeg.find_ffmpeg() == str(tmp_path / "ffmpeg")


def test_a_question_that_is_not_answered_is_given_up(pretend, monkeypatch):
    monkeypatch.setattr(ffmpeg, "STALL_SECONDS", 0.5)
    # The other program keeps the output open.
    pretend("import subprocess; subprocess.run(['sleep', '1000'])")
    started = time.monotonic()
    with pytest.raises(BackendUnavailableError, match=r"timed out after 0\.5 s.*pip install"):
        ffmpeg.encoders()
    assert time.monotonic() - started < 10


def test_bytes_go_through(tmp_path):
    pixels = bytes(range(48))
    raw = ["-f", "rawvideo", "-pix_fmt", "gray", "-video_size", "4x3"]
    run = Ffmpeg([*raw, "-i", "pipe:0", "-f", "rawvideo", "pipe:1"], tmp_path)
    run.send(memoryview(pixels))
    got = bytearray(100)
    # Its input is still open, so that only finish() lets ffmpeg end and flush.
    run._input.close()
    assert run.receive(memoryview(got)) == len(pixels)
    assert got[: len(pixels)] == pixels
    assert run.finish() == 4
    assert not ffmpegs()


def test_a_failure_carries_the_reason(tmp_path):
    run = Ffmpeg(["-i", "nothing-here.mp4", "-f", "null", "-"], tmp_path)
    with pytest.raises(
        EncodeError, match=r"failed \(exit status \d+\); its last lines:\n(.*\n)*.*nothing-here"
    ):
        run.finish()
    assert not ffmpegs()


def test_a_program_that_is_no_ffmpeg_is_named(monkeypatch, tmp_path):
    # One of them says nothing, the other complains of its options.
    for program in ("/bin/true", "/bin/ls"):
        monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", program)
        with pytest.raises(EncodeError, match=f"EXE is '{program}', which is no ffmpeg: unset it"):
            Ffmpeg([], tmp_path).finish()
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", "/nowhere/ffmpeg")
    with pytest.raises(BackendUnavailableError, match="IMAGEIO_FFMPEG_EXE names it: set that"):
        Ffmpeg([], tmp_path)


def test_success_needs_the_final_report(pretend, tmp_path):
    pretend("sys.stdin.read()")
    with pytest.raises(EncodeError, match=r"ffmpeg failed; .*it printed no message"):
        Ffmpeg([], tmp_path).finish()


def test_only_the_last_lines_are_shown_and_no_progress(pretend, tmp_path):
    pretend("[print('line', i, file=sys.stderr) for i in range(50)]; print('frame=7\\n')")
    with pytest.raises(EncodeError) as caught:
        Ffmpeg([], tmp_path).finish()
    text = str(caught.value)
    assert text.endswith("line 49")
    assert "line 41" not in text
    assert "frame=" not in text


def test_a_signal_is_named(pretend, tmp_path):
    pretend("os.kill(os.getpid(), signal.SIGSEGV)")
    run = Ffmpeg([], tmp_path)
    with pytest.raises(EncodeError, match=r"ended before .*\(signal 11, Segmentation fault\)"):
        run.send(memoryview(bytes(10_000_000)))
    assert not ffmpegs()


@pytest.mark.parametrize(
    "use",
    [
        lambda run: run.send(memoryview(bytes(10_000_000))),
        lambda run: run.receive(memoryview(bytearray(10))),
        lambda run: run.finish(),
    ],
    ids=["send", "receive", "finish"],
)
def test_a_child_that_does_nothing_is_killed(pretend, tmp_path, monkeypatch, use):
    monkeypatch.setattr(ffmpeg, "STALL_SECONDS", 0.3)
    pretend("time.sleep(1000)")
    run = Ffmpeg([], tmp_path)
    start = time.monotonic()
    with pytest.raises(EncodeError, match=r"did nothing for 0\.3 s"):
        use(run)
    assert time.monotonic() - start < 5
    assert not ffmpegs()


def test_a_child_that_works_in_silence_is_waited_for(pretend, tmp_path, monkeypatch):
    monkeypatch.setattr(ffmpeg, "STALL_SECONDS", 0.4)
    pretend(
        "end = time.monotonic() + 1.5\n"
        "while time.monotonic() < end: pass\n"
        "print('frame=3\\nprogress=end', file=sys.stderr)"
    )
    assert Ffmpeg([], tmp_path).finish() == 3
