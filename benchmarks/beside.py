"""What a training loses while the rollout of its recordings is compiled beside it."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import jax
import mujoco
from jax import numpy as jnp
from jax import random as jr
from lerax.algorithm import PPO
from lerax.callback import AbstractIterationCallback
from lerax.callback.base_callback import EmptyCallbackState
from lerax.policy import MLPActorCriticPolicy
from lerax.space import Box
from lerax.utils import callback_wrapper
from mujoco import mjx
from report import Section
from scenes import gymnasium_mjcf
from timing import cpu_time, known

from lerax_render.acting import PreparedRollout
from lerax_render.sources import find_source

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from support.mjx_environments import Swing, SwingState

ITERATIONS = 100
ROUNDS = 3


def sections() -> Iterator[Section]:
    # The programs are compiled here, and not read.
    jax.config.update("jax_enable_compilation_cache", False)
    losses = measured()
    lost = sorted(losses, key=lambda each: each.seconds)[len(losses) // 2]
    yield Section(
        "Compiling beside a training",
        "PPO on Gymnasium's HalfCheetah in MJX, in short iterations, while a thread compiles the "
        "rollout of its recordings, and for as long before and after that. That is done "
        f"{ROUNDS} times, and compiled once more with nothing beside it; the median.",
        [
            known("an iteration while compiling / otherwise", lost.during, lost.usual, "ms"),
            known("the training loses / CPU time of compiling alone", lost.seconds, lost.cpu, "s"),
            known("compiling beside it, time / CPU time alone", lost.window, lost.cpu, "s"),
        ],
    )


class Lost(NamedTuple):
    """What a training lost.

    Attributes:
        cpu: Seconds of CPU time that the rollout takes to be compiled alone.
        window: Seconds that it took beside the training.
        during: Milliseconds of an iteration then.
        usual: Milliseconds of an iteration before and after that.
    """

    cpu: float
    window: float
    during: float
    usual: float

    @property
    def seconds(self) -> float:
        """What the iterations of that time took longer than usual."""
        return self.window * (1 - self.usual / self.during)


class Cheetah(Swing):
    """Gymnasium's HalfCheetah, for which only its model counts here."""

    name: ClassVar[str] = "HalfCheetah"

    def __init__(self) -> None:
        self.mujoco_model = mujoco.MjModel.from_xml_path(gymnasium_mjcf("half_cheetah"))
        self.model = mjx.put_model(self.mujoco_model)
        self.action_space = Box(-jnp.ones(self.model.nu), jnp.ones(self.model.nu))
        size = self.model.nq + self.model.nv
        self.observation_space = Box(-jnp.full(size, jnp.inf), jnp.full(size, jnp.inf))
        self.length = 1000
        self.dt = float(self.mujoco_model.opt.timestep)

    def initial(self, *, key: jax.Array) -> SwingState:
        data = mjx.make_data(self.model)
        data = data.replace(qpos=data.qpos + 0.1 * jr.normal(key, data.qpos.shape))
        return SwingState(data, jnp.zeros((), jnp.int32))


class Clock(AbstractIterationCallback[EmptyCallbackState]):
    """Notes when iterations end."""

    def reset(self, ctx: Any, *, key: Any) -> EmptyCallbackState:
        return EmptyCallbackState()

    def on_iteration(self, ctx: Any, *, key: Any) -> EmptyCallbackState:
        callback_wrapper(lambda _: TIMES.append(time.perf_counter()), ordered=True)(
            ctx.iteration_count
        )
        return ctx.state

    def apply_curriculum(self, state: Any, callback_state: Any) -> Any:
        return state, callback_state


TIMES: list[float] = []


def measured() -> list[Lost]:
    """Compile a rollout alone, and then beside a training."""
    env = Cheetah()
    policy = MLPActorCriticPolicy(env, key=jr.key(0))
    algorithm = PPO(num_envs=4, num_steps=16, num_epochs=1, num_batches=1)
    steps = ITERATIONS * algorithm.num_envs * algorithm.num_steps

    def train(until: Callable[[], bool]) -> float:
        """Train until something is the case, and return the milliseconds of an iteration."""
        TIMES.clear()
        while not until():
            algorithm.learn(env, policy, steps, key=jr.key(0), callback=[Clock()])
            jax.effects_barrier()
        return 1e3 * (TIMES[-1] - TIMES[0]) / (len(TIMES) - 1)

    def prepared() -> PreparedRollout:
        return PreparedRollout(env, policy, capture=find_source(env).traced_capture)

    def compile_it(rollout: PreparedRollout) -> None:
        next(rollout.chunks(env, policy, steps=1, key=jr.key(0)))

    rollout, begun = prepared(), cpu_time()
    compile_it(rollout)
    cpu = cpu_time() - begun
    train(lambda: bool(TIMES))
    losses = []
    for _ in range(ROUNDS):
        rollout = prepared()
        # As long as compiling takes on two cores.
        before = train(after(cpu / 2))
        thread = threading.Thread(target=compile_it, args=(rollout,))
        begun = time.perf_counter()
        thread.start()
        during = train(lambda thread=thread: not thread.is_alive())
        window = time.perf_counter() - begun
        usual = (before + train(after(cpu / 2))) / 2
        losses.append(Lost(cpu, window, during, usual))
    return losses


def after(seconds: float) -> Callable[[], bool]:
    """Return what says whether so much time has passed."""
    end = time.perf_counter() + seconds
    return lambda: time.perf_counter() >= end
