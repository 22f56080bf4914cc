"""What a camera looks at: what moves in a replay, with what belongs to it."""

from typing import NamedTuple

import mujoco
import numpy as np

from .guess import driven_bodies
from .motion import Boxes, Motion
from .visible import Points, moving_things

# A thing moves if a point of it does by more than this share of its size: what rests on the ground
# settles a little. Where nothing does, what stirs is looked at.
_MOVES, _STIRS = 0.02, 0.002
# In sizes of the subject: one that gets further is followed, what only falls from higher up, since
# a fall is seen against what stands still,
_FAR, _DEEP = 3.0, 6.0
# and what is no further off than this may belong to it.
_NEAR = 3.0
# The picture may be wider than the subject by itself by these factors, to have in it what else
# moves, what belongs to it, and what stands around it;
_ROOM_FOR_MOVERS, _ROOM_FOR_OTHERS, _ROOM_FOR_SURROUNDINGS = 6.0, 3.0, 1.4
# and for a swarm by this times the root of its number.
_ROOM_FOR_SWARM = 8.0
# Less where it is followed, since it is smaller in the picture then.
_ROOM_BESIDE_FOLLOWED = 2.0
# The share of the picture that the subject's way takes.
_FILL_STRETCHED, _FILL_FOLLOWED, _FILL_STILL = 0.88, 0.6, 0.65
# So many times longer than its subject is a way that takes all of that share.
_STRETCHED = 1.8


class Subject(NamedTuple):
    """What the camera looks at.

    Attributes:
        things: Numbers of the things in it, as in `Points.thing`.
        movers: Those of them that move.
        low: Lower corner of a box around their way, `(3,)` metres, seen from what is followed.
        high: Its upper corner.
        follow: The body that is followed.
        axes: Along which axes, `bool (3,)`.
        stretch: How much longer its way is than the subject by itself.
    """

    things: np.ndarray
    movers: np.ndarray
    low: np.ndarray
    high: np.ndarray
    follow: int
    axes: np.ndarray
    stretch: float

    def fill(self) -> float:
        """Which share of the picture its way should take."""
        # One that stays where it is has some room around it; where it goes is shown to the rim.
        usual = _FILL_FOLLOWED if self.axes.any() else _FILL_STILL
        share = (min(max(self.stretch, 1.0), _STRETCHED) - 1) / (_STRETCHED - 1)
        return usual + share * (_FILL_STRETCHED - usual)


def find_subject(motion: Motion, points: Points, goes_on: bool) -> Subject:
    """Return what a camera looks at.

    Args:
        motion: What happened.
        points: What can be seen.
        goes_on: Whether it went on after that: then what can leave its place is followed.
    """
    if not len(points):
        none, nowhere = np.zeros(0, int), np.zeros(3)
        return Subject(none, none, nowhere, nowhere, 0, np.zeros(3, bool), 1.0)
    boxes = Boxes(motion, points)
    moved = boxes.moved(_MOVES)
    if not moved.any():
        moved = boxes.moved(_STIRS)
    if not moved.any():
        return _whole(boxes, points)
    votes = _votes(motion.model, boxes.things)
    main = int(max(np.flatnonzero(moved), key=lambda k: (votes[k], boxes.sizes[k])))
    near = boxes.gaps(main).max(axis=0) <= _NEAR * boxes.sizes[main]
    swarm = _swarm(boxes, main, moved & (2 * votes >= votes[main]))
    group = moved & (near | swarm)
    spread = boxes.high[:, group].max(axis=1) - boxes.low[:, group].min(axis=1)
    size = float(np.median(spread.max(axis=1)))
    follow = int(boxes.things[main])
    way = np.ptp(motion.com[:, follow], axis=0)
    free = _free_axes(motion.model, follow)
    sideways = np.hypot(way[0], way[1]) > _FAR * size or goes_on
    axes = free & [sideways, sideways, way[2] > (_FAR if sideways else _DEEP) * size]
    target = np.where(axes, motion.com[:, follow], 0)[:, None]
    low, high = (boxes.low - target).min(axis=0), (boxes.high - target).max(axis=0)

    def grown(chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return low[chosen].min(axis=0), high[chosen].max(axis=0)

    def length(chosen: np.ndarray) -> float:
        least, most = grown(chosen)
        return float((most - least).max())

    def take(candidates: np.ndarray, room: float) -> None:
        for candidate in candidates[np.argsort(boxes.gaps(main)[0, candidates], kind="stable")]:
            wider = chosen.copy()
            wider[candidate] = True
            if length(wider) <= room:
                chosen[candidate] = True

    chosen = np.arange(len(moved)) == main
    room = _ROOM_FOR_MOVERS * length(chosen)
    if not axes.any():
        chosen |= swarm
    take(np.flatnonzero(moved & ~chosen), max(room, length(chosen)))
    movers = chosen.copy()
    own = length(movers)
    within = boxes.gaps(main).min(axis=0) <= _NEAR * own
    smaller = boxes.sizes <= own
    room = own * (_ROOM_BESIDE_FOLLOWED if axes.any() else _ROOM_FOR_OTHERS)
    robots = (votes > 0) & (2 * votes >= votes[main])
    take(np.flatnonzero(robots & ~chosen), room)
    belongs = _belongs(motion.model, points, boxes.things, boxes.things[chosen])
    others = within & smaller & (belongs | (boxes.things > 0))
    take(np.flatnonzero(others & ~chosen), room)
    ground = np.isin(boxes.things, points.thing[points.is_ground])
    beside = (boxes.gaps(main).min(axis=0) <= 0.5 * own) & ~ground
    take(np.flatnonzero(beside & ~chosen), max(length(chosen), _ROOM_FOR_SURROUNDINGS * own))
    stretch = own / max(size, 1e-9)
    things = boxes.things
    return Subject(things[chosen], things[movers], *grown(movers), follow, axes, stretch)


def _swarm(boxes: Boxes, main: int, others: np.ndarray) -> np.ndarray:
    """Which things are a swarm with the main one, `bool (K,)`: none where it scatters too far."""
    swarm = others & (2 * boxes.sizes >= boxes.sizes[main]) & (boxes.sizes <= 2 * boxes.sizes[main])
    spread = boxes.high[:, swarm].max(axis=(0, 1)) - boxes.low[:, swarm].min(axis=(0, 1))
    room = _ROOM_FOR_SWARM * np.sqrt(swarm.sum()) * boxes.sizes[main]
    is_one = swarm.sum() > 1 and spread.max() <= room
    return swarm if is_one else np.zeros_like(swarm)


def _whole(boxes: Boxes, points: Points) -> Subject:
    """All that can be seen, and of the ground only what lies below it."""
    ground = np.isin(boxes.things, points.thing[points.is_ground])
    chosen = np.ones_like(ground) if ground.all() else ~ground
    low, high = boxes.low[:, chosen].min(axis=(0, 1)), boxes.high[:, chosen].max(axis=(0, 1))
    things = boxes.things[chosen]
    return Subject(things, things, low, high, 0, np.zeros(3, bool), 1.0)


def _votes(model: mujoco.MjModel, things: np.ndarray) -> np.ndarray:
    """How many actuators act on each thing, `(K,)`."""
    number = moving_things(model)
    votes = np.zeros(model.nbody, int)
    for actuator in range(model.nu):
        kind, target = model.actuator_trntype[actuator], model.actuator_trnid[actuator, 0]
        for thing in {int(number[b]) for b in driven_bodies(model, int(kind), int(target))}:
            votes[thing] += 1
    counted: np.ndarray = np.where(things > 0, votes[np.maximum(things, 0)], 0)
    return counted


def _belongs(
    model: mujoco.MjModel, points: Points, things: np.ndarray, chosen: np.ndarray
) -> np.ndarray:
    """Which things are marks, such as goals, or in the tree of one that is chosen, `bool (K,)`."""
    root = model.body_rootid
    tree = np.isin(root[points.body], root[chosen[chosen > 0]]) & (root[points.body] > 0)
    belongs: np.ndarray = np.isin(things, points.thing[points.is_mark | tree])
    return belongs


def _free_axes(model: mujoco.MjModel, thing: int) -> np.ndarray:
    """Along which axes of the world most of a thing can go any distance, `bool (3,)`."""
    if model.body_mocapid[thing] >= 0:
        return np.ones(3, bool)
    free = np.zeros(3, bool)
    body, mass = thing, model.body_subtreemass[thing]
    while model.body_subtreemass[body] > mass / 2 or body == thing:
        start = model.body_jntadr[body]
        for joint in range(start, start + model.body_jntnum[body]):
            kind = model.jnt_type[joint]
            if kind == mujoco.mjtJoint.mjJNT_FREE:
                return np.ones(3, bool)
            if kind == mujoco.mjtJoint.mjJNT_SLIDE and not model.jnt_limited[joint]:
                free |= np.abs(model.jnt_axis[joint]) > 0.5
        children = np.flatnonzero(model.body_parentid == body)
        children = children[children > 0]
        if not len(children):
            break
        body = int(children[model.body_subtreemass[children].argmax()])
    return free
