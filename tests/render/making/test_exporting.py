"""Formats that are no videos: which settings they take, and what is told before any work."""

import io
import re

import numpy as np
import pytest

from lerax_render import Output, Replay, Simulation, UnsupportedEnvError, Video, capture, record
from lerax_render.making import clips, exporting
from lerax_render.making.exporting import _MAKERS
from lerax_render.output import EXPORTS
from lerax_render.settings import Settings, settings_of
from support.environments import Counting, Limited
from support.replay_files import MODEL


class Never(Counting):
    """Fails where it is stepped."""

    def initial(self, *, key):
        raise AssertionError("work was begun")


@pytest.fixture(scope="module")
def replay():
    return capture(Counting(), steps=12)


def test_each_format_has_what_makes_it():
    assert _MAKERS.keys() == EXPORTS.keys()
    for row in EXPORTS.values():
        assert set(row.settings) <= settings_of(Settings).keys()


def test_a_page_goes_to_a_path_a_buffer_or_memory(replay, tmp_path):
    by_path = record(replay, tmp_path / "a.html")
    buffer = io.BytesIO()
    by_buffer = record(replay, buffer, format="html")
    in_memory = record(replay, format="html")
    assert by_path.path == tmp_path / "a.html"
    assert by_path.data == buffer.getvalue() == by_buffer.data == in_memory.data
    assert in_memory.data.startswith(b"<!doctype html>")
    assert (in_memory.steps, in_memory.format) == (12, "html")
    assert not isinstance(in_memory, Video)
    assert isinstance(in_memory, Output)


def test_the_page_of_an_environment_is_that_of_its_replay(replay):
    assert record(Counting(), format="html", steps=12).data == record(replay, format="html").data


def test_it_has_the_picture_of_the_first_step_and_the_labels(replay):
    page = record([replay, replay[3:]], format="html", labels=["<before>", "after"]).data.decode()
    assert len(re.findall(r"data:image/png;base64,", page)) == 2
    assert "&lt;before&gt;" in page
    assert "<before>" not in page


@pytest.mark.parametrize("grid", [None, (1, 2)])
def test_what_is_pixels_only_is_a_video_in_the_page(grid):
    page = record("gym:Acrobot-v1", format="html", steps=5, grid=grid, width=64, height=48)
    assert page.steps == 5
    assert b"video" in page.data


def test_a_title_is_a_pages_heading(replay):
    page = record(replay, format="html", title="After <1 h>").data.decode()
    assert "<h1>After &lt;1 h&gt;</h1>" in page
    drawn = record("gym:Acrobot-v1", format="html", title="A", steps=5, width=64, height=48)
    assert "<h1>A</h1>" in drawn.data.decode()


def test_a_notebook_shows_a_replay_as_its_page(replay):
    shown = replay._repr_html_()
    assert shown.startswith("<iframe srcdoc=")
    assert "sandbox=" in shown


def test_progress_counts_each_step_once(tmp_path):
    counts = []
    record(Counting(), path=tmp_path / "a.replay", steps=100, progress=counts.append)
    assert sum(counts) == 100
    assert len(counts) > 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"path": "a.html", "fps": 30}, r"fps would make no difference in a page \(\*\.html\)"),
        ({"path": "a.html", "overlay": True}, "overlay would make no difference"),
        ({"path": "a.html", "preset": "docs"}, "preset would make no difference"),
        ({"path": "a.html", "preset": "docs", "max_size": 100}, "preset would make no difference"),
        ({"path": "a.html", "workers": 2}, "workers would make no difference"),
        ({"path": "a.replay", "width": 30}, "width would make no difference in a replay"),
        ({"path": "a.replay", "quality": "high"}, "quality would make no difference in a replay"),
        ({"path": "a.replay", "camera": "side"}, "camera would make no difference in a replay"),
        ({"path": "a.html", "codec": "av1"}, "codec would make no difference in a page"),
        ({"path": "a.html", "poster": "a.png"}, "poster would make no difference in a page"),
        (
            {"path": "a.glb", "freeze_end": 1.0},
            "freeze_end would make no difference in a glTF",
        ),
        ({"path": "a.replay", "loop": 2}, "loop would make no difference in a replay"),
        ({"path": "a.html", "camera": ["a", "b"]}, "begins with one camera"),
        ({"path": "a.glb", "captions": ["a"]}, "captions would make no difference in a glTF"),
        ({"path": "a.html", "speed": 0.5}, "speed would make no difference in a page"),
        ({"path": "a.html", "bounce": True}, "bounce would make no difference in a page"),
        ({"path": "a.replay", "title": "A"}, "title would make no difference in a replay"),
        ({"path": "a.glb", "camera": "model"}, "begins with one camera"),
        ({"path": "a.mp4", "format": "replay"}, r"ends with \.mp4, but format is 'replay'"),
        ({"path": "none/a.html"}, "does not exist"),
        ({"path": "a.html", "labels": ["a", "b"]}, "one for each of 1 replays, got 2"),
    ],
)
def test_what_makes_no_sense_is_told_before_any_work(
    options, message, replay, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    for env in (Never(), replay):
        with pytest.raises(ValueError, match=message):
            record(env, **options)
    assert not list(tmp_path.iterdir())


def test_a_camera_is_missing_before_the_rollout():
    counts: list[int] = []
    with pytest.raises(ValueError, match="has no camera to choose"):
        record(Counting(), format="html", camera="side", progress=counts.append)
    assert not counts


@pytest.mark.parametrize("env", [Counting(), "gym:Acrobot-v1"])
def test_captions_are_in_a_page_or_refused_before_the_rollout(env):
    counts: list[int] = []
    options = {"format": "html", "steps": 5, "width": 64, "height": 48}
    with pytest.raises(ValueError, match="for steps from 9"):
        record(env, captions="step 9-: a", progress=counts.append, **options)
    assert not counts
    assert record(env, captions="step 2-: hold on", **options).steps == 5


def test_suffixes_of_all_formats_are_told(replay):
    with pytest.raises(
        ValueError, match=r"accepted are \.mp4, .*\.png, \.html, \.glb, \.replay, \.npz, or"
    ):
        record(replay, "a.xyz")
    with pytest.raises(ValueError, match=r"ends with \.html, but format is 'mp4'"):
        record(replay, "a.html", format="mp4")


def test_replays_have_no_grid_in_a_page_and_no_more_steps_than_they_have(replay):
    with pytest.raises(ValueError, match="leave grid out"):
        record([replay, replay], format="html", grid=(1, 2))
    with pytest.raises(ValueError, match="steps is 13, and the replay has 12 steps"):
        record(replay, format="html", steps=13)
    with pytest.raises(ValueError, match="acted out already"):
        record(replay, format="replay", key=3)


def test_pixels_are_no_replay(tmp_path):
    with pytest.raises(UnsupportedEnvError, match="paints its pictures itself"):
        record("gym:Acrobot-v1", path=tmp_path / "a.replay")


def test_a_wrapped_environment_and_a_model_go_into_a_file(tmp_path):
    import mujoco

    simulation = Simulation(mujoco.MjModel.from_xml_string(MODEL))
    assert record(Limited(Counting(), 3), path=tmp_path / "a.replay", steps=5).steps == 5
    made = record(simulation, path=tmp_path / "b.replay", steps=5)
    assert made.seconds == pytest.approx(0.1)
    assert np.array_equal(
        record(tmp_path / "b.replay", format="apng", width=64).frames(),
        record(simulation, format="apng", steps=5, width=64).frames(),
    )


@pytest.mark.parametrize("format", ["html", "replay"])
def test_a_part_of_what_happened_goes_into_a_file(format, replay, tmp_path):
    part = {"start": 3, "stop": 8}
    made = [
        record(env, path=tmp_path / f"{number}.{format}", **part)
        for number, env in enumerate([Counting(), replay])
    ]
    assert [each.steps for each in made] == [5, 5]
    if format == "replay":
        for number in range(2):
            kept = Replay.load(tmp_path / f"{number}.replay")
            np.testing.assert_array_equal(kept.rewards, replay.rewards[3:8])
    with pytest.raises(ValueError, match=r"from step 900 to 12 .* has nothing in it"):
        record(replay, format=format, start=900)
    with pytest.raises(ValueError, match="start is step 10, and one of the replays has 9 steps"):
        record([replay, replay[3:]], format=format, start=10)


def test_pages_of_pixels_have_a_part_in_their_video_and_their_curve(monkeypatch):
    made = []

    def export(row, shown, *places, **options):
        made.append(shown)
        return exporting.export(row, shown, *places, **options)

    monkeypatch.setattr(clips, "export", export)
    page = record("gym:Acrobot-v1", format="html", start=2, stop=7, width=64, height=48)
    (shown,) = made
    assert page.steps == shown.replays[0].steps == shown.videos[0].num_frames == 5
