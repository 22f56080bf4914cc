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
        ("steps = 0", "steps must be a whole number, 1 to 1000000000, or false, got 0"),
        ("steps = 1.5", "steps must be a whole number, 1 to 1000000000, or false, got 1.5"),
        ("steps = true", "steps must be a whole number, 1 to 1000000000, or false, got True"),
        ('width = "wide"', "width must be a whole number of pixels, 1 to 16384, or false, got 'w"),
        ("seed = -1", "seed must be a whole number, 0 to 4294967295, got -1"),
        ("fps = inf", "fps must be a number of frames a second, 0.01 to 1000, or false, got inf"),
        (
            'quality = "best"',
            "quality must be one of auto, draft, standard, high, cinematic, got 'b",
        ),
        (
            "quality = false",
            "quality must be one of auto, draft, standard, high, cinematic, got Fa",
        ),
        ('format = "png"', "format must be one that a page can show, got 'png'"),
        ("deterministic = 1", "deterministic must be true or false, got 1"),
        ('overlay = ["speed"]', "overlay must be true or false or a list, each item one of step, "),
        (
            'grid = "2by3"',
            "grid must be rows and columns, 1 to 100 each, or a text such as 2x3, or ",
        ),
        ("grid = [2, 0]", "grid must be rows and columns, 1 to 100 each"),
        (
            "camera = { zoom = 2 }",
            "camera: there is no setting zoom; there are azimuth, elevation, ",
        ),
        ("camera = { azimut = 2 }", "camera: there is no setting azimut; did you mean azimuth?"),
        ('camera = { azimuth = "left" }', "camera.azimuth must be a finite number, or false, got "),
        (
            "camera = { lookat = [0, 0] }",
            "camera.lookat must be a list of 3, each a finite number,",
        ),
        (
            "camera = 1.5",
            "camera must be a camera's name, its number or some of azimuth, elevation",
        ),
        ("tags = [1]", "tags must be a list, each item a text that is not empty, got [1]"),
        (
            'preset = "poster"',
            "preset must be one of docs, readme, social, x, slides, paper, or false",
        ),
        ("preset = true", "slides, paper, or false, got True"),
        ('policy = "c.eqx"', "policy names 'c.eqx', and there is no file"),
        ('policy = ["a.eqx", "c.eqx"]\ngrid = "1x2"', "policy names 'c.eqx', and there is no"),
        ('policy = ""', "policy must be a file's path or a list of them, got ''"),
        ('policy_class = "p.py:P"', "policy_class names 'p.py', and there is no file"),
        ('policy_class = " "', "policy_class must be a name, got ' '"),
        ("camera = { azimuth = nan }", "camera.azimuth must be a finite number, or false, got nan"),
        ("camera = { distance = 0 }", "camera.distance must be a finite number of metres above 0,"),
        ("camera = { lookat = [0, 0, 0], track = 1 }", "(stand still) or track (follow), not both"),
        ('steps = false\npick = ["best", 3]\nof = 1', "pick names 2 episodes, out of 1"),
        ('pick = ["best", "good"]', "pick must be a list, each item best, worst, median"),
        ("max_steps = 10", "max_steps is 10, and cuts whole episodes"),
        ('grid = "90x1"\nheight = 64', "a grid of 90x1 does not fit into 640x64 pixels"),
        ('grid = "1x90"\nwidth = 64', "a grid of 1x90 does not fit into 64x480 pixels"),
        ('grid = "90x1"\npreset = "docs"\nheight = 80', "does not fit into 480x80 pixels"),
        (
            'max_size = "big"',
            "max_size must be a whole number of bytes, at least 1, or a text such ",
        ),
        ('poster = "a.png"', "a gallery has stills of its own: leave poster out"),
        ("crf = 64", "crf must be a whole number, 0 to 63, or false, got 64"),
        ("crf = 60", "crf must be 0 to 51 for h264, got 60"),
        ('codec = "av1"\npreset = "docs"', "webp cannot hold codec av1; formats that can are mp4"),
        ('preset = "paper"', "preset must be one that a page can show, got 'paper'"),
        ("env_args = 3", "env_args must be a table, got 3"),
        ("policy = []\ngrid = 4", "grid must be rows and columns"),
        ('policy = ["a.eqx", "b.eqx"]', "policy lists 2, and there is no grid"),
        ('labels = ["a"]', "labels lists 1, and there is no grid"),
        ('labels = ["a"]\ngrid = "2x2"', "labels lists 1, and the grid has 4 tiles"),
        (
            'format = "mp4"\npreset = "docs"',
            "format must be webp or gif with preset docs, got 'mp4'",
        ),
        ("widht = 3", "there is no key widht; did you mean width?"),
        ("color = { torso = 'reddish' }", "color of torso: expected a colour such as #ffc080"),
        ('color = { "\\n" = "red!" }', r"color of '\n': expected a colour such as #ffc080"),
        ("color = { torso = false }", "color of torso: expected a colour such as #ffc080"),
        ("folder = 'x'", "there is no key folder; there are name, caption, tags"),
        ("xyzzy = 3", "there is no key xyzzy; there are name, caption, tags"),
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
    assert first.startswith(f"{place}{expected}, clip 'CartPole': ")


@pytest.mark.parametrize(
    "name", ["../up", "a/b", "/etc/passwd", "..", ".hidden", "", "a b", "nul\\u0000", "x" * 101, 3]
)
def test_names_cannot_leave_the_folder(read, name):
    value = name if isinstance(name, int) else f'"{name}"'
    with pytest.raises(
        ValueError, match=r"line 3, clip .*: name must be up to 100 letters .*, got"
    ):
        read(f'[[clips]]\nenv = "CartPole"\nname = {value}')


@pytest.mark.parametrize(
    ("env", "name"), [("my.module:../x", "x"), ("gym:../../a", "a"), ("./scene.xml", "scene")]
)
def test_names_that_come_from_environments_cannot_either(read, env, name):
    assert read(f'[[clips]]\nenv = "{env}"').entries[0].name.replace("_", "") == name


def test_names_are_used_once_whatever_their_case(read):
    with pytest.raises(ValueError, match=r"line 5, clip 'cartpole': the clip in line 1 is named"):
        read('[[clips]]\nenv = "CartPole"\n[[clips]]\nenv = "x:y"\nname = "cartpole"')


def test_all_mistakes_are_said_at_once(read):
    with pytest.raises(ValueError, match=r"gallery\.toml") as error:
        read('[galery]\n[defaults]\nsteps = 0\nname = "x"\n[[clips]]\nseed = 1\n[[clips]]\nenv = 3')

    env = "the name of an environment, such as CartPole, module:attribute or robot.xml"
    lines = [text.split(", ", 1)[1] for text in str(error.value).splitlines()]
    assert lines == [
        "line 1: there is no key galery outside of [gallery], [defaults] and [[clips]]",
        "line 3: steps must be a whole number, 1 to 1000000000, or false, got 0",
        "line 4: there is no key name; did you mean camera?",
        f"line 5, clip 1: env is missing; it must be {env}",
        f"line 8, clip 2: env must be {env}, got 3",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: there are no clips; each begins with a line"),
        ("clips = 3", "line 1: there are no clips"),
        ("[gallery]\n[clips]\nenv='x:y'", r"line 2: clips is one table, .*: write \[\[clips\]\]"),
        (
            "[[clips]]\nenv='a.xml'",
            r"line 2, clip 'a\.xml': env names 'a\.xml', and there is no file /.*/a\.xml",
        ),
        ("[[clips]]\nenv='a.py:Env'", r"line 2, clip .*: env names 'a\.py', and there is no file"),
        (
            "[defaults]\ngrid='2x2'\n[[clips]]\nenv='x:y'\n[[clips]]\nenv='gym:A'",
            "line 2, clip 'gym:A': grid must be false with .* make a clip for each seed",
        ),
        ("[[clips]]\nenv='scene.xml'\ngrid='1x2'", "line 3, .*: grid must be false with"),
        ("clips = [3]", "line 1, clip 1: clips must be a table, got 3"),
        ("defaults = 3\n[[clips]]\nenv='x'", "line 1: defaults must be a table, got 3"),
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


def test_a_mistake_of_the_defaults_names_the_clips_that_it_concerns(read):
    defaults, clip = "[defaults]\nwidth = 99\n", '[[clips]]\nenv = "x:{}"\n'.format
    page = 'format = "replay"\n'
    refused = "width would make no difference in a replay"
    with pytest.raises(ValueError, match=rf"line 2, clip 'x:B': {refused}"):
        read(defaults + clip("A") + clip("B") + page + clip("C"))
    with pytest.raises(ValueError, match=rf"line 2, clip 'x:B' and 1 more: {refused}"):
        read(defaults + clip("A") + clip("B") + page + clip("C") + page)
    with pytest.raises(ValueError, match=rf"line 2: {refused}"):
        read(defaults + clip("A") + page + clip("B") + page)


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
