"""That a compilation is told of while it lasts, and only where it takes long."""

import os
import threading
from pathlib import Path

import jax
import pytest
from jax import numpy as jnp
from jax.experimental.compilation_cache import compilation_cache
from lerax.env.classic_control import CartPole

import lerax_render as lr
from lerax_render.acting import compilation_said, compiling


def compile_something(number: float) -> None:
    """Compile a program for half a second or so; another one for each number."""

    def program(x: jax.Array) -> jax.Array:
        for step in range(150):
            x = jnp.sin(x @ jnp.roll(x, step) + number) + jnp.cumsum(x, axis=step % 2)
        return x

    jax.jit(program)(jnp.ones((7, 7))).block_until_ready()


@pytest.fixture
def says_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "SAID_FROM", 0.0)
    monkeypatch.setattr(compiling, "_FROM_CACHE", 0.0)


@pytest.mark.usefixtures("says_everything")
def test_it_is_said_while_it_lasts_and_taken_back() -> None:
    heard: list[tuple[str, bool]] = []

    def say(text: str) -> None:
        heard.append((text, threading.current_thread() is threading.main_thread()))

    with compilation_said("Hopper", say):
        compile_something(1.0)
    (first, from_here), *_, last = heard
    assert first.startswith("compiling Hopper, about ")
    assert first.endswith(" the first time")
    assert not from_here
    assert last == ("", True)
    heard.clear()
    compile_something(2.0)
    assert heard == []


def test_what_takes_no_time_is_not_said() -> None:
    heard: list[str] = []
    with compilation_said("CartPole", heard.append):
        jax.jit(lambda x: x * 3.25)(1.0)
    assert heard == []


def test_a_program_from_the_cache_is_not_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str] = []
    monkeypatch.setattr(compiling, "SAID_FROM", 0.0)
    # Later than anything that happens here.
    monkeypatch.setattr(compiling, "_FROM_CACHE", 1000.0)
    before = jax.config.jax_compilation_cache_dir, threading.active_count()
    least = jax.config.jax_persistent_cache_min_compile_time_secs
    try:
        compilation_cache.reset_cache()
        jax.config.update("jax_compilation_cache_dir", str(tmp_path))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
        compile_something(3.0)
        assert any(tmp_path.iterdir())
        with compilation_said("Hopper", heard.append):
            compile_something(3.0)
            # Nothing waits to say it any more.
            assert threading.active_count() == before[1]
    finally:
        compilation_cache.reset_cache()
        jax.config.update("jax_compilation_cache_dir", before[0])
        jax.config.update("jax_persistent_cache_min_compile_time_secs", least)
    assert heard == []


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (6.0, "about 10 seconds"),
        (22.0, "about 20 seconds"),
        (31.0, "about half a minute"),
        (50.0, "about a minute"),
        (100.0, "about 2 minutes"),
    ],
)
def test_times_are_said_as_one_says_them(seconds: float, words: str) -> None:
    assert compiling.roughly(seconds) == words


class Told:
    """A progress that hears what takes long."""

    def __init__(self) -> None:
        self.steps = 0
        self.heard: list[str] = []

    def __call__(self, count: int) -> None:
        self.steps += count

    def say(self, text: str) -> None:
        self.heard.append(text)


class AnotherCartPole(CartPole):
    """Of a class of its own, so that it is compiled here."""


@pytest.mark.usefixtures("says_everything")
def test_what_was_lowered_before_is_said_where_it_is_compiled() -> None:
    heard: list[str] = []

    def say(text: str) -> None:
        heard.append(text)
        if text:
            said.set()

    said = threading.Event()
    with compilation_said("Hopper", say):
        compiling.compiles_now(4.0)
        assert said.wait(30)
    cores = len(os.sched_getaffinity(0))
    expected = compiling.roughly(4 * 18 * (0.4 + 0.6 / cores))
    assert heard == [f"compiling Hopper, {expected} the first time", ""]
    compiling.compiles_now(4.0)
    assert len(heard) == 2


@pytest.mark.usefixtures("says_everything")
def test_record_says_what_it_compiles_to_its_progress(tmp_path: Path) -> None:
    progress = Told()
    lr.record(AnotherCartPole(), None, tmp_path / "clip.mp4", steps=3, width=64, progress=progress)
    assert progress.steps == 3
    assert any(text.startswith("compiling CartPole, about") for text in progress.heard)
    assert progress.heard[-1] == ""
