"""Manifests as users write them, with their mistakes."""

import pytest

from lerax_render.batch.clip import Clip
from lerax_render.gallery.manifest import read_manifest
from support.paths import ROOT

WHOLE = """
[gallery]
title = "All of them"
description = "Two lines\\nof text"

[defaults]
steps = 10
width = 64
tags = ["all"]

[[clips]]
env = "CartPole"

[[clips]]
name = "walker-2"
env = "my.module:Walker"
env_args = { controls = "passive" }
policy = ["a.eqx", "b.eqx"]
policy_class = "my.module:Policy"
policy_args = { depth = 2 }
steps = 20
seed = 7
height = 48
fps = 12.5
camera = { azimuth = 90, lookat = [0, 0, 1.5] }
quality = "cinematic"
format = "gif"
deterministic = true
overlay = ["step", "return"]
grid = "1x2"
labels = ["first", "second"]
preset = "docs"
max_size = "5MB"
caption = "A caption"
tags = ["mujoco", "grid"]
"""


@pytest.fixture
def read(tmp_path):
    def read(text: str):
        path = tmp_path / "gallery.toml"
        path.write_text(text)
        for name in ("a.eqx", "b.eqx", "scene.xml"):
            (tmp_path / name).touch()
        return read_manifest(path)

    return read


def test_all_keys_arrive(read, tmp_path):
    manifest = read(WHOLE)

    assert (manifest.title, manifest.description) == ("All of them", "Two lines\nof text")
    first, second = manifest.entries
    assert (first.name, first.caption, first.tags, first.line) == ("CartPole", "", ("all",), 11)
    assert first.clip == Clip(env="CartPole", steps=10, width=64)
    assert (second.name, second.caption, second.line) == ("walker-2", "A caption", 14)
    assert second.tags == ("mujoco", "grid")
    assert second.clip == Clip(
        env="my.module:Walker",
        env_args={"controls": "passive"},
        policy=("a.eqx", "b.eqx"),
        policy_class="my.module:Policy",
        policy_args={"depth": 2},
        steps=20,
        seed=7,
        width=64,
        height=48,
        fps=12.5,
        camera={"azimuth": 90, "lookat": (0, 0, 1.5)},
        quality="cinematic",
        format="gif",
        deterministic=True,
        overlay=("step", "return"),
        grid=(1, 2),
        labels=("first", "second"),
        preset="docs",
        max_size=5_000_000,
    )
    assert second.clip.folder == tmp_path


def test_little_is_needed(read):
    manifest = read('[[clips]]\nenv = "gym:ALE/Pong-v5"')
    assert (manifest.title, manifest.description) == ("Gallery", "")
    assert manifest.entries[0].name == "ALE_Pong-v5"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("steps = 0", "steps is 0, accepted is a whole number, 1 to 1000000"),
        ("steps = 1.5", "steps is 1.5, accepted is a whole number"),
        ("steps = true", "steps is True, accepted is a whole number"),
        ('width = "wide"', "width is 'wide', accepted is a whole number of pixels, 1 to 16384"),
        ("seed = -1", "seed is -1, accepted is a whole number, 0 to 4294967295"),
        ("fps = inf", "fps is inf, accepted is a number of frames a second, 0.01 to 1000"),
        ('quality = "best"', 'quality is \'best\', accepted is "auto", "draft"'),
        ('format = "png"', 'format is \'png\', accepted is "mp4", "webm", "gif"'),
        ('overlay = ["speed"]', "overlay is ['speed'], accepted is true, false, or a list of"),
        ('grid = "2by3"', "grid is '2by3', accepted is rows and columns, \"2x3\" or [2, 3]"),
        ("grid = [2, 0]", "grid is [2, 0], accepted is rows and columns"),
        ("camera = { zoom = 2 }", "a table with some of azimuth, elevation, distance, lookat"),
        ('camera = { azimuth = "left" }', "camera is {'azimuth': 'left'}, accepted is a camera's"),
        ("camera = { lookat = [0, 0] }", "camera is {'lookat': [0, 0]}"),
        ("tags = [1]", "tags is [1], accepted is a list of texts"),
        ('preset = "poster"', 'preset is \'poster\', accepted is "docs", "readme", "social", or'),
        ("preset = true", "preset is True, accepted is"),
        ('policy = "c.eqx"', "policy names 'c.eqx', and there is no file"),
        ('policy = ["a.eqx", "c.eqx"]\ngrid = "1x2"', "policy names 'c.eqx', and there is no"),
        ('policy_class = "p.py:P"', "policy_class names 'p.py', and there is no file"),
        ("camera = { azimuth = nan }", "camera is {'azimuth': nan}, accepted is a camera's name"),
        ("camera = { distance = 0 }", "Camera's distance must be above 0 metres, got 0"),
        ("camera = { lookat = [0, 0, 0], track = 1 }", "(stand still) or track (follow), not both"),
        ('grid = "90x1"\nheight = 64', "a grid of 90x1 does not fit into 640x64 pixels"),
        ('grid = "1x90"\nwidth = 64', "a grid of 1x90 does not fit into 64x480 pixels"),
        ('grid = "90x1"\npreset = "docs"\nheight = 80', "does not fit into 480x80 pixels"),
        ('max_size = "big"', "max_size is 'big', accepted is a size, such as \"10MB\""),
        ('max_size = "1MB"', "max_size is a limit for a preset's GIF, and there is no"),
        ("env_args = 3", "env_args is 3, accepted is a table of arguments, such as { dt = 0.1 }"),
        ("policy = []\ngrid = 4", "grid is 4"),
        ('policy = ["a.eqx", "b.eqx"]', "policy lists 2, and there is no grid"),
        ('labels = ["a"]', "labels lists 1, and there is no grid"),
        ('labels = ["a"]\ngrid = "2x2"', "labels lists 1, and the grid has 4 tiles"),
        ('format = "mp4"\npreset = "docs"', "accepted with preset 'docs' is 'gif'"),
        ("widht = 3", "there is no key widht; did you mean width?"),
        ("xyzzy = 3", "there is no key xyzzy; there are name, caption, tags, env"),
    ],
)
def test_a_mistake_is_said_with_its_line_and_what_is_accepted(read, tmp_path, line, message):
    text = f'[defaults]\nsteps = 3\n\n[[clips]]\nenv = "CartPole"\n{line}\n'
    with pytest.raises(ValueError, match=r"gallery\.toml") as error:
        read(text)

    place = f"{tmp_path / 'gallery.toml'}, line "
    (first, *others) = str(error.value).splitlines()
    assert not others
    assert message in first
    expected = 6 + line.split("\n").index(next(x for x in line.split("\n") if x[:4] in first))
    assert first.startswith(f"{place}{expected}: ")


@pytest.mark.parametrize(
    "name", ["../up", "a/b", "/etc/passwd", "..", ".hidden", "", "a b", "nul\\u0000", "x" * 101, 3]
)
def test_names_cannot_leave_the_folder(read, name):
    value = name if isinstance(name, int) else f'"{name}"'
    with pytest.raises(ValueError, match=r"line 3: name is .*, accepted is up to 100 letters"):
        read(f'[[clips]]\nenv = "CartPole"\nname = {value}')


@pytest.mark.parametrize(
    ("env", "name"), [("my.module:../x", "x"), ("gym:../../a", "a"), ("./scene.xml", "scene")]
)
def test_names_that_come_from_environments_cannot_either(read, env, name):
    assert read(f'[[clips]]\nenv = "{env}"').entries[0].name.replace("_", "") == name


def test_names_are_used_once_whatever_their_case(read):
    with pytest.raises(ValueError, match=r"line 5: the clip in line 1 is named cartpole, too"):
        read('[[clips]]\nenv = "CartPole"\n[[clips]]\nenv = "x:y"\nname = "cartpole"')


def test_all_mistakes_are_said_at_once(read):
    with pytest.raises(ValueError, match=r"gallery\.toml") as error:
        read('[galery]\n[defaults]\nsteps = 0\nname = "x"\n[[clips]]\nseed = 1\n[[clips]]\nenv = 3')

    lines = [text.split(", ", 1)[1] for text in str(error.value).splitlines()]
    assert lines == [
        "line 1: there is no key galery outside of [gallery], [defaults] and [[clips]]",
        "line 3: steps is 0, accepted is a whole number, 1 to 1000000",
        "line 4: there is no key name; did you mean camera?",
        "line 5: env is missing, accepted is the text that `lerax-render clip` takes as ENV",
        "line 8: env is 3, accepted is the text that `lerax-render clip` takes as ENV",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: there are no clips; each begins with a line"),
        ("clips = 3", "line 1: there are no clips"),
        ("[gallery]\n[clips]\nenv='x:y'", r"line 2: clips is one table, .*: write \[\[clips\]\]"),
        ("[[clips]]\nenv='a.xml'", r"line 2: env names 'a\.xml', and there is no file /.*/a\.xml"),
        ("[[clips]]\nenv='a.py:Env'", r"line 2: env names 'a\.py', and there is no file"),
        (
            "[defaults]\ngrid='2x2'\n[[clips]]\nenv='x:y'\n[[clips]]\nenv='gym:A'",
            "line 2: grid is 2x2, accepted with gym:A is none: .*, or write grid = false",
        ),
        ("[[clips]]\nenv='scene.xml'\ngrid='1x2'", "line 3: grid is 1x2, accepted with scene.xml"),
        ("clips = [3]", "line 1: clips is 3, accepted is a table"),
        ("defaults = 3\n[[clips]]\nenv='x'", "line 1: defaults is 3, accepted is a table"),
        ("a = ", r"is not valid TOML: Invalid value \(at"),
        ("a = 1\na = 2", r"is not valid TOML: Cannot overwrite a value \(at"),
    ],
)
def test_what_is_no_manifest(read, text, message):
    with pytest.raises(ValueError, match=message):
        read(text)


def test_a_mistake_of_the_defaults_is_said_once(read, tmp_path):
    with pytest.raises(ValueError, match=r"line 2: policy names 'c\.eqx'") as error:
        read('[defaults]\npolicy = "c.eqx"\n[[clips]]\nenv = "x:A"\n[[clips]]\nenv = "x:B"')
    assert "\n" not in str(error.value)


def test_a_clip_can_leave_what_the_defaults_say(read):
    defaults = '[defaults]\npreset = "docs"\ngrid = "2x2"\nmax_size = "5MB"\n'
    first, second = read(
        defaults + "[[clips]]\nenv = 'x:A'\npreset = false\ngrid = false\nmax_size = false\n"
        "[[clips]]\nenv = 'x:B'\npreset = false\nmax_size = false\n"
    ).entries
    assert first.clip == Clip(env="x:A")
    assert second.clip == Clip(env="x:B", grid=(2, 2))


def test_bytes_that_are_no_text(tmp_path):
    path = tmp_path / "gallery.toml"
    path.write_bytes(b"a = '\xff'")
    with pytest.raises(ValueError, match="is not valid TOML"):
        read_manifest(path)
    with pytest.raises(FileNotFoundError):
        read_manifest(tmp_path / "missing.toml")


def test_the_documented_manifest_is_one():
    manifest = read_manifest(ROOT / "docs" / "gallery.toml")
    assert len(manifest.entries) > 5
