"""URDF files as people have them: from ROS packages, with what is seen and what collides."""

import struct

import mujoco
import numpy as np
import pytest

from lerax_render import RenderWarning, Simulation, record

TRIANGLES = [
    ((0, 0, 0), (0, 1, 0), (1, 0, 0)),
    ((0, 0, 0), (1, 0, 0), (0, 0, 1)),
    ((0, 0, 0), (0, 0, 1), (0, 1, 0)),
    ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
]
SEEN = (
    '<visual><geometry>{}</geometry><material name="m"><color rgba="1 0 0 1"/></material></visual>'
)
BOX = '<collision><geometry><box size=".5 .5 .5"/></geometry></collision>'
TETRAHEDRON = '<mesh filename="{}" scale=".4 .4 .4"/>'


@pytest.fixture
def package(tmp_path):
    """A ROS package with a mesh."""
    folder = tmp_path / "ws" / "my_robot"
    (folder / "meshes").mkdir(parents=True)
    (folder / "urdf").mkdir()
    (folder / "meshes" / "shape.stl").write_bytes(stl_of(TRIANGLES))
    return folder


def stl_of(triangles, scale=1.0):
    stl = bytes(80) + struct.pack("<I", len(triangles))
    for triangle in triangles:
        stl += struct.pack("<12fH", 0, 0, 0, *(scale * np.ravel(triangle)), 0)
    return stl


def written(package, *links, settings=""):
    path = package / "urdf" / "robot.urdf"
    joint = '<joint name="j" type="fixed"><parent link="l0"/><child link="l1"/></joint>'
    text = "".join(f'<link name="l{k}">{link}</link>' for k, link in enumerate(links))
    path.write_text(f'<robot name="r">{settings}{text}{joint if len(links) > 1 else ""}</robot>')
    return path


def kinds(model):
    names = {value.value: name for name, value in mujoco.mjtGeom.__members__.items()}
    shown = model.geom_group < 3
    return sorted(names[kind].removeprefix("mjGEOM_") for kind in model.geom_type[shown].tolist())


@pytest.mark.parametrize(
    "name",
    [
        "package://my_robot/meshes/shape.stl",
        # Of a package that was cloned under another name.
        "package://robot_description/meshes/shape.stl",
        "../meshes/shape.stl",
        "file://{folder}/meshes/shape.stl",
    ],
)
def test_what_is_seen_is_drawn_and_found_in_its_package(package, name):
    mesh = SEEN.format(TETRAHEDRON.format(name.format(folder=package)))
    path = written(package, mesh + BOX, BOX)
    model = Simulation(path).model
    assert kinds(model) == ["BOX", "MESH"]
    # What collides is there all the same, and weighs the same.
    assert np.count_nonzero(model.geom_contype) == 2
    only = mujoco.MjModel.from_xml_string(path.read_text().replace(mesh, ""))
    np.testing.assert_allclose(model.body_mass, only.body_mass)


def test_what_is_seen_without_colliding_is_in_the_picture(package):
    path = written(package, SEEN.format('<cylinder radius=".2" length=".5"/>'))
    frame = record(Simulation(path), steps=1, width=64, height=48).frames()[0].astype(int)
    assert np.count_nonzero(frame[..., 0] > frame[..., 1] + 60) > 100


def test_what_cannot_be_read_is_left_out_with_a_warning(package):
    (package / "meshes" / "shape.dae").write_text("<COLLADA/>")
    meshes = [
        TETRAHEDRON.format(f"package://my_robot/meshes/{name}") for name in ("shape.dae", "no.stl")
    ]
    path = written(package, *(SEEN.format(mesh) + BOX for mesh in meshes))
    with pytest.warns(
        RenderWarning, match=r"robot.urdf: no.stl, shape.dae cannot be read, and collision geometry"
    ):
        model = Simulation(path).model
    assert kinds(model) == ["BOX", "BOX"]
    np.testing.assert_array_equal(model.geom_rgba, [[1, 0, 0, 1]] * 2)


def test_of_two_packages_with_a_mesh_of_one_name_the_named_one_is_taken(package):
    other = package.parent / "other_robot" / "meshes"
    other.mkdir(parents=True)
    (other / "shape.stl").write_bytes(stl_of(TRIANGLES, scale=2))
    names = [f"package://{name}/meshes/shape.stl" for name in ("other_robot", "my_robot")]
    model = Simulation(written(package, *(SEEN.format(TETRAHEDRON.format(n)) for n in names))).model
    sizes = [np.ptp(model.mesh_vert[first:][:4], axis=0).max() for first in model.mesh_vertadr]
    assert len(sizes) == 2
    assert sizes[0] == pytest.approx(2 * sizes[1])


@pytest.mark.parametrize("is_beside_link", [True, False])
def test_meshes_are_beside_a_link_to_the_file_or_beside_the_file(package, is_beside_link):
    path = written(package, SEEN.format(TETRAHEDRON.format("shape.stl")))
    link = package / "linked" / "robot.urdf"
    link.parent.mkdir()
    link.symlink_to(path)
    mesh = package / "meshes" / "shape.stl"
    mesh.rename((link if is_beside_link else path).parent / mesh.name)
    assert kinds(Simulation(link).model) == ["MESH"]


def test_a_file_that_has_paths_stripped_finds_its_meshes(package):
    settings = '<mujoco><compiler meshdir="../meshes" strippath="true"/></mujoco>'
    mesh = TETRAHEDRON.format("package://nowhere/deep/shape.stl")
    path = written(package, BOX.replace('<box size=".5 .5 .5"/>', mesh), settings=settings)
    assert kinds(Simulation(path).model) == ["MESH"]


def test_what_is_seen_and_flat_is_drawn(package):
    flat = [((0, 0, 0), (1, 0, 0), (0, 1, 0)), ((1, 0, 0), (1, 1, 0), (0, 1, 0))]
    (package / "meshes" / "shape.stl").write_bytes(stl_of(flat))
    path = written(package, SEEN.format(TETRAHEDRON.format("../meshes/shape.stl")) + BOX)
    assert kinds(Simulation(path).model) == ["MESH"]


@pytest.mark.parametrize("content", [b"", b"solid shape\nendsolid shape\n", stl_of(TRIANGLES[:1])])
def test_a_mesh_that_is_seen_and_that_mujoco_cannot_compile_is_left_out(package, content):
    (package / "meshes" / "bad.stl").write_bytes(content)
    meshes = [TETRAHEDRON.format(f"../meshes/{name}") for name in ("bad.stl", "shape.stl")]
    path = written(package, *(SEEN.format(mesh) + BOX for mesh in meshes))
    with pytest.warns(RenderWarning, match=r"robot.urdf: bad.stl cannot be read"):
        model = Simulation(path).model
    assert kinds(model) == ["BOX", "MESH"]


def test_a_file_that_decides_for_itself_is_taken_at_its_word(package):
    mesh = SEEN.format(TETRAHEDRON.format("shape.stl"))
    compiler = '<mujoco><compiler discardvisual="{}" meshdir="../meshes"/></mujoco>'
    path = written(package, mesh + BOX, settings=compiler.format("true"))
    assert kinds(Simulation(path).model) == ["BOX"]
    path = written(package, mesh + BOX, settings=compiler.format("false"))
    assert kinds(Simulation(path).model) == ["BOX", "MESH"]


def test_what_is_no_xml_is_told_by_mujoco(tmp_path):
    path = tmp_path / "robot.urdf"
    path.write_text("<robot")
    with pytest.raises(ValueError, match=r"MuJoCo cannot load .*robot.urdf: XML"):
        Simulation(path)
