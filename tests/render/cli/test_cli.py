"""The command line as a user has it: a process, its output, its exit code, the file it wrote."""

import io
import os
import pty
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import docstring_parser
import jax
import pytest
import tyro
from jax import random as jr
from lerax.env.classic_control import CartPole
from lerax.policy import MLPActorCriticPolicy
from rich.console import Console
from rich.progress import Progress
from rich.text import Text

import lerax_render
from lerax_render import Clip, record
from lerax_render.cli import commands as cli
from lerax_render.cli.options import given, options_of
from lerax_render.cli.progress import Bar, ClipsBar
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


def test_a_figure_and_its_one_line(run, tmp_path):
    options = ["-n", "5", "--at", "0", "0.06s", "--width", "64", "--dpi", "96", "--kind", "strobe"]
    code, out, _ = run("figure", "CartPole", "-o", "strobe.svg", *options)
    assert code == 0
    assert re.fullmatch(
        r"strobe\.svg: [\d.]+ kB, 17 x \d+ mm at 96 dpi, 2 moments, [\d.]+ s\n", out
    )
    assert (tmp_path / "strobe.svg").read_text().startswith("<?xml")
    assert "--ghost" not in run("figure", "--help")[1]
    code, _, error = run("figure", "CartPole", "--kind", "trajectory", "--follow", "pole")
    assert (code, error.count("\n")) == (1, 2)
    assert "has no bodies" in error
    code, _, error = run("figure", "CartPole", "--print-width", "3.3ft")
    assert code != 0


def test_picked_episodes_are_told(run, tmp_path):
    size = SMALL[:4]
    pick = ["--pick", "best", "7", "--of", "30"]
    code, out, _ = run("clip", "CartPole", *pick, "-o", "x.gif", *size)

    assert code == 0
    first, best, given = out.splitlines()
    assert re.match(r"x\.gif: [\d.]+ k?B, \d+ frames, 64x48, 50 fps", first)
    line = r"  episode \d+: return (\d+), rank (\d+) of 30, (\d+) steps"
    earned, rank, length = re.fullmatch(line, best).groups()
    assert (rank, earned) == ("1", length)
    assert given.startswith("  episode 7: ")
    assert int(re.fullmatch(line, given)[1]) <= int(earned)
    code, out, _ = run("clip", "CartPole", "--episodes", "2", "-o", "y.gif", *size)
    assert code == 0
    assert len(out.splitlines()) == 1


def test_what_a_callback_raises_is_one_line(tmp_path):
    (tmp_path / "sensors.py").write_text(
        "import jax\n"
        "from support.environments import Counting\n"
        "class Sensors(Counting):\n"
        "    def transition(self, state, action, *, key):\n"
        "        jax.debug.callback(lambda count: 1 / (2 - int(count)), state.count)\n"
        "        return super().transition(state, action, key=key)\n"
    )
    script = "import sys; from lerax_render.cli.commands import main; main(sys.argv[1:])"
    done = subprocess.run(
        [sys.executable, "-c", script, "clip", "sensors.py:Sensors", "-o", "c.gif", *SMALL],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    line, _ = done.stderr.splitlines()
    assert line.startswith(
        "lerax-render: a function that JAX has called back raised ZeroDivisionError: "
    )
    assert "sensors.py, line 5)" in line


def test_without_an_output_the_environment_names_the_file(run, tmp_path):
    assert run("clip", "lerax.env.classic_control:CartPole", *SMALL, "--no-cache")[0] == 0
    assert b"ftyp" in (tmp_path / "CartPole.mp4").read_bytes()[:12]


def test_the_same_seed_gives_the_same_clip_as_in_python(run, tmp_path):
    run("clip", "CartPole", "-o", "a.apng", "--seed", "3", *SMALL)
    video = record(CartPole(), steps=5, key=jr.key(3), width=64, height=48, format="apng")

    assert (tmp_path / "a.apng").read_bytes() == video.data


def test_a_policy_and_arguments(run, tmp_path):
    policy = MLPActorCriticPolicy(CartPole(), feature_size=4, key=jr.key(0))
    policy.serialize(tmp_path / "policy.eqx")
    jax.effects_barrier()
    arguments = [
        "--policy",
        "policy.eqx",
        "--policy-args",
        "feature_size=4",
        "--env-args",
        "dt=0.1",
    ]
    code, out, _ = run("clip", "CartPole", "-o", "a.mp4", *arguments, "--deterministic", *SMALL)

    assert code == 0
    assert "10 fps" in out


def test_a_grid_of_policies_with_labels(run, tmp_path):
    policies = [MLPActorCriticPolicy(CartPole(), feature_size=4, key=jr.key(i)) for i in (0, 1)]
    for i, policy in enumerate(policies):
        policy.serialize(tmp_path / f"{i}.eqx")
    jax.effects_barrier()
    given = ["-p", "0.eqx", "1.eqx", "--policy-args", "feature_size=4"]
    labels = ["--labels", "first", "--labels", "second one"]
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
    assert "2 policies were given, which needs as many tiles of a grid" in err


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
        (["CartPole", "--fps", "-3"], "fps must be a number of frames a second, 0.01 to 1000"),
        (["CartPole", "-n", "0"], "steps must be a whole number, 1 to 1000000000, got 0"),
        (["CartPole", "--env-args", "mass"], "env_args: expected name=value, got 'mass'"),
        (["CartPole", "--env-args", "dt=1", "dt"], "env_args: expected name=value, got 'dt'"),
        (["CartPole", "--policy", "missing.eqx"], "missing.eqx"),
        (["CartPole", "--grid", "0x3"], "grid must be rows and columns, 1 to 100 each"),
        (
            ["CartPole", "--overlay", "speed"],
            "one of step, time, reward, return, episode",
        ),
        (["CartPole", "--overlay", "step,speed"], "got ['step', 'speed']"),
        (["CartPole", "--codec", "av1", "-o", "x.gif"], "gif cannot hold codec av1; formats that"),
        (["CartPole", "--loop", "2"], "mp4 does not say how often it plays"),
        (
            ["CartPole", "--preset", "docs", "-o", "x.mp4"],
            "makes a WebP or a GIF: name the file x.webp",
        ),
        (["CartPole", "--labels", "a"], "labels name the tiles of a grid, and there is no grid"),
        (["CartPole", "--grid", "1x2", "--labels", "a"], "a grid of 1x2 needs 2 labels, got 1"),
        (["CartPole", "--pick", "best", "9", "--of", "1"], "pick names 2 episodes, out of 1"),
        (["CartPole", "--pick", "9", "--of", "5"], "pick has episode 9, and there are 0 to 4"),
        (["CartPole", "--pick", "best,good"], "best, worst, median, or an episode's number"),
        (["CartPole", "--episodes", "2", "-n", "9"], "leave steps out"),
        (["missing.xml"], "there is no file 'missing.xml'"),
        (["missing.replay"], "there is no file 'missing.replay'"),
        (["CartPole", "--seed", "9" * 30], "seed must be a whole number, 0 to 4294967295"),
        (["CartPole", "--fps", "nan"], "fps must be a number of frames a second"),
        (["a.xml", "--camera", "zoom=3"], "camera: there is no setting zoom"),
        (["a.xml", "--camera", "azimuth=left"], "camera.azimuth must be a finite number"),
    ],
)
def test_mistakes_are_one_line_and_leave_nothing(run, tmp_path, arguments, message):
    code, out, err = run("clip", *arguments)

    assert code == 1
    assert message in err
    assert len(err.splitlines()) == 2
    assert "Traceback" not in err
    assert out == ""
    assert not [p for p in tmp_path.iterdir() if p.name != "cache"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["CartPole", "--grid", "2by3"], "expected ROWSxCOLUMNS, such as 2x3, got '2by3'"),
        (["CartPole", "-n", "many"], "expected a whole number, 1 to 1000000000, got 'many'"),
        (["CartPole", "--fps", "fast"], "expected a number of frames a second, 0.01 to 1000"),
        (["CartPole", "--max-size", "big"], "expected a size such as 10MB or 500kB, got 'big'"),
        (["CartPole", "-q", "best"], "invalid choice 'best' for argument '-q/--quality'"),
        (["CartPole", "--widht", "3"], "Perhaps you meant: --width NUMBER"),
        (["CartPole", "--folder", "x"], "Unrecognized options: --folder"),
        ([], "ENV Environment: a Lerax class name"),
        (
            ["a.replay", "b.replay", "-o", "x.mp4"],
            "model or replay, got 'a.replay' and 'b.replay'",
        ),
    ],
)
def test_wrong_usage_is_told_with_what_was_meant(run, tmp_path, arguments, message):
    code, out, err = run("clip", *arguments)

    assert code == 2
    assert message in " ".join(err.replace("│", " ").split())
    assert out == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["clips", "CartPole"], "no command 'clips': did you mean `lerax-render clip`?"),
        (
            ["CartPole", "-o", "a.mp4"],
            "did you mean `lerax-render clip CartPole`? The commands are clip,",
        ),
        (["help"], "did you mean `lerax-render --help`?"),
    ],
)
def test_a_command_that_is_none_is_told_what_was_meant(run, arguments, message):
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("command", cli.COMMANDS.values(), ids=cli.COMMANDS)
def test_help_has_no_line_breaks_of_the_source(command):
    arguments = docstring_parser.parse_from_object(command).params
    assert not [each.arg_name for each in arguments if "\n" in (each.description or "")]


def test_the_file_that_was_probably_meant_is_named(run, tmp_path):
    (tmp_path / "hopper.xml").touch()
    code, _, err = run("clip", "hoper.xml")
    assert code == 1
    assert "there is no file 'hoper.xml'; did you mean 'hopper.xml'?" in err


@pytest.mark.parametrize("words", [["-p", "a.eqx", "-p", "b.eqx"], ["-p", "a.eqx", "b.eqx"]])
def test_options_of_several_words_may_be_repeated(words):
    options = tyro.cli(options_of(Clip)(), args=["CartPole", *words, "-n5", "-s", "3"])
    clip = Clip(**given(options, Clip))
    assert clip == Clip(env="CartPole", policy=("a.eqx", "b.eqx"), steps=5, seed=3)


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
    boxes = re.findall(r"╭─ (\w+) options", done.stdout)
    assert sorted(boxes) == ["file", "layout", "picture", "rollout", "time"]
    for heavy in ("jaxlib", "mujoco", "pygame", "lerax", "numpy"):
        assert not re.search(rf"\| +{heavy}$", done.stderr, re.MULTILINE)


def test_an_error_that_nobody_foresaw_is_raised_with_a_request(run, monkeypatch, capsys):
    def broken(*_: object) -> None:
        len(3)

    monkeypatch.setattr("lerax_render.batch.clip.load_policy", broken)
    with pytest.raises(TypeError, match="has no len") as caught:
        run("clip", "CartPole", "-p", "a.eqx", *SMALL)
    (note,) = caught.value.__notes__
    assert "please report it" in note
    assert "lerax-render doctor" in note
    assert capsys.readouterr().err == ""


def test_a_clip_loads_no_more_than_it_needs(tmp_path):
    script = (
        "import sys; from lerax_render.cli import main\n"
        "main(['clip', 'CartPole', '-o', 'a.gif', '-n', '2', '--no-cache'])\n"
        "print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    loaded = set(done.stdout.split())
    assert "lerax_render.paint2d.drawlist" in loaded
    assert not loaded & {
        "lerax_render.mujoco.files.limits",
        "matplotlib",
        "mujoco",
        "optax",
        "rich.progress",
        "tensorboardX",
    }


def test_a_bar_says_what_takes_long_in_its_description_place():
    with Progress(console=Console(file=io.StringIO(), force_terminal=True)) as progress:
        bar = Bar(progress, "Hopper[0] → clip.mp4", 3)
        (task,) = progress.tasks
        before = task.description
        assert Text.from_markup(before).plain == "Hopper[0] → clip.mp4"
        bar.say("compiling Hopper[0], about a minute the first time")
        assert Text.from_markup(task.description).plain.startswith("compiling Hopper[0], about")
        bar.say("")
        assert task.description == before
        bar(2)
        assert task.completed == 2


def test_a_gallerys_bar_says_what_takes_long_behind_what_runs():
    entries = [SimpleNamespace(name=name, clip=Clip(env="CartPole")) for name in ("one", "two")]
    bar = ClipsBar().start(entries)
    (task,) = bar._progress.tasks
    bar([1], 0)
    bar.say("compiling Hopper[0], about a minute the first time")
    said = Text.from_markup(task.description).plain
    assert said == "two: compiling Hopper[0], about a minute the first time"
    bar.say("")
    assert task.description == "two"
    bar([0], 5)
    assert (task.description, task.completed) == ("one", 5)


def test_on_a_terminal_a_progress_bar_is_shown_and_removed(tmp_path):
    shutil.copy(SCENES / "arm.xml", tmp_path)
    command = [sys.executable, "-m", "lerax_render", "clip", "arm.xml", "-o", "clip.gif"]
    shown = _on_a_terminal([*command, "--width", "64", "--height", "48"], tmp_path)

    assert "arm.xml → clip.gif" in shown
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
        [sys.executable, "-m", "lerax_render", "clip", SCENES / "arm.xml", "-o", "a.gif", *SMALL],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "FORCE_COLOR": "1"},
    )

    assert "→" not in done.stderr
    assert done.stdout.count("\n") == 1


@pytest.mark.parametrize(("format", "begins"), [("gif", b"GIF89a"), (None, b"\0\0\0")])
def test_a_clip_on_standard_output(tmp_path, format, begins):
    command = [sys.executable, "-m", "lerax_render", "clip", SCENES / "arm.xml", "-o", "-", *SMALL]
    done = subprocess.run(
        [*command, *(["-f", format] if format else [])],
        cwd=tmp_path,
        capture_output=True,
        check=True,
    )

    assert done.stdout.startswith(begins)
    assert done.stderr.startswith(b"-: ")
    assert b"5 frames" in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_clip_to_nowhere_and_from_a_folder_that_is_gone(run, tmp_path, monkeypatch):
    code, out, _ = run("clip", str(SCENES / "arm.xml"), *SMALL, "-o", "/dev/null")
    assert code == 0
    assert out.startswith("/dev/null: ")

    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    code, _, err = run("clip", str(SCENES / "arm.xml"), *SMALL, "-o", "x.gif")
    assert code == 1
    assert "'x.gif' cannot be written: the current folder was removed" in err
    monkeypatch.chdir(tmp_path)


def test_matplotlib_does_not_complain_of_home(tmp_path):
    pytest.importorskip("gymnax")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "lerax_render", "clip", "gymnax:Catch-bsuite", *SMALL),
            *("--no-cache", "-o", "a.gif"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "HOME": "/proc/nobody"},
    )

    assert "atplotlib" not in done.stderr


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


@pytest.fixture
def replay_file(tmp_path) -> Path:
    return record(str(SCENES / "arm.xml"), path=tmp_path / "arm.replay", steps=8).path


def test_a_replay_becomes_whatever_is_asked_for(run, replay_file, tmp_path):
    code, out, _ = run("clip", "arm.replay", "-o", "a.gif", "--width", "64", "-n", "5")
    assert code == 0
    assert re.fullmatch(r"a\.gif: [\d.]+ k?B, 5 frames, 64x48, 50 fps, [\d.]+ s\n", out)
    code, out, _ = run("clip", "arm.replay", "-o", "b.replay")
    assert code == 0
    assert re.fullmatch(r"b\.replay: [\d.]+ kB, 8 steps, [\d.]+ s\n", out)
    code, out, _ = run("clip", "arm.replay", "--width", "64")
    assert code == 0
    assert out.startswith("arm.mp4: ")
    assert (tmp_path / "b.replay").is_file()


def test_an_environment_becomes_a_replay_or_a_page(run, tmp_path):
    for name in ("a.replay", "a.html"):
        code, out, err = run("clip", "CartPole", "-o", name, "-n", "8")
        assert (code, err) == (0, "")
        assert re.fullmatch(rf"{name}: [\d.]+ kB, 8 steps, [\d.]+ s\n", out)
    code, out, _ = run("clip", "CartPole", "-n", "3", "-f", "replay")
    assert out.startswith("CartPole.replay: ")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-p", "x.eqx"], "has been acted out already: leave policy out"),
        (["-s", "3"], "has been acted out already: leave seed out"),
        (["--env-args", "a=1"], "has been acted out already: leave env_args out"),
        (["-n", "9"], "steps is 9, and the replay has 8 steps"),
        (["-o", "a.html", "--fps", "3"], "fps would make no difference in a page"),
        (["-o", "a.replay", "--overlay"], "overlay would make no difference in a replay"),
    ],
)
def test_what_a_replay_has_no_use_for_is_one_line(run, replay_file, words, said, tmp_path):
    code, out, err = run("clip", "arm.replay", *words)
    assert (code, out) == (1, "")
    assert said in err.splitlines()[0]
    assert {path.name for path in tmp_path.iterdir()} <= {"arm.replay", "cache"}


def test_what_is_in_a_replay_is_told(run, replay_file, tmp_path):
    code, out, err = run("info", "arm.replay")
    assert (code, err) == (0, "")
    assert re.search(r"^steps +8, 0\.16 s at 0\.02 s a step *$", out, re.M)
    assert re.search(r"^scene +MuJoCo [\d.]+, [\d.]+ kB *$", out, re.M)
    assert re.search(r"captured/qpos\S+ +\(8, \d+\) +float32", out)
    (tmp_path / "b.replay").write_bytes(replay_file.read_bytes()[:-30])
    code, out, err = run("info", "b.replay")
    assert (code, err.splitlines()[0]) == (
        1,
        "lerax-render: b.replay is not whole: its end is missing",
    )
