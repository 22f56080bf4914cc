"""The host side of the callback, driven without a training."""

import copy
import gc
import re
import time
import warnings
import weakref
from typing import Any

import jax
import numpy as np
import pytest
from jax import numpy as jnp

from lerax_log import host
from lerax_log.backends import FanOut
from lerax_log.host import NO_LEARN, Handle, Session, Start
from lerax_log.host.session import KEPT
from lerax_log.traced import Layout
from lerax_render.errors import RenderWarning
from support.trainings import Memory

START = Start("PPO", "MLPActorCriticPolicy", "CartPole-v1", {"gamma": 0.99}, (), None)
LAYOUT = Layout(("train/loss",), num_envs=4)


def make_session(*backends: Memory, **options) -> Session:
    options = {"name": None, "videos": None, "hparams": {}} | options
    return Session(FanOut(backends), **options)


def open_learns(
    session: Session, sizes=(), start=START, hparams=(), devices=1, device=0
) -> np.ndarray:
    number = np.int32(session.number)
    return host.open_learns(start, sizes, devices, np.int32(device), hparams, (number, []))


def packet(learn: int, iteration: int, loss: float = 0.5, finished: int = 1) -> np.ndarray:
    return np.asarray(
        LAYOUT.pack(
            learn=learn,
            iteration=iteration,
            last_iteration=100,
            env_steps=iteration * 8,
            episodes=(jnp.float32(7.0), jnp.float32(3.0), finished),
            scalars={"train/loss": loss},
        )
    )


def test_a_run_from_start_to_end():
    memory = Memory()
    session = make_session(memory, hparams={"gamma": 0.5, "mine": "x"})
    (learn,) = open_learns(session).reshape(1)
    host.receive(LAYOUT, 1, packet(learn, 1)[None])
    host.receive(LAYOUT, 1, packet(learn, 2, loss=0.25)[None])
    host.end(np.int32(learn))
    session.close()
    logged = ["log_scalars", "log_scalars"]
    assert memory.methods() == ["open", "log_hparams", *logged, "flush", "close"]
    assert memory.hparams() == {"gamma": 0.5, "mine": "x"}
    assert memory.scalars("train/loss") == [(32, 0.5), (64, 0.25)]
    assert memory.scalars("episode/return") == [(32, 7.0), (64, 7.0)]
    (_, speed), _ = memory.scalars("time/steps_per_second")
    assert speed > 0
    assert re.fullmatch(
        r"PPO_MLPActorCriticPolicy_CartPole-v1_\d{8}_\d{6}(-\d+)?", memory.names()[0]
    )


def test_the_next_packets_are_due_after_what_may_wait():
    memory = Memory()
    session = make_session(memory)
    (learn,) = open_learns(session).reshape(1)
    rows = np.stack([packet(learn, i) for i in range(1, 9)])
    # Ever more of a quick training, never more than half of it, and as many as there are rows.
    assert [int(host.receive(LAYOUT, 1, rows[:n])) for n in (1, 2, 3, 8)] == [2, 4, 6, 16]
    assert host.receive(LAYOUT, 5, packet(learn, 9)[None]) == 10
    # What comes again is logged once, and an iteration of 0.1 s does not wait.
    time.sleep(0.1)
    rows[1] = packet(learn, 10)
    assert host.receive(LAYOUT, 1, rows) == 11
    assert host.receive(LAYOUT, 5, rows) == 15
    assert [step for step, _ in memory.scalars("train/loss")] == [32 * i for i in range(1, 11)]
    # Nobody waits for what nobody logs.
    session.close()
    assert host.receive(LAYOUT, 1, rows) == 18


def test_a_second_training_goes_on_in_the_run_and_one_after_close_does_not():
    memory = Memory()
    session = make_session(memory)
    for _ in range(2):
        learn = int(open_learns(session))
        host.receive(LAYOUT, 1, packet(learn, 5)[None])
        host.end(np.int32(learn))
    assert [step for step, _ in memory.scalars("train/loss")] == [160, 320]
    assert memory.methods().count("log_hparams") == 2
    session.close()
    session.close()
    learn = int(open_learns(session))
    host.receive(LAYOUT, 1, packet(learn, 5)[None])
    session.close()
    assert len(set(memory.names())) == 2
    assert memory.scalars("train/loss", memory.names()[1]) == [(160, 0.5)]
    assert memory.methods().count("close") == 2


def test_lanes_are_runs_of_their_own_with_copies_of_the_backend():
    memory = Memory()
    session = make_session(memory, name="sweep")
    start = Start("PPO", "P", "E", {}, ("env.mass",), None)
    runs = open_learns(session, (2, 2), start, [np.arange(4.0).reshape(2, 2)])
    assert runs.shape == (2, 2)
    assert memory.names() == ["sweep_all", "sweep_0", "sweep_1", "sweep_2", "sweep_3"]
    assert session.run_names == tuple(memory.names()[1:])
    hparams = [call[2] for call in memory.calls if call[0] == "log_hparams"]
    # What all have in common, and what each has.
    assert hparams == [{"lanes": 4}, *({"env.mass": mass} for mass in range(4))]
    host.receive(LAYOUT, 1, packet(int(runs[1, 0]), 1)[None])
    assert memory.scalars("train/loss", "sweep_2") == [(32, 0.5)]
    # As many lanes go on, another number is another start.
    again = open_learns(session, (4,), start, [np.arange(4.0)])
    assert memory.names()[5:] == []
    host.receive(LAYOUT, 1, packet(int(again[2]), 1)[None])
    assert memory.scalars("train/loss", "sweep_2") == [(32, 0.5), (64, 0.5)]
    open_learns(session, (1,), start, [np.arange(1.0)])
    session.close()
    assert memory.names()[5:] == ["sweep"]
    assert memory.methods().count("close") == 6


def test_devices_that_run_the_same_program_are_lanes():
    memory = Memory()
    session = make_session(memory, name="run")
    # Each device calls by itself, in any order, for as many lanes as it has.
    learns = {device: open_learns(session, (2,), devices=3, device=device) for device in (2, 0)}
    assert memory.names() == ["run_all", "run_4", "run_5", "run_0", "run_1"]
    host.receive(LAYOUT, 1, packet(learns[2][1], 1)[None])
    learns[1] = open_learns(session, (2,), devices=3, device=1)
    assert session.run_names == tuple(f"run_{lane}" for lane in range(6))
    # The next training goes on in the same runs, even where one device is ahead of the others.
    for device in (2, 1, 0):
        learns[device] = open_learns(session, (2,), devices=3, device=device)
    assert len(memory.names()) == 7
    host.receive(LAYOUT, 1, packet(learns[2][1], 1)[None])
    host.receive(LAYOUT, 1, packet(learns[0][0], 1)[None])
    assert memory.scalars("train/loss", "run_5") == [(32, 0.5), (64, 0.5)]
    assert memory.scalars("train/loss", "run_0") == [(32, 0.5)]
    session.close()


def test_two_trainings_in_one_moment_are_one_run():
    memory = Memory()
    session = make_session(memory, name="run")
    # A program that learns twice opens both before the first has begun; a training that has
    # failed is followed by another try.
    failed, first, second = (int(open_learns(session)) for _ in range(3))
    host.receive(LAYOUT, 1, packet(failed, 2)[None])
    for learn in (first, second):
        host.receive(LAYOUT, 1, packet(learn, 2)[None])
        host.receive(LAYOUT, 1, packet(learn, 4)[None])
    for learn in (first, second):
        host.end(np.int32(learn))
    assert memory.names() == ["run"]
    assert [step for step, _ in memory.scalars("train/loss")] == [64, 128, 192, 256, 320]
    assert all(speed > 0 for _, speed in memory.scalars("time/steps_per_second"))
    session.close()


def test_batches_are_logged_without_what_was_logged_before():
    memory = Memory()
    session = make_session(memory)
    learn = int(open_learns(session))
    host.receive(LAYOUT, 1, np.stack([packet(learn, i) for i in (1, 2, 3)]))
    host.receive(LAYOUT, 1, np.stack([packet(learn, i) for i in (4, 5, 3)]))
    assert [step // 32 for step, _ in memory.scalars("train/loss")] == [1, 2, 3, 4, 5]
    session.close()


def test_what_comes_after_close_is_ignored():
    memory = Memory()
    session = make_session(memory)
    learn = int(open_learns(session))
    session.close()
    calls = len(memory.calls)
    host.receive(LAYOUT, 1, packet(learn, 1)[None])
    host.end(np.int32(learn))
    assert len(memory.calls) == calls


def test_a_session_that_is_gone_is_a_warning():
    with pytest.warns(RenderWarning, match="the LoggingCallback of this training is gone: keep it"):
        learns = host.open_learns(START, (2,), 1, np.int32(0), (), (np.int32(10**6), []))
    assert learns.tolist() == [NO_LEARN, NO_LEARN]


def test_a_backend_that_cannot_be_opened_is_left_out():
    bad, good = Memory(fails=("open",)), Memory()
    session = make_session(bad, good, name="r1")
    with pytest.warns(RenderWarning, match=r"run r1: nothing is logged to Memory.*open fails"):
        learn = int(open_learns(session))
    host.receive(LAYOUT, 1, packet(learn, 1)[None])
    session.close()
    assert bad.methods() == ["open"]
    assert good.methods() == ["open", "log_hparams", "log_scalars", "close"]


def test_a_backend_that_fails_is_tried_again_and_warned_of_once(caplog):
    bad, good = Memory(fails=("log_scalars",)), Memory()
    session = make_session(bad, good, name="r2")
    learn = int(open_learns(session))
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        for iteration in range(1, 6):
            host.receive(LAYOUT, 1, packet(learn, iteration)[None])
    assert [str(w.message) for w in warned] == [
        "run r2: Memory did not take the values of step 32: OSError: log_scalars fails for the "
        "test. The training goes on, and later ones are still sent. This is said once; the number "
        "of failures is logged when the run is closed"
    ]
    session.close()
    assert "run r2: Memory failed 5 times with OSError" in caplog.messages
    assert len(bad.scalars("train/loss")) == len(good.scalars("train/loss")) == 5


def test_every_backend_is_closed_even_if_one_fails():
    bad, good = Memory(fails=("close",)), Memory()
    session = make_session(bad, good)
    open_learns(session)
    with pytest.warns(RenderWarning, match="did not take the end of the run"):
        session.close()
    assert good.methods()[-1] == "close"


def test_warnings_that_are_errors_do_not_reach_the_training():
    session = make_session(Memory(fails=("open", "log_scalars")))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        learn = int(open_learns(session))
        host.receive(LAYOUT, 1, packet(learn, 1)[None])
    session.close()


def test_a_ctrl_c_in_a_callback_is_not_swallowed():
    class Interrupted(Memory):
        def log_scalars(self, scalars, step):
            raise KeyboardInterrupt

    session = make_session(Interrupted())
    learn = int(open_learns(session))
    with pytest.raises(KeyboardInterrupt):
        host.receive(LAYOUT, 1, packet(learn, 1)[None])
    session.close()


def is_gone(reference: weakref.ref[Any]) -> bool:
    gc.collect()
    return reference() is None


def test_a_closed_run_is_forgotten():
    session = make_session(Memory())
    open_learns(session)
    (run,) = session._runs.values()
    reference = weakref.ref(run)
    del run
    session.close()
    assert is_gone(reference)


def handle_of(*backends: Memory) -> Handle:
    return Handle.of(make_session(*backends))


def test_a_closed_session_is_forgotten_with_its_handle():
    handle = handle_of(Memory())
    open_learns(handle.session)
    handle.session.close()
    reference = weakref.ref(handle.session)
    assert not is_gone(reference)
    del handle
    assert is_gone(reference)


def test_a_session_is_kept_until_its_run_is_closed_though_its_handle_is_gone():
    memory = Memory()
    handle = handle_of(memory)
    number = np.int32(handle.session.number)
    reference, worker = weakref.ref(handle.session), handle.session._worker
    del handle
    # Its training begins only now.
    (learn,) = host.open_learns(START, (1,), 1, np.int32(0), (), (number, []))
    host.receive(LAYOUT, 1, packet(learn, 1)[None])
    others = [handle_of(Memory()) for _ in range(2 * KEPT)]
    assert memory.methods() == ["open", "log_hparams", "log_scalars"]
    host.end(learn)
    # The next callback that is made finds that nobody needs it any longer.
    handle_of(Memory())
    worker.close()
    assert memory.methods()[3:] == ["flush", "close"]
    assert is_gone(reference)
    del others


def test_sessions_that_were_never_used_are_forgotten_but_for_the_latest():
    references = []
    for _ in range(3 * KEPT):
        references.append(weakref.ref(handle_of(Memory()).session))
    gc.collect()
    assert [reference() is None for reference in references] == [True] * 2 * KEPT + [False] * KEPT


def test_a_run_goes_on_while_there_is_a_handle():
    memory = Memory()
    handle = handle_of(memory)
    host.end(open_learns(handle.session))
    handle_of(Memory())
    handle.session._worker.close()
    assert memory.methods()[-1] == "flush"
    handle.session.close()


def test_whatever_becomes_of_a_handle_keeps_its_session():
    memory = Memory()
    handle = handle_of(memory)
    session = handle.session
    copies = [
        jax.device_put(handle),
        jax.device_get(handle),
        jax.tree.map(lambda number: number + 0, handle),
        jax.jit(lambda handle: handle)(handle),
        copy.deepcopy(handle),
    ]
    for one in copies:
        assert one.session is session
        assert int(one.number) == session.number
    reference = weakref.ref(session)
    del handle, session, one
    while copies:
        assert not is_gone(reference)
        reference().close()
        copies.pop()
    assert is_gone(reference)


def test_a_handle_without_its_number_has_no_session():
    handle = handle_of(Memory())
    seen = []
    jax.jit(lambda handle: seen.append(handle.session))(handle)
    stacked = jax.tree.map(lambda number: jnp.stack([number, number]), handle)
    seen.append(stacked.session)
    seen.append(jax.tree.map(lambda _: None, handle).session)
    assert seen == [None] * 3
