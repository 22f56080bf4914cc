"""2D replays look in the page as our painter paints them."""

import itertools
from typing import Any

import numpy as np
import pytest
from lerax.render import Color

import lerax_render as lr
from lerax_render.paint2d import TracingRenderer
from lerax_render.player import make_page
from lerax_render.settings import Picture
from support.format_contract import psnr
from support.pages import LAYOUT, Opens, everything, picture, replay_of

# What a number that is none leaves out.
incomplete = pytest.mark.filterwarnings("ignore:.*frames are incomplete")
SIZE = {"width": 640, "height": 480}


def decibels(opened: Opens, replay: lr.Replay, steps: tuple[int, ...]) -> float:
    """How alike the page's pictures are to our frames at worst, and to no others."""
    frames = list(lr.render(replay, **SIZE))
    page = make_page([replay], Picture(**SIZE))
    worst = np.inf
    for step in steps:
        seen = picture(opened(page, f"#step={step}&ui=off"))
        assert seen.shape == frames[step].shape
        # Neither of them is empty, or the same at each step.
        assert len(np.unique(seen.reshape(-1, 3), axis=0)) > 3
        likeness = psnr(np.stack([seen] * len(frames)), np.stack(frames))
        assert likeness.argmax() == step
        worst = min(worst, likeness[step])
    return worst


@incomplete
def test_all_kinds_of_commands_are_drawn_as_we_do(opened: Opens) -> None:
    replay = replay_of([everything(step) for step in range(8)])
    assert decibels(opened, replay, (0, 7)) > 34


@incomplete
def test_frames_that_are_not_cleared_build_on_those_before(opened: Opens) -> None:
    drawn = [everything(step, cleared=step == 4) for step in range(8)]
    assert decibels(opened, replay_of(drawn), (3, 5, 7)) > 32


def test_more_letters_than_a_browser_takes_in_a_row_are_drawn_as_we_do(opened: Opens) -> None:
    letters = [chr(code) for code in range(0x21, 0x500) if chr(code).isalpha()]
    lines = ["".join(line) for line in itertools.batched(letters, 60, strict=False)]
    drawn = []
    for step in range(2):
        renderer: Any = TracingRenderer(LAYOUT)
        renderer.clear()
        renderer.draw_text((-3.8, 2.4), "\n".join(lines), Color(0.1, 0.1, 0.5), 20)
        renderer.draw_text((-3.5 + step, -1), "large", Color(0.5, 0.1, 0.1), 120)
        drawn.append(renderer.drawlist())
    assert decibels(opened, replay_of(drawn), (0, 1)) > 20


@pytest.mark.lerax
@pytest.mark.parametrize(
    "name",
    [
        "CartPole",
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in ("Acrobot", "MountainCar", "Pendulum", "ContinuousMountainCar")
        ),
    ],
)
def test_lerax_environments_are_drawn_as_we_do(name: str, opened: Opens) -> None:
    replay = lr.capture(name, steps=30)
    assert decibels(opened, replay, (0, 17)) > 40


def test_a_page_of_many_texts_and_layouts_stays_small() -> None:
    replay = replay_of([everything(step) for step in range(500)])
    assert len(make_page([replay], Picture())) < 400_000
