"""What every GL platform promises, as a class to derive tests from.

`gl_platform_template` is a platform to start from, and is run through the contract like this:

    class TestTemplate(GLPlatformContract):
        name = "surfaceless"
        module = "support.gl_platform_template"

What only one platform does is tested by further methods of its class.
"""

import contextlib
import ctypes
import gc
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, ClassVar

import mujoco
import numpy as np
import pytest

from lerax_render.errors import BackendUnavailableError, RenderError
from lerax_render.mujoco import gl
from lerax_render.mujoco.renderer import HeadlessMujocoRenderer
from support.limited_process import Sandbox
from support.meter import held
from support.paths import TESTS
from support.processes import children

WIDTH, HEIGHT = 64, 48
# A red ball on the left and a blue one on the right of a wall, as they are, without shading.
SCENE = """
<mujoco>
  <visual><headlight ambient="1 1 1" diffuse="0 0 0" specular="0 0 0"/></visual>
  <worldbody>
    <camera pos="0 0 3"/>
    <geom type="plane" size="9 9 .1" rgba=".2 .6 .2 1"/>
    <geom pos="-.6 0 .3" size=".3" rgba="1 0 0 1"/>
    <geom pos=".6 0 .3" size=".3" rgba="0 0 1 1"/>
  </worldbody>
</mujoco>
"""


class GLPlatformContract:
    """What renderers rely on, whatever draws.

    MuJoCo keeps to the first platform that it draws on, so all of it happens in one process for
    each class, which is not that of the tests.
    """

    name: ClassVar[str]
    """The platform's name: a row of `gl.PLATFORMS`, or one that may become one."""

    module: ClassVar[str]
    """Its module, as `gl.PLATFORMS` has it."""

    @pytest.fixture(autouse=True)
    def in_the_table(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(gl.PLATFORMS, self.name, self.module)
        # Where the processes that are started here find the module.
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(TESTS), *filter(None, sys.path)]))
        for variable in ("MUJOCO_GL", "MUJOCO_EGL_DEVICE_ID", "CUDA_VISIBLE_DEVICES"):
            monkeypatch.delenv(variable, raising=False)

    @pytest.fixture(scope="class")
    @classmethod
    def sandbox(cls) -> Iterator[Callable[..., Any]]:
        """Calls a function of this module in the platform's process, with its name."""
        sandbox = Sandbox()
        sandbox(register, cls.name, cls.module)
        yield lambda function: sandbox(function, cls.name)
        sandbox.close()

    def test_a_context_says_what_it_is(self, sandbox: Callable[..., Any]) -> None:
        platform, renderer, max_size = sandbox(facts)
        assert platform == self.name
        assert renderer
        assert max_size >= 4096

    def test_contexts_give_back_what_was_current(self, sandbox: Callable[..., Any]) -> None:
        sandbox(nest_contexts)

    def test_a_context_serves_any_thread(self, sandbox: Callable[..., Any]) -> None:
        assert sandbox(use_in_threads) == [True, False, True, False]

    def test_closing_twice_is_closing_once(self, sandbox: Callable[..., Any]) -> None:
        sandbox(close_twice)

    def test_contexts_leave_nothing(self, sandbox: Callable[..., Any]) -> None:
        before, after = sandbox(open_and_close_many)
        assert after == before

    def test_it_draws(self, sandbox: Callable[..., Any]) -> None:
        assert_shows_the_balls(sandbox(paint))

    def test_it_draws_as_wide_as_it_says_and_no_wider(self, sandbox: Callable[..., Any]) -> None:
        shape, columns, error = sandbox(paint_the_widest)
        assert shape == (2, columns, 3)
        assert error == f"width must be a whole number of pixels, 1 to {columns}, got {columns + 1}"

    def test_several_renderers_at_once(self, sandbox: Callable[..., Any]) -> None:
        alone = sandbox(paint)
        for picture in sandbox(paint_in_turn):
            np.testing.assert_array_equal(picture, alone)

    def test_renderers_on_several_threads_at_once(self, sandbox: Callable[..., Any]) -> None:
        alone = sandbox(paint)
        pictures = sandbox(paint_on_threads)
        assert len(pictures) == 12
        for picture in pictures:
            np.testing.assert_array_equal(picture, alone)

    def test_closing_one_leaves_the_others(self, sandbox: Callable[..., Any]) -> None:
        alone = sandbox(paint)
        pictures = sandbox(paint_while_others_close)
        assert len(pictures) == 4
        for picture in pictures:
            np.testing.assert_array_equal(picture, alone)

    def test_a_forked_child_is_told_instead_of_hanging(self, sandbox: Callable[..., Any]) -> None:
        told = sandbox(paint_in_a_fork)
        assert "RuntimeError a renderer is used on the thread, and in the process" in told
        assert f"{self.name}: it was used before this process was forked" in told

    def test_nothing_of_the_program_is_changed(self, sandbox: Callable[..., Any]) -> None:
        before, after = sandbox(surroundings)
        assert after == before

    def test_probe_draws_with_it_in_a_process_of_its_own(self) -> None:
        environment, others = dict(os.environ), children()
        probe = gl.probe(self.name)
        assert (probe.name, probe.ok, probe.reason, probe.remedy) == (self.name, True, "", "")
        assert probe.renderer
        assert probe.hardware is not gl.is_software(probe.renderer)
        assert dict(os.environ) == environment
        assert children() == others

    def test_probe_has_a_time_limit(self) -> None:
        others = children()
        probe = gl.probe(self.name, timeout=0.01)
        assert not probe.ok
        assert probe.reason == "it hangs: no picture in 0.01 s"
        assert probe.remedy == gl.remedy(self.name)
        assert children() == others

    def test_a_missing_library_is_named_with_its_remedy(self) -> None:
        sandbox = Sandbox()
        sandbox(register, self.name, self.module)
        message = sandbox(open_without_a_library, self.name)
        sandbox.close()
        assert message.startswith("MuJoCo cannot draw, because no GL platform works here:\n")
        assert f"  {self.name}: lib" in message
        assert "cannot be loaded: " in message
        assert "cannot open shared object file" in message
        assert f"\n    remedy: {gl.remedy(self.name)}" in message
        assert "apt-get install -y lib" in gl.remedy(self.name)


# What the platform's process does.


def register(name: str, module: str) -> None:
    gl.PLATFORMS[name] = module


def facts(name: str) -> tuple[str, str, int]:
    context = gl.open_context(name)
    context.close()
    return context.platform, context.renderer, context.max_size


def nest_contexts(name: str) -> None:
    first, second = gl.open_context(name), gl.open_context(name)
    assert not first.is_current, "it is current when it is opened"
    with first.current():
        assert first.is_current
        with second.current():
            assert (first.is_current, second.is_current) == (False, True)
            with second.current():
                pass
            assert second.is_current, "it is not current any more inside the outer block"
        assert (first.is_current, second.is_current) == (True, False)
        second.close()
        assert first.is_current, "closing another takes it away"
        with contextlib.suppress(KeyError), first.current():
            raise KeyError
        assert first.is_current
    assert not first.is_current, "it stays current"
    first.close()


def use_in_threads(name: str) -> list[bool]:
    context = gl.open_context(name)
    seen = []

    def use() -> None:
        with context.current():
            seen.append(context.is_current)
        seen.append(context.is_current)

    _on_thread(use)
    use()
    context.close()
    return seen


def use_on_two_threads_at_once(name: str) -> str:
    """Return the error of the second."""
    context = gl.open_context(name)

    def use() -> None:
        with context.current():
            pass

    try:
        with context.current():
            _on_thread(use)
    except RenderError as error:
        return str(error)
    finally:
        context.close()
    raise AssertionError("both could use it")


def close_twice(name: str) -> None:
    first, second = gl.open_context(name), gl.open_context(name)
    first.close()
    first.close()
    assert not first.is_current
    with second.current():
        assert second.is_current
    _on_thread(second.close)
    second.close()


def open_and_close_many(name: str) -> tuple[dict[str, int], dict[str, int]]:
    for _ in range(3):
        gl.open_context(name).close()
    # A folder of its own: other programs have temporary files, too.
    with tempfile.TemporaryDirectory() as tempfile.tempdir:
        before = held()
        for _ in range(20):
            gl.open_context(name).close()
        after = held()
    tempfile.tempdir = None
    return before, after


def paint(name: str) -> np.ndarray:
    with _renderer(name) as renderer:
        assert renderer.gl_platform == name
        return _painted(renderer)


def paint_the_widest(name: str) -> tuple[tuple[int, ...], int, str]:
    widest = min(facts(name)[2], 16384)
    with _renderer(name, widest, 2) as renderer:
        picture = _painted(renderer)
    assert picture.any()
    try:
        _renderer(name, widest + 1, 2)
    except ValueError as error:
        return picture.shape, widest, str(error)
    raise AssertionError("a wider one is not refused")


def paint_in_turn(name: str) -> list[np.ndarray]:
    with (
        _renderer(name) as first,
        _renderer(name, 120, 30) as wide,
        _renderer(name) as last,
    ):
        pictures = []
        for _ in range(3):
            pictures += [_painted(first), _painted(last)]
            assert_shows_the_balls(_painted(wide))
        return pictures


def paint_on_threads(name: str) -> list[np.ndarray]:
    pictures = []
    together = threading.Barrier(4)

    def work() -> None:
        with _renderer(name) as renderer:
            together.wait(30)
            pictures.extend(_painted(renderer) for _ in range(3))

    _on_thread(*[work] * 4)
    return pictures


def paint_while_others_close(name: str) -> list[np.ndarray]:
    renderer, *others = (_renderer(name) for _ in range(4))
    pictures = [_painted(renderer)]
    for close in (others[0].close, partial(_on_thread, others[1].close), gc.collect):
        _painted(others[-1])
        if close is gc.collect:
            others.clear()
        close()
        pictures.append(_painted(renderer))
    renderer.close()
    return pictures


def paint_in_a_fork(name: str) -> str:
    renderer = _renderer(name)
    _painted(renderer)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(30)
        for use in (partial(_painted, renderer), partial(paint, name)):
            try:
                use()
            except Exception as error:
                os.write(writer, f"{type(error).__name__} {error}\n".encode())
        os._exit(0)
    os.close(writer)
    with open(reader) as pipe:
        told = pipe.read()
    _, status = os.waitpid(child, 0)
    assert status == 0, f"the child ended with {status} after {told!r}"
    assert_shows_the_balls(_painted(renderer))
    renderer.close()
    return told


def surroundings(name: str) -> tuple[dict[str, object], dict[str, object]]:
    def now() -> dict[str, object]:
        return {
            "environment": dict(os.environ),
            "folder": os.getcwd(),
            "signals": [signal.getsignal(number) for number in signal.valid_signals()],
            "OpenGL": "OpenGL" in sys.modules,
        }

    before = now()
    gl.open_context(name).close()
    return before, now()


def open_without_a_library(name: str) -> str:
    """Return the error where no library can be loaded, in a process that has loaded none."""
    load = ctypes.CDLL

    def refuse(library: str | None, *arguments: Any, **options: Any) -> Any:
        return load(f"/nowhere/{library}", *arguments, **options)

    ctypes.CDLL = refuse  # type: ignore[assignment,misc]
    try:
        gl.open_context(name)
    except BackendUnavailableError as error:
        return str(error)
    raise AssertionError("it opens without a library")


def assert_shows_the_balls(picture: np.ndarray) -> None:
    """Fail unless a red ball is on the left, a blue one on the right, and green around them."""
    height, width, _ = picture.shape
    row = picture[height // 2].astype(int)
    reach = height // 2
    left, right = row[width // 2 - reach : width // 2], row[width // 2 : width // 2 + reach]
    assert picture.std() > 20
    assert (left[:, 0] - left[:, 1:].max(1)).max() > 150, "there is no red ball on the left"
    assert (right[:, 2] - right[:, :2].max(1)).max() > 150, "there is no blue ball on the right"
    assert (picture[1, 1] == picture[-2, -2]).all()
    assert picture[1, 1, 1] > picture[1, 1, [0, 2]].max() + 50, "there is no green around them"


def _renderer(name: str, width: int = WIDTH, height: int = HEIGHT) -> HeadlessMujocoRenderer:
    model = mujoco.MjModel.from_xml_string(SCENE)
    return HeadlessMujocoRenderer(model, width, height, camera=0, quality="draft", gl=name)


def _painted(renderer: HeadlessMujocoRenderer) -> np.ndarray:
    return renderer.render(mujoco.MjData(renderer.model))


def _on_thread(*work: Callable[[], object]) -> None:
    """Do each on a thread of its own, all at once; raise what one of them raises."""
    errors: list[BaseException] = []

    def run(one: Callable[[], object]) -> None:
        try:
            one()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(one,)) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
