"""How well a clip's camera shows what moves, measured in pixels."""

import contextlib
import copy
import math
from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np

from lerax_render import Replay
from lerax_render.mujoco import HeadlessMujocoRenderer
from lerax_render.mujoco.pose import poses as poses_of

WIDTH, HEIGHT = 160, 120
# What moves turns or goes by more than this, in radians and in sizes of its tree.
_TURNS, _GOES = 0.05, 0.02


@dataclass(frozen=True)
class Measured:
    """Shares from 0 to 1.

    Attributes:
        held: Of the frames, those with 90 % or more of the movers' silhouette in the picture; where
            up to four trees move, of each tree's.
        at_rim: Of the frames, those in which a mover touches the rim.
        span: Of the picture's width or height, what the movers take in the median frame.
        way_span: Likewise of all that they reach in the clip.
        clear: Of the movers' silhouette, what nothing else hides.
        frames: Number of frames that were looked at.
    """

    held: float
    at_rim: float
    span: float
    way_span: float
    clear: float
    frames: int

    @property
    def is_right(self) -> bool:
        """Whether a user would say that the clip shows what happens."""
        return (
            self.held >= 0.98
            and self.at_rim <= 0.02
            and (self.span >= 0.2 or self.way_span >= 0.6)
            and self.clear >= 0.7
        )


def measure(replay: Replay, view: Any, *, stride: int = 1) -> Measured:
    """Measure how a view shows a replay of a MuJoCo scene, in every `stride`-th frame."""
    model = replay.scene.model
    poses = list(poses_of(replay.captured))
    trees = moving_trees(model, poses)
    parts = [trees] + [trees[[i]] for i in range(len(trees)) if len(trees) <= 4]
    held, at_rim, spans, shown, whole = [], [], [], 0, 0
    way = np.zeros((HEIGHT, WIDTH), bool)
    with contextlib.ExitStack() as stack:
        renderer = stack.enter_context(_wide_renderer(model, view))
        # Each by itself, since they may hide each other.
        alone = [stack.enter_context(_wide_renderer(_only(model, part), view)) for part in parts]
        for pose in poses[::stride]:
            movers, *each = (
                np.isin(_trees_seen(model, one, pose), part)
                for one, part in zip(alone, parts, strict=True)
            )
            seen = np.isin(_trees_seen(model, renderer, pose), trees)
            held.append(all(_share_inside(mask) >= 0.9 for mask in (movers, *each)))
            inside = _inside(movers)
            way |= inside
            rim = inside[0].any() or inside[-1].any() or inside[:, 0].any() or inside[:, -1].any()
            at_rim.append(rim)
            spans.append(_span(inside))
            shown += _inside(seen).sum()
            whole += inside.sum()
    return Measured(
        float(np.mean(held)),
        float(np.mean(at_rim)),
        float(np.median(spans)),
        _span(way),
        shown / max(whole, 1),
        len(held),
    )


def moving_trees(model: mujoco.MjModel, poses: list[Any]) -> np.ndarray:
    """Root bodies of the trees that move, and of those that a tendon or an equality moves along."""
    data = mujoco.MjData(model)
    places, turns = [], []
    for pose in poses:
        data.qpos[:], data.mocap_pos[:] = pose.qpos, pose.mocap_pos
        data.mocap_quat[:] = pose.mocap_quat
        mujoco.mj_kinematics(model, data)
        places.append(data.xpos.copy())
        turns.append(data.xquat.copy())
    way = np.linalg.norm(np.ptp(places, axis=0), axis=1)
    cosines = np.abs(np.einsum("tbi,bi->tb", turns, turns[0])).min(axis=0)
    turned = 2 * np.arccos(np.clip(cosines, 0, 1))
    size = np.zeros(model.nbody)
    np.maximum.at(size, model.body_rootid[model.geom_bodyid], model.geom_rbound)
    moves = (turned > _TURNS) | (way > _GOES * size[model.body_rootid])
    seen = np.zeros(model.nbody, bool)
    seen[model.geom_bodyid] = seen[model.site_bodyid] = True
    seen[model.flex_vertbodyid] = True
    found: np.ndarray = np.unique(model.body_rootid[moves & seen])
    return found[found > 0]


def _wide_renderer(model: mujoco.MjModel, view: Any) -> HeadlessMujocoRenderer:
    """Twice as wide and high as the picture, which is its middle."""
    wide = copy.copy(model)
    tangent = math.tan(math.radians(model.vis.global_.fovy) / 2)
    wide.vis.global_.fovy = math.degrees(2 * math.atan(2 * tangent))
    return HeadlessMujocoRenderer(wide, 2 * WIDTH, 2 * HEIGHT, camera=view, quality="draft")


def _only(model: mujoco.MjModel, trees: np.ndarray) -> mujoco.MjModel:
    """The same model, of which nothing else is drawn."""
    alone = copy.copy(model)
    alone.geom_group[~np.isin(model.body_rootid[model.geom_bodyid], trees)] = 5
    alone.site_group[~np.isin(model.body_rootid[model.site_bodyid], trees)] = 5
    alone.flex_group[~np.isin(_flex_trees(model), trees)] = 5
    alone.skin_group[~np.isin(_skin_trees(model), trees)] = 5
    return alone


def _trees_seen(model: mujoco.MjModel, renderer: HeadlessMujocoRenderer, pose: Any) -> np.ndarray:
    renderer.render(pose)
    segmentation = renderer.segmentation()
    number, kind = segmentation[..., 0], segmentation[..., 1]
    trees = np.full(number.shape, -1)
    for wanted, roots in (
        (mujoco.mjtObj.mjOBJ_GEOM, model.body_rootid[model.geom_bodyid]),
        (mujoco.mjtObj.mjOBJ_SITE, model.body_rootid[model.site_bodyid]),
        (mujoco.mjtObj.mjOBJ_SKIN, _skin_trees(model)),
        (mujoco.mjtObj.mjOBJ_FLEX, _flex_trees(model)),
    ):
        here = kind == wanted.value
        if here.any():
            trees[here] = roots[number[here]]
    return trees


def _skin_trees(model: mujoco.MjModel) -> np.ndarray:
    """The tree of each skin, `int (nskin,)`: that of its first bone."""
    trees: np.ndarray = model.body_rootid[model.skin_bonebodyid[model.skin_boneadr]]
    return trees


def _flex_trees(model: mujoco.MjModel) -> np.ndarray:
    """The tree of each flex, `int (nflex,)`: that of its last vertex."""
    last = model.flex_vertadr + model.flex_vertnum - 1
    trees: np.ndarray = model.body_rootid[model.flex_vertbodyid[last]]
    return trees


def _inside(mask: np.ndarray) -> np.ndarray:
    return mask[HEIGHT // 2 : HEIGHT // 2 + HEIGHT, WIDTH // 2 : WIDTH // 2 + WIDTH]


def _share_inside(mask: np.ndarray) -> float:
    return float(_inside(mask).sum() / mask.sum()) if mask.any() else 0.0


def _span(mask: np.ndarray) -> float:
    rows, columns = np.nonzero(mask)
    if not len(rows):
        return 0.0
    return float(max((np.ptp(rows) + 1) / HEIGHT, (np.ptp(columns) + 1) / WIDTH))
