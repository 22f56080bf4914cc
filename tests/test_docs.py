"""The documentation: builds without a warning, points at nothing missing, names all there is."""

import ast
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jax import random as jr
from lerax.env.classic_control import CartPole
from lerax.policy import MLPActorCriticPolicy
from PIL import Image

import lerax_log
import lerax_render
from lerax_render.cli import main
from lerax_render.gallery.manifest import read_manifest
from support.paths import ROOT

PAGES = (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md")))
FOLDERS = ("src", "tests", "docs", "examples", "benchmarks", "assets", "scripts", ".ci", ".github")


def blocks(page: Path, language: str) -> list[str]:
    """Return the code of one language on a page."""
    found = re.findall(r"^```(\w*)\n(.*?)^```", page.read_text(), re.M | re.S)
    return [code for tag, code in found if tag == language]


def build(folder: Path) -> subprocess.CompletedProcess[str]:
    """Build the site of a copy of the documentation, as `make docs` does."""
    command = f"""
        {sys.executable} -m zensical build --strict --clean &&
        {sys.executable} {ROOT}/scripts/check-site site
    """
    result = subprocess.run(
        ["/bin/sh", "-ec", command],
        cwd=folder,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=120,
    )
    # Zensical colours every letter by itself, whatever NO_COLOR says.
    result.stdout = re.sub(r"\x1b\[[\d;]*m", "", result.stdout)
    return result


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("docs")
    shutil.copytree(ROOT / "docs", folder / "docs")
    shutil.copy(ROOT / "zensical.toml", folder)
    (folder / "src").symlink_to(ROOT / "src")
    result = build(folder)
    assert result.returncode == 0, result.stdout
    return folder / "site"


def test_every_page_can_be_reached(site):
    home = (site / "index.html").read_text()
    # What a gallery writes for others to include is a page by itself, too.
    for page in (ROOT / "docs").glob("*.md"):
        assert re.search(rf'href="(\./)?{page.stem}\.html"', home), page.name


@pytest.mark.parametrize("package", [lerax_render, lerax_log], ids=lambda p: p.__name__)
def test_reference_has_every_public_name(site, package):
    page = (site / "api.html").read_text()
    anchors = set(re.findall(r'id="([\w.]+)"', page))
    names = {name for name in package.__all__ if not name.startswith("__")}
    assert {f"{package.__name__}.{name}" for name in names} <= anchors


def test_site_asks_no_other_host_for_anything(site):
    for page in site.glob("*.html"):
        text = page.read_text()
        assert not re.search(r'<(?:script|img|link)[^>]+(?:src|href)="(?:https?:)?//', text), page


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("[a](api.md)", 0),
        ("[a](missing.md)", 1),
        ("[a](api.md#missing)", 1),
        ("[a](gallery/missing.html)", 1),
        ("![a](gallery/missing.gif)", 1),
        ("[a][lerax_render.missing]", 1),
        ("::: lerax_render.missing", 1),
    ],
)
def test_a_broken_reference_fails_the_build(tmp_path, line, status):
    (tmp_path / "docs").mkdir()
    (tmp_path / "src").symlink_to(ROOT / "src")
    configuration = (ROOT / "zensical.toml").read_text()
    pages = 'nav = [{ "Home" = "index.md" }, { "API reference" = "api.md" }]'
    configuration = re.sub(r"nav = \[\n.*?^\]", pages, configuration, flags=re.M | re.S)
    (tmp_path / "zensical.toml").write_text(configuration)
    shutil.copy(ROOT / "docs/style.css", tmp_path / "docs")
    (tmp_path / "docs/api.md").write_text("# API\n")
    (tmp_path / "docs/index.md").write_text(f"# Home\n\n{line}\n")
    result = build(tmp_path)
    assert result.returncode == status, result.stdout
    assert ("missing" in result.stdout) == (status != 0)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_links_between_files_lead_somewhere(page):
    """Also where the pages are read in the repository, without a site."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.S)
    for target in re.findall(r"\]\(([^)#\s]+)", text):
        if not target.startswith(("https://", "http://")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_readme_opens_with_a_small_moving_picture():
    link = re.search(r"\[!\[[^]]+\]\((.+?)\)\]\((.+?)\)", (ROOT / "README.md").read_text())
    assert (ROOT / link[2]).suffix == ".html"
    path = ROOT / link[1]
    assert path.parent == ROOT / "assets"
    assert 100_000 < path.stat().st_size < 1_000_000
    with Image.open(path) as picture:
        assert picture.n_frames > 100
        for frame in (0, picture.n_frames - 1):
            picture.seek(frame)
            tiles = np.array_split(np.asarray(picture.convert("L"), float), 4, axis=1)
            assert all(tile[: len(tile) // 2].std() > 1 or tile.std() > 20 for tile in tiles)


def test_every_promise_names_a_test_that_exists():
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (ROOT / "docs/reliability.md").read_text())
    assert len(named) > 30
    for file, test in named:
        functions = re.findall(r"^ *def (test_\w+)\(", (ROOT / file).read_text(), re.M)
        assert test in functions, f"{file}::{test}"


def test_every_promise_has_a_test():
    for line in (ROOT / "docs/reliability.md").read_text().splitlines():
        if line.startswith("| ") and "| test |" not in line:
            assert re.search(r"`tests/\S+::test_\w+` \|$", line), line


def test_pictures_are_those_of_the_manifest_and_small():
    entries = read_manifest(ROOT / "docs/gallery.toml").entries
    names = {f"{entry.name}.{entry.clip.format or 'webp'}" for entry in entries}
    stills = {f"{entry.name}.still.webp" for entry in entries}
    there = {path.name: path for path in (ROOT / "docs/gallery").iterdir()}
    assert there.keys() - {"index.html", "gallery.md", ".gallery.json"} == names | stills
    assert all(10_000 < there[name].stat().st_size < 1_000_000 for name in names)


def test_the_site_has_pages_to_look_around_in_beside_its_pictures(site):
    frames = re.findall(r"<iframe[^>]*>", (site / "gallery.html").read_text())
    assert len(frames) >= 3
    for frame in frames:
        assert 'loading="lazy"' in frame
        assert "title=" in frame
        page = (site / re.search(r'src="([^"]+)"', frame)[1]).read_text()
        assert "default-src 'none'" in page


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_files_that_pages_name_are_there(page):
    # What has a place in the output, or is somebody else's, does not begin like this.
    named = re.findall(rf"(?<![\w./-])(?:{'|'.join(FOLDERS)})/[\w./-]*\w", page.read_text())
    for name in (name for name in named if page.name != "CHANGELOG.md"):
        assert (ROOT / name).exists(), f"{page.name}: {name}"


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "name",
    [
        "README.md",
        "docs/index.md",
        "docs/first-clip.md",
        "docs/replays.md",
        "docs/coming-from-lerax.md",
    ],
)
def test_code_on_pages_runs_and_gives_what_it_says(name, tmp_path, monkeypatch):
    """In one program from top to bottom, with what a reader has by then."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "assets/scenes/arm.xml", "robot.xml")
    env = CartPole()
    policy = MLPActorCriticPolicy(env, key=jr.key(0))
    known: dict[str, Any] = {"env": env, "policy": policy, "key": jr.key(0)}
    known["states"] = lerax_render.rollout(env, policy, steps=64).states
    known["state"] = env.initial(key=jr.key(0))
    ran = [block for block in blocks(ROOT / name, "python") if ".learn(" not in block]
    assert ran
    for block in ran:
        exec(compile(block, name, "exec"), known)
        for expression, value in re.findall(r"^([a-z][\w.,() ]*?)  # (.*)$", block, re.M):
            says(eval(expression, known), value)
        named = re.findall(r"\"([\w-]+\.(?:gif|mp4|webm))\"", block)
        assert all(Path(file).stat().st_size > 1000 for file in named), named


def says(value: Any, comment: str) -> None:
    """Fail unless a comment says what a value is, if it is of a form that can be compared."""
    if array := re.fullmatch(r"(\w+) (\(.*\))(?: each)?", comment):
        for each in value if isinstance(value, tuple) else (value,):
            assert (str(each.dtype), each.shape) == (array[1], ast.literal_eval(array[2]))
    elif comment.startswith("None"):
        assert value is None
    elif re.fullmatch(r"[\d., ()]+", comment):
        assert value == ast.literal_eval(comment)


def options_in(page: Path) -> Iterator[tuple[str, str]]:
    """List the options of `lerax-render` in a page's commands, each after its subcommand."""
    for block in blocks(page, "sh"):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            for command in ("clip", "gallery", "timelapse", "figure", "doctor"):
                if command in words and any("lerax-render" in word for word in words):
                    after = words[words.index(command) :]
                    yield from ((command, w) for w in after if re.match(r"--?[a-z]", w))


def test_commands_on_pages_have_no_options_but_those_there_are(capsys):
    found = {option for page in PAGES for option in options_in(page)}
    assert len(found) > 15
    for command in {command for command, _ in found}:
        with pytest.raises(SystemExit):
            main([command, "--help"])
        there = set(re.findall(r"(?<![\w-])--?[a-z][\w-]*", capsys.readouterr().out))
        assert {option for of, option in found if of == command} <= there, command


def test_the_glossary_is_short_and_linked():
    text = (ROOT / "docs/glossary.md").read_text()
    words = re.findall(r"^\| \*\*(.+?)\*\* \|", text, re.M)
    assert 15 <= len(words) == len(set(words)) <= 25
    for page in ("README.md", "CONTRIBUTING.md", "docs/index.md", "docs/architecture.md"):
        assert re.search(r"\]\((docs/)?glossary\.md", (ROOT / page).read_text()), page


def test_pages_use_no_word_that_the_glossary_replaces():
    rows = re.findall(r"^\| \*\*.*\| (.*?) ?\|$", (ROOT / "docs/glossary.md").read_text(), re.M)
    replaced = [word for row in rows for word in row.split(", ") if word]
    assert len(replaced) >= 3
    for page in PAGES:
        if page.name not in ("CHANGELOG.md", "glossary.md"):
            found = re.findall(rf"\b(?:{'|'.join(replaced)})\b", page.read_text())
            assert not found, f"{page.name}: {found}"


def test_the_manifest_on_the_page_is_one_and_its_mistakes_are_reported_so(tmp_path):
    page = ROOT / "docs/gallery.md"
    manifest = tmp_path / "docs/gallery.toml"
    manifest.parent.mkdir()
    (tmp_path / "assets").symlink_to(ROOT / "assets")
    lines = blocks(page, "toml")[0].splitlines()
    manifest.write_text("\n".join(lines))
    assert [entry.name for entry in read_manifest(manifest).entries] == ["cartpole", "hopper"]
    lines[6] = 'width = "wide"'
    lines += [""] * (25 - len(lines)) + ["widht = 320"]
    manifest.write_text("\n".join(lines))
    with pytest.raises(ValueError, match="wide") as error:
        read_manifest(manifest)
    assert str(error.value).replace(str(manifest), "gallery.toml") == blocks(page, "")[-1].rstrip()
