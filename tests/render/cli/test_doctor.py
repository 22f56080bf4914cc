"""What the doctor says, on this machine and on machines made poorer for the test."""

import io
import os
import subprocess
import sys
import time

import pytest
from rich.console import Console

from lerax_render.cli import doctor
from lerax_render.video import ffmpeg


@pytest.fixture(scope="module")
def found() -> doctor.Findings:
    return doctor.examine()


def named(found: doctor.Findings, name: str) -> doctor.Finding:
    (finding,) = (f for f in found.findings if f.name.strip() == name)
    return finding


def test_this_machine_can_make_clips(found):
    assert found.usable
    for name in ("lerax", "jax", "computing with JAX", "mujoco", "pygame", "ffmpeg", "mp4", "gif"):
        assert named(found, name).ok, name
    assert "libx264" in named(found, "mp4").detail
    assert "SDL" in named(found, "pygame").detail


def test_egl_is_told_with_what_draws_and_whether_that_is_hardware(found):
    egl = named(found, "GL through egl")

    assert egl.ok
    assert ("llvmpipe" in egl.detail) == ("software" in egl.detail)


def test_every_no_has_a_remedy(found):
    assert all(f.remedy for f in found.findings if not f.ok)


def test_the_report_lists_each_no_with_its_remedy():
    findings = [
        doctor.Finding("ffmpeg", True, "7.0"),
        doctor.Finding("GL through egl", False, "libEGL cannot be loaded", "apt-get install x"),
        doctor.Finding("wandb (wandb)", False, "not installed", "pip install y", optional=True),
    ]
    console = Console(file=io.StringIO(), record=True, width=80, _environ={})
    doctor.report(doctor.Findings(findings, usable=False), console)
    text = console.export_text()

    assert "yes  ffmpeg" in text
    assert "no   GL through egl" in text
    assert "GL through egl: apt-get install x" in text
    assert "wandb (wandb): pip install y" in text
    assert "cannot make every kind of clip" in text


def test_without_vulkan_the_package_is_named(monkeypatch):
    for variable in ("VK_ICD_FILENAMES", "VK_DRIVER_FILES"):
        monkeypatch.setenv(variable, "/nowhere.json")
    (finding,) = (f for f in doctor.examine().findings if "cinematic" in f.name)
    assert not finding.ok
    assert finding.optional
    assert "apt-get install mesa-vulkan-drivers" in finding.remedy


@pytest.mark.parametrize("broken", ["ffmpeg", "gl", "variable"])
def test_a_broken_machine_is_exit_code_1_and_says_what_to_do(tmp_path, broken):
    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    environment = {
        "ffmpeg": {"IMAGEIO_FFMPEG_EXE": str(program)},
        # A vendor file that names no library: EGL is there and finds no driver.
        "variable": {"MUJOCO_GL": "nonsense"},
        "gl": {"__EGL_VENDOR_LIBRARY_FILENAMES": str(tmp_path / "none.json"), "MUJOCO_GL": "egl"},
    }[broken]
    script = "from lerax_render.mujoco import gl\ngl.PLATFORMS.pop('osmesa')\n" * (broken == "gl")
    script += "from lerax_render.cli.commands import main; main(['doctor'])"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )

    assert done.returncode == 1, done.stderr
    remedies = {
        "ffmpeg": "imageio-ffmpeg",
        "gl": "apt-get install",
        "variable": "MUJOCO_GL=nonsense: unset MUJOCO_GL",
    }
    assert remedies[broken] in done.stdout


def test_what_hangs_is_given_up_and_said(tmp_path, monkeypatch):
    """A driver that never answers, and a program of the user's that starts another."""
    (tmp_path / "mujoco.py").write_text("import time; time.sleep(1000)")
    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\nsleep 1000\necho done\n")
    program.chmod(0o755)
    for name, value in {
        "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path]),
        "IMAGEIO_FFMPEG_EXE": str(program),
        "MUJOCO_GL": "egl",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(doctor, "SECONDS", 1.0)
    monkeypatch.setattr(ffmpeg, "STALL_SECONDS", 1.0)
    begun = time.monotonic()
    found = doctor.examine()

    assert time.monotonic() - begun < 40
    assert not found.usable
    for name in ("GL through egl", "GL through osmesa", "MUJOCO_GL=egl"):
        assert "hangs" in named(found, name).detail, name
        assert "in 1 s" in named(found, name).detail, name
    assert "it hangs: no answer in 1 s" in named(found, "quality='cinematic'").remedy
    assert "timed out after" in named(found, "ffmpeg").detail
    assert all(f.remedy for f in found.findings if not f.ok)
