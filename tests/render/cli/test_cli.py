"""The command line as a user has it: a process, its output, its exit code, the file it wrote."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import jax
import pytest
from jax import random as jr
from lerax.env import CartPole
from lerax.policy import MLPActorCriticPolicy

import lerax_render
from lerax_render import record
from lerax_render.cli import commands as cli
from lerax_render.mujoco.renderer import Camera
from support.paths import ROOT

SCENES = ROOT / "assets" / "scenes"
SMALL = ["--width", "64", "--height", "48", "--steps", "5"]


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run the command in this process, in a folder of its own, with a compilation cache in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    before = jax.config.jax_compilation_cache_dir
    jax.config.update("jax_compilation_cache_dir", None)

    def run(*arguments: str) -> tuple[int, str, str]:
        code = 0
        try:
            cli.main([str(argument) for argument in arguments])
        except SystemExit as exit:
            code = exit.code if isinstance(exit.code, int) else 1
        output = capsys.readouterr()
        return code, output.out, output.err

    yield run
    jax.config.update("jax_compilation_cache_dir", before)


def test_a_clip_and_its_one_line(run, tmp_path):
    code, out, _ = run("clip", "CartPole", "-o", "clip.gif", *SMALL)

    assert code == 0
    assert re.fullmatch(r"clip\.gif: [\d.]+ k?B, 5 frames, 64x48, 50 fps, [\d.]+ s\n", out)
    assert (tmp_path / "clip.gif").read_bytes().startswith(b"GIF89a")


def test_without_an_output_the_environment_names_the_file(run, tmp_path):
    assert run("clip", "lerax.env:CartPole", *SMALL, "--no-cache")[0] == 0
    assert b"ftyp" in (tmp_path / "CartPole.mp4").read_bytes()[:12]


def test_the_same_seed_gives_the_same_clip_as_in_python(run, tmp_path):
    run("clip", "CartPole", "-o", "a.apng", "--seed", "3", *SMALL)
    video = record(CartPole(), steps=5, key=jr.key(3), width=64, height=48, format="apng")

    assert (tmp_path / "a.apng").read_bytes() == video.data


def test_a_policy_and_arguments(run, tmp_path):
    policy = MLPActorCriticPolicy(CartPole(), feature_size=4, key=jr.key(0))
    policy.serialize(tmp_path / "policy.eqx")
    jax.effects_barrier()
    arguments = ["--policy", "policy.eqx", "--policy-arg", "feature_size=4", "--env-arg", "dt=0.1"]
    code, out, _ = run("clip", "CartPole", "-o", "a.mp4", *arguments, "--deterministic", *SMALL)

    assert code == 0
    assert "10 fps" in out


def test_a_grid_of_policies_with_labels(run, tmp_path):
    policies = [MLPActorCriticPolicy(CartPole(), feature_size=4, key=jr.key(i)) for i in (0, 1)]
    for i, policy in enumerate(policies):
        policy.serialize(tmp_path / f"{i}.eqx")
    jax.effects_barrier()
    given = ["--policy", "0.eqx", "--policy", "1.eqx", "--policy-arg", "feature_size=4"]
    labels = ["--label", "first", "--label", "second one"]
    code, *_ = run("clip", "CartPole", "-o", "a.apng", *given, *labels, "--grid", "1x2", *SMALL)
    video = record(
        CartPole(),
        policies,
        steps=5,
        width=64,
        height=48,
        grid=(1, 2),
        labels=["first", "second one"],
        format="apng",
    )

    assert code == 0
    assert (tmp_path / "a.apng").read_bytes() == video.data
    code, _, err = run("clip", "CartPole", "-o", "b.apng", *given, *SMALL)
    assert code == 1
    assert "2 policies were given, which needs a grid of as many tiles, got no grid" in err


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        (["CartPole", "--overlay"], True),
        (["CartPole", "--overlay", "step", "return"], ["step", "return"]),
        (["CartPole", "--overlay", "step,return"], ["step", "return"]),
        (["--overlay", "time", "CartPole"], ["time"]),
        (["CartPole"], False),
    ],
)
def test_overlays(run, tmp_path, words, lines):
    assert run("clip", "-o", "a.apng", *SMALL, *words)[0] == 0
    video = record(CartPole(), steps=5, width=64, height=48, overlay=lines, format="apng")
    assert (tmp_path / "a.apng").read_bytes() == video.data


def test_a_scene_with_a_camera_of_the_users(run):
    scene = SCENES / "hopper.xml"
    camera = "azimuth=45,elevation=-10,distance=3"
    assert run("clip", scene, "-o", "a.mp4", *SMALL, "--camera", camera)[0] == 0

    code, _, err = run("clip", scene, "-o", "b.mp4", *SMALL, "--camera", "nowhere")
    assert code == 1
    assert "no camera 'nowhere'" in err
    assert not Path("b.mp4").exists()


def test_a_grid_with_an_overlay(run):
    code, out, _ = run(
        "clip", "CartPole", "-o", "a.mp4", "--grid", "2x3", "--overlay", "step", "time", *SMALL
    )

    assert code == 0
    assert "5 frames, 64x48" in out


def test_the_compilation_cache_is_kept_in_the_users_folder(run, tmp_path):
    run("clip", "CartPole", "-o", "a.mp4", *SMALL)
    assert jax.config.jax_compilation_cache_dir == str(tmp_path / "cache/lerax-render/jax")


def test_the_cache_can_be_switched_off(run, tmp_path):
    run("clip", "CartPole", "-o", "a.mp4", "--no-cache", *SMALL)
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["Cartpole"], "did you mean CartPole?"),
        (["CartPole", "-o", "clip.avi"], ".avi"),
        (["CartPole", "-o", "nowhere/clip.gif"], "nowhere"),
        (["CartPole", "--fps", "-3"], "fps"),
        (["CartPole", "--steps", "0"], "steps must be at least 1"),
        (["CartPole", "--env-arg", "mass"], "expected name=value, got 'mass'"),
        (["CartPole", "--policy", "missing.eqx"], "missing.eqx"),
        (["CartPole", "--grid", "2by3"], "expected ROWSxCOLUMNS"),
        (
            ["CartPole", "--overlay", "speed"],
            "no overlay line named 'speed': there are step, time, reward, return, episode\n",
        ),
        (["CartPole", "--overlay", "step,speed"], "no overlay line named 'speed'"),
        (["CartPole", "--max-size", "10MB"], "there is no preset: choose docs or readme, too"),
        (["CartPole", "--preset", "docs", "-o", "x.mp4"], "makes a GIF: name the file x.gif"),
        (["CartPole", "--label", "a"], "labels name the tiles of a grid, and there is no grid"),
        (["CartPole", "--grid", "1x2", "--label", "a"], "a grid of 1x2 needs 2 labels, got 1"),
        (["gym:CartPole-v1", "--grid", "1x2"], "leave the grid away, and record one clip a seed"),
        (["missing.xml"], "missing.xml"),
        (["CartPole", "--seed", "9" * 30], "large"),
        (["CartPole", "--fps", "nan"], "fps must be from 0.01"),
    ],
)
def test_mistakes_are_one_line_and_leave_nothing(run, tmp_path, arguments, message):
    code, out, err = run("clip", *arguments)

    assert code == 1
    assert message in err
    assert "Traceback" not in err
    assert out == ""
    assert not [p for p in tmp_path.iterdir() if p.name != "cache"]


def test_the_version(run):
    assert run("--version")[1] == f"lerax-render {lerax_render.__version__}\n"


def test_help_is_quick_and_names_the_options():
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "lerax_render", "clip", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )

    for option in ("ENV", "--output", "--policy-class", "--camera", "--quality", "--grid"):
        assert option in done.stdout
    for heavy in ("jaxlib", "mujoco", "pygame", "lerax"):
        assert not re.search(rf"\| +{heavy}$", done.stderr, re.MULTILINE)


def test_on_a_terminal_a_progress_bar_is_shown_and_removed(tmp_path):
    command = [sys.executable, "-m", "lerax_render", "clip", "CartPole", "-o", "clip.gif"]
    shown = _on_a_terminal([*command, "--width", "64", "--height", "48"], tmp_path)

    assert "CartPole → clip.gif" in shown
    assert re.search(r"\d+/256", shown)
    assert (tmp_path / "clip.gif").exists()


def _on_a_terminal(command: list[str], folder: Path) -> str:
    terminal, inside = pty.openpty()
    with subprocess.Popen(
        command, cwd=folder, stdin=inside, stdout=subprocess.PIPE, stderr=inside
    ) as child:
        os.close(inside)
        shown = b""
        while True:
            try:
                read = os.read(terminal, 4096)
            except OSError:
                break
            if not read:
                break
            shown += read
    os.close(terminal)
    assert child.returncode == 0
    return shown.decode()


def test_not_on_a_terminal_there_is_no_bar(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "lerax_render", "clip", "CartPole", "-o", "a.gif", *SMALL],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "FORCE_COLOR": "1"},
    )

    assert "→" not in done.stderr
    assert done.stdout.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, None),
        ("2", 2),
        ("side", "side"),
        ("azimuth=30,distance=2.5", Camera(azimuth=30, distance=2.5)),
        ("track=torso", Camera(track="torso")),
        ("lookat=(0,0,1)", Camera(lookat=(0, 0, 1))),
    ],
)
def test_cameras_by_text(text, expected):
    assert cli.parsed_camera(text) == expected


def test_an_unknown_camera_setting_is_an_error():
    with pytest.raises(ValueError, match="zoom"):
        cli.parsed_camera("zoom=3")


@pytest.mark.parametrize(
    ("env", "format", "name"),
    [
        ("CartPole", None, "CartPole.mp4"),
        ("my.module:make_env", "gif", "make_env.gif"),
        ("gym:ALE/Pong-v5", None, "ALE_Pong-v5.mp4"),
        ("some/folder/robot.xml", "webm", "robot.webm"),
        ("CartPole", "png", "CartPole_%05d.png"),
    ],
)
def test_default_names(env, format, name):
    assert cli.default_name(env, format) == name
