"""Sizes of a million: a clear error at once, and no memory taken."""

import resource
import time

import mujoco
import pytest
from lerax.env.classic_control import CartPole

import lerax_render as lr
from lerax_log import LoggingCallback, TensorBoardBackend

HUGE = 10**6
MODEL = mujoco.MjModel.from_xml_string('<mujoco><worldbody><geom size=".1"/></worldbody></mujoco>')


@pytest.fixture(scope="module")
def env():
    env = CartPole()
    # What is loaded and compiled once belongs to no case.
    lr.record(env, steps=2, width=32, height=24, overlay=True, grid=(1, 2), labels=("a", "b"))
    return env


def record(env, **options):
    options = {"steps": 2, "width": 32, "height": 24, **options}
    return lr.record(env, **options)


CASES = {
    "width": lambda env: record(env, width=HUGE),
    "height with text": lambda env: record(env, height=HUGE, overlay=True),
    "height with labels": lambda env: record(env, height=HUGE, grid=(1, 2), labels=["a", "b"]),
    "both in a grid": lambda env: record(env, width=HUGE, height=HUGE, grid=(2, 2), overlay=True),
    "grid": lambda env: record(env, grid=(HUGE, HUGE)),
    "grid that fits": lambda env: record(env, width=16_000, height=16_000, grid=(1000, 1000)),
    "rate": lambda env: record(env, fps=HUGE),
    "scene": lambda env: record(lr.Simulation(MODEL), width=HUGE, height=HUGE),
    "states": lambda env: lr.render(env, [env], width=HUGE, height=HUGE),
    "2D renderer": lambda env: lr.HeadlessPygameRenderer(HUGE, HUGE),
    "MuJoCo renderer": lambda env: lr.HeadlessMujocoRenderer(MODEL, HUGE, HUGE),
    "shapes": lambda env: lr.HeadlessMujocoRenderer(MODEL, 32, 24, max_geom=10**9),
    "writer": lambda env: lr.VideoWriter(None, 20, width=HUGE),
    "writer's most": lambda env: lr.VideoWriter(None, 20, max_width=HUGE),
    "callback": lambda env: LoggingCallback(
        TensorBoardBackend("unused"), video_interval=1, video_width=HUGE
    ),
    "callback's rate": lambda env: LoggingCallback(
        TensorBoardBackend("unused"), video_interval=1, video_fps=HUGE
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_clear_error_at_once(env, case):
    started, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ValueError, match=r"must be|does not fit"):
        CASES[case](env)
    assert time.process_time() - started < 2
    # In KiB.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000
