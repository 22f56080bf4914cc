"""Replays to a file, and back."""

import dataclasses
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np

from ..errors import RenderError, UnsupportedEnvError
from ..replay import Episode, Origin, Replay, episodes_in
from ..scene import Scene
from ..video import WorkFolder
from . import contents
from .archive import Archive, ArchiveWriter
from .contents import (
    Contents,
    Lane,
    Whole,
    put_tree,
    read_contents,
    step_counts,
    steps_of,
    taken_tree,
    whole_key,
    wholes_in,
)

# By what a file calls them: the scene's class, and the module that brings it into a file.
_KINDS = {"mujoco": ("MujocoScene", "mujoco_scene"), "2d": ("Scene2D", "drawn_scene")}
_FLAGS = ("terminated", "truncated", "episode_starts")


def check_scenes(scenes: Sequence[Scene]) -> None:
    """Raise unless replays of these scenes go into one file.

    Raises:
        UnsupportedEnvError: They are of a kind that is in no file.
        ValueError: They are several.
    """
    for scene in scenes:
        _module_for(scene)
    first = scenes[0]
    if any(not _are_same(first, scene) for scene in scenes[1:]):
        raise ValueError(
            "the replays have different scenes, and a file has one: save each in a file of its own"
        )


def keep_replays(file: Path, replays: Sequence[Replay]) -> None:
    """Write replays into a file whose scene lies beside it, once for all files in that folder.

    What was there under that name is replaced when the new one is whole.

    Args:
        file: A `*.replay` in a folder that exists.
        replays: Of one scene.

    Raises:
        RenderError: They are too large for one.
        UnsupportedEnvError: Their scene goes into no file.
        OSError: The disk refused it.
    """
    with WorkFolder(file.parent) as folder:
        write_replays(folder / file.name, replays, beside=file.parent)
        os.replace(folder / file.name, file)


def write_replays(file: Path, replays: Sequence[Replay], *, beside: Path | None = None) -> None:
    """Write replays of one scene into a new file.

    Args:
        file: The file.
        replays: Side by side.
        beside: The folder that a scene goes to which is too large to be in each file, and that the
            file will be in; `None` puts it into the file.

    Raises:
        RenderError: They are too large for one.
    """
    module = _module_for(replays[0].scene)
    with ArchiveWriter(file) as archive:
        scene = module.put_scene(archive, replays[0].scene, beside)
        wholes: dict[int, Whole] = {}
        lanes = [
            _put_lane(archive, f"lanes/{number}", module, replay, wholes)
            for number, replay in enumerate(replays)
        ]
        if sum(step_counts(lanes)) > contents.MAX_STEPS:
            raise RenderError(
                f"a replay of more than {contents.MAX_STEPS:,} steps cannot be saved: save parts "
                "of it, replay[a:b], or fewer lanes"
            )
        said = Contents(scene, lanes, archive.sha256)
        archive.finish(msgspec.json.format(msgspec.json.encode(said), indent=1))


def load_replays(file: str | os.PathLike[str] | BinaryIO) -> list[Replay]:
    """Return the replays in a file, which share their scene.

    Args:
        file: A path, or an open binary file.

    Raises:
        RenderError: It is no replay's file, is damaged, has in it what none has, or needs another
            MuJoCo or another lerax-render.
        OSError: It cannot be read.
    """
    with Archive(_place(file)) as archive:
        said = read_contents(archive)
        if said.scene.kind not in _KINDS:
            raise archive.error(f"has a scene of an unknown kind, {said.scene.kind[:80]!r}")
        module = import_module(f"{__package__}.{_KINDS[said.scene.kind][1]}")
        scene = module.take_scene(archive, said.scene)
        wholes = {
            key: module.take_captured(archive, scene, whole.captured, whole.steps)[0]
            for key, whole in wholes_in(said.lanes).items()
        }
        return [_taken_lane(archive, module, scene, lane, wholes) for lane in said.lanes]


@dataclass(frozen=True)
class Description:
    """What is in a replay's file, without a look at its steps.

    Attributes:
        kind: `"mujoco"` or `"2d"`.
        mujoco: The version of MuJoCo that it needs, or `None`.
        lanes: How many replays it has.
        steps: Of the longest.
        seconds_per_step: Simulated seconds, or `None`.
        origin: Of the first.
        episodes: How many there are in all lanes, and how many of them whole; `None` where nothing
            is known of them.
        returns: Of the whole episodes.
        arrays: For each array of the first lane its shape, element type and size in the file in
            bytes, by name.
        scene_bytes: The scene's size in the file.
        num_bytes: The file's size.
    """

    kind: str
    mujoco: str | None
    lanes: int
    steps: int
    seconds_per_step: float | None
    origin: Origin
    episodes: tuple[int, int] | None
    returns: tuple[float, ...]
    arrays: Mapping[str, tuple[tuple[int, ...], str, int]]
    scene_bytes: int
    num_bytes: int


def describe(file: str | os.PathLike[str]) -> Description:
    """Say what is in a file; this needs neither MuJoCo nor JAX.

    Raises:
        RenderError, OSError: As for `load_replays`.
    """
    with Archive(Path(file)) as archive:
        said = read_contents(archive)
        found: list[Episode] = []
        for lane in said.lanes:
            rewards, _, ends, starts = _outcomes(archive, lane)
            if rewards is not None:
                found += episodes_in(rewards, ends, starts)
        first = said.lanes[0]
        arrays = {}
        for name in dict.fromkeys(_names(msgspec.to_builtins(first), archive)):
            array = archive.array(name)
            arrays[name] = (array.shape, str(array.dtype), archive.packed[name])
        return Description(
            said.scene.kind,
            said.scene.mujoco,
            len(said.lanes),
            max(lane.steps for lane in said.lanes),
            first.seconds_per_step,
            _origin(first),
            None if first.rewards is None else (len(found), sum(e.is_whole for e in found)),
            tuple(each.episode_return for each in found if each.is_whole),
            arrays,
            archive.packed.get(said.scene.file or "", 0),
            Path(file).stat().st_size,
        )


def _put_lane(
    archive: ArchiveWriter, name: str, module: Any, replay: Replay, wholes: dict[int, Whole]
) -> Lane:
    """Add a replay, and what it is a part of unless that is among those that are there, by `id`."""
    whole = replay.whole if type(replay.scene).looks_ahead is not Scene.looks_ahead else None
    if whole is not None and id(whole) not in wholes:
        captured = module.put_captured(archive, f"{name}/whole", whole.captured)
        wholes[id(whole)] = Whole(whole.steps, captured)
    outcomes = {
        field: None if array is None else archive.add_array(f"{name}/{field}", np.asarray(array))
        for field in ("rewards", *_FLAGS)
        for array in [getattr(replay, field)]
    }
    origin = replay.origin
    return Lane(
        replay.steps,
        module.put_captured(archive, f"{name}/captured", replay.captured),
        module.count_lacking(replay.captured),
        replay.seconds_per_step,
        actions=put_tree(archive, f"{name}/actions", replay.actions, narrow=True),
        observations=put_tree(archive, f"{name}/observations", replay.observations, narrow=True),
        whole=None if whole is None else wholes[id(whole)],
        origin=contents.Origin(
            origin.env,
            origin.policy,
            None if origin.seed is None else list(origin.seed),
            origin.training_step,
            dict(origin.versions),
        ),
        **outcomes,
    )


def _taken_lane(
    archive: Archive, module: Any, scene: Scene, lane: Lane, wholes: dict[bytes, Any]
) -> Replay:
    captured, lacking = module.take_captured(archive, scene, lane.captured, lane.steps)
    if lacking != lane.not_finite:
        raise archive.error(
            f"has numbers that are NaN or infinite in {lacking} steps, and says {lane.not_finite}"
        )
    seconds = lane.seconds_per_step
    if seconds is not None and not 0 < seconds < 1e9:
        raise archive.error(f"has steps of {seconds:g} s")
    whole = None
    if lane.whole is not None:
        whole = Replay(scene, wholes[whole_key(lane.whole)], seconds)
    rewards, terminated, truncated, starts = _outcomes(archive, lane, joined=False)
    take = steps_of(archive, lane.steps)
    return Replay(
        scene,
        captured,
        seconds,
        rewards,
        terminated,
        truncated,
        starts,
        taken_tree(lane.actions, take),
        taken_tree(lane.observations, take),
        _origin(lane),
        whole,
    )


def _outcomes(archive: Archive, lane: Lane, joined: bool = True) -> Any:
    """Return rewards, terminated, truncated and episode starts; `joined` has ends in the third."""
    names = (lane.rewards, *(getattr(lane, flag) for flag in _FLAGS))
    if all(name is None for name in names):
        return None, None, None, None
    arrays = [steps_of(archive, lane.steps)(name) for name in names]
    kinds = [array.dtype.str[1:] for array in arrays]
    if kinds != ["f4", "b1", "b1", "b1"] or any(array.ndim != 1 for array in arrays):
        raise archive.error("has rewards and ends of episodes that are none")
    rewards, terminated, truncated, starts = arrays
    return rewards, terminated, (terminated | truncated) if joined else truncated, starts


def _origin(lane: Lane) -> Origin:
    said = lane.origin
    seed = None if said.seed is None else tuple(said.seed)
    return Origin(said.env, said.policy, seed, said.training_step, said.versions)


def _names(said: Any, archive: Archive) -> list[str]:
    """Return the names of arrays in what was said of a lane."""
    if isinstance(said, str):
        return [said] if said.endswith(".npy") and said in archive.sizes else []
    parts = said.values() if isinstance(said, dict) else said if isinstance(said, list) else ()
    return [name for part in parts for name in _names(part, archive)]


def _module_for(scene: Scene) -> Any:
    for name, module in _KINDS.values():
        if type(scene).__name__ == name:
            return import_module(f"{__package__}.{module}")
    raise UnsupportedEnvError(
        f"a replay of a {type(scene).__name__} goes into no file: 2D and MuJoCo scenes do"
    )


def _are_same(one: Scene, other: Scene) -> bool:
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    module = _module_for(one)
    if hasattr(module, "compiled"):
        return bool(module.compiled(one) == module.compiled(other))
    return bool(dataclasses.asdict(one) == dataclasses.asdict(other))  # type: ignore[call-overload]


def _place(file: str | os.PathLike[str] | BinaryIO) -> Path | BinaryIO:
    return Path(file) if isinstance(file, str | os.PathLike) else file
