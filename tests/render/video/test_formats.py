import math
import subprocess
from pathlib import Path

import pytest

from lerax_render.video.ffmpeg import find_ffmpeg
from lerax_render.video.formats import FORMATS, Format
from lerax_render.video.places import resolve_format
from support.format_contract import FormatContract, moving_picture


@pytest.mark.parametrize(
    ("destination", "format", "name"),
    [
        ("clip.mp4", None, "mp4"),
        (Path("a/clip.WEBM"), None, "webm"),
        ("clip.gif", "gif", "gif"),
        ("clip.gif", ".GIF", "gif"),
        ("clip.bin", "webp", "webp"),
        ("clip", "mp4", "mp4"),
        ("clip_%d.mp4", None, "mp4"),
        ("clip.mov", None, "mov"),
        ("clip.M4V", None, "m4v"),
        ("clip.apng", None, "apng"),
        ("f/%05d.png", None, "png"),
        ("f/frame%d.png", "png", "png"),
        ("frames", "png", "png"),
        ("run.1/", "png", "png"),
        (None, None, "mp4"),
        (None, "gif", "gif"),
    ],
)
def test_which_format(destination, format, name):
    assert resolve_format(destination, format).name == name


@pytest.mark.parametrize(
    ("destination", "format", "message"),
    [
        ("clip.avi", None, r"'\.avi'.*\.mp4, \.mov, \.m4v, \.webm, \.gif, \.webp, \.apng, \.png"),
        ("clip", None, "there is no suffix in 'clip'; accepted are"),
        (
            "clip.mp4",
            "avi",
            "unknown format 'avi'; accepted are mp4, mov, m4v, webm, gif, webp, apng, png",
        ),
        (None, 3, "unknown format 3"),
        ("clip.mp4", "gif", r"ends with \.mp4, but format is 'gif'"),
        ("out.png", None, r"'\.apng'.*'out_%05d\.png'"),
        ("out.png", "png", r"'\.apng'.*'out_%05d\.png'"),
        ("%d_%05d.png", None, "one %d or %05d field"),
        ("frame_%d", "png", "one %d or %05d field"),
        ("%5d.png", None, "names one picture"),
        (None, "png", "give a folder or a pattern"),
    ],
)
def test_which_not(destination, format, message):
    with pytest.raises(ValueError, match=message):
        resolve_format(destination, format)


def test_only_h264_needs_even_sizes():
    sizes = {name: row.coded_size(17, 32) for name, row in FORMATS.items()}
    assert {sizes.pop(name) for name in ("mp4", "mov", "m4v")} == {(18, 32)}
    assert set(sizes.values()) == {(17, 32)}


def test_every_format_is_under_contract():
    rows = [contract.row for contract in FormatContract.__subclasses__()]
    assert [row for row in FORMATS.values() if row not in rows] == []


class TestMP4(FormatContract):
    row = FORMATS["mp4"]
    # Colours have half the resolution, so that their edges are blurred.
    least_psnr = 33
    colour_error = 3

    @pytest.mark.parametrize("size", [(640, 480), (1280, 720)])
    def test_it_says_which_colours_it_has(self, size):
        assert_is_tagged(self.write(moving_picture(*size)[:2], None))


class TestMOV(FormatContract):
    row = FORMATS["mov"]
    least_psnr = 33
    colour_error = 3

    def test_quicktime_knows_it_for_its_own(self):
        assert self.write(moving_picture(64, 48)[:2], None).data[4:12] == b"ftypqt  "

    def test_it_says_which_colours_it_has(self):
        assert_is_tagged(self.write(moving_picture(640, 480)[:2], None))


class TestM4V(FormatContract):
    row = FORMATS["m4v"]
    least_psnr = 33
    colour_error = 3

    def test_quicktime_knows_it_for_its_own(self):
        assert self.write(moving_picture(64, 48)[:2], None).data[4:12] == b"ftypM4V "

    def test_it_says_which_colours_it_has(self):
        assert_is_tagged(self.write(moving_picture(640, 480)[:2], None))


class TestWebM(FormatContract):
    row = FORMATS["webm"]
    least_psnr = 35
    colour_error = 3

    @pytest.mark.parametrize("size", [(640, 480), (1280, 720)])
    def test_it_says_which_colours_it_has(self, size):
        assert_is_tagged(self.write(moving_picture(*size)[:2], None))


class TestGIF(FormatContract):
    row = FORMATS["gif"]
    # 256 colours have to do.
    least_psnr = 60

    def test_it_needs_encoders_for_what_it_is_made_from(self):
        assert self.row.encoders == {"libx264rgb", "png", "gif"}


class TestWebP(FormatContract):
    row = FORMATS["webp"]
    least_psnr = 33
    colour_error = 6


class TestAPNG(FormatContract):
    row = FORMATS["apng"]
    least_psnr = math.inf


class TestPNG(FormatContract):
    row = FORMATS["png"]
    least_psnr = math.inf


class TestTemplate(FormatContract):
    """The example in `format_contract`."""

    row = Format(
        name="mkv",
        suffix=".mkv",
        mime="video/x-matroska",
        element=None,
        filters="format=bgr24",
        output="-c:v libx264rgb -crf 0 -fflags +bitexact -f matroska clip.mkv",
    )
    least_psnr = math.inf


def assert_is_tagged(video):
    """Fail unless a browser is told the colour space, which it guesses by the size otherwise."""
    command = [find_ffmpeg(), "-hide_banner", "-i", "-"]
    told = subprocess.run(command, input=video.data, capture_output=True).stderr.decode()
    assert "yuv420p(tv, bt709/bt709/iec61966-2-1" in told
