"""Environments and policies named by text."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import equinox as eqx
import jax
import mujoco
import pytest
from jax import random as jr
from lerax.env.classic_control import CartPole
from lerax.policy import MLPActorCriticPolicy

import lerax_render as lr
from lerax_render import BackendUnavailableError
from lerax_render.naming.loading import (
    file_in,
    lerax_env_classes,
    load_env,
    load_policy,
    stem,
)
from lerax_render.sources.simulation import Simulation
from support.environments import Counting, Metronome

BALL = """
<mujoco><worldbody>
  <geom type="plane" size="1 1 .1"/>
  <body pos="0 0 1"><freejoint/><geom size=".1"/></body>
</worldbody></mujoco>
"""


def test_lerax_classes_are_found_wherever_they_are():
    classes = lerax_env_classes()

    assert {"CartPole", "Acrobot", "Pendulum", "MountainCar", "Humanoid"} <= set(classes)
    assert not any(name.startswith("Abstract") for name in classes)


def test_a_lerax_class_takes_arguments():
    assert float(load_env("CartPole", {"gravity": 1.5}).gravity) == 1.5


def test_a_model_that_lerax_comes_without_is_gymnasiums():
    humanoid = load_env("Humanoid", {"frame_skip": 2})
    assert humanoid.frame_skip == 2
    assert humanoid.mujoco_model.opt.solver == mujoco.mjtSolver.mjSOL_NEWTON
    # So that a second clip runs the first one's compiled program.
    again = load_env("Humanoid", {"frame_skip": 2})
    assert jax.tree.structure(again) == jax.tree.structure(humanoid)


def test_a_model_that_the_user_names_and_that_is_missing_is_not_replaced(tmp_path):
    with pytest.raises(FileNotFoundError, match="mine"):
        load_env("Humanoid", {"xml_file": str(tmp_path / "mine.xml")})


def test_without_gymnasium_the_missing_model_is_said(monkeypatch):
    if importlib.util.find_spec("lerax.env.mujoco.assets") is not None:
        pytest.skip("this Lerax comes with its models")
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "gymnasium" else find_spec(name)
    )
    with pytest.raises(BackendUnavailableError, match=r"humanoid\.xml.*lerax-render\[gym\]"):
        load_env("Humanoid")


def test_a_misspelt_name_gets_a_suggestion_and_the_list():
    with pytest.raises(
        ValueError, match=r"'Cartpole': did you mean CartPole\? there are Acrobot, "
    ):
        load_env("Cartpole")


def test_an_unknown_argument_is_named_with_the_signature():
    with pytest.raises(ValueError, match=r"unexpected keyword argument 'mass'.*gravity"):
        load_env("CartPole", {"mass": 1})


@pytest.mark.parametrize("attribute", ["Counting", "make", "instance"])
def test_module_attributes_are_classes_functions_or_instances(tmp_path, monkeypatch, attribute):
    (tmp_path / "my_envs.py").write_text(
        "from support.environments import Counting\n"
        "def make(length=5): return Counting(length)\n"
        "instance = Counting(5)\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "my_envs", raising=False)

    assert isinstance(load_env(f"my_envs:{attribute}"), Counting)
    assert load_env(f"my_envs.py:{attribute}").length == 5
    if attribute != "instance":
        assert load_env(f"{tmp_path}/my_envs.py:{attribute}", {"length": 7}).length == 7
    else:
        with pytest.raises(ValueError, match="takes no arguments"):
            load_env("my_envs:instance", {"length": 7})


def test_missing_modules_files_and_attributes_are_told_apart(tmp_path):
    with pytest.raises(ValueError, match="no module named 'nowhere'"):
        load_env("nowhere:Env")
    with pytest.raises(ValueError, match=r"no file .*nowhere\.py"):
        load_env(f"{tmp_path}/nowhere.py:Env")
    with pytest.raises(ValueError, match=r"no attribute named 'CartPol' in lerax\.env"):
        load_env("lerax.env:CartPol")


def test_mjcf_files_are_simulations(tmp_path):
    path = tmp_path / "ball.xml"
    path.write_text(BALL)
    simulation = load_env(str(path), {"controls": "passive"})

    assert isinstance(simulation, Simulation)
    assert simulation.controls == "passive"
    assert simulation.dt == pytest.approx(0.02)
    with pytest.raises(ValueError, match=r"'sampled', 'passive'.*, got 'walk'"):
        load_env(str(path), {"controls": "walk"})
    with pytest.raises(FileNotFoundError):
        load_env(f"{tmp_path}/none.xml")


MODEL = "<mujoco><worldbody><geom size='.1'/></worldbody></mujoco>"


@pytest.mark.parametrize("name", ["ball.mjcf", "ball.URDF", "ball.mjb"])
def test_all_files_of_models_are_simulations(tmp_path, name):
    mujoco = pytest.importorskip("mujoco")
    path = tmp_path / name
    path.write_text(MODEL)
    if name.endswith(".mjb"):
        mujoco.mj_saveModel(mujoco.MjModel.from_xml_string(MODEL), str(path), None)
    env = load_env(str(path))

    assert env.name == "ball"
    assert env.model.ngeom == 1
    assert stem(str(path)) == "ball"
    assert file_in(str(path)) == str(path)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "part.xml",
            "<mujocoinclude/>",
            "part.xml is meant to be included by a scene, .*<include>",
        ),
        ("a.xml", "<mujoco><worldbody><geom foo='1'/></worldbody></mujoco>", "a.xml: .*'foo'"),
        ("a.mjb", "<mujoco/>", "cannot load .*a.mjb: .*damaged, or of another MuJoCo than "),
    ],
)
def test_what_mujoco_does_not_load_is_named(tmp_path, monkeypatch, name, text, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=message):
        load_env(str(tmp_path / name))
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_gymnasium_environments():
    env = load_env("gym:CartPole-v1")

    assert env.render_mode == "rgb_array"
    assert load_env("gym:FrozenLake-v1", {"map_name": "8x8"}).observation_space.n == 64


_WITH_A_MODEL = """
import mujoco

class Env:
    def __init__(self):
        compiler = '<compiler settotalmass="14"/>'
        ball = '<worldbody><body><freejoint/><geom size=".1"/></body></worldbody>'
        self.model = mujoco.MjModel.from_xml_string(f"<mujoco>{compiler}{ball}</mujoco>")
"""


@pytest.mark.parametrize(
    "name", ["gym:HalfCheetah", "gym:HalfCheetah-v5", "gym:models:Own-v0", "models.py:Env"]
)
def test_mujoco_leaves_no_file_of_what_it_warns_of(name, tmp_path):
    (tmp_path / "models.py").write_text(
        f"{_WITH_A_MODEL}\n"
        "from gymnasium import register\n"
        "register('Own-v0', 'gymnasium.envs.mujoco.half_cheetah_v5:HalfCheetahEnv')\n"
    )
    # In a process of its own: MuJoCo is imported when it is needed.
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from lerax_render.naming import load_env; load_env(sys.argv[1])",
            name,
        ],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert "WARNING: compiler attribute 'settotalmass' is deprecated" in done.stderr
    assert not list(tmp_path.glob("*.TXT"))


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("NoSuchThing-v0", ValueError, r"doesn't exist.*gym:package:ID.*gym:ale_py:ALE/Pong-v5"),
        ("NoSuch/Thing-v0", ValueError, r"Namespace NoSuch not found.*gym:package:ID"),
        ("CartPole-v99", ValueError, r"doesn't exist.*`v1` \]\.$"),
        ("LunarLander-v2", ValueError, "use `LunarLander-v3` instead"),
        ("Ant-v2", ValueError, "There is gym:Ant-v5$"),
        ("no_such_package:Thing-v0", ValueError, "no module named 'no_such_package'; install"),
        ("Ant-v5", ValueError, "no_such_argument"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_what_gymnasium_cannot_make_is_said_with_what_it_can(name, error, message):
    arguments = {"no_such_argument": 1} if name == "Ant-v5" else {}
    with pytest.raises(error, match=message) as info:
        load_env(f"gym:{name}", arguments)
    assert "\n" not in str(info.value)


def test_a_missing_box2d_is_not_in_our_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "Box2D", None)
    monkeypatch.delitem(sys.modules, "gymnasium.envs.box2d.lunar_lander", raising=False)

    with pytest.raises(BackendUnavailableError, match=r"pip install box2d$"):
        load_env("gym:LunarLander-v3")


def test_gymnax_environments():
    env = load_env("gymnax:CartPole-v1")

    assert env.action_space.n == 2
    with pytest.raises(ValueError, match="did you mean CartPole-v1"):
        load_env("gymnax:CartPole-v0")


def test_a_missing_package_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "gymnax", None)

    with pytest.raises(BackendUnavailableError, match=r"pip install 'lerax-render\[gymnax\]'"):
        load_env("gymnax:CartPole-v1")


@pytest.fixture(scope="module")
def saved_policy(tmp_path_factory) -> tuple[Path, MLPActorCriticPolicy]:
    policy = MLPActorCriticPolicy(CartPole(), feature_size=8, key=jr.key(7))
    path = tmp_path_factory.mktemp("policy") / "policy.eqx"
    policy.serialize(path)
    jax.effects_barrier()
    return path, policy


def test_a_policy_comes_back_as_it_was_saved(saved_policy):
    path, policy = saved_policy
    loaded = load_policy(path, "MLPActorCriticPolicy", CartPole(), {"feature_size": 8})

    assert eqx.tree_equal(loaded, policy)


def test_a_policy_of_other_sizes_is_an_error(saved_policy):
    with pytest.raises(ValueError, match="does not hold the parameters of MLPActorCriticPolicy"):
        load_policy(saved_policy[0], "MLPActorCriticPolicy", CartPole())


def test_a_file_that_is_no_policy_at_all_is_named_so(tmp_path):
    path = tmp_path / "policy.eqx"
    path.write_bytes(b"PK" + bytes(100))
    with pytest.raises(ValueError, match=r"it is not a file that policy\.serialize has written"):
        load_policy(path, "MLPActorCriticPolicy", CartPole())


@pytest.mark.parametrize("content", [b"", b"not a policy", None])
def test_a_broken_policy_file_is_an_error(saved_policy, tmp_path, content):
    path = tmp_path / "broken.eqx"
    path.write_bytes(saved_policy[0].read_bytes()[:500] if content is None else content)

    with pytest.raises(ValueError, match="does not hold the parameters"):
        load_policy(path, "lerax.policy:MLPActorCriticPolicy", CartPole(), {"feature_size": 8})


def test_a_policy_file_with_more_in_it_is_an_error(saved_policy, tmp_path):
    path = tmp_path / "twice.eqx"
    path.write_bytes(2 * saved_policy[0].read_bytes())

    with pytest.raises(ValueError, match="there is more in the file"):
        load_policy(path, "MLPActorCriticPolicy", CartPole(), {"feature_size": 8})


def test_a_file_that_does_not_run_is_named(tmp_path):
    path = tmp_path / "broken.py"
    path.write_text("1 / 0")

    with pytest.raises(
        ValueError, match=r"running .*broken\.py failed in .*line 1, `1 / 0`: ZeroDivisionError"
    ):
        load_env(f"{path}:Env")


def test_an_unknown_policy_class_is_an_error(saved_policy):
    with pytest.raises(ValueError, match="no policy class named 'MLPActorCritic'") as error:
        load_policy(saved_policy[0], "MLPActorCritic", CartPole())
    assert "did you mean MLPActorCriticPolicy? there are MLP" in str(error.value)
    # What none can be made of is no choice.
    assert "Abstract" not in str(error.value)
    assert "actor_critic" not in str(error.value)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("Ant-v5", "gym:Ant-v5"),
        ("CartPole-v1", "gym:CartPole-v1"),
        ("FrozenLake", "gym:FrozenLake-v1"),
        ("Cartpole", "CartPole"),
    ],
)
def test_an_environment_of_gymnasium_needs_no_guess_at_how_it_is_named(given, meant):
    with pytest.raises(ValueError, match=rf"named '{given}': did you mean {meant}\?"):
        load_env(given)


def test_a_python_file_alone_is_told_what_is_missing():
    with pytest.raises(ValueError, match=r"name the environment in it, too, as in envs\.py:MyEnv"):
        load_env("envs.py")


def test_of_a_file_only_what_it_defines_is_listed(tmp_path):
    path = tmp_path / "envs.py"
    path.write_text("import sys\nfrom pathlib import Path\n\nSIZE = 3\n\n\nclass Maze: ...\n")
    with pytest.raises(ValueError, match=r"did you mean Maze\? there are Maze, SIZE$"):
        load_env(f"{path}:Maz")


def test_arguments_are_listed_as_they_are_written():
    with pytest.raises(
        ValueError, match=r"It is CartPole\(\*, gravity=9\.8, .*solver=None, "
    ) as error:
        load_env("CartPole", {"foo": 3})
    assert "Float" not in str(error.value)


def make_counting():
    return Counting()


VERBS = (lr.record, lr.capture, lambda env: lr.render(env, []), lr.rollout)


@pytest.mark.parametrize("verb", VERBS, ids=["record", "capture", "render", "rollout"])
@pytest.mark.parametrize(
    ("given", "message"),
    [
        (Counting, r"Counting is a class, .* write \w+\(Counting\(\), ...\)"),
        (make_counting, r"make_counting is a function, .* write \w+\(make_counting\(\), ...\)"),
        (None, r"needs an environment, such as CartPole\(\), got None"),
    ],
)
def test_what_only_makes_an_environment_is_told_what_to_write(verb, given, message):
    with pytest.raises(TypeError, match=message):
        verb(given)


def test_a_class_of_policies_is_told_what_to_write():
    with pytest.raises(TypeError, match=r"Metronome is a class, .* Metronome\(env, key=key\)"):
        lr.record(Counting(), Metronome, steps=3)


def test_a_name_is_taken_as_on_the_command_line(tmp_path):
    named, made = (lr.capture(env, steps=4) for env in ("CartPole", CartPole()))
    assert (named.captured.numbers == made.captured.numbers).all()
    model = tmp_path / "box.xml"
    model.write_text('<mujoco><worldbody><geom size="1 1 1" type="box"/></worldbody></mujoco>')
    for env in (model, str(model)):
        assert lr.record(env, steps=2, width=32, height=24).num_frames == 2
    with pytest.raises(ValueError, match="no environment named 'CartPol': did you mean CartPole"):
        lr.record("CartPol", steps=2)
    with pytest.warns(lr.RenderWarning, match="no video of CartPol: ValueError"):
        assert lr.try_record("CartPol") is None
