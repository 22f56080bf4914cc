"""Compiled rollouts are shared by what differs in numbers only, and by processes side by side."""

import signal
import time

import jax
import numpy as np
import pytest
from lerax.env.classic_control import CartPole
from lerax.policy import MLPActorCriticPolicy

from lerax_render import rollout
from lerax_render.acting.programs import _turn, with_shared_models
from support.environments import Limited
from support.mjx_environments import Swing
from support.programs import finished, program


class Held(Swing):
    """Has its model as a leaf, as Lerax's environments do."""

    mujoco_model: object


def same_states(one, other) -> None:
    for left, right in zip(*map(jax.tree.leaves, (one.states, other.states)), strict=True):
        np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize("make", [Swing, Held])
def test_environments_that_are_made_alike_share_what_is_compiled(make, compilations):
    rollout(Limited(make(), 5), steps=3)
    compilations.clear()
    second = rollout(Limited(make(), 5), steps=3, key=1)
    assert compilations == []

    jax.clear_caches()
    same_states(second, rollout(Limited(make(), 5), steps=3, key=1))
    assert "jit(scan)" in compilations


def test_numbers_of_environment_and_policy_are_no_reason_to_compile(compilations):
    def made(number: int, *, alone: bool = False):
        if alone:
            jax.clear_caches()
        env = CartPole(gravity=5.0 + number)
        policy = MLPActorCriticPolicy(env, feature_size=4, key=jax.random.key(number))
        return rollout(env, policy, steps=100, key=number)

    made(0)
    compilations.clear()
    one, other = made(1), made(2)
    assert "jit(scan)" not in compilations
    assert not np.array_equal(one.states.y, other.states.y)
    same_states(other, made(2, alone=True))


def test_a_model_that_was_changed_stands_for_no_other():
    first, second, third = Swing(), Swing(), Swing()
    stand_in = with_shared_models(first).mujoco_model
    assert with_shared_models(second).mujoco_model is stand_in
    # The environment that was given has its own still: it is painted with that.
    assert second.mujoco_model is not stand_in
    stand_in.geom_rgba[:] = 0.5
    assert with_shared_models(third).mujoco_model is third.mujoco_model
    # Not even for the one that it stood for before.
    assert with_shared_models(second).mujoco_model is third.mujoco_model
    other = Swing()
    other.mujoco_model.opt.timestep = 0.01
    assert with_shared_models(other).mujoco_model is other.mujoco_model
    # Its look may change between clips, and nothing is compiled anew.
    other.mujoco_model.geom_rgba[:] = 0.5
    assert with_shared_models(other).mujoco_model is other.mujoco_model


def test_one_that_was_changed_stands_for_itself():
    first, second = Swing(), Swing()
    stand_in = with_shared_models(first).mujoco_model
    assert with_shared_models(second).mujoco_model is stand_in
    second.mujoco_model.opt.timestep = 0.03
    assert with_shared_models(second).mujoco_model is second.mujoco_model


def test_what_has_no_model_stays_as_it_is():
    env = CartPole()
    assert with_shared_models(env) is env


# Each says whether it has found the rollout in the cache; both begin when both can.
TAKES_PART = """
import jax, os, time
from pathlib import Path
from lerax.env.classic_control import CartPole
from lerax_render import rollout

read, found = [], []

def listen(event, seconds, fun_name=None, **_):
    if event.endswith("compile_time_saved_sec"):
        read.append(event)
    elif event.endswith("backend_compile_duration"):
        if fun_name == "jit(scan)":
            found.append(bool(read))
        read.clear()

jax.monitoring.register_event_duration_secs_listener(listen)
Path(f"ready-{os.getpid()}").touch()
while len(list(Path().glob("ready-*"))) < 2:
    time.sleep(0.01)
rollout(CartPole(), steps=3)
print(found)
"""


def test_processes_that_share_a_cache_compile_a_rollout_once(tmp_path):
    variables = {
        "JAX_COMPILATION_CACHE_DIR": str(tmp_path / "cache"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }
    both = [program(TAKES_PART, tmp_path, **variables) for _ in range(2)]
    assert sorted(finished(each) for each in both) == ["[False]\n", "[True]\n"]


HOLDS = """
import time
from lerax_render.acting.programs import _turn
with _turn("cache", 1, 60.0):
    print("held", flush=True)
    time.sleep(1000)
"""
WAITS = """
from lerax_render.acting.programs import _turn
with _turn("cache", 2, 60.0):
    pass
print("another", flush=True)
with _turn("cache", 1, {patience}):
    print("over", flush=True)
"""


def test_who_is_killed_keeps_nobody_waiting(tmp_path):
    holder = program(HOLDS, tmp_path)
    assert holder.stdout.readline() == "held\n"
    waiting = program(WAITS.format(patience=60.0), tmp_path)
    assert waiting.stdout.readline() == "another\n"
    time.sleep(0.5)
    assert waiting.poll() is None
    holder.kill()
    assert finished(waiting) == "over\n"
    holder.wait()


def test_who_is_stopped_keeps_nobody_waiting_for_ever(tmp_path):
    holder = program(HOLDS, tmp_path)
    assert holder.stdout.readline() == "held\n"
    holder.send_signal(signal.SIGSTOP)
    try:
        assert finished(program(WAITS.format(patience=0.5), tmp_path)) == "another\nover\n"
    finally:
        holder.kill()
        holder.wait()


def test_a_cache_in_a_bucket_is_shared_without_locks_and_leaves_no_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with _turn("gs://bucket/cache", 1, 0.5):
        assert list(tmp_path.iterdir()) == []


def test_a_cache_that_cannot_be_written_is_shared_without_locks(tmp_path):
    (tmp_path / "cache").write_text("no folder")
    with _turn(str(tmp_path / "cache"), 1, 0.5):
        pass
