"""Nothing of what is over stays: files, threads, processes, temporary files, memory.

`make soak` does it as often as a long training, and prints how memory grew; the usual run of the
tests does the same a few times.
"""

import gc
import mmap
import tempfile
from collections.abc import Iterator

import pytest

from lerax_render.errors import BackendUnavailableError
from lerax_render.mujoco import gl
from lerax_render.mujoco.filament import FilamentRenderer
from support import workloads
from support.limited_process import Sandbox
from support.meter import assert_no_growth
from support.trainings import ITERATIONS


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    yield from fresh()


@pytest.fixture
def gl_sandbox() -> Iterator[Sandbox]:
    """For one GL platform, to which MuJoCo keeps in a process."""
    yield from fresh()


def fresh() -> Iterator[Sandbox]:
    sandbox = Sandbox(seconds=6 * 3600)
    yield sandbox
    sandbox.close()


@pytest.fixture
def size(is_long):
    """Rounds, rounds before, and bytes a round, for a long version of so many rounds and bytes.

    In few rounds, the allocator's pages are more than what a round could leave.
    """

    def choose(rounds: int, num_bytes: int, short: int = 12) -> tuple[int, int, int]:
        return (rounds, 50, num_bytes) if is_long else (short, short // 2, 500_000)

    return choose


@pytest.mark.slow
@pytest.mark.parametrize("platform", gl.PLATFORMS)
def test_mujoco_renderers(gl_sandbox, size, platform, tmp_path):
    probe = gl.probe(platform)
    if not probe.ok:
        pytest.skip(f"no {platform} here: {probe.reason}")
    gl_sandbox(
        workloads.in_folder, str(tmp_path), workloads.mujoco_renderers, platform, *size(1000, 2000)
    )


def test_pygame_renderers(sandbox, size, tmp_path):
    sandbox(workloads.in_folder, str(tmp_path), workloads.pygame_renderers, *size(1000, 500))


@pytest.mark.slow
def test_filament_renderers(sandbox, size, tmp_path):
    import mujoco

    try:
        FilamentRenderer(mujoco.MjModel.from_xml_string(workloads.SCENE), 32, 24).close()
    except BackendUnavailableError as error:
        pytest.skip(f"no Vulkan here: {error}")
    rounds, _, slope = size(50, 20_000, short=2)
    sandbox(workloads.in_folder, str(tmp_path), workloads.filament_renderers, rounds, 1, slope)


@pytest.mark.slow
def test_clips(sandbox, size, tmp_path):
    temporary, folder = tmp_path / "temporary", tmp_path / "clips"
    temporary.mkdir()
    folder.mkdir()
    sandbox(workloads.in_folder, str(temporary), workloads.clips, str(folder), *size(1000, 10_000))
    assert len(list(folder.iterdir())) == 6


@pytest.mark.slow
def test_recordings(sandbox, size, tmp_path):
    sandbox(
        workloads.in_folder,
        str(tmp_path),
        workloads.recordings,
        *size(10_000 // ITERATIONS + 1, 30_000, short=6),
    )


def test_leaks_are_noticed(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    kept = []

    def leak_files(_: int) -> None:
        kept.append(open(__file__, "rb"))  # noqa: SIM115

    def leak_memory(_: int) -> None:
        # Mapped, since other tests have left room on the heap that would be used first.
        memory = mmap.mmap(-1, 4_000_000)
        memory.write(b"x" * 4_000_000)
        kept.append(memory)

    # What other tests have left here would be gone through at each full collection, a second long.
    gc.freeze()
    for leak, message in ((leak_files, "has become"), (leak_memory, "memory grows")):
        with pytest.raises(AssertionError, match=message):
            assert_no_growth("a leak", leak, 12, warm_up=2, slope=500_000)
    gc.unfreeze()
    for file in kept[:14]:
        file.close()
