"""What is drawn of a model: MuJoCo's switches by name, its groups of geoms, and colours."""

import copy
from collections.abc import Callable
from typing import NamedTuple

import mujoco
import numpy as np

from ...settings import Picture, parsed_colour, unknown

_PLANE, _HFIELD = mujoco.mjtGeom.mjGEOM_PLANE.value, mujoco.mjtGeom.mjGEOM_HFIELD.value

type _Switch = Callable[["Drawn", bool], None]


class Drawn(NamedTuple):
    """How a picture's model is drawn.

    Attributes:
        model: The model; a copy where colours were asked for.
        options: What of it is drawn.
        passes: Drawing passes that are switched, by numbers of `mujoco.mjtRndFlag`.
    """

    model: mujoco.MjModel
    options: mujoco.MjvOption
    passes: dict[int, bool]


def drawn_as(model: mujoco.MjModel, picture: Picture) -> Drawn:
    """Return how a picture shows a model.

    Raises:
        ValueError: The model has nothing of what was asked for; the message says what it has.
    """
    found = Drawn(_changed(model, picture), mujoco.MjvOption(), {})
    for names, is_shown in ((picture.show, True), (picture.hide, False)):
        for name in names:
            SWITCHES[name](found, is_shown)
    return found


def _changed(model: mujoco.MjModel, picture: Picture) -> mujoco.MjModel:
    """Return the model, or a copy with other colours, or without a floor."""
    without_floor = "floor" in picture.hide
    if not (picture.color or without_floor):
        return model
    copied: mujoco.MjModel = copy.copy(model)
    if without_floor:
        floors = np.isin(model.geom_type, (_PLANE, _HFIELD))
        floors &= model.body_weldid[model.geom_bodyid] == 0
        copied.geom_matid[floors], copied.geom_rgba[floors, 3] = -1, 0
    for name, colour in (picture.color or {}).items():
        geoms = _geoms_of(model, name)
        # A material's texture would shine through, and MuJoCo takes this very grey for "none".
        copied.geom_matid[geoms] = -1
        copied.geom_rgba[geoms, :3] = parsed_colour(colour)
    return copied


def _geoms_of(model: mujoco.MjModel, name: str) -> np.ndarray:
    """Return the geoms of a body, or the geom of a name, as numbers."""
    body = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_BODY.value, name)
    if body >= 0:
        return np.flatnonzero(model.geom_bodyid == body)
    geom = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_GEOM.value, name)
    if geom >= 0:
        return np.array([geom])
    names = [model.body(number).name for number in range(1, model.nbody)]
    names += [model.geom(number).name for number in range(model.ngeom)]
    raise ValueError(f"color: {unknown('body or geom', name, filter(None, names))}")


def _flags(*names: str) -> _Switch:
    numbers = [int(getattr(mujoco.mjtVisFlag, f"mjVIS_{name}")) for name in names]

    def switch(drawn: Drawn, is_shown: bool) -> None:
        for number in numbers:
            drawn.options.flags[number] = is_shown

    return switch


def _pass(name: str) -> _Switch:
    number = int(getattr(mujoco.mjtRndFlag, f"mjRND_{name}"))

    def switch(drawn: Drawn, is_shown: bool) -> None:
        drawn.passes[number] = is_shown

    return switch


def _group(kind: str, flag: str | None = None) -> _Switch:
    """Switch all groups of a kind of thing; MuJoCo draws three of six where it is not asked."""

    def switch(drawn: Drawn, is_shown: bool) -> None:
        getattr(drawn.options, kind)[:] = is_shown
        if flag is not None:
            _flags(flag)(drawn, is_shown)

    return switch


def _labels(drawn: Drawn, is_shown: bool) -> None:
    label = mujoco.mjtLabel.mjLABEL_BODY if is_shown else mujoco.mjtLabel.mjLABEL_NONE
    drawn.options.label = label.value


def _geoms(what: str) -> _Switch:
    def switch(drawn: Drawn, is_shown: bool) -> None:
        groups = dict(zip(("collision", "visual"), _geom_groups(drawn.model), strict=True))
        if not all(groups.values()):
            raise ValueError(
                f"{'show' if is_shown else 'hide'}={what}: this model has no geoms for {what} "
                "alone; those of its bodies collide and are seen"
            )
        drawn.options.geomgroup[groups[what]] = is_shown

    return switch


def _geom_groups(model: mujoco.MjModel) -> tuple[list[int], list[int]]:
    """Return the geom groups that are for collisions, and those that are for looks.

    That is a custom of models: the geoms of one group collide, and those of another do not. What
    does not move is in either.
    """
    moving = model.body_weldid[model.geom_bodyid] != 0
    collide = (model.geom_contype != 0) | (model.geom_conaffinity != 0)
    used = np.unique(model.geom_group[moving]).tolist()
    looks = [group for group in used if not collide[moving & (model.geom_group == group)].all()]
    return [group for group in used if group not in looks], looks


# The names are also in `settings.picture.ShownName`.
SWITCHES: dict[str, _Switch] = {
    "contacts": _flags("CONTACTPOINT"),
    "contact-forces": _flags("CONTACTFORCE"),
    "forces": _flags("CONTACTFORCE", "PERTFORCE"),
    "joints": _group("jointgroup", "JOINT"),
    "com": _flags("COM"),
    "inertia": _flags("INERTIA"),
    "transparent": _flags("TRANSPARENT"),
    "collision": _geoms("collision"),
    "visual": _geoms("visual"),
    # See `_changed`.
    "floor": lambda drawn, is_shown: None,
    "labels": _labels,
    "sites": _group("sitegroup"),
    "tendons": _group("tendongroup", "TENDON"),
    "actuators": _group("actuatorgroup", "ACTUATOR"),
    "cameras": _flags("CAMERA"),
    "lights": _flags("LIGHT"),
    "constraints": _flags("CONSTRAINT"),
    "rangefinders": _flags("RANGEFINDER"),
    "convex-hulls": _flags("CONVEXHULL"),
    "textures": _flags("TEXTURE"),
    "skins": _flags("SKIN"),
    "shadows": _pass("SHADOW"),
    "reflections": _pass("REFLECTION"),
    "skybox": _pass("SKYBOX"),
    "wireframe": _pass("WIREFRAME"),
    "fog": _pass("FOG"),
    "haze": _pass("HAZE"),
}
"""What can be shown and hidden, by name: what each switches."""
