"""Replays from strangers: what is wrong with them is told, in a process that lives on."""

import copy
import io
import json
import pickle
import resource
import struct
import zipfile
from pathlib import Path

import mujoco
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lerax_render import RenderError, Replay, Simulation, capture, record
from lerax_render.export import describe
from support.environments import Captioned, Counting
from support.replay_files import MODEL, meta_of, npy, parts_of, planes, put_together


@pytest.fixture(scope="module")
def robot() -> bytes:
    """A replay of a MuJoCo model."""
    model = mujoco.MjModel.from_xml_string(MODEL)
    return record(capture(Simulation(model), steps=12), format="replay").data


@pytest.fixture(scope="module")
def drawn() -> bytes:
    """A replay of a 2D environment, whose steps have texts of their own."""
    return record(capture(Captioned(), steps=12), format="replay").data


def load(content: bytes) -> Replay:
    return Replay.load(io.BytesIO(content))


def refusal(content: bytes) -> str:
    with pytest.raises(RenderError) as caught:
        load(content)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500
    return str(caught.value)


def test_these_files_are_good_as_they_are(robot, drawn):
    assert load(put_together(parts_of(robot))).steps == 12
    assert load(put_together(parts_of(drawn))).steps == 12


@pytest.mark.parametrize("length", [0, 3, 30, 0.2, 0.5, 0.9, -1])
def test_what_is_cut_off_is_not_whole(robot, length):
    count = int(length * len(robot)) if 0 < length < 1 else length
    assert "not whole" in (said := refusal(robot[:count])) or "no replay" in said


def test_another_kind_of_file_is_none():
    assert "does not begin as a zip" in refusal(b"\x89PNG" + bytes(100))
    file = io.BytesIO()
    np.savez(file, a=np.zeros(3))
    assert "no replay" in refusal(file.getvalue())


@settings(max_examples=60)
@given(data=st.data())
def test_a_changed_byte_is_told_or_changes_nothing(robot, data):
    place = data.draw(st.integers(0, len(robot) - 1))
    flipped = bytearray(robot)
    flipped[place] ^= data.draw(st.integers(1, 255))
    try:
        replay = load(bytes(flipped))
    except RenderError:
        return
    assert np.array_equal(replay.captured.qpos, load(robot).captured.qpos)


@pytest.mark.parametrize(
    "name", ["../evil.npy", "/etc/passwd", "lanes/../../x.npy", "a\\b", "UPPER", "x" * 300, "a//b"]
)
def test_names_that_no_replay_has(robot, name):
    parts = {**parts_of(robot), name: b"x"}
    assert "which no replay has" in refusal(put_together(parts))


def test_a_name_twice(robot):
    file = io.BytesIO(robot)
    with zipfile.ZipFile(file, "a") as zipped, pytest.warns(UserWarning, match="Duplicate"):
        zipped.writestr("scene.mjb", b"other")
    assert "which no replay has" in refusal(file.getvalue())


def limited(content: bytes, folder: Path, memory: int) -> str:
    """Load a file with little memory to spare, and return what was said."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + memory, hard))
    try:
        return refusal(content)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def test_a_bomb_is_not_unpacked(robot, tmp_path):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, part in parts_of(robot).items():
            if name != "meta.json":
                zipped.writestr(name, part)
        zipped.writestr("meta.json", b"[" + bytes(300_000_000))
    assert "16.8 MB is the limit" in limited(file.getvalue(), tmp_path, 2**27)
    content = bytearray(robot)
    struct.pack_into("<I", content, content.rindex(b"PK\x01\x02") + 24, 2**31 + 1)
    assert "2.1 GB in it, which is the limit" in limited(bytes(content), tmp_path, 2**27)


def test_what_is_there_once_and_named_often_is_not_read_so_often(robot, tmp_path, monkeypatch):
    monkeypatch.setattr("lerax_render.export.archive.MAX_BYTES", 10**8)
    parts, meta = parts_of(robot), copy.deepcopy(meta_of(robot))
    parts["zeros.npy"] = npy(np.zeros((12, 10**6), np.uint8))
    meta["lanes"][0]["observations"] = ["zeros.npy"] * 1000
    assert "so often that they come to more than 100.0 MB" in limited(
        put_together(parts, meta), tmp_path, 2**29
    )


def test_more_steps_than_python_can_keep(robot, monkeypatch):
    monkeypatch.setattr("lerax_render.export.contents.MAX_STEPS", 20)
    meta = copy.deepcopy(meta_of(robot))
    meta["lanes"] *= 2
    assert "24 steps in it, and 20 is the limit" in refusal(put_together(parts_of(robot), meta))
    meta["lanes"] = meta["lanes"][:1]
    for steps, said in ((9, "and 20 is the limit"), (0, "no steps")):
        meta["lanes"][0]["whole"] = {"steps": steps, "captured": meta["lanes"][0]["captured"]}
        assert said in refusal(put_together(parts_of(robot), meta))


def test_changes_of_a_model_that_no_step_has(robot):
    parts, meta = parts_of(robot), copy.deepcopy(meta_of(robot))
    parts["row.npy"] = npy(np.zeros(12, np.int32))
    parts["of.npy"] = npy(np.zeros(100, np.int32))
    # Colours of a model that has no materials take no byte, however many there are.
    parts["values.npy"] = npy(np.zeros((100, 0, 4), np.float64))
    changes = {"row": "row.npy", "mat_rgba": "values.npy", "mat_rgba.row": "of.npy"}
    meta["lanes"][0]["captured"]["changes"] = changes
    assert "changes of mat_rgba" in refusal(put_together(parts, meta))


def test_a_size_that_lies(robot):
    """A table of contents that says less than there is, as bombs do."""
    content = bytearray(robot)
    place = content.rindex(b"PK\x01\x02")
    struct.pack_into("<I", content, place + 24, 10)
    assert "damaged" in refusal(bytes(content)) or "no replay" in refusal(bytes(content))


def test_too_many_files_are_not_listed():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as zipped:
        for number in range(21_000):
            zipped.writestr(f"a/{number}.npy", b"")
    assert "is the limit" in refusal(file.getvalue())


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ({"descr": "<f8", "fortran_order": False, "shape": (2**40,)}, "shape"),
        ({"descr": "<f8", "fortran_order": False, "shape": (2**20, 2**11)}, "shape of"),
        ({"descr": "<f4", "fortran_order": False, "shape": (-1,)}, "shape"),
        ({"descr": "<f4", "fortran_order": False, "shape": (True,)}, "shape"),
        ({"descr": "|O", "fortran_order": False, "shape": (12,)}, "no numbers"),
        ({"descr": [("a", "<f4")], "fortran_order": False, "shape": (12,)}, "no numbers"),
        ({"descr": "<U4", "fortran_order": False, "shape": (12,)}, "no numbers"),
        ({"descr": ">f4", "fortran_order": False, "shape": (12,)}, "no numbers"),
        ({"descr": "<f4", "shape": (12,)}, "header"),
    ],
)
def test_headers_of_arrays_that_lie(robot, header, said):
    text = repr(header).encode()
    array = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + bytes(48)
    assert said in refusal(put_together({**parts_of(robot), "lanes/0/terminated.npy": array}))


def test_a_header_as_long_as_a_book_or_nested(robot):
    for text in (b"(" * 900 + b")" * 900, b"{" + b" " * 60_000 + b"}", b"__import__('os')"):
        array = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text
        refusal(put_together({**parts_of(robot), "lanes/0/terminated.npy": array}))


class Trap:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_nothing_is_unpickled(robot, tmp_path):
    trap = Trap(tmp_path / "sprung")
    array = np.empty(12, object)
    array[:] = trap
    for content in (npy(array), pickle.dumps(trap)):
        refusal(put_together({**parts_of(robot), "lanes/0/terminated.npy": content}))
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[",
        b"[" * 200_000,
        b'{"a":' * 100_000,
        b"\xff\xfe",
        b"null",
        b'{"format": "lerax-render replay", "version": 1}',
        b'{"format": "lerax-render replay", "version": ' + b"9" * 5000 + b"}",
        b'{"format": "lerax-render replay", "version": 1, "scene": {"kind": "mujoco"}, '
        b'"lanes": [], "sha256": {}}',
        b'{"format": "lerax-render replay", "version": 1, "scene": {"kind": "\\u0000"}, '
        b'"lanes": [{"steps": 1, "captured": null}], "sha256": {}}',
    ],
)
def test_meta_that_says_nothing_sane(robot, text):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as zipped:
        for name, part in parts_of(robot).items():
            zipped.writestr(name, text if name == "meta.json" else part)
    refusal(file.getvalue())


def test_another_version_of_the_format_is_one_line(robot):
    said = refusal(put_together(parts_of(robot), {**meta_of(robot), "version": 2}))
    assert "version 2 of the format" in said
    assert "reads 1" in said


def test_another_mujoco_is_named_with_the_line_that_renders_it(robot, tmp_path):
    meta = meta_of(robot)
    meta["scene"]["mujoco"] = "3.3.2"
    file = tmp_path / "it's.replay"
    file.write_bytes(put_together(parts_of(robot), meta))
    with pytest.raises(RenderError, match=r"needs MuJoCo 3\.3\.2") as caught:
        Replay.load(file)
    assert f"uvx --with mujoco==3.3.2 lerax-render clip '{tmp_path}/it'\"'\"'s.replay'" in str(
        caught.value
    )
    meta["scene"]["mujoco"] = "3.3; rm -rf ~"
    said = refusal(put_together(parts_of(robot), meta))
    assert "rm" not in said


def test_checksums_find_what_was_changed(robot):
    parts = parts_of(robot)
    qpos = bytearray(parts["lanes/0/captured/qpos.f4.npy"])
    qpos[-1] ^= 1
    parts["lanes/0/captured/qpos.f4.npy"] = bytes(qpos)
    assert "checksum" in refusal(put_together(parts, meta_of(robot), sums=False))


@pytest.mark.parametrize("shape", [(11, 8), (12, 9), (12,), (12, 8, 1), (0, 8)])
def test_poses_of_another_shape(robot, shape):
    name = "lanes/0/captured/qpos.f4.npy"
    said = refusal(put_together({**parts_of(robot), name: npy(planes(np.zeros(shape)))}))
    assert "12 steps" in said or "its model needs (8,)" in said


def test_poses_of_nan_are_told_where_the_file_does_not_say_so(robot):
    parts = parts_of(robot)
    qpos = load(robot).captured.qpos
    qpos[3:5, 0] = np.nan
    parts["lanes/0/captured/qpos.f4.npy"] = npy(planes(qpos))
    assert "NaN or infinite in 2 steps, and says 0" in refusal(put_together(parts))
    meta = meta_of(robot)
    meta["lanes"][0]["not_finite"] = 2
    assert load(put_together(parts, meta)).steps == 12


def test_a_broken_model_is_an_error_and_no_crash(robot):
    parts = parts_of(robot)
    model = parts["scene.mjb"]
    rng = np.random.default_rng(0)
    for changed in (b"", model[:100], model[:-8], bytes(len(model)), rng.bytes(len(model))):
        said = refusal(put_together({**parts, "scene.mjb": changed}))
        assert "model" in said
        assert "MuJoCo" in said


@pytest.mark.parametrize("name", ["numslices", "numstacks", "numquads", "shadowsize"])
@pytest.mark.parametrize("number", [-1, 100_000])
def test_a_model_whose_picture_fills_memory_is_refused(robot, tmp_path, name, number):
    parts = parts_of(robot)
    model = mujoco.MjModel.from_binary_path("a.mjb", {"a.mjb": parts["scene.mjb"]})
    setattr(model.vis.quality, name, number)
    mujoco.mj_saveModel(model, str(tmp_path / "a.mjb"))
    assert name in refusal(put_together({**parts, "scene.mjb": (tmp_path / "a.mjb").read_bytes()}))


def test_an_altered_model_loads_or_is_refused(robot):
    parts = parts_of(robot)
    rng = np.random.default_rng(1)
    for _ in range(4):
        model = np.frombuffer(parts["scene.mjb"], np.uint8).copy()
        model[rng.integers(0, len(model), 40)] = rng.integers(0, 256, 40)
        try:
            replay = load(put_together({**parts, "scene.mjb": model.tobytes()}))
        except RenderError:
            continue
        assert replay.steps == 12


def test_a_model_beside_it_is_in_its_folder_alone_and_is_that_model(robot, tmp_path):
    parts, meta = parts_of(robot), meta_of(robot)
    (tmp_path / "scene.mjb").write_bytes(parts.pop("scene.mjb"))
    meta["scene"]["path"] = "scene.mjb"
    del meta["scene"]["file"]
    file = tmp_path / "a.replay"
    file.write_bytes(put_together(parts, meta))
    assert Replay.load(file).steps == 12
    for path in ("../scene.mjb", "/etc/passwd", ".", "none.mjb", "a/b"):
        meta["scene"]["path"] = path
        file.write_bytes(put_together(parts, meta))
        with pytest.raises(RenderError, match="model"):
            Replay.load(file)
    meta["scene"]["path"] = "a.replay"
    file.write_bytes(put_together(parts, meta))
    with pytest.raises(RenderError, match="checksum of its model"):
        Replay.load(file)


def commands(content: bytes) -> str:
    return meta_of(content)["lanes"][0]["captured"]["commands"]


@pytest.mark.parametrize(
    ("array", "value"),
    [
        ("commands", np.array([[99, 1, 0]], np.int32)),
        ("commands", np.array([[0, -5, 0]], np.int32)),
        ("commands", np.array([[0, 10**9, 0]], np.int32)),
        ("commands", np.zeros((1, 3), np.float64)),
        ("layouts", np.array([[0, 10**6, 1]], np.int32)),
        ("layouts", np.array([[0, 2, 1]] * 100_000, np.int32)),
        ("layouts", np.zeros((0, 3), np.int32)),
        ("layout", np.full(12, 10**6, np.int32)),
        ("layout", np.full(12, -1, np.int32)),
        ("numbers", np.zeros(3, np.uint8)),
    ],
)
def test_drawings_that_do_not_fit_together(drawn, array, value):
    name = meta_of(drawn)["lanes"][0]["captured"][array]
    assert "drawings" in refusal(put_together({**parts_of(drawn), name: npy(value)})) or (
        array == "numbers"
    )


def test_layouts_that_no_step_draws(drawn):
    parts = parts_of(drawn)
    name = meta_of(drawn)["lanes"][0]["captured"]["layouts"]
    bounds = np.load(io.BytesIO(parts[name]))
    unused = np.array([[bounds[-1, 1], bounds[-1, 1], 1]] * 13, np.int32)
    parts[name] = npy(np.concatenate([bounds, unused]))
    assert "drawings that do not fit" in refusal(put_together(parts))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("width", 0),
        ("width", 10**9),
        ("scale", 0),
        ("scale", 1e400),
        ("zoom", 0),
        ("offset", ["a", "b"]),
        ("offset", [1e300, 1e400]),
        ("clip", [0, 0, 0, 0]),
        ("background", None),
    ],
)
def test_layouts_that_cannot_be_drawn(drawn, field, value):
    meta = copy.deepcopy(meta_of(drawn))
    meta["scene"]["layout"][field] = value
    refusal(put_together(parts_of(drawn), meta))


@settings(max_examples=60)
@given(data=st.data())
def test_whatever_meta_says_is_told_or_painted(data):
    """Any value in the place of any other."""
    content = record(capture(Counting(), steps=6), format="replay").data
    meta = meta_of(content)
    paths: list[tuple] = []

    def walk(value, path):
        paths.append(path)
        items = (
            value
            if isinstance(value, dict)
            else [*range(len(value))]
            if isinstance(value, list)
            else ()
        )
        for key in items:
            walk(value[key], (*path, key))

    walk({key: value for key, value in meta.items() if key != "sha256"}, ())
    path = data.draw(st.sampled_from([path for path in paths if path]))
    value = data.draw(
        st.one_of(
            st.none(), st.booleans(), st.integers(-(10**20), 10**20), st.text(max_size=5),
            st.floats(allow_nan=False, allow_infinity=False), st.just([]), st.just({}),
            st.sampled_from(list(meta["sha256"])),
        )
    )  # fmt: skip
    target = meta
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    try:
        replay = load(put_together(parts_of(content), json.loads(json.dumps(meta))))
    except RenderError:
        return
    assert record(replay, format="gif", width=32, height=24).num_frames == replay.steps


def test_what_it_says_of_itself_writes_no_colours_on_a_terminal(robot, tmp_path, capsys):
    from lerax_render.cli.info import report

    meta = meta_of(robot)
    meta["lanes"][0]["origin"]["env"] = "[red]\x1b[2J‮"
    file = tmp_path / "a.replay"
    file.write_bytes(put_together(parts_of(robot), meta))
    report(file)
    out = capsys.readouterr().out
    assert "[red]\\x1b[2J\\u202e" in out
    assert "\x1b" not in out
    assert describe(file).steps == 12
