"""MuJoCo's Filament renderer, where there is Vulkan to draw with, and what is said where not."""

import gc
import os
from pathlib import Path

import mujoco
import numpy as np
import pytest

from lerax_render import BackendUnavailableError, Camera, HeadlessMujocoRenderer, record
from lerax_render.mujoco.filament import FilamentRenderer
from lerax_render.sources.simulation import Simulation
from support.paths import ROOT
from support.requirements import lacking

SCENE = ROOT / "assets" / "scenes" / "hopper.xml"
SIZE = (160, 120)


@pytest.fixture(scope="module")
def model() -> mujoco.MjModel:
    return mujoco.MjModel.from_xml_path(str(SCENE))


@pytest.fixture(scope="module")
def renderer(model):
    try:
        made = FilamentRenderer(model, *SIZE)
    except BackendUnavailableError as error:
        lacking(f"Vulkan: {error}")
    with made:
        yield made


def children() -> list[str]:
    """The processes that this one has started and that are still there."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
            command = (status.parent / "cmdline").read_text()
        except OSError:
            continue
        if int(fields[1]) == os.getpid() and "filament_server" in command:
            found.append(command)
    return found


def differing(one: np.ndarray, other: np.ndarray) -> float:
    """The share of pixels that differ by more than what is dithered in time, edges aside."""
    return float((np.abs(one.astype(int) - other).max(axis=2) > 8).mean())


def state(model, **changes) -> mujoco.MjData:
    data = mujoco.MjData(model)
    for name, value in changes.items():
        getattr(data, name)[:] = value
    mujoco.mj_forward(model, data)
    return data


def test_it_shows_what_the_other_renderer_shows_from_the_same_place(model, renderer):
    data = state(model)
    with HeadlessMujocoRenderer(model, *SIZE) as other:
        theirs = other.render(data).astype(int)
        shown = other.segmentation()[..., 0]
    ours = renderer.render(data).astype(int)

    assert ours.shape == (120, 160, 3)
    assert ours.std() > 20
    # The same shapes in the same places: their colours differ by less than from the ground's.
    foot = shown == mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_GEOM.value, "foot")
    if not foot.any():
        numbers, counts = np.unique(shown[shown > 0], return_counts=True)
        foot = shown == numbers[counts.argmax()]
    assert foot.sum() > 30
    assert np.abs(ours[foot].mean(axis=0) - theirs[foot].mean(axis=0)).max() < 60
    inside, outside = ours[foot].mean(axis=0), ours[~(shown > 0)].mean(axis=0)
    assert np.abs(inside - outside).max() > 40


def test_the_picture_follows_the_state_and_not_what_was_drawn_before(model, renderer):
    first = renderer.render(state(model))
    moved = state(model)
    moved.qpos[-1] -= 1.0
    other = renderer.render(moved)
    again = renderer.render(state(model))

    assert differing(first, other) > 0.02
    assert differing(first, again) < 0.005
    assert first is not again


def test_a_state_that_is_nan_is_drawn_as_the_last_that_was_not(model, renderer):
    good = renderer.render(state(model))
    bad = mujoco.MjData(model)
    bad.qpos[:] = np.nan
    assert differing(renderer.render(bad), good) < 0.005


def test_a_clip_of_cinematic_quality(renderer, tmp_path, capfd):
    video = record(
        Simulation(SCENE), path=tmp_path / "a.mp4", steps=2, width=160, height=120,
        quality="cinematic", camera=Camera(azimuth=30),
    )  # fmt: skip
    assert video.frames().std() > 20
    assert len(children()) == 1  # the fixture's
    # Filament would tell its life on stdout.
    assert capfd.readouterr().out == ""


def test_closing_ends_its_process_and_so_does_forgetting_it(model, renderer):
    with FilamentRenderer(model, 32, 24) as second:
        assert second.render(state(model)).shape == (24, 32, 3)
        assert len(children()) == 2
    assert len(children()) == 1
    second.close()
    with pytest.raises(RuntimeError, match="closed; make a new one"):
        second.render(state(model))

    third = FilamentRenderer(model, 32, 24)
    del third
    gc.collect()
    assert len(children()) == 1


def test_a_process_that_dies_is_an_error(model, renderer):
    with FilamentRenderer(model, 32, 24) as second:
        second._child._process.kill()
        with pytest.raises(BackendUnavailableError, match="ended while it drew"):
            second.render(state(model))
    assert len(children()) == 1


def test_wrong_cameras_are_said_before_anything_is_started(model):
    before = len(children())
    with pytest.raises(ValueError, match="no camera 'nowhere'"):
        FilamentRenderer(model, *SIZE, camera="nowhere")
    assert len(children()) == before


def test_without_vulkan_the_package_to_install_is_named(model, monkeypatch, tmp_path):
    # Of Vulkan's loader: no drivers are to be found.
    monkeypatch.setenv("VK_LOADER_DRIVERS_DISABLE", "*")
    monkeypatch.setenv("VK_DRIVER_FILES", str(tmp_path / "none.json"))
    monkeypatch.setenv("VK_ICD_FILENAMES", str(tmp_path / "none.json"))
    before = len(children())
    with pytest.raises(BackendUnavailableError, match="apt-get install mesa-vulkan-drivers"):
        record(Simulation(SCENE), steps=1, width=32, height=24, quality="cinematic")
    assert len(children()) == before


def test_the_gl_renderer_does_not_know_this_quality(model):
    with pytest.raises(ValueError, match="quality must be one of auto, draft, standard, high, got"):
        HeadlessMujocoRenderer(model, 32, 24, quality="cinematic")
