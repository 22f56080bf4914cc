from fractions import Fraction
from pathlib import Path

import pytest

from lerax_render.video import ffmpeg
from lerax_render.video.formats import FORMATS, resolve_format


@pytest.mark.parametrize(
    ("target", "format", "name"),
    [
        ("clip.mp4", None, "mp4"),
        (Path("a/clip.WEBM"), None, "webm"),
        ("clip.gif", "gif", "gif"),
        ("clip.gif", ".GIF", "gif"),
        ("clip.bin", "webp", "webp"),
        ("clip", "mp4", "mp4"),
        ("clip_%d.mp4", None, "mp4"),
        ("clip.apng", None, "apng"),
        ("f/%05d.png", None, "png"),
        ("f/frame%d.png", "png", "png"),
        ("frames", "png", "png"),
        ("run.1/", "png", "png"),
        (None, None, "mp4"),
        (None, "gif", "gif"),
    ],
)
def test_which_format(target, format, name):
    assert resolve_format(target, format).name == name


@pytest.mark.parametrize(
    ("target", "format", "message"),
    [
        ("clip.avi", None, r"'\.avi'.*\.mp4, \.webm, \.gif, \.webp, \.apng, \.png"),
        ("clip", None, "no format has the suffix ''"),
        ("clip.mp4", "avi", "unknown format 'avi'; accepted are mp4, webm, gif, webp, apng, png"),
        (None, 3, "unknown format 3"),
        ("clip.mp4", "gif", "ends like a mp4, but format is 'gif'"),
        ("out.png", None, r"'\.apng'.*'out_%05d\.png'"),
        ("out.png", "png", r"'\.apng'.*'out_%05d\.png'"),
        ("%d_%05d.png", None, "one %d or %05d field"),
        ("frame_%d", "png", "one %d or %05d field"),
        ("%5d.png", None, "names one picture"),
        (None, "png", "give a folder or a pattern"),
    ],
)
def test_which_not(target, format, message):
    with pytest.raises(ValueError, match=message):
        resolve_format(target, format)


@pytest.mark.parametrize(
    ("name", "wanted", "played"),
    [
        ("gif", 50, 50),
        ("gif", 60, 50),
        ("gif", 1000, 50),
        ("gif", 30, Fraction(100, 3)),
        ("gif", 24, 25),
        ("gif", Fraction(100, 7), Fraction(100, 7)),
        ("gif", Fraction(1, 100), Fraction(1, 100)),
        ("webp", 60, 60),
        ("webp", 144, 90),
        ("apng", Fraction(30000, 1001), Fraction(30000, 1001)),
        ("apng", 1000, 90),
        ("mp4", 1000, 1000),
        ("webm", 29, 29),
    ],
)
def test_the_nearest_rate_that_can_be_played(name, wanted, played):
    assert FORMATS[name].nearest_fps(Fraction(wanted)) == played


def test_only_mp4_needs_even_sizes():
    sizes = {name: row.coded_size(17, 32) for name, row in FORMATS.items()}
    assert sizes.pop("mp4") == (18, 32)
    assert set(sizes.values()) == {(17, 32)}


def test_this_ffmpeg_has_every_encoder_of_the_table():
    assert FORMATS["gif"].encoders == {"libx264rgb", "png", "gif"}
    needed = set().union(*(row.encoders for row in FORMATS.values()))
    assert needed <= ffmpeg.encoders()
