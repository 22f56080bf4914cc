"""The encoder with any arguments and frames: the right clip, or an error that says why not."""

import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lerax_render import VideoWriter
from lerax_render.errors import RenderError
from lerax_render.video.formats import FORMATS, is_shown

ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.fractions(),
    st.text(max_size=10),
    st.binary(max_size=10),
    st.complex_numbers(),
    st.lists(st.integers(), max_size=3),
)
SIDES = st.one_of(ANYTHING, st.integers(-2, 20), st.sampled_from([16_383, 16_384, 16_385, 10**6]))
# Each clip takes ffmpeg's start, several for a GIF.
FEW = settings(max_examples=max(12, settings.default.max_examples // 25))


@given(
    fps=st.one_of(ANYTHING, st.floats(0, 1001)),
    format=st.one_of(ANYTHING, st.sampled_from(list(FORMATS))),
    width=SIDES,
    height=SIDES,
    max_width=SIDES,
    pixel_format=st.one_of(ANYTHING, st.sampled_from(["rgb24", "bgr0"])),
    target=st.one_of(ANYTHING, st.sampled_from(["clip.mp4", "a.gif", "%d.png", "x/y.webp"])),
)
def test_any_arguments_are_taken_or_refused_before_any_work(tmp_path, monkeypatch, **arguments):
    monkeypatch.chdir(tmp_path)
    target, fps = arguments.pop("target"), arguments.pop("fps")
    message = "taken"
    try:
        VideoWriter(target, fps, **arguments)
    except (TypeError, ValueError) as error:
        message = str(error)
    assert message
    assert "\n" not in message
    assert list(tmp_path.iterdir()) == []


def pictures(shape: tuple[int, ...], count: int, seed: int) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    return [
        np.full(shape, random.integers(0, 256, shape[-1:] or (1,)), np.uint8) for _ in range(count)
    ]


@FEW
@given(
    format=st.sampled_from([name for name in FORMATS if name != "png"]),
    fps=st.one_of(st.floats(0.01, 1000), st.fractions(1, 100), st.sampled_from([50, 29.97])),
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    max_width=st.one_of(st.none(), st.integers(1, 50)),
    count=st.integers(1, 6),
    seed=st.integers(0, 99),
)
def test_frames_of_any_shape_come_back(format, fps, height, width, max_width, count, seed):
    frames = pictures((height, width, 3), count, seed)
    try:
        with VideoWriter(None, fps, format=format, max_width=max_width) as writer:
            for frame in frames:
                writer.write(frame)
    except (ValueError, RenderError) as error:
        pytest.fail(f"{height}x{width}, {format}, {fps}: {error}")
    video = writer.video
    played = min(Fraction(fps), FORMATS[format].max_fps)
    shown = [step for step in range(count) if is_shown(step, played / Fraction(fps))]
    assert video.num_frames == len(shown)
    assert math.isclose(video.fps, played, rel_tol=1e-3)
    assert video.width <= max(2, (max_width or width) + 1)
    decoded = video.frames()
    assert decoded.shape == (len(shown), video.height, video.width, 3)
    if format in ("apng", "gif"):
        for got, sent in zip(decoded, [frames[step] for step in shown], strict=True):
            assert abs(got.astype(int) - sent[0, 0]).max() <= 8


@FEW
@given(
    st.lists(
        st.tuples(
            st.lists(st.integers(0, 6), max_size=4).map(tuple),
            st.sampled_from([np.uint8, np.float32, np.int64, bool, object, "U3"]),
        ),
        max_size=4,
    )
)
def test_frames_that_do_not_fit_are_refused_and_leave_nothing(tmp_path, shapes):
    wanted = (6, 6, 3)
    target = tmp_path / "clip.apng"
    try:
        with VideoWriter(target, 20) as writer:
            writer.write(np.zeros(wanted, np.uint8))
            for shape, dtype in shapes:
                writer.write(np.zeros(shape, dtype))
    except TypeError:
        assert any(dtype is not np.uint8 for _, dtype in shapes)
    except ValueError:
        assert any(shape != wanted for shape, _ in shapes)
    else:
        assert writer.video.num_frames == 1 + len(shapes)
        target.unlink()
    assert list(Path(tmp_path).iterdir()) == []
