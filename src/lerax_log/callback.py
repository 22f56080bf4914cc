"""The callback that Lerax's `learn` takes: the side of it that is traced.

Lerax compiles `learn` as a whole. Everything here runs while it is traced, once for many trainings;
what has to happen in each of them is a call of `host`, with numbers for what is meant.
"""

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial, reduce
from operator import or_
from typing import Annotated, Any, Literal, Self, get_type_hints

import equinox as eqx
import jax
from jax import lax
from jax import numpy as jnp
from jax import random as jr
from lerax.callback import (
    AbstractCallback,
    IterationContext,
    ResetContext,
    StepContext,
    TrainingContext,
)
from msgspec import Meta

from lerax_render.settings import (
    LARGEST_SEED,
    Background,
    ByteSize,
    CameraLike,
    Count,
    GridShape,
    Pick,
    Picture,
    Pixels,
    Rate,
    between,
    check_env,
    checked,
    parsed_pick,
)

from . import host, traced
from .backends import AbstractLoggingBackend, FanOut, JsonLinesBackend, local_folder
from .recordings import EvalOptions, RecordWhen, VideoOptions
from .traced import Layout, LoggingState, Outbox, Skeleton, StepState, Transition

type RunName = Annotated[str, Meta(min_length=1, description="a text that is not empty, or None")]
type Weight = Annotated[float, Meta(gt=0, le=1, description="a number above 0, at most 1")]
type Seconds = Annotated[float, Meta(gt=0, description="a number of seconds above 0, or None")]
type Scalars = Callable[[IterationContext[Any, Any]], Mapping[str, Any]]
type StepScalars = Callable[[Transition], Mapping[str, Any]]
type Picks = Sequence[Pick] | Callable[[Any], Sequence[int]]
type Names = Annotated[Mapping[str, Any], Meta(description="a mapping of names to values, or None")]


class LoggingCallback(AbstractCallback[Any, Any]):
    """Logs a training's metrics, hyperparameters and videos to one backend or several.

    At the end of each iteration it logs `episode/return` and `episode/length` (exponential moving
    averages over finished episodes; not logged before there is one), `train/*` (every scalar in the
    algorithm's `training_log`, and the learning rate), and `time/*`. The step is the number of
    environment steps over all environments. A clip of the policy is logged as `eval/video`, with
    `eval/return` and `eval/length`, before the first iteration, every `video_interval` iterations,
    and after the last one, by a thread beside the training.

    A callback is one run: another `learn` goes on in it, with the steps counted on. `close` ends
    the run, as do the end of a `with` block and of the program. Under `jax.vmap` and
    `jax.shard_map` each lane of `learn` is a run of its own. A run has a folder, `log_dir/name`,
    with `run.json`, `metrics.jsonl` and its recordings, whatever backends there are.

    Nothing that goes wrong with logging stops a training: it is a `RenderWarning`.

    Args:
        backend: Where to log: one backend or a list of them.
        name: The run's name, made safe as the name of a folder; `/` in it makes folders in folders.
            `{time}`, `{env}`, `{algorithm}`, `{policy}` and `{seed}` in it are filled in when its
            training starts. `None` is `{algorithm}_{policy}_{env}_{time}`. Where there is a run of
            that name, it becomes `name-2`, with a warning. Where `learn` has several lanes, `_0`,
            `_1` and so on follow.
        log_dir: The folder that runs' folders are in. `None` takes that of the first backend that
            has one, as `TensorBoardBackend` has, and else `logs`.
        resume: Whether to go on in the run of that name where there is one: its steps are counted
            on, and nothing in it is replaced. The policy is the one that `learn` is given.
        metrics_file: Whether the run's folder has `metrics.jsonl`.
        env: The environment, to be told at once if there can be no videos of it.
        policy: Not used; here so that this callback can take the place of Lerax's own.
        alpha: Weight of the newest episode in the moving averages, above 0 and at most 1.
        hparams: Hyperparameters of your own, which come first and take precedence; mappings may be
            nested.
        scalars: Values of your own: a function that is traced into `learn`, is given what Lerax
            knows at the end of an iteration (its `locals` has the rollout), and returns scalars by
            tag. They take precedence. `learn` is compiled once for each such function.
        step_scalars: Values of your own for each step, such as the terms of a reward: a function
            that is traced, is given a `Transition`, and returns scalars by tag. Their mean over the
            steps and environments of an iteration is logged.
        log_interval: Least number of iterations that are sent together. Iterations shorter than
            0.05 s are sent together anyway. None is left out.
        eval_episodes: Number of whole episodes that the policy is evaluated with, beside the
            training: they run together in one compiled program. Mean, standard deviation, least
            and greatest of their returns and lengths are logged as `eval/return`,
            `eval/return_std`, `eval/return_min`, `eval/return_max` and `eval/length` likewise, and
            as `eval/truncated` the share of those that were cut short. `None` takes the whole
            episodes of the clip.
        eval_interval: Iterations from one evaluation to the next (default: `video_interval`); the
            first is before the training, and the last after it.
        eval_deterministic: Whether the policy takes its most likely action in evaluations.
        eval_env: The environment of evaluations (default: that of the training).
        eval_seed: A seed that all evaluations have in common; by default each has its own.
        eval_max_steps: Number of actions after which an episode of an evaluation is cut short.
        video_interval: Iterations from one recording to the next; 0 records nothing.
        video_pick: Which episodes of an evaluation are recorded, as they were counted: `"worst
            median best"`, or as for `pick` of `lerax_render.record`. With none, a clip shows
            `video_num_steps` steps of other episodes.
        video_num_steps: Environment steps in a clip, one frame each.
        video_deterministic: Whether the policy takes its most likely action in recordings. By
            default it acts as it does in the training, exploration included (DQN's epsilon, the
            noise of DDPG and TD3), so that `eval/return` compares with `episode/return`.
        video_width: Width of a clip in pixels (default 640).
        video_height: Height of a clip in pixels (default 480).
        video_fps: Frames a second of a clip. A GIF plays at the nearest rate that GIFs have: 50,
            33.3, 25, 20 and so on.
        video_camera: MuJoCo only; as for `lerax_render.record`.
        video_background: Likewise.
        video_picture: All of what a picture looks like: several cameras, quality, what is shown.
        video_grid: Rows and columns of a picture with that many environments in it.
        video_overlay: Whether to write the training step and the episode's return on the frames.
        video_keep: Whether to keep each recording in the run's folder, too: as an MP4 file in
            `videos/`, and as a replay in `replays/`, from which it can be painted anew.
        video_policy: Whether to keep the policy of each recording as well, in `policies/`.
        video_most_bytes: Size limit of all that is kept of recordings, including what a page of
            the run has of them. Beyond it, recordings are removed in such a way that the others
            stay spread over the training.
        video_mode: What happens when the thread cannot keep up: with `"drop"`, painting waits until
            there is time, and policies that have not acted yet are thinned so that those that stay
            are spread over the training; with `"block"`, the training waits.
        video_time_limit: Seconds after which a recording is given up, with a warning that says
            where it was, and the next is made. The first one also compiles, which takes a minute
            for a humanoid. `None` waits for ever.
        video_finish_s: Seconds that painting may go on when the run is closed. What is not painted
            by then is kept as a replay, which `lerax-render paint` paints. `None` paints all.
        record_when: Which recordings to make: `"always"` all of them, `"best"` those with a higher
            `episode/return` than every recording before; or a function that is given the
            iteration's scalars, by tag, and returns whether to record. It is called on the host; if
            it raises, nothing is recorded there, with a warning.

    Raises:
        RuntimeError: It is constructed in a function that JAX is tracing.
        TypeError: An argument has the wrong type.
        ValueError: An argument is out of its range; or, with `env`, the picture is one that this
            environment has not, such as that of a camera that its model lacks. Without `env`, that
            is raised when `learn` is traced.
    """

    handle: host.Handle
    alpha: float = eqx.field(static=True)
    log_interval: int = eqx.field(static=True)
    video_interval: int = eqx.field(static=True)
    video_deterministic: bool = eqx.field(static=True)
    evaluation: EvalOptions | None = eqx.field(static=True)
    eval_env: Any
    scalars: Scalars | None = eqx.field(static=True)
    step_scalars: StepScalars | None = eqx.field(static=True)
    video_lanes: int | None = eqx.field(static=True)

    def __init__(
        self,
        backend: AbstractLoggingBackend | Sequence[AbstractLoggingBackend],
        *,
        name: RunName | None = None,
        log_dir: str | os.PathLike[str] | None = None,
        resume: bool = False,
        metrics_file: bool = True,
        env: Any | None = None,
        policy: Any | None = None,
        alpha: Weight = 0.9,
        hparams: Names | None = None,
        scalars: Scalars | None = None,
        step_scalars: StepScalars | None = None,
        log_interval: Annotated[int, between(1)] = 1,
        eval_episodes: Count | None = None,
        eval_interval: Count | None = None,
        eval_deterministic: bool = False,
        eval_env: Any | None = None,
        eval_seed: Annotated[int, between(0, LARGEST_SEED)] | None = None,
        eval_max_steps: Count = 1000,
        video_interval: Annotated[int, between(0)] = 0,
        video_pick: Picks = (),
        video_num_steps: Count = 256,
        video_deterministic: bool = False,
        video_width: Pixels | None = None,
        video_height: Pixels | None = None,
        video_fps: Rate = 50.0,
        video_camera: CameraLike | None = None,
        video_background: Background | None = None,
        video_picture: Picture | None = None,
        video_grid: GridShape | None = None,
        video_overlay: bool = True,
        video_keep: bool = True,
        video_policy: bool = False,
        video_most_bytes: ByteSize = 2_000_000_000,
        video_mode: Literal["drop", "block"] = "drop",
        video_time_limit: Seconds | None = 600.0,
        video_finish_s: Seconds | None = 300.0,
        record_when: RecordWhen = "always",
    ) -> None:
        given = dict(locals())
        if isinstance(video_pick, str):
            given["video_pick"] = [parsed_pick(word) for word in video_pick.split()]
        if isinstance(jnp.zeros(()) + 1, jax.core.Tracer):
            raise RuntimeError(
                "a LoggingCallback was constructed in a function that JAX is tracing, where it "
                "would be constructed once for many runs: construct it outside of jax.jit and the "
                "like, and pass it in or close over it"
            )
        backends = FanOut(backend)
        runs_dir = local_folder(backends.log_dir or "logs" if log_dir is None else log_dir)
        if metrics_file:
            backends = backends.behind(JsonLinesBackend(runs_dir))
        options = {
            name: checked(name, kind, given[name])
            for name, kind in get_type_hints(LoggingCallback.__init__, include_extras=True).items()
            if name not in ("backend", "log_dir", "env", "eval_env", "policy", "return")
        }
        if options["resume"]:
            host.check_resumable(options["name"])
        self.alpha = options["alpha"]
        self.log_interval = options["log_interval"]
        # Without a backend that takes videos, and a folder, there is nobody to make them for.
        is_wanted = backends.video_formats or options["video_keep"]
        self.video_interval = options["video_interval"] if is_wanted else 0
        self.video_deterministic = options["video_deterministic"]
        self.evaluation = EvalOptions.of(options)
        if eval_env is not None:
            check_env("LoggingCallback", eval_env)
        self.eval_env = eval_env
        self.scalars = options["scalars"]
        self.step_scalars = options["step_scalars"]
        self.video_lanes = None if video_grid is None else math.prod(options["video_grid"])
        videos = VideoOptions.of(options, self.video_interval, self.evaluation)
        session = host.Session(
            backends,
            name=options["name"],
            log_dir=runs_dir,
            resume=options["resume"],
            videos=videos if self.video_interval or self.evaluation else None,
            hparams=traced.flattened(options["hparams"] or {}),
        )
        self.handle = host.Handle.of(session)
        if env is not None and self.video_interval:
            from .recordings import check_wish

            check_wish(env, videos.clip)

    def close(self) -> None:
        """End the run: wait for what is under way, and close every backend. May be called twice."""
        self._session().close()

    @property
    def run_names(self) -> tuple[str, ...]:
        """Names of the runs that are open: one, or one for each lane of `learn`."""
        return self._session().run_names

    def log(self, scalars: Mapping[str, float], step: int | None = None) -> None:
        """Log values of your own to every open run, from outside of the training.

        Args:
            scalars: Numbers by tag, or arrays of one number.
            step: Environment steps that they belong to. `None` is the newest that was logged.

        Raises:
            RuntimeError: No run is open, since no training has begun or it was closed; or JAX is
                tracing (there, `scalars=` of the callback is the way).
            TypeError: A value is no number.
        """
        self._session().log(
            {tag: traced.number(tag, value) for tag, value in scalars.items()}, step
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: object, error: BaseException | None = None, traceback: object = None
    ) -> None:
        self._session().close(error)

    def reset(self, ctx: ResetContext, *, key: jax.Array) -> LoggingState:
        """Return the state before the training starts."""
        host.announce(self.handle, "tracing")
        return LoggingState(
            learn=jnp.asarray(host.NO_LEARN, jnp.int32),
            last_iteration=jnp.zeros((), jnp.int32),
            outbox=Outbox.empty(self.log_interval),
        )

    def step_reset(self, ctx: ResetContext, *, key: jax.Array) -> StepState:
        """Return the state of an environment before its first step."""
        return StepState.initial(ctx, self.step_scalars)

    def on_step(self, ctx: StepContext[Any], *, key: jax.Array) -> StepState:
        """Take in one step of one environment."""
        state: StepState = ctx.state
        return state.advanced(ctx, self.alpha, self.step_scalars)

    def on_training_start(self, ctx: TrainingContext[Any, Any], *, key: jax.Array) -> LoggingState:
        """Open the run, or go on in it."""
        algorithm = traced.algorithm_of(ctx)
        hparams, traced_hparams = traced.hparams_of(ctx)
        start = host.Start(
            algorithm=type(algorithm).__name__,
            policy=traced.name_of(ctx.policy),
            env=traced.name_of(ctx.env),
            hparams=hparams,
            traced_hparams=tuple(traced_hparams),
            env_skeleton=Skeleton(ctx.env) if self.video_interval else None,
            steps_an_iteration=algorithm.num_envs * algorithm.num_steps,
        )
        learn = traced.numbered(
            partial(host.open_learns, start),
            list(traced_hparams.values()),
            traced.witnesses(key, ctx.env, ctx.policy),
            (self.handle.number, start.env_skeleton.arrays(ctx.env) if start.env_skeleton else []),
        )
        last_iteration = algorithm.num_iterations(ctx.total_timesteps)
        state: LoggingState = ctx.state
        session = self.handle.traced_session
        if session is not None and session.clip is not None:
            from .recordings import check_traced_wish

            check_traced_wish(ctx.env, session.clip)
        template = self._template(ctx)
        if template is not None:
            jax.debug.callback(
                partial(host.record_first, template),
                learn,
                jr.bits(key, dtype=jnp.uint32),
                template.skeleton.arrays((ctx.env, ctx.policy, self.eval_env)),
            )
        return replace(
            state,
            learn=learn,
            last_iteration=jnp.asarray(last_iteration, jnp.int32),
            template=template,
        )

    def on_iteration(self, ctx: IterationContext[Any, Any], *, key: jax.Array) -> LoggingState:
        """Send what the iteration reports; where a recording is due, what it takes as well."""
        state: LoggingState = ctx.state
        steps: StepState = ctx.step_state
        stats = steps.episodes
        iteration = jnp.asarray(ctx.iteration_count, jnp.int32)
        is_last = iteration == state.last_iteration
        scalars = traced.scalars_of(ctx, self.scalars) | steps.means(ctx)
        layout = Layout(tags=tuple(scalars), num_envs=stats.steps.size)
        packet = layout.pack(
            learn=state.learn,
            iteration=iteration,
            last_iteration=state.last_iteration,
            env_steps=stats.steps.reshape(-1)[0],
            episodes=stats.averages(),
            scalars=scalars,
        )
        template = state.template
        if template is not None:
            recorded = (ctx.env, ctx.policy, self.eval_env)
            if not template.skeleton.is_of(recorded):
                template = self._template(ctx)
            intervals = (self.video_interval, self.evaluation.interval if self.evaluation else 0)
            lax.cond(
                reduce(or_, (iteration % each == 0 for each in intervals if each), is_last),
                lambda: jax.debug.callback(
                    partial(host.record, layout, template),
                    packet,
                    # Twice as wide by default under jax_enable_x64, and too wide for a seed.
                    jr.bits(key, dtype=jnp.uint32),
                    template.skeleton.arrays(recorded),
                ),
                lambda: None,
            )
        send = partial(traced.answered, partial(host.receive, layout, self.log_interval))
        return replace(state, outbox=state.outbox.sent(send, packet, iteration, is_last))

    def on_training_end(self, ctx: TrainingContext[Any, Any], *, key: jax.Array) -> LoggingState:
        """Say that everything has been sent."""
        state: LoggingState = ctx.state
        # What is computed last ties the call to the end of the training; and without the outbox's
        # answer, nobody would need what is sent.
        outbox = state.outbox
        jax.debug.callback(
            host.end, state.learn, outbox.packets, outbox.due, *traced.witnesses(ctx.policy)
        )
        # Nothing of `learn` is traced after this.
        host.announce(self.handle, "compiling")
        return state

    def continue_training(self, ctx: IterationContext[Any, Any], *, key: jax.Array) -> jax.Array:
        """Return true: logging ends no training."""
        return jnp.asarray(True)

    def apply_curriculum(self, state: Any, callback_state: Any) -> tuple[Any, Any]:
        """Return both as they are. Lerax 0.0.6 asks for this, 0.0.5 does not know it."""
        return state, callback_state

    def _template(self, ctx: TrainingContext[Any, Any] | IterationContext[Any, Any]) -> Any:
        if not self.video_interval and self.evaluation is None:
            return None
        # Here, because logging without videos needs nothing of it.
        from .recordings import Template

        return Template(
            ctx.env,
            ctx.policy,
            self.video_deterministic,
            self.video_lanes,
            # Episodes that were counted are shown instead.
            records=bool(self.video_interval and not (self.evaluation and self.evaluation.pick)),
            evaluation=self.evaluation,
            eval_env=self.eval_env,
        )

    def _session(self) -> host.Session:
        if self.handle.session is None:
            raise RuntimeError(
                "this LoggingCallback is being traced or mapped: use the one that was constructed"
            )
        return self.handle.session
