"""MuJoCo scenes in a file: the compiled model, the poses, and what changes in the model."""

import hashlib
import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import mujoco
import numpy as np

from ..mujoco import MODEL_FIELDS, MujocoScene, Pose
from ..system import Trial
from ..trees import row
from ..video import WorkFolder
from .archive import MAX_BYTES, Archive, ArchiveWriter
from .contents import Scene, Tree, steps_of
from .model_trial import SECONDS

_FILE = "scene.mjb"
_BESIDE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,200}")
_NUMBERS = re.compile(r"\d{1,5}(\.\d{1,5}){1,3}([a-z]{1,4}\d{1,5})?")
# What was written or tried here: the same bytes need not be tried again.
_tried: set[str] = set()


def put_scene(archive: ArchiveWriter, scene: MujocoScene, beside: Path | None) -> Scene:
    """Add the compiled model, or put it into a folder under its own name."""
    content = compiled(scene)
    digest = hashlib.sha256(content).hexdigest()
    _tried.add(digest)
    said = Scene("mujoco", sha256=digest, mujoco=mujoco.mj_versionString())
    if beside is None:
        said.file = archive.add(_FILE, content)
        return said
    said.path = f"scene-{digest[:16]}.mjb"
    shared = beside / said.path
    if not shared.is_file() or shared.stat().st_size != len(content):
        with WorkFolder(beside) as folder:
            (folder / said.path).write_bytes(content)
            os.replace(folder / said.path, shared)
    return said


def compiled(scene: MujocoScene) -> bytes:
    """Return the compiled model, as an MJB file has it."""
    buffer = np.empty(mujoco.mj_sizeModel(scene.model), np.uint8)
    mujoco.mj_saveModel(scene.model, None, buffer)
    return buffer.tobytes()


def put_captured(archive: ArchiveWriter, name: str, captured: Pose) -> Tree:
    """Add poses, each field by its name.

    `changes` is left out where there are none. Else it has `row`, `int32 (T,)`, which change there
    is at each step, -1 for none; and for each field that is in one `FIELD`, `(n, ...)`, its values,
    and `FIELD.row`, `int32 (n,)`, the change that each of them belongs to.
    """
    *fields, changes = captured
    named: dict[str, Any] = {
        field: archive.add_array(f"{name}/{field}", np.asarray(array))
        for field, array in zip(Pose._fields, fields, strict=False)
    }
    if changes is None or all(change is None for change in changes):
        return named
    places: dict[int, int] = {}
    different: list[dict[str, np.ndarray]] = []
    rows = np.full(len(changes), -1, np.int32)
    for step, change in enumerate(changes):
        if change is not None:
            if id(change) not in places:
                places[id(change)] = len(different)
                different.append(change)
            rows[step] = places[id(change)]
    named["changes"] = {"row": archive.add_array(f"{name}/changes/row", rows)}
    for field in MODEL_FIELDS:
        having = [place for place, change in enumerate(different) if field in change]
        if having:
            values = np.stack([np.asarray(different[place][field]) for place in having])
            at = f"{name}/changes/{field}"
            named["changes"][field] = archive.add_array(at, values)
            named["changes"][f"{field}.row"] = archive.add_array(
                f"{at}.row", np.array(having, np.int32)
            )
    return named


def take_scene(archive: Archive, scene: Scene) -> MujocoScene:
    """Return the scene, whose model has been tried in a process of its own before.

    Raises:
        RenderError: There is no model that this MuJoCo loads.
    """
    needed, ours = scene.mujoco, mujoco.mj_versionString()
    if not needed or not _NUMBERS.fullmatch(needed):
        raise archive.error("does not say which MuJoCo its model was compiled by")
    if needed != ours:
        raise archive.error(
            f"needs MuJoCo {needed}, since a compiled model opens only where it was compiled, and "
            f"this is MuJoCo {ours}. This renders it: uvx --with mujoco=={needed} lerax-render "
            f"clip {shlex.quote(archive.name)}"
        )
    content = archive.read(scene.file) if scene.file else _beside(archive, scene.path)
    digest = hashlib.sha256(content).hexdigest()
    if digest != scene.sha256:
        raise archive.error("is damaged: the checksum of its model is another")
    if digest not in _tried:
        _try(archive, content)
        _tried.add(digest)
    try:
        return MujocoScene(mujoco.MjModel.from_binary_path(_FILE, {_FILE: content}))
    except (ValueError, MemoryError, mujoco.FatalError) as error:
        raise archive.error(f"has a model that MuJoCo does not load: {error}") from error


def take_captured(
    archive: Archive, scene: MujocoScene, named: Tree, steps: int
) -> tuple[Pose, int]:
    """Return the poses, and how many of them are not finite.

    Raises:
        RenderError: They are none of this model.
    """
    take = steps_of(archive, steps)
    if not isinstance(named, dict):
        raise archive.error("has no poses")
    sizes, own = mujoco.MjData(scene.model), {}
    for field in Pose._fields[:-1]:
        array = take(named.get(field))
        wanted = np.shape(getattr(sizes, field))
        kind = "b" if field == "eq_active" else "f"
        if array.shape[1:] != wanted or array.dtype.kind not in f"{kind}u":
            raise archive.error(
                f"has {field} of shape {array.shape[1:]}, and its model needs {wanted}"
            )
        own[field] = array
    changes = _taken_changes(archive, scene.model, named.get("changes"), take)
    pose = Pose(**own, changes=changes)
    return pose, count_lacking(pose)


def count_lacking(captured: Pose) -> int:
    """Return how many poses are not finite, so that nothing can be shown of them."""
    finite = np.ones(len(captured.time), bool)
    for field in (captured.qpos, captured.mocap_pos, captured.mocap_quat):
        array = np.asarray(field)
        inside = np.abs(array) < mujoco.mjMAXVAL
        finite &= inside.reshape(len(finite), -1).all(axis=1)
    return int((~finite).sum())


def _taken_changes(archive: Archive, model: mujoco.MjModel, named: Any, take: Any) -> Any:
    if named is None:
        return None
    if not isinstance(named, dict):
        raise archive.error("has changes of its model that are none")
    rows = take(named.get("row"))
    fields = [name for name in named if name != "row" and not name.endswith(".row")]
    if rows.dtype != np.int32 or rows.ndim != 1 or not set(fields) <= set(MODEL_FIELDS):
        raise archive.error("has changes of its model that are none")
    count = int(rows.max()) + 1
    if rows.min() < -1 or count > len(rows):
        raise archive.error("has changes of its model that are none")
    different: list[dict[str, np.ndarray]] = [{} for _ in range(count)]
    for field in fields:
        values, of = archive.array(named[field]), archive.array(named.get(f"{field}.row"))
        fits = values.shape == (len(of), *np.shape(getattr(model, field))) and len(of) <= count
        if not fits or of.dtype != np.int32 or of.ndim != 1 or values.dtype.kind != "f":
            raise archive.error(f"has changes of {field} that do not fit its model")
        if not ((of >= 0) & (of < count)).all() or not np.isfinite(values).all():
            raise archive.error(f"has changes of {field} that do not fit its steps")
        for place, value in zip(of.tolist(), values, strict=True):
            different[place][field] = value
    return row(None if place < 0 else different[place] for place in rows.tolist())


def _beside(archive: Archive, path: str | None) -> bytes:
    """Return the model in a file beside the replay's, which several share."""
    if not path or not _BESIDE.fullmatch(path) or archive.folder is None:
        raise archive.error("has no model in it, and names none beside it")
    file = archive.folder / path
    try:
        if not file.is_file() or file.stat().st_size > MAX_BYTES:
            raise archive.error(f"needs its model in {str(file)!r}, which is no such file")
        return file.read_bytes()
    except OSError as error:
        raise archive.error(f"needs its model in {str(file)!r}: {error}") from error


def _try(archive: Archive, content: bytes) -> None:
    """Load a model in a process that may end by it."""
    with WorkFolder() as folder:
        file = Path(folder) / _FILE
        file.write_bytes(content)
        command = [sys.executable, "-m", f"{__package__}.model_trial", str(file)]
        with Trial(command, SECONDS) as trial:
            try:
                done = trial.result()
            except subprocess.TimeoutExpired:
                raise archive.error(f"has a model that is not loaded after {SECONDS:g} s") from None
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        raise archive.error(f"has a model that ends MuJoCo ({name}): it is damaged, or malicious")
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["nothing was said"])[-1][:200]
        raise archive.error(f"has a model that MuJoCo does not load: {said}")
