"""One recording: the policy of one moment acts, is scored, and what happened becomes clips."""

import copy
import math
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

import jax
import numpy as np

from lerax_render.making import Picked, captured_first, film_recording, origin_of, parts_of
from lerax_render.replay import Replay, episodes_in, joined, lengthened
from lerax_render.scene import Scene
from lerax_render.settings import Settings
from lerax_render.sources import HostSource, find_source
from lerax_render.video import Video, VideoWriter, WorkFolder, ffmpeg

from .template import Snapshot, host_device


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


@dataclass(frozen=True)
class Acted:
    """What a policy did, not painted yet.

    Attributes:
        step: Environment steps that it had been trained for.
        policy: It.
        scenes: One for each lane.
        replays: All of it, one for each lane; `None` where it is too long to be held, or is pixels.
        parts: Part by part, to be gone through once.
        scores: What it earned, once all parts are gone through; `None` where that was counted.
    """

    step: int
    policy: Any
    scenes: Sequence[Scene]
    replays: Sequence[Replay] | None
    parts: Iterable[Sequence[Replay]]
    scores: "Scores | None"


def evaluate(snapshot: Snapshot) -> Picked:
    """Run whole episodes of the policy of a snapshot, which has an evaluation.

    Raises:
        RenderError: As `lerax_render.capture`.
    """
    env, policy, eval_env = snapshot.template.skeleton.restore(snapshot.arrays)
    evaluation = snapshot.template.evaluation
    assert evaluation is not None
    with jax.default_device(host_device()):
        return evaluation.run(env if eval_env is None else eval_env, policy, snapshot.seed)


def show(snapshot: Snapshot, settings: Settings, picked: Sequence[Replay]) -> Acted:
    """Return episodes of an evaluation, to be painted one after the other, or in a grid's tiles.

    Args:
        snapshot: Of the policy that acted.
        settings: Of the clip.
        picked: The episodes.
    """
    _, policy, _ = snapshot.template.skeleton.restore(snapshot.arrays)
    origin = replace(picked[0].origin, training_step=snapshot.step)
    lanes = [replace(replay, origin=origin) for replay in picked]
    if settings.grid is None:
        lanes = [joined(lanes)]
    longest = max(lane.steps for lane in lanes)
    lanes = [lengthened(lane, longest) for lane in lanes]
    scenes = [lane.scene for lane in lanes]
    replays = lanes if scenes[0].has_steps else None
    return Acted(snapshot.step, policy, scenes, replays, parts_of(lanes), None)


def act(snapshot: Snapshot, settings: Settings) -> Acted:
    """Let the policy of a snapshot act, and capture it where that is possible.

    Args:
        snapshot: Environment and policy.
        settings: Of the clip.

    Raises:
        RenderError: As `lerax_render.capture`.
    """
    env, policy, _ = snapshot.template.skeleton.restore(snapshot.arrays)
    with jax.default_device(host_device()):
        source = find_source(env)
        if isinstance(source, HostSource):
            # Stepping the environment itself would move it under the training's feet.
            env = copy.deepcopy(env)
        scene = source.scene(env)
        scenes = [scene] * math.prod(settings.grid or (1,))
        scores = Scores()
        parts: Iterator[Sequence[Replay]] = _on_host_device(
            snapshot.template.replays(source, env, policy, settings.length, snapshot.seed)
        )
        if not scene.has_steps:
            return Acted(snapshot.step, policy, scenes, None, parts, scores)
        held, parts = captured_first(parts)
        if held.goes_on:
            return Acted(snapshot.step, policy, scenes, None, parts, scores)
        origin = replace(origin_of(env, policy, snapshot.seed), training_step=snapshot.step)
        scene = scene.kept()
        replays = [
            replace(joined(lane), scene=scene, origin=origin)
            for lane in zip(*held.parts, strict=True)
        ]
        scores.add(replays)
    return Acted(snapshot.step, policy, [scene] * len(replays), replays, parts_of(replays), scores)


def paint(
    acted: Acted,
    settings: Settings,
    targets: Mapping[str, Path | None],
    attempt: Attempt,
    view: Any | None = None,
) -> tuple[Mapping[str, Video], Any | None]:
    """Paint what a policy did once, for all formats.

    Args:
        acted: What it did; the scores are complete afterwards.
        settings: What the clip looks like.
        targets: File to write by format; `None` keeps the clip in memory.
        attempt: Takes the writers.
        view: That of the recordings before, so that all of a run can be compared.

    Returns:
        The clips by format, and where the camera stood.

    Raises:
        RenderError: As `lerax_render.record`.
    """
    return film_recording(
        acted.scenes,
        acted.parts,
        acted.step,
        settings,
        targets,
        on_writers=attempt.take,
        on_part=acted.scores.add if acted.replays is None and acted.scores else None,
        before=view,
    )


def of_replays(replays: Sequence[Replay], step: int) -> Acted:
    """Return what a policy did from its replays."""
    scenes = [replay.scene for replay in replays]
    return Acted(step, None, scenes, replays, parts_of(replays), Scores())


def check_recordable(env: Any, settings: Settings) -> None:
    """Raise what a recording of `env` would raise before its first frame.

    Raises:
        UnsupportedEnvError: Nothing can draw the environment.
        BackendUnavailableError: ffmpeg, a GL platform or a package is missing.
        ValueError: The camera does not fit the environment.
    """
    with jax.default_device(host_device()):
        scene = find_source(env).scene(env)
        scene.painter(settings, pixel_format=scene.pixel_format).close()
    ffmpeg.version()


class Scores:
    """Returns and lengths of the episodes of rollouts side by side."""

    def __init__(self) -> None:
        self._parts: list[list[tuple[Any, Any, Any]]] = []

    def add(self, lanes: Sequence[Replay]) -> None:
        """Take in the next steps of each."""
        self._parts.append(
            [
                (lane.rewards, np.asarray(lane.terminated) | lane.truncated, lane.episode_starts)
                for lane in lanes
            ]
        )

    def scalars(self) -> dict[str, float]:
        """Return the averages over whole episodes.

        Where there is none, what the clip cuts off goes by another tag: clips of one length of an
        environment that does not end compare all the same, and not with whole episodes.
        """
        lanes = [
            episodes_in(*(np.concatenate(column) for column in zip(*parts, strict=True)))
            for parts in zip(*self._parts, strict=True)
        ]
        counted = [episode for episodes in lanes for episode in episodes if episode.is_whole]
        if not counted:
            return {"eval/clip_return": fmean(episodes[-1].episode_return for episodes in lanes)}
        return {
            "eval/return": fmean(episode.episode_return for episode in counted),
            "eval/length": fmean(episode.length for episode in counted),
        }


def _on_host_device(parts: Iterator[list[Replay]]) -> Iterator[list[Replay]]:
    """Yield parts that are computed where JAX puts what it hands to callbacks."""
    while True:
        with jax.default_device(host_device()):
            part = next(parts, None)
        if part is None:
            return
        yield part


def page_of(replays: Sequence[Replay], settings: Settings) -> str:
    """Return a recording as one HTML document to look around in.

    Raises:
        RenderError: As `lerax_render.record`.
    """
    from lerax_render import record

    with WorkFolder() as folder:
        file = folder / "page.html"
        look = {name: getattr(settings, name) for name in ("width", "height", "camera")}
        record(list(replays), file, **look)
        return file.read_text(encoding="utf-8")
