"""A glTF file holds what MuJoCo has, for readers that are not ours.

mujoco-mjx brings trimesh.
"""

import dataclasses
import io
import re
import warnings
from pathlib import Path

import gymnasium
import mujoco
import numpy as np
import pytest
import trimesh
from PIL import Image

import lerax_render as lr
from support.gltf import Document, complaints
from support.paths import ROOT

SCENES = ROOT / "assets/scenes"
GYMNASIUM = Path(gymnasium.__file__).parent / "envs/mujoco/assets"
EVERYTHING = str(Path(__file__).with_name("everything.xml"))
STEPS, STEP = 30, 20
# To y up.
UPRIGHT = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]])


def replay_of(model: str | Path, steps: int = STEPS) -> tuple[lr.Replay, list[mujoco.MjData]]:
    """Let a model fall; return it as a replay, and the states."""
    replay = lr.capture(lr.Simulation(str(model)), steps=steps)
    states = []
    for qpos, mocap in zip(replay.captured.qpos, replay.captured.mocap_pos, strict=True):
        data = mujoco.MjData(replay.scene.model)
        data.qpos[:], data.mocap_pos[:] = qpos, mocap
        mujoco.mj_forward(replay.scene.model, data)
        states.append(data)
    return replay, states


def glb(replay: lr.Replay, **settings: object) -> bytes:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", lr.RenderWarning)
        return lr.record(replay, format="glb", **settings).data


@pytest.fixture(scope="module")
def everything() -> tuple[lr.Replay, list[mujoco.MjData], bytes]:
    replay, states = replay_of(EVERYTHING)
    return replay, states, glb(replay)


def test_khronos_validator_has_nothing_to_say(tmp_path, everything):
    models = [SCENES / "arm.xml", SCENES / "crane.xml", *sorted(GYMNASIUM.glob("*.xml"))]
    assert len(models) > 12
    (tmp_path / "everything.glb").write_bytes(everything[2])
    for model in models:
        replay, _ = replay_of(model, steps=5)
        (tmp_path / f"{model.stem}.glb").write_bytes(glb(replay))
    files = sorted(tmp_path.glob("*.glb"))
    assert complaints(files) == []
    broken = tmp_path / "broken.glb"
    broken.write_bytes(everything[2].replace(b'"count":', b'"count":1'))
    assert complaints([broken]) != []


def extent_of(model: mujoco.MjModel, geom: int) -> np.ndarray | None:
    """Half of the sides of a geom, or `None`."""
    x, y, z = model.geom_size[geom]
    kind = mujoco.mjtGeom(model.geom_type[geom]).name.removeprefix("mjGEOM_")
    return {
        "SPHERE": np.array([x, x, x]),
        "CAPSULE": np.array([x, x, x + y]),
        "CYLINDER": np.array([x, x, y]),
        "BOX": np.array([x, y, z]),
        "ELLIPSOID": np.array([x, y, z]),
    }.get(kind)


def test_trimesh_finds_each_geom_where_mujoco_has_it(tmp_path, everything):
    replay, states, content = everything
    (tmp_path / "a.glb").write_bytes(content)
    scene = trimesh.load(tmp_path / "a.glb")
    model, rest, seen = replay.scene.model, states[0], set()
    for geom in range(model.ngeom):
        name = model.geom(geom).name
        if name not in scene.graph.nodes or model.geom_type[geom] == mujoco.mjtGeom.mjGEOM_PLANE:
            continue
        transform, shape = scene.graph[name]
        places = trimesh.transform_points(scene.geometry[shape].vertices, transform) @ UPRIGHT
        local = (places - rest.geom_xpos[geom]) @ rest.geom_xmat[geom].reshape(3, 3)
        kind = mujoco.mjtGeom(model.geom_type[geom])
        half = extent_of(model, geom)
        if half is not None:
            # Round outlines have 28 corners.
            assert np.abs(local).max(axis=0) == pytest.approx(half, rel=0.01), name
        elif kind == mujoco.mjtGeom.mjGEOM_MESH:
            mesh = model.geom_dataid[geom]
            own = model.mesh_vert[model.mesh_vertadr[mesh] :][: model.mesh_vertnum[mesh]]
            gaps = np.linalg.norm(local[:, None] - own, axis=2)
            assert gaps.min(axis=1).max() < 1e-5, name
            assert gaps.min(axis=0).max() < 1e-5, name
        else:
            x, y, top, base = model.hfield_size[0]
            assert local.min(axis=0) == pytest.approx([-x, -y, -base], abs=1e-5)
            assert local.max(axis=0) == pytest.approx([x, y, top], abs=1e-5)
        seen.add(kind)
    assert len(seen) == 7
    # Endless floors end, far off; and images are those of the model.
    transform, shape = scene.graph["floor"]
    assert 10 < scene.geometry[shape].extents.max() < 1000
    colours = np.asarray(scene.geometry[shape].visual.material.baseColorTexture)
    assert sorted(np.unique(colours.reshape(-1, colours.shape[-1])[:, :3], axis=0)[:, 0]) == [
        25,
        204,
    ]


def test_the_animation_is_what_happened_in_real_time(everything):
    replay, states, content = everything
    document, model = Document(content), replay.scene.model
    seconds = replay.seconds_per_step
    for sampler in document.json["animations"][0]["samplers"]:
        times = document.array(sampler["input"])
        assert times == pytest.approx(np.arange(STEPS) * seconds, abs=1e-6)
        values = document.array(sampler["output"])
        if values.shape[1] == 4:
            assert (values[1:] * values[:-1]).sum(axis=1).min() > 0
    for step in (0, STEP, STEPS - 1):
        matrices, state = document.matrices(step * seconds), states[step]
        places = {
            "body": (state.xpos, state.xmat),
            "camera": (state.cam_xpos, state.cam_xmat),
            "site": (state.site_xpos, state.site_xmat),
        }
        for kind, (positions, axes) in places.items():
            named = [getattr(model, kind)(i).name for i in range(len(positions))]
            assert named
            for name, position, turn in zip(named, positions, axes, strict=True):
                matrix = matrices[document.names[name or "body 0"]]
                assert UPRIGHT.T @ matrix[:3, 3] == pytest.approx(position, abs=2e-5), name
                turned = UPRIGHT.T @ matrix[:3, :3]
                turned /= np.linalg.norm(turned, axis=0)
                assert turned == pytest.approx(turn.reshape(3, 3), abs=2e-5), name
        for light in range(model.nlight):
            matrix = UPRIGHT.T @ matrices[document.names[model.light(light).name]][:3]
            assert -matrix[:, 2] == pytest.approx(state.light_xdir[light], abs=2e-5)
        # A tendon reaches from site to site.
        rope = UPRIGHT.T @ matrices[document.names["rope"]][:3]
        ends = sorted((rope @ [0, 0, z, 1] for z in (-1, 1)), key=lambda end: -end[2])
        assert ends[0] == pytest.approx(state.site("hook").xpos, abs=1e-5)
        assert ends[1] == pytest.approx(state.site("ring").xpos, abs=1e-5)
    moving = {channel["target"]["node"] for channel in document.json["animations"][0]["channels"]}
    assert document.names["tumble"] in moving
    assert not moving & {document.names[name] for name in ("floor", "hills", "ball", "front")}


def test_skins_and_flexes_bend_as_mujoco_bends_them(everything):
    replay, states, content = everything
    document, model, state = Document(content), replay.scene.model, states[STEP]
    matrices = document.matrices(STEP * replay.seconds_per_step)
    scene = mujoco.MjvScene(model, maxgeom=1000)
    every = mujoco.mjtCatBit.mjCAT_ALL.value
    options, camera = mujoco.MjvOption(), mujoco.MjvCamera()
    mujoco.mjv_updateScene(model, state, options, None, camera, every, scene)
    count = model.skin_vertnum[0]
    skin_places = scene.skinvert[: 3 * count].reshape(-1, 3)
    cloth = model.flex_vertnum[0]
    for name, expected in (("skin", skin_places), ("cloth", state.flexvert_xpos[:cloth])):
        node = document.json["nodes"][document.names[name]]
        attributes = document.json["meshes"][node["mesh"]]["primitives"][0]["attributes"]
        skin = document.json["skins"][node["skin"]]
        back = document.array(skin["inverseBindMatrices"]).swapaxes(1, 2)
        bones = matrices[skin["joints"]] @ back
        weights = document.array(attributes["WEIGHTS_0"])
        mixed = np.einsum("vj,vjab->vab", weights, bones[document.array(attributes["JOINTS_0"])])
        places = document.array(attributes["POSITION"])
        found = np.einsum("vab,vb->va", mixed[:, :3, :3], places) + mixed[:, :3, 3]
        assert found @ UPRIGHT == pytest.approx(expected, abs=2e-5), name


def test_the_clips_own_view_is_a_camera_and_carries_its_light():
    replay, _states = replay_of(SCENES / "arm.xml", steps=3)
    camera = lr.Camera(lookat=(0, 0, 0.5), azimuth=90, elevation=0, distance=2)
    document = Document(glb(replay, camera=camera, width=200, height=100))
    number = document.names["clip"]
    matrix = UPRIGHT.T @ document.matrices()[number][:3]
    assert matrix[:, 3] == pytest.approx([0, -2, 0.5], abs=1e-5)
    assert -matrix[:, 2] == pytest.approx([0, 1, 0], abs=1e-5)
    lens = document.json["cameras"][document.json["nodes"][number]["camera"]]["perspective"]
    assert lens["aspectRatio"] == 2
    assert np.degrees(lens["yfov"]) == pytest.approx(replay.scene.model.vis.global_.fovy, abs=1e-3)
    names = [
        document.json["nodes"][child]["name"]
        for child in document.json["nodes"][number]["children"]
    ]
    assert names == ["headlight"]


def test_things_jump_between_episodes():
    replay, _ = replay_of(SCENES / "crane.xml", steps=8)
    starts = np.arange(8) % 5 == 0
    replay = dataclasses.replace(replay, episode_starts=starts)
    document, whole = Document(glb(replay)), replay.seconds_per_step
    last, shortly, first = (document.matrices(step * whole) for step in (4, 4.98, 5))
    assert shortly == pytest.approx(last, abs=1e-6)
    assert np.abs(first - last).max() > 1e-4


def test_nothing_is_stored_twice_and_images_are_lossless(everything):
    content = everything[2]
    document = Document(content)
    views = [document.view(i) for i in range(len(document.json["bufferViews"]))]
    assert len(set(views)) == len(views)
    for collection in ("accessors", "materials", "meshes", "images"):
        items = [str(item) for item in document.json[collection]]
        assert len(set(items)) == len(items), collection
    pictures = [
        np.asarray(Image.open(io.BytesIO(document.view(image["bufferView"]))))
        for image in document.json["images"]
    ]
    assert sorted(picture.shape for picture in pictures) == [(64, 64, 3), (128, 192, 3)]
    assert len(np.unique(pictures[0].reshape(-1, 3), axis=0)) > 1


def test_what_is_left_out_is_said_once(everything):
    with pytest.warns(lr.RenderWarning) as caught:
        lr.record(everything[0], format="glb")
    (message,) = [str(warning.message) for warning in caught]
    assert re.fullmatch(r"glTF has no word for .*cords.*, reflections, a sky: .*", message)
    changes = np.empty(STEPS, object)
    changes[STEP:] = [{"geom_rgba": everything[0].scene.model.geom_rgba * 0.5}] * (STEPS - STEP)
    replay, _ = replay_of(EVERYTHING)
    captured = replay.captured._replace(changes=changes)
    with pytest.warns(lr.RenderWarning, match="changes of geom_rgba"):
        lr.record(dataclasses.replace(replay, captured=captured), format="glb")


def test_a_robot_alone_stands_in_the_studio():
    model = (
        '<mujoco><worldbody><body pos="0 0 1"><joint/><geom size=".1"/></body></worldbody></mujoco>'
    )
    replay = lr.capture(lr.Simulation(mujoco.MjModel.from_xml_string(model)), steps=3)
    document = Document(glb(replay))
    assert {"ground", "sun", "headlight"} <= set(document.names)
    ground = UPRIGHT.T @ document.matrices()[document.names["ground"]][:3, 3]
    assert ground[2] == pytest.approx(0.9, abs=0.01)
    assert "ground" not in Document(glb(replay, background="white")).names


def test_bad_input_is_told_before_any_work(tmp_path):
    from lerax.env.classic_control import CartPole

    with pytest.raises(lr.UnsupportedEnvError, match="scene in three dimensions"):
        lr.record(CartPole(), path=tmp_path / "a.glb")
    replay, _ = replay_of(SCENES / "crane.xml", steps=2)
    with pytest.raises(ValueError, match="holds one replay, got 2"):
        lr.record([replay, replay], path=tmp_path / "a.glb")
    with pytest.raises(ValueError, match="quality would make no difference in a glTF file"):
        lr.record(replay, path=tmp_path / "a.glb", quality="draft")
    with pytest.raises(ValueError, match="no camera"):
        lr.record(replay, path=tmp_path / "a.glb", camera="nowhere")
    assert list(tmp_path.iterdir()) == []


def test_each_triangle_shows_one_face_of_a_cube(everything):
    document = Document(everything[2])
    node = document.json["nodes"][document.names["ball"]]
    (primitive,) = document.json["meshes"][node["mesh"]]["primitives"]
    attributes = primitive["attributes"]
    triangles = document.array(primitive["indices"]).reshape(-1, 3)
    corners = document.array(attributes["POSITION"])[triangles]
    cells = np.floor(document.array(attributes["TEXCOORD_0"])[triangles] * (3, 2)).astype(int)
    assert (cells == cells[:, :1]).all()
    faces = cells[:, 0, 0] + 3 * cells[:, 0, 1]
    assert sorted(set(faces)) == [0, 1, 2, 3, 4, 5]
    # In the order of x, -x, y, -y, z, -z.
    along = np.take_along_axis(corners, (faces // 2)[:, None, None], axis=2)[..., 0]
    along *= np.where(faces % 2, -1, 1)[:, None]
    assert (along >= np.abs(corners).max(axis=2) - 1e-5).all()


def test_neighbouring_turns_have_one_sign() -> None:
    replay, _ = replay_of(EVERYTHING, steps=6)
    free = replay.scene.model.joint(replay.scene.model.body("tumble").jntadr[0]).qposadr[0]
    qpos = replay.captured.qpos.copy()
    qpos[::2, free + 3 : free + 7] *= -1
    turned = dataclasses.replace(replay, captured=replay.captured._replace(qpos=qpos))
    first, second = (Document(glb(each)) for each in (replay, turned))
    between = 2.5 * replay.seconds_per_step
    assert second.matrices(between) == pytest.approx(first.matrices(between), abs=1e-5)
