import io
import os
import subprocess

import numpy as np
import pytest

from lerax_render import EncodeError, VideoWriter
from lerax_render.video.destination import open_destination
from lerax_render.video.formats import FORMATS
from support.small_disk import mounted

FRAME = np.full((20, 30, 3), 77, np.uint8)


def write(destination, frames=3, **options):
    if isinstance(frames, int):
        frames = [FRAME + np.uint8(number) for number in range(frames)]
    with VideoWriter(destination, 10, **options) as writer:
        for frame in frames:
            writer.write(frame)
    return writer.video


@pytest.fixture
def small_disk(tmp_path):
    with mounted(tmp_path) as disk:
        yield disk


def test_a_read_only_disk_is_named(small_disk):
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(ValueError, match=f"no permission to write in '{small_disk}'"):
        VideoWriter(small_disk / "clip.mp4", 20)


def test_a_missing_folder_is_named_and_not_made(tmp_path):
    for destination in (tmp_path / "no" / "clip.mp4", tmp_path / "no" / "%d.png"):
        with pytest.raises(ValueError, match=f"the folder '{tmp_path}/no' does not exist"):
            VideoWriter(destination, 20)
    with pytest.raises(ValueError, match=f"the folder '{tmp_path}/no' does not exist"):
        VideoWriter(tmp_path / "no" / "frames", 20, format="png")
    assert list(tmp_path.iterdir()) == []


def test_things_that_are_no_file(tmp_path):
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe.mp4")
    cases = {
        "folder.mp4": "is a folder; give a file in it",
        "file/clip.mp4": "Not a directory",
        "pipe.mp4": "is no regular file; open it and pass the open file",
        "n" * 300 + ".mp4": "File name too long",
    }
    for name, message in cases.items():
        with pytest.raises(ValueError, match=message):
            VideoWriter(tmp_path / name, 20)
    with pytest.raises(ValueError, match="a PNG sequence needs a folder"):
        VideoWriter(tmp_path / "file", 20, format="png")


def test_streams_that_take_no_bytes(tmp_path):
    with (tmp_path / "text").open("w") as file, pytest.raises(TypeError, match="binary mode"):
        VideoWriter(file, 20)
    with (tmp_path / "text").open("rb") as file, pytest.raises(ValueError, match="reading only"):
        VideoWriter(file, 20)
    with pytest.raises(ValueError, match="closed file"):
        VideoWriter(file, 20)
    with pytest.raises(TypeError, match="must be a path, an open binary file or None, got bytes"):
        VideoWriter(b"clip.mp4", 20)


def test_an_open_file_gets_the_whole_clip_at_the_end(tmp_path):
    stream = io.BytesIO()
    video = write(stream, format="gif")
    assert stream.getvalue() == video.data
    assert video.data[:6] == b"GIF89a"
    with open(tmp_path / "raw", "wb", buffering=0) as raw:
        assert write(raw, format="gif").data == video.data
    assert (tmp_path / "raw").read_bytes() == video.data


def test_a_closed_pipe_is_an_encode_error():
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb", buffering=0) as pipe, pytest.raises(EncodeError, match="Broken"):
        write(pipe, format="gif")


@pytest.mark.parametrize("name", ["-y.mp4", "a:b 'c' %d %.mp4", "pipe:1.gif", "ü;|$x.webp"])
def test_names_with_a_meaning_for_ffmpeg_or_a_shell(tmp_path, monkeypatch, name):
    folder = tmp_path / "50%d:[x]"
    folder.mkdir()
    monkeypatch.chdir(folder)
    video = write(name)
    assert [entry.name for entry in folder.iterdir()] == [name]
    monkeypatch.chdir(tmp_path)
    assert video.path == folder / name
    assert abs(video.frames()[0].astype(int) - 77).max() <= 3


def test_a_link_stays_and_its_file_is_replaced(tmp_path):
    (tmp_path / "real").mkdir()
    old = tmp_path / "real" / "clip.gif"
    link = tmp_path / "link.gif"
    link.symlink_to(old)
    write(link)
    assert link.is_symlink()
    assert old.read_bytes()[:6] == b"GIF89a"
    assert [entry.name for entry in (tmp_path / "real").iterdir()] == ["clip.gif"]


def test_the_file_has_usual_permissions(tmp_path):
    (tmp_path / "usual").touch()
    write(tmp_path / "clip.gif")
    assert (tmp_path / "clip.gif").stat().st_mode == (tmp_path / "usual").stat().st_mode


def names(folder):
    return sorted(entry.name for entry in folder.iterdir())


def test_a_sequence_in_a_new_folder(tmp_path):
    video = write(tmp_path / "frames", format="png")
    assert names(tmp_path) == ["frames"]
    assert names(tmp_path / "frames") == [f"frame_0000{number}.png" for number in range(3)]
    assert [str(file) for file in video.files] == [
        str(tmp_path / "frames" / name) for name in names(tmp_path / "frames")
    ]
    (tmp_path / "usual").mkdir()
    assert (tmp_path / "frames").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_sequence_replaces_an_older_one_as_a_whole(tmp_path):
    (tmp_path / "notes.txt").touch()
    write(tmp_path / "%d-50%.png", 5)
    video = write(tmp_path / "%d-50%.png", 2)
    assert names(tmp_path) == ["0-50%.png", "1-50%.png", "notes.txt"]
    np.testing.assert_array_equal(video.frames(), [FRAME, FRAME + np.uint8(1)])
    write(tmp_path, 4, format="png")
    write(tmp_path, 1, format="png")
    assert names(tmp_path) == ["0-50%.png", "1-50%.png", "frame_00000.png", "notes.txt"]


def test_a_failed_sequence_leaves_the_older_one(tmp_path):
    write(tmp_path / "%d.png", 2)
    before = {file: file.read_bytes() for file in tmp_path.iterdir()}

    def frames():
        yield FRAME + np.uint8(100)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "%d.png", frames())
    assert {file: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_checking_creates_nothing(tmp_path):
    open_destination(tmp_path / "clip.mp4", FORMATS["mp4"])
    open_destination(tmp_path / "frames", FORMATS["png"])
    assert list(tmp_path.iterdir()) == []
