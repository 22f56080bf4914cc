"""Manifests, names, command lines and models from any text: what they mean, or one clear error."""

import contextlib
import io
import re
import tomllib
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lerax_log.host.run_names import MAX_BYTES, safe_name
from lerax_render import Clip
from lerax_render.cli import commands as cli
from lerax_render.cli.options import SHORT
from lerax_render.compose.text import text_mask
from lerax_render.gallery.ledger import names
from lerax_render.gallery.manifest import Manifest, read_manifest
from lerax_render.gallery.schema import NAME, Caption
from lerax_render.gallery.toml_lines import key_lines
from lerax_render.mujoco.files.limits import check_mjcf
from lerax_render.settings.declarations import settings_of
from lerax_render.settings.texts import assignments, parsed_camera, parsed_grid, parsed_size
from support.paths import ROOT

MANIFEST = """\
[gallery]
title = "A \\"title\\""
description = '''Two
lines'''

[defaults]
steps = 3
overlay = ["step", "return"]

[[clips]]
name = "cart-pole_1"
env = "CartPole"
env_args = { dt = 0.1, flags = [true, false] }
grid = "2x2"
labels = ["a", "b", "c", "d"]
caption = "Ünïcode"

[[clips]]
env = "../scenes/arm.xml" # a comment
camera = { azimuth = 1.5, lookat = [0, 0, 1] }
fps = 12.5
max_size = "1MB"
preset = "docs"
policy.x = 1
""".replace("../scenes", f"{ROOT}/assets/scenes")
SNIPPETS = ["[[clips]]", "[", "]", '"', "'''", "\n", "=", "{", "\0", "\x1b[2J", "\u202e", "1e999"]


@st.composite
def mutated(draw, text: str) -> str:
    """A text with some of it taken out, doubled, moved, or something else put in."""
    for _ in range(draw(st.integers(1, 5))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 30)))
        put = draw(
            st.one_of(
                st.just(""),
                st.sampled_from(SNIPPETS),
                st.text(max_size=5),
                st.just(2 * text[start:end]),
                st.integers().map(str),
            )
        )
        text = text[:start] + put + text[end:]
    return text


def read(path: Path) -> Manifest | None:
    """Read a manifest, or see that its mistakes are said as documented."""
    try:
        manifest = read_manifest(path)
    except ValueError as error:
        for line in str(error).split("\n"):
            assert line.startswith(f"{path}, line ") or f"{path} is not valid TOML" in line
        return None
    seen = set()
    for entry in manifest.entries:
        assert NAME.fullmatch(entry.name)
        assert entry.name.casefold() not in seen
        seen.add(entry.name.casefold())
        for file in names(entry.name, "mp4"):
            assert Path(file).name == file
        assert len(entry.clip.fingerprint()) == 64
        assert 1 <= entry.line <= 10_000
    return manifest


@given(mutated(MANIFEST))
def test_manifests_of_any_text(tmp_path, text):
    path = tmp_path / "gallery.toml"
    path.write_text(text, "utf-8", errors="surrogatepass", newline="")
    read(path)


TOML = st.recursive(
    st.one_of(
        st.booleans(),
        st.integers(-(2**70), 2**70),
        st.floats(),
        st.text(st.characters(codec="utf-8"), max_size=10),
        st.dates(),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text("abc\u202e.\n", max_size=3), inner)
    ),
    max_leaves=6,
)
KEYS = [*settings_of(Caption), *settings_of(Clip), "unknown"]


def toml(value: object) -> str:
    """A value as TOML writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + "".join(f"\\U{ord(c):08x}" for c in value) + '"'
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{toml(k)} = {toml(v)}" for k, v in value.items()) + "}"
    return str(value)


@given(
    st.lists(st.dictionaries(st.sampled_from(KEYS), TOML, max_size=4), max_size=3),
    st.dictionaries(st.sampled_from(KEYS), TOML, max_size=3),
)
def test_manifests_of_any_values(tmp_path, clips, defaults):
    lines = ["[defaults]", *(f"{key} = {toml(value)}" for key, value in defaults.items())]
    for clip in clips:
        lines += ["[[clips]]", 'policy_class = "A"' if "policy_class" not in clip else ""]
        lines += ['env = "CartPole"'] * ("env" not in clip)
        lines += [f"{key} = {toml(value)}" for key, value in clip.items()]
    path = tmp_path / "gallery.toml"
    path.write_text("\n".join(lines))
    tomllib.loads(path.read_text())
    read(path)


@given(st.text(st.characters(), max_size=400))
def test_run_names_of_any_text(name):
    safe = safe_name(name)
    assert 1 <= len(safe.encode()) <= MAX_BYTES
    assert not set(safe) & set('/\\:*?"<>|\0')
    assert not safe.startswith((".", "-"))
    assert not any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in safe)
    assert safe_name(safe) == safe


@given(st.text(st.characters(), max_size=30), st.sampled_from([1, 8, 11, 40]))
def test_any_text_can_be_written_on_a_picture(text, pixels):
    mask = text_mask(text, pixels)
    assert mask.shape[0] == text_mask("x", pixels).shape[0]
    assert ((mask >= 0) & (mask <= 1)).all()


OPTIONS = [f"--{name.replace('_', '-')}" for name in settings_of(Clip)]
OPTIONS += [*SHORT.values(), "--no-cache", "--output", "--force", "--frames", "--no-deterministic"]
OPTIONS += ["--help", "--version", "--no-such-option", "--"]
TEXTS = [
    "2x3",
    "0x0",
    "a=1",
    "a=[",
    "=",
    "dt=1e999",
    "docs",
    "gif",
    "10MB",
    "azimuth=1,track=",
    "lookat=(",
    "step",
    "clip.avi",
    "../x",
    "nan",
]
VALUES = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=10),
    st.integers().map(str),
    st.floats().map(str),
    st.sampled_from([*TEXTS, "9" * 5000, "a=" + "(" * 300, "\0"]),
)
# What ends a command before anything is rendered, while all else is still looked at.
ENDS = st.sampled_from(["missing.xml", "No-Such-Class", "nowhere:Env", "no.py:Env", "", "\x1b[2J"])


def run(arguments: list[str]) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    code = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            cli.main(arguments)
        except SystemExit as exit:
            code = exit.code if isinstance(exit.code, int) else -1
    return code, out.getvalue(), err.getvalue()


@settings(max_examples=max(60, settings.default.max_examples // 2))
@given(
    st.sampled_from(["clip", "gallery", "timelapse", "", "clp"]),
    ENDS,
    st.lists(st.tuples(st.sampled_from(OPTIONS), st.lists(VALUES, max_size=2)), max_size=4),
)
def test_any_command_line_is_help_or_a_clear_error(tmp_path, monkeypatch, command, env, options):
    monkeypatch.chdir(tmp_path)
    words = [command, env, "--no-cache", *(w for name, values in options for w in (name, *values))]
    code, out, err = run(words)
    assert list(tmp_path.iterdir()) == []
    assert "Traceback" not in err
    if code == 0:
        assert re.search(r"usage: lerax-render|lerax-render \d", out)
    else:
        assert code in (1, 2)
        assert err.strip()
    if code == 1:
        line, hint = err.splitlines()[0], err.splitlines()[-1]
        assert line.startswith("lerax-render: ")
        assert "LERAX_RENDER_TRACEBACK" in hint
        assert all(line.isprintable() for line in err.splitlines())


@given(VALUES, VALUES, VALUES, VALUES)
def test_values_of_the_command_line_of_any_text(camera, grid, size, assignment):
    for parse, text in (
        (parsed_camera, camera),
        (parsed_grid, grid),
        (parsed_size, size),
        (lambda text: assignments([text]), assignment),
    ):
        with contextlib.suppress(ValueError):
            parse(text)
    assert re.fullmatch(r"[\w-]{1,100}\.gif", cli.default_name(camera, "gif"), re.ASCII)


@given(mutated((ROOT / "assets/scenes/crane.xml").read_text()))
def test_models_of_any_text(tmp_path, text):
    path = tmp_path / "scene.xml"
    path.write_text(text, "utf-8", errors="surrogatepass")
    with contextlib.suppress(ValueError):
        check_mjcf(path)


def test_the_unchanged_texts_are_taken(tmp_path):
    """What is mutated was right to begin with."""
    path = tmp_path / "gallery.toml"
    path.write_text(MANIFEST.replace("policy.x = 1\n", ""))
    manifest = read(path)
    assert manifest is not None
    assert [entry.name for entry in manifest.entries] == ["cart-pole_1", "arm"]
    assert key_lines(path.read_text())
    path.write_text(MANIFEST)
    with pytest.raises(ValueError, match="policy must be"):
        read_manifest(path)
