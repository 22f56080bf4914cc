"""Names and texts from anywhere: none becomes another path, a command, or markup."""

import re
import unicodedata
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from lerax_log import LoggingCallback, TensorBoardBackend
from lerax_log.host.run_names import MAX_BYTES, safe_name
from lerax_render import VideoWriter
from lerax_render.cli import commands as cli
from lerax_render.compose.text import text_mask
from lerax_render.gallery.build import make_gallery
from lerax_render.gallery.manifest import read_manifest
from lerax_render.gallery.page import Tile, make_markdown, make_page

NAMES = [
    "../up",
    "../../../../etc/passwd",
    "/etc/passwd",
    "a/../../b",
    r"..\..\b",
    "nul\0byte",
    "x" * 300,
    "ü" * 300,
    "abc\u202egnp.exe",
    "\u2066\u2067isolated\u2069",
    "\u200e\u200f\u061c",
    "zero\u200bwidth\ufeff",
    "\U000e0041tag",
    "line\u2028feed\r\n",
    "\x1b[2J\x1b]0;title\x07",
    "\x9b2J",
    "-rf",
    "~root",
    "$(id)",
    "con",
    "\ud800",
    "",
    ".",
    "..",
]


@pytest.mark.parametrize("name", NAMES)
def test_run_names_are_one_folder_and_can_be_seen(name, tmp_path):
    safe = safe_name(name)
    assert len(safe.encode()) <= MAX_BYTES
    assert "/" not in safe
    assert safe not in ("", ".", "..")
    assert not safe.startswith((".", "-"))
    assert safe.isprintable()
    assert not any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in safe)
    assert safe_name(safe) == safe

    backend = TensorBoardBackend(tmp_path / "logs")
    backend.open(safe)
    backend.log_scalars({"episode/return": 1.0}, 1)
    backend.close()
    assert backend.run_dir == tmp_path / "logs" / safe
    assert [path.name for path in tmp_path.iterdir()] == ["logs"]
    assert [path.name for path in (tmp_path / "logs").iterdir()] == [safe]


def test_the_callback_takes_such_names(tmp_path):
    for name in filter(None, NAMES):
        LoggingCallback(TensorBoardBackend(tmp_path), name=name).close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["nul\0byte.gif", "x" * 300 + ".gif", "\0%05d.png"])
def test_paths_that_no_file_can_have_are_refused(name, tmp_path):
    with pytest.raises(ValueError, match=r"null|File name too long"):
        VideoWriter(tmp_path / name, 20)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", NAMES)
def test_manifests_name_no_file_outside(name, tmp_path):
    if name == "\ud800":
        pytest.skip("no TOML can have it")
    text = "".join(c if c.isalnum() and c.isascii() else f"\\U{ord(c):08x}" for c in name)
    path = tmp_path / "gallery.toml"
    path.write_text(f'[[clips]]\nenv = "CartPole"\nname = "{text}"')
    if re.fullmatch(r"[A-Za-z0-9][\w-]{0,99}", name, re.ASCII):
        assert read_manifest(path).entries[0].name == name
        return
    with pytest.raises(ValueError, match=r"line 3, clip .*: name must be up to 100") as error:
        read_manifest(path)
    assert cli.printable(str(error.value)) == str(error.value)


def test_a_policy_in_a_manifest_that_is_another_file_is_not_quoted(tmp_path):
    (tmp_path / "secret").write_text("password = hunter2")
    (tmp_path / "g").mkdir()
    manifest = tmp_path / "g" / "gallery.toml"
    manifest.write_text('[[clips]]\nenv = "CartPole"\nsteps = 1\npolicy = "../secret"')
    (reason,) = make_gallery(manifest, tmp_path / "out").failed.values()
    assert "does not hold the parameters" in reason
    assert "hunter2" not in reason


def test_errors_on_the_terminal_are_only_text(tmp_path, capsys):
    path = tmp_path / "gallery.toml"
    path.write_text('"\\u001b[2J\\u202e" = 1\n[[clips]]\nenv = "CartPole"')
    with pytest.raises(SystemExit):
        cli.main(["gallery", str(path), "-o", str(tmp_path / "out"), "--no-cache"])
    (line, _) = capsys.readouterr().err.splitlines()
    assert r"there is no key \x1b[2J\u202e" in line
    assert line.isprintable()


HTML = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "<!-- --!> -->",
    "</h2></li></ul><h1>",
    "&lt;b&gt; &amp;#60;",
    "{{ script }} {{ style }}",
    "javascript:alert(1)",
    "[a](javascript:alert(1)) ![b](x) `c` <d> |e| # f",
    "\u202eright to left\u202c",
    "a\nb\r\n\nc\x00d",
]


class Page(HTMLParser):
    """What a browser makes of a page: its elements and its texts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.texts.append(data)

    def handle_comment(self, data):
        self.elements.append(("comment", {}))


def tile(text: str) -> Tile:
    return Tile("a.gif", "a.still.webp", "gif", 64, 48, text, text, (text,))


@pytest.mark.parametrize("text", HTML)
def test_captions_are_shown_and_not_run(text):
    hostile = Page(make_page(text, text, [tile(text)]))
    harmless = Page(make_page("plain", "plain", [tile("plain")]))
    assert [tag for tag, _ in hostile.elements] == [tag for tag, _ in harmless.elements]
    assert [sorted(a) for _, a in hostile.elements] == [sorted(a) for _, a in harmless.elements]
    # Title, description, caption, details, the tag on the tile and its button.
    assert hostile.texts.count(text) == harmless.texts.count("plain") >= 5


@pytest.mark.parametrize("text", HTML)
def test_captions_in_markdown_are_text(text):
    hostile, harmless = (make_markdown(t, t, [tile(t)] * 4) for t in (text, "plain"))
    assert len(hostile.splitlines()) == len(harmless.splitlines())
    for line, plain in zip(hostile.splitlines(), harmless.splitlines(), strict=True):
        assert len(re.findall(r"(?<!\\)\|", line)) == len(re.findall(r"\|", plain))
        assert len(re.findall(r"(?<!\\)!\[", line)) == len(re.findall(r"!\[", plain))
        assert not re.search(r"<(?!!--)[a-z/!]|(?<!\\)`", line)
        assert [url for url in re.findall(r"(?<!\\)\]\(([^)]*)\)", line) if "alert" in url] == []


@pytest.mark.parametrize("text", [*HTML, *NAMES])
def test_any_text_can_be_written_on_a_picture(text):
    mask = text_mask(text.replace("\0", ""), 11)
    assert mask.ndim == 2


def test_a_clip_named_by_markup_is_shown_as_text(tmp_path):
    name = "<img src=x onerror=alert(1)>.gif"
    with VideoWriter(tmp_path / name, 20) as writer:
        writer.write(np.zeros((8, 8, 3), np.uint8))
    page = Page(writer.video._repr_html_())
    assert [tag for tag, _ in page.elements] == ["img"]
    assert set(page.elements[0][1]) == {"src", "width", "style", "alt"}
    assert str(Path(name)) in str(page.elements[0][1]["alt"])
