"""What a stranger's model asks for is known before MuJoCo builds it; a user's own is trusted."""

import ast
import os
import re
import shlex
import struct
import time
import tomllib
import zlib
from pathlib import Path

import mujoco
import pytest

from lerax_render.gallery.build import make_gallery
from lerax_render.naming.loading import load_env
from lerax_render.sources.simulation import Simulation
from support.paths import ROOT

SCENES = ROOT / "assets" / "scenes"
GEOM = '<geom size=".1"/>'
TRIANGLES = """
v 0 0 0
v 1 0 0
v 0 1 0
v 0 0 1
f 1 3 2
f 1 2 4
f 1 4 3
f 2 3 4
"""


def world(inside: str, before: str = "") -> str:
    return f"<mujoco>{before}<worldbody>{inside}</worldbody></mujoco>"


def png(width: int, height: int, num_rows: int) -> bytes:
    """A picture of one colour, of which the last rows may be missing."""

    def part(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(1 + 3 * width) * num_rows)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", data) + part(b"IEND", b"")


@pytest.fixture
def scene(tmp_path):
    """Write files into a folder, and load `scene.xml` among them, by default as a stranger's."""

    def load(text: str, assets: str | Path | None = "inside", **files: str | bytes) -> Simulation:
        folder = tmp_path / "scene"
        for name, content in {"scene.xml": text, **files}.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return Simulation(folder / "scene.xml", assets=assets)

    return load


def test_the_models_that_people_have_are_taken():
    gymnasium = pytest.importorskip("gymnasium")
    models = Path(gymnasium.__file__).parent / "envs/mujoco/assets"
    files = [*models.glob("*.xml"), *SCENES.glob("*.xml")]
    assert len(files) > 10
    for file in files:
        assert Simulation(file, assets="inside").model.ngeom


COUNT = 1_000_000_000
TOO_MANY = "more than 10000 parts"
TOO_MUCH = "more than 1 GiB of memory"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (world(f'<replicate count="{COUNT}" offset="1 0 0">{GEOM}</replicate>'), TOO_MANY),
        (world(10 * '<replicate count="10">' + GEOM + 10 * "</replicate>"), TOO_MANY),
        (world(f"<replicate count='&#50;0001'>{GEOM}</replicate>"), TOO_MANY),
        (world(10_001 * GEOM), TOO_MANY),
        (world(f'<flexcomp name="f" type="grid" count="{COUNT} 1 1"/>'), TOO_MANY),
        (world('<flexcomp name="f" type="grid" count="1000 1000 1000"/>'), TOO_MANY),
        (
            world("", f'<asset><texture builtin="flat" width="{COUNT}" height="1"/></asset>'),
            TOO_MUCH,
        ),
        (world("", '<asset><texture type="2d" width="30000" height="30000"/></asset>'), TOO_MUCH),
        (
            world("", 99 * '<asset><texture type="2d" width="4096" height="4096"/></asset>'),
            TOO_MUCH,
        ),
        (
            world(
                "",
                '<asset><texture width="-9999999" height="9"/></asset>'
                '<asset><texture width="99999" height="9999"/></asset>',
            ),
            TOO_MUCH,
        ),
        (world("", '<asset><hfield name="h" nrow="30000" ncol="30000"/></asset>'), TOO_MUCH),
        (
            world("", '<asset><mesh name="m" builtin="supersphere" params="9999 1 1"/></asset>'),
            TOO_MUCH,
        ),
        (world("", f'<size nuserdata="{COUNT}"/>'), TOO_MUCH),
        (world("", f'<size nuser_geom="{COUNT}"/>'), TOO_MUCH),
        (world("", f'<size nkey="{COUNT}"/>'), TOO_MUCH),
        (world("", f'<visual><quality numslices="{COUNT}"/></visual>'), TOO_MUCH),
        (world("", f'<sensor><user dim="{COUNT}"/></sensor>'), TOO_MUCH),
        (world('<camera name="c" resolution="30000 30000"/>'), TOO_MUCH),
        (world("", '<compiler><lengthrange timestep="1e-12"/></compiler>'), "100000 steps"),
        (world(GEOM, '<option timestep="1e-12"/>'), "give frame_skip"),
    ],
)
def test_what_would_take_all_memory_or_for_ever_is_refused_at_once(scene, text, message):
    before = time.process_time()
    with pytest.raises(ValueError, match=message):
        scene(text)
    assert time.process_time() - before < 2


def test_a_model_just_below_the_limit_is_built(scene):
    text = world(f'<replicate count="900" offset="1 0 0"><body>{GEOM}</body></replicate>')
    assert scene(text).model.ngeom == 900


def test_what_is_included_counts_where_it_is(scene):
    inner = f"<mujocoinclude><worldbody>{GEOM * 20}</worldbody></mujocoinclude>"
    with pytest.raises(ValueError, match=TOO_MANY):
        scene(
            world('<replicate count="9000"><include file="parts/part.xml"/></replicate>'),
            **{"parts/part.xml": inner},
        )


def test_what_is_attached_counts_as_often_as_it_is(scene):
    attach = '<replicate count="{}"><attach model="m" body="b" prefix="p"/></replicate>'
    model = '<asset><model name="m" file="model.xml"/></asset>'
    part = world(f'<body name="b">{GEOM * 20}</body>')
    assert scene(world(attach.format(2), model), **{"model.xml": part}).model.ngeom == 40
    with pytest.raises(ValueError, match=TOO_MANY):
        scene(world(attach.format(900), model), **{"model.xml": part})


def test_files_that_lead_in_a_circle_end(scene):
    circle = '<mujoco><include file="a.xml"/><include file="b.xml"/></mujoco>'
    with pytest.raises(ValueError, match="already included"):
        scene(circle, **{"a.xml": circle, "b.xml": circle})
    model = world("", 9 * '<asset><model name="m" file="scene.xml"/></asset>')
    with pytest.raises(ValueError, match="attaches itself"):
        scene(model)


BOMB = """<!DOCTYPE mujoco [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>
<mujoco model="&b;"><worldbody><geom size=".1"/></worldbody></mujoco>"""


@pytest.mark.parametrize(
    "text", [BOMB, "", "no XML", "<mujoco", "<mujoco a=b/>", "\0\xff<", "<a/><"]
)
@pytest.mark.parametrize("assets", [None, "inside"])
def test_what_is_no_mjcf(scene, text, assets):
    if text == BOMB and assets is None:
        # MuJoCo knows no entities.
        assert scene(text, assets).model.ngeom == 1
        return
    with pytest.raises(ValueError, match=r"scene\.xml.* (no MJCF|no XML|XML|empty)"):
        scene(text, assets)


@pytest.mark.parametrize(
    "hidden", ['<!-- a -- b --- <replicate count="99999999"> -->', "<geom name='<!--' size='.1'/>"]
)
def test_comments_are_what_mujoco_takes_for_comments(scene, hidden):
    assert scene(world(hidden + GEOM)).model.ngeom in (1, 2)
    count = '<replicate count="99999"><geom name="-->" size=".1"/></replicate>'
    with pytest.raises(ValueError, match=TOO_MANY):
        scene(world(hidden + count))


OUTSIDE = (
    r"outside of '.*?'(?:, and to \d more there)?\. "
    "If you trust that, allow '.*': --env-args assets=.* in Python"
)


@pytest.mark.parametrize(
    "name", ["../secret.xml", "sub/../../secret.xml", r"..\secret.xml", "/secret.xml", "link.xml"]
)
def test_nothing_outside_of_the_folder_is_included(scene, tmp_path, name):
    secret = tmp_path / "secret.xml"
    secret.write_text(f"<mujocoinclude><worldbody>{GEOM}</worldbody></mujocoinclude>")
    (tmp_path / "scene" / "sub").mkdir(parents=True)
    (tmp_path / "scene" / "link.xml").symlink_to(secret)
    name = str(secret) if name.startswith("/") else name
    text = f'<mujoco><include file="{name}"/></mujoco>'
    with pytest.raises(ValueError, match=OUTSIDE):
        scene(text)
    assert scene(text, assets=tmp_path).model.ngeom == 1
    assert scene(text, assets=None).model.ngeom == 1


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("", "../m.obj"),
        ("..", "m.obj"),
        ("sub/../..", "m.obj"),
        (r"..\..\{}", "m.obj"),
        ("", "{}/m.obj"),
        ("{}", "m.obj"),
        ("", "&#46;&#46;/m.obj"),
    ],
)
def test_no_mesh_outside_of_the_folder_is_read(scene, tmp_path, folder, name):
    (tmp_path / "m.obj").write_text(TRIANGLES)
    (tmp_path / "scene" / "sub").mkdir(parents=True)
    folder, name = folder.replace(r"..\..\{}", r"sub\..\.."), name.format(tmp_path)
    folder = folder.format(tmp_path)
    asset = f'<compiler meshdir="{folder}"/><asset><mesh name="m" file="{name}"/></asset>'
    text = world('<geom type="mesh" mesh="m"/>', asset)
    with pytest.raises(ValueError, match=OUTSIDE):
        scene(text)
    assert scene(text, assets=tmp_path).model.nmesh == 1


MESH = ('<asset><mesh name="m" file="../a b/m.obj"/></asset>', '<geom type="mesh" mesh="m"/>')


def test_what_a_refusal_says_can_be_pasted(scene, tmp_path):
    (tmp_path / "a b").mkdir()
    (tmp_path / "a b" / "m.obj").write_text(TRIANGLES)
    text = world(MESH[1], MESH[0])
    with pytest.raises(ValueError, match=OUTSIDE) as error:
        scene(text)
    found = re.search(
        r"(--env-args .*) on the command line, (.*) in a manifest, assets=('.*') in Python$",
        str(error.value),
    )
    _, argument = shlex.split(found[1])
    allowed = {
        argument.removeprefix("assets="),
        tomllib.loads(found[2])["env_args"]["assets"],
        ast.literal_eval(found[3]),
    }
    assert allowed == {str(tmp_path)}
    assert scene(text, assets=allowed.pop()).model.nmesh == 1


def test_a_refusal_allows_all_that_is_outside(scene, tmp_path):
    """Also what files outside refer to; and nothing of what is in them is told."""
    for name in ("a/m.obj", "b/c/n.obj"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(TRIANGLES)
    (tmp_path / "a" / "more.xml").write_text(
        '<mujocoinclude><asset><mesh file="../b/c/n.obj"/></asset></mujocoinclude>'
    )
    text = world(
        MESH[1], '<include file="../a/more.xml"/><asset><mesh name="m" file="../a/m.obj"/></asset>'
    )
    with pytest.raises(ValueError, match=f"^.*scene.xml refers.*more there.*{tmp_path}' in Python"):
        scene(text)
    assert scene(text, assets=tmp_path).model.nmesh == 2

    (tmp_path / "secret").write_text("a < b")
    with pytest.raises(ValueError, match=OUTSIDE) as error:
        scene('<mujoco><include file="../secret"/></mujoco>')
    assert "a <" not in str(error.value)
    assert error.value.__context__ is None


URDF = """<robot name="r"><link name="l"><inertial><mass value="1"/>
<inertia ixx="1" iyy="1" izz="1" ixy="0" ixz="0" iyz="0"/></inertial>
<collision><geometry>{}</geometry></collision></link></robot>"""


def test_a_strangers_urdf_and_compiled_model(tmp_path):
    path = tmp_path / "in" / "robot.urdf"
    path.parent.mkdir()
    path.write_text(URDF.format('<box size="1 1 1"/>'))
    assert Simulation(path, assets="inside").model.ngeom == 1
    (tmp_path / "secret.obj").write_text(TRIANGLES)
    path.write_text(URDF.format('<mesh filename="../secret.obj"/>'))
    assert Simulation(path).model.nmesh == 1
    with pytest.raises(ValueError, match=OUTSIDE):
        Simulation(path, assets="inside")

    compiled = path.with_suffix(".mjb")
    mujoco.mj_saveModel(Simulation(path).model, str(compiled), None)
    with pytest.raises(
        ValueError, match=r"robot\.mjb is compiled, .*If you trust it, load it with"
    ):
        load_env(str(compiled), untrusted=True)


@pytest.mark.parametrize("assets", ["anywhere", "insdie", "scene.xml"])
def test_assets_that_are_no_folder(scene, tmp_path, monkeypatch, assets):
    scene(world(GEOM))
    monkeypatch.chdir(tmp_path / "scene")
    with pytest.raises(ValueError, match=f"assets must be 'inside' or a folder, got '{assets}'"):
        scene(world(GEOM), assets=assets)


def test_a_file_of_the_users_own_is_trusted(scene, tmp_path):
    (tmp_path / "a b").mkdir()
    (tmp_path / "a b" / "m.obj").write_text(TRIANGLES)
    scene(world(MESH[1] + 10_001 * '<site size=".1"/>', MESH[0]), assets=None)
    path = tmp_path / "scene" / "scene.xml"

    assert Simulation(path).model.nsite == 10_001
    assert load_env(str(path)).model.nsite == 10_001
    manifest = tmp_path / "gallery.toml"
    manifest.write_text('[[clips]]\nenv = "scene/scene.xml"\nsteps = 1\nwidth = 32\nheight = 24')
    assert make_gallery(manifest, tmp_path / "out").failed == {}
    for untrusted in ({"untrusted": True}, {"arguments": {"assets": "inside"}}):
        with pytest.raises(ValueError, match=f"{TOO_MANY}.*If you trust it, .*assets=None"):
            load_env(str(path), **untrusted)


def test_meshes_in_folders_below_are_read(scene):
    asset = '<compiler meshdir="meshes/visual"/><asset><mesh name="m" file="../m.obj"/></asset>'
    files = {"meshes/m.obj": TRIANGLES, "meshes/visual/other.obj": ""}
    assert scene(world('<geom type="mesh" mesh="m"/>', asset), **files).model.nmesh == 1


def test_a_path_that_mujoco_strips_is_no_path(scene, tmp_path):
    (tmp_path / "m.obj").write_text("nothing that could be read")
    asset = '<compiler strippath="true"/><asset><mesh name="m" file="../m.obj"/></asset>'
    text = world('<geom type="mesh" mesh="m"/>', asset)
    assert scene(text, **{"m.obj": TRIANGLES}).model.nmesh == 1


def test_a_small_file_of_a_huge_picture(scene):
    asset = '<asset><texture name="t" type="2d" file="t.png"/></asset>'
    with pytest.raises(ValueError, match=TOO_MUCH):
        scene(world(GEOM, asset), **{"t.png": png(20_000, 20_000, num_rows=1)})
    assert scene(world(GEOM, asset), **{"t.png": png(64, 64, 64)}).model.tex_width[0] == 64


def test_a_pipe_in_the_folder_is_not_waited_for(scene, tmp_path):
    (tmp_path / "scene").mkdir()
    os.mkfifo(tmp_path / "scene" / "pipe.xml")
    with pytest.raises(ValueError, match="there is no such file"):
        scene('<mujoco><include file="pipe.xml"/></mujoco>')


def test_a_model_that_is_there_already_is_taken_as_it_is(tmp_path):
    import mujoco

    model = mujoco.MjModel.from_xml_string(world(10_010 * '<site size=".1"/>'))
    assert Simulation(model).model is model
