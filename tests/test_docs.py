"""The documentation: builds without a warning, points at nothing missing, names all there is."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import lerax_log
import lerax_render
from lerax_render.gallery.manifest import read_manifest
from support.paths import ROOT

PAGES = (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md")))


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
    assert {f"{package.__name__}.{name}" for name in package.__all__} <= anchors


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
    picture = re.search(r"!\[[^]]+\]\((.+?)\)", (ROOT / "README.md").read_text())
    path = ROOT / picture[1]
    assert path.parent == ROOT / "assets"
    assert 100_000 < path.stat().st_size < 1_000_000
    with Image.open(path) as gif:
        assert gif.n_frames > 100
        for frame in (0, gif.n_frames - 1):
            gif.seek(frame)
            tiles = np.array_split(np.asarray(gif.convert("L"), float), 4, axis=1)
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
    names = {entry.name for entry in read_manifest(ROOT / "docs/gallery.toml").entries}
    pictures = list((ROOT / "docs/gallery").glob("*.gif"))
    assert {picture.stem for picture in pictures} == names
    assert all(10_000 < picture.stat().st_size < 1_000_000 for picture in pictures)
