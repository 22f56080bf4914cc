"""URDF files as robots' makers publish them: with visual geometry, and meshes in ROS packages.

MuJoCo by itself drops visual geometry, draws collision geometry, and knows no packages.
"""

import os
from collections.abc import Callable, Iterator
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
    looked for in the file's folder and those above it; if the file is a symbolic link, also in
    those of its target. A visual mesh that cannot be read is left out with a `RenderWarning`.

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
    # It may be a link to a file among others, or lie among links.
    folders = list(
        dict.fromkeys(file.parent for file in (Path(path).absolute(), Path(path).resolve()))
    )
    for mesh in robot.iterfind(".//mesh[@filename]"):
        mesh.set("filename", _found(mesh.get("filename", ""), folders, compiler))
    # From here on, names are full paths.
    compiler.set("strippath", "false")
    is_seen = compiler.get("discardvisual") != "true"
    left_out = _leave_out(robot, _is_there) if is_seen else []
    try:
        model = _compiled(robot, hides_collision=not decides)
    except ValueError:
        more = _leave_out(robot, _can_be_compiled) if is_seen else []
        if not more:
            raise
        left_out += more
        model = _compiled(robot, hides_collision=not decides)
    if left_out:
        _warn_of(left_out, Path(path).name)
    return model


def _compiler(robot: ElementTree.Element) -> ElementTree.Element:
    """Return the file's settings for MuJoCo, added if it has none."""
    settings = robot.find("mujoco")
    if settings is None:
        settings = ElementTree.SubElement(robot, "mujoco")
    compiler = settings.find("compiler")
    return ElementTree.SubElement(settings, "compiler") if compiler is None else compiler


def _found(name: str, folders: list[Path], compiler: ElementTree.Element) -> str:
    """Return where a mesh is, or its name if it is not found."""
    for place in _places(name.replace("\\", "/"), folders, compiler):
        if place.is_file():
            return str(place)
    return name


def _places(name: str, folders: list[Path], compiler: ElementTree.Element) -> Iterator[Path]:
    scheme, _, rest = name.rpartition("://")
    bases = [folder / compiler.get("meshdir", compiler.get("assetdir", "")) for folder in folders]
    beside = [base / Path(name).name for base in bases]
    if compiler.get("strippath") == "true":
        yield from beside
    if scheme == "file":
        yield Path(rest)
    elif scheme:
        parents = [parent for folder in folders for parent in (folder, *folder.parents)]
        # A package is a folder of that name, or was cloned under another name.
        for part in (rest, rest.partition("/")[2]):
            yield from (parent / part for parent in parents)
    else:
        yield from (place / name for place in (*bases, *folders))
    yield from beside


def _compiled(robot: ElementTree.Element, *, hides_collision: bool) -> mujoco.MjModel:
    spec = mujoco.MjSpec.from_string(ElementTree.tostring(robot, "unicode"))
    for geom in [geom for geom in spec.geoms if 0 < geom.size[0] <= _NOTHING]:
        spec.delete(geom)
    if hides_collision:
        for body in spec.bodies:
            _hide_collision(body.geoms)
    colliding = {geom.meshname for geom in spec.geoms if _collides(geom)}
    for mesh in spec.meshes:
        if mesh.name not in colliding:
            _need_no_volume(mesh)
    return spec.compile()


def _need_no_volume(mesh: mujoco.MjsMesh) -> None:
    """Let a mesh that weighs nothing be flat."""
    mesh.inertia = mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL


def _leave_out(robot: ElementTree.Element, can_be_shown: Callable[[str], bool]) -> list[str]:
    """Leave out visual meshes whose file cannot be shown, and return the names of those files."""
    left_out = []
    for geometry in robot.iterfind("link/visual/geometry"):
        mesh = geometry.find("mesh[@filename]")
        file = "" if mesh is None else mesh.get("filename", "")
        if mesh is not None and not can_be_shown(file):
            geometry.remove(mesh)
            ElementTree.SubElement(geometry, "sphere", radius=str(_NOTHING))
            left_out.append(file.rpartition("/")[2])
    return left_out


def _is_there(file: str) -> bool:
    return file.lower().endswith(_MESHES) and Path(file).is_file()


def _can_be_compiled(file: str) -> bool:
    """Whether MuJoCo reads a mesh: it reads no STL as text, and limits the number of faces."""
    spec = mujoco.MjSpec()
    _need_no_volume(spec.add_mesh(name="mesh", file=file))
    kind = mujoco.mjtGeom.mjGEOM_MESH
    spec.worldbody.add_geom(type=kind, meshname="mesh", contype=0, conaffinity=0, mass=0)
    try:
        spec.compile()
    except ValueError:
        return False
    return True


def _warn_of(left_out: list[str], name: str) -> None:
    few = sorted(set(left_out))
    more = f" and {len(few) - 3} more" if len(few) > 3 else ""
    warn(
        f"{name}: {', '.join(few[:3])}{more} cannot be read, and collision geometry is shown "
        f"instead: MuJoCo reads {', '.join(_MESHES)} (binary STL, with 200,000 faces at most), "
        "beside the file or in its package"
    )


def _collides(geom: mujoco.MjsGeom) -> bool:
    return bool(geom.contype or geom.conaffinity)


def _hide_collision(geoms: list[mujoco.MjsGeom]) -> None:
    """Hide a body's collision geoms, if it has visual ones."""
    collide = [geom for geom in geoms if _collides(geom)]
    if len(collide) < len(geoms):
        for geom in collide:
            geom.group = _HIDDEN
