"""Training runs as `LoggingCallback` leaves them, joined."""

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest

from lerax_render import EncodeError, Replay, VideoWriter, capture
from lerax_render.cli import commands as cli
from lerax_render.compose.text import text_mask
from lerax_render.timelapse import find_recordings, make_timelapse
from support.read_text import read_line

COLOURS = {0: (200, 40, 40), 4096: (40, 160, 40), 12288: (40, 60, 200), 1000000: (200, 180, 30)}
FRAMES = {0: 3, 4096: 5, 12288: 4, 1000000: 3}
SIZE = (96, 160)
LEAST_LABEL = 11


def clip(path: Path, colour, frames: int, size=SIZE, fps: float = 25) -> None:
    with VideoWriter(path, fps) as writer:
        for _ in range(frames):
            writer.write(np.full((*size, 3), colour, np.uint8))


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    (folder / "videos").mkdir()
    for step, colour in COLOURS.items():
        clip(folder / "videos" / f"step_{step:09d}.mp4", colour, FRAMES[step])
    (folder / "videos" / "step_other.mp4").write_bytes(b"no clip")
    (folder / "videos" / "best.mp4").write_bytes(b"no clip")
    return folder


def label(picture: np.ndarray) -> str:
    """What is written at the lower edge."""
    height = text_mask("x", LEAST_LABEL).shape[0]
    strip = picture[-height - 2 :]
    brightness = strip.max(axis=2).max(axis=0)
    for left in range(max(0, int(np.flatnonzero(brightness > 150)[0]) - 3), picture.shape[1]):
        text = read_line(strip[:, left:], LEAST_LABEL)
        if text.startswith("training"):
            return text
    return ""


def colour_of(picture: np.ndarray) -> int:
    """The step whose colour this is."""
    middle = picture[picture.shape[0] // 3, picture.shape[1] // 2].astype(int)
    return min(COLOURS, key=lambda step: np.abs(middle - COLOURS[step]).sum())


def test_recordings_are_found_in_order(run_dir):
    found = find_recordings(run_dir)
    assert [recording.step for recording in found] == list(COLOURS)
    assert [recording.label for recording in found][-1] == "training step 1,000,000"
    assert find_recordings(run_dir / "videos") == found


def test_they_come_one_after_the_other_with_their_step(run_dir, tmp_path):
    done = []
    video = make_timelapse(run_dir, tmp_path / "a.mp4", progress=lambda: done.append(1))

    frames = video.frames()
    assert frames.shape == (sum(FRAMES.values()), *SIZE, 3)
    assert video.fps == 25
    assert [colour_of(frame) for frame in frames] == [s for s in COLOURS for _ in range(FRAMES[s])]
    firsts = np.cumsum([0, *FRAMES.values()])[:-1]
    assert [label(frames[i]) for i in firsts] == [f"training step {step:,}" for step in COLOURS]
    assert len(done) == 4


def test_side_by_side_spread_over_the_training(run_dir):
    video = make_timelapse(run_dir, grid=(1, 3), width=480, format="apng")

    frames = video.frames()
    assert (video.width, video.height) == (480, 96)
    # As long as the longest; the others stay where they ended.
    assert video.num_frames == 4
    for frame in frames:
        tiles = np.array_split(frame, 3, axis=1)
        assert [colour_of(tile) for tile in tiles] == [0, 12288, 1000000]
    tiles = np.array_split(frames[0], 3, axis=1)
    assert [label(tile) for tile in tiles] == [
        f"training step {step:,}" for step in (0, 12288, 1000000)
    ]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"preset": "readme"}, (12, 288, 480, 20)),
        ({"preset": "readme", "width": 80, "fps": 5}, (15, 48, 80, 5)),
        ({"preset": "docs", "height": 48, "grid": (1, 2)}, (3, 48, 160, 20)),
        ({"frames": 2}, (8, 96, 160, 25)),
        ({"fps": 10}, (15, 96, 160, 10)),
        ({"width": 80}, (15, 48, 80, 25)),
        ({"height": 48}, (15, 48, 80, 25)),
        ({"width": 100, "height": 100}, (15, 100, 100, 25)),
        ({"grid": (2, 2)}, (5, 192, 320, 25)),
        ({"grid": (2, 2), "frames": 1}, (1, 192, 320, 25)),
    ],
)
def test_options(run_dir, options, expected):
    video = make_timelapse(run_dir, **options)
    assert (video.num_frames, video.height, video.width, video.fps) == expected


@pytest.mark.parametrize("width", [160, 80])
def test_colours_stay_what_they_are(tmp_path, width):
    for step, colour in enumerate([(255, 255, 255), (200, 40, 40)]):
        clip(tmp_path / f"step_{step}.mp4", colour, 1)
    frames = make_timelapse(tmp_path, width=width, format="apng").frames()
    assert (frames[0][5] == 255).all()
    assert np.abs(frames[1][5].astype(int) - (200, 40, 40)).max() <= 3


def test_recordings_of_another_size_are_fitted(tmp_path):
    clip(tmp_path / "step_000000000.mp4", (200, 40, 40), 2)
    clip(tmp_path / "step_000000001.mp4", (40, 60, 200), 2, size=(64, 64))
    last = make_timelapse(tmp_path, format="apng").frames()[-1]

    assert last.shape == (*SIZE, 3)
    assert colour_of(last) == 12288
    assert last[:60, :20].max() < 30


def test_where_there_are_none(tmp_path):
    with pytest.raises(ValueError, match=r"no recordings in '.*': expected are files such as"):
        make_timelapse(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="no recordings"):
        make_timelapse(tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"grid": (2, 3)}, "a grid of 2x3 needs 6 recordings, and there are 4"),
        ({"frames": 0}, "frames must be at least 1, got 0"),
        ({"fps": -1}, "fps must be from"),
        ({"width": 0}, "width must be from 1"),
        ({"format": "avi"}, "unknown format 'avi'"),
        ({"fps": 0}, "fps must be from"),
        ({"preset": "docs"}, "preset docs makes a WebP or a GIF, and the format is mp4"),
        ({"max_size": 0}, "max_size must be a whole number of bytes"),
    ],
)
def test_options_that_cannot_be(run_dir, tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        make_timelapse(run_dir, tmp_path / "clip", **{"format": "mp4"} | options)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("number", [0, 1])
def test_a_damaged_recording_is_named_and_nothing_is_left(tmp_path, number):
    (tmp_path / "videos").mkdir()
    for i in range(2):
        clip(tmp_path / "videos" / f"step_{i:09d}.mp4", (200, 40, 40), 2)
    (tmp_path / "videos" / f"step_{number:09d}.mp4").write_bytes(b"\0" * 1000)
    target = tmp_path / "a.mp4"
    target.write_bytes(b"an older clip")
    with pytest.raises(EncodeError, match=f"step_00000000{number}.mp4' cannot be read, make it"):
        make_timelapse(tmp_path, target)

    assert target.read_bytes() == b"an older clip"
    assert {path.name for path in tmp_path.iterdir()} == {"videos", "a.mp4"}


def test_on_the_command_line(run_dir, tmp_path, capsys):
    cli.main(["timelapse", str(run_dir), "-o", f"{tmp_path}/learning.gif", "--grid", "1x2"])
    out = capsys.readouterr().out
    assert re.search(
        r"learning\.gif: [\d.]+ k?B, 2 of 4 recordings, 3 frames, 320x96, 25 fps\n", out
    )

    limit = ["--preset", "docs", "--max-size", "20kB"]
    cli.main(["timelapse", str(run_dir), "-o", f"{tmp_path}/small.gif", *limit])
    assert (tmp_path / "small.gif").stat().st_size <= 20_000
    assert "480x288, 20 fps" in capsys.readouterr().out

    with pytest.raises(SystemExit):
        cli.main(["timelapse", str(tmp_path), "-o", f"{tmp_path}/a.mp4"])
    assert "lerax-render: no recordings in" in capsys.readouterr().err


MODEL = """
<mujoco>
  <worldbody>
    <light pos="0 0 4"/>
    <geom type="plane" size="4 4 .1" rgba=".3 .3 .3 1"/>
    <body pos="0 0 {height}"><freejoint/><geom size=".2" rgba="{colour} 1"/></body>
  </worldbody>
</mujoco>
"""


@pytest.fixture(scope="module")
def replays(tmp_path_factory) -> Path:
    """Replays of a ball that falls, from twice as high and in another colour each time."""
    folder = tmp_path_factory.mktemp("replays")
    for step, (height, colour) in {100: (1, "1 0 0"), 2000: (2, "0 0 1")}.items():
        model = folder / "ball.xml"
        model.write_text(MODEL.format(height=height, colour=colour))
        capture(str(model), steps=6).save(folder / f"step_{step:09d}.replay")
    return folder


def balls(picture: np.ndarray) -> list[int]:
    """How many pixels are red, and how many are blue."""
    red, _, blue = np.moveaxis(picture.astype(int), -1, 0)
    return [int((red > blue + 60).sum()), int((blue > red + 60).sum())]


def test_replays_are_painted_from_one_distance(replays):
    video = make_timelapse(replays, width=240, format="apng")
    frames = video.frames()
    assert frames.shape == (12, 180, 240, 3)
    first, second = balls(frames[0]), balls(frames[6])
    assert first[1] == second[0] == 0
    assert 0.7 < first[0] / second[1] < 1.4, "the two would be of other sizes if framed alone"
    assert [label(frames[i]) for i in (0, 6)] == ["training step 100", "training step 2,000"]


def test_each_replay_shows_the_one_before(replays, tmp_path):
    plain, haunted = (
        make_timelapse(replays, width=240, format="apng", ghosts=ghosts).frames()
        for ghosts in (False, True)
    )
    assert plain.shape == haunted.shape
    assert (plain[6:] != haunted[6:]).any()
    red, _, blue = np.moveaxis(haunted[6].astype(int), -1, 0)
    assert (red > blue + 25).sum() > 50
    assert balls(haunted[6])[1] > 50
    (tmp_path / "step_000000001.mp4").touch()
    with pytest.raises(ValueError, match="a ghost is a replay, and step_000000001"):
        make_timelapse(tmp_path, ghosts=True)


def test_replays_side_by_side(replays):
    frames = make_timelapse(replays, width=480, grid=(1, 2), frames=3, format="apng").frames()
    assert frames.shape[0] == 3
    left, right = np.split(frames[0], 2, axis=1)
    assert balls(left)[0] > 20
    assert balls(right)[1] > 20
    assert balls(left)[1] == balls(right)[0] == 0


def test_replays_of_other_step_lengths_are_not_joined(replays, tmp_path):
    for file in replays.glob("*.replay"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    other = dataclasses.replace(Replay.load(file), seconds_per_step=0.5)
    other.save(tmp_path / "step_3.replay")
    with pytest.raises(ValueError, match="steps of different lengths"):
        make_timelapse(tmp_path)
