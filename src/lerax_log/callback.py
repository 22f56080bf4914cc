"""The callback that Lerax's `learn` takes: the side of it that is traced.

Lerax compiles `learn` as a whole. Everything here runs while it is traced, once for many trainings;
what has to happen in each of them is a call back into `session`, with numbers for what is meant.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal, Self

import equinox as eqx
import jax
import numpy as np
import optax
from jax import lax
from jax import numpy as jnp
from jax import random as jr
from jax.custom_batching import custom_vmap
from jax.experimental import io_callback
from lerax.callback import (
    AbstractCallback,
    IterationContext,
    ResetContext,
    StepContext,
    TrainingContext,
)

from lerax_render.errors import warn
from lerax_render.video import VideoWriter

from .backends import TOTAL_TIMESTEPS, AbstractLoggingBackend
from .host import safe_name, session
from .recordings import ClipSettings, RecordWhen, VideoOptions
from .traced import EpisodeStats, Layout, Outbox, Skeleton, flattened, plain, settings


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class LoggingState:
    """What the callback carries through a training.

    Attributes:
        run: `int32`, the run's number on the host.
        last_iteration: `int32`, iterations that this `learn` will complete.
        outbox: Packets that wait for `log_interval`.
    """

    run: jax.Array
    last_iteration: jax.Array
    outbox: Outbox


class LoggingCallback(AbstractCallback[Any, Any]):
    """Logs a training's metrics, hyperparameters and videos to any number of backends.

    At the end of each iteration:

    - `episode/return` and `episode/length`: exponential moving averages over finished episodes in
      each environment, averaged over the environments that have finished one; before that they are
      not logged.
    - `train/*`: every scalar in the algorithm's `training_log`, and `train/learning_rate` from the
      Optax state, NaN where there is none.
    - `time/iterations_per_second` and `time/steps_per_second`.

    The step is the number of environment steps over all environments. When a training starts, the
    hyperparameters of algorithm, policy and environment are logged.

    Every `video_interval` iterations, and after the last one, the policy as it is then acts for
    `video_num_steps` steps. The clip is logged as `eval/video`, with `eval/return` and
    `eval/length` of its episodes. This is done by a thread beside the training.

    A callback is one run: a further `learn` goes on in it, with the steps counted on. `close`,
    which is also called at the end of a `with` block and when the interpreter exits, ends the run;
    the next `learn` opens another. Under `jax.vmap` each lane of `learn` is a run of its own.

    Nothing that goes wrong with logging stops a training: it is a `RenderWarning`.

    Args:
        backend: Where to log to: one backend, or several.
        name: Of the run, made safe as the name of a folder. `None` names each run
            `{Algorithm}_{Policy}_{Env}_{timestamp}` when its training starts. Under `jax.vmap`,
            `_0`, `_1` and so on follow.
        env: The environment, to be told right away if there can be no videos of it.
        policy: Not needed; here so that Lerax's own callback can be replaced by this one.
        alpha: Weight of the newest episode in the moving averages, above 0 and at most 1.
        hparams: Hyperparameters to log besides, which take precedence; mappings may be nested.
        log_interval: Iterations that are sent together. No iteration is left out.
        video_interval: Iterations from one recording to the next; 0 records nothing.
        video_num_steps: Environment steps in a clip, one frame each.
        video_width: Of the clip in pixels.
        video_height: Of the clip in pixels.
        video_fps: Frames a second of the clip; a GIF plays at the nearest rate that GIF has, out of
            50, 33.3, 25, 20 and so on.
        video_camera: MuJoCo only, as for `lerax_render.record`.
        video_overlay: Whether the training's step and the episode's return are written on the
            frames.
        video_keep: Whether each clip is also kept as an MP4 file in the run's folder, in `videos/`.
        video_mode: What happens to recordings that the thread cannot keep up with: with `"drop"`
            two of them wait, and the oldest makes room for a third; with `"block"` the training
            waits.
        video_time_limit: Seconds after which a recording that is not done counts as hanging: it is
            given up with a warning that names where it was, and the next is made. The first also
            compiles, which takes a minute for a humanoid. `None` waits for ever.
        record_when: Which of the recordings are made: `"always"` all, `"best"` those with an
            `episode/return` higher than at any recording before, or a function of the iteration's
            scalars, called on the host, says so.

    Raises:
        RuntimeError: It is constructed in a function that JAX is tracing.
        TypeError: `backend` is not a logging backend, or an argument has the wrong type.
        ValueError: An argument is out of its range.
    """

    session_number: jax.Array
    alpha: float = eqx.field(static=True)
    log_interval: int = eqx.field(static=True)
    video_interval: int = eqx.field(static=True)

    def __init__(
        self,
        backend: AbstractLoggingBackend | Sequence[AbstractLoggingBackend],
        *,
        name: str | None = None,
        env: Any | None = None,
        policy: Any | None = None,
        alpha: float = 0.9,
        hparams: Mapping[str, Any] | None = None,
        log_interval: int = 1,
        video_interval: int = 0,
        video_num_steps: int = 256,
        video_width: int = 640,
        video_height: int = 480,
        video_fps: float = 50.0,
        video_camera: Any | None = None,
        video_overlay: bool = True,
        video_keep: bool = True,
        video_mode: Literal["drop", "block"] = "drop",
        video_time_limit: float | None = 600.0,
        record_when: RecordWhen = "always",
    ) -> None:
        if isinstance(jnp.zeros(()) + 1, jax.core.Tracer):
            raise RuntimeError(
                "a LoggingCallback was constructed in a function that JAX is tracing, where it "
                "would be constructed once for many runs: construct it outside of jax.jit and the "
                "like, and pass it in or close over it"
            )
        backends = _checked_backends(backend)
        if name is not None and (not isinstance(name, str) or not name):
            raise TypeError(f"name must be a text that is not empty, or None, got {name!r}")
        if not 0 < alpha <= 1:
            raise ValueError(f"alpha must be above 0 and at most 1, got {alpha!r}")
        _check_whole("log_interval", log_interval, 1)
        _check_whole("video_interval", video_interval, 0)
        _check_whole("video_num_steps", video_num_steps, 1)
        # Started by nobody: it checks what it is given.
        VideoWriter(None, video_fps, width=video_width, height=video_height)
        if video_mode not in ("drop", "block"):
            raise ValueError(f'video_mode must be "drop" or "block", got {video_mode!r}')
        time_limit = _checked_seconds("video_time_limit", video_time_limit)
        if record_when not in ("always", "best") and not callable(record_when):
            raise ValueError(
                f'record_when must be "always", "best" or a function, got {record_when!r}'
            )

        self.alpha = float(alpha)
        self.log_interval = int(log_interval)
        # Where no backend takes videos there is nobody to make them for.
        self.video_interval = (
            int(video_interval) if any(one.video_formats for one in backends) else 0
        )
        clip = ClipSettings(
            steps=video_num_steps,
            width=video_width,
            height=video_height,
            fps=video_fps,
            camera=video_camera,
            overlay=bool(video_overlay),
        )
        host = session.Session(
            backends,
            name=None if name is None else safe_name(name),
            videos=VideoOptions(self.video_interval, clip, video_keep, record_when, time_limit)
            if self.video_interval
            else None,
            block=video_mode == "block",
            hparams=flattened(hparams or {}),
        )
        self.session_number = jnp.asarray(host.number, jnp.int32)
        if env is not None and self.video_interval:
            _warn_unless_drawable(env)

    def close(self) -> None:
        """End the run: wait for what is under way, and close every backend. May be called twice."""
        self._host().close()

    @property
    def run_names(self) -> tuple[str, ...]:
        """Names of the runs that are open: one, or one for each lane of a mapped `learn`."""
        return self._host().run_names

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def reset(self, ctx: ResetContext, *, key: jax.Array) -> LoggingState:
        """Return the state before the training starts."""
        return LoggingState(
            run=jnp.asarray(session.NO_RUN, jnp.int32),
            last_iteration=jnp.zeros((), jnp.int32),
            outbox=Outbox.empty(self.log_interval),
        )

    def step_reset(self, ctx: ResetContext, *, key: jax.Array) -> EpisodeStats:
        """Return the statistics of an environment before its first step."""
        return EpisodeStats.initial()

    def on_step(self, ctx: StepContext[Any], *, key: jax.Array) -> EpisodeStats:
        """Take in one step of one environment."""
        # PPO adds the value of the state to `ctx.reward` where an episode is truncated.
        reward = ctx.locals.get("reward", ctx.reward)
        stats: EpisodeStats = ctx.state
        return stats.advanced(reward, jnp.asarray(ctx.done), self.alpha)

    def on_training_start(self, ctx: TrainingContext[Any, Any], *, key: jax.Array) -> LoggingState:
        """Open the run."""
        algorithm = _algorithm(ctx)
        static, traced = _hparams(algorithm, ctx.policy, ctx.env)
        start = session.Start(
            algorithm=type(algorithm).__name__,
            policy=_name(ctx.policy),
            env=_name(ctx.env),
            hparams={**static, TOTAL_TIMESTEPS: int(ctx.total_timesteps)},
            traced_hparams=tuple(traced),
            env_skeleton=Skeleton(ctx.env) if self.video_interval else None,
        )
        env_arrays = start.env_skeleton.arrays(ctx.env) if start.env_skeleton else []
        run = _open_runs(
            start,
            (),
            (list(traced.values()), _witnesses(key, ctx.env, ctx.policy)),
            (self.session_number, env_arrays),
        )
        last_iteration = algorithm.num_iterations(ctx.total_timesteps)
        state: LoggingState = ctx.state
        return replace(state, run=run, last_iteration=jnp.asarray(last_iteration, jnp.int32))

    def on_iteration(self, ctx: IterationContext[Any, Any], *, key: jax.Array) -> LoggingState:
        """Send what the iteration reports, and what is needed to record it where that is due."""
        state: LoggingState = ctx.state
        stats: EpisodeStats = ctx.step_state
        iteration = jnp.asarray(ctx.iteration_count, jnp.int32)
        scalars = _scalars(ctx)
        layout = Layout(tags=tuple(scalars), num_envs=stats.steps.size)
        packet = layout.pack(
            run=state.run,
            iteration=iteration,
            last_iteration=state.last_iteration,
            env_steps=stats.steps.reshape(-1)[0],
            episodes=stats.averages(),
            scalars=scalars,
        )
        if self.video_interval:
            # Here, because logging without videos needs nothing of it.
            from .recordings import Frame

            frame = Frame(ctx.env, ctx.policy)
            lax.cond(
                (iteration % self.video_interval == 0) | (iteration == state.last_iteration),
                lambda: jax.debug.callback(
                    partial(session.record, layout, frame),
                    packet,
                    jr.bits(key),
                    frame.skeleton.arrays((ctx.env, ctx.policy)),
                ),
                lambda: None,
            )
        return replace(state, outbox=self._sent(state, layout, packet, iteration))

    def _sent(
        self, state: LoggingState, layout: Layout, packet: jax.Array, iteration: jax.Array
    ) -> Outbox:
        send = partial(jax.debug.callback, partial(session.receive, layout))
        if self.log_interval > 1 and layout.size <= Outbox.CAPACITY:
            outbox = state.outbox.with_packet(packet, iteration)
            lax.cond(
                (iteration % self.log_interval == 0) | (iteration == state.last_iteration),
                lambda: send(outbox.packets),
                lambda: None,
            )
            return outbox
        send(packet[None])
        return state.outbox

    def on_training_end(self, ctx: TrainingContext[Any, Any], *, key: jax.Array) -> LoggingState:
        """Say that everything has been sent."""
        state: LoggingState = ctx.state
        # What is computed last ties the call to the end of the training.
        jax.debug.callback(session.end, state.run, *_witnesses(ctx.policy))
        return state

    def continue_training(self, ctx: IterationContext[Any, Any], *, key: jax.Array) -> jax.Array:
        """Return true: logging ends no training."""
        return jnp.asarray(True)

    def apply_curriculum(self, state: Any, callback_state: Any) -> tuple[Any, Any]:
        """Return both as they are. Lerax 0.0.6 asks for this, 0.0.5 does not know it."""
        return state, callback_state

    def _host(self) -> session.Session:
        return session.find(int(self.session_number))


def _open_runs(
    start: session.Start,
    shape: tuple[int, ...],
    per_lane: tuple[Sequence[jax.Array], Sequence[jax.Array]],
    shared: tuple[jax.Array, Sequence[jax.Array]],
) -> jax.Array:
    """Return the runs' numbers, `int32` of `shape`, from one call to the host when training starts.

    Args:
        start: What is known of the training.
        shape: Sizes of the axes that `learn` is mapped over.
        per_lane: Hyperparameters; and anything in which lanes can differ, so that mapping over
            it maps over this.
        shared: The session's number; and the environment's arrays, of which the first lane's do.
    """

    @custom_vmap
    def opened(per_lane: Any, shared: Any) -> Any:
        hparams, _ = per_lane
        return io_callback(
            partial(session.open_runs, start, shape),
            jax.ShapeDtypeStruct(shape, jnp.int32),
            *(shared[0], hparams, shared[1]),
            ordered=False,
        )

    # A callback that is mapped is called once a lane, and could not know how many there are.
    @opened.def_vmap
    def lanes(size: int, is_mapped: Any, per_lane: Any, shared: Any) -> tuple[jax.Array, bool]:
        def everywhere(x: jax.Array, mapped: bool) -> jax.Array:
            return x if mapped else jnp.broadcast_to(x, (size, *x.shape))

        def first(x: jax.Array, mapped: bool) -> jax.Array:
            return x[0] if mapped else x

        per_lane = jax.tree.map(everywhere, per_lane, is_mapped[0])
        shared = jax.tree.map(first, shared, is_mapped[1])
        return _open_runs(start, (size, *shape), per_lane, shared), True

    runs: jax.Array = opened(per_lane, shared)
    return runs


def _witnesses(*trees: Any) -> list[jax.Array]:
    """Return one number of each array: as many as can tell lanes, or moments, apart."""
    arrays = [array for tree in trees for array in Skeleton(tree).arrays(tree)]
    return [array[(0,) * array.ndim] for array in arrays if array.size]


def _scalars(ctx: IterationContext[Any, Any]) -> dict[str, Any]:
    scalars: dict[str, Any] = {
        f"train/{tag}": value
        for tag, value in ctx.training_log.items()
        if eqx.is_array_like(value) and np.size(value) == 1
    }
    rates = [
        value
        for _, value in optax.tree_utils.tree_get_all_with_path(ctx.opt_state, "learning_rate")
        if eqx.is_array_like(value) and np.size(value) == 1
    ]
    # Several optimizers have several; the first is that of the actor, or of the only one.
    scalars["train/learning_rate"] = rates[0] if rates else jnp.nan
    return scalars


def _hparams(algorithm: Any, policy: Any, env: Any) -> tuple[dict[str, Any], dict[str, jax.Array]]:
    """Return hyperparameters with values, and those whose values come with the training."""
    modules = {"algorithm": algorithm, "policy": policy, "env": env}
    found = {
        name: value
        for prefix, module in modules.items()
        for name, value in settings(module, prefix)
        # The arrays of a policy are what is learned.
        if prefix != "policy" or not eqx.is_array(value)
    }
    traced = {name: value for name, value in found.items() if eqx.is_array(value)}
    return {name: plain(value) for name, value in found.items() if name not in traced}, traced


def _algorithm(ctx: TrainingContext[Any, Any]) -> Any:
    # Lerax 0.0.6 has it as a field.
    return getattr(ctx, "algorithm", None) or ctx.locals["self"]


def _name(module: Any) -> str:
    name = getattr(module, "name", None)
    return name if isinstance(name, str) else type(module).__name__


def _checked_backends(
    backend: AbstractLoggingBackend | Sequence[AbstractLoggingBackend],
) -> list[AbstractLoggingBackend]:
    backends = list(backend) if isinstance(backend, Sequence) else [backend]
    for one in backends:
        if not isinstance(one, AbstractLoggingBackend):
            raise TypeError(
                f"backend must be a logging backend or a list of them, got {one!r}; there are "
                "TensorBoardBackend, WandbBackend and ConsoleBackend in lerax_log, and subclasses "
                "of its AbstractLoggingBackend"
            )
    if not backends:
        raise ValueError("backend is an empty list: there is nothing to log to")
    return backends


def _check_whole(name: str, value: int, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name} must be a whole number, got {value!r}")
    if value < least:
        raise ValueError(f"{name} must be at least {least}, got {value}")


def _checked_seconds(name: str, value: float | None) -> float:
    if value is None:
        return float("inf")
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise TypeError(f"{name} must be a number of seconds or None, got {value!r}")
    if not value > 0:
        raise ValueError(f"{name} must be above 0 seconds, got {value!r}")
    return float(value)


def _warn_unless_drawable(env: Any) -> None:
    from lerax_render.sources import find_source

    try:
        find_source(env)
    except Exception as error:
        warn(f"there will be no videos: {type(error).__name__}: {error}")
