"""The host side of the callback, driven without a training."""

import gc
import re
import warnings
import weakref

import numpy as np
import pytest
from jax import numpy as jnp

from lerax_log.host import session
from lerax_log.host.session import NO_RUN, Session, Start
from lerax_log.traced.packets import Layout
from lerax_render.errors import RenderWarning
from support.trainings import Memory

START = Start("PPO", "MLPActorCriticPolicy", "CartPole-v1", {"gamma": 0.99}, (), None)
LAYOUT = Layout(("train/loss",), num_envs=4)


def make_session(*backends: Memory, **options) -> Session:
    options = {"name": None, "videos": None, "block": False, "hparams": {}} | options
    return Session(backends, **options)


def open_runs(host: Session, shape=(), start=START, hparams=()) -> np.ndarray:
    return session.open_runs(start, shape, np.int32(host.number), hparams, None)


def packet(run: int, iteration: int, loss: float = 0.5, finished: int = 1) -> np.ndarray:
    return np.asarray(
        LAYOUT.pack(
            run=run,
            iteration=iteration,
            last_iteration=100,
            env_steps=iteration * 8,
            episodes=(jnp.float32(7.0), jnp.float32(3.0), finished),
            scalars={"train/loss": loss},
        )
    )


def test_a_run_from_start_to_end():
    memory = Memory()
    host = make_session(memory, hparams={"gamma": 0.5, "mine": "x"})
    (run,) = open_runs(host).reshape(1)
    session.receive(LAYOUT, packet(run, 1)[None])
    session.receive(LAYOUT, packet(run, 2, loss=0.25)[None])
    session.end(np.int32(run))
    host.close()
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


def test_a_second_training_goes_on_in_the_run_and_one_after_close_does_not():
    memory = Memory()
    host = make_session(memory)
    for _ in range(2):
        run = int(open_runs(host))
        session.receive(LAYOUT, packet(run, 5)[None])
        session.end(np.int32(run))
    assert [step for step, _ in memory.scalars("train/loss")] == [160, 320]
    assert memory.methods().count("log_hparams") == 2
    host.close()
    host.close()
    run = int(open_runs(host))
    session.receive(LAYOUT, packet(run, 5)[None])
    host.close()
    assert len(set(memory.names())) == 2
    assert memory.scalars("train/loss", memory.names()[1]) == [(160, 0.5)]
    assert memory.methods().count("close") == 2


def test_lanes_are_runs_of_their_own_with_copies_of_the_backend():
    memory = Memory()
    host = make_session(memory, name="sweep")
    start = Start("PPO", "P", "E", {}, ("env.mass",), None)
    runs = open_runs(host, (2, 2), start, [np.arange(4.0).reshape(2, 2)])
    assert runs.shape == (2, 2)
    assert memory.names() == ["sweep_0", "sweep_1", "sweep_2", "sweep_3"]
    assert host.run_names == tuple(memory.names())
    masses = [call[2]["env.mass"] for call in memory.calls if call[0] == "log_hparams"]
    assert masses == [0, 1, 2, 3]
    session.receive(LAYOUT, packet(int(runs[1, 0]), 1)[None])
    assert memory.scalars("train/loss", "sweep_2") == [(32, 0.5)]
    # As many lanes go on, another number is another start.
    assert (open_runs(host, (4,), start, [np.arange(4.0)]) == runs.ravel()).all()
    for run in runs.ravel():
        session.end(run)
    open_runs(host, (1,), start, [np.arange(1.0)])
    host.close()
    assert memory.names()[4:] == ["sweep"]
    assert memory.methods().count("close") == 5


def test_devices_that_start_the_same_program_are_runs_of_their_own():
    memory = Memory()
    host = make_session(memory, name="run")
    runs = [int(open_runs(host)) for _ in range(3)]
    assert memory.names() == ["run", "run_1", "run_2"]
    session.receive(LAYOUT, packet(runs[1], 1)[None])
    assert memory.scalars("train/loss", "run_1") == [(32, 0.5)]
    host.close()


def test_batches_are_logged_without_what_was_logged_before():
    memory = Memory()
    host = make_session(memory)
    run = int(open_runs(host))
    session.receive(LAYOUT, np.stack([packet(run, i) for i in (1, 2, 3)]))
    session.receive(LAYOUT, np.stack([packet(run, i) for i in (4, 5, 3)]))
    assert [step // 32 for step, _ in memory.scalars("train/loss")] == [1, 2, 3, 4, 5]
    host.close()


def test_what_comes_after_close_is_ignored():
    memory = Memory()
    host = make_session(memory)
    run = int(open_runs(host))
    host.close()
    calls = len(memory.calls)
    session.receive(LAYOUT, packet(run, 1)[None])
    session.end(np.int32(run))
    assert len(memory.calls) == calls


def test_a_session_that_does_not_exist_is_a_warning():
    with pytest.warns(RenderWarning, match="logging failed: KeyError"):
        runs = session.open_runs(START, (2,), np.int32(10**6), (), None)
    assert runs.tolist() == [NO_RUN, NO_RUN]


def test_a_backend_that_cannot_be_opened_is_left_out():
    bad, good = Memory(fails=("open",)), Memory()
    host = make_session(bad, good, name="r1")
    with pytest.warns(RenderWarning, match=r"run r1: nothing is logged to Memory.*open fails"):
        run = int(open_runs(host))
    session.receive(LAYOUT, packet(run, 1)[None])
    host.close()
    assert bad.methods() == ["open"]
    assert good.methods() == ["open", "log_hparams", "log_scalars", "close"]


def test_a_backend_that_fails_is_tried_again_and_warned_of_once(caplog):
    bad, good = Memory(fails=("log_scalars",)), Memory()
    host = make_session(bad, good, name="r2")
    run = int(open_runs(host))
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        for iteration in range(1, 6):
            session.receive(LAYOUT, packet(run, iteration)[None])
    assert [str(w.message) for w in warned] == [
        "run r2: Memory did not take values of step 32: OSError: log_scalars fails for the test. "
        "The training goes on and later ones are tried. Said once; the number of failures is "
        "logged when the run is closed"
    ]
    host.close()
    assert "run r2: Memory failed 5 times with OSError" in caplog.messages
    assert len(bad.scalars("train/loss")) == len(good.scalars("train/loss")) == 5


def test_every_backend_is_closed_even_if_one_fails():
    bad, good = Memory(fails=("close",)), Memory()
    host = make_session(bad, good)
    open_runs(host)
    with pytest.warns(RenderWarning, match="did not take the end of the run"):
        host.close()
    assert good.methods()[-1] == "close"


def test_warnings_that_are_errors_do_not_reach_the_training():
    host = make_session(Memory(fails=("open", "log_scalars")))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run = int(open_runs(host))
        session.receive(LAYOUT, packet(run, 1)[None])
    host.close()


def test_a_ctrl_c_in_a_callback_is_not_swallowed():
    class Interrupted(Memory):
        def log_scalars(self, scalars, step):
            raise KeyboardInterrupt

    host = make_session(Interrupted())
    run = int(open_runs(host))
    with pytest.raises(KeyboardInterrupt):
        session.receive(LAYOUT, packet(run, 1)[None])
    host.close()


def test_a_closed_run_is_forgotten():
    host = make_session(Memory())
    open_runs(host)
    (run,) = host._runs.values()
    reference = weakref.ref(run)
    del run
    host.close()
    gc.collect()
    assert reference() is None
