"""URDF files as robots' makers publish them: with visual geometry, and meshes in ROS packages.

MuJoCo by itself drops visual geometry, draws collision geometry, and knows no packages.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import mujoco

from ...errors import warn

# The mesh files that MuJoCo reads.
_MESHES = (".obj", ".stl", ".msh")
# Models of robots have collision geoms in this group, which MuJoCo hides.
_HIDDEN = 3
# Radius in metres of the sphere in place of a visual shape that is left out: without it, MuJoCo
# would give the collision geometry its colour.
_NOTHING = 1e-9


def read_urdf(path: str | os.PathLike[str]) -> mujoco.MjModel:
    """Load a URDF file that is trusted.

    A link's visual geometry is drawn, and its collision geometry only if it has no other, unless
    the file has a `<compiler>` of MuJoCo's with `discardvisual`. A mesh `package://NAME/FILE` is
    looked for in the file's folder and those above it. A visual mesh that cannot be read is left
    out with a `RenderWarning`.

    Args:
        path: The file.

    Raises:
        ValueError: MuJoCo cannot load it.
        OSError: It cannot be read.
    """
    try:
        robot = ElementTree.parse(path).getroot()
    except ElementTree.ParseError:
        # MuJoCo says what is wrong, and may be less strict.
        robot = None
    if robot is None or robot.tag != "robot":
        return mujoco.MjModel.from_xml_path(os.fspath(path))
    compiler = _compiler(robot)
    decides = "discardvisual" in compiler.attrib
    compiler.attrib.setdefault("discardvisual", "false")
    folder = Path(path).resolve().parent
    for mesh in robot.iterfind(".//mesh[@filename]"):
        mesh.set("filename", _found(mesh.get("filename", ""), folder, compiler))
    # From here on, names are full paths.
    compiler.set("strippath", "false")
    if compiler.get("discardvisual") != "true":
        _leave_out_unreadable(robot, Path(path).name)
    spec = mujoco.MjSpec.from_string(ElementTree.tostring(robot, "unicode"))
    for geom in [geom for geom in spec.geoms if 0 < geom.size[0] <= _NOTHING]:
        spec.delete(geom)
    if not decides:
        for body in spec.bodies:
            _hide_collision(body.geoms)
    return spec.compile()


def _compiler(robot: ElementTree.Element) -> ElementTree.Element:
    """Return the file's settings for MuJoCo, added if it has none."""
    settings = robot.find("mujoco")
    if settings is None:
        settings = ElementTree.SubElement(robot, "mujoco")
    compiler = settings.find("compiler")
    return ElementTree.SubElement(settings, "compiler") if compiler is None else compiler


def _found(name: str, folder: Path, compiler: ElementTree.Element) -> str:
    """Return where a mesh is, or its name if it is not found."""
    for place in _places(name.replace("\\", "/"), folder, compiler):
        if place.is_file():
            return str(place)
    return name


def _places(name: str, folder: Path, compiler: ElementTree.Element) -> Iterator[Path]:
    scheme, _, rest = name.rpartition("://")
    if scheme == "file":
        yield Path(rest)
    elif scheme:
        # A package is a folder of that name, or was cloned under another name.
        for parent in (folder, *folder.parents):
            yield parent / rest
            yield parent / rest.partition("/")[2]
    else:
        base = folder / compiler.get("meshdir", compiler.get("assetdir", ""))
        yield base / name
        yield folder / name
        yield base / Path(name).name


def _leave_out_unreadable(robot: ElementTree.Element, name: str) -> None:
    """Leave out visual meshes whose file is missing, or that MuJoCo cannot read."""
    left_out = []
    for geometry in robot.iterfind("link/visual/geometry"):
        mesh = geometry.find("mesh[@filename]")
        file = "" if mesh is None else mesh.get("filename", "")
        if mesh is not None and not (file.lower().endswith(_MESHES) and Path(file).is_file()):
            geometry.remove(mesh)
            ElementTree.SubElement(geometry, "sphere", radius=str(_NOTHING))
            left_out.append(file.rpartition("/")[2])
    if left_out:
        few = sorted(set(left_out))
        more = f" and {len(few) - 3} more" if len(few) > 3 else ""
        warn(
            f"{name}: {', '.join(few[:3])}{more} cannot be read, and collision geometry is shown "
            f"instead: MuJoCo reads {', '.join(_MESHES)}, beside the file or in its package"
        )


def _hide_collision(geoms: list[mujoco.MjsGeom]) -> None:
    """Hide a body's collision geoms, if it has visual ones."""
    collide = [geom for geom in geoms if geom.contype or geom.conaffinity]
    if len(collide) < len(geoms):
        for geom in collide:
            geom.group = _HIDDEN
