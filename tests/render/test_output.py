"""What was made: a file on disk or in memory, whatever its format."""

import io

import pytest

from lerax_render import Output, Video


def test_it_is_a_file_or_bytes():
    with pytest.raises(ValueError, match="either a path or content"):
        Output("html")
    made = Output("html", content=b"<p>")
    assert made.data == b"<p>"
    assert made.num_bytes == 3
    assert "content" not in repr(made)


def test_a_video_is_one():
    video = Video("mp4", 50.0, 3, 64, 48, content=b"123")
    assert isinstance(video, Output)
    assert (video.format, video.num_bytes, video.data) == ("mp4", 3, b"123")


def test_saving_is_a_copy(tmp_path):
    made = Output("html", content=b"<p>")
    place = tmp_path / "a.html"
    place.write_bytes(b"older")
    assert made.save(place) == place
    assert place.read_bytes() == b"<p>"
    again = Output("html", path=place)
    assert again.save(tmp_path / "no suffix").read_bytes() == b"<p>"
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith(".")] == []


def test_what_cannot_be_saved_is_told_before_anything_is_written(tmp_path):
    made = Output("html", content=b"<p>")
    with pytest.raises(ValueError, match=r"ends with \.mp4"):
        made.save(tmp_path / "a.mp4")
    with pytest.raises(TypeError, match="write `data` to it"):
        made.save(io.BytesIO())
    with pytest.raises(ValueError, match="does not exist"):
        made.save(tmp_path / "none" / "a.html")


def test_a_notebook_shows_a_page_in_a_frame():
    shown = Output("html", content=b'<p title="x">')._repr_html_()
    assert shown.startswith('<iframe srcdoc="&lt;p title=&quot;x&quot;&gt;"')
