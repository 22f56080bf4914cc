"""Moments of MuJoCo scenes as pictures."""

import copy
import dataclasses
from collections.abc import Sequence
from typing import Any, NamedTuple, Self, cast, override

import mujoco
import numpy as np

from ..errors import warn
from ..making import as_picture, seen_alike
from ..mujoco import (
    CINEMATIC,
    HeadlessMujocoRenderer,
    MujocoScene,
    Pose,
    PoseLoader,
    drawn_as,
    find_element,
    open_renderer,
    poses,
)
from ..painter import cut_out
from ..replay import Replay
from ..settings import Camera, FigureSettings, Picture, QualityName
from .layers import Layer, layered
from .panels import Span, Stage, reach, weights

# What is nearer than the background by this share of its distance is in front of it.
_NEARER = 1e-3
# Pictures are painted so many times as large as they are shown, within limits: of a side, and of
# the dots of all moments.
_FINER, _LARGEST, _MOST_DOTS = 2, 4096, 20_000_000
# What a whole body travels is told from what its parts do, unless it is less than this share.
_TRAVELS = 0.3


class PosedStage(Stage):
    """Shows replays of a MuJoCo model."""

    aspect = 4 / 3

    def __init__(self, scene: MujocoScene, settings: FigureSettings) -> None:
        self._scene = scene
        self._settings = settings
        self._picture = as_picture(settings)

    @override
    def check(self) -> None:
        settings = self._settings
        if settings.follow is not None:
            self._body(settings.follow)
        if settings.kind != "strip":
            self._check_one_view()
        with self._scene.painter(self._of_size((64, 48))):
            pass

    def _of_size(self, size: tuple[int, int], usual: QualityName = "high") -> Picture:
        """Return the picture in dots. A clip without a GPU would have it without antialiasing."""
        quality = usual if self._picture.quality == "auto" else self._picture.quality
        width, height = size
        return dataclasses.replace(self._picture, width=width, height=height, quality=quality)

    def _check_one_view(self) -> None:
        settings, camera = self._settings, self._settings.camera
        noun = f"a {settings.kind} is one picture"
        if len(settings.cameras) > 1 or settings.modality != ("color",):
            raise ValueError(f"{noun} from one camera, in color: name one, or take kind='strip'")
        if settings.trail:
            raise ValueError(
                f"{noun} without trails: leave trail out, or take kind='trajectory', follow=..."
            )
        if settings.quality == CINEMATIC:
            raise ValueError(f"{noun} of many, which quality='cinematic' cannot make")
        if isinstance(camera, Camera) and camera.track is not None:
            raise ValueError(
                f"{noun}, for which the camera stands, got track={camera.track!r}: leave track "
                "out, or take kind='strip'"
            )

    @override
    def each(
        self, replay: Replay, steps: Sequence[int], size: tuple[int, int]
    ) -> Sequence[np.ndarray]:
        picture = self._of_size(size)
        (view,) = seen_alike([replay], picture)
        # A trail is made of all the steps before.
        chosen = replay.captured if picture.trail else self._at(replay, steps)
        with self._scene.painter(picture) as painter:
            if view is not None:
                painter.aim(view)
            painter.expect(range(replay.steps) if picture.trail else steps)
            frames = [
                frame
                for step, frame in enumerate(painter.paint(chosen))
                if not picture.trail or step in steps
            ]
        return [frame[..., [2, 1, 0, 3]] if picture.is_transparent else frame for frame in frames]

    @override
    def strobe(self, replay: Replay, steps: Sequence[int], size: tuple[int, int]) -> np.ndarray:
        chosen = self._at(replay, steps)
        return self._layered(chosen, steps, size, chosen)[0]

    @override
    def way(
        self, replay: Replay, steps: Sequence[int], span: Span, size: tuple[int, int]
    ) -> tuple[np.ndarray, np.ndarray]:
        between = self._at(replay, range(*span))
        panel, eye = self._layered(self._at(replay, steps), steps, size, between)
        return panel, eye.seen(self._followed(between), size[0] / size[1])

    def _layered(
        self, chosen: Pose, steps: Sequence[int], size: tuple[int, int], framed: Pose
    ) -> tuple[np.ndarray, "_Eye"]:
        """Return a picture of some poses, and from where it is seen; `framed` is all in it."""
        width, height = size
        is_large = _FINER * max(size) > _LARGEST
        finer = 1 if is_large or len(steps) * width * height > _MOST_DOTS else _FINER
        # Where four pixels become one, edges are smooth already.
        usual: QualityName = "high" if finer == 1 else "standard"
        picture = self._of_size((width * finer, height * finer), usual)
        if picture.is_transparent:
            (on_black, eye), (on_white, _) = (
                self._composed(chosen, steps, each, framed)
                for each in self._scene.on_black_and_white(picture)
            )
            whole = cut_out(on_black, on_white)[..., [2, 1, 0, 3]]
        else:
            whole, eye = self._composed(chosen, steps, picture, framed)
        if finer > 1:
            shape = (height, finer, width, finer, -1)
            whole = _mean(whole.reshape(shape))
        return whole, eye

    def _composed(
        self, chosen: Pose, steps: Sequence[int], picture: Picture, framed: Pose
    ) -> tuple[np.ndarray, "_Eye"]:
        """Return the same, as large as it is painted."""
        model = copy.copy(self._scene.model)
        with open_renderer(model, picture) as renderer:
            assert isinstance(renderer, HeadlessMujocoRenderer)
            if self._scene.looks_ahead(picture):
                renderer.aim(self._scene.aimed(picture, framed, stands=True))
            shots = list(zip(steps, poses(chosen), strict=True))
            background = _Background(model, picture, shots[0][1])
            behind = renderer.render(shots[0][1], background)
            eye, far = background.eye, renderer.depth()
            layers = []
            for (step, pose), weight in zip(shots, weights(len(shots)), strict=True):
                if not pose.is_finite():
                    warn(f"step {step} is not shown: it has NaN or infinite numbers in it")
                    continue
                look = _Look(picture, step)
                frame = renderer.render(pose, look)
                if not eye.is_at(look.eye):
                    raise ValueError(
                        f"camera {picture.camera!r} moves, and a {self._settings.kind} is one "
                        "picture: take another camera, or kind='strip'"
                    )
                depth = renderer.depth()
                layers.append(Layer(frame, depth, depth < far * (1 - _NEARER), weight))
        return (layered(behind, layers) if layers else behind), eye

    def _at(self, replay: Replay, steps: Sequence[int]) -> Pose:
        return cast(Pose, self._scene.picked(replay.captured, np.array(steps)))

    def _followed(self, captured: Pose) -> np.ndarray:
        """Return where a body was, `float (T, 3)` in metres; NaN where nobody knows."""
        model = copy.copy(self._scene.model)
        loader = PoseLoader(model, mujoco.MjvOption())
        places = np.full((len(captured.time), model.nbody, 3), np.nan)
        for place, pose in zip(places, poses(captured), strict=True):
            if loader.load(pose):
                place[:] = loader.data.xpos
        if self._settings.follow is not None:
            return cast(np.ndarray, places[:, self._body(self._settings.follow)])
        far = reach(places)
        # A leg gets further than what it belongs to, which is what is meant.
        roots = np.flatnonzero((model.body_parentid == 0) & (far >= _TRAVELS * far.max()))
        roots = roots[roots > 0]
        body = roots[far[roots].argmax()] if len(roots) else far.argmax()
        return cast(np.ndarray, places[:, body])

    def _body(self, name: str | int) -> int:
        return find_element(self._scene.model, mujoco.mjtObj.mjOBJ_BODY, name)


def _mean(cells: np.ndarray) -> np.ndarray:
    """Return the mean colour of cells `(H, n, W, n, channels)`, of which alpha is the last of four.

    Where something is half there, its colour counts half as much.
    """
    amount = cells[..., 3:] if cells.shape[-1] == 4 else np.ones_like(cells[..., :1])
    share = amount.mean((1, 3))
    colour = (cells[..., :3] * amount.astype(np.float32)).mean((1, 3)) / np.maximum(share, 1e-6)
    parts = [colour, share] if cells.shape[-1] == 4 else [colour]
    return np.rint(np.concatenate(parts, axis=2)).astype(np.uint8)


class _Eye(NamedTuple):
    """A camera that MuJoCo draws with.

    Attributes:
        place: Where it is, `(3,)` in metres.
        forward: Its direction.
        up: What is above.
        scale: Width and height of what is seen at a distance of 1, or at any where it is
            orthographic; a width of 0 is in proportion.
        is_orthographic: Whether what is far away is as large as what is near.
    """

    place: np.ndarray
    forward: np.ndarray
    up: np.ndarray
    scale: tuple[float, float]
    is_orthographic: bool

    @classmethod
    def of(cls, scene: mujoco.MjvScene) -> Self:
        # One for each eye, between which mono pictures are drawn.
        first, second = scene.camera
        near = 1.0 if first.orthographic else first.frustum_near
        return cls(
            (first.pos + second.pos) / 2,
            first.forward.copy(),
            first.up.copy(),
            (2 * first.frustum_width / near, (first.frustum_top - first.frustum_bottom) / near),
            bool(first.orthographic),
        )

    def is_at(self, other: "_Eye") -> bool:
        """Whether another one sees the same."""
        pairs: Any = zip(self[:4], other[:4], strict=True)
        return all(np.allclose(one, another, atol=1e-5) for one, another in pairs)

    def seen(self, places: np.ndarray, aspect: float) -> np.ndarray:
        """Return where places (T, 3) are in a picture, as in `Stage.way`; NaN behind the camera."""
        offsets = places - self.place
        depth = offsets @ self.forward
        away = np.ones_like(depth) if self.is_orthographic else depth
        away = np.where(depth > 0, away, np.nan)
        right = offsets @ np.cross(self.forward, self.up) / away
        above = offsets @ self.up / away
        width, height = self.scale
        return np.stack([0.5 + right / (width or height * aspect), 0.5 - above / height], axis=1)


class _Background:
    """Leaves in a scene only what cannot move.

    Attributes:
        eye: What the scene was drawn with.
    """

    eye: _Eye

    def __init__(self, model: mujoco.MjModel, picture: Picture, pose: Pose) -> None:
        # A copy: each loader makes the changes of its own pose.
        drawn = drawn_as(copy.copy(model), picture)
        self._model, self._options = drawn.model, drawn.options
        self._loader = PoseLoader(self._model, self._options)
        self._loader.load(pose)

    def __call__(self, scene: mujoco.MjvScene) -> None:
        self.eye = _Eye.of(scene)
        scene.ngeom = scene.nskin = scene.nflex = 0
        mujoco.mjv_addGeoms(
            self._model,
            self._loader.data,
            self._options,
            mujoco.MjvPerturb(),
            mujoco.mjtCatBit.mjCAT_STATIC.value,
            scene,
        )


class _Look:
    """Adds what the user's function adds to a scene.

    Attributes:
        eye: What the scene was drawn with.
    """

    eye: _Eye

    def __init__(self, picture: Picture, step: int) -> None:
        self._decorate, self._step = picture.decorate, step

    def __call__(self, scene: mujoco.MjvScene) -> None:
        self.eye = _Eye.of(scene)
        if self._decorate is not None:
            self._decorate(scene, self._step)
