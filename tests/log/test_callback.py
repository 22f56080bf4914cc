"""The callback in real trainings."""

import gc
import re
import weakref
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import equinox as eqx
import jax
import numpy as np
import optax
import pytest
from jax import numpy as jnp
from jax import random as jr
from jax.experimental import io_callback
from lerax.callback import AbstractCallback

from lerax_log import LoggingCallback, Transition, host
from lerax_log.backends import Progress
from lerax_log.traced import LoggingState, Outbox, scalars_of
from lerax_log.traced.contexts import total_steps_of
from lerax_render import RenderWarning
from support.environments import Counting, CountState, Limited
from support.trainings import (
    ITERATIONS,
    NUM_STEPS,
    STEPS_AN_ITERATION,
    TOTAL_STEPS,
    GifMemory,
    Memory,
    Training,
    arrays,
    assert_same_policy,
    ppo,
    tiny_policy,
)

SMALL = {"video_num_steps": 12, "video_width": 96, "video_height": 64}


class Uneven(Counting):
    """Episodes of 2 to 6 steps; the reward is the new count."""

    def terminal(self, state, *, key):
        return state.count >= 2 + jnp.floor(state.start * 5).astype(int)


class Ends(AbstractCallback):
    """Remembers which step of which environment ended an episode."""

    found: list = eqx.field(static=True)
    total: int = eqx.field(static=True)

    def reset(self, ctx, *, key):
        return jnp.zeros(())

    def step_reset(self, ctx, *, key):
        return jnp.zeros((), jnp.int32), jnp.zeros(self.total, bool)

    def on_step(self, ctx, *, key):
        step, ends = ctx.state
        return step + 1, ends.at[step].set(ctx.done)

    def on_iteration(self, ctx, *, key):
        return ctx.state

    def on_training_start(self, ctx, *, key):
        return ctx.state

    def on_training_end(self, ctx, *, key):
        jax.debug.callback(lambda ends: self.found.append(np.asarray(ends)), ctx.step_state[1])
        return ctx.state

    def continue_training(self, ctx, *, key):
        return jnp.asarray(True)


def recomputed(ends: np.ndarray, alpha: float) -> list[tuple[float, float] | None]:
    """Averages of return and length after each iteration, from `(N, T)` ends of episodes.

    The rewards of an episode of `n` steps are 1, 2, ..., n.
    """
    average: list[np.ndarray | None] = [None] * len(ends)
    length = np.zeros(len(ends), int)
    after = []
    for t in range(ends.shape[1]):
        for i in range(len(ends)):
            length[i] += 1
            if ends[i, t]:
                episode = np.array([length[i] * (length[i] + 1) / 2, length[i]])
                old = average[i]
                average[i] = episode if old is None else alpha * episode + (1 - alpha) * old
                length[i] = 0
        if (t + 1) % NUM_STEPS == 0:
            finished = [a for a in average if a is not None]
            after.append(tuple(np.mean(finished, axis=0)) if finished else None)
    return after


@pytest.mark.parametrize("limit", [None, 4, 2 * NUM_STEPS])
def test_averages_are_those_of_the_raw_rewards(limit):
    # The algorithm's own reward of a truncated step has the value of its state in it.
    env = Uneven() if limit is None else Limited(Counting(10**6), limit)
    ends: list[np.ndarray] = []
    memory = Memory()
    total = NUM_STEPS * ITERATIONS
    Training(env)([LoggingCallback(memory, alpha=0.3), Ends(ends, total)])
    expected = recomputed(ends[0], 0.3)
    steps = [STEPS_AN_ITERATION * (i + 1) for i, e in enumerate(expected) if e is not None]
    for column, tag in enumerate(("episode/return", "episode/length")):
        logged = memory.scalars(tag)
        assert [step for step, _ in logged] == steps
        np.testing.assert_allclose(
            [value for _, value in logged],
            [e[column] for e in expected if e is not None],
            rtol=1e-5,
        )
    assert len(steps) == (ITERATIONS - 1 if limit == 2 * NUM_STEPS else ITERATIONS)
    assert len(memory.scalars("train/loss")) == ITERATIONS


def test_one_training_logs_metrics_and_hyperparameters(ppo_training):
    memory = Memory()
    callback = LoggingCallback(memory, hparams={"note": "first", "algorithm.gamma": 0.5})
    assert_same_policy(ppo_training(callback), ppo_training())
    callback.close()
    scalars = ["log_scalars"] * ITERATIONS
    assert memory.methods() == ["open", "log_hparams", *scalars, "flush", "close"]
    (name,) = memory.names()
    assert re.fullmatch(r"PPO_MLPActorCriticPolicy_Counting_\d{8}_\d{6}(-\d+)?", name)
    steps = [STEPS_AN_ITERATION * (i + 1) for i in range(ITERATIONS)]
    for tag in ("train/loss", "train/approx_kl", "train/learning_rate", "episode/return"):
        assert [step for step, _ in memory.scalars(tag)] == steps, tag
    # Two batches an iteration; what is logged was used for the second of them.
    rates = [rate for _, rate in memory.scalars("train/learning_rate")]
    np.testing.assert_allclose(rates, [0.75e-3, 0.25e-3, 0, 0, 0, 0], atol=1e-9)
    assert all(value > 0 for _, value in memory.scalars("time/steps_per_second"))
    (ratio,) = {
        round(a / b)
        for (_, a), (_, b) in zip(
            memory.scalars("time/steps_per_second"),
            memory.scalars("time/iterations_per_second"),
            strict=True,
        )
    }
    assert ratio == STEPS_AN_ITERATION
    hparams = memory.hparams()
    assert hparams["algorithm.num_steps"] == NUM_STEPS
    assert hparams["algorithm.gamma"] == 0.5
    assert hparams["policy.encoder.width_size"] == 8
    assert hparams["env.length"] == 5
    assert hparams["env.observation_space.high"] == "[100.0]"
    assert hparams["total_timesteps"] == TOTAL_STEPS
    assert list(hparams)[:4] == [
        "note",
        "algorithm.gamma",
        "algorithm.num_envs",
        "algorithm.num_steps",
    ]
    assert hparams["algorithm.learning_rate"] == 1e-3
    assert hparams["note"] == "first"
    names = list(hparams)
    line = next(i for i, name in enumerate(names) if name.startswith(("policy.", "env.")))
    assert names.index("algorithm.learning_rate") < names.index("total_timesteps") < line
    assert all(name.startswith(("policy.", "env.")) for name in names[line:])
    assert not [name for name in hparams if name.endswith((".weight", ".bias"))]


def test_the_total_is_what_will_be_taken():
    """Whole iterations, and what an off-policy algorithm collects first."""
    algorithm = SimpleNamespace(
        num_iterations=lambda total: total // 8, num_envs=2, num_steps=4, learning_starts=100
    )
    ctx: Any = SimpleNamespace(algorithm=algorithm, total_timesteps=4_001)
    assert total_steps_of(ctx) == 4_200
    del algorithm.learning_starts
    assert total_steps_of(ctx) == 4_000


def test_a_users_own_values_are_traced_and_logged(training):
    memory = Memory()

    def scalars(context):
        rewards = context.locals["rollout_buffer"].rewards
        return {"reward/mean": rewards.mean(), "train/loss": jnp.full((1,), 7.0)}

    with LoggingCallback(memory, scalars=scalars) as callback:
        training(callback)
        callback.log({"mine/a": np.float32(2), "mine/b": 1})
        callback.log({"mine/a": 3.0}, step=5)
    rewards = [value for _, value in memory.scalars("reward/mean")]
    assert len(rewards) == ITERATIONS
    assert len(set(rewards)) > 1
    assert {value for _, value in memory.scalars("train/loss")} == {7.0}
    assert memory.scalars("mine/a") == [(TOTAL_STEPS, 2.0), (5, 3.0)]
    assert memory.scalars("mine/b") == [(TOTAL_STEPS, 1.0)]
    with pytest.raises(RuntimeError, match="no run is open"):
        callback.log({"mine/a": 1.0})


class Random(Uneven):
    """Counts by a random number in each step, and the last step is rewarded like no other."""

    def transition(self, state, action, *, key):
        return CountState(state.count + 1 + action, jr.uniform(key))

    def reward(self, state, action, next_state, *, key):
        return next_state.count + next_state.start


def test_values_of_each_step_are_averaged_over_an_iteration():
    training = Training(Random())

    def step_scalars(step: Transition):
        again = step.env.reward(step.state, step.action, step.next_state, key=jr.key(0))
        return {
            "reward/all": step.reward,
            "reward/again": again[None],
            "count": step.state.count + step.action,
            "next": step.next_state.count - 1,
            "ends": step.done,
        }

    def scalars(context):
        buffer = context.locals["rollout_buffer"]
        return {"expected": buffer.rewards.mean(), "dones": buffer.dones.mean()}

    memory = Memory()
    with LoggingCallback(memory, scalars=scalars, step_scalars=step_scalars) as callback:
        assert_same_policy(training(callback), training())
    logged = {tag: memory.scalars(tag) for tag in ("expected", "dones")}
    assert len(logged["expected"]) == ITERATIONS
    assert len(set(dict(logged["expected"]).values())) > 1
    for tag in ("reward/all", "reward/again"):
        np.testing.assert_allclose(memory.scalars(tag), logged["expected"], rtol=1e-6)
    np.testing.assert_allclose(memory.scalars("next"), memory.scalars("count"), rtol=1e-6)
    np.testing.assert_allclose(memory.scalars("ends"), logged["dones"], rtol=1e-6)
    assert 0 < min(value for _, value in memory.scalars("ends")) < 1

    mapped = Memory()
    with LoggingCallback(mapped, name="run", step_scalars=step_scalars) as callback:
        lanes(training, callback, jr.split(jr.key(7), 3))
    each = [[value for _, value in mapped.scalars("reward/all", f"run_{i}")] for i in range(3)]
    assert np.shape(each) == (3, ITERATIONS)
    assert len(set(map(tuple, each))) == 3
    together = mapped.scalars("reward/all", "run_all")
    np.testing.assert_allclose([v for _, v in together], np.mean(each, 0), rtol=1e-6)
    np.testing.assert_allclose(
        mapped.scalars("reward/all"), mapped.scalars("reward/again"), rtol=1e-6
    )


def test_what_steps_on_the_host_has_no_next_state_for_step_scalars():
    class Hosted(Counting):
        def transition(self, state, action, *, key):
            io_callback(lambda: None, None)
            return super().transition(state, action, key=key)

    training = Training(Hosted())
    with pytest.raises(TypeError, match="Hosted does more in a step"):
        training(LoggingCallback(Memory(), step_scalars=lambda s: {"a": s.next_state.count}))
    memory = Memory()
    with LoggingCallback(memory, step_scalars=lambda step: {"a": step.reward}) as callback:
        training(callback)
    assert len(memory.scalars("a")) == ITERATIONS


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (lambda: {"reward": jnp.zeros(3)}, r"'reward' is an array of the shape \(3,\)"),
        (lambda: {"reward": "high"}, "'reward' is 'high'"),
        (lambda: [1.0], "not list"),
    ],
)
def test_values_that_are_no_scalars_are_refused_while_learn_is_traced(training, returned, message):
    callback = LoggingCallback(Memory(), scalars=lambda context: returned())
    with pytest.raises(TypeError, match=message):
        training(callback)
    with pytest.raises(TypeError, match=message.replace("not ", "step_scalars .* not ")):
        training(LoggingCallback(Memory(), step_scalars=lambda step: returned()))
    for value in ("high", jnp.zeros(2), None):
        with pytest.raises(TypeError, match="single number"):
            callback.log({"mine": value})


def test_time_and_memory_are_logged(training):
    memory = Memory()
    with LoggingCallback(memory, log_interval=4) as callback:
        training(callback, total_steps=TOTAL_STEPS + 2 * STEPS_AN_ITERATION)
        training(callback, total_steps=TOTAL_STEPS + 2 * STEPS_AN_ITERATION)
    elapsed = [value for _, value in memory.scalars("time/elapsed")]
    assert elapsed == sorted(elapsed)
    assert 0 <= elapsed[0] < elapsed[-1] < 60
    # The second one has nothing to compile.
    ((step, seconds),) = memory.scalars("time/compile")
    assert step == STEPS_AN_ITERATION
    assert 0.1 < seconds < 100
    assert 100 < memory.scalars("memory/process_peak")[-1][1] < 100_000


def test_a_training_shorter_than_an_iteration_says_so(training):
    memory = Memory()
    with (
        pytest.warns(
            RenderWarning, match=rf"less than one iteration .*\({STEPS_AN_ITERATION} here\)"
        ),
        LoggingCallback(memory) as callback,
    ):
        training(callback, total_steps=STEPS_AN_ITERATION - 1)
    assert memory.methods() == ["open", "log_hparams", "flush", "close"]


def test_backends_are_told_how_far_the_training_is(training):
    class Watching(Memory):
        def show_progress(self, progress):
            self._call("show_progress", progress)

    memory = Watching()
    with LoggingCallback(memory) as callback:
        training(callback, total_steps=3 * STEPS_AN_ITERATION)
    told = [call[1:] for call in memory.calls if call[0] == "show_progress"]
    assert [(name is None, progress.stage) for name, progress in told[:3]] == [
        (True, "tracing"),
        (True, "compiling"),
        (False, "training"),
    ]
    assert [progress for _, progress in told[3:]] == [
        *(Progress("training", i, 3, i * STEPS_AN_ITERATION) for i in (1, 2, 3)),
        Progress("done", 3, 3, 3 * STEPS_AN_ITERATION),
    ]


def test_scalars_are_found_whatever_the_algorithm_reports():
    log = {"loss": jnp.ones(()), "histogram": jnp.ones(10), "one": jnp.ones((1,)), "text": "x"}
    state = optax.sgd(0.1).init(jnp.ones(3))
    ctx: Any = SimpleNamespace(training_log=log, opt_state=state)
    scalars = scalars_of(ctx)
    assert list(scalars) == ["train/loss", "train/one", "train/learning_rate"]
    assert np.isnan(scalars["train/learning_rate"])
    adam = optax.inject_hyperparams(optax.adam)
    ctx.opt_state = {"actor": adam(0.1).init(jnp.ones(3)), "critic": adam(0.2).init(jnp.ones(3))}
    assert scalars_of(ctx)["train/learning_rate"] == pytest.approx(0.1)
    ctx.opt_state = ppo(learning_rate=3e-4).optimizer.init(jnp.ones(3))
    assert scalars_of(ctx)["train/learning_rate"] == pytest.approx(3e-4)


def test_a_new_callback_with_the_same_settings_compiles_nothing(training, compilations):
    first = LoggingCallback(Memory(), name="first")
    training(first)
    first.close()
    compilations.clear()
    memory = Memory()
    second = LoggingCallback([memory, Memory()], name="second", hparams={"a": 1})
    compilations.clear()
    training(second)
    assert compilations == []
    assert memory.names() == ["second"]
    assert memory.hparams()["a"] == 1
    assert len(memory.scalars("train/loss")) == ITERATIONS


def test_a_second_training_goes_on_and_one_after_close_is_another_run(training):
    memory = Memory()
    with LoggingCallback(memory) as callback:
        training(callback)
        training(callback, seed=2)
        assert callback.run_names == tuple(memory.names())
    steps = [step for step, _ in memory.scalars("train/loss")]
    assert steps == [STEPS_AN_ITERATION * (i + 1) for i in range(2 * ITERATIONS)]
    assert len(memory.names()) == 1
    training(callback)
    callback.close()
    assert len(set(memory.names())) == 2
    assert memory.scalars("train/loss", memory.names()[1])[0][0] == STEPS_AN_ITERATION
    assert callback.run_names == ()


class Breaks(Ends):
    """Ends the training with an error after its third iteration, the first time."""

    def on_iteration(self, ctx, *, key):
        def fail(iteration):
            if iteration == 3 and not self.found:
                self.found.append(iteration)
                raise ArithmeticError("the training fails for the test")

        jax.debug.callback(fail, ctx.iteration_count)
        return ctx.state


def test_after_a_training_that_failed_the_next_goes_on(training):
    memory = Memory()
    callbacks = [LoggingCallback(memory), Breaks([], NUM_STEPS * ITERATIONS)]
    with pytest.raises(jax.errors.JaxRuntimeError, match="fails for the test"):
        jax.block_until_ready(training(callbacks))
    before = len(memory.scalars("train/loss"))
    assert 2 <= before <= 4
    training(callbacks)
    callbacks[0].close()
    assert len(memory.names()) == 1
    steps = [step for step, _ in memory.scalars("train/loss")]
    assert steps == [STEPS_AN_ITERATION * (i + 1) for i in range(before + ITERATIONS)]
    assert memory.methods()[-1] == "close"


def test_two_callbacks_in_one_training(training, plain_policy):
    one, other = Memory(), Memory()
    callbacks = [LoggingCallback(one), LoggingCallback(other, alpha=0.5)]
    assert_same_policy(training(callbacks), plain_policy)
    for callback in callbacks:
        callback.close()
    assert one.names() != other.names()
    assert one.scalars("train/loss") == other.scalars("train/loss")
    assert len(one.scalars("train/loss")) == ITERATIONS


def test_batches_log_the_same_points(training, plain_policy):
    one, batched = Memory(), Memory()
    training(LoggingCallback(one))
    callback = LoggingCallback(batched, log_interval=4)
    assert_same_policy(training(callback), plain_policy)
    for tag in ("train/loss", "episode/return", "episode/length"):
        assert batched.scalars(tag) == one.scalars(tag)
    training(callback)
    assert len(batched.scalars("train/loss")) == 2 * ITERATIONS


def test_quick_iterations_are_sent_together_and_none_is_left_out(training, monkeypatch):
    calls = []
    receive = host.receive

    def counted(*arguments):
        calls.append(arguments)
        return receive(*arguments)

    # A layout of its own, so that it is this function that is compiled.
    memory = Memory()
    with LoggingCallback(memory, scalars=lambda context: {"own": 1.0}) as callback:
        monkeypatch.setattr(host, "receive", counted)
        training(callback, total_steps=200 * STEPS_AN_ITERATION)
    steps = [step for step, _ in memory.scalars("own")]
    assert steps == [STEPS_AN_ITERATION * (i + 1) for i in range(200)]
    assert 200 / Outbox.ROWS < len(calls) < 100


def test_a_training_that_ends_sooner_than_was_known_has_sent_all(training):
    class Longer(LoggingCallback):
        def on_training_start(self, ctx, *, key):
            state = super().on_training_start(ctx, key=key)
            return replace(state, last_iteration=jnp.int32(1000))

    memory = Memory()
    with Longer(memory, log_interval=4) as callback:
        training(callback)
    steps = [STEPS_AN_ITERATION * (i + 1) for i in range(ITERATIONS)]
    assert [step for step, _ in memory.scalars("train/loss")] == steps
    assert memory.methods()[-2:] == ["flush", "close"]


def test_more_scalars_than_a_batch_holds_are_sent_each_iteration(training, monkeypatch):
    monkeypatch.setattr(Outbox, "CAPACITY", 4)
    memory = Memory()
    training(LoggingCallback(memory, log_interval=5))
    assert len(memory.scalars("train/loss")) == ITERATIONS


def lanes(training: Training, callback: Any, seeds: Any) -> Any:
    return eqx.filter_vmap(
        lambda key: training.algorithm.learn(
            training.env, training.policy, TOTAL_STEPS, key=key, callback=callback
        )
    )(seeds)


def test_mapped_seeds_are_runs_of_their_own(training):
    memory = GifMemory()
    callback = LoggingCallback(memory, name="sweep", video_interval=3, **SMALL)
    seeds = jr.split(jr.key(7), 3)
    policies = lanes(training, callback, seeds)
    callback.close()
    assert memory.names() == ["sweep_all", "sweep_0", "sweep_1", "sweep_2"]
    losses = [memory.scalars("train/loss", f"sweep_{lane}") for lane in range(3)]
    values = np.array([[value for _, value in loss] for loss in losses])
    for tag, expected in (("train/loss", values.mean(0)), ("train/loss_std", values.std(0))):
        together = memory.scalars(tag, "sweep_all")
        assert [step for step, _ in together] == [step for step, _ in losses[0]]
        np.testing.assert_allclose([value for _, value in together], expected, rtol=1e-6)
    assert len(memory.scalars("eval/return_std", "sweep_all")) == 3
    assert not memory.scalars("time/elapsed_std")
    for lane, seed in enumerate(seeds):
        alone = Memory()
        policy = training.algorithm.learn(
            training.env, training.policy, TOTAL_STEPS, key=seed, callback=LoggingCallback(alone)
        )
        np.testing.assert_allclose(losses[lane], alone.scalars("train/loss"), rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(
            arrays(policies)[0][lane], arrays(policy)[0], rtol=1e-3, atol=1e-5
        )
    # Each lane is recorded, and only where that is due.
    steps = [0] * 3 + [48] * 3 + [96] * 3
    assert sorted(step for step, _ in memory.videos()) == steps


def test_lanes_that_differ_in_the_policy_alone_are_told_apart(training):
    memory = Memory()
    callback = LoggingCallback(memory)
    both = [training.policy, tiny_policy(training.env, jr.key(3))]
    policies = jax.tree.map(lambda *x: jnp.stack(x) if eqx.is_array(x[0]) else x[0], *both)
    eqx.filter_vmap(
        lambda policy: training.algorithm.learn(
            training.env, policy, TOTAL_STEPS, key=jr.key(0), callback=callback
        )
    )(policies)
    callback.close()
    together, *names = memory.names()
    assert together.endswith("_all")
    one, other = (memory.scalars("train/loss", name) for name in names)
    assert len(one) == len(other) == ITERATIONS
    assert one != other


def test_inside_jax_jit(training, plain_policy):
    memory = Memory()
    callback = LoggingCallback(memory)

    @jax.jit
    def learn(key):
        policy = training.algorithm.learn(
            training.env, training.policy, TOTAL_STEPS, key=key, callback=callback
        )
        return eqx.filter(policy, eqx.is_array)

    assert_same_policy(learn(jr.key(1)), eqx.filter(plain_policy, eqx.is_array))
    learn(jr.key(1))
    callback.close()
    assert len(memory.names()) == 1
    assert len(memory.scalars("train/loss")) == 2 * ITERATIONS


def test_a_program_that_learns_twice_goes_on(training):
    memory = Memory()
    callback = LoggingCallback(memory, name="run")

    @jax.jit
    def learn_twice(key):
        policy = training.policy
        for seed in jr.split(key):
            policy = training.algorithm.learn(
                training.env, policy, TOTAL_STEPS, key=seed, callback=callback
            )
        return eqx.filter(policy, eqx.is_array)

    jax.block_until_ready(learn_twice(jr.key(1)))
    assert callback.run_names == ("run",)
    callback.close()
    assert memory.names() == ["run"]
    steps = [step for step, _ in memory.scalars("train/loss")]
    assert steps == [STEPS_AN_ITERATION * (i + 1) for i in range(2 * ITERATIONS)]


def test_a_callback_that_nobody_keeps_is_logged_and_then_forgotten(training):
    memories = [Memory() for _ in range(3)]
    sessions = []
    for memory in memories:
        callback = LoggingCallback(memory)
        sessions.append(weakref.ref(callback.handle.session))
        training(callback)
        del callback
    LoggingCallback(Memory())
    for session, memory in zip(sessions, memories, strict=True):
        session()._worker.close()
        assert len(memory.scalars("train/loss")) == ITERATIONS
        assert memory.methods()[-2:] == ["flush", "close"]


def test_compiled_trainings_do_not_keep_a_closed_callback(training):
    callback = LoggingCallback(Memory(), video_interval=6, **SMALL)
    training(callback)
    session = weakref.ref(callback.handle.session)
    callback.close()
    gc.collect()
    assert session() is not None
    del callback
    gc.collect()
    assert session() is None


def test_it_is_constructed_outside_of_traced_functions():
    @jax.jit
    def train():
        LoggingCallback(Memory())

    with pytest.raises(RuntimeError, match="construct it outside"):
        train()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"backend": "logs"}, TypeError, "got 'logs'.*TensorBoardBackend"),
        ({"backend": []}, ValueError, "empty"),
        ({"backend": None}, TypeError, "TensorBoardBackend"),
        ({"name": ""}, ValueError, "name must be a text that is not empty, or None, got ''"),
        ({"name": 3}, TypeError, "name must be a text that is not empty, or None, got 3"),
        ({"alpha": 0.0}, ValueError, "alpha"),
        ({"alpha": 1.5}, ValueError, "alpha"),
        ({"alpha": "0.9"}, TypeError, "alpha must be a number above 0, at most 1, got '0.9'"),
        ({"hparams": 3}, TypeError, "hparams must be a mapping of names to values, or None, got 3"),
        ({"log_interval": 0}, ValueError, "log_interval"),
        ({"video_interval": -1}, ValueError, "video_interval"),
        ({"video_interval": 2.0}, TypeError, "video_interval"),
        ({"video_num_steps": 0}, ValueError, "video_num_steps"),
        ({"video_width": 0}, ValueError, "video_width must be a whole number of pixels, 1 to"),
        ({"video_fps": 0}, ValueError, "video_fps"),
        ({"video_mode": "wait"}, ValueError, "video_mode"),
        ({"video_camera": -1}, ValueError, "video_camera must be a camera's name, its number"),
        (
            {"video_background": "sky"},
            ValueError,
            "video_background must be studio, as-is",
        ),
        ({"video_overlay": "step"}, TypeError, "video_overlay must be true or false, got 'step'"),
        ({"video_time_limit": 0}, ValueError, "seconds above 0, or None, got 0"),
        ({"video_time_limit": float("nan")}, ValueError, "video_time_limit"),
        ({"video_time_limit": "600"}, TypeError, "video_time_limit .* or None, got '600'"),
        ({"record_when": "sometimes"}, ValueError, "record_when"),
    ],
)
def test_wrong_arguments_are_refused_at_once(arguments, error, message):
    with pytest.raises(error, match=message):
        LoggingCallback(**({"backend": Memory()} | arguments))


def test_lerax_main_asks_for_more():
    callback = LoggingCallback(Memory())
    state, own = object(), LoggingState(jnp.int32(0), jnp.int32(1), Outbox.empty(1))
    assert callback.apply_curriculum(state, own) == (state, own)
    ctx: Any = None
    assert bool(callback.continue_training(ctx, key=jr.key(0)))
    # There, the algorithm is a field of the context.
    training = Training()
    fields = {
        "state": own,
        "env": training.env,
        "policy": training.policy,
        "locals": {},
        "opt_state": (),
    }
    ctx = SimpleNamespace(algorithm=training.algorithm, total_timesteps=TOTAL_STEPS, **fields)
    state = callback.on_training_start(ctx, key=jr.key(0))
    assert int(state.last_iteration) == ITERATIONS
    assert callback.run_names[0].startswith("Shrinking_MLPActorCriticPolicy_Counting_")
    callback.close()
