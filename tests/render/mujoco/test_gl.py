import ctypes.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lerax_render.errors import BackendUnavailableError
from lerax_render.mujoco import gl
from lerax_render.mujoco.gl import egl, osmesa
from lerax_render.mujoco.gl.egl import choose_devices
from support.gl_platform_contract import GLPlatformContract, use_on_two_threads_at_once
from support.paths import ROOT

SCENE = ROOT / "assets/scenes/hopper.xml"


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python code in a process of its own; MUJOCO_GL is unset unless given."""
    env = {key: value for key, value in os.environ.items() if key != "MUJOCO_GL"}
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=120,
        env={**env, **environment},
    )


HAS_OSMESA = ctypes.util.find_library("OSMesa") is not None
needs_osmesa = pytest.mark.skipif(not HAS_OSMESA, reason="libosmesa6 is not installed")


@pytest.fixture(autouse=True)
def no_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MUJOCO_GL", "MUJOCO_EGL_DEVICE_ID", "CUDA_VISIBLE_DEVICES"):
        monkeypatch.delenv(name, raising=False)


def test_every_platform_is_under_contract() -> None:
    contracts = GLPlatformContract.__subclasses__()
    assert gl.PLATFORMS.items() <= {(contract.name, contract.module) for contract in contracts}


class TestEGL(GLPlatformContract):
    name = "egl"
    module = ".egl"

    def test_a_context_serves_one_thread_at_a_time(self, sandbox: Callable[..., Any]) -> None:
        assert "EGL_BAD_ACCESS" in sandbox(use_on_two_threads_at_once)

    def test_probe_of_a_missing_driver(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("__EGL_VENDOR_LIBRARY_FILENAMES", str(tmp_path / "none.json"))
        probe = gl.probe("egl")
        assert not probe.ok
        assert "no device" in probe.reason
        assert "apt-get install -y libegl-mesa0 libgl1-mesa-dri" in probe.remedy


@needs_osmesa
class TestOSMesa(GLPlatformContract):
    name = "osmesa"
    module = ".osmesa"


class TestTemplate(GLPlatformContract):
    name = "surfaceless"
    module = "support.gl_platform_template"


def test_the_first_platform_that_works_is_opened() -> None:
    context = gl.open_context()
    context.close()
    assert context.platform == "egl"


def test_no_platform_lists_reasons_and_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(egl, "_NAME", "libEGL-missing.so.1")
    monkeypatch.setattr(egl, "_library", None)
    monkeypatch.setattr(osmesa, "_NAMES", ("libOSMesa-missing.so",))
    with pytest.raises(BackendUnavailableError) as caught:
        gl.open_context()
    message = str(caught.value)
    for part in (
        "egl: libEGL cannot be loaded: libEGL-missing.so.1",
        "apt-get install -y libegl1 libopengl0",
        "osmesa: libOSMesa cannot be loaded: libOSMesa-missing.so",
        "apt-get install -y libosmesa6",
    ):
        assert part in message


def test_a_platform_that_was_asked_for_is_the_only_one_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(osmesa, "_NAMES", ("libOSMesa-missing.so",))
    with pytest.raises(BackendUnavailableError, match="libosmesa6") as by_argument:
        gl.open_context("osmesa")
    monkeypatch.setenv("MUJOCO_GL", "OSMesa")
    with pytest.raises(BackendUnavailableError, match="libosmesa6") as by_variable:
        gl.open_context()
    assert "egl" not in str(by_argument.value) + str(by_variable.value)
    assert gl.open_context("egl").platform == "egl"


def test_values_of_mujoco_gl_that_name_no_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUJOCO_GL", "glfw")
    assert gl.open_context().platform == "egl"
    monkeypatch.setenv("MUJOCO_GL", "off")
    with pytest.raises(
        BackendUnavailableError, match=r"MUJOCO_GL=off switches .* set it to egl or osmesa"
    ):
        gl.open_context()
    assert gl.open_context("egl").platform == "egl"


def test_unknown_names() -> None:
    for use in (gl.open_context, gl.probe):
        with pytest.raises(ValueError, match="one of egl, osmesa, or None to choose, got 'vulkan'"):
            use("vulkan")


@pytest.mark.parametrize("value", ["gpu", "-1", "99", "1.0"])
def test_bad_device_numbers(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUJOCO_EGL_DEVICE_ID", value)
    with pytest.raises(ValueError, match=f"MUJOCO_EGL_DEVICE_ID must be .* got '{value}'"):
        gl.open_context()


def test_the_first_device_can_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUJOCO_EGL_DEVICE_ID", "0")
    assert gl.open_context().renderer


@pytest.mark.parametrize(
    ("cuda_numbers", "device_id", "cuda_visible", "expected"),
    [
        # Nothing said: CUDA's order, then the devices of others.
        ([None], None, None, [0]),
        ([2, 0, 1, None], None, None, [1, 2, 0, 3]),
        # What CUDA_VISIBLE_DEVICES lists comes first, what it hides last.
        ([2, 0, 1, None], None, "2", [0, 3, 1, 2]),
        ([2, 0, 1, None], None, "1, 2", [2, 0, 3, 1]),
        ([2, 0, 1, None], None, "", [3, 0, 1, 2]),
        ([2, 0, 1, None], None, "-1", [3, 0, 1, 2]),
        ([2, 0, 1, None], None, "0,-1,2", [1, 3, 0, 2]),
        # Names that cannot be matched do not count.
        ([1, 0], None, "GPU-8932f937", [1, 0]),
        # The driver has hidden the others, and numbers the rest itself.
        ([0, None], None, "3", [0, 1]),
        # MUJOCO_EGL_DEVICE_ID counts like CUDA.
        ([2, 0, 1, None], "0", None, [1]),
        ([2, 0, 1, None], "3", None, [3]),
        ([2, 0, 1, None], "0", "2,1", [0]),
        ([2, 0, 1, None], "1", "2,1", [2]),
        # A GPU's own number, as robosuite's users write it.
        ([2, 0, 1, None], "2", "2", [0]),
        ([0, None], "0", "3", [0]),
        ([None, None], " 1 ", "0", [1]),
        ([None, None], "", None, [0, 1]),
    ],
)
def test_order_of_devices(
    cuda_numbers: list[int | None],
    device_id: str | None,
    cuda_visible: str | None,
    expected: list[int],
) -> None:
    assert choose_devices(cuda_numbers, device_id, cuda_visible) == expected


def test_software_is_told_from_hardware() -> None:
    for name in (
        "llvmpipe (LLVM 15.0.6, 256 bits)",
        "softpipe",
        "SWR (LLVM 11.0.0, 256 bits)",
        "Software Rasterizer",
        "zink Vulkan 1.3(llvmpipe (LLVM 19.1.7, 256 bits) (MESA_LLVMPIPE))",
    ):
        assert gl.is_software(name), name
    for name in ("NVIDIA H100 PCIe/PCIe/SSE2", "Mesa Intel(R) UHD Graphics 620 (KBL GT2)"):
        assert not gl.is_software(name), name


def test_nothing_is_left_behind() -> None:
    script = """
import os, sys
before = dict(os.environ)
from lerax_render.mujoco import gl
assert "mujoco" not in sys.modules and "lerax_render.mujoco.gl.egl" not in sys.modules
gl.open_context().close()
assert "mujoco" not in sys.modules and "OpenGL" not in sys.modules
assert dict(os.environ) == before
"""
    done = run(script)
    assert (done.returncode, done.stderr) == (0, "")


DRAW = f"""
import mujoco
from lerax_render.mujoco.renderer import HeadlessMujocoRenderer
model = mujoco.MjModel.from_xml_path({str(SCENE)!r})
def draw(gl=None):
    with HeadlessMujocoRenderer(model, 64, 48, gl=gl) as renderer:
        frame = renderer.render(mujoco.MjData(model))
        assert frame.std() > 10, "empty picture"
        return renderer.gl_platform
"""


@needs_osmesa
def test_a_broken_egl_does_not_spoil_osmesa(tmp_path: Path) -> None:
    done = run(DRAW + "print(draw())", __EGL_VENDOR_LIBRARY_FILENAMES=str(tmp_path / "none.json"))
    assert (done.stdout, done.stderr) == ("osmesa\n", "")


@needs_osmesa
def test_osmesa_after_a_picture_with_egl_says_what_to_do() -> None:
    done = run(DRAW + "draw('egl')\ntry: draw('osmesa')\nexcept Exception as e: print(repr(e))")
    assert "BackendUnavailableError" in done.stdout
    assert "start a new one" in done.stdout
    assert done.stderr == ""


def test_a_broken_driver_beside_an_imported_mujoco(tmp_path: Path) -> None:
    """mujoco has chosen GLFW at import; the error still speaks of what was tried."""
    done = run(
        DRAW + "try: draw('egl')\nexcept Exception as e: print(repr(e))",
        __EGL_VENDOR_LIBRARY_FILENAMES=str(tmp_path / "none.json"),
    )
    assert "BackendUnavailableError" in done.stdout
    assert "EGL finds no device" in done.stdout
