import base64
import dataclasses
import re

import numpy as np
import pytest

from lerax_render import EncodeError, Video, VideoWriter
from lerax_render.video import video
from lerax_render.video.formats import FORMATS

FRAMES = [np.full((48, 64, 3), (value, 255 - value, 90), np.uint8) for value in (10, 120, 230)]


def record(destination, format=None, order=(0, 1, 2)):
    with VideoWriter(destination, 20, format=format) as writer:
        for number in order:
            writer.write(FRAMES[number])
    return writer.video


@pytest.fixture(scope="module")
def gif():
    return record(None, "gif")


def test_what_a_video_tells(tmp_path, gif):
    assert (gif.format, gif.fps, gif.num_frames, gif.width, gif.height) == ("gif", 20, 3, 64, 48)
    assert gif.path is None
    assert gif.files == ()
    assert gif.num_bytes == len(gif.data)
    on_disk = record(tmp_path / "clip.gif")
    assert on_disk.path == tmp_path / "clip.gif"
    assert on_disk.files == (on_disk.path,)
    assert on_disk.data == gif.data
    assert on_disk.num_bytes == gif.num_bytes
    assert dataclasses.replace(on_disk, path=None, content=gif.data) == gif
    assert "content" not in repr(gif)


def test_data_is_read_when_asked_for(tmp_path):
    clip = record(tmp_path / "clip.gif")
    clip.path.write_bytes(b"another")
    assert clip.data == b"another"
    clip.path.unlink()
    with pytest.raises(FileNotFoundError):
        _ = clip.data


def test_a_video_is_somewhere():
    with pytest.raises(ValueError, match="either a path or content"):
        Video("gif", 20, 3, 64, 48)


def test_saving_from_memory_replaces_an_older_file(tmp_path, gif):
    destination = tmp_path / "clip.gif"
    destination.write_bytes(b"older")
    assert gif.save(str(destination)) == destination
    assert destination.read_bytes() == gif.data
    gif.save(tmp_path / "without-suffix")
    assert (tmp_path / "without-suffix").read_bytes() == gif.data


def test_what_cannot_be_saved_leaves_nothing(tmp_path, gif):
    with pytest.raises(ValueError, match="names one picture, but a clip has many"):
        gif.save(tmp_path / "clip.png")
    with pytest.raises(ValueError, match="does not exist"):
        gif.save(tmp_path / "no" / "clip.gif")
    with pytest.raises(ValueError, match="does not exist"):
        gif.save(tmp_path / "no" / "clip.mp4")
    with pytest.raises(ValueError, match="html is no video: record"):
        gif.save(tmp_path / "clip.html")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("source", ["mp4", "gif", "webp"])
@pytest.mark.parametrize(
    "name", ["a.mp4", "a.mov", "a.webm", "a.gif", "a.webp", "a.apng", "a_%d.png"]
)
def test_saving_with_another_suffix_converts(tmp_path, source, name):
    # The third frame stays for one more, which WebP stores as one.
    clip = record(None, source, [0, 1, 2, 2, 0])
    saved = clip.save(tmp_path / name)
    assert saved == tmp_path / name
    format = {".png": "png"}.get(saved.suffix, saved.suffix[1:])
    copy = Video(format, clip.fps, clip.num_frames, clip.width, clip.height, path=saved)
    assert len(list(tmp_path.iterdir())) == len(copy.files)
    frames, others = clip.frames().astype(int), copy.frames().astype(int)
    assert np.abs(frames - others).mean() < 8
    assert np.abs(frames - others[[1, 2, 0, 0, 1]]).mean() > 20
    if name in ("a.apng", "a_%d.png"):
        np.testing.assert_array_equal(frames, others)


def test_a_clip_says_in_a_line_what_it_is(tmp_path):
    assert repr(record(None, "gif")) == "Video(gif, 3 frames, 64x48, 20 fps, in memory)"
    assert repr(record(tmp_path / "a.mp4", "mp4")).endswith(f"fps, {tmp_path}/a.mp4)")


def test_a_sequence_is_no_single_file(tmp_path):
    clip = record(tmp_path / "frames", "png")
    assert clip.path == tmp_path / "frames" / "frame_%05d.png"
    assert len(clip.files) == 3
    assert clip.num_bytes == sum(file.stat().st_size for file in clip.files)
    with pytest.raises(ValueError, match="no single file"):
        _ = clip.data
    assert re.match(r"<p>.*frame_%05d\.png: 3 frames of 64x48", clip._repr_html_())


@pytest.mark.parametrize("format", [name for name, row in FORMATS.items() if row.element])
def test_a_notebook_gets_the_clip_itself(format):
    clip = record(None, format)
    shown = clip._repr_html_()
    row = FORMATS[format]
    tag = re.fullmatch(rf'<{row.element} src="data:([\w/]+);base64,([^"]+)" (.*)', shown)
    assert tag[1] == row.mime
    assert base64.b64decode(tag[2]) == clip.data
    assert 'width="64"' in tag[3]
    if row.element == "video":
        assert tag[3].endswith(" controls loop muted playsinline></video>")


def test_a_notebook_gets_no_foreign_markup(tmp_path):
    name = '"><script>alert(1)</script>'
    clip = record(tmp_path / name.replace("/", "_"), "gif")
    assert "<script" not in clip._repr_html_()
    assert clip._repr_html_().count("<") == 1


def test_a_notebook_gets_a_note_for_a_large_clip(tmp_path, monkeypatch, gif):
    monkeypatch.setattr(video, "LARGEST_SHOWN", gif.num_bytes - 1)
    clip = record(tmp_path / "<b>.gif")
    shown = clip._repr_html_()
    assert "base64" not in shown
    size = f"{clip.num_bytes} bytes" if clip.num_bytes < 1000 else f"{clip.num_bytes / 1000:.1f} kB"
    assert f"&lt;b&gt;.gif: 3 frames of 64x48 at 20 fps, {size}" in shown
    assert "open it in a viewer" in shown
    assert "a clip in memory" in gif._repr_html_()
    assert "use save() and open the file" in gif._repr_html_()


def test_a_file_that_another_clip_took_is_said(tmp_path):
    def written(value):
        with VideoWriter(tmp_path / "clip.mp4", 50) as writer:
            for _ in range(3):
                writer.write(np.full((24, 32, 3), value, np.uint8))
        return writer.video

    first = written(10)
    assert first.frames().shape == (3, 24, 32, 3)
    second = written(200)
    with pytest.raises(EncodeError, match="overwritten since this clip was made"):
        first.frames()
    assert second.frames().mean() > 190
