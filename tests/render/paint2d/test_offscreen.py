import importlib
import os
import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest
from jax import random as jr
from lerax.env.classic_control import Pendulum

from lerax_render.paint2d.offscreen import offscreen_display
from lerax_render.paint2d.pygame_import import pygame

# Lerax's renderer imports it, and it stays.
importlib.import_module("pygame.gfxdraw")

MODULES = (pygame, pygame.display, pygame.event)


def functions():
    return [{name: vars(module)[name] for name in dir(module)} for module in MODULES]


def test_lerax_own_renderer_works_and_leaves_no_trace():
    before, environment = functions(), dict(os.environ)
    env = Pendulum()

    with offscreen_display():
        renderer = env.default_renderer()
    with offscreen_display():
        renderer.open()
        env.render(env.initial(key=jr.key(0)), renderer)
        frame = renderer.as_array()
        renderer.close()

    assert frame.shape == (500, 500, 3)
    assert (frame == (204, 76, 76)).all(axis=2).sum() > 5_000
    assert functions() == before
    assert dict(os.environ) == environment
    assert not pygame.get_init()
    assert not pygame.display.get_init()
    assert pygame.display.get_surface() is None
    assert not pygame.mixer.get_init()


def test_it_answers_like_a_display_without_events():
    with offscreen_display():
        assert pygame.init()[1] == 0
        assert pygame.display.get_surface() is None
        screen = pygame.display.set_mode((32, 16), pygame.RESIZABLE)
        pygame.display.set_caption("title")
        screen.fill((1, 2, 3))
        pygame.display.flip()
        pygame.display.update([pygame.Rect(0, 0, 3, 3)])

        assert screen.get_size() == pygame.display.get_window_size() == (32, 16)
        assert screen.get_at((31, 15))[:3] == (1, 2, 3)
        assert pygame.display.get_surface() is screen
        assert pygame.display.get_caption()[0] == "title"
        assert (pygame.display.Info().current_w, pygame.display.Info().current_h) == (32, 16)
        assert pygame.display.get_init()
        assert pygame.get_init()
        assert pygame.event.get() == []
        assert pygame.event.poll().type == pygame.NOEVENT
        assert pygame.event.wait(10).type == pygame.NOEVENT
        assert not pygame.event.peek(pygame.QUIT)
        pygame.event.pump()
        pygame.event.set_blocked(pygame.MOUSEMOTION)

        pygame.quit()
        assert pygame.display.get_surface() is None
        assert pygame.font.get_init()


def test_the_whole_desktop_is_some_size():
    with offscreen_display():
        assert pygame.display.set_mode().get_size() == pygame.display.get_desktop_sizes()[0]


def test_opengl_is_refused():
    with offscreen_display(), pytest.raises(pygame.error, match="no OpenGL"):
        pygame.display.set_mode((10, 10), pygame.OPENGL)


def test_blocks_nest_and_share_the_window():
    before = functions()
    with offscreen_display():
        screen = pygame.display.set_mode((10, 10))
        with offscreen_display():
            assert pygame.display.get_surface() is screen
        assert pygame.display.get_surface() is screen
    assert functions() == before


def test_a_later_block_knows_the_surface_as_long_as_somebody_draws_on_it():
    with offscreen_display():
        screen = pygame.display.set_mode((10, 10))
    with offscreen_display():
        assert pygame.display.get_surface() is screen
    del screen
    with offscreen_display():
        assert pygame.display.get_surface() is None


def test_an_exception_ends_it():
    before = functions()
    with pytest.raises(KeyError), offscreen_display():
        raise KeyError
    assert functions() == before


def test_other_threads_have_windows_of_their_own_or_the_real_one():
    def outside():
        seen.append(pygame.display.get_init())

    def inside():
        with offscreen_display():
            seen.append(pygame.display.get_surface())
            seen.append(pygame.display.set_mode((5, 5)))

    seen = []
    before = functions()
    with offscreen_display():
        screen = pygame.display.set_mode((10, 10))
        for target in (outside, inside):
            thread = threading.Thread(target=target)
            thread.start()
            thread.join()
        assert pygame.display.get_surface() is screen
    assert seen[:2] == [False, None]
    assert seen[2] is not screen
    assert functions() == before


def test_many_threads_leave_pygame_as_it_was():
    def work():
        for _ in range(50):
            with offscreen_display():
                surfaces.append(pygame.display.set_mode((4, 4)) is pygame.display.get_surface())

    surfaces: list[bool] = []
    before = functions()
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert surfaces == [True] * 400
    assert functions() == before


def test_what_others_put_there_meanwhile_stays(monkeypatch):
    def theirs():
        return "theirs"

    monkeypatch.setattr(pygame.display, "get_driver", pygame.display.get_driver)
    with offscreen_display():
        pygame.display.get_driver = theirs
    assert pygame.display.get_driver is theirs


USER_PROGRAM = """
import os, sys
os.environ["SDL_VIDEODRIVER"] = "dummy"
import pygame
pygame.display.init()
screen = pygame.display.set_mode((320, 240))
pygame.display.set_caption("my program")
screen.fill((10, 20, 30))
pygame.event.post(pygame.event.Event(pygame.USEREVENT))

import jax
from jax import random as jr
from lerax.env.classic_control import CartPole
from lerax_render.paint2d.offscreen import offscreen_display
from lerax_render.paint2d.drawlist import DrawListPainter, TracingRenderer, Layout
from lerax_render.paint2d.renderer import HeadlessPygameRenderer

environment = dict(os.environ)
env = CartPole()
state = env.initial(key=jr.key(0))
with offscreen_display():
    theirs = env.default_renderer()
    env.render(state, theirs)
    theirs.close()
layout = Layout.of(theirs)
recorder = TracingRenderer(layout)
env.render(state, recorder)
drawlist = jax.tree.map(lambda x: x[None], recorder.drawlist())
(frame,) = DrawListPainter(layout, 640, 480, "rgb24").paint(drawlist)
ours = HeadlessPygameRenderer(layout.width, layout.height)
env.render(state, ours)
ours.draw_text((50, 50), "text", theirs.background_color)
ours.close()
assert len(set(map(tuple, frame.reshape(-1, 3).tolist()))) > 3

assert dict(os.environ) == environment
assert pygame.display.get_init()
assert pygame.display.get_surface() is screen
assert screen.get_size() == (320, 240)
assert screen.get_at((5, 5))[:3] == (10, 20, 30)
assert pygame.display.get_caption()[0] == "my program"
assert pygame.display.get_driver() == "dummy"
assert [e.type for e in pygame.event.get(pygame.USEREVENT)] == [pygame.USEREVENT]
assert pygame.mixer.get_init() is None
screen.fill((200, 0, 0))
pygame.display.flip()
print("survived")
"""


def test_a_program_that_uses_pygame_keeps_its_display():
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(USER_PROGRAM)],
        capture_output=True,
        text=True,
        timeout=120,
        env=os.environ | {"PYGAME_HIDE_SUPPORT_PROMPT": "1"},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "survived\n"


def test_renderers_that_look_their_surface_up_are_served():
    """As a custom renderer would work, without keeping what set_mode returned."""
    with offscreen_display():
        pygame.display.set_mode((8, 8))
        pygame.display.get_surface().fill((9, 8, 7))
        pixels = pygame.surfarray.array3d(pygame.display.get_surface())
    assert np.unique(pixels.reshape(-1, 3), axis=0).tolist() == [[9, 8, 7]]
