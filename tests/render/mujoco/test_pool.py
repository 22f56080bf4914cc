"""A clip painted by two processes is the clip that one paints."""

import itertools
import os
import signal
from collections import deque
from collections.abc import Iterator
from contextlib import closing

import mujoco
import numpy as np
import psutil
import pytest

import lerax_render as lr
from lerax_render.errors import RenderError
from lerax_render.mujoco.painter import PosePainter
from lerax_render.mujoco.pool import PoseProcesses
from lerax_render.mujoco.pose import Pose
from lerax_render.mujoco.renderer import HeadlessMujocoRenderer
from lerax_render.settings.picture import Picture
from support.paths import ROOT

HOPPER = ROOT / "assets/scenes/hopper.xml"
W, H = 320, 240
COUNT = 18


def children() -> set[int]:
    return {process.pid for process in psutil.Process().children(recursive=True)}


@pytest.fixture(scope="module")
def model() -> mujoco.MjModel:
    return mujoco.MjModel.from_xml_path(str(HOPPER))


@pytest.fixture(scope="module")
def poses(model: mujoco.MjModel) -> list[Pose]:
    data = mujoco.MjData(model)
    found = []
    for _ in range(COUNT):
        mujoco.mj_step(model, data, 10)
        found.append(Pose.of(data))
    return found


@pytest.fixture(scope="module")
def expected(model: mujoco.MjModel, poses: list[Pose]) -> np.ndarray:
    with HeadlessMujocoRenderer(model, W, H, quality="draft") as renderer:
        return np.stack([renderer.render(pose) for pose in poses])


@pytest.fixture(scope="module")
def two(model: mujoco.MjModel) -> Iterator[PoseProcesses]:
    before = children()
    with closing(PoseProcesses(2, model, Picture(width=W, height=H, quality="draft"))) as processes:
        yield processes
    assert children() <= before


def test_the_pictures_are_those_of_one_process_in_their_order(two, poses, expected):
    assert expected.std() > 10
    assert len(np.unique(expected.reshape(COUNT, -1), axis=0)) == COUNT
    np.testing.assert_array_equal(
        np.stack(list(two.render((pose, None) for pose in poses))), expected
    )


def test_few_poses_are_under_way_and_a_process_that_is_ended_is_an_error(model, poses):
    before = children()
    taken = 0

    def counted() -> Iterator[tuple[Pose, None]]:
        nonlocal taken
        for pose in itertools.cycle(poses):
            taken += 1
            yield pose, None

    with closing(PoseProcesses(2, model, Picture(width=W, height=H, quality="draft"))) as processes:
        endless = processes.render(counted())
        for given in range(1, 13):
            assert next(endless).std() > 5
            # A batch of four with each process, and one that is being given.
            assert taken <= given + 3 * 4
        for pid in children() - before:
            os.kill(pid, signal.SIGKILL)
        with pytest.raises(RenderError, match="a process that paints was ended"):
            deque(endless, maxlen=0)
        assert children() <= before


@pytest.mark.parametrize(
    ("camera", "error", "message"),
    [
        ("nobody", ValueError, "the model has no camera 'nobody'"),
        (mujoco.MjvCamera(), TypeError, "cannot be sent to other processes"),
    ],
)
def test_what_is_wrong_is_said_at_once(model, camera, error, message):
    before = children()
    with pytest.raises(error, match=message):
        PoseProcesses(2, model, Picture(width=64, height=48, camera=camera, quality="draft"))
    assert children() <= before


def test_a_bad_pose_is_painted_as_the_last_good_one(model, poses):
    bad = poses[0]._replace(qpos=np.full_like(poses[0].qpos, np.nan))
    stacked = Pose(*(np.stack(field) for field in zip(bad, poses[3], bad, bad, bad, strict=True)))
    painted = []
    picture = Picture(width=320, height=240, quality="draft")
    for workers in (1, 2):
        with PosePainter(model, picture, workers) as painter:
            painted.append(np.stack(list(painter.paint(stacked))))
            assert painter.incomplete == 4
    np.testing.assert_array_equal(*painted)
    assert (painted[0][1] == painted[0][4]).all()
    assert (painted[0][0] != painted[0][1]).any()


def test_record_gives_the_same_file(tmp_path):
    scene = lr.Simulation(HOPPER)
    options = {"steps": 70, "width": 320, "height": 240, "overlay": True}
    clips = [lr.record(scene, workers=workers, **options).data for workers in (1, 2)]
    assert clips[0] == clips[1]


def test_kinds_that_paint_fast_are_painted_here():
    from lerax.env.classic_control import CartPole

    before = children()
    states = lr.rollout(CartPole(), steps=3).states
    frames = lr.render(CartPole(), states, workers=2)
    assert next(frames).std() > 10
    assert children() <= before
    frames.close()


@pytest.mark.parametrize(("workers", "error"), [(0, ValueError), (1.5, TypeError)])
def test_a_number_of_workers_that_cannot_be(workers, error):
    with pytest.raises(error, match="workers must be"):
        lr.record(lr.Simulation(HOPPER), workers=workers)
