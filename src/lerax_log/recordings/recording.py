"""One recording: a rollout of the policy as it is now, its clips, and what it scored."""

import copy
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from statistics import fmean
from typing import Any

import equinox as eqx
import jax
import numpy as np
from jax import random as jr

from lerax_render.acting import PreparedRollout
from lerax_render.compose import Composition, Line
from lerax_render.making import film
from lerax_render.replay import Replay, episodes_in
from lerax_render.sources import CompiledSource, HostSource, Source, find_source
from lerax_render.video import Video, VideoWriter, ffmpeg

from ..traced import Skeleton
from .options import ClipSettings

GIF_WIDTH = 480
"""Widest GIF in pixels: TensorBoard's panels are about 350 wide, and every GIF is loaded whole."""


class Template:
    """What does not change in an environment and a policy, and their rollout, lowered.

    Made while `learn` is traced: lowering a MuJoCo rollout takes seconds of Python, which in a
    thread beside the training would hold it up as long. Compiling takes longer and does not.

    Args:
        env: The environment; its arrays may be traced.
        policy: The policy; its arrays may be traced.
        deterministic: Whether the policy takes its most likely action.
    """

    def __init__(self, env: Any, policy: Any, deterministic: bool = False) -> None:
        self.skeleton = Skeleton((env, policy))
        self._deterministic = deterministic
        with jax.default_device(_host_device()):
            self._prepared = _prepared(env, policy, deterministic)

    def snapshot(self, arrays: Any, seed: int, step: int) -> "Snapshot":
        """Return a snapshot of the environment and the policy with these arrays."""
        return Snapshot(self, arrays, seed, step)

    def replays(
        self, source: Source, env: Any, policy: Any, steps: int, seed: int
    ) -> Iterator[list[Replay]]:
        """Yield a rollout of environment and policy in parts, compiled once for all recordings."""
        key = jr.key(seed)
        if self._prepared is not None and self._prepared[0] == source:
            known, rollout = self._prepared
            return known.replays_from(env, rollout.chunks(env, policy, steps=steps, key=key))
        return source.replays(env, policy, steps=steps, key=key, deterministic=self._deterministic)


@dataclass(frozen=True)
class Snapshot:
    """Environment and policy at one moment of the training.

    Attributes:
        template: What does not change in them.
        arrays: The arrays of both, on the host's device.
        seed: Seed of the rollout.
        step: Environment steps that the training has taken.
    """

    template: Template
    arrays: Any
    seed: int
    step: int


@dataclass(frozen=True)
class Recorded:
    """A finished recording.

    Attributes:
        videos: The clip by format.
        scalars: `eval/return` and `eval/length`.
        view: Where the camera stood, for the next recording, or `None` where there is no choice.
    """

    videos: Mapping[str, Video]
    scalars: Mapping[str, float]
    view: Any | None


class Attempt:
    """The writers of one recording, which another thread can give up."""

    def __init__(self) -> None:
        self._writers: list[VideoWriter] = []
        self._given_up = False
        self._lock = threading.Lock()

    def take(self, writers: Iterable[VideoWriter]) -> None:
        """Take writers, not entered yet; after `give_up` they will refuse to write."""
        with self._lock:
            self._writers += writers
        if self._given_up:
            self.give_up()

    def give_up(self) -> None:
        """Free what the writers hold; no clip comes of them any more."""
        with self._lock:
            self._given_up = True
            writers = list(self._writers)
        for writer in writers:
            writer.abandon()


def record_clips(
    snapshot: Snapshot,
    settings: ClipSettings,
    formats: frozenset[str],
    mp4_path: Path | None,
    attempt: Attempt,
    view: Any | None = None,
) -> Recorded:
    """Record the policy of a snapshot, painting each frame once for all formats.

    Args:
        snapshot: Environment and policy.
        settings: What the clips look like.
        formats: Formats to encode in.
        mp4_path: File to keep the clip in as an MP4; its folder is made. `None` keeps no file.
        attempt: Takes the writers.
        view: That of the recordings before, so that all of a run can be compared.

    Raises:
        RenderError: As `lerax_render.record`.
    """
    env, policy = snapshot.template.skeleton.restore(snapshot.arrays)
    with jax.default_device(_host_device()):
        source = find_source(env)
        if isinstance(source, HostSource):
            # Stepping the environment itself would move it under the training's feet.
            env = copy.deepcopy(env)
        scene = source.scene(env)
        scores = Scores()
        title = f"training step {snapshot.step:,}"
        overlay: Sequence[Line] = ()
        if settings.overlay:
            overlay = (lambda _: title, "return", "episode")
        if mp4_path is not None:
            mp4_path.parent.mkdir(parents=True, exist_ok=True)
        targets: dict[str, Path | None] = dict.fromkeys(sorted(formats))
        if mp4_path is not None:
            targets["mp4"] = mp4_path
        writers = {
            format: VideoWriter(
                target,
                Fraction(settings.fps).limit_denominator(100_000),
                format=format,
                width=settings.width,
                height=settings.height,
                pixel_format=scene.pixel_format,
                max_width=GIF_WIDTH if format == "gif" else None,
            )
            for format, target in targets.items()
        }
        attempt.take(writers.values())
        view = film(
            [scene],
            snapshot.template.replays(source, env, policy, settings.steps, snapshot.seed),
            list(writers.values()),
            Composition(settings.width, settings.height, settings.fps, overlay),
            settings.picture,
            on_part=lambda lanes: scores.add(lanes[0]),
            before=view,
        )
    videos = {format: writer.video for format, writer in writers.items()}
    return Recorded(videos, scores.scalars(), view)


def check_recordable(env: Any, settings: ClipSettings) -> None:
    """Raise what a recording of `env` would raise before its first frame.

    Raises:
        UnsupportedEnvError: Nothing can draw the environment.
        BackendUnavailableError: ffmpeg, a GL platform or a package is missing.
        ValueError: The camera does not fit the environment.
    """
    with jax.default_device(_host_device()):
        scene = find_source(env).scene(env)
        scene.painter(settings.picture, pixel_format=scene.pixel_format).close()
    ffmpeg.version()


class Scores:
    """Returns and lengths of the episodes of a rollout."""

    def __init__(self) -> None:
        self._steps: list[tuple[Any, Any, Any]] = []

    def add(self, part: Replay) -> None:
        """Take in the next steps."""
        ends = np.asarray(part.terminated) | np.asarray(part.truncated)
        self._steps.append((part.rewards, ends, part.episode_starts))

    def scalars(self) -> dict[str, float]:
        """Return the averages over finished episodes.

        Where none has finished, the unfinished one counts with what it has so far: clips of one
        length of an environment that does not end compare all the same.
        """
        columns = (np.concatenate(column) for column in zip(*self._steps, strict=True))
        episodes = episodes_in(*columns)
        counted = [episode for episode in episodes if episode.is_whole] or episodes[-1:]
        return {
            "eval/return": fmean(episode.episode_return for episode in counted),
            "eval/length": fmean(episode.length for episode in counted),
        }


def _prepared(
    env: Any, policy: Any, deterministic: bool
) -> tuple[CompiledSource, PreparedRollout] | None:
    """Lower the rollout where the kind of environment shows without the values of its arrays."""
    arrays, static = eqx.partition(env, eqx.is_array)
    found: list[Source] = []

    def look(arrays: Any) -> None:
        # Arithmetic on constants, such as a renderer's transform, gives constants.
        with jax.ensure_compile_time_eval():
            found.append(find_source(eqx.combine(arrays, static)))

    try:
        # In a trace of its own, which leaves nothing in the trace of `learn`.
        jax.eval_shape(look, arrays)
        (source,) = found
        if not isinstance(source, CompiledSource):
            return None
        rollout = PreparedRollout(
            env, policy, capture=source.traced_capture, deterministic=deterministic
        )
        return source, rollout
    except Exception:
        # The worker finds out with concrete arrays, or reports why it cannot.
        return None


def _host_device() -> jax.Device:
    # Where JAX puts what it hands to callbacks.
    return jax.local_devices(backend="cpu")[0]
