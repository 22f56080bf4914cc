"""Training runs as `LoggingCallback` leaves them, joined."""

import dataclasses
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lerax_render import EncodeError, Picture, Replay, VideoWriter, capture
from lerax_render.cli import commands as cli
from lerax_render.compose.text import text_mask
from lerax_render.export import keep_replays
from lerax_render.moments import find_recordings
from lerax_render.timelapse import make_timelapse
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
        make_timelapse(tmp_path)
    with pytest.raises(ValueError, match=r"there is no folder '.*nowhere'"):
        make_timelapse(tmp_path / "nowhere")


@pytest.mark.parametrize("command", [["timelapse", "-o", "a.mp4"], ["paint"], ["page"]])
def test_a_folder_that_is_not_there(tmp_path, capsys, command):
    with pytest.raises(SystemExit):
        cli.main([*command, str(tmp_path / "nowhere")])
    assert f"lerax-render: there is no folder '{tmp_path}/nowhere'\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"look": Picture(camera="side")},
            "camera: this paints recordings anew, which needs their",
        ),
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


def test_tiles_that_nothing_is_left_for_are_empty(run_dir):
    frame = make_timelapse(run_dir, grid=(2, 3), format="apng").frames()[0]
    tiles = [t for row in np.array_split(frame, 2) for t in np.array_split(row, 3, axis=1)]
    assert [colour_of(tile) for tile in tiles[:4]] == list(COLOURS)
    for tile in tiles[4:]:
        assert np.unique(tile).tolist() == [40]


def test_the_step_is_written_once(run_dir, tmp_path):
    for folder in ("with", "without"):
        (tmp_path / folder).mkdir()
        shutil.copytree(run_dir / "videos", tmp_path / folder / "videos")
        overlay = {"overlay": True} if folder == "with" else {}
        (tmp_path / folder / "run.json").write_text(json.dumps({"clip": overlay}))
    with_overlay = make_timelapse(tmp_path / "with", format="apng").frames()[0]
    assert np.abs(with_overlay.astype(int) - COLOURS[0]).max() <= 3
    assert label(make_timelapse(tmp_path / "without", format="apng").frames()[0])


def test_several_runs_are_side_by_side_by_training_step(tmp_path):
    colours = list(COLOURS.values())
    steps = {"one": [0, 100, 300], "two": [50, 300]}
    for name, each in steps.items():
        (tmp_path / name / "videos").mkdir(parents=True)
        for number, step in enumerate(each):
            clip(tmp_path / name / f"videos/step_{step:09d}.mp4", colours[number], 2)
    video = make_timelapse([tmp_path / "one", tmp_path / "two"], width=320, format="apng")
    frames = video.frames()
    assert frames.shape == (8, 96, 320, 3)
    halves = [np.array_split(frames[i], 2, axis=1) for i in range(0, 8, 2)]
    seen = [[list(COLOURS).index(colour_of(half)) for half in pair] for pair in halves]
    # At 0, 50, 100 and 300: the latest that there is by then, or the first.
    assert seen == [[0, 0], [0, 0], [1, 0], [2, 1]]
    with pytest.raises(ValueError, match="a grid of 1x1 has no room for 2 runs"):
        make_timelapse([tmp_path / "one", tmp_path / "two"], grid=(1, 1))


MODEL = """
<mujoco>
  <worldbody>
    <camera name="above" pos="0 0 6"/>
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


def test_another_camera_paints_anew(replays):
    usual = make_timelapse(replays, width=240, format="apng").frames()
    above = make_timelapse(replays, width=240, look=Picture(camera="above"), format="apng").frames()
    assert balls(above[0])[0] > 20
    assert np.abs(usual[0].astype(int) - above[0]).mean() > 2
    with pytest.raises(ValueError, match="nowhere"):
        make_timelapse(replays, look=Picture(camera="nowhere"))


def test_what_a_training_had_no_time_for_is_painted(replays, tmp_path, capsys):
    run = tmp_path / "run"
    (run / "replays").mkdir(parents=True)
    for file in sorted(replays.glob("*.replay")):
        keep_replays(run / "replays" / file.name, [Replay.load(file)])
    said = {"clip": {"width": 120, "height": 90, "fps": 25.0, "overlay": True, "camera": "above"}}
    (run / "run.json").write_text(json.dumps(said))
    first, second = sorted((run / "replays").glob("*.mjb"))
    assert first.name.startswith("scene-")
    cli.main(["paint", str(run)])
    assert capsys.readouterr().out == f"{run}: 2 clips painted\n"
    cli.main(["paint", str(run)])
    assert capsys.readouterr().out == f"{run}: 0 clips painted\n"
    frames = make_timelapse(run, format="apng").frames()
    assert frames.shape == (12, 90, 120, 3)
    assert balls(frames[0])[0] > 20
    assert balls(frames[6])[1] > 20
    # The run's camera again, with what is asked for on the command line.
    options = ["--background", "#e010c0", "--width", "160"]
    cli.main(["timelapse", str(run), str(replays), "-o", f"{tmp_path}/a.mp4", *options])
    assert "4 of 4 recordings, 12 frames, 160x" in capsys.readouterr().out
    second.unlink()
    with pytest.raises(SystemExit):
        cli.main(["timelapse", str(run), "-o", f"{tmp_path}/b.mp4", "--quality", "high"])
    assert f"needs its model in '{second}', which is no such file" in capsys.readouterr().err


def test_a_folder_of_runs_is_the_runs_in_it_that_have_recordings(tmp_path, capsys):
    steps = np.arange(2) * 100
    for name in ("seeds/a_0", "seeds/a_1", "seeds/a_all"):
        (tmp_path / name / "videos").mkdir(parents=True)
        (tmp_path / name / "run.json").write_text("{}")
        for number, step in enumerate(steps if name[-1].isdigit() else []):
            file = tmp_path / name / f"videos/step_{step:09d}.mp4"
            clip(file, list(COLOURS.values())[number], 2)
    out = ["-o", f"{tmp_path}/a.mp4"]
    cli.main(["timelapse", str(tmp_path / "seeds"), *out])
    said = capsys.readouterr()
    assert ("4 of 4 recordings, 4 frames" in said.out, "left out" in said.err) == (True, False)
    cli.main(["timelapse", str(tmp_path / "seeds"), str(tmp_path / "seeds/a_0"), *out])
    assert "4 of 4 recordings" in capsys.readouterr().out
    # As a shell names them all.
    every = [str(each) for each in sorted((tmp_path / "seeds").iterdir())]
    command = [sys.executable, "-m", "lerax_render", "timelapse", *every, *out]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "4 of 4 recordings" in ended.stdout
    left_out = f"lerax-render: warning: {every[2]} is left out: there are no recordings in it\n"
    assert ended.stderr == left_out
    cli.main(["paint", str(tmp_path)])
    assert len(capsys.readouterr().out.splitlines()) == 2
    nowhere = str(tmp_path / "nowhere")
    for wrong, said in ((every[2:], "recordings in"), ([*every[:2], nowhere], "folder")):
        with pytest.raises(SystemExit):
            cli.main(["timelapse", *wrong, *out])
        assert f"no {said} {wrong[-1]!r}" in capsys.readouterr().err


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
    with pytest.raises(ValueError, match="ghosts: this paints recordings anew, which needs their"):
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
