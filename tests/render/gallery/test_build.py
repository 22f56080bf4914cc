"""Galleries made, changed and made again, with real clips."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from lerax_render import record
from lerax_render.cli import commands as cli
from lerax_render.gallery.build import make_gallery
from support.paths import ROOT

DEFAULTS = """
[gallery]
title = "A <gallery>"
[defaults]
steps = 3
width = 64
height = 48
"""
FILES = {".gallery.json", "gallery.md", "index.html"}

KILLS_ITSELF = """
import os, signal
os.kill(os.getpid(), signal.SIGKILL)
"""


class Folder:
    """A manifest and the gallery beside it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.manifest = path / "gallery.toml"
        self.output = path / "out"

    def write(self, *clips: str) -> None:
        text = "\n".join(f"[[clips]]\n{clip}" for clip in clips)
        self.manifest.write_text(DEFAULTS + text)

    def make(self, **options):
        return make_gallery(self.manifest, self.output, **options)

    def files(self) -> set[str]:
        return {path.name for path in self.output.iterdir()}

    def stamps(self) -> dict[str, int]:
        """When each clip was written."""
        return {path.name: path.stat().st_mtime_ns for path in self.output.glob("*.mp4")}


ONE = 'name = "one"\nenv = "CartPole"\ncaption = "First"'
TWO = 'name = "two"\nenv = "CartPole"\nseed = 2\ntags = ["x"]'
# Where a process makes it: a scene needs no JAX.
ONE_SCENE = ONE.replace("CartPole", str(ROOT / "assets/scenes/arm.xml"))
BROKEN = 'name = "broken"\nenv = "nowhere:Env"'


@pytest.fixture
def folder(tmp_path) -> Folder:
    return Folder(tmp_path)


@pytest.fixture
def gallery(folder) -> Folder:
    """A gallery of two clips."""
    folder.write(ONE, TWO)
    report = folder.make()
    assert (list(report.made), list(report.kept), report.failed) == (["one", "two"], [], {})
    return folder


def test_clips_stills_and_pages_are_there(gallery):
    media = {"one.mp4", "one.still.webp", "two.mp4", "two.still.webp"}
    assert gallery.files() == media | FILES
    for name in ("one", "two"):
        with Image.open(gallery.output / f"{name}.still.webp") as still:
            assert (still.format, still.size) == ("WEBP", (64, 48))
            assert max(high - low for low, high in still.convert("RGB").getextrema()) > 100
    page = (gallery.output / "index.html").read_text()
    assert "A &lt;gallery&gt;" in page
    assert 'href="one.mp4"' in page
    assert "[![First](one.still.webp)](one.mp4)" in (gallery.output / "gallery.md").read_text()
    # No more than others may read than any other file.
    assert (gallery.output / "index.html").stat().st_mode & 0o777 == 0o666 & ~umask()


def umask() -> int:
    now = os.umask(0)
    os.umask(now)
    return now


def test_a_second_time_nothing_is_made(gallery):
    before = gallery.stamps()
    page = (gallery.output / "index.html").read_text()
    report = gallery.make()

    assert (dict(report.made), list(report.kept)) == ({}, ["one", "two"])
    assert gallery.stamps() == before
    assert (gallery.output / "index.html").read_text() == page


def test_a_changed_seed_makes_one(gallery):
    before = gallery.stamps()
    gallery.write(ONE, TWO.replace("seed = 2", "seed = 3"))
    report = gallery.make()

    assert (list(report.made), list(report.kept)) == (["two"], ["one"])
    after = gallery.stamps()
    assert after["one.mp4"] == before["one.mp4"]
    assert after["two.mp4"] > before["two.mp4"]


def test_a_changed_caption_changes_the_page_alone(gallery):
    gallery.write(ONE.replace("First", "Premier"), TWO)
    assert not gallery.make().made
    assert "Premier" in (gallery.output / "index.html").read_text()


def test_another_place_of_the_manifest_changes_nothing(gallery):
    moved = gallery.path / "elsewhere.toml"
    gallery.manifest.rename(moved)
    assert not make_gallery(moved, gallery.output).made


def test_another_manifest_takes_nothing_away(gallery):
    other = gallery.path / "other.toml"
    other.write_text(gallery.manifest.read_text().replace('"two"', '"three"'))
    before = gallery.files()
    with pytest.raises(
        ValueError, match=r"another manifest, \.\./gallery\.toml, of which two would"
    ):
        make_gallery(other, gallery.output)
    assert gallery.files() == before
    report = make_gallery(other, gallery.output, force=True)
    assert list(report.removed) == ["two.mp4"]
    assert not make_gallery(other, gallery.output).made


def test_what_is_lost_or_damaged_is_made_again(gallery):
    (gallery.output / "one.mp4").write_bytes(b"half a cl")
    (gallery.output / "two.still.webp").unlink()
    assert set(gallery.make().made) == {"one", "two"}
    assert set(gallery.make(force=True).made) == {"one", "two"}


@pytest.mark.parametrize(
    "record", ["", "[]", '{"one": 3}', "\0", '{"../x": {}}', '{"clips":' + "[" * 100_000]
)
def test_a_record_that_is_none_is_not_believed(gallery, record, caplog):
    (gallery.output / ".gallery.json").write_text(record)
    assert set(gallery.make().made) == {"one", "two"}
    assert "all clips are made again" in caplog.text


def test_a_record_writes_nothing_into_the_page(gallery):
    path = gallery.output / ".gallery.json"
    record = json.loads(path.read_text())
    record["clips"]["one"]["width"] = '"><a href="https://example.org">'
    path.write_text(json.dumps(record))
    gallery.make()
    assert "example.org" not in (gallery.output / "index.html").read_text()


def test_what_leaves_the_manifest_leaves_the_folder(gallery):
    (gallery.output / "notes.txt").write_text("mine")
    gallery.write(ONE + '\nformat = "gif"')
    report = gallery.make()

    assert list(report.made) == ["one"]
    assert list(report.removed) == ["two.mp4"]
    assert gallery.files() == {"one.gif", "one.still.webp", "notes.txt"} | FILES


def test_a_clip_that_fails_keeps_its_last_good_file(gallery):
    good = (gallery.output / "two.mp4").read_bytes()
    gallery.write(
        BROKEN,
        TWO.replace("CartPole", "nowhere:Env") + '\ncaption = "Still here"',
        ONE.replace("First", "Uno") + "\nseed = 9",
    )
    report = gallery.make()

    assert list(report.made) == ["one"]
    assert list(report.failed) == ["broken", "two"]
    assert "no module named 'nowhere'" in report.failed["two"]
    assert (gallery.output / "two.mp4").read_bytes() == good
    page = (gallery.output / "index.html").read_text()
    assert "Still here" in page
    assert "Uno" in page
    assert "broken" not in page
    # And it is tried again the next time.
    assert set(gallery.make().failed) == {"broken", "two"}


def test_links_are_replaced_and_not_followed(folder):
    precious = folder.path / "precious"
    precious.write_text("mine")
    folder.output.mkdir()
    for name in ("one.mp4", "one.still.webp", *FILES):
        (folder.output / name).symlink_to(precious)
    folder.write(ONE)
    folder.make()

    assert precious.read_text() == "mine"
    assert not any(path.is_symlink() for path in folder.output.iterdir())
    assert {path.name for path in folder.path.iterdir()} == {"precious", "out", "gallery.toml"}


def test_files_of_yours_are_not_replaced(gallery):
    """Neither in a new gallery's folder, nor when a clip joins an old one's."""
    for folder, names in (("docs", ("index.html", "one.mp4")), ("out", ("three.mp4",))):
        output = gallery.path / folder
        output.mkdir(exist_ok=True)
        for name in names:
            (output / name).write_text("mine")
        gallery.write(ONE, ONE.replace("one", "three"))
        before = gallery.stamps()
        with pytest.raises(ValueError, match=f"no gallery has made.*: {', '.join(names)}. Move"):
            make_gallery(gallery.manifest, output)
        assert all((output / name).read_text() == "mine" for name in names)
        assert gallery.stamps() == before | {
            name: stamp for name, stamp in gallery.stamps().items() if name == "three.mp4"
        }
    assert list(gallery.make(force=True).made) == ["one", "three"]


@pytest.mark.parametrize(("signal", "status"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_one_that_is_ended_shows_what_is_ready(folder, signal, status):
    (folder.path / "ends.py").write_text(f"import signal\nsignal.raise_signal(signal.{signal})")
    folder.write(ONE_SCENE, 'name = "ends"\nenv = "ends.py:Env"', TWO)
    command = [sys.executable, "-m", "lerax_render", "gallery", folder.manifest]
    done = subprocess.run([*command, "-o", folder.output], capture_output=True, text=True)
    assert done.returncode == status
    assert "Traceback" not in done.stderr
    assert folder.files() == {*FILES, "one.mp4", "one.still.webp"}
    assert "one.mp4" in (folder.output / "index.html").read_text()


def test_a_record_cannot_have_other_files_removed(gallery):
    precious = gallery.path / "precious.mp4"
    precious.write_text("mine")
    path = gallery.output / ".gallery.json"
    record = json.loads(path.read_text())
    record["clips"]["gone"] = record["clips"]["two"] | {"file": "../precious.mp4"}
    path.write_text(json.dumps(record))
    gallery.make()

    assert precious.read_text() == "mine"


def test_a_folder_in_the_place_of_a_file_is_an_outcome(folder):
    (folder.output / "one.mp4").mkdir(parents=True)
    folder.write(ONE, TWO)
    report = folder.make()
    assert set(report.failed) == {"one"}
    assert list(report.made) == ["two"]


@pytest.mark.parametrize(
    ("prepare", "options", "message"),
    [
        (lambda f: f.output.write_text("x"), {}, "is a file; a gallery needs a folder"),
        (lambda f: None, {"workers": 0}, "workers must be at least 1, got 0"),
        (lambda f: f.manifest.write_text("clips = 3"), {}, "line 1: there are no clips"),
    ],
)
def test_mistakes_come_before_any_work(folder, prepare, options, message):
    folder.write(ONE)
    prepare(folder)
    with pytest.raises(ValueError, match=message):
        folder.make(**options)
    assert not folder.output.is_dir()


def test_two_at_once_do_not_share_a_folder(folder):
    folder.write(ONE)
    met = []

    def meet(_) -> None:
        with pytest.raises(ValueError, match="another gallery is being made in"):
            folder.make()
        met.append(True)

    folder.make(on_start=meet)
    assert met
    assert folder.make().kept == ["one"]


def test_a_folder_is_made_but_not_the_one_that_it_is_in(folder):
    folder.write(ONE)
    with pytest.raises(ValueError, match=r"'.*/nowhere' does not exist; create it first"):
        make_gallery(folder.manifest, folder.path / "nowhere" / "out")


def test_workers_one_of_which_dies(folder):
    (folder.path / "killer.py").write_text(KILLS_ITSELF)
    folder.write('name = "killer"\nenv = "killer.py:Env"', ONE_SCENE)
    seen: dict[str, str | None] = {}
    report = folder.make(
        workers=2,
        on_outcome=lambda entry, outcome: seen.setdefault(entry.name, outcome.error),
    )

    assert list(report.made) == ["one"]
    assert "the process that rendered it was ended" in report.failed["killer"]
    assert seen == {"one": None, "killer": report.failed["killer"]}
    assert folder.files() == {"one.mp4", "one.still.webp"} | FILES


def test_workers_begin_with_different_environments(folder):
    folder.write(ONE, TWO, ONE_SCENE.replace("one", "scene"), TWO.replace("two", "three"))

    def begun(**options: int) -> list[str]:
        def stop(entries):
            raise LookupError(*(entry.name for entry in entries))

        with pytest.raises(LookupError) as stopped:
            folder.make(on_start=stop, **options)
        return list(stopped.value.args)

    assert begun(workers=2) == ["one", "scene", "two", "three"]
    assert begun() == ["one", "two", "scene", "three"]


def test_on_the_command_line(folder, capsys, monkeypatch):
    monkeypatch.chdir(folder.path)
    folder.write(ONE, BROKEN)
    arguments = ["gallery", "gallery.toml", "-o", "out", "--no-cache"]
    with pytest.raises(SystemExit) as exit:
        cli.main(arguments)
    captured = capsys.readouterr()

    assert exit.value.code == 1
    assert re.search(r"^one: [\d.]+ k?B, [\d.]+ s$", captured.out, re.M)
    assert re.search(r"^broken \(line 12\): failed after [\d.]+ s$", captured.out, re.M)
    assert captured.out.endswith("out/index.html: 1 made, 0 unchanged, 1 failed\n")
    assert captured.err.startswith("lerax-render: broken could not be made: no module named")

    folder.write(ONE)
    cli.main(arguments)
    assert capsys.readouterr().out == "out/index.html: 0 made, 1 unchanged, 0 failed\n"

    folder.manifest.write_text("[[clips]]\nenv = 3")
    with pytest.raises(SystemExit):
        cli.main(arguments)
    assert "gallery.toml, line 2, clip 1: env must be the name of" in capsys.readouterr().err


def test_the_bar_names_what_runs(folder):
    import pty

    folder.write(ONE_SCENE)
    terminal, inside = pty.openpty()
    command = [sys.executable, "-m", "lerax_render", "gallery", "gallery.toml", "-o", "out"]
    with subprocess.Popen(command, cwd=folder.path, stdout=inside, stderr=inside) as child:
        os.close(inside)
        shown = b""
        while True:
            try:
                shown += (read := os.read(terminal, 4096))
            except OSError:
                break
            if not read:
                break
    os.close(terminal)

    assert child.returncode == 0
    text = re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", shown.decode())
    assert re.search(r"one\b.*0 of 1", text)
    assert "1 of 1" in text
    assert "0 of 0" not in text
    assert "1 made, 0 unchanged, 0 failed" in text


def test_pages_replays_and_clips_of_replays(folder):
    """Beside clips: what a browser opens, what it does not, and what was captured before."""
    record(str(ROOT / "assets/scenes/arm.xml"), path=folder.path / "arm.replay", steps=5)
    folder.write(
        'name = "page"\nenv = "CartPole"\nformat = "html"',
        'name = "file"\nenv = "CartPole"\nformat = "replay"\nwidth = false\nheight = false',
        'name = "shown"\nenv = "arm.replay"',
    )
    report = folder.make()
    assert (list(report.made), report.failed) == (["page", "file", "shown"], {})
    media = {"page.html", "file.replay", "shown.mp4"}
    stills = {f"{name}.still.webp" for name in ("page", "file", "shown")}
    assert folder.files() == media | stills | FILES
    for still in stills:
        with Image.open(folder.output / still) as picture:
            low, high = picture.convert("L").getextrema()
            assert high - low > 100
    page = (folder.output / "index.html").read_text()
    assert 'href="page.html" data-kind="iframe"' in page
    assert 'href="file.replay" data-kind="file" download' in page
    assert list(folder.make().kept) == ["page", "file", "shown"]
    # Other steps under the same name.
    record(str(ROOT / "assets/scenes/arm.xml"), path=folder.path / "arm.replay", steps=5, key=1)
    assert list(folder.make().made) == ["shown"]
