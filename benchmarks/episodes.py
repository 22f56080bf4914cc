"""What it costs to capture a thousand episodes of which three are shown."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
from jax import lax
from jax import numpy as jnp
from jax import random as jr
from lerax.env.classic_control import CartPole
from report import Section
from timing import Row, best_of, costs, exhaust, known

import lerax_render as lr
from lerax_render.acting import episode_chunks

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "tests"))

from support.mjx_environments import Swing  # noqa: E402

EPISODES = 1000
LIMIT = 1000


def sections() -> Iterator[Section]:
    yield Section(
        "Picking episodes",
        f'`capture(env, pick=["best", "median", "worst"], of={EPISODES})`, warm, with sampled '
        "actions: `CartPole`, and a small pendulum of MuJoCo's. Next to the same vmapped rollouts "
        "that keep rewards and ends alone; and to a `while_loop` under `vmap`, which restarts "
        "nothing and waits for the longest episode.",
        [row for env in (CartPole(), Swing()) for row in compared(env)],
        note="Measured once with the main branch's `InvertedPendulum`, whose steps cost what "
        "MuJoCo's usually do: 1.15 next to the same rollouts, 0.44 next to the `while_loop`.",
    )


def compared(env: Any) -> list[Row]:
    counted = eqx.filter_jit(eqx.filter_vmap(lambda key: episode(env, key)))
    keys = jr.split(jr.key(0), EPISODES)

    def ours() -> None:
        lr.capture(env, pick=["best", "median", "worst"], of=EPISODES, max_steps=LIMIT)

    def uncaptured() -> None:
        exhaust(
            episode_chunks(
                env, None, episodes=EPISODES, lanes=250, limit=LIMIT, key=0, capture=nothing
            )
        )

    def looped() -> None:
        jax.block_until_ready(counted(keys))

    runs = (ours, uncaptured, looped)
    for run in runs:
        run()
    seconds, alone, loop = best_of(*runs, rounds=7)
    name = type(env).__name__
    return [
        costs(f"{name}: captured / not captured", seconds, alone, 1.3),
        known(f"{name}: captured / while_loop", seconds, loop, "s"),
    ]


def nothing(env: Any, state: Any) -> Any:
    """Capture nothing."""
    return None


def episode(env: Any, key: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Run one episode as one would without a picture, and return its return and its length."""
    key, first = jr.split(key)

    def step(carry: Any) -> Any:
        state, key, total, length, _ = carry
        key, act, move, earn, end = jr.split(key, 5)
        action = env.action_space.sample(key=act)
        after = env.transition(state, action, key=move)
        total += env.reward(state, action, after, key=earn)
        done = env.terminal(after, key=end) | env.truncate(after)
        return after, key, total, length + 1, done

    blank = (jnp.zeros(()), jnp.zeros((), jnp.int32), jnp.zeros((), bool))
    _, _, total, length, _ = lax.while_loop(
        lambda carry: ~carry[4] & (carry[3] < LIMIT),
        step,
        (env.initial(key=first), key, *blank),
    )
    return total, length
