"""A replay of a MuJoCo model as one glTF file, for Blender, slides and model viewers."""

import copy
import math
from collections.abc import Sequence
from typing import Any

import mujoco
import numpy as np

from ...errors import UnsupportedEnvError, warn
from ...mujoco import GLOW, GROUND, Backdrop, MujocoScene, Pose
from ...mujoco.aim import CameraRig, View
from ...mujoco.parts import Look, Trajectory, looks_of, trace
from ...replay import Replay
from ...scene import Scene
from ...settings import Picture
from .bending import add_bending
from .document import Glb
from .motion import Motion, pointing, quaternions_of, relative
from .optics import Eye, Lamp, add_camera, add_cameras, add_lamps, lamps_of
from .surfaces import Surfaces, name_of

_KINDS = mujoco.mjtGeom
_BENDING = (_KINDS.mjGEOM_FLEX.value, _KINDS.mjGEOM_SKIN.value)
# From z up, MuJoCo's, to y up, glTF's; x, y, z, w.
_Y_UP = [-(0.5**0.5), 0.0, 0.0, 0.5**0.5]
# How far what has no end reaches beyond what moves, in sizes of the model.
_BEYOND = 5.0
# Radius of what MuJoCo draws as a line, in sizes of the model.
_THIN = 0.002
# What is told of a step that has no time.
_SECONDS = 0.02
_LOOKS = {
    "cam_fovy",
    *("geom_pos", "geom_quat", "geom_rgba", "geom_size"),
    *("light_ambient", "light_diffuse"),
    *("mat_emission", "mat_rgba", "mat_shininess", "mat_specular"),
    *("site_pos", "site_quat", "site_size"),
}
"""Fields of a model whose changes are not followed; those of bodies are."""


def check_scenes(scenes: Sequence[Scene]) -> None:
    """Raise where scenes cannot become a glTF file.

    Raises:
        UnsupportedEnvError: One is not MuJoCo's.
        ValueError: There are several.
    """
    if not all(isinstance(scene, MujocoScene) for scene in scenes):
        raise UnsupportedEnvError(
            "a glTF file (*.glb) holds a scene in three dimensions, which only MuJoCo environments "
            "and models have: use a video (*.mp4) or a page (*.html)"
        )
    if len(scenes) > 1:
        raise ValueError(
            f"a glTF file (*.glb) holds one replay, got {len(scenes)}: make a file of each"
        )


def make_glb(replay: Replay, picture: Picture, view: View | None = None) -> bytes:
    """Make a binary glTF 2.0 file, with one animation in real time.

    Args:
        replay: What happened, in a `MujocoScene`.
        picture: Its camera and its size are the first camera's, and its background says whether
            the model gets a ground and a light.
        view: What `Scene.aimed` gave, where the camera is chosen by what happens.

    Returns:
        The file. What glTF has no word for is left out, which one `RenderWarning` lists.

    Raises:
        UnsupportedEnvError: The scene is not MuJoCo's.
        ValueError, TypeError: The model has no such camera.
    """
    check_scenes([replay.scene])
    assert isinstance(replay.scene, MujocoScene)
    builder = _Builder(replay, replay.scene.model, picture, view)
    content = builder.build()
    if builder.left_out:
        warn(f"glTF has no word for {', '.join(builder.left_out)}: that is left out")
    return content


class _Builder:
    def __init__(
        self, replay: Replay, model: mujoco.MjModel, picture: Picture, view: View | None
    ) -> None:
        self._glb, self._model = Glb(), copy.copy(model)
        self._captured: Pose = replay.captured
        self._aspect = picture.size[0] / picture.size[1]
        self._options = mujoco.MjvOption()
        groups = self._options.geomgroup
        self._backdrop = Backdrop(self._model, picture.background, groups)
        if view is not None:
            self._backdrop.lowest = view.lowest
        wish = picture.camera if view is None else view
        self._eye = Eye(self._model, CameraRig(self._model, wish, self._aspect, groups))
        self._looks: list[Look] = []
        self._lamps: list[Lamp] = []
        self._data: mujoco.MjData | None = None
        self._ground = math.inf
        starts = np.zeros(0, np.int64)
        if replay.episode_starts is not None:
            starts = np.flatnonzero(replay.episode_starts)
        seconds = replay.seconds_per_step or _SECONDS
        self._motion = Motion(self._glb, replay.steps, seconds, starts)
        self.left_out: list[str] = []

    def build(self) -> bytes:
        found = trace(self._model, self._captured, self._watch)
        data = self._data
        assert data is not None
        model, glb, motion = self._model, self._glb, self._motion
        bodies = self._bodies(found)
        reach = self._reach(found)
        surfaces = Surfaces(glb, model, reach)
        for look in self._looks:
            self._add(surfaces, look, bodies, data)
        if self._backdrop.has_ground:
            ground = glb.node(bodies[0], "ground", mesh=surfaces.ground(GROUND, GLOW))
            place, scale = np.array([[0, 0, self._ground]]), np.array([[reach, reach, 1]])
            motion.place(ground, translation=place, scale=scale)
        self._add_rods(surfaces, found, bodies[0])
        lens = add_camera(glb, self._eye.frustum, self._aspect, "clip")
        eye = glb.node(bodies[0], "clip", camera=lens)
        places, turns = self._eye.places()
        motion.place(eye, translation=places, rotation=turns)
        add_cameras(glb, motion, model, data, found, bodies, self._aspect)
        add_lamps(glb, motion, model, self._lamps, found, bodies, eye)
        self._list_what_is_missing()
        return glb.to_bytes()

    def _watch(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        if self._data is None:
            self._data = copy.copy(data)
            self._looks = [look for look in looks_of(model, data) if self._is_shown(look)]
            self._lamps = lamps_of(model, data, self._backdrop)
        self._eye.note(model, data)
        if self._backdrop.has_ground:
            self._ground = min(self._ground, self._backdrop.ground_height(data))

    def _is_shown(self, look: Look) -> bool:
        kind = mujoco.mjtObj(look.object[0]).name.removeprefix("mjOBJ_").lower()
        return bool(getattr(self._options, f"{kind}group")[look.group])

    def _bodies(self, found: Trajectory) -> list[int]:
        """Add a node for each body, as a tree: limbs stay together between two keys."""
        model, nodes = self._model, [self._glb.node(None, "world", rotation=_Y_UP)]
        positions, turns = found.positions.astype(float), found.orientations.astype(float)
        for body in range(1, model.nbody):
            parent = int(model.body_parentid[body])
            name = name_of(model, mujoco.mjtObj.mjOBJ_BODY, body)
            nodes.append(self._glb.node(nodes[parent], name))
            places, quaternions = relative(
                positions[:, body], turns[:, body], positions[:, parent], turns[:, parent]
            )
            self._motion.place(nodes[-1], translation=places, rotation=quaternions)
        return nodes

    def _reach(self, found: Trajectory) -> float:
        places = found.positions[:, 1:].reshape(-1, 3)
        furthest = float(np.linalg.norm(places, axis=1).max(initial=0))
        return furthest + _BEYOND * float(self._model.stat.extent)

    def _add(self, surfaces: Surfaces, look: Look, bodies: list[int], data: mujoco.MjData) -> None:
        model = self._model
        if look.kind in _BENDING:
            if not add_bending(self._glb, surfaces, model, data, look, bodies):
                self._miss("flexes that are cords or interpolated")
            return
        name = name_of(model, mujoco.mjtObj(look.object[0]), look.object[1])
        mesh, scale = surfaces.mesh(look)
        node = self._glb.node(bodies[look.body], name, mesh=mesh)
        self._motion.place(
            node,
            translation=look.position[None],
            rotation=quaternions_of(look.matrix[None]),
            scale=None if scale == [1, 1, 1] else np.array([scale]),
        )
        if look.reflectance:
            self._miss("reflections")

    def _add_rods(self, surfaces: Surfaces, found: Trajectory, world: int) -> None:
        for number, rod in enumerate(found.rods):
            if not self._options.tendongroup[rod.group]:
                continue
            radius = rod.radius
            if rod.kind == _KINDS.mjGEOM_LINE:
                radius = _THIN * float(self._model.stat.extent)
            start, end = found.rod_ends[:, number].astype(float).swapaxes(0, 1)
            half = np.linalg.norm(end - start, axis=1, keepdims=True) / 2
            way = np.where(half > 1e-9, end - start, [0, 0, 1])
            # What is not there is too small to be seen.
            thick = np.where(half > 1e-9, radius, 1e-9)
            name = name_of(self._model, mujoco.mjtObj(rod.owner[0]), rod.owner[1])
            node = self._glb.node(world, name, mesh=surfaces.rod(rod))
            self._motion.place(
                node,
                translation=(start + end) / 2,
                rotation=pointing(way),
                scale=np.concatenate([thick, thick, np.maximum(half, 1e-9)], axis=1),
            )

    def _list_what_is_missing(self) -> None:
        model = self._model
        if (
            self._backdrop.sky() is not None
            or (model.tex_type == mujoco.mjtTexture.mjTEXTURE_SKYBOX).any()
        ):
            self._miss("a sky")
        changed: set[Any] = set()
        if self._captured.changes is not None:
            first = self._captured.changes[0]
            for change in self._captured.changes:
                if change is not first:
                    changed |= set(change or {}) | set(first or {})
        for name in sorted(changed & _LOOKS):
            self._miss(f"changes of {name}")

    def _miss(self, what: str) -> None:
        if what not in self.left_out:
            self.left_out.append(what)
